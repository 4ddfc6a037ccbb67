/* respan audit: who changed what, straight from the data directory (the server may be running). */
#include "cli/cmd.h"

#include "base/clock.h"
#include "base/json_write.h"
#include "cli/data_dir.h"
#include "cli/report.h"
#include "cli/term.h"
#include "server/api_audit.h"

#include <getopt.h>
#include <stdio.h>

typedef struct listing {
    rs_term term;
    rs_json json;
} listing;

/* Whole, filled up to so many columns. Who failed to sign in could write anything. */
static void put(const rs_term *t, rs_buf *out, rs_str s, size_t columns) {
    size_t used = rs_term_put(t, out, s, 4 * RS_AUDIT_TARGET);
    for (rs_buf_byte(out, ' '); used < columns; used++) rs_buf_byte(out, ' ');
}

static bool print_row(void *ctx, const rs_audit_row *row) {
    char time[RS_RFC3339_LEN + 1];
    const listing *l = ctx;
    rs_buf out;
    rs_clock_format(row->time_ns, time);
    rs_buf_init(&out);
    rs_buf_printf(&out, "%.19sZ  ", time);
    put(&l->term, &out, row->actor, 24);
    put(&l->term, &out, row->action, 18);
    put(&l->term, &out, row->target, 0);
    if (row->project) rs_buf_printf(&out, " project %llu", (unsigned long long)row->project);
    if (row->address.n) rs_buf_printf(&out, "  from %.*s", RS_STR_ARG(row->address));
    rs_term_end_line(&out);
    bool ok = rs_buf_status(&out) == RS_OK && fwrite(out.p, 1, out.n, stdout) == out.n;
    rs_buf_deinit(&out);
    return ok;
}

static bool write_row(void *ctx, const rs_audit_row *row) {
    listing *l = ctx;
    rs_api_put_audit_row(&l->json, row);
    return true;
}

static int list(rs_control *control, const rs_audit_filter *filter, uint64_t limit, bool json) {
    rs_err err = {0};
    rs_buf out;
    rs_buf_init(&out);
    listing l = {.json = rs_json_on(&out)};
    rs_term_init(&l.term);
    if (json) rs_json_array(&l.json);
    rs_status st = rs_control_list_audit(control, filter, 0, limit, json ? write_row : print_row, &l, &err);
    if (json) rs_json_array_end(&l.json);
    if (json && st == RS_OK) return rs_report_json(&out);
    rs_buf_deinit(&out);
    return st == RS_OK ? RS_EXIT_DONE : rs_report_failure(&err);
}

static int run(int argc, char **argv) {
    static const struct option longs[] = {
        {"data", required_argument, NULL, 'd'},  {"limit", required_argument, NULL, 'l'},
        {"actor", required_argument, NULL, 'a'}, {"action", required_argument, NULL, 'w'},
        {"text", required_argument, NULL, 't'},  {"org", required_argument, NULL, 'o'},
        {"json", no_argument, NULL, 'j'},        {0}};
    const char *data = NULL, *org = NULL;
    rs_audit_filter filter = {0};
    unsigned long long limit = 100;
    bool json = false;
    opterr = 0;
    for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        if (c == 'd') data = optarg;
        else if (c == 'a') filter.actor = optarg;
        else if (c == 'w') filter.action = optarg;
        else if (c == 't') filter.text = optarg;
        else if (c == 'o') org = optarg;
        else if (c == 'j') json = true;
        else if (c == 'l' && rs_str_to_u64(rs_str_of(optarg), &limit) && limit >= 1 && limit <= RS_AUDIT_KEPT)
            continue;
        else if (c == 'l') return rs_cmd_usage(&rs_cmd_audit, "--limit takes 1 to %d", RS_AUDIT_KEPT);
        else
            return rs_cmd_usage(&rs_cmd_audit, "there is no option '%s', or its value is missing",
                                argv[optind - 1]);
    }
    if (optind < argc) return rs_cmd_usage(&rs_cmd_audit, "audit takes no argument '%s'", argv[optind]);
    rs_err err = {0};
    rs_control *control;
    if (rs_data_open_control(data, &control, &err) != RS_OK) return rs_report_failure(&err);
    rs_organization organization = {0};
    rs_status st = org ? rs_control_find_organization(control, org, &organization, &err) : RS_OK;
    filter.organization = organization.id;
    int status = st == RS_OK ? list(control, &filter, limit, json) : rs_report_failure(&err);
    rs_control_close(control);
    return status;
}

const rs_cmd rs_cmd_audit = {
    .name = "audit",
    .summary = "who changed what: keys, users, projects, sign-ins",
    .help =
        "usage: respan audit [--actor WHO] [--action WHAT] [--text TEXT] [--org NAME] [--limit N] "
        "[--json]\n\n"
        "  --actor WHO      what that one did: a user's e-mail address, or as the log names whoever it was\n"
        "  --action WHAT    such entries; with a point at its end all that begin so (key.)\n"
        "  --text TEXT      those in which it stands anywhere\n"
        "  --org NAME       of that organization; of the first one, what is of none, too\n"
        "  --limit N        so many, newest first (default 100)\n"
        "  --data DIR       the server's data (default $XDG_DATA_HOME/respan)\n"
        "  --json           print JSON\n",
    .run = run,
};
