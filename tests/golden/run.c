/* Golden cases: a request as it came over the wire -> every fact of every span, as plain text.
 *
 *   golden FOLDER            compares CASE.json (OTLP/JSON) and CASE.pb (OTLP protobuf) with CASE.expected
 *   golden --update FOLDER   writes the CASE.expected files anew: read the difference before you commit it
 *
 * The log records of CASE.logs.pb, where there is one, become events of the spans, as the server joins them (server/join.h).
 *
 * A new case, or a new dialect, is a new file or folder; no code. */
#include "normalize/normalize.h"
#include "normalize/prices.h"
#include "otlp/decode.h"
#include <dirent.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Prices that stay, before the built-in ones, which will change. */
static const rs_str test_prices = RS_STR("provider openai OpenAI\n"
                                         "price gpt-4o* 2.5 10 1.25\n"
                                         "price text-embedding-3-small 0.02\n");

static bool read_file(const char *path, rs_buf *out) {
    FILE *f = fopen(path, "rb");
    if (!f) return false;
    for (char *at; (at = rs_buf_reserve(out, 1 << 16));) {
        size_t got = fread(at, 1, 1 << 16, f);
        out->n += got;
        if (got == 0) break;
    }
    bool ok = !ferror(f) && rs_buf_status(out) == RS_OK;
    fclose(f);
    return ok;
}

static void put_text(rs_buf *out, const char *name, rs_str s) {
    if (!s.n) return;
    bool plain = s.p[0] != '"' && s.p[0] != ' ' && s.p[s.n - 1] != ' ';
    for (size_t i = 0; i < s.n; i++) plain &= (unsigned char)s.p[i] >= ' ' && s.p[i] != 0x7f;
    rs_buf_printf(out, "%s: ", name);
    rs_json j = rs_json_on(out);
    if (plain) rs_buf_str(out, s);
    else rs_json_str(&j, s); /* what would not fit one line is quoted */
    rs_buf_byte(out, '\n');
}

static void put_count(rs_buf *out, const char *name, int64_t v) {
    if (v >= 0) rs_buf_printf(out, "%s: %" PRId64 "\n", name, v);
}

static void put_number(rs_buf *out, const char *name, double v) {
    if (!isnan(v)) rs_buf_printf(out, "%s: %.10g\n", name, v);
}

static void put_attrs(rs_buf *out, const char *name, const rs_attrs *attrs) {
    for (uint32_t i = 0; i < attrs->n; i++) {
        rs_buf_printf(out, "%s.%.*s: ", name, RS_STR_ARG(attrs->items[i].key));
        rs_json j = rs_json_on(out);
        rs_value_write_json(&j, &attrs->items[i].value);
        rs_buf_byte(out, '\n');
    }
}

static void put_span(rs_buf *out, const rs_span *s) {
    const rs_facts *f = &s->facts;
    put_text(out, "span", s->name.n ? s->name : RS_STR("(no name)"));
    put_text(out, "log_type", rs_log_type_name(f->log_type));
    put_text(out, "model", f->model);
    put_text(out, "provider", f->provider);
    put_text(out, "entity_name", f->entity_name);
    put_text(out, "workflow", f->workflow);
    put_text(out, "path", f->path);
    put_text(out, "customer", f->customer);
    put_text(out, "thread", f->thread);
    put_text(out, "environment", f->environment);
    put_text(out, "error_message", f->error_message);
    put_count(out, "prompt_tokens", f->prompt_tokens);
    put_count(out, "completion_tokens", f->completion_tokens);
    put_count(out, "cached_tokens", f->cached_tokens);
    put_count(out, "reasoning_tokens", f->reasoning_tokens);
    put_text(out, "usage_source", rs_usage_source_name(f->usage_source));
    put_number(out, "cost", f->cost);
    put_text(out, "cost_source", rs_cost_source_name(f->cost_source));
    put_number(out, "ttft", f->ttft);
    put_number(out, "tokens_per_second", f->tokens_per_second);
    if (f->interrupted) rs_buf_text(out, "interrupted: true\n");
    put_text(out, f->input_is_json ? "input (json)" : "input", f->input);
    put_text(out, f->output_is_json ? "output (json)" : "output", f->output);
    static const char *const nearness[] = {"", "server", "process"};
    put_text(out, "local", rs_str_of(nearness[f->local]));
    put_text(out, "tools (json)", f->tools);
    put_text(out, "input_preview", f->input_preview);
    put_text(out, "output_preview", f->output_preview);
    put_attrs(out, "parameters", &f->parameters);
    put_attrs(out, "metadata", &f->metadata);
    put_attrs(out, "model_facts", &f->model_facts);
    rs_buf_byte(out, '\n');
}

/* What a store is given must read like what a reader sees, but for input and output. */
static bool is_same_but_for_content(const rs_span *full, rs_span for_store) {
    rs_buf expected, got;
    rs_span without = *full;
    rs_buf_init(&expected);
    rs_buf_init(&got);
    without.facts.tools = (rs_str){0};
    without.facts.input = without.facts.output = (rs_str){0};
    without.facts.input_is_json = without.facts.output_is_json = false;
    put_span(&expected, &without);
    put_span(&got, &for_store);
    bool same = rs_str_eq(rs_buf_slice(&expected), rs_buf_slice(&got));
    if (!same)
        fprintf(stderr, "for the store:\n%.*sfor a reader:\n%.*s", (int)got.n, got.p, (int)expected.n,
                expected.p);
    rs_buf_deinit(&expected);
    rs_buf_deinit(&got);
    return same;
}

/* Each record that has its span here. */
static rs_status join(const rs_spans *spans, rs_str logs, rs_arena *arena, rs_err *err) {
    rs_loose_events loose = {0};
    rs_status st = rs_otlp_decode_logs_protobuf(logs, arena, &loose, err);
    for (size_t i = 0; st == RS_OK && i < spans->n; i++) {
        rs_span *span = &spans->items[i];
        rs_event *events = rs_arena_alloc(arena, (span->nevents + loose.n + 1) * sizeof *events);
        if (!events) return RS_ERR_MEMORY;
        if (span->nevents) memcpy(events, span->events, span->nevents * sizeof *events);
        for (size_t e = 0; e < loose.n; e++)
            if (memcmp(loose.items[e].span_id, span->span_id, sizeof span->span_id) == 0)
                events[span->nevents++] = loose.items[e].event;
        span->events = events;
    }
    return st;
}

static bool render(rs_str request, bool json, rs_str logs, const rs_prices *prices, rs_buf *out) {
    rs_arena arena;
    rs_arena_init(&arena, 64 << 20);
    rs_spans spans = {0};
    rs_price_memo memo = {0};
    rs_err err = {0};
    rs_status st = json ? rs_otlp_decode_json(request, &arena, &spans, &err)
                        : rs_otlp_decode_protobuf(request, &arena, &spans, &err);
    if (st == RS_OK && logs.n) st = join(&spans, logs, &arena, &err);
    if (st != RS_OK) fprintf(stderr, "offset %zu: %s\n", err.offset, err.message);
    for (size_t i = 0; st == RS_OK && i < spans.n; i++) {
        rs_span for_store = spans.items[i];
        st = rs_normalize_span(&spans.items[i], &arena);
        if (st == RS_OK) st = rs_normalize_for_store(&for_store, &arena);
        rs_prices_apply(prices, &spans.items[i], &memo);
        rs_prices_apply(prices, &for_store, &memo);
        if (st == RS_OK) put_span(out, &spans.items[i]);
        if (st == RS_OK && !is_same_but_for_content(&spans.items[i], for_store)) st = RS_ERR_INVALID;
    }
    rs_arena_deinit(&arena);
    return st == RS_OK && rs_buf_status(out) == RS_OK;
}

/* Shows the first line that differs. */
static void show_difference(rs_str expected, rs_str got) {
    size_t i = 0, line = 0, number = 1;
    for (; i < expected.n && i < got.n && expected.p[i] == got.p[i]; i++)
        if (got.p[i] == '\n') line = i + 1, number++;
    rs_str a = rs_str_from(expected, line), b = rs_str_from(got, line);
    const char *ae = a.n ? memchr(a.p, '\n', a.n) : NULL, *be = b.n ? memchr(b.p, '\n', b.n) : NULL;
    if (ae) a.n = (size_t)(ae - a.p);
    if (be) b.n = (size_t)(be - b.p);
    fprintf(stderr, "line %zu\n  expected: %.*s\n  got:      %.*s\n", number, RS_STR_ARG(a), RS_STR_ARG(b));
}

static bool run_case(const char *folder, const char *file, const rs_prices *prices, bool update) {
    const char *dot = strrchr(file, '.');
    char path[1024], logs_path[1024], expected_path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, file);
    snprintf(expected_path, sizeof expected_path, "%s/%.*s.expected", folder, (int)(dot - file), file);
    snprintf(logs_path, sizeof logs_path, "%s/%.*s.logs.pb", folder, (int)(dot - file), file);
    rs_buf request, logs, got, expected;
    rs_buf_init(&request), rs_buf_init(&logs), rs_buf_init(&got), rs_buf_init(&expected);
    (void)read_file(logs_path, &logs);
    bool ok = read_file(path, &request) && rs_buf_status(&logs) == RS_OK &&
              render(rs_buf_slice(&request), strcmp(dot, ".json") == 0, rs_buf_slice(&logs), prices, &got);
    if (ok && update) {
        FILE *f = fopen(expected_path, "wb");
        ok = f && fwrite(got.p, 1, got.n, f) == got.n;
        if (f) ok = fclose(f) == 0 && ok;
    } else if (ok) {
        ok = read_file(expected_path, &expected) && rs_str_eq(rs_buf_slice(&expected), rs_buf_slice(&got));
        if (!ok) show_difference(rs_buf_slice(&expected), rs_buf_slice(&got));
    }
    printf("%s %s\n", ok ? "ok    " : "FAILED", path);
    rs_buf_deinit(&request), rs_buf_deinit(&logs), rs_buf_deinit(&got), rs_buf_deinit(&expected);
    return ok;
}

int main(int argc, char **argv) {
    bool update = argc == 3 && strcmp(argv[1], "--update") == 0;
    if (argc != 2 + update) return fprintf(stderr, "usage: %s [--update] FOLDER\n", argv[0]), 2;
    DIR *dir = opendir(argv[argc - 1]);
    rs_prices *prices;
    rs_err err = {0};
    if (!dir) return perror(argv[argc - 1]), 2;
    if (rs_prices_parse(test_prices, "test_prices", &prices, &err) != RS_OK)
        return fprintf(stderr, "%s\n", err.message), 2;
    int cases = 0, failed = 0;
    for (struct dirent *e; (e = readdir(dir));) {
        const char *dot = strrchr(e->d_name, '.');
        if (!dot || (strcmp(dot, ".json") != 0 && strcmp(dot, ".pb") != 0)) continue;
        if (strstr(e->d_name, ".logs.pb")) continue; /* part of a case */
        cases++;
        failed += !run_case(argv[argc - 1], e->d_name, prices, update);
    }
    closedir(dir);
    rs_prices_free(prices);
    printf("%d cases, %d failed\n", cases, failed);
    return cases == 0 || failed != 0;
}
