/* Files are opened for reading only: closing one would otherwise wake the watcher itself, over and over. */
#include "cli/spool_watch.h"

#include "base/credentials.h"
#include "base/log.h"
#include "sdk/spool_dir.h"
#include "sdk/spool_read.h"
#include "server/ingest.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    SETTLE_MS =
        200, /* a dying process's file is closed a moment before its lock is free; and many die at once */
    AGAIN_MS = 1000, /* to be sure, once more after a change */
    SLOW_MS = 60000,
    RETRY_MS = 30000,
    THREAD_STACK = 512 << 10,
};

struct rs_spool_watch {
    rs_server *server;
    uint64_t project;
    char dir[RS_PATH_MAX];
    int changes, stop; /* inotify, eventfd */
    bool hindered;     /* something stood in the way this time; it is said once, until nothing does */
    bool complained;
    pthread_t thread;
};

typedef enum outcome {
    TAKEN,
    LEFT, /* somebody else's, or not to be read */
    LATER /* there is no room now */
} outcome;

static outcome complain(rs_spool_watch *w, outcome result, const char *why) {
    if (!w->complained) rs_log("spans in %s are not taken in: %s", w->dir, why);
    w->hindered = w->complained = true;
    return result;
}

/* ---- one file ------------------------------------------------------------------------------------------ */

static int open_file(const char *dir, const char *name) {
    char path[RS_PATH_MAX];
    struct stat st;
    if (rs_path_join(path, dir, name, NULL) != RS_OK) return -1;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) return -1;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid()) return fd;
    close(fd);
    return -1;
}

/* Where the spans of a file belong. */
typedef struct spans_owner {
    uint64_t project;
    char environment[RS_ENVIRONMENT_MAX];
} spans_owner;

/* Where they would have gone with the key that the program gave, or, where it gave none, with that of the credentials file; if that is of
 * another server, to the server's own project. False: the key that was given is none here that may send. */
static bool find_owner(const rs_spool_watch *w, const rs_spool_file *f, spans_owner *out) {
    rs_api_key key;
    uint64_t fingerprint = f->fingerprint ? f->fingerprint : rs_credentials_fingerprint();
    *out = (spans_owner){.project = w->project};
    if (!fingerprint || rs_control_find_sender(w->server->control, fingerprint, &key, NULL) != RS_OK)
        return f->fingerprint == 0;
    out->project = key.project;
    memcpy(out->environment, key.environment, sizeof out->environment);
    return true;
}

/* Its lock is taken only then: whoever is to send a file must not find it locked by those who look. */
static bool is_for_us(const rs_spool_watch *w, int fd) {
    rs_spool_file f;
    spans_owner owner;
    bool ours = rs_spool_read_open(&f, fd, NULL) == RS_OK &&
                rs_listen_is_reached(w->server->url, w->server->is_loopback, f.url) &&
                find_owner(w, &f, &owner);
    rs_spool_read_close(&f);
    return ours;
}

static bool take_lock(int fd) {
    struct stat st;
    return flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &st) == 0 && st.st_nlink > 0;
}

static bool is_stopped(const rs_spool_watch *w) {
    struct pollfd stop = {.fd = w->stop, .events = POLLIN};
    return poll(&stop, 1, 0) > 0;
}

static outcome take_region(rs_spool_watch *w, rs_spool_file *f, size_t i, rs_buf *frames) {
    spans_owner owner;
    rs_err err = {0};
    rs_spool_got got;
    rs_ingested in = {0};
    rs_buf_clear(frames);
    if (!find_owner(w, f, &owner)) return LEFT; /* the key was revoked since */
    rs_status st = rs_spool_read_region(f, i, frames, &got, &err);
    if (st == RS_OK && got.spans)
        st = rs_ingest_local(w->server, owner.project,
                             &(rs_ingest_spans){.resource = f->resource,
                                                .scope = f->scope,
                                                .frames = rs_buf_slice(frames),
                                                .environment = rs_str_of(owner.environment)},
                             &in, &err);
    if (st == RS_ERR_INVALID || st == RS_ERR_TRUNCATED) {
        rs_log("%u spans of a killed program are not OTLP and are left out: %s", got.spans, err.message);
        return TAKEN;
    }
    if (st == RS_ERR_TOO_LARGE) return complain(w, LEFT, err.message);
    if (st != RS_OK) return complain(w, LATER, err.message);
    size_t lost = got.damaged + in.rejected;
    if (lost) rs_log("%zu spans of a killed program are damaged and are left out", lost);
    return TAKEN;
}

/* The first n regions are in the store: nobody needs to send them again. */
static void mark_taken(const rs_spool_watch *w, const char *name, rs_spool_file *f, size_t n) {
    char path[RS_PATH_MAX];
    if (n == 0 || rs_path_join(path, w->dir, name, NULL) != RS_OK) return;
    int reading = f->fd, writing = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (writing < 0) return;
    f->fd = writing;
    for (size_t i = 0; i < n; i++) rs_spool_read_done(f, i);
    f->fd = reading;
    close(writing);
}

static outcome take_regions(rs_spool_watch *w, const char *name, rs_spool_file *f) {
    rs_buf frames;
    rs_buf_init(&frames);
    frames.limit = w->server->max_body;
    outcome result = TAKEN;
    size_t i = 0;
    for (; i < f->n && result == TAKEN; i++) result = is_stopped(w) ? LATER : take_region(w, f, i, &frames);
    if (result != TAKEN) mark_taken(w, name, f, i - 1);
    rs_buf_deinit(&frames);
    return result;
}

static outcome take_file(rs_spool_watch *w, const char *name) {
    char path[RS_PATH_MAX];
    rs_spool_file f;
    outcome result = LEFT;
    int fd = open_file(w->dir, name);
    if (fd < 0) return LEFT;
    if (is_for_us(w, fd) && take_lock(fd)) {
        if (rs_spool_read_open(&f, fd, NULL) == RS_OK) result = take_regions(w, name, &f);
        rs_spool_read_close(&f);
        if (result == TAKEN && rs_path_join(path, w->dir, name, NULL) == RS_OK) unlink(path);
    }
    close(fd);
    return result;
}

/* ---- the folder ---------------------------------------------------------------------------------------- */

static outcome take_all(rs_spool_watch *w) {
    rs_spool_names names;
    outcome result = TAKEN;
    w->hindered = false;
    if (rs_spool_list(w->dir, NULL, NULL, 0, &names, NULL) != RS_OK) return LEFT;
    for (size_t i = 0; i < names.n && result != LATER; i++) {
        outcome one = take_file(w, names.items[i].name);
        if (one == LATER) result = LATER;
    }
    rs_spool_names_deinit(&names);
    if (!w->hindered) w->complained = false;
    return result;
}

typedef enum woken { BY_STOP, BY_CHANGE, BY_TIME } woken;

static woken wait_for(const rs_spool_watch *w, int ms, bool changes) {
    struct pollfd fds[] = {{.fd = w->stop, .events = POLLIN}, {.fd = w->changes, .events = POLLIN}};
    int n = poll(fds, changes && w->changes >= 0 ? 2 : 1, ms);
    if (fds[0].revents) return BY_STOP;
    return n > 0 ? BY_CHANGE : BY_TIME;
}

/* The folder may have been removed and made anew; a watch that stands is left as it is. */
static void watch_folder(const rs_spool_watch *w) {
    char events[4096];
    if (w->changes < 0) return;
    while (read(w->changes, events, sizeof events) > 0) {
    }
    if (inotify_add_watch(w->changes, w->dir, IN_CLOSE_WRITE | IN_ONLYDIR) < 0 && errno == ENOENT &&
        rs_path_make_dirs(w->dir, NULL) == RS_OK)
        (void)!inotify_add_watch(w->changes, w->dir, IN_CLOSE_WRITE | IN_ONLYDIR);
}

static void *run(void *arg) {
    rs_spool_watch *w = arg;
    bool changed = false;
    for (;;) {
        watch_folder(w);
        woken by;
        if (take_all(w) == LATER) {
            by = wait_for(w, RETRY_MS, false);
        } else {
            by = wait_for(w, changed ? AGAIN_MS : SLOW_MS, true);
            changed = by == BY_CHANGE;
            if (changed) by = wait_for(w, SETTLE_MS, false);
        }
        if (by == BY_STOP) return NULL;
    }
}

/* ---- life ---------------------------------------------------------------------------------------------- */

static void watch_free(rs_spool_watch *w) {
    if (w->changes >= 0) close(w->changes);
    if (w->stop >= 0) close(w->stop);
    free(w);
}

static bool start_thread(rs_spool_watch *w) {
    pthread_attr_t attr;
    if (pthread_attr_init(&attr) != 0) return false;
    bool ok =
        pthread_attr_setstacksize(&attr, THREAD_STACK) == 0 && pthread_create(&w->thread, &attr, run, w) == 0;
    pthread_attr_destroy(&attr);
    return ok;
}

rs_status rs_spool_watch_start(rs_server *server, uint64_t project, rs_spool_watch **out, rs_err *err) {
    *out = NULL;
    rs_spool_watch *w = calloc(1, sizeof *w);
    if (!w) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    w->server = server;
    w->project = project;
    w->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    w->changes = inotify_init1(IN_CLOEXEC | IN_NONBLOCK); /* none to be had: once a minute has to do */
    rs_status st = rs_spool_dir(w->dir, err);
    if (st == RS_OK) st = rs_path_make_dirs(w->dir, err);
    if (st == RS_OK && w->stop < 0) st = rs_fail(err, RS_ERR_IO, 0, "no eventfd: %s", strerror(errno));
    if (st == RS_OK && !start_thread(w)) st = rs_fail(err, RS_ERR_MEMORY, 0, "cannot start a thread");
    if (st == RS_OK) *out = w;
    else watch_free(w);
    return st;
}

void rs_spool_watch_stop(rs_spool_watch *w) {
    if (!w) return;
    uint64_t one = 1;
    (void)!write(w->stop, &one, sizeof one);
    pthread_join(w->thread, NULL);
    watch_free(w);
}
