/* A state folder of this run's own, so that what a benchmark spools is not the user's to send. main's thread. */
#ifndef RS_BENCH_OWN_STATE_H
#define RS_BENCH_OWN_STATE_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char own_state[] = "/tmp/respan-bench-XXXXXX";

static void own_state_remove(void) {
    static const char *const folders[] = {"/respan/spool", "/respan", ""};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        char path[sizeof own_state + 16];
        snprintf(path, sizeof path, "%s%s", own_state, folders[i]);
        (void)rmdir(path);
    }
}

/* Before the first client; at exit what it left empty is removed. False: it cannot be had. */
static bool own_state_make(void) {
    return mkdtemp(own_state) && setenv("XDG_STATE_HOME", own_state, 1) == 0 && atexit(own_state_remove) == 0;
}

#endif
