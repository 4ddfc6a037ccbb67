#include "cli/table.h"

#include "cli/tree.h"

enum {
    TIME,
    NAME,
    MODEL,
    TOKENS,
    LATENCY,
    STATUS,
    OUTPUT,
    ID,
    COLUMN_COUNT,
    GAP = 2,
    ID_SHORT = 12,
    NAME_MIN = 12,
    MODEL_MIN = 8,
    OUTPUT_MIN = 20,
    OUTPUT_MAX = 60
};

static const struct {
    const char *title;
    bool right;
} columns[COLUMN_COUNT] = {
    [TIME] = {"TIME", false},     [NAME] = {"NAME", false},      [MODEL] = {"MODEL", false},
    [TOKENS] = {"TOKENS", true},  [LATENCY] = {"LATENCY", true}, [STATUS] = {"STATUS", false},
    [OUTPUT] = {"OUTPUT", false}, [ID] = {"ID", false},
};

static void put_text(rs_buf *out, const json_t *trace, const char *key) {
    const json_t *v = json_object_get(trace, key);
    rs_buf_put(out, json_string_value(v), json_string_length(v));
}

/* Of what was loaded from a folder, its path's last part says most in little room. */
static void put_name(const rs_term *t, rs_buf *out, const json_t *trace) {
    const json_t *v = json_object_get(trace, "name");
    rs_str name = {json_string_value(v), json_string_length(v)}, load = RS_STR("load ");
    const char *slash = t->narrow && rs_str_starts(name, load) ? memrchr(name.p, '/', name.n) : NULL;
    if (slash) {
        rs_buf_str(out, load);
        name = rs_str_from(name, (size_t)(slash - name.p) + 1);
    }
    rs_buf_str(out, name);
}

static void put_tokens(const rs_term *t, rs_buf *out, const json_t *trace) {
    const json_t *in = json_object_get(trace, "total_prompt_tokens"),
                 *made = json_object_get(trace, "total_completion_tokens");
    if (json_is_integer(in)) rs_buf_printf(out, "%lld", (long long)json_integer_value(in));
    if (json_is_integer(in) && json_is_integer(made)) rs_buf_text(out, t->ascii ? " + " : " → ");
    if (json_is_integer(made)) rs_buf_printf(out, "%lld", (long long)json_integer_value(made));
}

/* Of a text that begins with its prompt, what is new. */
static void put_output(const rs_term *t, rs_buf *out, const json_t *trace) {
    const json_t *in = json_object_get(trace, "input"), *made = json_object_get(trace, "output");
    rs_str asked = {json_string_value(in), json_string_length(in)},
           text = {json_string_value(made), json_string_length(made)};
    if (asked.n && text.n > asked.n && rs_str_starts(text, asked)) {
        rs_buf_text(out, t->ascii ? "..." : "…");
        text = rs_str_from(text, asked.n);
    }
    rs_buf_str(out, text);
}

/* One cell's text, not yet escaped or cut. */
static void put_cell_text(const rs_term *t, rs_buf *out, const json_t *trace, int column) {
    switch (column) {
    case TIME:
        rs_tree_put_time(out, json_string_value(json_object_get(trace, "start_time")), true);
        break;
    case NAME:
        put_name(t, out, trace);
        break;
    case MODEL:
        put_text(out, trace, "model");
        break;
    case TOKENS:
        put_tokens(t, out, trace);
        break;
    case LATENCY:
        rs_tree_put_seconds(t, out, json_object_get(trace, "duration"));
        break;
    case STATUS:
        put_text(out, trace, "status_code");
        break;
    case OUTPUT:
        put_output(t, out, trace);
        break;
    default:
        put_text(out, trace, "trace_unique_id");
    }
}

static void measure(const rs_term *t, const json_t *traces, size_t widths[COLUMN_COUNT]) {
    rs_buf cell;
    rs_buf_init(&cell);
    for (int c = 0; c < COLUMN_COUNT; c++) {
        size_t i;
        json_t *trace;
        widths[c] = strlen(columns[c].title);
        json_array_foreach(traces, i, trace) {
            rs_buf_clear(&cell);
            put_cell_text(t, &cell, trace, c);
            size_t width = rs_term_columns(rs_str_cut_utf8(rs_buf_slice(&cell), 200));
            if (width > widths[c]) widths[c] = width;
        }
        if (c == OUTPUT && widths[c] > OUTPUT_MAX) widths[c] = OUTPUT_MAX;
    }
    rs_buf_deinit(&cell);
}

static void shrink(size_t *width, size_t least, size_t *over) {
    size_t spare = *width > least ? *width - least : 0, cut = spare < *over ? spare : *over;
    *width -= cut;
    *over -= cut;
}

/* Columns that are shown, with the gaps between them. */
static size_t total_of(const size_t widths[COLUMN_COUNT]) {
    size_t total = 0;
    for (int c = 0; c < COLUMN_COUNT; c++)
        if (widths[c]) total += widths[c] + (total ? GAP : 0);
    return total;
}

/* Leaves out (width 0) what matters least until the rest, made as narrow as it goes, fits. */
static void drop_columns(size_t room, size_t widths[COLUMN_COUNT]) {
    static const int least_first[] = {OUTPUT, MODEL, TOKENS, STATUS, TIME, LATENCY};
    for (size_t i = 0; i < RS_ARRAY_LEN(least_first); i++) {
        size_t least[COLUMN_COUNT];
        memcpy(least, widths, sizeof least);
        if (least[NAME] > NAME_MIN) least[NAME] = NAME_MIN;
        if (least[MODEL] > MODEL_MIN) least[MODEL] = MODEL_MIN;
        if (least[OUTPUT] > OUTPUT_MIN) least[OUTPUT] = OUTPUT_MIN;
        if (least[ID] > ID_SHORT) least[ID] = ID_SHORT;
        if (total_of(least) <= room) return;
        widths[least_first[i]] = 0;
    }
}

static void fit_widths(const rs_term *t, size_t widths[COLUMN_COUNT]) {
    if (!t->narrow) return;
    drop_columns((size_t)t->width, widths);
    size_t total = total_of(widths), over = total > (size_t)t->width ? total - (size_t)t->width : 0;
    shrink(&widths[OUTPUT], 40, &over);
    shrink(&widths[NAME], 28, &over);
    shrink(&widths[MODEL], 20, &over);
    shrink(&widths[ID], ID_SHORT, &over);
    shrink(&widths[OUTPUT], OUTPUT_MIN, &over);
    shrink(&widths[NAME], NAME_MIN, &over);
    shrink(&widths[MODEL], MODEL_MIN, &over);
    if (widths[ID] < 32) widths[ID] = ID_SHORT;
}

static void put_row(const rs_term *t, rs_buf *out, const json_t *trace, const size_t widths[COLUMN_COUNT]) {
    rs_buf cell;
    rs_buf_init(&cell);
    for (int c = 0; c < COLUMN_COUNT; c++) {
        if (!widths[c]) continue;
        rs_buf_clear(&cell);
        put_cell_text(t, &cell, trace, c);
        rs_str text = rs_buf_slice(&cell);
        bool failed = c == STATUS && rs_str_eq(text, RS_STR("error"));
        if (c == ID && text.n > widths[ID])
            text.n = widths[ID]; /* a prefix that can be typed, without an ellipsis */
        if (failed) rs_term_colour(t, out, RS_RED);
        if (c == ID) rs_term_put(t, out, text, widths[c]);
        else rs_term_put_cell(t, out, text, widths[c], columns[c].right);
        if (failed) rs_term_colour(t, out, RS_PLAIN);
        if (c != ID) rs_buf_printf(out, "%*s", GAP, "");
    }
    rs_term_end_line(out);
    rs_buf_deinit(&cell);
}

void rs_table_print(const rs_term *t, const json_t *traces, rs_buf *out) {
    size_t widths[COLUMN_COUNT], i;
    json_t *trace;
    measure(t, traces, widths);
    fit_widths(t, widths);
    rs_term_colour(t, out, RS_DIM);
    for (int c = 0; c < COLUMN_COUNT; c++) {
        if (!widths[c]) continue;
        if (c == ID) rs_buf_text(out, columns[c].title);
        else rs_term_put_cell(t, out, rs_str_of(columns[c].title), widths[c], columns[c].right);
        if (c != ID) rs_buf_printf(out, "%*s", GAP, "");
    }
    rs_term_colour(t, out, RS_PLAIN);
    rs_term_end_line(out);
    json_array_foreach(traces, i, trace) put_row(t, out, trace, widths);
}
