/* The client's public functions: open, stats, flush, close. */
#include "sdk/client.h"

#include "base/clock.h"
#include "base/log.h"
#include "sdk/process_end.h"
#include "sdk/spool_format.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    EXPORTER_STACK = 512 << 10,
    EXIT_GRACE_MS = 500,
    REFUSED_MS = 1000,
    FLUSH_STEP_MS = 50,
    CAPACITY_MIN = 512
};
#define MS 1000000ull

RESPAN_API const char *respan_version(void) { return RS_VERSION; }

/* ---- references and the thread ------------------------------------------------------------------------- */

void rs_client_retain(respan_client *c) { __atomic_add_fetch(&c->references, 1, __ATOMIC_RELAXED); }

void rs_client_release(respan_client *c) {
    if (__atomic_sub_fetch(&c->references, 1, __ATOMIC_ACQ_REL) != 0) return;
    rs_fork_unwatch(c);
    rs_exporter_deinit(&c->exporter);
    rs_ring_deinit(&c->ring);
    rs_config_deinit(&c->config);
    pthread_mutex_destroy(&c->start_lock);
    free(c);
}

static void *exporter_main(void *context) {
    respan_client *c = context;
    rs_exporter_run(&c->exporter);
    __atomic_store_n(&c->ended, true, __ATOMIC_RELEASE);
    rs_client_release(c);
    return NULL;
}

/* A thread that blocks every signal: the program's handlers run on the program's threads. */
static int create_thread(respan_client *c) {
    pthread_attr_t attr;
    sigset_t all, before;
    if (pthread_attr_init(&attr) != 0) return ENOMEM;
    pthread_attr_setstacksize(&attr, EXPORTER_STACK);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&c->thread, &attr, exporter_main, c);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    if (!failed) pthread_setname_np(c->thread, RS_EXPORTER_NAME);
    return failed;
}

rs_status rs_client_start(respan_client *c) {
    if (__atomic_load_n(&c->running, __ATOMIC_ACQUIRE)) return RS_OK;
    rs_status st = RS_OK;
    pthread_mutex_lock(&c->start_lock);
    if (!c->running && !__atomic_load_n(&c->closed, __ATOMIC_ACQUIRE)) {
        rs_client_retain(c);
        if (create_thread(c) == 0) {
            __atomic_store_n(&c->running, true, __ATOMIC_RELEASE);
        } else {
            rs_client_release(c); /* never the last one */
            st = RS_ERR_IO;
        }
    }
    pthread_mutex_unlock(&c->start_lock);
    return st;
}

/* ---- open ---------------------------------------------------------------------------------------------- */

static void report(respan_error *out, rs_status st, const rs_err *err) {
    if (!out) return;
    out->code = st == RS_ERR_MEMORY    ? RESPAN_ERR_MEMORY
                : st == RS_ERR_INVALID ? RESPAN_ERR_INVALID
                                       : RESPAN_ERR_SYSTEM;
    snprintf(out->message, sizeof out->message, "%s", err->message[0] ? err->message : rs_status_text(st));
}

static rs_status open_parts(respan_client *c, const respan_config *config, rs_err *err) {
    c->references = 1;
    pthread_mutex_init(&c->start_lock, NULL);
    rs_status st = rs_config_resolve(&c->config, config, err);
    rs_str resource = rs_buf_slice(&c->config.resource), scope = rs_buf_slice(&c->config.scope);
    rs_ring_limits limits = {.bytes = c->config.ring_bytes,
                             .headroom = rs_exporter_headroom(resource, scope),
                             .spans = c->config.batch_spans,
                             .batch_bytes = c->config.batch_bytes,
                             .interval_ns = c->config.batch_interval_ms * MS};
    if (c->config.spool_bytes && limits.spans > RS_SPOOL_CAPACITY_MAX) limits.spans = RS_SPOOL_CAPACITY_MAX;
    /* What is on the wire cannot be dropped for what is newer: it must not be all that there is room for. */
    if (c->config.spool_bytes && limits.batch_bytes > c->config.spool_bytes / 4)
        limits.batch_bytes = (size_t)(c->config.spool_bytes / 4);
    c->spool = (rs_spool_setup){.dir = c->config.spool_dir,
                                .app = c->config.app_name,
                                .url = c->config.base_url,
                                .fingerprint = c->config.fingerprint,
                                .resource = resource,
                                .scope = scope,
                                .bytes = c->config.spool_bytes,
                                .headroom = limits.headroom,
                                .capacity = limits.spans > CAPACITY_MIN ? limits.spans : CAPACITY_MIN};
    rs_ring_init(&c->ring, limits, c->config.spool_bytes ? &c->spool : NULL);
    rs_status exporter = rs_exporter_init(&c->exporter, &c->ring, &c->config);
    if (st == RS_OK) st = exporter;
    return st == RS_OK ? rs_fork_watch(c) : st;
}

RESPAN_API respan_status respan_client_open(const respan_config *config, respan_client **out,
                                            respan_error *error) {
    rs_err err = {0};
    rs_status st = RS_ERR_MEMORY;
    if (error) *error = (respan_error){0};
    if (!out) return RESPAN_ERR_INVALID;
    *out = NULL;
    if (rs_config_is_disabled(config)) return RESPAN_OK;
    respan_client *c = calloc(1, sizeof *c);
    if (c) st = open_parts(c, config, &err);
    if (st == RS_OK) {
        rs_client_retain(c); /* the open spans' */
        *out = c;
        return RESPAN_OK;
    }
    report(error, st, &err);
    if (c) rs_client_release(c);
    return st == RS_ERR_MEMORY    ? RESPAN_ERR_MEMORY
           : st == RS_ERR_INVALID ? RESPAN_ERR_INVALID
                                  : RESPAN_ERR_SYSTEM;
}

/* ---- stats, flush, close ------------------------------------------------------------------------------- */

RESPAN_API void respan_client_stats(const respan_client *client, respan_stats *out) {
    if (!out) return;
    *out = (respan_stats){0};
    respan_client *c = (respan_client *)client; /* to lock it */
    if (!c) return;
    rs_ring_counts n;
    rs_ring_count(&c->ring, &n);
    *out = (respan_stats){.started = rs_ring_started(&c->ring),
                          .ended = n.put + n.overflowed,
                          .acknowledged = n.acknowledged,
                          .rejected = n.rejected,
                          .dropped = n.lost + n.overflowed,
                          .pending = rs_ring_pending(&n),
                          .kept = n.kept};
    rs_exporter_last_error(&c->exporter, out->last_error);
}

/* Whether spans were dropped since the last time that this was asked. */
static bool were_dropped(respan_client *c) {
    rs_ring_counts n;
    rs_ring_count(&c->ring, &n);
    uint64_t dropped = n.overflowed + n.lost;
    return __atomic_exchange_n(&c->dropped_before, dropped, __ATOMIC_RELAXED) != dropped;
}

/* Waits in steps, to notice that no server is there: a program should not have to wait for the whole of its
 * deadline because nobody listens. */
RESPAN_API respan_status respan_client_flush_while(respan_client *c, uint32_t timeout_ms,
                                                   bool (*go_on)(void *context), void *context) {
    if (!c) return RESPAN_OK;
    uint64_t began = rs_clock_mono_ns(), deadline = began + timeout_ms * MS;
    rs_ring_counts n;
    rs_ring_count(&c->ring, &n);
    if (rs_ring_pending(&n) && rs_client_start(c) != RS_OK) return RESPAN_ERR_SYSTEM;
    rs_ring_mark mark = rs_ring_mark_now(&c->ring);
    for (;;) {
        uint64_t now = rs_clock_mono_ns(), step = now + FLUSH_STEP_MS * MS;
        rs_status st = rs_ring_flush(&c->ring, &mark, step < deadline ? step : deadline);
        if (st == RS_OK) return were_dropped(c) ? RESPAN_ERR_REFUSED : RESPAN_OK;
        if (st == RS_ERR_DENIED) return RESPAN_ERR_REFUSED;
        if (st != RS_ERR_TIMEOUT || step >= deadline) return RESPAN_ERR_TIMEOUT;
        if (rs_exporter_is_refused(&c->exporter, began, REFUSED_MS * MS)) return RESPAN_ERR_TIMEOUT;
        if (go_on && !go_on(context)) return RESPAN_ERR_TIMEOUT;
    }
}

RESPAN_API respan_status respan_client_flush(respan_client *c, uint32_t timeout_ms) {
    return respan_client_flush_while(c, timeout_ms, NULL, NULL);
}

/* The thread ends at once unless libcurl is inside something that cannot be interrupted; then it is left to
 * itself. */
static void stop_exporter(respan_client *c) {
    rs_ring_stop(&c->ring);
    rs_exporter_cancel(&c->exporter);
    if (!__atomic_load_n(&c->running, __ATOMIC_ACQUIRE)) return;
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_nsec += EXIT_GRACE_MS * (long)MS;
    if (t.tv_nsec >= 1000000000) t.tv_sec++, t.tv_nsec -= 1000000000;
    if (pthread_timedjoin_np(c->thread, NULL, &t) != 0) pthread_detach(c->thread);
}

/* Why spans are missing: what the last export met, else what refused them, else that none came to an end. */
static void write_loss_reason(respan_client *c, const respan_stats *s, char out[240]) {
    rs_ring_counts n;
    rs_ring_count(&c->ring, &n);
    if (s->last_error[0]) memcpy(out, s->last_error, sizeof s->last_error);
    else if (s->rejected) rs_exporter_last_refusal(&c->exporter, out);
    else if (n.evicted)
        snprintf(out, 240, "no room for more than %llu bytes, see spool_bytes",
                 (unsigned long long)c->config.spool_bytes);
    else if (n.lost || rs_ring_pending(&n)) snprintf(out, 240, "no answer in time");
    else snprintf(out, 240, "no room for more than %zu bytes, see ring_bytes", c->config.ring_bytes);
}

static void say_loss(respan_client *c, const respan_stats *s) {
    uint64_t missing = s->dropped + s->rejected;
    if (c->config.quiet || missing + s->kept == 0) return;
    char why[240];
    write_loss_reason(c, s, why);
    bool away = rs_exporter_is_refused(&c->exporter, 0, 0);
    const char *hint = away && c->config.is_loopback ? "; start the server with 'respan serve'" : "";
    unsigned long long ended = s->ended, kept = s->kept;
    if (kept)
        rs_log("%llu of %llu spans could not be delivered to %s (%s) yet: they are kept in the spool and "
               "will be "
               "sent later%s",
               kept, ended, c->config.base_url, s->last_error[0] ? s->last_error : "no answer in time", hint);
    if (missing)
        rs_log("%llu of %llu spans could not be delivered to %s (%s) and were dropped%s",
               (unsigned long long)missing, ended, c->config.base_url, why, hint);
}

RESPAN_API respan_status respan_client_close(respan_client *c, uint32_t timeout_ms, respan_stats *stats) {
    if (stats) *stats = (respan_stats){0};
    if (!c) return RESPAN_OK;
    respan_status st = respan_client_flush(c, timeout_ms);
    pthread_mutex_lock(&c->start_lock);
    __atomic_store_n(&c->closed, true, __ATOMIC_RELEASE);
    pthread_mutex_unlock(&c->start_lock);
    stop_exporter(c);
    bool none_open = rs_ring_keep(&c->ring);
    respan_stats last;
    respan_client_stats(c, &last);
    last.dropped += last.pending; /* still in the ring, or with a thread that did not come back */
    last.pending = 0;
    say_loss(c, &last);
    if (stats) *stats = last;
    if (none_open) rs_client_release(c); /* else whoever ends the last one does */
    rs_client_release(c);
    return st;
}
