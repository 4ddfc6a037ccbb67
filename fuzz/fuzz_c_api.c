/* A program over the public C API in any order: the input's bytes are its statements. Its server is in this process and
 * answers as the input says; nothing else is ever reached. What holds is in c_api_model.h.
 *
 * Input: eight bytes that choose the server's answers, one for how patient the program is and how requests are
 * compressed, then statements of twelve: what to do, and operands. */
#include "c_api_home.h"
#include "c_api_model.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Under these the child of a process with threads may hang in the sanitizer itself. */
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define CAN_FORK false
#elif defined(__has_feature)
#define CAN_FORK !(__has_feature(thread_sanitizer) || __has_feature(address_sanitizer))
#else
#define CAN_FORK true
#endif

enum {
    ANSWERS = 8,
    STATEMENT = 12,
    STATEMENTS_MAX = 300,
    HANDED_MAX = 8,
    THREADS_MAX = 8,
    CHILDREN_MAX = 2,
    WAIT_MAX_MS = 400,
    WAIT_MS = 30
};

typedef struct hand_over {
    pthread_t thread;
    int spans[HANDED_MAX];
    respan_span *taken[HANDED_MAX];
    uint64_t end_ns[HANDED_MAX];
    int n;
} hand_over;

typedef struct program {
    const uint8_t *at, *end;
    model m;
    fake_http *server;
    fake_answer script[ANSWERS + 1];
    hand_over threads[THREADS_MAX];
    int nthreads, children;
    uint32_t wait_ms; /* left */
} program;

/* ---- operands ------------------------------------------------------------------------------------------ */

static unsigned byte(program *p) { return p->at < p->end ? *p->at++ : 0; }

static uint32_t length(program *p) {
    static const uint32_t lengths[] = {0, 1, 2, 8, 100, 512, 520, 5000, 70000};
    return lengths[byte(p) % RS_ARRAY_LEN(lengths)];
}

static uint64_t a_time(program *p) {
    static const uint64_t times[] = {0, 0, 1, 1000, INT64_MAX, 1ull << 63, UINT64_MAX, 1700000000000000000};
    return times[byte(p) % RS_ARRAY_LEN(times)];
}

/* All waits of an input together are bounded, and short but in one of eight, so that fuzzing is not waiting. */
static uint32_t patience(program *p) {
    static const uint32_t waits[] = {0, 0, 1, 10, 30, 250};
    uint32_t ms = waits[byte(p) % RS_ARRAY_LEN(waits)];
    if (ms > p->wait_ms) ms = p->wait_ms;
    p->wait_ms -= ms;
    return ms;
}

static text_spec a_text(program *p) {
    unsigned b = byte(p);
    text_spec t = {.kind = b % TEXT_KINDS, .n = length(p), .is_null = b >= 240};
    if (t.kind == TEXT_WIDE) t.n -= t.n % 2;
    return t;
}

static value_spec a_value(program *p) {
    unsigned b = byte(p);
    value_spec v = {.type = (respan_type)(1 + b % 8), .no_items = b >= 240};
    if (v.type == RESPAN_TYPE_STRING || v.type == RESPAN_TYPE_STRING_ARRAY) v.text = a_text(p);
    v.number = (int64_t)byte(p) - 128;
    v.count = byte(p) % (ITEMS_MAX + 1);
    return v;
}

/* ---- clients ------------------------------------------------------------------------------------------- */

static model_client *open_client_of(program *p, unsigned which, int *number) {
    for (int i = 0; i < p->m.nclients; i++) {
        int k = (int)((which + (unsigned)i) % (unsigned)p->m.nclients);
        if (!p->m.clients[k].client) continue;
        *number = k;
        return &p->m.clients[k];
    }
    return NULL;
}

static void refuse(const respan_config *config, const char *what) {
    respan_client *c = (respan_client *)&c;
    respan_error e;
    must(respan_client_open(config, &c, &e) == RESPAN_ERR_INVALID && !c, what);
    must(e.code == RESPAN_ERR_INVALID && e.message[0] && memchr(e.message, 0, sizeof e.message),
         "no message");
    must(respan_client_open(config, &c, NULL) == RESPAN_ERR_INVALID && !c, what);
    must(respan_client_open(config, NULL, NULL) == RESPAN_ERR_INVALID, what);
}

static void open_refused(program *p) {
    static const char *const urls[] = {"",
                                       "x",
                                       "ftp://host",
                                       "http://",
                                       "http://:1",
                                       "http:///api",
                                       "https://a b",
                                       "http://a?b",
                                       "http://u:p@host/",
                                       "http://a\x7f",
                                       "http://a#b",
                                       "HTTP://"};
    static const respan_header headers[] = {{NULL, "v"},  {"n", NULL},   {"", "v"},
                                            {"a b", "v"}, {"n", "a\nb"}, {"n:", ""}};
    respan_header many[65];
    for (size_t i = 0; i < RS_ARRAY_LEN(many); i++) many[i] = (respan_header){"n", "v"};
    respan_config config;
    respan_config_init(&config);
    config.base_url = DEAD_URL;
    unsigned which = byte(p);
    switch (byte(p) % 5) {
    case 0:
        config.base_url = urls[which % RS_ARRAY_LEN(urls)];
        break;
    case 1:
        config.api_key = "key\n";
        break;
    case 2:
        config.headers = &headers[which % RS_ARRAY_LEN(headers)];
        config.header_count = 1;
        break;
    case 3:
        config.headers = many;
        config.header_count = RS_ARRAY_LEN(many);
        break;
    default:
        config.size = which % 2 ? 0 : sizeof config + 1;
    }
    refuse(&config, "a malformed configuration was taken");
}

static void choose_bounds(program *p, respan_config *config, model_client *c) {
    static const size_t sizes[] = {0, 0, 0, 1, 300, 5000, 200000};
    static const uint32_t intervals[] = {1, 1, 5, 0, 100000};
    static const uint64_t spools[] = {64 << 20, 64 << 20, 0, 0, 1, 70000, 1 << 20, UINT64_MAX};
    config->ring_bytes = sizes[byte(p) % RS_ARRAY_LEN(sizes)];
    config->batch_spans = byte(p) % 5;
    config->batch_bytes = sizes[byte(p) % RS_ARRAY_LEN(sizes)];
    config->batch_interval_ms = intervals[byte(p) % RS_ARRAY_LEN(intervals)];
    config->max_content_bytes = sizes[byte(p) % RS_ARRAY_LEN(sizes)];
    config->spool_bytes = spools[byte(p) % RS_ARRAY_LEN(spools)];
    if (byte(p) % 4 == 0) config->request_timeout_ms = 20;
    c->max_content = config->max_content_bytes ? config->max_content_bytes : 4 << 20;
    c->may_repeat = config->request_timeout_ms == 20;
    p->m.may_prune |= config->spool_bytes && config->spool_bytes < 64 << 20;
}

static void open_client(program *p) {
    if (p->m.nclients == CLIENTS_MAX) return;
    model_client *c = &p->m.clients[p->m.nclients];
    *c = (model_client){0};
    respan_attribute resource = {{RESPAN_TEXT("r\xfe")}, RESPAN_TYPE_STRING, {.string = {NULL, 7}}};
    respan_header headers[] = {{"x-empty", ""}, {"x-one", "1"}};
    respan_config config;
    respan_config_init(&config);
    config.quiet = true;
    config.api_key = "k";
    choose_bounds(p, &config, c);
    unsigned b = byte(p);
    c->reaches_server = b % 4 != 0;
    config.base_url = c->reaches_server ? fake_http_url(p->server) : b & 4 ? "https://127.0.0.1:1" : NULL;
    config.app_name = b & 8 ? "second \xff" : b & 16 ? "" : "first";
    c->has_environment = b & 32;
    config.environment = c->has_environment ? "test\xff" : NULL;
    if (b & 64) config.resource_attributes = &resource, config.resource_attribute_count = 1;
    if (b & 128) config.headers = headers, config.header_count = 2;
    if (byte(p) % 4 == 0) config.scope_name = "scope\xff", config.scope_version = "";
    must(respan_client_open(&config, &c->client, NULL) == RESPAN_OK && c->client,
         "a sound configuration was refused");
    p->m.nclients++;
}

/* Its spans that other threads end now may be in time or not. */
static void close_client(program *p, model_client *c, int number, uint32_t timeout_ms) {
    for (int i = 0; i < p->m.nspans; i++)
        if (p->m.spans[i].client == number && p->m.spans[i].state == SPAN_HANDED)
            p->m.spans[i].state = SPAN_MAYBE;
    respan_status st = respan_client_close(c->client, timeout_ms, &c->last);
    c->client = NULL;
    must(c->last.pending == 0, "spans are pending after close");
    model_check_stats(c, &c->last);
    must(memchr(c->last.last_error, 0, sizeof c->last.last_error) != NULL, "last_error has no end");
    if (st == RESPAN_ERR_TIMEOUT || c->last.kept || c->last.dropped) c->may_repeat = true;
}

static void ask_client(program *p, model_client *c, unsigned what) {
    respan_stats s;
    if (what % 2) {
        respan_client_stats(c->client, &s);
        model_check_stats(c, &s);
        return;
    }
    respan_status st = respan_client_flush(c->client, patience(p));
    must(st == RESPAN_OK || st == RESPAN_ERR_TIMEOUT || st == RESPAN_ERR_REFUSED,
         "flush gave another status");
    respan_client_stats(c->client, &s);
    must(st == RESPAN_ERR_TIMEOUT || s.pending == 0 || c->maybe, "flush left spans behind");
}

/* ---- spans --------------------------------------------------------------------------------------------- */

static model_span *open_span_of(program *p, unsigned which) {
    model *m = &p->m;
    for (int i = 0; i < m->nspans; i++) {
        model_span *s = &m->spans[(which + (unsigned)i) % (unsigned)m->nspans];
        if (s->state == SPAN_OPEN) return s;
    }
    return NULL;
}

static void start_span(program *p, unsigned which) {
    int number = -1;
    if (!open_client_of(p, which, &number)) open_client(p);
    model_client *c = open_client_of(p, which, &number);
    if (!c || p->m.nspans == SPANS_MAX) return;
    model_span *s = &p->m.spans[p->m.nspans], *parent = NULL;
    respan_span_context context = {0};
    unsigned kinship = byte(p);
    if (kinship % 3 == 1 && p->m.nspans) parent = &p->m.spans[kinship % (unsigned)p->m.nspans];
    if (parent) context = parent->context;
    *s = (model_span){
        .client = number, .set = -1, .kind = RESPAN_KIND_INTERNAL, .name = a_text(p), .start_ns = a_time(p)};
    char *name = text_make(&s->name);
    s->span = respan_span_start(c->client, s->name.is_null ? NULL : name, s->name.n,
                                kinship % 3 ? &context : NULL, s->start_ns);
    free(name);
    must(s->span != NULL, "no span");
    s->context = respan_span_get_context(s->span);
    if (parent) {
        s->has_parent = true;
        memcpy(s->parent_id, parent->context.span_id, 8);
        must(memcmp(s->context.trace_id, parent->context.trace_id, 16) == 0, "not in its parent's trace");
    }
    c->started++;
    p->m.nspans++;
}

static void end_span(program *p, model_span *s) {
    model_client *c = &p->m.clients[s->client];
    s->end_ns = a_time(p);
    s->state = c->client ? SPAN_ENDED : SPAN_LATE;
    c->ended += c->client != NULL;
    respan_span_end(s->span, s->end_ns);
    s->span = NULL;
}

static void set_attributes(program *p, model_span *s) {
    int k = (int)(byte(p) % KEYS);
    value_spec v = a_value(p);
    value_set(s->span, &v, key_text(k, byte(p)));
    s->own[k] = v;
}

static void set_part(program *p, model_span *s) {
    static const respan_span_kind kinds[] = {RESPAN_KIND_INTERNAL, RESPAN_KIND_SERVER,   RESPAN_KIND_CLIENT,
                                             RESPAN_KIND_PRODUCER, RESPAN_KIND_CONSUMER, (respan_span_kind)99,
                                             (respan_span_kind)0};
    unsigned what = byte(p) % 3;
    if (what == 2) {
        respan_span_kind kind = kinds[byte(p) % RS_ARRAY_LEN(kinds)];
        respan_span_set_kind(s->span, kind);
        if (kind >= RESPAN_KIND_INTERNAL && kind <= RESPAN_KIND_CONSUMER) s->kind = kind;
        return;
    }
    text_spec t = a_text(p);
    char *text = text_make(&t);
    if (what == 0) {
        respan_span_set_name(s->span, t.is_null ? NULL : text, t.n);
        s->name = t;
    } else {
        s->status = (respan_status_code)(byte(p) % 3);
        respan_span_set_status(s->span, s->status, t.is_null ? NULL : text, t.n);
        s->message = s->status == RESPAN_STATUS_ERROR ? t : (text_spec){0};
    }
    free(text);
}

static void add_part(program *p, model_span *s) {
    unsigned b = byte(p);
    value_spec v = a_value(p);
    built_value one;
    value_build(&one, &v, key_text((int)(b % KEYS), b / KEYS));
    respan_attribute *attributes = b >= 250 ? NULL : &one.attribute;
    if (b % 2) {
        char *name = text_make(&v.text);
        respan_span_add_event(s->span, v.text.is_null ? NULL : name, v.text.n, a_time(p), attributes, 1);
        free(name);
        s->events++;
    } else {
        respan_span_context none = {0};
        const model_span *to = &p->m.spans[byte(p) % (unsigned)p->m.nspans];
        respan_span_add_link(s->span, b % 16 == 0 ? &none : &to->context, attributes, 1);
        s->links += b % 16 != 0;
    }
    free(one.text);
}

/* Another span's trace and an id that no other span has; or one that is no id. */
static void set_context(program *p, model_span *s) {
    respan_span_context context = p->m.spans[byte(p) % (unsigned)p->m.nspans].context;
    int number = (int)(s - p->m.spans);
    memcpy(context.span_id, (uint8_t[8]){0xff, (uint8_t)number, (uint8_t)(number >> 8), 1, 2, 3, 4, 5}, 8);
    if (byte(p) % 4 == 0) {
        memset(context.span_id, 0, 8);
        respan_span_set_context(s->span, &context);
        return;
    }
    respan_span_set_context(s->span, &context);
    s->context = context;
    respan_span_context now = respan_span_get_context(s->span);
    must(memcmp(&now, &context, sizeof now) == 0, "set_context had no effect");
}

static void use_set(program *p, model_span *s) {
    unsigned which = byte(p);
    model_set *set = p->m.nsets ? &p->m.sets[which % (unsigned)p->m.nsets] : NULL;
    if (set && !set->set) return;
    respan_span_use(s->span, set ? set->set : NULL);
    s->set = set ? (int)(set - p->m.sets) : -1;
}

static void make_set(program *p) {
    if (p->m.nsets == SETS_MAX) {
        model_set *old = &p->m.sets[byte(p) % SETS_MAX];
        respan_attributes_free(old->set); /* the spans that use it keep it */
        old->set = NULL;
        return;
    }
    model_set *set = &p->m.sets[p->m.nsets++];
    *set = (model_set){0};
    built_value all[4];
    respan_attribute attributes[4];
    size_t n = byte(p) % 5;
    for (size_t i = 0; i < n; i++) {
        int k = (int)(byte(p) % KEYS);
        set->values[k] = a_value(p);
        value_build(&all[i], &set->values[k], key_text(k, byte(p)));
        attributes[i] = all[i].attribute;
    }
    set->set = respan_attributes_new(n ? attributes : NULL, n ? n : byte(p));
    must(set->set != NULL, "no set");
    for (size_t i = 0; i < n; i++) free(all[i].text);
}

/* ---- threads, fork, NULL ------------------------------------------------------------------------------- */

static void *end_handed(void *context) {
    hand_over *h = context;
    for (int i = 0; i < h->n; i++) {
        respan_span_set_int(h->taken[i], RESPAN_TEXT("handed"), i);
        respan_span_end(h->taken[i], h->end_ns[i]);
    }
    return NULL;
}

static void hand_spans(program *p, unsigned which) {
    if (p->nthreads == THREADS_MAX) return;
    hand_over *h = &p->threads[p->nthreads];
    unsigned most = byte(p) % HANDED_MAX + 1;
    h->n = 0;
    for (model_span *s; h->n < (int)most && (s = open_span_of(p, which));) {
        model_client *c = &p->m.clients[s->client];
        s->end_ns = h->end_ns[h->n] = a_time(p);
        s->state = c->client ? SPAN_HANDED : SPAN_LATE;
        c->maybe += c->client != NULL;
        h->spans[h->n] = (int)(s - p->m.spans);
        h->taken[h->n++] = s->span;
        s->span = NULL;
    }
    if (h->n == 0) return;
    must(pthread_create(&h->thread, NULL, end_handed, h) == 0, "thread");
    p->nthreads++;
}

static void join_all(program *p) {
    for (int t = 0; t < p->nthreads; t++) {
        const hand_over *h = &p->threads[t];
        pthread_join(h->thread, NULL);
        for (int i = 0; i < h->n; i++) {
            model_span *s = &p->m.spans[h->spans[i]];
            if (s->state != SPAN_HANDED) continue;
            s->state = SPAN_ENDED;
            p->m.clients[s->client].maybe--;
            p->m.clients[s->client].ended++;
        }
    }
    p->nthreads = 0;
}

/* The child has clients with nothing in them; what is open there is the parent's to send. */
static void be_child(program *p) {
    alarm(30);
    for (int i = 0; i < p->m.nclients; i++) {
        respan_stats s;
        respan_client *c = p->m.clients[i].client;
        if (!c) continue;
        respan_client_stats(c, &s);
        must(!s.started && !s.ended && !s.pending && !s.kept && !s.last_error[0],
             "a child begins with counts");
        respan_span *span = respan_span_start(c, RESPAN_TEXT("child"), NULL, 0);
        respan_span_context own = respan_span_get_context(span);
        memcpy(own.span_id, (uint8_t[])OTHERS_ID, 6);
        respan_span_set_context(span, &own);
        respan_span_end(span, 0);
    }
    for (int i = 0; i < p->m.nspans; i++)
        if (p->m.spans[i].state == SPAN_OPEN) respan_span_end(p->m.spans[i].span, 0);
    for (int i = 0; i < p->m.nclients; i++) {
        respan_stats s;
        if (!p->m.clients[i].client) continue;
        (void)respan_client_close(p->m.clients[i].client, 20, &s);
        must(s.ended == 1 && s.acknowledged + s.rejected + s.dropped + s.kept == 1,
             "a child's counts do not add up");
    }
    _exit(0);
}

static void fork_once(program *p) {
    int status = 0;
    if (!CAN_FORK || p->children++ == CHILDREN_MAX) return;
    pid_t child = fork();
    if (child == 0) be_child(p);
    must(child > 0 && waitpid(child, &status, 0) == child && status == 0, "a child of fork failed");
}

static void do_nothing(program *p) {
    respan_stats s;
    char hex[33];
    respan_client *c;
    respan_config config;
    must(!respan_span_start(NULL, NULL, byte(p), NULL, a_time(p)), "a span of no client");
    respan_span_set_string(NULL, NULL, 1, NULL, 1);
    respan_span_set(NULL, NULL, 1);
    respan_span_add_event(NULL, NULL, 1, 0, NULL, 1);
    respan_span_add_link(NULL, NULL, NULL, 1);
    respan_span_set_context(NULL, NULL);
    respan_span_withhold(NULL);
    respan_span_use(NULL, p->m.nsets ? p->m.sets[0].set : NULL);
    respan_span_end(NULL, 0);
    respan_span_discard(NULL);
    respan_attributes_free(NULL);
    respan_client_stats(NULL, &s);
    must(s.started == 0 && respan_client_flush(NULL, 1000) == RESPAN_OK, "no client has spans");
    must(respan_client_close(NULL, 1000, &s) == RESPAN_OK, "no client cannot be closed");
    respan_trace_id_hex(NULL, hex);
    must(strspn(hex, "0") == 32, "no id is not zero");
    respan_config_init(&config);
    config.size = sizeof config.size; /* a program of a version that had no more */
    must(respan_client_open(byte(p) % 2 ? &config : NULL, &c, NULL) == RESPAN_OK, "defaults were refused");
    must(respan_client_close(c, 0, NULL) == RESPAN_OK, "an unused client cannot be closed");
}

/* ---- the program --------------------------------------------------------------------------------------- */

/* Operands that its bytes do not say are 0, and those it does not use are skipped: so a statement that is changed leaves
 * those behind it as they were. */
static void statement(program *p) {
    const uint8_t *end = p->end;
    if (end - p->at > STATEMENT) p->end = p->at + STATEMENT;
    int number = -1;
    unsigned what = byte(p) % 64, which = byte(p);
    model_span *s = what >= 26 ? open_span_of(p, which) : NULL;
    model_client *c = what >= 5 && what < 8 ? open_client_of(p, which, &number) : NULL;
    if (what == 0) open_refused(p);
    else if (what == 1) make_set(p);
    else if (what == 2) fork_once(p);
    else if (what == 3) do_nothing(p);
    else if (what == 4) join_all(p);
    else if (what == 5 && c) close_client(p, c, number, patience(p));
    else if (what < 8 && c) ask_client(p, c, which);
    else if (what == 8) open_client(p);
    else if (what < 12) hand_spans(p, which);
    else if (what < 26) start_span(p, which);
    else if (!s) start_span(p, which);
    else if (what < 34) end_span(p, s);
    else if (what == 34) respan_span_discard(s->span), s->state = SPAN_DISCARDED, s->span = NULL;
    else if (what == 35) respan_span_withhold(s->span);
    else if (what < 37) use_set(p, s);
    else if (what == 37) set_context(p, s);
    else if (what < 43) set_part(p, s);
    else if (what < 48) add_part(p, s);
    else set_attributes(p, s);
    if (p->end != end) p->at = p->end;
    p->end = end;
}

static void write_script(program *p) {
    p->m.is_lossless = true;
    for (int i = 0; i < ANSWERS; i++) {
        p->script[i] = *model_answer(&p->m, byte(p));
    }
    p->script[ANSWERS] = *model_answer(&p->m, 0);
}

/* What clients kept in their spools, others of their kind deliver: the server takes all once its script is through. */
static void deliver_the_rest(program *p) {
    static const char *const apps[] = {"first", "", "second \xff"};
    uint64_t kept = 0;
    for (int i = 0; i < p->m.nclients; i++)
        kept += p->m.clients[i].reaches_server ? p->m.clients[i].last.kept : 0;
    if (kept == 0) return;
    fake_http_skip(p->server, ANSWERS);
    for (size_t i = 0; i < RS_ARRAY_LEN(apps); i++) {
        respan_config config;
        respan_client *c;
        respan_config_init(&config);
        config.quiet = true;
        config.api_key = "k";
        config.app_name = apps[i];
        config.base_url = fake_http_url(p->server);
        must(respan_client_open(&config, &c, NULL) == RESPAN_OK, "open");
        respan_span *span = respan_span_start(c, RESPAN_TEXT("last"), NULL, 0);
        respan_span_context own = {.trace_id = {1}, .span_id = OTHERS_ID};
        own.span_id[7] = (uint8_t)i;
        respan_span_set_context(span, &own);
        respan_span_end(span, 0);
        must(respan_client_close(c, 20000, NULL) == RESPAN_OK, "a server that takes all was not given all");
    }
}

static void finish(program *p) {
    bool close_first = byte(p) % 2; /* spans are then ended while their client is closed, or after it */
    if (!close_first) join_all(p);
    for (int i = 0; i < p->m.nclients; i++)
        if (p->m.clients[i].client) close_client(p, &p->m.clients[i], i, patience(p));
    for (model_span *s; (s = open_span_of(p, byte(p)));) end_span(p, s);
    join_all(p);
    for (int i = 0; i < p->m.nsets; i++) respan_attributes_free(p->m.sets[i].set);
    deliver_the_rest(p);
    model_check(&p->m, p->server);
}

/* ---- an input ------------------------------------------------------------------------------------------- */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static program p; /* of an input at a time */
    home_settle();
    p = (program){.at = data, .end = data + size};
    write_script(&p);
    unsigned way = byte(&p);
    p.wait_ms = way % 8 ? WAIT_MS : WAIT_MAX_MS;
    home_set_compression(way / 8 % 3);
    p.server = fake_http_start(p.script, ANSWERS + 1);
    for (int i = 0; i < STATEMENTS_MAX && p.at < p.end; i++) statement(&p);
    finish(&p);
    fake_http_stop(p.server);
    home_clear();
    return 0;
}
