/* The writer on a store of our own: grouping, the queue's limit, errors per batch, stopping. */
#include "server/writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

/* A store that waits at a gate, counts its commits, has no room for project 13, and cannot store what comes with a
 * batch of 666 spans. */
struct rs_store {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool open;
    size_t commits, batches, largest;
    size_t sizes[8]; /* batches of the first commits */
};

void rs_store_begin(rs_store *s) { (void)s; }
void rs_store_end(rs_store *s) { (void)s; }

rs_status rs_store_commit(rs_store *s, const rs_store_batch *batches, size_t n, bool *failed, rs_err *err) {
    rs_status st = RS_OK;
    pthread_mutex_lock(&s->lock);
    if (s->commits < 8) s->sizes[s->commits] = n;
    s->commits++;
    s->batches += n;
    if (n > s->largest) s->largest = n;
    pthread_cond_broadcast(&s->changed);
    while (!s->open) pthread_cond_wait(&s->changed, &s->lock);
    pthread_mutex_unlock(&s->lock);
    for (size_t i = 0; i < n; i++)
        if ((failed[i] = batches[i].project == 13)) st = rs_fail(err, RS_ERR_FULL, 0, "no room");
    for (size_t i = 0; i < n && st == RS_OK; i++)
        if (batches[i].n == 666) st = rs_fail(err, RS_ERR_IO, 0, "cannot be stored");
    for (size_t i = 0; i < n && st == RS_ERR_IO; i++) failed[i] = true;
    return st;
}

static void set_gate(rs_store *s, bool open) {
    pthread_mutex_lock(&s->lock);
    s->open = open;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

static void await_commit(rs_store *s, size_t commits) {
    pthread_mutex_lock(&s->lock);
    while (s->commits < commits) pthread_cond_wait(&s->changed, &s->lock);
    pthread_mutex_unlock(&s->lock);
}

typedef struct told {
    rs_job job;
    bool done;
    rs_status status;
} told;

/* The writer has stopped, and so has been joined, before a test looks. */
static void on_done(rs_job *job, const rs_err *err) {
    told *t = (told *)job;
    t->done = true;
    t->status = err ? err->code : RS_OK;
}

static told make(uint64_t project, size_t bytes) {
    return (told){.job = {.batch = {.project = project}, .bytes = bytes, .done = on_done}};
}

static rs_store new_store(bool open) {
    return (rs_store){.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER, .open = open};
}

static void what_waits_is_one_group(void **state) {
    (void)state;
    rs_store store = new_store(false);
    rs_writer *w;
    told jobs[5];
    assert_int_equal(rs_writer_start(&store, 1000, NULL, NULL, NULL, &w, NULL), RS_OK);
    jobs[0] = make(1, 10);
    assert_int_equal(rs_writer_push(w, &jobs[0].job), RS_OK);
    await_commit(&store, 1);
    for (size_t i = 1; i < 5; i++) {
        jobs[i] = make(i == 3 ? 13 : 1, 10);
        assert_int_equal(rs_writer_push(w, &jobs[i].job), RS_OK);
    }
    set_gate(&store, true);
    rs_writer_stop(w);
    assert_int_equal(store.commits, 2);
    assert_int_equal(store.largest, 4);
    for (size_t i = 0; i < 5; i++) {
        assert_true(jobs[i].done);
        assert_int_equal(jobs[i].status, i == 3 ? RS_ERR_FULL : RS_OK);
    }
    rs_writer_free(w);
}

static void what_cannot_be_stored_fails_alone(void **state) {
    (void)state;
    rs_store store = new_store(false);
    rs_writer *w;
    told jobs[5];
    assert_int_equal(rs_writer_start(&store, 1000, NULL, NULL, NULL, &w, NULL), RS_OK);
    for (size_t i = 0; i < 5; i++) {
        jobs[i] = make(1, 10);
        if (i == 2) jobs[i].job.batch.n = 666;
        assert_int_equal(rs_writer_push(w, &jobs[i].job), RS_OK);
        if (i == 0) await_commit(&store, 1);
    }
    set_gate(&store, true);
    rs_writer_stop(w);
    for (size_t i = 0; i < 5; i++) {
        assert_true(jobs[i].done);
        assert_int_equal(jobs[i].status, i == 2 ? RS_ERR_IO : RS_OK);
    }
    rs_writer_free(w);
}

static void full_is_refused(void **state) {
    (void)state;
    rs_store store = new_store(false);
    rs_writer *w;
    told huge = make(1, 5000), large = make(1, 100), small = make(1, 1), more = make(1, 62);
    assert_int_equal(rs_writer_start(&store, 1000, NULL, NULL, NULL, &w, NULL), RS_OK);
    assert_int_equal(rs_writer_push(w, &huge.job), RS_OK); /* alone, any size */
    await_commit(&store, 1);
    assert_int_equal(rs_writer_push(w, &large.job), RS_ERR_FULL); /* what is being committed counts */
    assert_int_equal(rs_writer_push(w, &small.job), RS_OK);       /* but not for small ones */
    told fill[15];
    for (size_t i = 0; i < 15; i++) {
        fill[i] = make(1, 62);
        assert_int_equal(rs_writer_push(w, &fill[i].job), RS_OK);
    }
    assert_int_equal(rs_writer_push(w, &more.job), RS_OK);
    assert_int_equal(rs_writer_push(w, &more.job), RS_ERR_FULL);
    set_gate(&store, true);
    rs_writer_stop(w);
    assert_true(huge.done);
    assert_true(small.done && more.done);
    assert_false(large.done);
    rs_writer_free(w);
}

/* Whoever waits behind large jobs waits for one of them. */
static void large_and_small_take_turns(void **state) {
    (void)state;
    rs_store store = new_store(false);
    rs_writer *w;
    told jobs[6];
    assert_int_equal(rs_writer_start(&store, 1600, NULL, NULL, NULL, &w, NULL), RS_OK);
    for (size_t i = 0; i < 6; i++) {
        jobs[i] = make(1, i < 4 ? 300 : 10);
        jobs[i].job.batch.n = i + 1;
        assert_int_equal(rs_writer_push(w, &jobs[i].job), RS_OK);
        if (i == 0) await_commit(&store, 1);
    }
    set_gate(&store, true);
    rs_writer_stop(w);
    assert_int_equal(store.commits, 3); /* the first, the small ones, the other large ones */
    assert_int_equal(store.sizes[1], 2);
    rs_writer_free(w);
}

/* A job whose answer asks the writer how it stands. */
typedef struct asking {
    rs_job job; /* first */
    rs_writer *writer;
    rs_writer_stats seen;
} asking;

static void ask(rs_job *job, const rs_err *err) {
    (void)err;
    asking *a = (asking *)job;
    rs_writer_get_stats(a->writer, &a->seen);
}

static void who_is_answered_finds_the_commit_counted(void **state) {
    (void)state;
    rs_store store = new_store(true);
    rs_writer *w;
    assert_int_equal(rs_writer_start(&store, 1000, NULL, NULL, NULL, &w, NULL), RS_OK);
    asking full = {.job = {.batch = {.project = 13}, .bytes = 10, .done = ask}, .writer = w}, fits = full;
    fits.job.batch.project = 1;
    assert_int_equal(rs_writer_push(w, &full.job), RS_OK);
    await_commit(&store, 1);
    assert_int_equal(rs_writer_push(w, &fits.job), RS_OK);
    rs_writer_stop(w);
    assert_int_equal(full.seen.commits, 1);
    assert_int_equal(full.seen.failures, 1);
    assert_int_equal(full.seen.last, RS_ERR_FULL);
    assert_int_equal(fits.seen.commits, 2);
    assert_int_equal(fits.seen.last, RS_OK);
    rs_writer_free(w);
}

static void stopping_commits_what_is_queued(void **state) {
    (void)state;
    rs_store store = new_store(true);
    rs_writer *w;
    told jobs[300];
    assert_int_equal(rs_writer_start(&store, 1 << 20, NULL, NULL, NULL, &w, NULL), RS_OK);
    for (size_t i = 0; i < 300; i++) {
        jobs[i] = make(1, 10);
        assert_int_equal(rs_writer_push(w, &jobs[i].job), RS_OK);
    }
    rs_writer_stop(w);
    assert_int_equal(store.batches, 300);
    for (size_t i = 0; i < 300; i++) assert_true(jobs[i].done);
    told late = make(1, 10); /* a request that an HTTP thread was still reading */
    assert_int_equal(rs_writer_push(w, &late.job), RS_ERR_CLOSED);
    assert_false(late.done);
    rs_writer_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_waits_is_one_group),
        cmocka_unit_test(what_cannot_be_stored_fails_alone),
        cmocka_unit_test(full_is_refused),
        cmocka_unit_test(large_and_small_take_turns),
        cmocka_unit_test(who_is_answered_finds_the_commit_counted),
        cmocka_unit_test(stopping_commits_what_is_queued),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
