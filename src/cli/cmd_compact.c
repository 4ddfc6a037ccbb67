/* respan compact: seals what is stored now, rather than when the server comes to it. */
#include "cli/cmd.h"

#include "cli/client.h"
#include "cli/data_dir.h"
#include "store/store.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { POLL_MS = 250 };

static int fail(const rs_err *err) {
    fprintf(stderr, "respan: %s\n", err->message);
    return RS_EXIT_NOT_FOUND;
}

/* ---- the server has the store -------------------------------------------------------------------------- */

static bool is_at_it(rs_buf *answer) {
    rs_buf_byte(answer, 0);
    return rs_buf_status(answer) == RS_OK && strstr(answer->p, "\"compacting\":true") != NULL;
}

static int ask_server(void) {
    rs_client client = {0};
    rs_buf answer;
    rs_buf_init(&answer);
    int status = rs_client_open(&client);
    if (status == RS_EXIT_DONE) status = rs_client_request(&client, "/compact/", "{}", &answer);
    while (status == RS_EXIT_DONE && is_at_it(&answer)) {
        nanosleep(&(struct timespec){.tv_nsec = POLL_MS * 1000000L}, NULL);
        rs_buf_clear(&answer);
        status = rs_client_request(&client, "/compact/", NULL, &answer);
    }
    rs_buf_deinit(&answer);
    rs_client_close(&client);
    if (status == RS_EXIT_DONE) puts("the server did it, for the project of the key");
    return status;
}

/* ---- nobody has it ------------------------------------------------------------------------------------- */

static rs_status compact_project(rs_store *s, uint64_t project, rs_err *err) {
    rs_store_stats before, after;
    rs_status st = rs_store_get_stats(s, project, &before, err);
    if (st == RS_OK) st = rs_store_compact(s, project, err);
    if (st == RS_OK) st = rs_store_get_stats(s, project, &after, err);
    if (st == RS_OK && after.spans)
        printf("project %llu: %llu spans, %.0f bytes a span before, %.0f now\n", (unsigned long long)project,
               (unsigned long long)after.spans, (double)before.bytes / (double)after.spans,
               (double)after.bytes / (double)after.spans);
    return st;
}

static int compact(rs_store *s) {
    uint64_t *projects;
    size_t n;
    rs_err err = {0};
    rs_status st = rs_store_list_projects(s, &projects, &n, &err);
    for (size_t i = 0; i < n && st == RS_OK; i++) st = compact_project(s, projects[i], &err);
    free(projects);
    rs_store_close(s);
    return st == RS_OK ? RS_EXIT_DONE : fail(&err);
}

static int run(int argc, char **argv) {
    static const struct option options[] = {{"data", required_argument, NULL, 'd'}, {NULL, 0, NULL, 0}};
    const char *data = NULL;
    char dir[RS_PATH_MAX];
    rs_store *store;
    rs_err err = {0};
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c != 'd') return RS_EXIT_USAGE;
        data = optarg;
    }
    if (optind < argc) return rs_cmd_usage(&rs_cmd_compact, "compact takes no '%s'", argv[optind]);
    if (rs_data_dir(data, dir, &err) != RS_OK) return fail(&err);
    if (access(dir, F_OK) != 0) {
        fprintf(stderr, "respan: there is nothing at %s: name the folder with --data\n", dir);
        return RS_EXIT_NOT_FOUND;
    }
    rs_status st = rs_store_open(dir, &store, &err);
    if (st == RS_ERR_DENIED) return ask_server();
    return st == RS_OK ? compact(store) : fail(&err);
}

const rs_cmd rs_cmd_compact = {
    .name = "compact",
    .summary = "make what is stored small now, and the bytes of deleted traces go",
    .help =
        "usage: respan compact [--data DIR]\n"
        "\n"
        "Rewrites all that is stored with larger blocks that are compressed harder, without what was deleted "
        "or sent\n"
        "again: what the server does by itself a minute after a partition is full or a day old, and minutes "
        "after a\n"
        "deletion. A server that runs does it itself, for the project of the API key; without one it is done "
        "here, for\n"
        "all projects. There must be room on the disk for the largest partition once more.\n"
        "\n"
        "  --data DIR   the folder that `respan serve` keeps its data in\n",
    .run = run,
};
