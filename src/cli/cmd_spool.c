/* respan spool list|send: spans that processes left in their spool files. */
#include "cli/cmd.h"

#include "base/clock.h"
#include "base/json_write.h"
#include "cli/spool_row.h"
#include "cli/term.h"
#include "sdk/backlog.h"
#include "sdk/spool_dir.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>

typedef struct options {
    const char *dir, *base_url;
    bool json, any_key;
} options;

static int fail(const rs_err *err) {
    fprintf(stderr, "respan: %s\n", err->message);
    return RS_EXIT_NOT_FOUND;
}

/* ---- list ---------------------------------------------------------------------------------------------- */

static void write_row(rs_json *j, const struct rs_spool_item *item, const rs_spool_row *r, bool other_key) {
    rs_json_object(j);
    rs_json_put_str(j, "file", rs_str_of(item->name));
    rs_json_put_str(j, "state", rs_str_of(r->state));
    rs_json_put_int(j, "spans", (int64_t)r->spans);
    rs_json_put_int(j, "open", (int64_t)r->open);
    rs_json_put_int(j, "dropped", (int64_t)r->file.dropped);
    rs_json_put_int(j, "bytes", (int64_t)item->bytes);
    rs_json_put_time(j, "changed", item->changed_ns);
    rs_json_put_str_or_null(j, "app", r->file.app);
    rs_json_put_str_or_null(j, "base_url", r->file.url);
    rs_json_put_bool(j, "other_key", other_key);
    rs_json_object_end(j);
}

static void print_row(const rs_term *t, rs_buf *out, const struct rs_spool_item *item, const rs_spool_row *r,
                      bool other_key) {
    char changed[RS_RFC3339_LEN + 1];
    rs_clock_format(item->changed_ns, changed);
    rs_buf_printf(out, "%-13s %8" PRIu64 " spans %10" PRIu64 " bytes  %.19sZ  ", r->state, r->spans,
                  item->bytes, changed);
    rs_term_put(t, out, r->file.app, 40);
    rs_buf_text(out, "  ");
    rs_term_put(t, out, r->file.url, 200);
    if (other_key) rs_buf_text(out, "  for another API key");
    if (r->open)
        rs_buf_printf(out, "  %" PRIu64 " %s", r->open,
                      strcmp(r->state, "in use") == 0 ? "open" : "interrupted");
    if (r->file.dropped) rs_buf_printf(out, "  %" PRIu64 " dropped for want of room", r->file.dropped);
    rs_term_end_line(out);
}

static rs_status resolve(rs_config *config, const options *o, bool quiet, rs_err *err) {
    respan_config given;
    respan_config_init(&given);
    given.base_url = o->base_url;
    given.quiet = quiet;
    return rs_config_resolve(config, &given, err);
}

static int list(const options *o) {
    rs_err err = {0};
    rs_spool_names names;
    if (rs_spool_list(o->dir, NULL, NULL, 0, &names, &err) != RS_OK) return fail(&err);
    rs_config config;
    bool resolved = resolve(&config, o, true, NULL) == RS_OK;
    rs_term term;
    rs_term_init(&term);
    rs_buf out;
    rs_buf_init(&out);
    rs_json j = rs_json_on(&out);
    if (o->json) rs_json_array(&j);
    for (size_t i = 0; i < names.n; i++) {
        rs_spool_row r;
        rs_spool_row_read(o->dir, names.items[i].name, &r);
        bool other_key = resolved && rs_spool_row_is_for_other_key(&r, &config);
        if (o->json) write_row(&j, &names.items[i], &r, other_key);
        else print_row(&term, &out, &names.items[i], &r, other_key);
        rs_spool_read_close(&r.file);
    }
    if (o->json) {
        rs_json_array_end(&j);
        rs_buf_byte(&out, '\n');
    } else if (names.n == 0) {
        fputs("respan: the spool is empty\n", stderr);
    }
    bool ok = rs_buf_status(&out) == RS_OK;
    if (!ok) fputs("respan: out of memory\n", stderr);
    else if (out.n) fwrite(out.p, 1, out.n, stdout);
    rs_buf_deinit(&out);
    rs_config_deinit(&config);
    rs_spool_names_deinit(&names);
    return ok ? RS_EXIT_DONE : RS_EXIT_NOT_FOUND;
}

/* ---- send ---------------------------------------------------------------------------------------------- */

static void say_sent(const options *o, const rs_config *config, const rs_backlog_counts *n, const char *why) {
    if (o->json) {
        rs_buf out;
        rs_buf_init(&out);
        rs_json j = rs_json_on(&out);
        rs_json_object(&j);
        rs_json_put_int(&j, "sent", (int64_t)n->acknowledged);
        rs_json_put_int(&j, "interrupted", (int64_t)n->interrupted);
        rs_json_put_int(&j, "rejected", (int64_t)n->rejected);
        rs_json_put_int(&j, "damaged", (int64_t)n->damaged);
        rs_json_put_int(&j, "files_kept", (int64_t)n->kept);
        rs_json_put_int(&j, "files_for_other_servers", (int64_t)n->foreign);
        rs_json_put_int(&j, "files_for_other_keys", (int64_t)n->other_key);
        rs_json_put_str_or_null(&j, "error", rs_str_of(why));
        rs_json_object_end(&j);
        rs_buf_byte(&out, '\n');
        if (rs_buf_status(&out) == RS_OK) fwrite(out.p, 1, out.n, stdout);
        rs_buf_deinit(&out);
        return;
    }
    printf("%" PRIu64 " spans sent to %s", n->acknowledged, config->base_url);
    if (n->interrupted) printf(", %" PRIu64 " of them interrupted", n->interrupted);
    if (n->rejected) printf(", %" PRIu64 " refused", n->rejected);
    if (n->damaged) printf(", %" PRIu64 " damaged and left out", n->damaged);
    putchar('\n');
    if (n->kept)
        fprintf(stderr, "respan: %" PRIu64 " file%s in the spool%s%s\n", n->kept,
                n->kept == 1 ? " stays" : "s stay", why[0] ? ": " : "", why);
    if (n->foreign)
        fprintf(stderr,
                "respan: %" PRIu64 " file%s for another server: `respan spool list` shows which, --base-url "
                "sends to it\n",
                n->foreign, n->foreign == 1 ? " is" : "s are");
    if (n->other_key)
        fprintf(
            stderr,
            "respan: %" PRIu64
            " file%s for another API key: `respan spool send` sends what is for the one in $RESPAN_API_KEY, "
            "--any-key sends all with that\n",
            n->other_key, n->other_key == 1 ? " is" : "s are");
}

static int send_all(const options *o) {
    rs_config config;
    rs_err err = {0};
    rs_backlog_counts n = {0};
    char why[240] = "";
    rs_status st = resolve(&config, o, false, &err);
    if (st == RS_OK) {
        st = rs_backlog_send_alone(&config, o->dir, o->any_key, &n, why);
        if (st != RS_OK) rs_fail(&err, st, 0, "%s", rs_status_text(st));
    }
    int status = st != RS_OK ? fail(&err) : why[0] ? RS_EXIT_UNREACHABLE : RS_EXIT_DONE;
    if (st == RS_OK) say_sent(o, &config, &n, why);
    rs_config_deinit(&config);
    return status;
}

static int run(int argc, char **argv) {
    static const struct option longs[] = {{"dir", required_argument, NULL, 'd'},
                                          {"base-url", required_argument, NULL, 'u'},
                                          {"any-key", no_argument, NULL, 'k'},
                                          {"json", no_argument, NULL, 'j'},
                                          {0}};
    options o = {0};
    opterr = 0;
    for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        if (c == 'd') o.dir = optarg;
        else if (c == 'u') o.base_url = optarg;
        else if (c == 'k') o.any_key = true;
        else if (c == 'j') o.json = true;
        else
            return rs_cmd_usage(&rs_cmd_spool, "there is no option '%s', or its value is missing",
                                argv[optind - 1]);
    }
    const char *verb = optind < argc ? argv[optind++] : "";
    bool is_send = strcmp(verb, "send") == 0;
    if (!is_send && strcmp(verb, "list") != 0) return rs_cmd_usage(&rs_cmd_spool, "say list or send");
    if (optind != argc) return rs_cmd_usage(&rs_cmd_spool, "%s takes no argument", verb);
    char dir[RS_PATH_MAX];
    rs_err err = {0};
    if (!o.dir) {
        if (rs_spool_dir(dir, &err) != RS_OK) return fail(&err);
        o.dir = dir;
    }
    return is_send ? send_all(&o) : list(&o);
}

const rs_cmd rs_cmd_spool = {
    .name = "spool",
    .summary = "spans that programs left unsent: list, send",
    .help =
        "usage: respan spool list\n"
        "       respan spool send [--base-url URL] [--any-key]\n\n"
        "A program's spans stand in a file until the server has them. One that was killed, or that found no\n"
        "server, leaves its file behind; its next run sends it, or `respan spool send` does.\n"
        "A span that was open when its program died goes out too, marked as interrupted.\n"
        "send takes the files that are for the server at hand; a file goes only to the address it was made "
        "for,\n"
        "and only with the API key that its program had ($RESPAN_API_KEY, or that of the credentials "
        "file).\n\n"
        "  --dir DIR        the spool (default $XDG_STATE_HOME/respan/spool)\n"
        "  --base-url URL   the server (default $RESPAN_BASE_URL, else that of the credentials file)\n"
        "  --any-key        send also what is for another key, such as one that was revoked: it goes to the "
        "project\n"
        "                   of the key at hand\n"
        "  --json           print JSON\n",
    .run = run,
};
