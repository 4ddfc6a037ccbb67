#include "server/open_table.h"

#include "base/clock.h"
#include "base/ids.h"
#include "base/xxh.h"
#include "normalize/normalize.h"
#include "otlp/decode.h"
#include "otlp/encode.h"

#include <pthread.h>
#include <stdlib.h>

enum {
    BUCKETS = 4096,
    PART = 4, /* of what there is, one project has such a part at most */
};
static const uint64_t ttl_ns = RS_OPEN_TTL_S * 1000000000ull;

/* Those of a trace are in one bucket. */
typedef struct entry {
    struct entry *next;
    uint64_t project, start_ns, heard_ns;
    uint8_t trace_id[16], span_id[8];
    char environment[RS_ENVIRONMENT_MAX];
    size_t n;
    char bytes[];
} entry;

typedef struct usage {
    uint64_t project;
    size_t spans, bytes;
} usage;

typedef struct deleted {
    uint64_t project, heard_ns;
    uint8_t trace_id[16];
} deleted;

struct rs_open_table {
    pthread_mutex_t lock;
    uint64_t seed;
    size_t n; /* atomic; written under the lock */
    size_t bytes;
    entry *buckets[BUCKETS];
    usage *of; /* each project that has some */
    size_t projects, projects_cap;
    size_t ndeleted; /* atomic; written under the lock */
    deleted deleted[RS_OPEN_DELETED];
};

rs_status rs_open_table_new(rs_open_table **out, rs_err *err) {
    rs_open_table *t = *out = calloc(1, sizeof *t);
    if (!t) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    t->seed = rs_id_random();
    pthread_mutex_init(&t->lock, NULL);
    return RS_OK;
}

void rs_open_table_free(rs_open_table *t) {
    if (!t) return;
    for (size_t i = 0; i < BUCKETS; i++)
        for (entry *e = t->buckets[i], *next; e; e = next) {
            next = e->next;
            free(e);
        }
    free(t->of);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

size_t rs_open_table_count(const rs_open_table *t) { return __atomic_load_n(&t->n, __ATOMIC_RELAXED); }

bool rs_open_table_is_idle(const rs_open_table *t) {
    return rs_open_table_is_empty(t) && __atomic_load_n(&t->ndeleted, __ATOMIC_RELAXED) == 0;
}

/* ---- entries: under the lock --------------------------------------------------------------------------- */

static entry **bucket_of(rs_open_table *t, uint64_t project, const uint8_t trace_id[16]) {
    return &t->buckets[XXH3_64bits_withSeed(trace_id, 16, t->seed ^ project) % BUCKETS];
}

static bool is_of(const entry *e, uint64_t project, const uint8_t trace_id[16]) {
    return e->project == project && memcmp(e->trace_id, trace_id, 16) == 0;
}

static usage *usage_of(rs_open_table *t, uint64_t project, bool make) {
    for (size_t i = 0; i < t->projects; i++)
        if (t->of[i].project == project) return &t->of[i];
    if (!make) return NULL;
    if (t->projects == t->projects_cap) {
        size_t cap = t->projects_cap ? 2 * t->projects_cap : 8;
        usage *more = realloc(t->of, cap * sizeof *more);
        if (!more) return NULL;
        t->of = more;
        t->projects_cap = cap;
    }
    t->of[t->projects] = (usage){.project = project};
    return &t->of[t->projects++];
}

/* *at goes, and what stood behind it stands there. */
static void drop(rs_open_table *t, entry **at) {
    entry *e = *at;
    usage *u = usage_of(t, e->project, false);
    *at = e->next;
    __atomic_store_n(&t->n, t->n - 1, __ATOMIC_RELAXED);
    t->bytes -= e->n;
    if (u) {
        u->bytes -= e->n;
        if (--u->spans == 0) *u = t->of[--t->projects];
    }
    free(e);
}

static bool has_room(const rs_open_table *t, const usage *u, size_t of_trace, size_t spans, size_t bytes) {
    return of_trace + spans <= RS_OPEN_OF_TRACE && t->n + spans <= RS_OPEN_SPANS &&
           u->spans + spans <= RS_OPEN_SPANS / PART && t->bytes + bytes <= RS_OPEN_BYTES &&
           u->bytes + bytes <= RS_OPEN_BYTES / PART;
}

/* Puts `fresh` in, for what is there of it. */
static rs_status put(rs_open_table *t, entry *fresh, rs_open_news *news) {
    entry **first = bucket_of(t, fresh->project, fresh->trace_id), **had = NULL;
    size_t of_trace = 0;
    for (entry **at = first; *at; at = &(*at)->next) {
        if (!is_of(*at, fresh->project, fresh->trace_id)) continue;
        of_trace++;
        if (memcmp((*at)->span_id, fresh->span_id, 8) == 0) had = at;
    }
    usage *u = usage_of(t, fresh->project, true);
    if (!u) return RS_ERR_MEMORY;
    size_t less = had ? (*had)->n : 0, more = fresh->n > less ? fresh->n - less : 0;
    if (!has_room(t, u, of_trace, !had, more)) {
        if (u->spans == 0) *u = t->of[--t->projects];
        return RS_ERR_FULL;
    }
    u->spans++;
    u->bytes += fresh->n;
    t->bytes += fresh->n;
    __atomic_store_n(&t->n, t->n + 1, __ATOMIC_RELAXED);
    if (had) drop(t, had);
    fresh->next = *first;
    *first = fresh;
    *news = had ? RS_OPEN_CHANGED : RS_OPEN_NEW;
    return RS_OK;
}

/* ---- deleted traces: under the lock -------------------------------------------------------------------- */

static deleted *deleted_of(rs_open_table *t, uint64_t project, const uint8_t trace_id[16]) {
    for (size_t i = 0; i < t->ndeleted; i++)
        if (t->deleted[i].project == project && memcmp(t->deleted[i].trace_id, trace_id, 16) == 0)
            return &t->deleted[i];
    return NULL;
}

static void set_ndeleted(rs_open_table *t, size_t n) { __atomic_store_n(&t->ndeleted, n, __ATOMIC_RELAXED); }

static void remember(rs_open_table *t, uint64_t project, const uint8_t trace_id[16]) {
    deleted *d = deleted_of(t, project, trace_id);
    if (!d && t->ndeleted < RS_OPEN_DELETED) {
        d = &t->deleted[t->ndeleted];
        set_ndeleted(t, t->ndeleted + 1);
    } else if (!d) {
        d = t->deleted;
        for (size_t i = 1; i < RS_OPEN_DELETED; i++)
            if (t->deleted[i].heard_ns < d->heard_ns) d = &t->deleted[i];
    }
    *d = (deleted){.project = project, .heard_ns = rs_clock_mono_ns()};
    memcpy(d->trace_id, trace_id, sizeof d->trace_id);
}

static void unremember(rs_open_table *t, deleted *d) {
    *d = t->deleted[t->ndeleted - 1];
    set_ndeleted(t, t->ndeleted - 1);
}

/* It is still spoken of. */
static bool is_deleted(rs_open_table *t, uint64_t project, const uint8_t trace_id[16], uint64_t now_ns) {
    deleted *d = deleted_of(t, project, trace_id);
    if (!d || now_ns >= d->heard_ns + ttl_ns) return false;
    if (d->heard_ns < now_ns) d->heard_ns = now_ns;
    return true;
}

/* ---- what comes ---------------------------------------------------------------------------------------- */

static bool says_nothing(const rs_span *s) { return s->name.n == 0 && s->attrs.n == 0 && s->nevents == 0; }

static rs_status hear(rs_open_table *t, uint64_t project, const rs_span *span, uint64_t now_ns) {
    pthread_mutex_lock(&t->lock);
    rs_status st = is_deleted(t, project, span->trace_id, now_ns) ? RS_OK : RS_ERR_NOT_FOUND;
    for (entry *e = *bucket_of(t, project, span->trace_id); e; e = e->next)
        if (is_of(e, project, span->trace_id) && memcmp(e->span_id, span->span_id, 8) == 0) {
            e->heard_ns = now_ns;
            st = RS_OK;
            break;
        }
    pthread_mutex_unlock(&t->lock);
    return st;
}

static rs_status encode(const rs_span *span, rs_buf *out) {
    rs_buf body, resource, scope;
    rs_buf_init(&body);
    rs_buf_init(&resource);
    rs_buf_init(&scope);
    rs_otlp_encode_span(&body, span);
    rs_otlp_encode_resource(&resource, span->resource);
    rs_otlp_encode_scope(&scope, span->scope);
    rs_str spans[] = {rs_buf_slice(&body)};
    rs_otlp_encode_request(out, rs_buf_slice(&resource), rs_buf_slice(&scope), spans, 1);
    bool ok = rs_buf_status(&body) == RS_OK && rs_buf_status(&resource) == RS_OK &&
              rs_buf_status(&scope) == RS_OK && rs_buf_status(out) == RS_OK;
    rs_buf_deinit(&body);
    rs_buf_deinit(&resource);
    rs_buf_deinit(&scope);
    return ok ? RS_OK : RS_ERR_MEMORY;
}

rs_status rs_open_table_put(rs_open_table *t, uint64_t project, const rs_span *span, const char *environment,
                            uint64_t now_ns, rs_open_news *news) {
    *news = RS_OPEN_NOTHING;
    if (span->end_ns) return RS_ERR_INVALID;
    if (says_nothing(span)) return hear(t, project, span, now_ns);
    rs_buf bytes;
    rs_buf_init(&bytes);
    rs_status st = encode(span, &bytes);
    entry *e = st == RS_OK ? malloc(sizeof *e + bytes.n) : NULL;
    if (!e) st = RS_ERR_MEMORY;
    if (st == RS_OK) {
        *e = (entry){.project = project, .start_ns = span->start_ns, .heard_ns = now_ns, .n = bytes.n};
        memcpy(e->trace_id, span->trace_id, sizeof e->trace_id);
        memcpy(e->span_id, span->span_id, sizeof e->span_id);
        memcpy(e->environment, environment, strnlen(environment, sizeof e->environment - 1));
        memcpy(e->bytes, bytes.p, bytes.n);
        pthread_mutex_lock(&t->lock);
        if (!is_deleted(t, project, span->trace_id, now_ns)) st = put(t, e, news);
        pthread_mutex_unlock(&t->lock);
    }
    if (*news == RS_OPEN_NOTHING) free(e);
    rs_buf_deinit(&bytes);
    return st;
}

/* ---- what goes ----------------------------------------------------------------------------------------- */

void rs_open_table_ended(rs_open_table *t, const rs_store_batch *batch) {
    if (rs_open_table_is_idle(t)) return;
    pthread_mutex_lock(&t->lock);
    for (size_t i = 0; i < batch->n; i++) {
        const rs_span *s = &batch->spans[i];
        deleted *again = deleted_of(t, batch->project, s->trace_id);
        if (again) unremember(t, again);
        for (entry **at = bucket_of(t, batch->project, s->trace_id); *at; at = &(*at)->next)
            if (is_of(*at, batch->project, s->trace_id) && memcmp((*at)->span_id, s->span_id, 8) == 0) {
                drop(t, at);
                break;
            }
    }
    pthread_mutex_unlock(&t->lock);
}

size_t rs_open_table_forget(rs_open_table *t, uint64_t project, const uint8_t (*ids)[16], size_t n) {
    size_t had = 0;
    if (rs_open_table_is_empty(t)) return 0;
    pthread_mutex_lock(&t->lock);
    for (size_t i = 0; i < n; i++) {
        size_t before = t->n;
        for (entry **at = bucket_of(t, project, ids[i]); *at;)
            if (is_of(*at, project, ids[i])) drop(t, at);
            else at = &(*at)->next;
        if (t->n == before) continue;
        had++;
        remember(t, project, ids[i]);
    }
    pthread_mutex_unlock(&t->lock);
    return had;
}

void rs_open_table_forget_project(rs_open_table *t, uint64_t project) {
    pthread_mutex_lock(&t->lock);
    for (size_t i = 0; i < BUCKETS && usage_of(t, project, false); i++)
        for (entry **at = &t->buckets[i]; *at;)
            if ((*at)->project == project) drop(t, at);
            else at = &(*at)->next;
    pthread_mutex_unlock(&t->lock);
}

static void tell(const entry *e, rs_open_trace *out) {
    *out = (rs_open_trace){.project = e->project, .start_ns = e->start_ns};
    memcpy(out->trace_id, e->trace_id, sizeof out->trace_id);
}

size_t rs_open_table_expire(rs_open_table *t, uint64_t now_ns, rs_open_trace *out, size_t most) {
    size_t told = 0;
    bool is_full = false;
    if (rs_open_table_is_idle(t)) return 0;
    pthread_mutex_lock(&t->lock);
    for (size_t i = t->ndeleted; i-- > 0;)
        if (now_ns >= t->deleted[i].heard_ns + ttl_ns) unremember(t, &t->deleted[i]);
    for (size_t i = 0; i < BUCKETS && t->n > 0 && !is_full; i++)
        for (entry **at = &t->buckets[i]; *at && !is_full;) {
            entry *e = *at;
            if (now_ns < e->heard_ns + ttl_ns) {
                at = &e->next;
                continue;
            }
            bool is_told = told > 0 && is_of(e, out[told - 1].project, out[told - 1].trace_id);
            is_full = most > 0 && told == most && !is_told;
            if (is_full) break;
            if (most > 0 && !is_told) tell(e, &out[told++]);
            drop(t, at);
        }
    pthread_mutex_unlock(&t->lock);
    return told;
}

/* ---- what is asked ------------------------------------------------------------------------------------- */

/* Requests one behind the other are one request of all their spans. */
typedef struct copies {
    rs_arena *arena;
    rs_buf bytes;
    rs_str *environments;
    size_t n, cap;
    bool no_memory;
} copies;

static void copy(copies *c, const entry *e) {
    rs_str environment = rs_arena_copy(c->arena, rs_str_of(e->environment));
    if (!environment.p || !rs_arena_grow(c->arena, (void **)&c->environments, c->n, &c->cap, sizeof(rs_str)))
        c->no_memory = true;
    else c->environments[c->n++] = environment;
    rs_buf_put(&c->bytes, e->bytes, e->n);
}

/* Takes c->bytes. */
static rs_status decode(copies *c, rs_spans *out, rs_err *err) {
    rs_str body = rs_arena_copy(c->arena, rs_buf_slice(&c->bytes));
    bool ok = body.p && !c->no_memory && rs_buf_status(&c->bytes) == RS_OK;
    rs_buf_deinit(&c->bytes);
    *out = (rs_spans){0};
    if (!ok) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    rs_status st = c->n ? rs_otlp_decode_protobuf(body, c->arena, out, err) : RS_OK;
    for (size_t i = 0; i < out->n && st == RS_OK; i++) {
        rs_span *s = &out->items[i];
        st = rs_normalize_for_store(s, c->arena);
        s->running = true;
        if (!s->facts.environment.n && i < c->n) s->facts.environment = c->environments[i];
    }
    if (st != RS_OK && err && err->code == RS_OK) rs_fail(err, st, 0, "%s", rs_status_text(st));
    return st;
}

static copies copies_in(rs_arena *arena) {
    copies c = {.arena = arena};
    rs_buf_init(&c.bytes);
    return c;
}

rs_status rs_open_table_read(rs_open_table *t, uint64_t project, const uint8_t trace_id[16], rs_arena *arena,
                             rs_spans *out, rs_err *err) {
    *out = (rs_spans){0};
    if (rs_open_table_is_empty(t)) return RS_OK;
    copies c = copies_in(arena);
    uint64_t now = rs_clock_mono_ns();
    pthread_mutex_lock(&t->lock);
    for (const entry *e = *bucket_of(t, project, trace_id); e; e = e->next)
        if (is_of(e, project, trace_id) && now < e->heard_ns + ttl_ns) copy(&c, e);
    pthread_mutex_unlock(&t->lock);
    return decode(&c, out, err);
}

rs_status rs_open_table_read_span(rs_open_table *t, uint64_t project, const uint8_t *trace_id,
                                  const uint8_t span_id[8], rs_arena *arena, rs_span *out, rs_err *err) {
    rs_spans spans;
    if (rs_open_table_is_empty(t)) return RS_ERR_NOT_FOUND;
    copies c = copies_in(arena);
    uint64_t now = rs_clock_mono_ns();
    entry **only = trace_id ? bucket_of(t, project, trace_id) : NULL;
    pthread_mutex_lock(&t->lock);
    for (size_t i = 0; i < BUCKETS && c.n == 0; i++)
        for (const entry *e = only ? *only : t->buckets[i]; e && c.n == 0; e = e->next)
            if (e->project == project && memcmp(e->span_id, span_id, 8) == 0 &&
                (!trace_id || memcmp(e->trace_id, trace_id, 16) == 0) && now < e->heard_ns + ttl_ns)
                copy(&c, e);
    pthread_mutex_unlock(&t->lock);
    rs_status st = decode(&c, &spans, err);
    if (st == RS_OK && spans.n == 0) st = RS_ERR_NOT_FOUND;
    if (st == RS_OK) *out = spans.items[0];
    return st;
}

static int newest_first(const void *a, const void *b) {
    const rs_open_trace *x = a, *y = b;
    return (x->start_ns < y->start_ns) - (x->start_ns > y->start_ns);
}

rs_status rs_open_table_list(rs_open_table *t, uint64_t project, rs_arena *arena, rs_open_trace **out,
                             size_t *n, rs_err *err) {
    size_t cap = 0;
    bool ok = true;
    uint64_t now = rs_clock_mono_ns();
    *out = NULL;
    *n = 0;
    if (rs_open_table_is_empty(t)) return RS_OK;
    pthread_mutex_lock(&t->lock);
    for (size_t i = 0; i < BUCKETS && ok && usage_of(t, project, false); i++) {
        size_t from = *n; /* of this bucket */
        for (const entry *e = t->buckets[i]; e && ok; e = e->next) {
            if (e->project != project || now >= e->heard_ns + ttl_ns) continue;
            size_t at = from;
            while (at < *n && memcmp((*out)[at].trace_id, e->trace_id, 16) != 0) at++;
            if (at == *n) {
                ok = rs_arena_grow(arena, (void **)out, *n, &cap, sizeof **out);
                if (ok) tell(e, &(*out)[(*n)++]);
            } else if (e->start_ns < (*out)[at].start_ns) {
                (*out)[at].start_ns = e->start_ns;
            }
        }
    }
    pthread_mutex_unlock(&t->lock);
    if (!ok) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    if (*n) qsort(*out, *n, sizeof **out, newest_first);
    return RS_OK;
}
