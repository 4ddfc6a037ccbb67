/* Flat attributes of messages: taking their names apart, putting them in order, writing them as messages. */
#include "normalize/message_writer.h"
#include <stdlib.h>

/* "12.rest" -> 12, "rest". */
static bool take_number(rs_str *s, uint32_t *out) {
    size_t i = 0;
    uint64_t v = 0;
    while (i < s->n && s->p[i] >= '0' && s->p[i] <= '9' && v <= UINT32_MAX)
        v = v * 10 + (uint64_t)(s->p[i++] - '0');
    if (i == 0 || i >= s->n || s->p[i] != '.' || v > UINT32_MAX) return false;
    *out = (uint32_t)v;
    *s = rs_str_from(*s, i + 1);
    return true;
}

static bool take_prefix(rs_str *s, rs_str prefix) {
    if (!rs_str_starts(*s, prefix)) return false;
    *s = rs_str_from(*s, prefix.n);
    return true;
}

static rs_str last_segment(rs_str s) {
    const char *dot = memrchr(s.p, '.', s.n);
    return dot ? rs_str_from(s, (size_t)(dot - s.p) + 1) : s;
}

static bool names_text(rs_str s) {
    return rs_str_eq(s, RS_STR("content")) || rs_str_eq(s, RS_STR("prompt.text")) ||
           rs_str_eq(s, RS_STR("completion.text")) || rs_str_eq(s, RS_STR("embedding.text"));
}

static bool classify(rs_str rest, rs_part *part) {
    if (!take_number(&rest, &part->message)) return false;
    take_prefix(&rest, RS_STR("message."));
    part->name = rest;
    if (rs_str_eq(rest, RS_STR("role"))) part->kind = RS_PART_ROLE;
    else if (names_text(rest)) part->kind = RS_PART_CONTENT;
    else if (take_prefix(&rest, RS_STR("contents."))) part->kind = RS_PART_CONTENT_ITEM;
    else if (take_prefix(&rest, RS_STR("tool_calls."))) part->kind = RS_PART_TOOL_CALL;
    else part->kind = RS_PART_OTHER;
    if (part->kind == RS_PART_CONTENT_ITEM || part->kind == RS_PART_TOOL_CALL) {
        if (!take_number(&rest, &part->number)) return false;
        part->name = last_segment(rest);
    }
    return part->kind != RS_PART_OTHER || !memchr(rest.p, '.', rest.n);
}

rs_status rs_parts_put(rs_parts *p, unsigned rank, const rs_part *part, rs_arena *arena) {
    if (p->n && rank > p->rank) return RS_OK;
    if (rank < p->rank) p->n = 0;
    p->rank = rank;
    if (!rs_arena_grow(arena, (void **)&p->items, p->n, &p->cap, sizeof *p->items)) return RS_ERR_MEMORY;
    p->items[p->n] = *part;
    p->items[p->n].arrival = (uint32_t)p->n;
    p->n++;
    return RS_OK;
}

rs_status rs_parts_add(rs_parts *p, unsigned rank, rs_str rest, const rs_value *value, rs_arena *arena) {
    rs_part part = {.value = value};
    return classify(rest, &part) ? rs_parts_put(p, rank, &part, arena) : RS_OK;
}

rs_status rs_parts_add_tool(rs_parts *p, unsigned rank, rs_str rest, const rs_value *value, rs_arena *arena) {
    rs_part part = {.kind = RS_PART_OTHER, .value = value};
    if (!take_number(&rest, &part.message)) return RS_OK;
    part.name = last_segment(rest);
    return rs_parts_put(p, rank, &part, arena);
}

static int compare(const void *pa, const void *pb) {
    const rs_part *a = pa, *b = pb;
    if (a->message != b->message) return a->message < b->message ? -1 : 1;
    if (a->kind != b->kind) return a->kind < b->kind ? -1 : 1;
    if (a->number != b->number) return a->number < b->number ? -1 : 1;
    return a->arrival < b->arrival ? -1 : a->arrival > b->arrival;
}

void rs_parts_put_in_order(rs_parts *p) {
    for (size_t i = 1; i < p->n; i++)
        if (compare(&p->items[i - 1], &p->items[i]) > 0) {
            qsort(p->items, p->n, sizeof *p->items, compare);
            return;
        }
}

/* Parts of one kind from `part` on, up to `end`. */
static const rs_part *kind_end(const rs_part *part, const rs_part *end, rs_part_kind kind) {
    while (part < end && part->kind == kind) part++;
    return part;
}

/* contents.M: one text is the content; more, or anything that is not text, is an array of pieces. */
static rs_str only_text(const rs_part *from, const rs_part *to) {
    rs_str text = {0};
    for (const rs_part *p = from; p < to; p++) {
        if (rs_str_eq(p->name, RS_STR("type"))) continue;
        if (text.p || !rs_str_eq(p->name, RS_STR("text")) || p->value->type != RS_VALUE_STRING)
            return (rs_str){0};
        text = p->value->s;
    }
    return text;
}

static rs_str first_text(const rs_part *from, const rs_part *to) {
    for (const rs_part *p = from; p < to; p++)
        if (rs_str_eq(p->name, RS_STR("text")) && p->value->type == RS_VALUE_STRING) return p->value->s;
    return (rs_str){0};
}

/* An array of objects, one for each number. */
static void write_numbered(rs_json *j, const rs_part *from, const rs_part *to) {
    rs_json_array(j);
    for (const rs_part *p = from; p < to; p++) {
        if (p == from || p->number != p[-1].number) {
            if (p != from) rs_json_object_end(j);
            rs_json_object(j);
        }
        rs_json_key(j, p->name);
        rs_value_write_json(j, p->value);
    }
    rs_json_object_end(j);
    rs_json_array_end(j);
}

static void write_items(rs_message_writer *w, const rs_part *from, const rs_part *to) {
    rs_json_key(&w->json, RS_STR("content"));
    write_numbered(&w->json, from, to);
    rs_message_gist(w, first_text(from, to));
}

static void write_others(rs_message_writer *w, const rs_part *from, const rs_part *to) {
    for (const rs_part *p = from; p < to; p++) {
        rs_json_key(&w->json, p->name);
        bool structure = p->value->type == RS_VALUE_STRING && rs_message_is_structure(p->value->s);
        if (structure || rs_str_eq(p->name, RS_STR("reasoning"))) w->plain = false;
        if (structure) rs_json_raw(&w->json, p->value->s);
        else rs_value_write_json(&w->json, p->value);
    }
}

/* prompt_index above 0: of a batch, what a preview shows is the first prompt and its answer. */
static bool is_of_later_prompt(const rs_part *from, const rs_part *to) {
    for (const rs_part *p = from; p < to; p++)
        if (rs_str_eq(p->name, RS_STR("prompt_index")))
            return p->value->type == RS_VALUE_INT && p->value->i > 0;
    return false;
}

static void write_message(rs_message_writer *w, const rs_part *at, const rs_part *end) {
    rs_str gist = w->gist, asked = w->asked;
    const rs_part *roles = kind_end(at, end, RS_PART_ROLE);
    const rs_part *texts = kind_end(roles, end, RS_PART_CONTENT);
    const rs_part *items = kind_end(texts, end, RS_PART_CONTENT_ITEM);
    const rs_part *calls = kind_end(items, end, RS_PART_TOOL_CALL);
    rs_message_begin(w, roles > at ? roles[-1].value : NULL);
    rs_str single = only_text(texts, items);
    if (texts > roles) rs_message_content(w, texts[-1].value);
    else if (single.p) rs_message_text(w, single);
    else if (items > texts) write_items(w, texts, items);
    else rs_message_text(w, (rs_str){0});
    if (calls > items) rs_json_key(&w->json, RS_STR("tool_calls")), write_numbered(&w->json, items, calls);
    if ((items > texts && !single.p) || calls > items) w->plain = false;
    write_others(w, calls, end);
    if (gist.n && is_of_later_prompt(calls, end)) w->gist = gist, w->asked = asked;
    rs_message_end(w);
}

/* respan-instrumentation-huggingface puts the whole batch, as a JSON array, in place of its first completion.
 * Returns that first completion's own text, or an empty slice where the content is just what it seems. */
static rs_str first_of_batch(const rs_parts *p, rs_arena *arena) {
    const rs_part *first = NULL, *second = NULL;
    for (size_t i = 0; i < p->n && !second; i++) {
        if (p->items[i].kind != RS_PART_CONTENT || p->items[i].value->type != RS_VALUE_STRING) continue;
        if (!first) first = &p->items[i];
        else second = &p->items[i];
    }
    if (!second || !rs_str_starts(first->value->s, RS_STR("[\""))) return (rs_str){0};
    rs_json_reader r;
    rs_json_read_init(&r, first->value->s, arena);
    if (rs_json_read(&r) != RS_JSON_ARRAY || rs_json_read(&r) != RS_JSON_STRING) return (rs_str){0};
    rs_str text = r.text;
    if (rs_json_read(&r) != RS_JSON_STRING || !rs_str_eq(r.text, second->value->s)) return (rs_str){0};
    return text;
}

static rs_part *first_content(rs_parts *p) {
    for (size_t i = 0; i < p->n; i++)
        if (p->items[i].kind == RS_PART_CONTENT) return &p->items[i];
    return NULL;
}

/* Roles and reasons for ending alone: what was said is not recorded. */
static bool is_without_content(const rs_parts *p) {
    for (size_t i = 0; i < p->n; i++) {
        const rs_part *part = &p->items[i];
        bool reason = part->kind == RS_PART_OTHER && rs_str_eq(part->name, RS_STR("finish_reason"));
        if (part->kind != RS_PART_ROLE && !reason) return false;
    }
    return true;
}

rs_status rs_content_from_parts(rs_parts *p, const rs_content_style *style, rs_arena *arena,
                                rs_content *out) {
    *out = (rs_content){0};
    if (is_without_content(p)) return RS_OK;
    rs_parts_put_in_order(p);
    rs_message_writer w;
    rs_message_writer_init(&w, style, arena);
    const rs_value first = {.type = RS_VALUE_STRING, .s = first_of_batch(p, arena)}, *whole = NULL;
    rs_part *batch = first.s.p ? first_content(p) : NULL;
    if (batch) whole = batch->value, batch->value = &first;
    for (const rs_part *at = p->items, *end = p->items + p->n, *next; at < end; at = next) {
        for (next = at + 1; next < end && next->message == at->message;) next++;
        write_message(&w, at, next);
    }
    if (batch) batch->value = whole; /* who asks again finds it as it was */
    return rs_message_writer_finish(&w, out);
}
