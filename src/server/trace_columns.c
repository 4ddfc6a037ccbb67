#include "server/trace_columns.h"

#include "base/ids.h"
#include "base/xxh.h"

#include <math.h>
#include <stdlib.h>

enum { KEPT = 1024, SHORT = 48 }; /* texts whose place is known; bytes of the longest of them */

typedef struct text {
    uint32_t place; /* 0: none */
    uint8_t n;
    char bytes[SHORT];
} text;

struct rs_trace_columns {
    uint32_t places; /* of the texts so far, from 1 */
    rs_buf fresh;    /* those of the line at hand, as members of an array */
    rs_json json;    /* on fresh */
    text kept[KEPT];
};

typedef struct line {
    rs_json *json;
    rs_span *const *spans;
    size_t n;
} line;

rs_trace_columns *rs_trace_columns_new(void) { return calloc(1, sizeof(rs_trace_columns)); }

void rs_trace_columns_free(rs_trace_columns *c) {
    if (!c) return;
    rs_buf_deinit(&c->fresh);
    free(c);
}

static uint32_t place_of(rs_trace_columns *c, rs_str s) {
    if (s.n == 0) return 0;
    s = rs_str_cut_utf8(s, RS_PREVIEW_MAX);
    text *t = s.n <= SHORT ? &c->kept[XXH3_64bits(s.p, s.n) % KEPT] : NULL;
    if (t && t->place && t->n == s.n && memcmp(t->bytes, s.p, s.n) == 0) return t->place;
    rs_json_str(&c->json, s);
    c->places++;
    if (t) {
        *t = (text){.place = c->places, .n = (uint8_t)s.n};
        memcpy(t->bytes, s.p, s.n);
    }
    return c->places;
}

/* ---- columns ------------------------------------------------------------------------------------------- */

static rs_str name_of(const rs_span *s) { return s->facts.entity_name.n ? s->facts.entity_name : s->name; }
static rs_str log_type_of(const rs_span *s) { return rs_log_type_name(s->facts.log_type); }
static rs_str model_of(const rs_span *s) { return s->facts.model; }
static rs_str error_of(const rs_span *s) { return s->facts.error_message; }
static int64_t latency_of(const rs_span *s) { return (int64_t)rs_lasted_ns(s->start_ns, s->end_ns); }
static int64_t status_of(const rs_span *s) {
    return s->status == RS_STATUS_ERROR ? 2 : s->status == RS_STATUS_UNSET ? 0 : 1;
}
static int64_t interrupted_of(const rs_span *s) { return s->facts.interrupted; }
static int64_t running_of(const rs_span *s) { return s->running; }
static int64_t prompt_tokens_of(const rs_span *s) {
    return s->facts.prompt_tokens < 0 ? -1 : s->facts.prompt_tokens;
}
static int64_t completion_tokens_of(const rs_span *s) {
    return s->facts.completion_tokens < 0 ? -1 : s->facts.completion_tokens;
}
static double cost_of(const rs_span *s) { return s->facts.cost; }
static double ttft_of(const rs_span *s) { return s->facts.ttft; }

static const struct {
    const char *name;
    rs_str (*get)(const rs_span *s);
} texts[] = {{"name", name_of}, {"log_type", log_type_of}, {"model", model_of}, {"error_message", error_of}};

/* A column in which no span has something else than `none` is left out. */
static const struct {
    const char *name;
    int64_t (*get)(const rs_span *s);
    int64_t none;
} counts[] = {{"latency_ns", latency_of, 0},           {"status_code", status_of, 0},
              {"interrupted", interrupted_of, 0},      {"running", running_of, 0},
              {"prompt_tokens", prompt_tokens_of, -1}, {"completion_tokens", completion_tokens_of, -1}};

static const struct {
    const char *name;
    double (*get)(const rs_span *s);
} reals[] = {{"cost", cost_of}, {"time_to_first_token", ttft_of}};

static void begin_column(const line *l, const char *name) {
    rs_json_key(l->json, rs_str_of(name));
    rs_json_array(l->json);
}

static void write_texts(rs_trace_columns *c, const line *l, const char *name,
                        rs_str (*get)(const rs_span *s)) {
    size_t first = 0;
    while (first < l->n && get(l->spans[first]).n == 0) first++;
    if (first == l->n) return;
    begin_column(l, name);
    for (size_t i = 0; i < l->n; i++) rs_json_uint(l->json, place_of(c, get(l->spans[i])));
    rs_json_array_end(l->json);
}

static void write_counts(const line *l, const char *name, int64_t (*get)(const rs_span *s), int64_t none) {
    size_t first = 0;
    while (first < l->n && get(l->spans[first]) == none) first++;
    if (first == l->n) return;
    begin_column(l, name);
    for (size_t i = 0; i < l->n; i++) rs_json_int(l->json, get(l->spans[i]));
    rs_json_array_end(l->json);
}

static void write_reals(const line *l, const char *name, double (*get)(const rs_span *s)) {
    size_t first = 0;
    while (first < l->n && !isfinite(get(l->spans[first]))) first++;
    if (first == l->n) return;
    begin_column(l, name);
    for (size_t i = 0; i < l->n; i++) {
        double v = get(l->spans[i]);
        if (isfinite(v)) rs_json_double(l->json, v);
        else rs_json_int(l->json, -1);
    }
    rs_json_array_end(l->json);
}

/* All in one text: each is as long as the other. */
static void write_ids(const line *l) {
    rs_json_key(l->json, RS_STR("span_unique_id"));
    char *to = rs_buf_reserve(l->json->out, 16 * l->n + 3);
    if (!to) return;
    *to++ = '"';
    for (size_t i = 0; i < l->n; i++, to += 16) rs_hex(l->spans[i]->span_id, 8, to);
    *to++ = '"';
    l->json->out->n += 16 * l->n + 2;
    l->json->comma = true;
}

/* Of the others it is the span above them. */
static void write_parents(const line *l, const uint32_t *depths) {
    rs_json *j = l->json;
    size_t first = 0;
    while (first < l->n && (depths[first] > 0 || !l->spans[first]->has_parent)) first++;
    if (first == l->n) return;
    begin_column(l, "span_parent_id");
    for (size_t i = first; i < l->n; i++) {
        if (depths[i] > 0 || !l->spans[i]->has_parent) continue;
        char hex[17];
        rs_hex(l->spans[i]->parent_id, 8, hex);
        rs_json_array(j);
        rs_json_uint(j, i);
        rs_json_str(j, (rs_str){hex, 16});
        rs_json_array_end(j);
    }
    rs_json_array_end(j);
}

void rs_trace_columns_write(rs_trace_columns *c, rs_json *j, rs_span *const *spans, const uint32_t *depths,
                            size_t n, uint64_t trace_start_ns) {
    line l = {.json = j, .spans = spans, .n = n};
    rs_buf_clear(&c->fresh);
    c->json = rs_json_on(&c->fresh);
    rs_json_object(j);
    write_ids(&l);
    begin_column(&l, "depth");
    for (size_t i = 0; i < n; i++) rs_json_uint(j, depths[i]);
    rs_json_array_end(j);
    write_parents(&l, depths);
    begin_column(&l, "start_ns");
    for (size_t i = 0; i < n; i++) rs_json_int(j, rs_apart_ns(trace_start_ns, spans[i]->start_ns));
    rs_json_array_end(j);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        write_counts(&l, counts[i].name, counts[i].get, counts[i].none);
    for (size_t i = 0; i < sizeof reals / sizeof *reals; i++) write_reals(&l, reals[i].name, reals[i].get);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) write_texts(c, &l, texts[i].name, texts[i].get);
    begin_column(&l, "strings");
    if (c->fresh.n > 0) rs_json_raw(j, rs_buf_slice(&c->fresh));
    rs_json_array_end(j);
    rs_json_object_end(j);
    if (rs_buf_status(&c->fresh) != RS_OK && j->out->failed == RS_OK)
        j->out->failed = rs_buf_status(&c->fresh);
}
