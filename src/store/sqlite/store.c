#include "base/log.h"
#include "store/sqlite/commit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PARTITION_SPANS  1000000
#define PARTITION_AGE_NS (24 * 3600 * 1000000000ull)

/* Takes the lock and leaves our process id in it, for the message that the next one gets. */
static rs_status take_lock(rs_store *s, rs_err *err) {
    char path[RS_PATH_MAX], pid[32];
    rs_status st = rs_path_join(path, s->dir, "lock", err);
    if (st != RS_OK) return st;
    s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (s->lock_fd < 0)
        return rs_fail(err, errno == ENOSPC ? RS_ERR_FULL : RS_ERR_IO, 0, "cannot open %s: %s", path,
                       strerror(errno));
    if (flock(s->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        ssize_t n = pread(s->lock_fd, pid, sizeof pid - 1, 0);
        pid[n > 0 ? n : 0] = 0;
        return rs_fail(err, RS_ERR_DENIED, 0,
                       "%s is in use by process %.20s: stop that one, or use another --data", s->dir,
                       n > 0 ? pid : "(unknown)");
    }
    int n = snprintf(pid, sizeof pid, "%ld", (long)getpid());
    if (ftruncate(s->lock_fd, 0) != 0 || pwrite(s->lock_fd, pid, (size_t)n, 0) != n)
        rs_log("cannot write the process id into %s: %s", path, strerror(errno));
    return RS_OK;
}

rs_status rs_store_open(const char *dir, rs_store **out, rs_err *err) {
    *out = NULL;
    rs_store *s = calloc(1, sizeof *s);
    if (!s) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    s->lock_fd = -1;
    s->limits = (rs_partition_limits){PARTITION_SPANS, PARTITION_AGE_NS};
    pthread_mutex_init(&s->lock, NULL);
    rs_turns_init(&s->writing);
    pthread_mutex_init(&s->keeping, NULL);
    rs_block_writers_init(&s->writers);
    int n = snprintf(s->dir, sizeof s->dir, "%s", dir);
    rs_status st = rs_path_make_dirs(dir, err);
    if (st == RS_OK && (n < 0 || (size_t)n >= sizeof s->dir))
        st = rs_fail(err, RS_ERR_TOO_LARGE, 0, "path %s is too long", dir);
    if (st == RS_OK) st = take_lock(s, err);
    if (st == RS_OK) st = rs_commit_new(&s->commit, err);
    if (st == RS_OK) *out = s;
    else rs_store_close(s);
    return st;
}

void rs_store_close(rs_store *s) {
    if (!s) return;
    rs_keeper_stop(s->keeper);
    for (rs_project_data *p = s->projects, *next; p; p = next) {
        next = p->next;
        rs_project_data_close(p);
    }
    rs_commit_free(s->commit);
    rs_block_writers_deinit(&s->writers);
    if (s->lock_fd >= 0) close(s->lock_fd); /* last: it gives the lock up */
    rs_turns_deinit(&s->writing);
    pthread_mutex_destroy(&s->keeping);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static rs_status open_project(rs_store *s, uint64_t project, bool create, rs_project_data **out,
                              rs_err *err) {
    char dir[RS_PATH_MAX], name[64];
    struct stat st;
    *out = NULL;
    snprintf(name, sizeof name, "projects/%llu", (unsigned long long)project);
    rs_status status = rs_path_join(dir, s->dir, name, err);
    if (status != RS_OK) return status;
    if (!create && stat(dir, &st) != 0) {
        if (errno == ENOENT) return RS_OK;
        return rs_fail(err, RS_ERR_IO, 0, "cannot look at %s: %s", dir, strerror(errno));
    }
    status = rs_project_data_open(project, dir, s->durability, out, err);
    if (status != RS_OK) return status;
    (*out)->next = s->projects;
    s->projects = *out;
    return RS_OK;
}

rs_status rs_store_find_project(rs_store *s, uint64_t project, bool create, rs_project_data **out,
                                rs_err *err) {
    rs_status st = RS_OK;
    pthread_mutex_lock(&s->lock);
    for (*out = s->projects; *out && (*out)->id != project;) *out = (*out)->next;
    if (!*out) st = open_project(s, project, create, out, err);
    pthread_mutex_unlock(&s->lock);
    return st;
}

void rs_store_set_durability(rs_store *s, rs_durability durability) { s->durability = durability; }

void rs_store_limit_partitions(rs_store *s, uint64_t spans, uint64_t age_ns) {
    s->limits = (rs_partition_limits){spans, age_ns};
}

static bool seen_before(const rs_store_batch *batches, size_t at) {
    for (size_t i = 0; i < at; i++)
        if (batches[i].project == batches[at].project) return true;
    return false;
}

void rs_store_begin(rs_store *s) { rs_turns_take(&s->writing); }
void rs_store_end(rs_store *s) { rs_turns_give(&s->writing); }

rs_status rs_store_commit(rs_store *s, const rs_store_batch *batches, size_t n, bool *failed, rs_err *err) {
    rs_status result = RS_OK;
    for (size_t i = 0; failed && i < n; i++) failed[i] = false;
    rs_turns_take(&s->writing);
    for (size_t i = 0; i < n; i++) {
        if (seen_before(batches, i)) continue;
        rs_project_data *p;
        rs_status st = rs_store_find_project(s, batches[i].project, true, &p, err);
        if (st == RS_OK) st = rs_commit_project(s->commit, p, &s->limits, batches + i, n - i, err);
        if (st == RS_OK) continue;
        if (result == RS_OK) result = st;
        for (size_t j = i; failed && j < n; j++)
            if (batches[j].project == batches[i].project) failed[j] = true;
    }
    rs_turns_give(&s->writing);
    return result;
}

static uint64_t file_bytes(const char *path, const char *suffix) {
    char name[RS_PATH_MAX + 8];
    struct stat st;
    snprintf(name, sizeof name, "%s%s", path, suffix);
    return stat(name, &st) == 0 ? (uint64_t)st.st_size : 0;
}

/* Adds what one partition holds. */
static rs_status add_stats(rs_partition *p, rs_store_stats *out, rs_err *err) {
    rs_index *x;
    rs_partition_state state;
    rs_status st = rs_partition_borrow(p, &x, err);
    if (st != RS_OK) return st;
    st = rs_index_get_state(x, &state, err);
    rs_partition_return(p, x);
    if (st != RS_OK) return st;
    out->traces += state.traces;
    out->spans += state.spans;
    out->bytes +=
        file_bytes(p->segment.path, "") + file_bytes(p->index_path, "") + file_bytes(p->index_path, "-wal");
    return RS_OK;
}

rs_status rs_store_get_stats(rs_store *s, uint64_t project, rs_store_stats *out, rs_err *err) {
    rs_project_data *p;
    *out = (rs_store_stats){0};
    rs_status st = rs_store_find_project(s, project, false, &p, err);
    if (st != RS_OK || !p) return st;
    const rs_partition_set *set = rs_project_data_hold(p);
    for (size_t i = 0; i < set->n && st == RS_OK; i++) st = add_stats(set->items[i], out, err);
    rs_project_data_let_go(p, set);
    return st;
}
