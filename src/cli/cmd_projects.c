/* respan projects list|create|rename|set|delete: the projects and how much is kept of each, straight in the data directory (the server
 * may be running). */
#include "cli/cmd.h"

#include "base/json_write.h"
#include "cli/amount.h"
#include "cli/data_dir.h"
#include "cli/drop_project.h"
#include "cli/orgs.h"
#include "cli/report.h"

#include <getopt.h>
#include <stdio.h>

#define NS_PER_HOUR 3600000000000ull

typedef struct options {
    const char *data, *org, *keep, *keep_bytes;
    bool json, yes;
} options;

/* ---- showing them -------------------------------------------------------------------------------------- */

typedef struct printing {
    rs_json json;
    rs_orgs orgs;
} printing;

/* As it is named where there are several organizations: ORG/NAME. */
static bool print_row(void *ctx, const rs_project *p) {
    const printing *out = ctx;
    char age[RS_AMOUNT_MAX], bytes[RS_AMOUNT_MAX], name[2 * sizeof p->name];
    snprintf(name, sizeof name, "%s%s%s", out->orgs.n > 1 ? rs_orgs_name(&out->orgs, p->organization) : "",
             out->orgs.n > 1 ? "/" : "", p->name);
    rs_amount_put_time(p->keep.age_ns, age);
    rs_amount_put_size(p->keep.bytes, bytes);
    printf("%-4llu %-24s keeps %s", (unsigned long long)p->id, name, age);
    if (p->keep.bytes) printf(", at most %s", bytes);
    putchar('\n');
    return true;
}

static bool write_row(void *ctx, const rs_project *p) {
    printing *out = ctx;
    rs_json *j = &out->json;
    rs_json_object(j);
    rs_json_put_int(j, "id", (int64_t)p->id);
    rs_json_put_str(j, "name", rs_str_of(p->name));
    rs_json_put_str(j, "organization", rs_str_of(rs_orgs_name(&out->orgs, p->organization)));
    if (p->keep.age_ns) rs_json_put_int(j, "keep_hours", (int64_t)(p->keep.age_ns / NS_PER_HOUR));
    else rs_json_put_null(j, "keep_hours");
    if (p->keep.bytes) rs_json_put_int(j, "keep_bytes", (int64_t)p->keep.bytes);
    else rs_json_put_null(j, "keep_bytes");
    rs_json_object_end(j);
    return true;
}

static int show(rs_control *control, const rs_project *project, const options *o) {
    rs_err err = {0};
    rs_buf out;
    rs_buf_init(&out);
    printing p = {.json = rs_json_on(&out)};
    if (rs_orgs_read(control, 0, &p.orgs, &err) != RS_OK) return rs_report_failure(&err);
    if (o->json) write_row(&p, project);
    else print_row(&p, project);
    rs_orgs_free(&p.orgs);
    return o->json ? rs_report_json(&out) : RS_EXIT_DONE;
}

static int list(rs_control *control, const char *const names[], const options *o) {
    rs_err err = {0};
    rs_buf out;
    rs_organization of = {0};
    (void)names;
    rs_buf_init(&out);
    printing p = {.json = rs_json_on(&out)};
    rs_status st = rs_orgs_read(control, 0, &p.orgs, &err);
    if (st == RS_OK && o->org) st = rs_orgs_find(control, o->org, &of, &err);
    if (o->json) rs_json_array(&p.json);
    if (st == RS_OK) st = rs_control_list_projects(control, of.id, o->json ? write_row : print_row, &p, &err);
    if (o->json) rs_json_array_end(&p.json);
    rs_orgs_free(&p.orgs);
    if (o->json && st == RS_OK) return rs_report_json(&out);
    rs_buf_deinit(&out);
    return st == RS_OK ? RS_EXIT_DONE : rs_report_failure(&err);
}

/* ---- changing them ------------------------------------------------------------------------------------- */

static int create(rs_control *control, const char *const names[], const options *o) {
    rs_err err = {0};
    rs_project project;
    rs_organization of;
    rs_status st = rs_orgs_find(control, o->org, &of, &err);
    if (st == RS_OK) st = rs_control_create_project(control, of.id, names[0], NULL, &project, &err);
    return st == RS_OK ? show(control, &project, o) : rs_report_failure(&err);
}

static int rename_one(rs_control *control, const char *const names[], const options *o) {
    rs_err err = {0};
    rs_project project;
    rs_status st = rs_control_find_project(control, names[0], &project, &err);
    if (st == RS_OK) st = rs_control_rename_project(control, project.id, names[1], NULL, &err);
    if (st == RS_OK) st = rs_control_get_project(control, project.id, &project, &err);
    return st == RS_OK ? show(control, &project, o) : rs_report_failure(&err);
}

static int set(rs_control *control, const char *const names[], const options *o) {
    rs_err err = {0};
    rs_project project;
    if (!o->keep && !o->keep_bytes) return rs_cmd_usage(&rs_cmd_projects, "say --keep or --keep-bytes");
    if (rs_control_find_project(control, names[0], &project, &err) != RS_OK) return rs_report_failure(&err);
    if (o->keep && !rs_amount_read_time(o->keep, &project.keep.age_ns))
        return rs_cmd_usage(&rs_cmd_projects, "--keep takes hours or days (12h, 30d) or all, not '%s'",
                            o->keep);
    if (o->keep_bytes && !rs_amount_read_size(o->keep_bytes, &project.keep.bytes))
        return rs_cmd_usage(&rs_cmd_projects, "--keep-bytes takes a size (500M, 10G) or all, not '%s'",
                            o->keep_bytes);
    if (rs_control_set_retention(control, project.id, &project.keep, NULL, &err) != RS_OK)
        return rs_report_failure(&err);
    return show(control, &project, o);
}

/* ---- the end of one ------------------------------------------------------------------------------------ */

static int delete_one(rs_control *control, const char *const names[], const options *o) {
    char dir[RS_PATH_MAX];
    rs_err err = {0};
    rs_project project;
    rs_status st = rs_data_dir(o->data, dir, &err);
    if (st == RS_OK) st = rs_control_find_project(control, names[0], &project, &err);
    if (st != RS_OK) return rs_report_failure(&err);
    if (!o->yes && !rs_drop_is_meant("traces and keys", project.name, "go, and nothing brings them back"))
        return RS_EXIT_NOT_FOUND;
    st = rs_control_delete_project(control, project.id, NULL, &err);
    if (st == RS_OK) st = rs_drop_project(dir, project.id, &err);
    if (st != RS_OK) return rs_report_failure(&err);
    if (o->json) return show(control, &project, o);
    printf("%s is deleted: %s/projects/%llu is empty\n", project.name, dir, (unsigned long long)project.id);
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
    {"set", "say which: set NAME", 1, set},
    {"delete", "say which: delete NAME", 1, delete_one},
};

static int run(int argc, char **argv) {
    static const struct option longs[] = {{"data", required_argument, NULL, 'd'},
                                          {"org", required_argument, NULL, 'o'},
                                          {"keep", required_argument, NULL, 'k'},
                                          {"keep-bytes", required_argument, NULL, 'b'},
                                          {"json", no_argument, NULL, 'j'},
                                          {"yes", no_argument, NULL, 'y'},
                                          {0}};
    options o = {0};
    opterr = 0;
    for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        if (c == 'd') o.data = optarg;
        else if (c == 'o') o.org = optarg;
        else if (c == 'k') o.keep = optarg;
        else if (c == 'b') o.keep_bytes = optarg;
        else if (c == 'j') o.json = true;
        else if (c == 'y') o.yes = true;
        else
            return rs_cmd_usage(&rs_cmd_projects, "there is no option '%s', or its value is missing",
                                argv[optind - 1]);
    }
    const char *verb = optind < argc ? argv[optind++] : "";
    size_t i = 0;
    while (i < RS_ARRAY_LEN(verbs) && strcmp(verb, verbs[i].name) != 0) i++;
    if (i == RS_ARRAY_LEN(verbs))
        return rs_cmd_usage(&rs_cmd_projects, "say list, create, rename, set or delete");
    if (argc - optind != verbs[i].nnames) return rs_cmd_usage(&rs_cmd_projects, "%s", verbs[i].usage);
    rs_err err = {0};
    rs_control *control;
    if (rs_data_open_control(o.data, &control, &err) != RS_OK) return rs_report_failure(&err);
    int status = verbs[i].run(control, (const char *const *)argv + optind, &o);
    rs_control_close(control);
    return status;
}

const rs_cmd rs_cmd_projects = {
    .name = "projects",
    .summary = "projects: list, create, rename, delete, set how much is kept of each",
    .help = "usage: respan projects list [--org ORG] [--json]\n"
            "       respan projects create NAME [--org ORG]\n"
            "       respan projects rename NAME NEW\n"
            "       respan projects set NAME [--keep 30d|all] [--keep-bytes 10G|all]\n"
            "       respan projects delete NAME [--yes]\n\n"
            "NAME is ORG/NAME where several organizations have one called that; alone, the first "
            "organization's goes before.\n\n"
            "  --org ORG           in that organization (default: the first one; of list: all)\n"
            "  --keep TIME         what is older goes: hours (12h) or days (30d); all: nothing goes\n"
            "  --keep-bytes SIZE   the oldest goes while there is more on the disk than that (500M, 10G)\n"
            "  --yes               delete without asking for the name once more\n"
            "  --data DIR          the server's data (default $XDG_DATA_HOME/respan)\n"
            "  --json              print JSON\n\n"
            "The server looks about once a minute and removes whole partitions (a million spans or a day "
            "each) that "
            "are past it, so\n"
            "somewhat more is kept than is said; the one that takes new traces always stays. Works while the "
            "server "
            "runs.\n"
            "A project is deleted with its keys, links, pins and traces; it ends when they are gone from the "
            "disk. Backups are\n"
            "yours to delete. One project of an organization always stays.\n",
    .run = run,
};
