#include "server/live.h"

#include "base/clock.h"
#include "base/ids.h"
#include "base/log.h"
#include "server/api_json.h"
#include "server/api_params.h"
#include "server/live_notes.h"
#include "server/running.h"
#include "server/server.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum {
    LIVE_TICK_MS = 250, /* a trace that grows is told of so often at most */
    EXPIRE_MS = 5000,   /* so often it is looked for what is open no more, while nobody listens */
    LISTENERS = 500,
    BUFFER = 1 << 20, /* of a listener, that it has not taken yet */
    ALL_BUFFERS = 64 << 20,
    KEPT_BUFFER = 64 << 10,
    HEARTBEAT_MS = 15000,
    ASK_MS = 500, /* so often who hears nothing is hung up on if he may not; each event asks first (http.c) */
    RESUME_SPANS = 100000, /* that are looked at to tell who comes back what it missed */
    RETRY_MS = 2000,
};

typedef struct listener {
    struct listener *next;
    rs_live *live;
    rs_request *req;
    uint64_t project;
    rs_identity who;
    rs_arena arena; /* of list */
    rs_list list;
    unsigned holds;       /* the connection, and the live thread while it works for it */
    bool gone;            /* the connection is */
    bool waits;           /* suspended */
    bool lost;            /* something was dropped, and it was not told yet */
    bool is_over;         /* it gives way to somebody who has fewer */
    uint64_t number;      /* it was told of all spans below: by what it says when it comes back */
    uint64_t next_number; /* number, after the next tick */
    uint64_t said_ns;     /* when it was last sent anything */
    uint64_t woken_ns;
    rs_buf buffer;
} listener;

struct rs_live {
    rs_store *store;
    rs_open_table *open;
    pthread_t thread;
    struct desk *desk;    /* the thread's */
    rs_live_notes notes;  /* its lock is taken after `lock` */
    unsigned listening;   /* atomic */
    pthread_mutex_t lock; /* the following; over the listeners, too */
    pthread_cond_t wake;
    listener *first;
    size_t held; /* in all buffers */
    bool stopping;
};

/* ---- the writer ---------------------------------------------------------------------------------------- */

void rs_live_note(void *live, const rs_store_batch *batch) {
    rs_live *l = live;
    rs_open_table_ended(l->open, batch);
    if (__atomic_load_n(&l->listening, __ATOMIC_RELAXED) == 0) return;
    if (batch->n)
        rs_live_notes_put(&l->notes, batch->project, batch->spans[0].trace_id, sizeof *batch->spans,
                          batch->n);
}

void rs_live_note_trace(rs_live *l, uint64_t project, const uint8_t (*ids)[16], size_t n) {
    if (__atomic_load_n(&l->listening, __ATOMIC_RELAXED) == 0) return;
    rs_live_notes_put(&l->notes, project, ids, sizeof *ids, n);
}

void rs_live_expire(rs_live *l) {
    rs_open_trace gone[RS_LIVE_NOTES];
    size_t n;
    do {
        n = rs_open_table_expire(l->open, rs_clock_mono_ns(), gone, RS_LIVE_NOTES);
        for (size_t i = 0; i < n; i++)
            rs_live_note_trace(l, gone[i].project, (const uint8_t(*)[16])gone[i].trace_id, 1);
    } while (n == RS_LIVE_NOTES);
}

void rs_live_wake(rs_live *l) {
    pthread_mutex_lock(&l->lock);
    pthread_cond_signal(&l->wake);
    pthread_mutex_unlock(&l->lock);
}

/* ---- a listener's buffer: under the lock --------------------------------------------------------------- */

static void resume(listener *l) {
    if (!l->waits) return;
    l->waits = false;
    l->woken_ns = rs_clock_mono_ns();
    rs_request_finish(l->req);
}

static void end(listener *l) {
    if (l->waits) resume(l);
    else rs_request_hang_up(l->req); /* it has yet to read something, and may never */
}

static void empty(listener *l) {
    l->live->held -= l->buffer.n;
    if (l->buffer.cap > KEPT_BUFFER) rs_buf_deinit(&l->buffer);
    rs_buf_clear(&l->buffer);
}

static void drop_all(listener *l) {
    empty(l);
    l->lost = true;
}

static void put_event(listener *l, const char *event, rs_str data) {
    size_t before = l->buffer.n;
    if (l->gone || l->lost) return;
    rs_buf_printf(&l->buffer, "id: %llu\nevent: %s\ndata: ", (unsigned long long)l->number, event);
    rs_buf_str(&l->buffer, data);
    rs_buf_text(&l->buffer, "\n\n");
    l->live->held += l->buffer.n - before;
    if (l->buffer.n > BUFFER || l->live->held > ALL_BUFFERS || rs_buf_status(&l->buffer) != RS_OK)
        drop_all(l);
    resume(l);
}

static void put_comment(listener *l) {
    size_t before = l->buffer.n;
    rs_buf_text(&l->buffer, ": \n\n");
    l->live->held += l->buffer.n - before;
    resume(l);
}

static void let_go(listener *l) {
    if (--l->holds > 0) return;
    l->live->held -= l->buffer.n;
    rs_arena_deinit(&l->arena);
    rs_buf_deinit(&l->buffer);
    free(l);
}

/* ---- the connection ------------------------------------------------------------------------------------ */

/* What has gathered, or the connection waits for it. */
static rs_stream_state next_events(void *ctx, rs_buf *out) {
    listener *l = ctx;
    rs_live *live = l->live;
    rs_stream_state state = RS_STREAM_MORE;
    pthread_mutex_lock(&live->lock);
    if (l->lost) rs_buf_text(out, "event: reset\ndata: {}\n\n");
    l->lost = false;
    if (l->buffer.n > 0 || out->n > 0) {
        rs_buf_str(out, rs_buf_slice(&l->buffer));
        empty(l);
        l->said_ns = rs_clock_mono_ns();
    } else if (live->stopping || l->is_over) {
        state = RS_STREAM_END;
    } else {
        l->waits = true;
        rs_request_defer(l->req);
        state = RS_STREAM_WAIT;
    }
    pthread_mutex_unlock(&live->lock);
    return state;
}

static void leave(void *ctx) {
    listener *l = ctx;
    rs_live *live = l->live;
    pthread_mutex_lock(&live->lock);
    for (listener **at = &live->first; *at; at = &(*at)->next) {
        if (*at != l) continue;
        *at = l->next;
        __atomic_fetch_sub(&live->listening, 1, __ATOMIC_RELAXED);
        rs_live_notes_leave(&live->notes, l->project);
        break;
    }
    l->gone = true;
    l->waits = false;
    let_go(l);
    pthread_mutex_unlock(&live->lock);
}

/* ---- telling ------------------------------------------------------------------------------------------- */

static bool take_key(void *ctx, int64_t key, const rs_span *head) {
    (void)head;
    *(uint64_t *)ctx = (uint64_t)key;
    return false;
}

/* The arrival number of the newest span. */
static uint64_t newest_number(rs_live *live, uint64_t project) {
    uint64_t number = 0;
    rs_err err = {0};
    rs_span_scan scan = {.depth = RS_READ_HEADS};
    if (rs_store_scan_spans(live->store, project, &scan, take_key, &number, &err) != RS_OK)
        rs_log("%s", err.message);
    return number;
}

static bool fits(rs_live *live, const listener *l, const rs_trace_row *row, const rs_spans *spans) {
    bool holds = false;
    rs_err err = {0};
    rs_status st = rs_running_fits(live->store, l->project, &l->list, row, spans, &holds, &err);
    if (st != RS_OK && st != RS_ERR_NOT_FOUND) rs_log("a live list: %s", err.message);
    return st == RS_OK && holds;
}

static void write_row(rs_buf *out, const rs_trace_row *row, bool content) {
    rs_json j = rs_json_on(out);
    rs_buf_clear(out);
    rs_json_object(&j);
    rs_api_write_trace(&j, row, content);
    rs_json_object_end(&j);
}

/* Who listens to the project, held. */
static size_t hold_listeners(rs_live *live, uint64_t project, listener *out[LISTENERS]) {
    size_t n = 0;
    pthread_mutex_lock(&live->lock);
    for (listener *l = live->first; l && n < LISTENERS; l = l->next)
        if (l->project == project) l->holds++, out[n++] = l;
    pthread_mutex_unlock(&live->lock);
    return n;
}

/* A span that is visible now is noted by the next tick, and told of then: events that come after that may say its number. */
static void let_go_of(rs_live *live, uint64_t project, listener *const all[], size_t n) {
    uint64_t newest = newest_number(live, project);
    pthread_mutex_lock(&live->lock);
    for (size_t i = 0; i < n; i++) {
        if (all[i]->next_number > all[i]->number) all[i]->number = all[i]->next_number;
        all[i]->next_number = newest;
        let_go(all[i]);
    }
    pthread_mutex_unlock(&live->lock);
}

/* Deleted: whether it fitted is not known any more, so it is told to all; or over, to those who asked for what runs. */
static void tell_gone(rs_live *live, const uint8_t trace_id[16], listener *const all[], size_t n) {
    char hex[33];
    rs_buf data;
    rs_buf_init(&data);
    rs_hex(trace_id, 16, hex);
    rs_buf_printf(&data, "{\"trace_unique_id\":\"%s\"}", hex);
    pthread_mutex_lock(&live->lock);
    for (size_t i = 0; i < n; i++) {
        if (rs_buf_status(&data) == RS_OK) put_event(all[i], "gone", rs_buf_slice(&data));
        else drop_all(all[i]);
    }
    pthread_mutex_unlock(&live->lock);
    rs_buf_deinit(&data);
}

/* One trace to some listeners of its project. */
static void tell(rs_live *live, const uint8_t trace_id[16], listener *const all[], size_t n) {
    rs_arena arena;
    rs_trace_row row;
    rs_spans spans;
    rs_err err = {0};
    rs_buf json[2] = {{0}, {0}}; /* without content, with it */
    if (n == 0) return;
    rs_arena_init(&arena, 0);
    rs_status st =
        rs_running_get(live->store, live->open, all[0]->project, trace_id, &arena, &row, &spans, &err);
    if (st == RS_ERR_NOT_FOUND) tell_gone(live, trace_id, all, n);
    else if (st != RS_OK) rs_log("a live list: %s", err.message);
    for (size_t i = 0; st == RS_OK && i < n; i++) {
        rs_buf *data = &json[all[i]->list.content];
        if (!fits(live, all[i], &row, &spans)) {
            if (!row.running && rs_running_is_asked(&all[i]->list)) tell_gone(live, trace_id, &all[i], 1);
            continue;
        }
        if (data->n == 0) write_row(data, &row, all[i]->list.content);
        pthread_mutex_lock(&live->lock);
        if (rs_buf_status(data) == RS_OK) put_event(all[i], "trace", rs_buf_slice(data));
        else drop_all(all[i]);
        pthread_mutex_unlock(&live->lock);
    }
    rs_buf_deinit(&json[0]);
    rs_buf_deinit(&json[1]);
    rs_arena_deinit(&arena);
}

/* ---- who comes back ------------------------------------------------------------------------------------ */

typedef struct missed {
    uint64_t since;
    uint64_t looked;
    uint8_t ids[RS_LIVE_NOTES][16];
    size_t n;
    bool too_many;
} missed;

static bool take_missed(void *ctx, int64_t key, const rs_span *head) {
    missed *m = ctx;
    if ((uint64_t)key <= m->since) return false;
    for (size_t i = m->n; i-- > 0;)
        if (memcmp(m->ids[i], head->trace_id, 16) == 0) return true;
    m->too_many = m->n == RS_LIVE_NOTES || ++m->looked > RESUME_SPANS;
    if (!m->too_many) memcpy(m->ids[m->n++], head->trace_id, 16);
    return !m->too_many;
}

/* What has changed since the event that it saw last, oldest first; or that it is to list again. */
static void catch_up(rs_live *live, listener *l, uint64_t since, uint64_t newest) {
    missed *m = calloc(1, sizeof *m);
    rs_err err = {0};
    rs_span_scan scan = {.depth = RS_READ_HEADS};
    rs_status st = m ? RS_OK : RS_ERR_MEMORY;
    if (m) m->since = since;
    if (m) st = rs_store_scan_spans(live->store, l->project, &scan, take_missed, m, &err);
    if (st != RS_OK || m->too_many || since > newest) {
        pthread_mutex_lock(&live->lock);
        drop_all(l);
        pthread_mutex_unlock(&live->lock);
    } else {
        for (size_t i = m->n; i-- > 0;) tell(live, m->ids[i], &l, 1);
    }
    free(m);
}

/* ---- the live thread ----------------------------------------------------------------------------------- */

/* Under the lock: whoever was sent nothing for long; the others are woken to be asked who they are. */
static void beat(rs_live *live) {
    uint64_t now = rs_clock_mono_ns();
    for (listener *l = live->first; l; l = l->next) {
        if (l->waits && now - l->said_ns >= HEARTBEAT_MS * 1000000ull) put_comment(l);
        else if (l->waits && now - l->woken_ns >= ASK_MS * 1000000ull) resume(l);
    }
}

/* More has changed than can be told. */
static void reset(rs_live *live, uint64_t project) {
    pthread_mutex_lock(&live->lock);
    for (listener *l = live->first; l; l = l->next) {
        if (l->project != project) continue;
        drop_all(l);
        resume(l);
    }
    pthread_mutex_unlock(&live->lock);
}

/* What the live thread works with. */
typedef struct desk {
    uint64_t projects[LISTENERS];
    uint8_t notes[RS_LIVE_NOTES][16];
    listener *all[LISTENERS];
} desk;

static void tick(rs_live *live, desk *d) {
    rs_live_expire(live);
    size_t n = rs_live_notes_projects(&live->notes, d->projects, LISTENERS);
    for (size_t i = 0; i < n; i++) {
        bool overflowed;
        size_t notes = rs_live_notes_take(&live->notes, d->projects[i], d->notes, &overflowed);
        if (overflowed) {
            reset(live, d->projects[i]);
            continue;
        }
        size_t listeners = hold_listeners(live, d->projects[i], d->all);
        if (listeners == 0) continue;
        for (size_t k = 0; k < notes; k++) tell(live, d->notes[k], d->all, listeners);
        let_go_of(live, d->projects[i], d->all, listeners);
    }
}

static void wait_a_tick(rs_live *live) {
    struct timespec until;
    bool is_heard = live->first != NULL;
    if (!is_heard && rs_open_table_is_idle(live->open)) {
        pthread_cond_wait(&live->wake, &live->lock);
        return;
    }
    long ms = is_heard ? LIVE_TICK_MS : EXPIRE_MS;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000L;
    if (until.tv_nsec >= 1000000000L) until.tv_sec++, until.tv_nsec -= 1000000000L;
    while (!live->stopping && is_heard == (live->first != NULL) &&
           pthread_cond_timedwait(&live->wake, &live->lock, &until) != ETIMEDOUT) {
    }
}

static void *run(void *arg) {
    rs_live *live = arg;
    pthread_mutex_lock(&live->lock);
    while (!live->stopping) {
        wait_a_tick(live);
        if (live->stopping) break;
        beat(live);
        pthread_mutex_unlock(&live->lock);
        tick(live, live->desk);
        pthread_mutex_lock(&live->lock);
    }
    pthread_mutex_unlock(&live->lock);
    return NULL;
}

/* ---- its life ------------------------------------------------------------------------------------------ */

rs_status rs_live_start(rs_store *store, rs_open_table *open, rs_live **out, rs_err *err) {
    *out = NULL;
    rs_live *l = calloc(1, sizeof *l);
    if (!l) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    l->store = store;
    l->open = open;
    rs_live_notes_init(&l->notes);
    pthread_mutex_init(&l->lock, NULL);
    rs_clock_cond_init(&l->wake);
    l->desk = malloc(sizeof *l->desk);
    if (l->desk && pthread_create(&l->thread, NULL, run, l) == 0) {
        *out = l;
        return RS_OK;
    }
    l->stopping = true;
    rs_live_free(l);
    return rs_fail(err, RS_ERR_MEMORY, 0, "cannot start the live thread");
}

void rs_live_stop(rs_live *l) {
    if (!l) return;
    pthread_mutex_lock(&l->lock);
    bool was_stopped = l->stopping;
    l->stopping = true;
    for (listener *at = l->first; at; at = at->next) end(at);
    pthread_cond_signal(&l->wake);
    pthread_mutex_unlock(&l->lock);
    if (!was_stopped) pthread_join(l->thread, NULL);
}

void rs_live_free(rs_live *l) {
    if (!l) return;
    free(l->desk);
    pthread_cond_destroy(&l->wake);
    pthread_mutex_destroy(&l->lock);
    rs_live_notes_deinit(&l->notes);
    free(l);
}

/* ---- the handler --------------------------------------------------------------------------------------- */

/* The list's parameters; what they are made of goes with the listener, which may outlive the request. */
static bool read_request(rs_request *req, listener *l, rs_response *res) {
    if (!rs_api_read_list(req, &rs_trace_fields, &l->list, res)) return false;
    const char *not_taken = l->list.sort         ? "sort_by"
                            : l->list.has_cursor ? "cursor"
                            : l->list.page > 1   ? "page"
                                                 : NULL;
    if (not_taken) {
        rs_response_error(res, 400, "invalid", not_taken, "a live list takes no '%s'", not_taken);
        return false;
    }
    l->arena = req->arena;
    rs_arena_init(&req->arena, l->arena.limit);
    return true;
}

static size_t count_of(const rs_live *live, const listener *like, listener **oldest) {
    size_t n = 0;
    for (listener *l = live->first; l; l = l->next) {
        if (l->is_over || l->who.user != like->who.user || l->who.key != like->who.key) continue;
        n++;
        *oldest = l; /* the newest come first */
    }
    return n;
}

/* Under the lock, where there are as many as may be: whoever has the most gives one up, if it has more than this one would. */
static bool make_room(rs_live *live, const listener *comer) {
    listener *oldest = NULL, *of_most = NULL;
    size_t own = count_of(live, comer, &oldest), most = 0;
    for (const listener *l = live->first; l; l = l->next) {
        size_t n = l->is_over ? 0 : count_of(live, l, &oldest);
        if (n > most) most = n, of_most = oldest;
        if (2 * n > LISTENERS) break; /* nobody else has as many */
    }
    if (most < own + 2) return false;
    of_most->is_over = true;
    end(of_most);
    return true;
}

/* False: no more are taken. */
static bool join(rs_live *live, listener *l) {
    pthread_mutex_lock(&live->lock);
    bool may = !live->stopping;
    if (may && __atomic_load_n(&live->listening, __ATOMIC_RELAXED) >= LISTENERS) may = make_room(live, l);
    may = may && rs_live_notes_join(&live->notes, l->project) == RS_OK;
    if (may) {
        __atomic_fetch_add(&live->listening, 1, __ATOMIC_RELAXED);
        l->next = live->first;
        live->first = l;
        pthread_cond_signal(&live->wake);
    }
    pthread_mutex_unlock(&live->lock);
    return may;
}

/* A client that is new lists after "ready"; one that comes back is told what it missed before it. */
static void greet(rs_live *live, listener *l, rs_request *req) {
    const char *last = rs_request_header(req, "Last-Event-ID");
    unsigned long long since;
    bool comes_back = last && rs_str_to_u64(rs_str_of(last), &since);
    uint64_t newest = newest_number(live, l->project);
    pthread_mutex_lock(&live->lock);
    rs_buf_printf(&l->buffer, "retry: %d\n\n", RETRY_MS);
    live->held += l->buffer.n;
    l->number = comes_back ? since : newest;
    pthread_mutex_unlock(&live->lock);
    if (comes_back) catch_up(live, l, since, newest);
    pthread_mutex_lock(&live->lock);
    l->number = newest;
    put_event(l, "ready", RS_STR("{}"));
    pthread_mutex_unlock(&live->lock);
}

void rs_live_listen(rs_server *server, rs_request *req, rs_response *res) {
    rs_live *live = server->live;
    listener *l = calloc(1, sizeof *l);
    if (l) *l = (listener){.live = live, .req = req, .project = req->project, .who = req->who, .holds = 1};
    if (l && !read_request(req, l, res)) {
        free(l);
        return;
    }
    if (!l || !join(live, l)) {
        rs_response_error(res, 503, "unavailable", NULL,
                          "too many listen already, or the server is shutting down");
        if (l) let_go(l);
        return;
    }
    l->said_ns = rs_clock_mono_ns();
    greet(live, l, req);
    res->content_type = "text/event-stream";
    rs_response_header(res, "Cache-Control", "no-store");
    rs_response_header(res, "X-Accel-Buffering", "no");
    res->stream = (rs_stream){next_events, leave, l};
}
