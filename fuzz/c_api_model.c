#include "c_api_model.h"

#include "otlp/body.h"

/* ---- one span ------------------------------------------------------------------------------------------ */

static const rs_attr *find_once(const rs_attrs *a, rs_str key) {
    const rs_attr *found = NULL;
    for (uint32_t i = 0; i < a->n; i++) {
        if (!rs_str_eq(a->items[i].key, key)) continue;
        must(!found, "an attribute stands twice in a span");
        found = &a->items[i];
    }
    return found;
}

static void check_key(const model_span *s, const model_set *set, const model_client *c, const rs_span *got,
                      int k) {
    const value_spec *own = &s->own[k], *expected = own->type ? own : set ? &set->values[k] : own;
    const rs_attr *a = find_once(&got->attrs, key_as_sent(k));
    if (!expected->type && k == KEYS - 1 && c->has_environment) return; /* the client's own */
    if (!expected->type) {
        must(!a, "an attribute that nobody set");
        return;
    }
    must(a && value_matches(&a->value, expected, own->type ? c->max_content : 4 << 20),
         "an attribute has not its last value");
    char name[600];
    memcpy(name, key_as_sent(k).p, key_as_sent(k).n);
    memcpy(name + key_as_sent(k).n, ".full_length", 12);
    const rs_attr *full = find_once(&got->attrs, (rs_str){name, key_as_sent(k).n + 12});
    size_t n = expected->type == RESPAN_TYPE_STRING && !expected->text.is_null ? expected->text.n : 0;
    bool is_cut = own->type && n > c->max_content;
    must((full != NULL) == is_cut && (!full || full->value.i == (int64_t)n), "full_length is wrong");
}

/* Without the one by which the library says that it dropped spans; its name is cut like any text. */
static uint32_t events_of(const rs_span *got, size_t max) {
    rs_str name = rs_str_cut_utf8(RS_STR("respan.spans_dropped"), max);
    uint32_t n = 0;
    for (uint32_t i = 0; i < got->nevents; i++) n += !rs_str_eq(got->events[i].name, name);
    return n;
}

static void check_span(const model *m, const model_span *s, const rs_span *got) {
    const model_client *c = &m->clients[s->client];
    must(s->state == SPAN_ENDED || s->state == SPAN_HANDED || s->state == SPAN_MAYBE,
         "a span arrived that was not ended");
    must(memcmp(got->trace_id, s->context.trace_id, 16) == 0, "another trace id");
    must(got->has_parent == s->has_parent && (!s->has_parent || memcmp(got->parent_id, s->parent_id, 8) == 0),
         "another parent");
    must(got->kind == (uint8_t)s->kind, "another kind");
    must(s->start_ns ? got->start_ns == s->start_ns : got->start_ns > 1600000000ull * 1000000000,
         "another start");
    must(s->end_ns ? got->end_ns == s->end_ns : got->end_ns >= got->start_ns, "another end");
    if (got->attrs.dropped) return; /* a bound was met: older values may stand */
    must(text_matches(got->name, &s->name, c->max_content), "another name");
    must((int)got->status == (int)s->status, "another status");
    must(text_matches(got->status_message, &s->message, c->max_content), "another status message");
    must(events_of(got, c->max_content) == s->events && got->nlinks == s->links,
         "events or links are missing");
    for (int k = 0; k < KEYS; k++) check_key(s, s->set < 0 ? NULL : &m->sets[s->set], c, got, k);
}

/* ---- the server ---------------------------------------------------------------------------------------- */

const fake_answer *model_answer(model *m, unsigned which) {
    static const fake_answer answers[] = {
        {.status = 200},
        {.status = 200},
        {.status = 200, .body = RS_STR("\xff\xff\xff")},
        {.status = 503},
        {.status = 503, .headers = "Retry-After: 0\r\n"},
        {.status = 429, .headers = "Retry-After: 99999999999999999999\r\n"},
        {.kind = FAKE_GARBAGE},
        {.kind = FAKE_CLOSE},
        {.kind = FAKE_RESET},
        {.kind = FAKE_ENDLESS_HEADERS},
        {.kind = FAKE_HANG},
        {.kind = FAKE_TRICKLE},
        {.status = 999},
        /* from here on spans are refused */
        {.status = 200, .body = RS_STR("\x0a\x0a\x08\x02\x12\x06no ids")},
        {.status = 200, .body = RS_STR("\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")},
        {.status = 400, .body = RS_STR("{\"error\":{\"message\":\"bad \\ud800\"}}")},
        {.status = 401},
        {.status = 302, .headers = "Location: http://127.0.0.1:1/\r\n"},
        {.status = 413},
        {.status = 404, .headers = "Retry-After: x\r\n", .body = RS_STR("<html>\xff\0</html>")},
    };
    enum { LOSSLESS = 12 };
    which %= RS_ARRAY_LEN(answers);
    m->is_lossless &= which < LOSSLESS;
    return &answers[which];
}

/* ---- all of it ----------------------------------------------------------------------------------------- */

bool is_of_others(const uint8_t span_id[8]) {
    static const uint8_t mark[] = OTHERS_ID;
    return memcmp(span_id, mark, sizeof mark) == 0;
}

/* As it was before it was compressed. */
static rs_str body_of(const fake_request *r, rs_buf *inflated) {
    static const char name[] = "\r\nContent-Encoding: ";
    rs_str body = rs_buf_slice(&r->body);
    const char *header = strcasestr(r->head, name);
    if (!header) return body;
    header += sizeof name - 1;
    rs_encoding encoding;
    must(rs_encoding_parse((rs_str){header, strcspn(header, "\r")}, &encoding, NULL) == RS_OK,
         "another coding");
    must(rs_body_inflate(encoding, body, 64 << 20, inflated, NULL) == RS_OK, "a body cannot be inflated");
    return rs_buf_slice(inflated);
}

static void check_body(model *m, rs_str body, bool is_taken) {
    rs_arena arena;
    rs_spans spans;
    rs_arena_init(&arena, 0);
    must(rs_otlp_decode_protobuf(body, &arena, &spans, NULL) == RS_OK && spans.rejected == 0,
         "a body is malformed");
    for (size_t i = 0; i < spans.n; i++) {
        if (is_of_others(spans.items[i].span_id)) continue;
        model_span *s = NULL;
        for (int k = 0; k < m->nspans && !s; k++)
            if (memcmp(m->spans[k].context.span_id, spans.items[i].span_id, 8) == 0) s = &m->spans[k];
        must(s != NULL, "a span arrived that nobody made");
        if (rs_attrs_find(&spans.items[i].attrs, RS_STR("respan.span.interrupted"))) {
            must(s->state != SPAN_ENDED, "a span that ended arrived as interrupted");
            continue; /* it was open when its client was closed; the next one sent it */
        }
        check_span(m, s, &spans.items[i]);
        s->accepted += is_taken;
    }
    rs_arena_deinit(&arena);
}

void model_check_stats(const model_client *c, const respan_stats *s) {
    must(s->ended == s->acknowledged + s->rejected + s->dropped + s->kept + s->pending,
         "the counts do not add up");
    must(s->started == c->started, "started is wrong");
    must(s->ended >= c->ended && s->ended <= c->ended + c->maybe, "ended is wrong");
}

static void check_client(const model *m, int number) {
    const model_client *c = &m->clients[number];
    uint64_t arrived = 0;
    for (int i = 0; i < m->nspans; i++) {
        const model_span *s = &m->spans[i];
        if (s->client != number) continue;
        arrived += s->accepted > 0;
        must(s->accepted <= 1 || c->may_repeat, "a span arrived twice");
    }
    must(c->last.acknowledged <= arrived, "acknowledged spans did not arrive");
    if (m->is_lossless && !c->may_repeat)
        must(c->last.acknowledged + c->last.kept >= arrived, "spans arrived that are not counted");
    if (c->reaches_server && m->is_lossless && !m->may_prune)
        must(arrived >= c->last.acknowledged + c->last.kept, "kept spans did not arrive later");
}

void model_check(model *m, fake_http *f) {
    for (size_t i = 0; i < fake_http_count(f); i++) {
        const fake_request *r = fake_http_request(f, i);
        rs_buf inflated;
        rs_buf_init(&inflated);
        check_body(m, body_of(r, &inflated), r->answer->kind == FAKE_ANSWER && r->answer->status == 200);
        rs_buf_deinit(&inflated);
    }
    for (int i = 0; i < m->nclients; i++) check_client(m, i);
}
