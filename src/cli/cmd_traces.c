/* respan traces list | get | wait | delete | export: what was traced, in the terminal or in a file. */
#include "base/clock.h"
#include "base/json_write.h"
#include "cli/cmd.h"
#include "cli/table.h"
#include "cli/traces_client.h"
#include "cli/tree.h"
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { DEFAULT_LIMIT = 20, DEFAULT_TIMEOUT_S = 30, POLL_MS = 200, WAIT_SPARE = 50 };

/* Options of all subcommands; each takes those that its letters name. */
typedef struct options {
    bool json, content, spans;
    long limit, count, timeout;
    const char *name, *since, *format, *output, *user, *view;
    rs_trace_query query;
} options;

static const struct option long_options[] = {
    {"limit", required_argument, NULL, 'n'},   {"filter", required_argument, NULL, 'f'},
    {"json", no_argument, NULL, 'j'},          {"content", no_argument, NULL, 'c'},
    {"name", required_argument, NULL, 'm'},    {"count", required_argument, NULL, 'k'},
    {"timeout", required_argument, NULL, 't'}, {"since", required_argument, NULL, 's'},
    {"format", required_argument, NULL, 'r'},  {"output", required_argument, NULL, 'o'},
    {"spans", no_argument, NULL, 'p'},         {"user", required_argument, NULL, 'u'},
    {"view", required_argument, NULL, 'v'},    {0},
};

static const char *name_of(int letter) {
    for (const struct option *o = long_options; o->name; o++)
        if (o->val == letter) return o->name;
    return "?";
}

static bool read_number(const char *s, long *out) {
    char *end;
    errno = 0;
    *out = strtol(s, &end, 10);
    return errno == 0 && end != s && *end == 0 && *out >= 1 && *out <= 1000000;
}

static int take_filter(options *o, const char *text) {
    const char *equals = strchr(text, '=');
    if (!equals || equals == text)
        return rs_cmd_usage(&rs_cmd_traces, "--filter wants FIELD=VALUE, not '%s'", text);
    char name[128];
    snprintf(name, sizeof name, "%.*s", (int)(equals - text), text);
    rs_trace_query_add(&o->query, name, equals + 1);
    return RS_EXIT_DONE;
}

static int take_option(options *o, int letter, const char *value) {
    long *number = letter == 'n' ? &o->limit : letter == 'k' ? &o->count : letter == 't' ? &o->timeout : NULL;
    if (number && !read_number(value, number))
        return rs_cmd_usage(&rs_cmd_traces, "--%s wants a number from 1 to 1000000, not '%s'",
                            name_of(letter), value);
    switch (letter) {
    case 'f':
        return take_filter(o, value);
    case 'j':
        o->json = true;
        break;
    case 'c':
        o->content = true;
        break;
    case 'm':
        o->name = value;
        break;
    case 's':
        o->since = value;
        break;
    case 'r':
        o->format = value;
        break;
    case 'o':
        o->output = value;
        break;
    case 'u':
        o->user = value;
        break;
    case 'v':
        o->view = value;
        break;
    case 'p':
        o->spans = true;
        break;
    default:
        break;
    }
    return RS_EXIT_DONE;
}

/* Reads argv[1..]; `letters`: the options that the subcommand has. optind is then at the first argument. */
static int read_options(options *o, int argc, char **argv, const char *letters) {
    int letter, status = RS_EXIT_DONE;
    optind = 0;
    opterr = 0;
    while (status == RS_EXIT_DONE && (letter = getopt_long(argc, argv, ":", long_options, NULL)) != -1) {
        if (letter == '?')
            return rs_cmd_usage(&rs_cmd_traces, "traces %s has no option '%s'", argv[0], argv[optind - 1]);
        int known = letter == ':' ? optopt : letter;
        if (!strchr(letters, known))
            return rs_cmd_usage(&rs_cmd_traces, "traces %s has no option '--%s'", argv[0], name_of(known));
        if (letter == ':') return rs_cmd_usage(&rs_cmd_traces, "--%s wants a value", name_of(optopt));
        status = take_option(o, letter, optarg);
    }
    return status;
}

static int print(rs_buf *out) {
    if (rs_buf_status(out) != RS_OK) {
        fprintf(stderr, "respan: %s\n", rs_status_text(rs_buf_status(out)));
        return RS_EXIT_NOT_FOUND;
    }
    return fwrite(out->p, 1, out->n, stdout) == out->n ? RS_EXIT_DONE : RS_EXIT_NOT_FOUND;
}

/* ---- list ---------------------------------------------------------------------------------------------- */

static int print_list(const options *o, json_t *traces, long long count) {
    if (o->json) {
        json_t *answer = json_pack("{s:o, s:O}", "count", count < 0 ? json_null() : json_integer(count),
                                   "results", traces);
        int failed = answer ? json_dumpf(answer, stdout, JSON_INDENT(2)) : -1;
        json_decref(answer);
        putchar('\n');
        return failed ? RS_EXIT_NOT_FOUND : RS_EXIT_DONE;
    }
    rs_term term;
    rs_buf out;
    rs_term_init(&term);
    rs_buf_init(&out);
    rs_table_print(&term, traces, &out);
    int status = print(&out);
    rs_buf_deinit(&out);
    if (count > (long long)json_array_size(traces) && isatty(STDERR_FILENO))
        fprintf(stderr, "%zu of %lld traces; --limit N shows more\n", json_array_size(traces), count);
    return status;
}

/* Above an empty list: why that may be. */
static void say_hint(const rs_buf *hint) {
    rs_term term;
    rs_buf safe;
    if (hint->n == 0) return;
    rs_term_init(&term);
    rs_buf_init(&safe);
    rs_term_put(&term, &safe, rs_buf_slice(hint), 8 * hint->n); /* escaped, and whole */
    fprintf(stderr, "respan: %s\n", rs_buf_cstr(&safe));
    rs_buf_deinit(&safe);
}

static int run_list(rs_client *c, options *o, int argc, char **argv) {
    int status = read_options(o, argc, argv, "nfjv");
    if (status != RS_EXIT_DONE) return status;
    if (optind < argc)
        return rs_cmd_usage(&rs_cmd_traces, "traces list takes no argument '%s'", argv[optind]);
    json_t *traces;
    long long count;
    rs_buf hint;
    rs_buf_init(&hint);
    status = rs_client_open(c);
    if (status == RS_EXIT_DONE && o->view) status = rs_traces_add_view(c, o->view, &o->query);
    if (status == RS_EXIT_DONE)
        status = rs_traces_fetch_list(c, &o->query, (size_t)o->limit, &traces, &count, &hint);
    if (status == RS_EXIT_DONE) {
        if (json_array_size(traces) == 0) say_hint(&hint);
        status = print_list(o, traces, count);
        json_decref(traces);
    }
    rs_buf_deinit(&hint);
    return status;
}

/* ---- get ----------------------------------------------------------------------------------------------- */

static int print_trace(const options *o, rs_buf *answer) {
    if (o->json) {
        rs_buf_byte(answer, '\n');
        return print(answer);
    }
    json_error_t error;
    json_t *trace = json_loadb(answer->p, answer->n, JSON_ALLOW_NUL, &error);
    if (!trace) {
        fprintf(stderr, "respan: the server's answer is not JSON: %s\n", error.text);
        return RS_EXIT_UNREACHABLE;
    }
    rs_term term;
    rs_buf out;
    rs_term_init(&term);
    rs_buf_init(&out);
    if (rs_tree_print(&term, trace, o->content, &out) != RS_OK) out.failed = RS_ERR_MEMORY;
    int status = print(&out);
    rs_buf_deinit(&out);
    json_decref(trace);
    return status;
}

static int run_get(rs_client *c, options *o, int argc, char **argv) {
    int status = read_options(o, argc, argv, "jc");
    if (status != RS_EXIT_DONE) return status;
    if (argc - optind != 1) return rs_cmd_usage(&rs_cmd_traces, "traces get wants one id, or 'latest'");
    const char *wanted = argv[optind];
    char id[33];
    rs_buf answer;
    rs_buf_init(&answer);
    status = rs_client_open(c);
    if (status == RS_EXIT_DONE) status = rs_traces_resolve(c, wanted, id);
    if (status == RS_EXIT_DONE) status = rs_traces_fetch(c, id, !o->json, &answer);
    if (status == RS_EXIT_DONE) status = print_trace(o, &answer);
    rs_buf_deinit(&answer);
    return status;
}

/* ---- delete -------------------------------------------------------------------------------------------- */

enum { DELETE_TOGETHER = 1000 };

/* Those of argv that one request takes, from *at on. */
static int delete_some(rs_client *c, int argc, char **argv, int *at, long long *deleted) {
    rs_buf body, answer;
    long long some = 0;
    int status = RS_EXIT_DONE;
    rs_buf_init(&body);
    rs_buf_init(&answer);
    rs_json j = rs_json_on(&body);
    rs_json_object(&j);
    rs_json_key(&j, RS_STR("ids"));
    rs_json_array(&j);
    for (int n = 0; *at < argc && n < DELETE_TOGETHER && status == RS_EXIT_DONE; n++) {
        char id[33];
        status = rs_traces_resolve(c, argv[(*at)++], id);
        if (status == RS_EXIT_DONE) rs_json_str(&j, rs_str_of(id));
    }
    rs_json_array_end(&j);
    rs_json_object_end(&j);
    rs_buf_byte(&body, 0);
    if (status == RS_EXIT_DONE && rs_buf_status(&body) != RS_OK) status = RS_EXIT_NOT_FOUND;
    if (status == RS_EXIT_DONE) status = rs_client_request(c, "/traces/delete/", body.p, &answer);
    rs_buf_byte(&answer, 0);
    if (status == RS_EXIT_DONE && sscanf(answer.p, "{\"deleted\":%lld", &some) == 1) *deleted += some;
    rs_buf_deinit(&body);
    rs_buf_deinit(&answer);
    return status;
}

static bool is_said(const rs_buf *answer, const char *what) { return strstr(answer->p, what) != NULL; }

static int ask(rs_client *c, const char *path, const char *body, rs_buf *answer) {
    rs_buf_clear(answer);
    int status = rs_client_request(c, path, body, answer);
    rs_buf_byte(answer, 0);
    return status == RS_EXIT_DONE && rs_buf_status(answer) != RS_OK ? RS_EXIT_NOT_FOUND : status;
}

/* The server's own words for why, if it has any. */
static int report_left(const rs_buf *answer) {
    json_t *said = json_loads(answer->p, 0, NULL);
    const char *why = json_string_value(json_object_get(said, "error"));
    if (why)
        fprintf(
            stderr,
            "respan: what they were in could not be written anew: %s; the server tries again each minute\n",
            why);
    else fputs("respan: something was deleted meanwhile: the server writes it anew within minutes\n", stderr);
    json_decref(said);
    return RS_EXIT_NOT_FOUND;
}

/* All of a user's, and then until the server has written anew what they were in. */
static int delete_user(rs_client *c, const char *user) {
    rs_buf body, answer;
    long long some = 0, deleted = 0;
    int status;
    rs_buf_init(&body);
    rs_buf_init(&answer);
    rs_json j = rs_json_on(&body);
    rs_json_object(&j);
    rs_json_put_str(&j, "customer_identifier", rs_str_of(user));
    rs_json_object_end(&j);
    rs_buf_byte(&body, 0);
    status = rs_buf_status(&body) == RS_OK ? rs_client_open(c) : RS_EXIT_NOT_FOUND;
    do {
        if (status == RS_EXIT_DONE) status = ask(c, "/users/delete/", body.p, &answer);
        if (status == RS_EXIT_DONE && sscanf(answer.p, "{\"deleted\":%lld", &some) == 1) deleted += some;
    } while (status == RS_EXIT_DONE && is_said(&answer, "\"more\":true"));
    while (status == RS_EXIT_DONE && is_said(&answer, "\"compacting\":true")) {
        nanosleep(&(struct timespec){.tv_nsec = POLL_MS * 1000000L}, NULL);
        status = ask(c, "/compact/", NULL, &answer);
    }
    /* What deletes says only that it has begun; how it ended is asked for in any case. */
    if (status == RS_EXIT_DONE) status = ask(c, "/compact/", NULL, &answer);
    if (status == RS_EXIT_DONE) {
        bool erased = is_said(&answer, "\"erased\":true");
        printf("%lld trace%s deleted, and %s from the disk\n", deleted, deleted == 1 ? "" : "s",
               erased ? "gone" : "not yet gone");
        if (!erased) status = report_left(&answer);
    }
    rs_buf_deinit(&body);
    rs_buf_deinit(&answer);
    return status == RS_EXIT_DONE && deleted == 0 ? RS_EXIT_NOT_FOUND : status;
}

static int run_delete(rs_client *c, options *o, int argc, char **argv) {
    long long deleted = 0;
    int status = read_options(o, argc, argv, "u");
    if (status != RS_EXIT_DONE) return status;
    if (o->user && optind < argc) return rs_cmd_usage(&rs_cmd_traces, "traces delete wants ids or --user");
    if (o->user) return delete_user(c, o->user);
    if (optind == argc) return rs_cmd_usage(&rs_cmd_traces, "traces delete wants ids, or --user ID");
    int at = optind, wanted = argc - optind;
    status = rs_client_open(c);
    while (status == RS_EXIT_DONE && at < argc) status = delete_some(c, argc, argv, &at, &deleted);
    if (status == RS_EXIT_DONE || deleted) printf("%lld trace%s deleted\n", deleted, deleted == 1 ? "" : "s");
    return status == RS_EXIT_DONE && deleted < wanted ? RS_EXIT_NOT_FOUND : status;
}

/* ---- wait ---------------------------------------------------------------------------------------------- */

/* Traces whose root has ended: before that more of it is to come. Prints the
 * first `print` ids of them; returns how many there are. */
static size_t count_whole(const json_t *traces, size_t print) {
    size_t whole = 0, i;
    json_t *trace;
    json_array_foreach(traces, i, trace) {
        if (json_is_null(json_object_get(trace, "root_span_unique_id")) ||
            json_is_true(json_object_get(trace, "running")))
            continue;
        if (whole++ < print) puts(json_string_value(json_object_get(trace, "trace_unique_id")));
    }
    return whole;
}

static int run_wait(rs_client *c, options *o, int argc, char **argv) {
    int status = read_options(o, argc, argv, "fmkts");
    if (status != RS_EXIT_DONE) return status;
    if (optind < argc)
        return rs_cmd_usage(&rs_cmd_traces, "traces wait takes no argument '%s'", argv[optind]);
    if (o->name) rs_trace_query_add(&o->query, "name", o->name);
    if (o->since) rs_trace_query_add(&o->query, "start_time", o->since);
    status = rs_client_open(c);
    if (status != RS_EXIT_DONE) return status;
    c->quiet = true;
    uint64_t deadline = rs_clock_mono_ns() + (uint64_t)o->timeout * 1000000000u;
    for (;;) {
        json_t *traces = NULL;
        long long count;
        status = rs_traces_fetch_list(c, &o->query, (size_t)o->count + WAIT_SPARE, &traces, &count, NULL);
        bool there = status == RS_EXIT_DONE && count_whole(traces, 0) >= (size_t)o->count;
        if (there) count_whole(traces, (size_t)o->count);
        json_decref(traces);
        if (there || status == RS_EXIT_USAGE || status == RS_EXIT_NOT_FOUND) return status;
        if (rs_clock_mono_ns() >= deadline) break;
        struct timespec pause = {.tv_nsec = POLL_MS * 1000000L};
        nanosleep(&pause, NULL);
    }
    if (status == RS_EXIT_UNREACHABLE) fprintf(stderr, "respan: %s\n", c->message);
    else
        fprintf(stderr, "respan: after %ld s there %s not %ld trace%s%s%s\n", o->timeout,
                o->count == 1 ? "is" : "are", o->count, o->count == 1 ? "" : "s", o->name ? " named " : "",
                o->name ? o->name : "");
    return status == RS_EXIT_DONE ? RS_EXIT_NOT_FOUND : status;
}

/* ---- export -------------------------------------------------------------------------------------------- */

static int download(rs_client *c, options *o, FILE *to) {
    rs_buf path;
    rs_buf_init(&path);
    rs_buf_printf(&path, "/%s/export/?", o->spans ? "spans" : "traces");
    rs_buf_str(&path, rs_buf_slice(&o->query.parameters));
    const char *target = rs_buf_cstr(&path);
    int status = target ? rs_client_download(c, target, to) : RS_EXIT_NOT_FOUND;
    rs_buf_deinit(&path);
    return status;
}

/* A file that is not whole does not stay. */
static int download_to_file(rs_client *c, options *o) {
    FILE *to = fopen(o->output, "we");
    int status = to ? download(c, o, to) : RS_EXIT_NOT_FOUND;
    bool written = to && fclose(to) == 0;
    if (!to || (status == RS_EXIT_DONE && !written)) {
        fprintf(stderr, "respan: cannot write %s: %s\n", o->output, strerror(errno));
        status = RS_EXIT_NOT_FOUND;
    }
    if (to && status != RS_EXIT_DONE) remove(o->output);
    return status;
}

static int run_export(rs_client *c, options *o, int argc, char **argv) {
    int status = read_options(o, argc, argv, "frops");
    if (status != RS_EXIT_DONE) return status;
    if (optind < argc)
        return rs_cmd_usage(&rs_cmd_traces, "traces export takes no argument '%s'", argv[optind]);
    if (o->since) rs_trace_query_add(&o->query, "start_time", o->since);
    rs_trace_query_add(&o->query, "format", o->format ? o->format : "jsonl");
    status = rs_client_open(c);
    if (status != RS_EXIT_DONE) return status;
    if (o->output) return download_to_file(c, o);
    status = download(c, o, stdout);
    return status == RS_EXIT_DONE && fflush(stdout) != 0 ? RS_EXIT_NOT_FOUND : status;
}

/* ---- traces -------------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    int (*run)(rs_client *c, options *o, int argc, char **argv);
} subcommands[] = {
    {"list", run_list}, {"get", run_get}, {"wait", run_wait}, {"delete", run_delete}, {"export", run_export}};

static int run_traces(int argc, char **argv) {
    if (argc < 2) return rs_cmd_usage(&rs_cmd_traces, "traces wants list, get, wait, delete or export");
    for (size_t i = 0; i < RS_ARRAY_LEN(subcommands); i++) {
        if (strcmp(argv[1], subcommands[i].name) != 0) continue;
        rs_client client = {0};
        options o = {.limit = DEFAULT_LIMIT, .count = 1, .timeout = DEFAULT_TIMEOUT_S};
        int status = subcommands[i].run(&client, &o, argc - 1, argv + 1);
        rs_client_close(&client);
        rs_buf_deinit(&o.query.parameters);
        return status;
    }
    return rs_cmd_usage(&rs_cmd_traces, "there is no command 'traces %s'", argv[1]);
}

const rs_cmd rs_cmd_traces = {
    .name = "traces",
    .summary = "list traces, show one, wait for one, delete or export some",
    .help = "usage: respan traces list [--limit N] [--view NAME] [--filter FIELD=VALUE]... [--json]\n"
            "       respan traces get ID|latest [--content] [--json]\n"
            "       respan traces delete ID... | --user CUSTOMER\n"
            "       respan traces wait [--name NAME] [--filter FIELD=VALUE]... [--since TIME] [--count N] "
            "[--timeout S]\n"
            "       respan traces export [--format F] [--output FILE] [--spans] [--filter FIELD=VALUE]... "
            "[--since TIME]\n"
            "\n"
            "list   the newest traces (20), one a line\n"
            "get    one trace as a tree: a bar per span, and what models were asked and answered;\n"
            "       ID may be the first 6 or more digits of a trace's id\n"
            "delete those traces, for good: out of every answer at once, and off the disk within minutes;\n"
            "       with --user all traces of that customer_identifier, and it waits until the disk is rid "
            "of them\n"
            "wait   until that many traces (1) are there and over, and print their ids\n"
            "export all traces, or their spans, newest first\n"
            "\n"
            "  --limit N              how many traces\n"
            "  --filter FIELD=VALUE   only traces with that value, such as model=gpt2, metadata__run=7 or\n"
            "                         respan.model.dtype=bfloat16; repeat it to ask for several\n"
            "  --view NAME            what a saved view of the list asks: its filter, time and order\n"
            "  --content              inputs and outputs of every span, in full; without it a completion "
            "that repeats\n"
            "                         its prompt is shown from there on\n"
            "  --json                 the server's answer (docs/http-api.md)\n"
            "  --name NAME            a trace of that name\n"
            "  --since TIME           that began at or after TIME (RFC 3339, or Unix seconds)\n"
            "  --timeout S            give up after S seconds (30)\n"
            "  --format F             jsonl (default), csv or parquet\n"
            "  --output FILE          write there instead of to standard output\n"
            "  --spans                a row for each span, with inputs and outputs, not for each trace\n"
            "\n"
            "The server is RESPAN_BASE_URL and the key RESPAN_API_KEY; without them, what the first `respan "
            "serve`\n"
            "wrote into $XDG_CONFIG_HOME/respan/credentials. COLUMNS sets the width, NO_COLOR leaves colours "
            "out.\n",
    .run = run_traces,
};
