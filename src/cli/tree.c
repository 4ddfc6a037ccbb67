#include "cli/tree.h"

#include "base/clock.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    LEVELS_MAX = 12,  /* branches drawn in full; deeper ones are abbreviated */
    LINES_MAX = 4,    /* of a prompt or completion, unless all is asked for */
    LABEL_WIDTH = 12, /* "completion" and two spaces */
    DURATION_WIDTH = 9,
    BAR_MIN = 10,
    WIDTH_FOR_BARS = 60,
};

/* One span of the answer as it is drawn. */
typedef struct line {
    const json_t *span;
    uint32_t depth;
    bool has_next; /* a sibling follows */
    bool has_child;
} line;

typedef struct drawing {
    const rs_term *t;
    rs_buf *out;
    line *lines;
    size_t n;
    bool *open; /* per depth: the branch of the current ancestor goes on below */
    uint64_t start_ns, end_ns;
    size_t name_width, bar_width; /* columns; bar_width 0: no bars */
    bool whole_content;
} drawing;

/* ---- small readings of the answer ---------------------------------------------------------------------- */

static rs_str text_of(const json_t *object, const char *key) {
    const json_t *v = json_object_get(object, key);
    return (rs_str){json_string_value(v), json_string_length(v)};
}

static uint64_t time_of(const json_t *object, const char *key) {
    uint64_t ns = 0;
    return rs_clock_parse(text_of(object, key), &ns) ? ns : 0;
}

/* A span that has not ended, or a trace that has such. */
static bool is_running(const json_t *o) { return json_is_true(json_object_get(o, "running")); }

static bool is_model_call(rs_str log_type) {
    static const char *const types[] = {"text",      "chat",          "completion", "response",
                                        "embedding", "transcription", "speech",     "generation"};
    for (size_t i = 0; i < RS_ARRAY_LEN(types); i++)
        if (rs_str_eq(log_type, rs_str_of(types[i]))) return true;
    return false;
}

/* A call that answers in words: what goes in is its prompt. */
static bool is_generation(rs_str log_type) {
    return is_model_call(log_type) && !rs_str_eq(log_type, RS_STR("embedding")) &&
           !rs_str_eq(log_type, RS_STR("transcription")) && !rs_str_eq(log_type, RS_STR("speech"));
}

void rs_tree_put_seconds(const rs_term *t, rs_buf *out, const json_t *v) {
    if (!json_is_number(v)) return;
    double s = json_number_value(v);
    if (s < 0.0009995) rs_buf_printf(out, "%.0f %ss", s * 1e6, t->ascii ? "u" : "µ");
    else if (s < 0.00995) rs_buf_printf(out, "%.1f ms", s * 1e3);
    else if (s < 0.9995) rs_buf_printf(out, "%.0f ms", s * 1e3);
    else if (s < 59.95) rs_buf_printf(out, "%.*f s", s < 9.995 ? 2 : 1, s);
    else if (s < 3600) rs_buf_printf(out, "%d min %d s", (int)(s / 60), (int)fmod(s, 60));
    else if (s < 1e9) rs_buf_printf(out, "%ld h %d min", (long)(s / 3600), (int)fmod(s / 60, 60));
    else rs_buf_printf(out, "%.3g s", s);
}

void rs_tree_put_time(rs_buf *out, const char *rfc3339, bool with_date) {
    uint64_t ns;
    struct tm local;
    char text[40];
    if (!rs_clock_parse(rs_str_of(rfc3339), &ns)) return;
    time_t seconds = (time_t)(ns / 1000000000u);
    localtime_r(&seconds, &local);
    strftime(text, sizeof text, with_date ? "%Y-%m-%d %H:%M:%S" : "%H:%M:%S", &local);
    rs_buf_text(out, text);
    if (!with_date) rs_buf_printf(out, ".%03u", (unsigned)(ns / 1000000 % 1000));
}

/* ---- the shape ----------------------------------------------------------------------------------------- */

/* Fills lines from "spans": depths are made sound (each at most one more than the last), siblings found in one pass. */
static rs_status read_lines(drawing *d, const json_t *spans) {
    d->n = json_array_size(spans);
    d->lines = calloc(d->n + 1, sizeof *d->lines);
    d->open = calloc(d->n + 1, sizeof *d->open);
    size_t *last =
        calloc(d->n + 2, sizeof *last); /* per depth: 1 + the last line under the current parent, 0 none */
    if (!d->lines || !d->open || !last) return free(last), RS_ERR_MEMORY;
    for (size_t i = 0; i < d->n; i++) {
        line *l = &d->lines[i];
        l->span = json_array_get(spans, i);
        json_int_t depth = json_integer_value(json_object_get(l->span, "depth"));
        uint32_t deepest = i ? d->lines[i - 1].depth + 1 : 0;
        l->depth = depth < 0 ? 0 : depth > (json_int_t)deepest ? deepest : (uint32_t)depth;
        if (last[l->depth]) d->lines[last[l->depth] - 1].has_next = true;
        if (i && l->depth == deepest) d->lines[i - 1].has_child = true;
        last[l->depth] = i + 1;
        last[l->depth + 1] = 0;
    }
    free(last);
    return RS_OK;
}

/* Where branches begin when a tree is too deep to draw them all. */
static uint32_t first_level(uint32_t depth) { return depth > LEVELS_MAX ? depth - LEVELS_MAX + 1 : 0; }

static size_t branch_width(uint32_t depth) {
    return 3 * (size_t)(depth - first_level(depth)) + (depth > LEVELS_MAX ? 3 : 0);
}

/* The branches left of a span's own line (own) or of the lines below it. */
static void put_branches(drawing *d, const line *l, bool own) {
    bool ascii = d->t->ascii;
    uint32_t first = first_level(l->depth);
    rs_term_colour(d->t, d->out, RS_DIM);
    if (first) rs_buf_text(d->out, ascii ? ".. " : "⋯  ");
    for (uint32_t level = first + 1; level < l->depth + !own; level++)
        rs_buf_text(d->out, !d->open[level] ? "   " : ascii ? "|  " : "│  ");
    if (own && l->depth) rs_buf_text(d->out, l->has_next ? (ascii ? "|- " : "├─ ") : (ascii ? "`- " : "└─ "));
    rs_term_colour(d->t, d->out, RS_PLAIN);
}

/* ---- one span's line ----------------------------------------------------------------------------------- */

static rs_colour colour_of(const json_t *span) {
    rs_str type = text_of(span, "log_type");
    if (rs_str_eq(text_of(span, "status_code"), RS_STR("error"))) return RS_RED;
    if (is_model_call(type)) return RS_CYAN;
    if (rs_str_eq(type, RS_STR("tool")) || rs_str_eq(type, RS_STR("function"))) return RS_YELLOW;
    if (rs_str_eq(type, RS_STR("workflow")) || rs_str_eq(type, RS_STR("agent"))) return RS_BLUE;
    return RS_PLAIN;
}

static size_t put_name(drawing *d, const line *l, size_t columns) {
    rs_str name = text_of(l->span, "name"), type = text_of(l->span, "log_type");
    if (rs_str_eq(type, RS_STR("unknown"))) type = (rs_str){0};
    size_t type_width = type.n ? rs_term_columns(type) + 2 : 0;
    bool fits = rs_term_columns(rs_str_cut_utf8(name, 200)) + type_width <= columns;
    if (!fits && type_width + 8 > columns) type_width = 0;
    rs_term_colour(d->t, d->out, RS_BOLD);
    size_t used = rs_term_put(d->t, d->out, name.n ? name : RS_STR("(no name)"), columns - type_width);
    rs_term_colour(d->t, d->out, RS_PLAIN);
    if (!type_width) return used;
    rs_buf_text(d->out, "  ");
    rs_term_colour(d->t, d->out, colour_of(l->span));
    rs_term_put(d->t, d->out, type, type_width - 2);
    rs_term_colour(d->t, d->out, RS_PLAIN);
    return used + type_width;
}

static size_t column_of(const drawing *d, uint64_t ns) {
    if (ns <= d->start_ns) return 0;
    if (ns >= d->end_ns) return d->bar_width;
    return (size_t)((double)(ns - d->start_ns) / (double)(d->end_ns - d->start_ns) * (double)d->bar_width);
}

/* The bar; a model call's wait for its first token is drawn thin. */
static void put_bar(drawing *d, const json_t *span) {
    uint64_t start = time_of(span, "start_time"), end = time_of(span, "timestamp");
    if (is_running(span)) end = d->end_ns; /* which is now */
    double first = json_number_value(json_object_get(span, "time_to_first_token"));
    size_t from = column_of(d, start), to = column_of(d, end), thin = from;
    if (from >= d->bar_width) from = thin = d->bar_width - 1;
    if (to <= from) to = from + 1;
    if (first > 0 && first < 1e6) thin = column_of(d, start + (uint64_t)(first * 1e9));
    if (thin >= to) thin = to - 1;
    rs_buf_printf(d->out, "%*s", (int)from, "");
    rs_term_colour(d->t, d->out, colour_of(span));
    for (size_t i = from; i < to; i++)
        rs_buf_text(d->out, i < thin ? (d->t->ascii ? "-" : "─") : (d->t->ascii ? "=" : "━"));
    rs_term_colour(d->t, d->out, RS_PLAIN);
}

static void put_span_line(drawing *d, const line *l) {
    put_branches(d, l, true);
    size_t indent = branch_width(l->depth), room = d->name_width > indent + 8 ? d->name_width - indent : 8;
    size_t used = indent + put_name(d, l, room);
    if (used < d->name_width) rs_buf_printf(d->out, "%*s", (int)(d->name_width - used), "");
    rs_buf seconds;
    rs_buf_init(&seconds);
    rs_tree_put_seconds(d->t, &seconds, json_object_get(l->span, "latency"));
    rs_buf_byte(d->out, ' ');
    rs_term_put_cell(d->t, d->out, rs_buf_slice(&seconds), DURATION_WIDTH, true);
    rs_buf_deinit(&seconds);
    if (d->bar_width) {
        rs_buf_text(d->out, "  ");
        put_bar(d, l->span);
    }
    rs_term_end_line(d->out);
}

/* ---- what stands below a span -------------------------------------------------------------------------- */

static void put_label(drawing *d, const line *l, const char *label) {
    put_branches(d, l, false);
    if (!l->has_child) rs_buf_text(d->out, "   ");
    else rs_buf_text(d->out, d->t->ascii ? "|  " : "│  ");
    rs_term_colour(d->t, d->out, RS_DIM);
    rs_buf_printf(d->out, "%-*s", LABEL_WIDTH, label);
    rs_term_colour(d->t, d->out, RS_PLAIN);
}

/* Text in lines below one another, the label before the first. */
static void put_block(drawing *d, const line *l, const char *label, rs_str text) {
    while (text.n && (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == ' ')) text.n--;
    size_t indent = branch_width(l->depth) + 3 + LABEL_WIDTH;
    size_t columns = (size_t)d->t->width > indent + 20 ? (size_t)d->t->width - indent : 20;
    for (size_t shown = 0; text.n; shown++, label = "") {
        bool last = !d->whole_content && shown == LINES_MAX - 1;
        put_label(d, l, label);
        rs_term_put_line(d->out, &text, last ? columns - 4 : columns);
        if (last && text.n) {
            rs_buf_text(d->out, d->t->ascii ? " ..." : " …");
            text.n = 0;
        }
        rs_term_end_line(d->out);
    }
}

static void put_plain(rs_buf *out, const json_t *v) {
    if (json_is_string(v)) {
        rs_buf_put(out, json_string_value(v), json_string_length(v));
        return;
    }
    char *text = json_dumps(v, JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
    if (text) rs_buf_text(out, text);
    free(text);
}

/* Whether content is a list of messages. */
static bool are_messages(const json_t *content) {
    size_t i;
    json_t *message;
    bool all = json_is_array(content) && json_array_size(content) > 0;
    json_array_foreach(content, i, message) all = all && json_is_string(json_object_get(message, "role"));
    return all;
}

/* Text generation hands its prompt back before the new text: completion `i` of `n` without the prompt that it repeats. */
static void put_completion(const drawing *d, rs_buf *out, const json_t *v, const json_t *prompts, size_t i,
                           size_t n) {
    size_t of_each = are_messages(prompts) ? n / json_array_size(prompts) : 0;
    const json_t *asked =
        of_each ? json_object_get(json_array_get(prompts, i / of_each), "content") : prompts;
    rs_str text = {json_string_value(v), json_string_length(v)},
           prompt = {json_string_value(asked), json_string_length(asked)};
    if (!prompt.n || text.n <= prompt.n || memcmp(text.p, prompt.p, prompt.n) != 0) {
        put_plain(out, v);
        return;
    }
    rs_buf_text(out, d->t->ascii ? "..." : "…");
    rs_buf_str(out, rs_str_from(text, prompt.n));
}

/* Tools that a message calls, as name(arguments). */
static void put_calls(rs_buf *out, const json_t *calls) {
    size_t i;
    json_t *call;
    json_array_foreach(calls, i, call) {
        const json_t *function = json_object_get(call, "function");
        if (!json_is_object(function)) function = call;
        const json_t *arguments = json_object_get(function, "arguments");
        if (i) rs_buf_text(out, ", ");
        rs_buf_str(out, text_of(function, "name"));
        rs_buf_byte(out, '(');
        if (arguments) put_plain(out, arguments);
        rs_buf_byte(out, ')');
    }
}

/* Messages from the one numbered `first` on as "role: content", one below the other; anything else as it is. `prompts`:
 * what a completion may repeat. */
static void put_messages(const drawing *d, rs_buf *out, const json_t *content, const json_t *prompts,
                         size_t first) {
    size_t i;
    json_t *message;
    if (!are_messages(content)) {
        put_completion(d, out, content, prompts, 0, 1);
        return;
    }
    if (first) rs_buf_printf(out, "(%zu more before)\n", first);
    json_array_foreach(content, i, message) {
        if (i < first) continue;
        const json_t *calls = json_object_get(message, "tool_calls"),
                     *body = json_object_get(message, "content");
        if (i > first) rs_buf_byte(out, '\n');
        rs_buf_printf(out, "%s: ", json_string_value(json_object_get(message, "role")));
        if (body && !json_is_null(body)) put_completion(d, out, body, prompts, i, json_array_size(content));
        if (body && json_string_length(body) && json_array_size(calls)) rs_buf_byte(out, ' ');
        put_calls(out, calls);
    }
}

/* A chat's last two messages say more than those that every turn before had, too: the first that is shown. */
static size_t first_shown(const drawing *d, const json_t *span, const json_t *content) {
    size_t n = json_array_size(content);
    bool chat = rs_str_eq(text_of(span, "log_type"), RS_STR("chat")) && are_messages(content) &&
                !json_object_get(json_array_get(content, 0), "prompt_index");
    return chat && n > 2 && !d->whole_content ? n - 2 : 0;
}

static void put_content(drawing *d, const line *l, const char *label, const char *key,
                        const json_t *prompts) {
    const json_t *content = json_object_get(l->span, key);
    if (!content || json_is_null(content)) return;
    rs_buf text;
    rs_buf_init(&text);
    put_messages(d, &text, content, prompts, first_shown(d, l->span, content));
    put_block(d, l, label, rs_buf_slice(&text));
    rs_buf_deinit(&text);
}

/* key=value of each member but those that `skip` (or NULL) names. */
static void put_pairs(rs_buf *out, const json_t *object,
                      bool (*skip)(const json_t *object, const char *key)) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value) {
        if (skip && skip(object, key)) continue;
        rs_buf_printf(out, "%s%s=", out->n ? "  " : "", key);
        put_plain(out, value);
    }
}

/* max_tokens is what other dialects call a limit that the span may also have under its own name: once is enough. */
static bool is_said_twice(const json_t *parameters, const char *key) {
    if (strcmp(key, "max_tokens") != 0) return false;
    const json_t *v = json_object_get(parameters, key);
    return json_equal(v, json_object_get(parameters, "max_new_tokens")) ||
           json_equal(v, json_object_get(parameters, "max_length"));
}

static void put_parameters(drawing *d, const line *l) {
    const json_t *parameters = json_object_get(l->span, "parameters");
    rs_buf text;
    rs_buf_init(&text);
    put_pairs(&text, parameters, is_said_twice);
    put_block(d, l, "parameters", rs_buf_slice(&text));
    rs_buf_deinit(&text);
}

static void put_separator(const rs_term *t, rs_buf *out) {
    if (out->n) rs_buf_text(out, t->ascii ? " - " : " · ");
}

static void put_tokens(drawing *d, const line *l) {
    const json_t *in = json_object_get(l->span, "prompt_tokens"),
                 *made = json_object_get(l->span, "completion_tokens");
    const json_t *rate = json_object_get(l->span, "tokens_per_second"),
                 *first = json_object_get(l->span, "time_to_first_token");
    rs_str source = text_of(l->span, "usage_source");
    rs_buf text;
    rs_buf_init(&text);
    if (json_is_integer(in)) rs_buf_printf(&text, "%lld in", (long long)json_integer_value(in));
    if (json_is_integer(in) && json_is_integer(made)) rs_buf_text(&text, " + ");
    if (json_is_integer(made)) rs_buf_printf(&text, "%lld out", (long long)json_integer_value(made));
    if (text.n && source.n) rs_buf_printf(&text, " (%.*s)", RS_STR_ARG(source));
    if (json_is_number(rate)) {
        put_separator(d->t, &text);
        rs_buf_printf(&text, "%.1f tokens/s", json_number_value(rate));
    }
    if (json_is_number(first)) {
        put_separator(d->t, &text);
        rs_buf_text(&text, "first token ");
        rs_tree_put_seconds(d->t, &text, first);
    }
    put_block(d, l, "tokens", rs_buf_slice(&text));
    rs_buf_deinit(&text);
}

static void put_latency(drawing *d, const line *l) {
    rs_buf text;
    rs_buf_init(&text);
    rs_tree_put_seconds(d->t, &text, json_object_get(l->span, "latency"));
    put_block(d, l, "latency", rs_buf_slice(&text));
    rs_buf_deinit(&text);
}

static void put_details(drawing *d, const line *l) {
    rs_str type = text_of(l->span, "log_type");
    bool generation = is_generation(type);
    /* classifiers and their like are model calls without a log type of their own */
    bool model_call =
        is_model_call(type) || (rs_str_eq(type, RS_STR("custom")) && text_of(l->span, "model").n);
    put_block(d, l, "error", text_of(l->span, "error_message"));
    if (json_is_true(json_object_get(l->span, "interrupted")))
        put_block(d, l, "", RS_STR("interrupted: the process ended inside this span"));
    if (is_running(l->span)) put_block(d, l, "", RS_STR("running: it has not ended yet"));
    if (model_call) put_block(d, l, "model", text_of(l->span, "model"));
    if (model_call || d->whole_content) {
        bool may_repeat = generation && !d->whole_content && !rs_str_eq(type, RS_STR("chat"));
        put_content(d, l, generation ? "prompt" : "input", "input", NULL);
        put_content(d, l, generation ? "completion" : "output", "output",
                    may_repeat ? json_object_get(l->span, "input") : NULL);
    }
    if (!model_call) return;
    put_parameters(d, l);
    put_tokens(d, l);
    put_latency(d, l);
}

/* ---- the whole ----------------------------------------------------------------------------------------- */

static void put_counted(const rs_term *t, rs_buf *out, const json_t *v, const char *one, const char *many) {
    json_int_t n = json_integer_value(v);
    if (!json_is_integer(v) || n == 0) return;
    put_separator(t, out);
    rs_buf_printf(out, "%lld %s", (long long)n, n == 1 ? one : many);
}

static void put_fact(const rs_term *t, rs_buf *out, const char *label, rs_str value) {
    if (!value.n) return;
    put_separator(t, out);
    rs_buf_printf(out, "%s %.*s", label, RS_STR_ARG(value));
}

static void put_summary(drawing *d, const json_t *trace) {
    const rs_term *t = d->t;
    rs_buf text;
    rs_buf_init(&text);
    rs_tree_put_time(&text, json_string_value(json_object_get(trace, "start_time")), true);
    put_separator(t, &text);
    rs_tree_put_seconds(t, &text, json_object_get(trace, "duration"));
    put_counted(t, &text, json_object_get(trace, "span_count"), "span", "spans");
    put_counted(t, &text, json_object_get(trace, "llm_call_count"), "model call", "model calls");
    put_counted(t, &text, json_object_get(trace, "error_count"), "error", "errors");
    put_counted(t, &text, json_object_get(trace, "total_tokens"), "token", "tokens");
    rs_term_put(t, d->out, rs_buf_slice(&text), (size_t)t->width);
    rs_term_end_line(d->out);
    rs_buf_clear(&text);
    put_fact(t, &text, "user", text_of(trace, "customer_identifier"));
    put_fact(t, &text, "thread", text_of(trace, "session_identifier"));
    put_fact(t, &text, "environment", text_of(trace, "environment"));
    if (json_object_size(json_object_get(trace, "metadata"))) {
        rs_buf pairs;
        rs_buf_init(&pairs);
        put_pairs(&pairs, json_object_get(trace, "metadata"), NULL);
        put_fact(t, &text, "metadata", rs_buf_slice(&pairs));
        rs_buf_deinit(&pairs);
    }
    if (text.n) {
        rs_term_put(t, d->out, rs_buf_slice(&text), (size_t)t->width);
        rs_term_end_line(d->out);
    }
    rs_buf_deinit(&text);
}

static void put_head(drawing *d, const json_t *trace) {
    bool failed = rs_str_eq(text_of(trace, "status_code"), RS_STR("error"));
    rs_str name = text_of(trace, "name");
    rs_term_colour(d->t, d->out, RS_BOLD);
    rs_term_put(d->t, d->out, name.n ? name : RS_STR("(no name)"), (size_t)d->t->width - 10);
    rs_term_colour(d->t, d->out, RS_PLAIN);
    rs_buf_text(d->out, "  ");
    rs_term_colour(d->t, d->out, failed ? RS_RED : RS_GREEN);
    rs_buf_text(d->out, is_running(trace) ? "running" : failed ? "error" : "ok");
    rs_term_colour(d->t, d->out, RS_PLAIN);
    rs_term_end_line(d->out);
    rs_term_colour(d->t, d->out, RS_DIM);
    rs_term_put(d->t, d->out, text_of(trace, "trace_unique_id"), (size_t)d->t->width);
    rs_term_colour(d->t, d->out, RS_PLAIN);
    rs_term_end_line(d->out);
    put_summary(d, trace);
    rs_term_end_line(d->out);
}

static void lay_out(drawing *d, const json_t *trace) {
    size_t widest = 16, width = (size_t)d->t->width;
    for (size_t i = 0; i < d->n; i++) {
        const json_t *span = d->lines[i].span;
        size_t columns = branch_width(d->lines[i].depth) +
                         rs_term_columns(rs_str_cut_utf8(text_of(span, "name"), 200)) + 2 +
                         rs_term_columns(text_of(span, "log_type"));
        if (columns > widest) widest = columns;
    }
    bool bars = width >= WIDTH_FOR_BARS;
    size_t most = bars ? width / 2 : width - DURATION_WIDTH - 1;
    d->name_width = widest < most ? widest : most;
    size_t rest = width - d->name_width - DURATION_WIDTH - 4;
    d->bar_width = bars && rest >= BAR_MIN ? rest : 0;
    d->start_ns = time_of(trace, "start_time");
    d->end_ns = time_of(trace, "end_time");
    if (d->end_ns <= d->start_ns) d->end_ns = d->start_ns + 1;
}

rs_status rs_tree_print(const rs_term *t, const json_t *trace, bool whole_content, rs_buf *out) {
    drawing d = {.t = t, .out = out, .whole_content = whole_content};
    rs_status st = read_lines(&d, json_object_get(trace, "spans"));
    if (st == RS_OK) {
        lay_out(&d, trace);
        put_head(&d, trace);
        for (size_t i = 0; i < d.n; i++) {
            d.open[d.lines[i].depth] = d.lines[i].has_next;
            put_span_line(&d, &d.lines[i]);
            put_details(&d, &d.lines[i]);
        }
        st = rs_buf_status(out);
    }
    free(d.open);
    free(d.lines);
    return st;
}
