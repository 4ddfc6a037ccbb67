/* respan projects list|set: the projects and how much is kept of each, straight in the data directory (the server may be
 * running). */
#include "cli/cmd.h"

#include "base/json_write.h"
#include "cli/data_dir.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#define NS_PER_HOUR 3600000000000ull

typedef struct options {
    const char *data, *keep, *keep_bytes;
    bool json;
} options;

typedef struct unit {
    char letter;
    uint64_t size;
} unit;

/* From the largest. */
static const unit times[] = {{'d', 24 * NS_PER_HOUR}, {'h', NS_PER_HOUR}};
static const unit sizes[] = {{'T', 1ull << 40}, {'G', 1ull << 30}, {'M', 1ull << 20}, {'K', 1ull << 10}};

static int fail(const rs_err *err) {
    fprintf(stderr, "respan: %s\n", err->message);
    return RS_EXIT_NOT_FOUND;
}

/* "30d", "10G"; "all" is 0. */
static bool read_amount(const char *text, const unit *units, size_t n, uint64_t *out) {
    rs_str s = rs_str_of(text);
    unsigned long long number;
    *out = 0;
    if (rs_str_eq(s, RS_STR("all"))) return true;
    for (size_t i = 0; i < n && s.n > 1; i++)
        if (s.p[s.n - 1] == units[i].letter)
            return rs_str_to_u64((rs_str){s.p, s.n - 1}, &number) && number > 0 &&
                   !__builtin_mul_overflow(number, units[i].size, out) && *out <= INT64_MAX;
    return false;
}

static void put_amount(uint64_t amount, const unit *units, size_t n, char out[32]) {
    size_t i = 0;
    while (i + 1 < n && amount % units[i].size != 0) i++;
    if (amount == 0) snprintf(out, 32, "all");
    else snprintf(out, 32, "%llu%c", (unsigned long long)(amount / units[i].size), units[i].letter);
}

/* ---- list ---------------------------------------------------------------------------------------------- */

static bool print_row(void *ctx, const rs_project *p) {
    char age[32], bytes[32];
    (void)ctx;
    put_amount(p->keep.age_ns, times, RS_ARRAY_LEN(times), age);
    put_amount(p->keep.bytes, sizes, RS_ARRAY_LEN(sizes), bytes);
    printf("%-4llu %-24s keeps %s", (unsigned long long)p->id, p->name, age);
    if (p->keep.bytes) printf(", at most %s", bytes);
    putchar('\n');
    return true;
}

static bool write_row(void *ctx, const rs_project *p) {
    rs_json *j = ctx;
    rs_json_object(j);
    rs_json_put_int(j, "id", (int64_t)p->id);
    rs_json_put_str(j, "name", rs_str_of(p->name));
    if (p->keep.age_ns) rs_json_put_int(j, "keep_hours", (int64_t)(p->keep.age_ns / NS_PER_HOUR));
    else rs_json_put_null(j, "keep_hours");
    if (p->keep.bytes) rs_json_put_int(j, "keep_bytes", (int64_t)p->keep.bytes);
    else rs_json_put_null(j, "keep_bytes");
    rs_json_object_end(j);
    return true;
}

static int list(rs_control *control, const options *o) {
    rs_err err = {0};
    rs_buf out;
    rs_buf_init(&out);
    rs_json j = rs_json_on(&out);
    if (o->json) rs_json_array(&j);
    rs_status st = rs_control_list_projects(control, o->json ? write_row : print_row, &j, &err);
    if (o->json) rs_json_array_end(&j);
    rs_buf_byte(&out, '\n');
    if (o->json && st == RS_OK && rs_buf_status(&out) == RS_OK) fwrite(out.p, 1, out.n, stdout);
    rs_buf_deinit(&out);
    return st == RS_OK ? RS_EXIT_DONE : fail(&err);
}

/* ---- set ----------------------------------------------------------------------------------------------- */

static int set(rs_control *control, const char *name, const options *o) {
    rs_err err = {0};
    rs_project project;
    if (!o->keep && !o->keep_bytes) return rs_cmd_usage(&rs_cmd_projects, "say --keep or --keep-bytes");
    if (rs_control_find_project(control, name, &project, &err) != RS_OK) return fail(&err);
    if (o->keep && !read_amount(o->keep, times, RS_ARRAY_LEN(times), &project.keep.age_ns))
        return rs_cmd_usage(&rs_cmd_projects, "--keep takes hours or days (12h, 30d) or all, not '%s'",
                            o->keep);
    if (o->keep_bytes && !read_amount(o->keep_bytes, sizes, RS_ARRAY_LEN(sizes), &project.keep.bytes))
        return rs_cmd_usage(&rs_cmd_projects, "--keep-bytes takes a size (500M, 10G) or all, not '%s'",
                            o->keep_bytes);
    if (rs_control_set_retention(control, project.id, &project.keep, NULL, &err) != RS_OK) return fail(&err);
    print_row(NULL, &project);
    return RS_EXIT_DONE;
}

static int run(int argc, char **argv) {
    static const struct option longs[] = {{"data", required_argument, NULL, 'd'},
                                          {"keep", required_argument, NULL, 'k'},
                                          {"keep-bytes", required_argument, NULL, 'b'},
                                          {"json", no_argument, NULL, 'j'},
                                          {0}};
    options o = {0};
    opterr = 0;
    for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        if (c == 'd') o.data = optarg;
        else if (c == 'k') o.keep = optarg;
        else if (c == 'b') o.keep_bytes = optarg;
        else if (c == 'j') o.json = true;
        else
            return rs_cmd_usage(&rs_cmd_projects, "there is no option '%s', or its value is missing",
                                argv[optind - 1]);
    }
    const char *verb = optind < argc ? argv[optind++] : "";
    bool is_set = strcmp(verb, "set") == 0;
    if (!is_set && strcmp(verb, "list") != 0) return rs_cmd_usage(&rs_cmd_projects, "say list or set");
    if (argc - optind != is_set)
        return rs_cmd_usage(&rs_cmd_projects, is_set ? "say which: set NAME" : "list takes no argument");
    rs_err err = {0};
    rs_control *control;
    if (rs_data_open_control(o.data, &control, &err) != RS_OK) return fail(&err);
    int status = is_set ? set(control, argv[optind], &o) : list(control, &o);
    rs_control_close(control);
    return status;
}

const rs_cmd rs_cmd_projects = {
    .name = "projects",
    .summary = "projects: list them, set how much is kept of each",
    .help = "usage: respan projects list [--json]\n"
            "       respan projects set NAME [--keep 30d|all] [--keep-bytes 10G|all]\n\n"
            "  --keep TIME         what is older goes: hours (12h) or days (30d); all: nothing goes\n"
            "  --keep-bytes SIZE   the oldest goes while there is more on the disk than that (500M, 10G)\n"
            "  --data DIR          the server's data (default $XDG_DATA_HOME/respan)\n"
            "  --json              print JSON\n\n"
            "The server looks about once a minute and removes whole partitions (a million spans or a day "
            "each) that "
            "are past it, so\n"
            "somewhat more is kept than is said; the one that takes new traces always stays. Works while the "
            "server "
            "runs.\n",
    .run = run,
};
