#include "sdk/exporter.h"

#include "base/clock.h"
#include "base/credentials.h"
#include "base/ids.h"
#include "otlp/encode.h"
#include "sdk/backlog.h"
#include "sdk/backoff.h"
#include "sdk/export_response.h"
#include <stdio.h>

#define MS 1000000ull
static const uint64_t hurry_ns = 200 * MS; /* between attempts while somebody waits in flush */

/* ---- the request --------------------------------------------------------------------------------------- */

enum { FIELD_SIZE_MAX = 1 + 10 /* tag and length */ };

size_t rs_exporter_headroom(rs_str resource, rs_str scope) {
    return 4 * FIELD_SIZE_MAX + resource.n + scope.n;
}

static void open_field(rs_buf *out, uint8_t field, uint64_t length) {
    rs_buf_byte(out, (uint8_t)(field << 3 | 2));
    rs_pb_varint(out, length);
}

static size_t field_size(size_t length) { return 1 + rs_pb_varint_size(length) + length; }

/* ExportTraceServiceRequest up to its first span: 1 ResourceSpans { 1 Resource, 2 ScopeSpans { 1 Scope, … } } */
static void write_opening(rs_buf *out, rs_str resource, rs_str scope, size_t frames) {
    size_t scope_spans = field_size(scope.n) + frames;
    rs_buf_clear(out);
    open_field(out, 1, field_size(resource.n) + field_size(scope_spans));
    open_field(out, 1, resource.n);
    rs_buf_str(out, resource);
    open_field(out, 2, scope_spans);
    open_field(out, 1, scope.n);
    rs_buf_str(out, scope);
}

/* ---- errors -------------------------------------------------------------------------------------------- */

static void set_error(rs_exporter *e, const char *text) {
    pthread_mutex_lock(&e->lock);
    snprintf(e->last_error, sizeof e->last_error, "%s", text);
    pthread_mutex_unlock(&e->lock);
}

void rs_exporter_last_error(rs_exporter *e, char out[240]) {
    pthread_mutex_lock(&e->lock);
    memcpy(out, e->last_error, sizeof e->last_error);
    pthread_mutex_unlock(&e->lock);
}

void rs_exporter_last_refusal(rs_exporter *e, char out[240]) {
    pthread_mutex_lock(&e->lock);
    memcpy(out, e->last_refusal, sizeof e->last_refusal);
    pthread_mutex_unlock(&e->lock);
}

/* The error that was just set is why spans are refused. */
static void note_refusal(rs_exporter *e) {
    pthread_mutex_lock(&e->lock);
    memcpy(e->last_refusal, e->last_error, sizeof e->last_refusal);
    pthread_mutex_unlock(&e->lock);
}

static void note_failure(rs_exporter *e, const rs_http_answer *a) {
    char text[160], line[240];
    if (a->status == 0) {
        set_error(e, a->why);
        return;
    }
    rs_export_error_text(rs_buf_slice(&a->body), text, sizeof text);
    snprintf(line, sizeof line, "HTTP %ld%s%s", a->status, text[0] ? ": " : "", text);
    set_error(e, line);
}

/* Whether somebody listens at the address. */
static void note_listening(rs_exporter *e, bool listening) {
    uint64_t since = __atomic_load_n(&e->refused_since_ns, __ATOMIC_RELAXED);
    if (!listening && since) return;
    __atomic_store_n(&e->refused_since_ns, listening ? 0 : rs_clock_mono_ns(), __ATOMIC_RELAXED);
}

bool rs_exporter_is_refused(const rs_exporter *e, uint64_t since_ns, uint64_t wait_ns) {
    uint64_t since = __atomic_load_n(&e->refused_since_ns, __ATOMIC_RELAXED);
    return since && rs_clock_mono_ns() >= (since > since_ns ? since : since_ns) + wait_ns;
}

/* ---- delivery ------------------------------------------------------------------------------------------ */

/* True if the credentials file gave another key than the one we have. */
static bool read_key(rs_exporter *e) {
    rs_credentials c;
    if (rs_credentials_read(&c, NULL) != RS_OK || !c.api_key[0] || strcmp(c.api_key, e->key) == 0)
        return false;
    for (const char *p = c.api_key; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f) return false;
    memcpy(e->key, c.api_key, sizeof e->key);
    return true;
}

static rs_http_request request_of(rs_exporter *e, const char *url, rs_str body, rs_coding coding) {
    const rs_config *c = e->config;
    if (c->key_from_file && !e->key[0]) read_key(e); /* a server that was started later has one by now */
    return (rs_http_request){.url = url,
                             .bearer = c->api_key ? c->api_key : e->key,
                             .headers = (const char *const *)c->headers,
                             .header_count = c->header_count,
                             .body = body,
                             .encoding = rs_coding_name(coding),
                             .timeout_ms = c->request_timeout_ms,
                             .direct = c->is_loopback,
                             .ca_file = c->ca_file,
                             .client_certificate = c->client_certificate,
                             .client_key = c->client_key};
}

static void post_request(rs_exporter *e, const rs_http_request *request, rs_http_answer *a) {
    a->body = e->answer;
    rs_http_client_post(e->http, request, a);
    e->answer = a->body;
}

static void post(rs_exporter *e, rs_str body, rs_coding coding, rs_http_answer *a) {
    rs_http_request request = request_of(e, e->config->traces_url, body, coding);
    post_request(e, &request, a);
}

static bool is_retryable(const rs_http_answer *a) {
    return a->status == 0 || a->status == 408 || a->status == 429 || a->status >= 500;
}

/* True if the answer may be due to the body's coding alone: 415 says so, 400 of a server that never took it may mean it. */
static bool blames_coding(const rs_exporter *e, const rs_http_answer *a) {
    return a->status == 415 || (a->status == 400 && !e->coding_accepted);
}

/* How many of the spans that a 2xx answers were rejected. */
static uint32_t acknowledge(rs_exporter *e, uint32_t spans, const rs_http_answer *a) {
    rs_export_response r;
    /* What cannot be read rejects nothing: the status was 2xx. */
    rs_export_response_read(rs_buf_slice(&a->body), &r);
    uint32_t rejected = r.rejected_spans > spans ? spans : (uint32_t)r.rejected_spans;
    char text[160], line[240] = "";
    if (rejected) {
        rs_export_error_text(r.message, text, sizeof text);
        snprintf(line, sizeof line, "the server rejected %u of %u spans%s%s", rejected, spans,
                 text[0] ? ": " : "", text);
    }
    set_error(e, line);
    if (rejected) note_refusal(e);
    return rejected;
}

/* zstd costs less than gzip and saves more, but few servers read it: it is for those that say so. */
static void take_offer(rs_exporter *e, const rs_http_answer *a) {
    if (!a->takes_zstd || e->coding != RS_CODING_GZIP || e->config->is_coding_given) return;
    e->coding = RS_CODING_ZSTD;
    e->coding_accepted = false;
}

/* Posts until the server has decided: its status; 0 if it has not, since the ring was stopped or once was enough. */
static long post_until_decided(rs_exporter *e, rs_str body, rs_send_how how, rs_http_answer *a) {
    bool key_was_read = false, coding_was_blamed = false;
    rs_str packed = rs_compress(&e->compressor, e->coding, body);
    for (unsigned attempt = 0;; attempt++) {
        *a = (rs_http_answer){0};
        if (packed.n) post(e, packed, e->coding, a);
        else post(e, body, RS_CODING_NONE, a);
        if (a->status >= 200 && a->status < 300) {
            note_listening(e, true);
            if (packed.n) e->coding_accepted = true;
            else if (coding_was_blamed) e->coding = RS_CODING_NONE;
            take_offer(e, a);
            return a->status;
        }
        if (!a->cancelled) {
            note_listening(e, !a->refused);
            note_failure(e, a);
        }
        if (a->status == 401 && e->config->key_from_file && !key_was_read &&
            (key_was_read = true, read_key(e)))
            continue;
        if (packed.n && blames_coding(e, a)) {
            packed.n = 0;
            coding_was_blamed = true;
            continue;
        }
        bool no_key = a->status == 401 || a->status == 403;
        if (how == RS_SEND_ONCE && (is_retryable(a) || no_key)) return 0;
        if (!is_retryable(a)) return a->status;
        uint64_t wait = rs_backoff_ns(attempt, a->retry_after_s, rs_id_random());
        if (!rs_ring_pause(e->ring, wait, a->retry_after_s ? wait : hurry_ns)) return 0;
    }
}

/* A batch is one request, unless it grew past batch_spans while it waited in the spool, or the server says that it is
 * too large (413): then the rest goes in halves. */
void rs_exporter_send(rs_exporter *e, rs_str resource, rs_str scope, rs_batch *b, rs_send_how how,
                      rs_sent *out) {
    enum { SPLIT_MIN = 64 << 10 /* a server that does not take that much takes nothing */ };
    *out = (rs_sent){.left = b->spans};
    uint32_t spans;
    size_t most = b->n - b->from;
    for (size_t at = b->from; at < b->n;) {
        size_t n = rs_batch_cut(b, at, most, e->config->batch_spans, &spans);
        write_opening(&e->opening, resource, scope, n);
        if (rs_buf_status(&e->opening) != RS_OK) { /* 64 bytes and the resource could not be had, once */
            set_error(e, "out of memory");
            break;
        }
        rs_http_answer a;
        long status = post_until_decided(e, rs_batch_request(b, at, n, rs_buf_slice(&e->opening)), how, &a);
        if (status == 0) break;
        if (status == 413 && spans > 1 && n > SPLIT_MIN) {
            most = n / 2;
            continue;
        }
        uint32_t rejected = spans;
        if (status >= 200 && status < 300) rejected = acknowledge(e, spans, &a);
        else note_refusal(e);
        out->rejected += rejected;
        out->acknowledged += spans - rejected;
        out->left -= spans;
        at += n;
        rs_batch_note_sent(b, b->spans - out->left);
    }
}

/* ---- open spans ---------------------------------------------------------------------------------------- */

typedef struct patience {
    rs_ring *ring;
    uint64_t until_ns;
} patience;

/* To somebody who waits at once; to a batch soon: a server that answers has done so by then. */
static bool gives_way(void *ctx) {
    const patience *p = ctx;
    return rs_ring_is_hurried(p->ring) || (rs_clock_mono_ns() >= p->until_ns && rs_ring_is_due(p->ring));
}

/* True if the server has taken it; else it is told later, or never. */
static bool post_open(rs_exporter *e, rs_str body) {
    enum { TIMEOUT_MS = 2000, PATIENCE_MS = 200, ACCEPTED = 202, LATER_S = 10 };
    rs_open_teller *t = &e->teller;
    rs_http_answer a = {0};
    rs_coding coding = e->coding_accepted ? e->coding : RS_CODING_NONE;
    rs_str packed = rs_compress(&e->compressor, coding, body);
    rs_http_request request =
        request_of(e, e->config->open_url, packed.n ? packed : body, packed.n ? coding : RS_CODING_NONE);
    if (request.timeout_ms > TIMEOUT_MS) request.timeout_ms = TIMEOUT_MS;
    request.gives_way = gives_way;
    patience p = {.ring = e->ring, .until_ns = rs_clock_mono_ns() + PATIENCE_MS * MS};
    request.ctx = &p;
    post_request(e, &request, &a);
    uint64_t now = rs_clock_mono_ns();
    if (a.status == ACCEPTED) {
        rs_export_response r;
        rs_export_response_read(rs_buf_slice(&a.body), &r);
        if (r.rejected_spans) rs_open_teller_forget(t, now);
        return t->is_understood = true;
    }
    bool later = is_retryable(&a) || (a.status == 401 && e->config->key_from_file);
    if (!later) t->is_off = true;
    rs_open_teller_forget(t, now);
    t->next_ns = now + (a.retry_after_s > LATER_S ? a.retry_after_s : LATER_S) * 1000 * MS;
    return false;
}

static void tell_open(rs_exporter *e, rs_str resource, rs_str scope) {
    rs_open_teller *t = &e->teller;
    uint64_t now = rs_clock_mono_ns();
    if (now < rs_open_teller_next(t)) return;
    if (rs_open_teller_look(t, e->ring, now) == 0) return;
    if (!t->is_understood && !post_open(e, (rs_str){"", 0})) return;
    write_opening(&e->opening, resource, scope, t->frames.n);
    rs_buf_str(&e->opening, rs_buf_slice(&t->frames));
    if (rs_buf_status(&e->opening) == RS_OK) (void)post_open(e, rs_buf_slice(&e->opening));
    rs_buf_deinit(&e->opening); /* it may be a megabyte, or have failed */
}

/* ---- the thread ---------------------------------------------------------------------------------------- */

/* What was left by processes before this one. True if there is nothing more of it. */
static bool send_backlog(rs_exporter *e) {
    const rs_config *c = e->config;
    rs_backlog_counts counts;
    return !c->spool_bytes || rs_backlog_send(e, c->spool_dir, c->app_name, c->spool_bytes, false, &counts);
}

/* The backlog goes first, so that spans arrive in their order; after a failure it waits for a success. */
void rs_exporter_run(rs_exporter *e) {
    enum { TRIES = 3 /* that what one server does not take is not sent to it with every batch */ };
    bool backlog = !send_backlog(e);
    int tries = 1;
    rs_str resource = rs_buf_slice(&e->config->resource), scope = rs_buf_slice(&e->config->scope);
    for (;;) {
        rs_batch *b = rs_ring_take(e->ring, rs_open_teller_next(&e->teller));
        if (b) {
            rs_sent sent;
            rs_exporter_send(e, resource, scope, b, RS_SEND_UNTIL_DECIDED, &sent);
            rs_ring_done(e->ring, b, sent.rejected, sent.left);
            if (backlog && sent.acknowledged && tries++ < TRIES) backlog = !send_backlog(e);
        } else if (rs_ring_is_stopped(e->ring)) {
            break;
        }
        tell_open(e, resource, scope);
    }
    rs_http_client_disconnect(
        e->http); /* here, not on a thread of the program that drops the last reference */
}

/* ---- life ---------------------------------------------------------------------------------------------- */

rs_status rs_exporter_init(rs_exporter *e, rs_ring *ring, const rs_config *config) {
    *e =
        (rs_exporter){.ring = ring, .config = config, .http = rs_http_client_new(), .coding = config->coding};
    rs_open_teller_init(&e->teller, config->open_url == NULL);
    if (!e->http) return RS_ERR_MEMORY;
    return pthread_mutex_init(&e->lock, NULL) == 0 ? RS_OK : RS_ERR_MEMORY;
}

void rs_exporter_deinit(rs_exporter *e) {
    rs_http_client_free(e->http);
    rs_buf_deinit(&e->opening);
    rs_buf_deinit(&e->answer);
    rs_compressor_deinit(&e->compressor);
    rs_open_teller_deinit(&e->teller);
    pthread_mutex_destroy(&e->lock);
}

void rs_exporter_cancel(rs_exporter *e) { rs_http_client_cancel(e->http); }

void rs_exporter_lock(rs_exporter *e) { pthread_mutex_lock(&e->lock); }
void rs_exporter_unlock(rs_exporter *e) { pthread_mutex_unlock(&e->lock); }

bool rs_exporter_reset(rs_exporter *e) {
    /* The parent's thread may have been writing these: the child leaves them where they are. */
    rs_buf_init(&e->opening);
    rs_buf_init(&e->answer);
    rs_compressor_init(&e->compressor);
    rs_open_teller_reset(&e->teller);
    e->key[0] = 0;
    e->last_error[0] = e->last_refusal[0] = 0;
    e->refused_since_ns = 0;
    e->http = rs_http_client_forget(e->http);
    return pthread_mutex_init(&e->lock, NULL) == 0 && e->http;
}
