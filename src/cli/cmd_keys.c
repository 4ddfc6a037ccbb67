/* respan keys create|list|revoke: API keys of a project, straight in the data directory (the server may be
 * running). */
#include "cli/cmd.h"

#include "base/clock.h"
#include "base/json_write.h"
#include "cli/amount.h"
#include "cli/data_dir.h"
#include "cli/report.h"

#include <getopt.h>
#include <stdio.h>

typedef struct options {
    const char *data, *project;
    rs_key_wish wish;
    bool json;
} options;

static void write_key(rs_json *j, const rs_api_key *key, const char *secret) {
    rs_json_object(j);
    rs_json_put_int(j, "id", (int64_t)key->id);
    rs_json_put_str(j, "name", rs_str_of(key->name));
    if (secret) rs_json_put_str(j, "key", rs_str_of(secret));
    rs_json_put_str(j, "hint", rs_str_of(key->hint));
    rs_json_key(j, RS_STR("scopes"));
    rs_json_array(j);
    for (unsigned i = 0; i < RS_SCOPE_COUNT; i++)
        if (key->scopes & 1u << i) rs_json_str(j, rs_str_of(rs_scope_names[i]));
    rs_json_array_end(j);
    rs_json_put_str_or_null(j, "environment", rs_str_of(key->environment));
    rs_json_put_time(j, "created", key->created_ns);
    rs_json_put_time(j, "expires", key->expires_ns);
    rs_json_put_time(j, "last_used", key->last_used_ns);
    rs_json_put_time(j, "revoked", key->revoked_ns);
    rs_json_object_end(j);
}

static int create(rs_control *control, const rs_project *project, const options *o) {
    rs_err err = {0};
    char secret[RS_SECRET_MAX];
    rs_api_key key;
    if (rs_control_create_key(control, project->id, &o->wish, NULL, secret, &key, &err) != RS_OK)
        return rs_report_failure(&err);
    if (o->json) {
        rs_buf out;
        rs_buf_init(&out);
        rs_json j = rs_json_on(&out);
        write_key(&j, &key, secret);
        return rs_report_json(&out);
    }
    puts(secret);
    fputs("respan: keep it: it is not shown again\n", stderr);
    return RS_EXIT_DONE;
}

static bool print_row(void *ctx, const rs_api_key *key) {
    (void)ctx;
    char created[RS_RFC3339_LEN + 1], used[RS_RFC3339_LEN + 1], expires[RS_RFC3339_LEN + 1];
    rs_clock_format(key->created_ns, created);
    rs_clock_format(key->last_used_ns, used);
    rs_clock_format(key->expires_ns, expires);
    printf("%-4llu %-20s %-12s created %.19sZ  %s%.19s%s%s", (unsigned long long)key->id, key->name,
           key->hint, created, key->last_used_ns ? "used " : "never used", key->last_used_ns ? used : "",
           key->last_used_ns ? "Z" : "", key->revoked_ns ? "  REVOKED" : "");
    for (unsigned i = 0; i < RS_SCOPE_COUNT; i++)
        if (key->scopes & 1u << i) printf("  %s", rs_scope_names[i]);
    if (key->environment[0]) printf("  in %s", key->environment);
    if (key->expires_ns) printf("  until %.19sZ", expires);
    putchar('\n');
    return true;
}

static bool write_row(void *ctx, const rs_api_key *key) {
    write_key(ctx, key, NULL);
    return true;
}

static int list(rs_control *control, const rs_project *project, const options *o) {
    rs_err err = {0};
    rs_buf out;
    rs_buf_init(&out);
    rs_json j = rs_json_on(&out);
    if (o->json) rs_json_array(&j);
    rs_status st = rs_control_list_keys(control, project->id, o->json ? write_row : print_row, &j, &err);
    if (o->json) rs_json_array_end(&j);
    if (o->json && st == RS_OK) return rs_report_json(&out);
    rs_buf_deinit(&out);
    return st == RS_OK ? RS_EXIT_DONE : rs_report_failure(&err);
}

static int revoke(rs_control *control, const rs_project *project, const char *id_text) {
    rs_err err = {0};
    unsigned long long id;
    if (!rs_str_to_u64(rs_str_of(id_text), &id))
        return rs_cmd_usage(&rs_cmd_keys, "'%s' is not a key's id: `respan keys list` shows ids", id_text);
    if (rs_control_revoke_key(control, project->id, id, NULL, &err) != RS_OK) return rs_report_failure(&err);
    fprintf(stderr, "respan: key %llu is revoked; servers refuse it within a second\n", id);
    return RS_EXIT_DONE;
}

/* "90d", or a time. */
static bool read_expiry(const char *text, uint64_t *out) {
    uint64_t lasts, now = rs_clock_wall_ns();
    if (!rs_amount_read_time(text, &lasts)) return rs_clock_parse(rs_str_of(text), out);
    *out = lasts ? now + lasts : 0;
    return lasts <= INT64_MAX - now;
}

static int run(int argc, char **argv) {
    static const struct option longs[] = {
        {"data", required_argument, NULL, 'd'},    {"project", required_argument, NULL, 'p'},
        {"name", required_argument, NULL, 'n'},    {"scope", required_argument, NULL, 's'},
        {"expires", required_argument, NULL, 'x'}, {"environment", required_argument, NULL, 'e'},
        {"json", no_argument, NULL, 'j'},          {0}};
    options o = {.wish = {.name = "key"}};
    opterr = 0;
    for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        if (c == 'd') o.data = optarg;
        else if (c == 'p') o.project = optarg;
        else if (c == 'n') o.wish.name = optarg;
        else if (c == 's' && rs_scope_of(rs_str_of(optarg))) o.wish.scopes |= rs_scope_of(rs_str_of(optarg));
        else if (c == 's') return rs_cmd_usage(&rs_cmd_keys, "--scope takes ingest, read or gateway");
        else if (c == 'e') o.wish.environment = optarg;
        else if (c == 'x' && read_expiry(optarg, &o.wish.expires_ns)) continue;
        else if (c == 'x')
            return rs_cmd_usage(&rs_cmd_keys, "--expires takes hours or days (90d) or a time, not '%s'",
                                optarg);
        else if (c == 'j') o.json = true;
        else
            return rs_cmd_usage(&rs_cmd_keys, "there is no option '%s', or its value is missing",
                                argv[optind - 1]);
    }
    const char *verb = optind < argc ? argv[optind++] : "";
    bool is_revoke = strcmp(verb, "revoke") == 0;
    if (!is_revoke && strcmp(verb, "create") != 0 && strcmp(verb, "list") != 0)
        return rs_cmd_usage(&rs_cmd_keys, "say create, list or revoke");
    if (argc - optind != (is_revoke ? 1 : 0))
        return rs_cmd_usage(&rs_cmd_keys, is_revoke ? "say which: revoke ID" : "%s takes no argument", verb);
    rs_err err = {0};
    rs_control *control;
    rs_project project;
    if (rs_data_open_control(o.data, &control, &err) != RS_OK) return rs_report_failure(&err);
    int status;
    rs_status st =
        o.project ? rs_control_find_project(control, o.project, &project, &err)
                  : rs_control_find_project_in(control, RS_SERVER_ORGANIZATION, "default", &project, &err);
    if (st != RS_OK) status = rs_report_failure(&err);
    else if (is_revoke) status = revoke(control, &project, argv[optind]);
    else status = strcmp(verb, "create") == 0 ? create(control, &project, &o) : list(control, &project, &o);
    rs_control_close(control);
    return status;
}

const rs_cmd rs_cmd_keys = {
    .name = "keys",
    .summary = "API keys: create, list, revoke",
    .help = "usage: respan keys create [--name NAME] [--scope SCOPE]... [--expires 90d] [--environment ENV]\n"
            "       respan keys list\n"
            "       respan keys revoke ID\n\n"
            "  --data DIR       the server's data (default $XDG_DATA_HOME/respan)\n"
            "  --project NAME   whose keys: NAME or ORG/NAME (default \"default\")\n"
            "  --scope SCOPE    what it may do: ingest, read, gateway; may be given several times (default: "
            "ingest and read)\n"
            "  --expires TIME   in hours or days (12h, 90d), or at a time (2027-01-31T00:00:00Z); default: "
            "never\n"
            "  --environment E  of the spans that are sent with it and say none\n"
            "  --json           print JSON\n\n"
            "A new key is printed once; only its hash is kept. Works while the server runs.\n",
    .run = run,
};
