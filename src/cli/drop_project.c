#include "cli/drop_project.h"

#include "store/store.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { POLL_MS = 200 };

bool rs_drop_is_meant(const char *what, const char *name, const char *go) {
    char typed[256] = ""; /* more than any name has */
    fprintf(stderr, "All %s of %s %s. Type its name: ", what, name, go);
    if (!fgets(typed, sizeof typed, stdin)) typed[0] = 0;
    typed[strcspn(typed, "\r\n")] = 0;
    if (!isatty(STDIN_FILENO)) fputc('\n', stderr);
    if (strcmp(typed, name) == 0) return true;
    fputs("respan: this is not its name: nothing was deleted\n", stderr);
    return false;
}

static rs_status wait_for_server(const char *dir, uint64_t project, rs_err *err) {
    bool gone = false, told = false;
    rs_status st;
    while ((st = rs_store_has_nothing_of(dir, project, &gone, err)) == RS_OK && !gone &&
           rs_store_holder(dir) != 0) {
        if (!told) fputs("waiting for the server to remove its traces: it looks once a minute\n", stderr);
        told = true;
        nanosleep(&(struct timespec){.tv_nsec = POLL_MS * 1000000L}, NULL);
    }
    return st == RS_OK && !gone ? rs_fail(err, RS_ERR_CLOSED, 0,
                                          "the server ended before it removed the traces: the next one does, "
                                          "within a minute of its start")
                                : st;
}

rs_status rs_drop_project(const char *dir, uint64_t project, rs_err *err) {
    rs_store *store;
    rs_status st = rs_store_open(dir, &store, err);
    if (st == RS_ERR_DENIED) return wait_for_server(dir, project, err);
    if (st != RS_OK) return st;
    st = rs_store_drop_project(store, project, err);
    rs_store_close(store);
    return st;
}
