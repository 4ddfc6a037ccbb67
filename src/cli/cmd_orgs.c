/* respan orgs list|create|rename|delete: the organizations, straight in the data directory (the server may be running). */
#include "cli/cmd.h"

#include "base/json_write.h"
#include "cli/data_dir.h"
#include "cli/drop_project.h"
#include "cli/report.h"

#include <getopt.h>
#include <stdio.h>

typedef struct options {
    const char *data, *owner;
    bool json, yes;
} options;

/* ---- showing them -------------------------------------------------------------------------------------- */

static bool print_row(void *ctx, const rs_organization *o) {
    (void)ctx;
    printf("%-4llu %s%s\n", (unsigned long long)o->id, o->name,
           o->id == RS_SERVER_ORGANIZATION ? "  (the server's own)" : "");
    return true;
}

static bool write_row(void *ctx, const rs_organization *o) {
    rs_json *j = ctx;
    rs_json_object(j);
    rs_json_put_int(j, "id", (int64_t)o->id);
    rs_json_put_str(j, "name", rs_str_of(o->name));
    rs_json_put_time(j, "created", o->created_ns);
    rs_json_object_end(j);
    return true;
}

static int show(const rs_organization *organization, const options *o) {
    rs_buf out;
    rs_buf_init(&out);
    rs_json j = rs_json_on(&out);
    if (!o->json) {
        print_row(NULL, organization);
        return RS_EXIT_DONE;
    }
    write_row(&j, organization);
    return rs_report_json(&out);
}

static int list(rs_control *control, const char *const names[], const options *o) {
    rs_err err = {0};
    rs_buf out;
    (void)names;
    rs_buf_init(&out);
    rs_json j = rs_json_on(&out);
    if (o->json) rs_json_array(&j);
    rs_status st = rs_control_list_organizations(control, 0, o->json ? write_row : print_row, &j, &err);
    if (o->json) rs_json_array_end(&j);
    if (o->json && st == RS_OK) return rs_report_json(&out);
    rs_buf_deinit(&out);
    return st == RS_OK ? RS_EXIT_DONE : rs_report_failure(&err);
}

/* ---- changing them ------------------------------------------------------------------------------------- */

static int create(rs_control *control, const char *const names[], const options *o) {
    rs_err err = {0};
    rs_organization made;
    rs_user owner = {0};
    rs_status st = o->owner ? rs_control_find_user(control, o->owner, &owner, &err) : RS_OK;
    if (st == RS_OK) st = rs_control_create_organization(control, names[0], owner.id, NULL, &made, &err);
    return st == RS_OK ? show(&made, o) : rs_report_failure(&err);
}

static int rename_one(rs_control *control, const char *const names[], const options *o) {
    rs_err err = {0};
    rs_organization organization;
    rs_status st = rs_control_find_organization(control, names[0], &organization, &err);
    if (st == RS_OK) st = rs_control_rename_organization(control, organization.id, names[1], NULL, &err);
    if (st == RS_OK) st = rs_control_get_organization(control, organization.id, &organization, &err);
    return st == RS_OK ? show(&organization, o) : rs_report_failure(&err);
}

static bool take_id(void *ctx, const rs_project *project) {
    rs_buf_put(ctx, (const char *)&project->id, sizeof project->id);
    return true;
}

static rs_status drop_all(const char *dir, const rs_buf *projects, rs_err *err) {
    rs_status st = RS_OK;
    for (size_t at = 0; at < projects->n && st == RS_OK; at += sizeof(uint64_t)) {
        uint64_t id;
        memcpy(&id, projects->p + at, sizeof id);
        st = rs_drop_project(dir, id, err);
    }
    return st;
}

static int delete_one(rs_control *control, const char *const names[], const options *o) {
    char dir[RS_PATH_MAX];
    rs_err err = {0};
    rs_organization organization;
    rs_buf projects;
    rs_status st = rs_data_dir(o->data, dir, &err);
    if (st == RS_OK) st = rs_control_find_organization(control, names[0], &organization, &err);
    if (st != RS_OK) return rs_report_failure(&err);
    if (!o->yes &&
        !rs_drop_is_meant("projects", organization.name,
                          "go, with their traces and keys, and whoever is in no other organization; nothing "
                          "brings them back"))
        return RS_EXIT_NOT_FOUND;
    rs_buf_init(&projects);
    st = rs_control_list_projects(control, organization.id, take_id, &projects, &err);
    if (st == RS_OK && (st = rs_buf_status(&projects)) != RS_OK)
        (void)!rs_fail(&err, st, 0, "%s", rs_status_text(st));
    if (st == RS_OK) st = rs_control_delete_organization(control, organization.id, NULL, &err);
    if (st == RS_OK) st = drop_all(dir, &projects, &err);
    rs_buf_deinit(&projects);
    if (st != RS_OK) return rs_report_failure(&err);
    if (o->json) return show(&organization, o);
    printf("%s is deleted, and its projects are gone from %s\n", organization.name, dir);
    return RS_EXIT_DONE;
}

static const struct {
    const char *name, *usage;
    int nnames;
    int (*run)(rs_control *control, const char *const names[], const options *o);
} verbs[] = {
    {"list", "list takes no argument", 0, list},
    {"create", "say which: create NAME", 1, create},
    {"rename", "say which: rename NAME NEW", 2, rename_one},
    {"delete", "say which: delete NAME", 1, delete_one},
};

static int run(int argc, char **argv) {
    static const struct option longs[] = {{"data", required_argument, NULL, 'd'},
                                          {"owner", required_argument, NULL, 'o'},
                                          {"json", no_argument, NULL, 'j'},
                                          {"yes", no_argument, NULL, 'y'},
                                          {0}};
    options o = {0};
    opterr = 0;
    for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        if (c == 'd') o.data = optarg;
        else if (c == 'o') o.owner = optarg;
        else if (c == 'j') o.json = true;
        else if (c == 'y') o.yes = true;
        else
            return rs_cmd_usage(&rs_cmd_orgs, "there is no option '%s', or its value is missing",
                                argv[optind - 1]);
    }
    const char *verb = optind < argc ? argv[optind++] : "";
    size_t i = 0;
    while (i < RS_ARRAY_LEN(verbs) && strcmp(verb, verbs[i].name) != 0) i++;
    if (i == RS_ARRAY_LEN(verbs)) return rs_cmd_usage(&rs_cmd_orgs, "say list, create, rename or delete");
    if (argc - optind != verbs[i].nnames) return rs_cmd_usage(&rs_cmd_orgs, "%s", verbs[i].usage);
    rs_err err = {0};
    rs_control *control;
    if (rs_data_open_control(o.data, &control, &err) != RS_OK) return rs_report_failure(&err);
    int status = verbs[i].run(control, (const char *const *)argv + optind, &o);
    rs_control_close(control);
    return status;
}

const rs_cmd rs_cmd_orgs = {
    .name = "orgs",
    .summary = "organizations, in which projects and users are: list, create, rename, delete",
    .help =
        "usage: respan orgs list [--json]\n"
        "       respan orgs create NAME [--owner EMAIL]\n"
        "       respan orgs rename NAME NEW\n"
        "       respan orgs delete NAME [--yes]\n\n"
        "  --owner EMAIL   a user who owns it; without, `respan users invite --org NAME --role owner` "
        "lets one in\n"
        "  --yes           delete without asking for the name once more\n"
        "  --data DIR      the server's data (default $XDG_DATA_HOME/respan)\n"
        "  --json          print JSON\n\n"
        "A new one has a project of its name. One is deleted with its projects, and with the accounts of "
        "those who are in\n"
        "no other one; it ends when the traces are gone from the disk. The first one is the server's own: "
        "it stays, and its\n"
        "owners set prices and make organizations. Works while the server runs.\n",
    .run = run,
};
