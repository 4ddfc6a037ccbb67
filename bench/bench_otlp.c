/* ns per span of encoding and decoding, on one thread: requests of 250 spans of about 1.5 kB, as a text generation
 * with its prompt and completion makes them. usage: bench_otlp [SECONDS_EACH] */
#include "base/clock.h"
#include "base/ids.h"
#include "otlp/body.h"
#include "otlp/decode.h"
#include "otlp/encode.h"
#include <libdeflate.h>
#include <stdio.h>
#include <stdlib.h>
#include <zstd.h>

enum { SPANS = 250 };

static rs_str words(rs_arena *arena, size_t n) {
    static const char *const some[] = {"the ",  "trace ",  "of ",     "a ",   "model ",     "is ",
                                       "read ", "by ",     "people ", "who ", "\"quote\" ", "run ",
                                       "it.\n", "Tokens ", "arrive ", "one "};
    char *p = rs_arena_alloc(arena, n + 16);
    if (!p) abort();
    size_t at = 0;
    while (at < n) {
        rs_str w = rs_str_of(some[rs_id_random() % RS_ARRAY_LEN(some)]);
        memcpy(p + at, w.p, w.n);
        at += w.n;
    }
    return (rs_str){p, n};
}

static rs_span *make_spans(rs_arena *arena) {
    static const char *const strings[][2] = {
        {"respan.entity.log_type", "text"},
        {"traceloop.span.kind", "task"},
        {"traceloop.entity.name", "huggingface_text_generation"},
        {"traceloop.entity.path", "huggingface_text_generation.text_completion"},
        {"traceloop.workflow.name", "huggingface_text_generation"},
        {"llm.request.type", "completion"},
        {"gen_ai.system", "huggingface"},
        {"gen_ai.request.model", "sshleifer/tiny-gpt2"},
        {"gen_ai.response.model", "sshleifer/tiny-gpt2"},
        {"gen_ai.prompt.0.role", "user"},
        {"gen_ai.completion.0.role", "assistant"},
        {"gen_ai.completion.0.finish_reason", "stop"},
        {"respan.environment", "production"},
    };
    static const char *const ints[] = {"gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens",
                                       "gen_ai.request.max_tokens", "gen_ai.request.top_k"};
    static const char *const reals[] = {"gen_ai.request.temperature", "gen_ai.request.top_p",
                                        "respan.generation.time_to_first_token"};
    rs_span *spans = rs_arena_zalloc(arena, SPANS, sizeof *spans);
    if (!spans) abort();
    for (size_t i = 0; i < SPANS; i++) {
        rs_span *s = &spans[i];
        rs_id_trace(s->trace_id);
        rs_id_span(s->span_id);
        rs_id_span(s->parent_id);
        s->has_parent = true;
        s->kind = 3;
        s->name = RS_STR("text_completion sshleifer/tiny-gpt2");
        s->start_ns = rs_clock_wall_ns();
        s->end_ns = s->start_ns + 1234567890;
        rs_attr *a = s->attrs.items = rs_arena_zalloc(arena, 32, sizeof *a);
        if (!a) abort();
        for (size_t k = 0; k < RS_ARRAY_LEN(strings); k++)
            *a++ = (rs_attr){rs_str_of(strings[k][0]), {RS_VALUE_STRING, .s = rs_str_of(strings[k][1])}};
        for (size_t k = 0; k < RS_ARRAY_LEN(ints); k++)
            *a++ = (rs_attr){rs_str_of(ints[k]), {RS_VALUE_INT, .i = (int64_t)(rs_id_random() % 2000)}};
        for (size_t k = 0; k < RS_ARRAY_LEN(reals); k++)
            *a++ = (rs_attr){rs_str_of(reals[k]),
                             {RS_VALUE_DOUBLE, .d = (double)(rs_id_random() % 1000) / 1000}};
        *a++ = (rs_attr){RS_STR("gen_ai.prompt.0.content"), {RS_VALUE_STRING, .s = words(arena, 250)}};
        *a++ = (rs_attr){RS_STR("gen_ai.completion.0.content"), {RS_VALUE_STRING, .s = words(arena, 300)}};
        s->attrs.n = (uint32_t)(a - s->attrs.items);
    }
    return spans;
}

static void put_json_value(rs_json *j, const rs_value *v) {
    rs_json_object(j);
    if (v->type == RS_VALUE_STRING) rs_json_put_str(j, "stringValue", v->s);
    else if (v->type == RS_VALUE_DOUBLE) rs_json_put_double(j, "doubleValue", v->d);
    else {
        char digits[24];
        int n = snprintf(digits, sizeof digits, "%lld", (long long)v->i);
        rs_json_put_str(j, "intValue", (rs_str){digits, (size_t)n});
    }
    rs_json_object_end(j);
}

static void put_json_span(rs_json *j, const rs_span *s) {
    char digits[24];
    rs_json_object(j);
    rs_json_put_hex(j, "traceId", s->trace_id, 16);
    rs_json_put_hex(j, "spanId", s->span_id, 8);
    rs_json_put_hex(j, "parentSpanId", s->parent_id, 8);
    rs_json_put_str(j, "name", s->name);
    rs_json_put_int(j, "kind", s->kind);
    snprintf(digits, sizeof digits, "%llu", (unsigned long long)s->start_ns);
    rs_json_put_str(j, "startTimeUnixNano", rs_str_of(digits));
    snprintf(digits, sizeof digits, "%llu", (unsigned long long)s->end_ns);
    rs_json_put_str(j, "endTimeUnixNano", rs_str_of(digits));
    rs_json_key(j, RS_STR("attributes"));
    rs_json_array(j);
    for (uint32_t i = 0; i < s->attrs.n; i++) {
        rs_json_object(j);
        rs_json_put_str(j, "key", s->attrs.items[i].key);
        rs_json_key(j, RS_STR("value"));
        put_json_value(j, &s->attrs.items[i].value);
        rs_json_object_end(j);
    }
    rs_json_array_end(j);
    rs_json_object_end(j);
}

static void put_json(rs_buf *out, const rs_span *spans) {
    rs_json j = rs_json_on(out);
    rs_json_raw(&j, RS_STR("{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":"));
    j.comma = false;
    rs_json_array(&j);
    for (size_t i = 0; i < SPANS; i++) put_json_span(&j, &spans[i]);
    rs_json_array_end(&j);
    rs_buf_text(out, "}]}]}");
}

static void put_protobuf(rs_buf *out, const rs_span *spans) {
    rs_arena arena;
    rs_arena_init(&arena, 0);
    rs_str bodies[SPANS];
    rs_buf one;
    rs_buf_init(&one);
    for (size_t i = 0; i < SPANS; i++) {
        rs_buf_clear(&one);
        rs_otlp_encode_span(&one, &spans[i]);
        bodies[i] = rs_arena_copy(&arena, rs_buf_slice(&one));
    }
    rs_otlp_encode_request(out, (rs_str){0}, (rs_str){0}, bodies, SPANS);
    rs_buf_deinit(&one);
    rs_arena_deinit(&arena);
}

typedef struct subject {
    const rs_span *spans;
    rs_buf protobuf, json, gzip, zstd;
} subject;

static void run_encode(const subject *s) {
    rs_buf out;
    rs_buf_init(&out);
    for (size_t i = 0; i < SPANS; i++) rs_otlp_encode_span(&out, &s->spans[i]);
    rs_buf_deinit(&out);
}

static void decode(rs_status (*fn)(rs_str, rs_arena *, rs_spans *, rs_err *), rs_str body) {
    rs_arena arena;
    rs_spans out;
    rs_arena_init(&arena, 0);
    if (fn(body, &arena, &out, NULL) != RS_OK || out.n != SPANS) abort();
    rs_arena_deinit(&arena);
}

static void run_protobuf(const subject *s) { decode(rs_otlp_decode_protobuf, rs_buf_slice(&s->protobuf)); }
static void run_json(const subject *s) { decode(rs_otlp_decode_json, rs_buf_slice(&s->json)); }

static void inflate(rs_encoding enc, const rs_buf *body) {
    rs_buf out;
    rs_buf_init(&out);
    if (rs_body_inflate(enc, rs_buf_slice(body), 64 << 20, &out, NULL) != RS_OK) abort();
    rs_buf_deinit(&out);
}

static void run_gzip(const subject *s) { inflate(RS_ENCODING_GZIP, &s->gzip); }
static void run_zstd(const subject *s) { inflate(RS_ENCODING_ZSTD, &s->zstd); }

static void measure(const char *name, void (*run)(const subject *), const subject *s, double seconds,
                    size_t bytes) {
    uint64_t begin = rs_clock_mono_ns(), end = begin + (uint64_t)(seconds * 1e9), best = UINT64_MAX, now;
    do {
        uint64_t start = rs_clock_mono_ns();
        run(s);
        now = rs_clock_mono_ns();
        if (now - start < best) best = now - start;
    } while (now < end);
    printf("%-18s %7.0f ns/span (best run), %zu bytes/span\n", name, (double)best / SPANS, bytes / SPANS);
}

int main(int argc, char **argv) {
    double seconds = argc > 1 ? atof(argv[1]) : 0.5;
    rs_arena arena;
    rs_arena_init(&arena, 0);
    subject s = {.spans = make_spans(&arena)};
    put_protobuf(&s.protobuf, s.spans);
    put_json(&s.json, s.spans);
    struct libdeflate_compressor *c = libdeflate_alloc_compressor(6);
    char *room = rs_buf_reserve(&s.gzip, s.protobuf.n);
    if (!c || !room) abort();
    s.gzip.n = libdeflate_gzip_compress(c, s.protobuf.p, s.protobuf.n, room, s.protobuf.n);
    libdeflate_free_compressor(c);
    room = rs_buf_reserve(&s.zstd, s.protobuf.n);
    if (!room) abort();
    s.zstd.n = ZSTD_compress(room, s.protobuf.n, s.protobuf.p, s.protobuf.n, 3);
    measure("encode span", run_encode, &s, seconds, s.protobuf.n);
    measure("decode protobuf", run_protobuf, &s, seconds, s.protobuf.n);
    measure("decode JSON", run_json, &s, seconds, s.json.n);
    measure("inflate gzip", run_gzip, &s, seconds, s.gzip.n);
    measure("inflate zstd", run_zstd, &s, seconds, s.zstd.n);
    rs_buf_deinit(&s.protobuf);
    rs_buf_deinit(&s.json);
    rs_buf_deinit(&s.gzip);
    rs_buf_deinit(&s.zstd);
    rs_arena_deinit(&arena);
    return 0;
}
