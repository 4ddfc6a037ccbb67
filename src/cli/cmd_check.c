/* respan check: whether all that the store holds is whole, beside a running server or without. */
#include "cli/cmd.h"

#include "base/json_write.h"
#include "cli/data_dir.h"
#include "store/store.h"

#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

static void tell(void *ctx, const char *text) {
    (void)ctx;
    fprintf(stderr, "respan: %s\n", text);
}

static int fail(const rs_err *err) {
    fprintf(stderr, "respan: %s\n", err->message);
    return RS_EXIT_NOT_FOUND;
}

static void print_json(const rs_store_report *r) {
    rs_buf out;
    rs_buf_init(&out);
    rs_json j = rs_json_on(&out);
    rs_json_object(&j);
    rs_json_put_int(&j, "partitions", (int64_t)r->partitions);
    rs_json_put_int(&j, "blocks", (int64_t)r->blocks);
    rs_json_put_int(&j, "traces", (int64_t)r->traces);
    rs_json_put_int(&j, "spans", (int64_t)r->spans);
    rs_json_put_int(&j, "bytes", (int64_t)r->bytes);
    rs_json_put_int(&j, "problems", (int64_t)r->problems);
    rs_json_object_end(&j);
    rs_buf_byte(&out, '\n');
    if (rs_buf_status(&out) == RS_OK) fwrite(out.p, 1, out.n, stdout);
    rs_buf_deinit(&out);
}

static void put_count(uint64_t n, const char *what, const char *then) {
    printf("%llu %s%s%s", (unsigned long long)n, what, n == 1 ? "" : "s", then);
}

static void print(const rs_store_report *r) {
    put_count(r->spans, "span", " in ");
    put_count(r->traces, "trace", ", ");
    put_count(r->blocks, "block", " of ");
    put_count(r->bytes, "byte", " in ");
    put_count(r->partitions, "partition", ": ");
    if (r->problems) put_count(r->problems, "problem", "\n");
    else puts("all whole");
}

static int run(int argc, char **argv) {
    static const struct option options[] = {
        {"data", required_argument, NULL, 'd'}, {"json", no_argument, NULL, 'j'}, {NULL, 0, NULL, 0}};
    const char *data = NULL;
    bool json = false;
    char dir[RS_PATH_MAX];
    rs_err err = {0};
    rs_store_report report;
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 'd') data = optarg;
        else if (c == 'j') json = true;
        else return RS_EXIT_USAGE;
    }
    if (optind < argc) return rs_cmd_usage(&rs_cmd_check, "check takes no '%s'", argv[optind]);
    if (rs_data_dir(data, dir, &err) != RS_OK) return fail(&err);
    if (access(dir, F_OK) != 0) {
        fprintf(stderr, "respan: there is nothing at %s: name the folder with --data\n", dir);
        return RS_EXIT_NOT_FOUND;
    }
    if (rs_store_check(dir, tell, NULL, &report, &err) != RS_OK) return fail(&err);
    if (json) print_json(&report);
    else print(&report);
    return report.problems ? RS_EXIT_NOT_FOUND : RS_EXIT_DONE;
}

const rs_cmd rs_cmd_check = {
    .name = "check",
    .summary = "read all that is stored and see whether it is whole",
    .help =
        "usage: respan check [--data DIR] [--json]\n"
        "\n"
        "Reads every block, verifies each checksum, decodes each span, and compares each count with what it\n"
        "counts. Changes nothing; the server may be running. What is wrong is told line by line, with file "
        "and\n"
        "place, on standard error.\n"
        "\n"
        "  --data DIR   the folder that `respan serve` keeps its data in\n"
        "  --json       the figures as JSON\n"
        "\n"
        "Exit status: 0 all whole, 1 something is not, 2 usage.\n",
    .run = run,
};
