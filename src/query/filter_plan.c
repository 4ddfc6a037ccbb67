/* Which tags of the store tell of a filter's conditions, and which of them every trace that matches has. */
#include "base/ids.h"
#include "query/filter.h"
#include "query/filter_value.h"

#include <stdio.h>

typedef struct planner {
    rs_arena *arena;
    rs_filter_plan *plan;
    size_t tags_cap, groups_cap;
    rs_err *err;
} planner;

static rs_status no_memory(planner *p) { return rs_fail(p->err, RS_ERR_MEMORY, 0, "out of memory"); }

/* ---- tags ---------------------------------------------------------------------------------------------- */

static rs_status add_tag(planner *p, rs_condition *c, rs_str key, rs_str value) {
    void *tags = p->plan->tags;
    if (p->plan->ntags == RS_SCAN_TAGS_MAX)
        return rs_fail(p->err, RS_ERR_INVALID, 0, "more than %d values in all: ask in several questions",
                       RS_SCAN_TAGS_MAX);
    if (!rs_arena_grow(p->arena, &tags, p->plan->ntags, &p->tags_cap, sizeof *p->plan->tags))
        return no_memory(p);
    p->plan->tags = tags;
    p->plan->tags[p->plan->ntags++] = (rs_tag){key, value};
    c->ntags++;
    return RS_OK;
}

/* The key under which the store has what the condition is about; empty: it has no tags of that. */
static rs_status key_of(planner *p, const rs_condition *c, rs_str *key) {
    static const rs_str prefix = RS_STR("metadata__");
    *key = (rs_str){0};
    if (c->field) {
        if (c->field->tag) *key = rs_str_of(c->field->tag);
    } else if (c->of_model) {
        *key = c->key;
    } else {
        char *text = rs_arena_alloc(p->arena, prefix.n + c->key.n);
        if (!text) return no_memory(p);
        memcpy(text, prefix.p, prefix.n);
        memcpy(text + prefix.n, c->key.p, c->key.n);
        *key = (rs_str){text, prefix.n + c->key.n};
    }
    return RS_OK;
}

/* What is equal to a number may have been sent as one, and is then tagged as JSON writes it. */
static rs_status add_number(planner *p, rs_condition *c, rs_str key, rs_str value) {
    double number;
    char text[40];
    if (!rs_str_to_double(value, &number)) return RS_OK;
    bool whole = number >= -9e15 && number <= 9e15 && (double)(int64_t)number == number;
    rs_buf buf;
    rs_buf_init(&buf);
    rs_json j = rs_json_on(&buf);
    rs_json_double(&j, number);
    rs_str forms[2] = {rs_buf_slice(&buf), {text, 0}};
    if (whole) forms[1].n = (size_t)snprintf(text, sizeof text, "%lld", (long long)number);
    rs_status st = rs_buf_status(&buf) == RS_OK ? RS_OK : no_memory(p);
    for (size_t i = 0; i < 2 && st == RS_OK; i++) {
        if (forms[i].n == 0 || rs_str_eq(forms[i], value) || (i == 1 && rs_str_eq(forms[1], forms[0])))
            continue;
        rs_str kept = rs_arena_copy(p->arena, forms[i]);
        st = kept.p ? add_tag(p, c, key, kept) : no_memory(p);
    }
    rs_buf_deinit(&buf);
    return st;
}

/* What is equal to true may have been sent as "True". */
static rs_status add_truth(planner *p, rs_condition *c, rs_str key, rs_str value) {
    const rs_str *truth = c->as_text ? NULL : rs_truth_spellings(value);
    rs_status st = RS_OK;
    for (size_t i = 0; i < RS_TRUTH_SPELLINGS && truth && st == RS_OK; i++)
        if (!rs_str_eq(truth[i], value)) st = add_tag(p, c, key, truth[i]);
    return st;
}

/* The tag of a model is of its whole name or of its last part, so that one alone does not tell of a whole name without a slash. */
static bool tags_decide(const rs_condition *c) {
    if (c->of_model) return true;
    if (!c->field || !(c->field->flags & RS_FIELD_ANY_SPAN)) return false;
    bool of_part = c->as_text && (c->field->flags & RS_FIELD_LAST_PART);
    for (size_t i = 0; i < c->nvalues && of_part; i++) {
        rs_str v = c->values[i].text;
        if (!memchr(v.p, '/', v.n)) return false;
    }
    return true;
}

/* A condition's tags, if there is one for each way in which it can hold. */
static rs_status number_tags(planner *p, rs_condition *c, bool of_span) {
    rs_str key;
    rs_status st = key_of(p, c, &key);
    c->tag = (uint16_t)p->plan->ntags;
    c->ntags = 0;
    c->tags_decide = false;
    if (st != RS_OK || key.n == 0 || c->op != RS_OP_EQUAL) return st;
    for (size_t i = 0; i < c->nvalues; i++) {
        rs_str v = c->values[i].text;
        if (v.n == 0) return RS_OK; /* what is not there has no tag */
        if (c->field && (c->field->flags & RS_FIELD_TAGS_ERROR) && !rs_str_eq(v, RS_STR("error")))
            return RS_OK;
    }
    for (size_t i = 0; i < c->nvalues && st == RS_OK; i++) {
        st = add_tag(p, c, key, c->values[i].text);
        if (st == RS_OK && !c->field) st = add_number(p, c, key, c->values[i].text);
        if (st == RS_OK && !c->field) st = add_truth(p, c, key, c->values[i].text);
    }
    p->plan->may_be_stale = p->plan->may_be_stale || (c->of_model && !of_span);
    c->tags_decide = !of_span && tags_decide(c);
    return st;
}

static rs_status number_all(planner *p, rs_filter_node *node, bool of_span) {
    rs_status st = RS_OK;
    if (node->kind == RS_FILTER_CONDITION) return number_tags(p, &node->condition, of_span);
    for (rs_filter_node *c = node->child; c && st == RS_OK; c = c->next)
        st = number_all(p, c, of_span || node->kind == RS_FILTER_SPAN);
    return st;
}

static bool all_decided(const rs_filter_node *node) {
    if (node->kind == RS_FILTER_CONDITION) return node->condition.tags_decide;
    if (node->kind == RS_FILTER_WORD || node->kind == RS_FILTER_SPAN) return false;
    for (const rs_filter_node *c = node->child; c; c = c->next)
        if (!all_decided(c)) return false;
    return true;
}

/* Whether the groups that are collected of it say all: not of what may not be, nor of an OR between ANDs. */
static bool groups_decide(const rs_filter_node *node, bool in_or) {
    if (node->kind == RS_FILTER_CONDITION) return node->condition.tags_decide;
    if (node->kind != RS_FILTER_OR && (node->kind != RS_FILTER_AND || in_or)) return false;
    for (const rs_filter_node *c = node->child; c; c = c->next)
        if (!groups_decide(c, in_or || node->kind == RS_FILTER_OR)) return false;
    return true;
}

/* ---- groups: what every trace that matches has ---------------------------------------------------------- */

/* Collects groups; `fewest` instead takes only the one with the fewest tags. */
typedef struct collected {
    rs_tag_group *items;
    size_t n, cap;
} collected;

static rs_status collect(planner *p, const rs_filter_node *node, collected *out);

static rs_status put_group(planner *p, collected *out, rs_tag_group group) {
    void *items = out->items;
    if (!rs_arena_grow(p->arena, &items, out->n, &out->cap, sizeof *out->items)) return no_memory(p);
    out->items = items;
    out->items[out->n++] = group;
    return RS_OK;
}

static rs_status collect_condition(planner *p, const rs_condition *c, collected *out) {
    if (c->ntags == 0) return RS_OK;
    uint16_t *items = rs_arena_alloc(p->arena, c->ntags * sizeof *items);
    if (!items) return no_memory(p);
    for (uint16_t i = 0; i < c->ntags; i++) items[i] = (uint16_t)(c->tag + i);
    return put_group(p, out, (rs_tag_group){items, c->ntags});
}

/* Of an OR: one group of each branch together, if each has one. */
static rs_status collect_any(planner *p, const rs_filter_node *node, collected *out) {
    uint16_t items[RS_SCAN_TAGS_MAX];
    size_t n = 0;
    for (const rs_filter_node *c = node->child; c; c = c->next) {
        collected of_branch = {0};
        const rs_tag_group *best = NULL;
        rs_status st = collect(p, c, &of_branch);
        if (st != RS_OK) return st;
        for (size_t i = 0; i < of_branch.n; i++)
            if (!best || of_branch.items[i].n < best->n) best = &of_branch.items[i];
        if (!best || n + best->n > RS_SCAN_TAGS_MAX) return RS_OK;
        memcpy(items + n, best->items, best->n * sizeof *items);
        n += best->n;
    }
    uint16_t *kept = rs_arena_alloc(p->arena, n * sizeof *kept);
    if (!kept) return no_memory(p);
    memcpy(kept, items, n * sizeof *kept);
    return n ? put_group(p, out, (rs_tag_group){kept, n}) : RS_OK;
}

static rs_status collect(planner *p, const rs_filter_node *node, collected *out) {
    rs_status st = RS_OK;
    switch (node->kind) {
    case RS_FILTER_CONDITION:
        return collect_condition(p, &node->condition, out);
    case RS_FILTER_OR:
        return collect_any(p, node, out);
    case RS_FILTER_AND:
    case RS_FILTER_SPAN:
        for (const rs_filter_node *c = node->child; c && st == RS_OK; c = c->next) st = collect(p, c, out);
        return st;
    case RS_FILTER_NOT:
    case RS_FILTER_WORD:
        break;
    }
    return st;
}

/* Of an AND and what is in it; of a span(…) alone what no name or model of a span may fulfil. */
static void collect_words(const rs_filter_node *node, bool in_span, const rs_filter_node **out, size_t *n) {
    if (node->kind == RS_FILTER_WORD) {
        bool leads = node->phrase.nwords > 0 && (node->is_text || !in_span);
        if (leads && *n < RS_FILTER_MAX_WORDS) out[(*n)++] = node;
    } else if (node->kind == RS_FILTER_AND || node->kind == RS_FILTER_SPAN) {
        for (const rs_filter_node *c = node->child; c; c = c->next)
            collect_words(c, in_span || node->kind == RS_FILTER_SPAN, out, n);
    }
}

size_t rs_filter_words(const rs_filter *f, const rs_filter_node *out[RS_FILTER_MAX_WORDS]) {
    size_t n = 0;
    if (f->root) collect_words(f->root, false, out, &n);
    return n;
}

static bool names_trace(const rs_filter_node *node, uint8_t trace_id[16]) {
    const rs_condition *c = &node->condition;
    bool names = node->kind == RS_FILTER_CONDITION && c->field && c->op == RS_OP_EQUAL && c->nvalues == 1 &&
                 strcmp(c->field->name, "trace_unique_id") == 0 && rs_unhex(c->values[0].text, trace_id, 16);
    if (node->kind != RS_FILTER_AND) return names;
    for (const rs_filter_node *child = node->child; child && !names; child = child->next)
        names = names_trace(child, trace_id);
    return names;
}

bool rs_filter_trace(const rs_filter *f, uint8_t trace_id[16]) {
    return f->table == &rs_span_fields && f->root && names_trace(f->root, trace_id);
}

rs_status rs_filter_make_plan(rs_filter *f, rs_arena *arena, rs_filter_plan *out, rs_err *err) {
    static const rs_tag_group none;
    planner p = {.arena = arena, .plan = out, .err = err};
    collected groups = {0};
    *out = (rs_filter_plan){0};
    if (!f->root) return RS_OK;
    rs_status st = number_all(&p, f->root, false);
    if (st == RS_OK) st = collect(&p, f->root, &groups);
    out->groups = groups.n ? groups.items : &none;
    out->ngroups = groups.n;
    out->tags_decide = all_decided(f->root);
    out->groups_decide = groups.n > 0 && groups_decide(f->root, false);
    out->nwords = rs_filter_words(f, out->words);
    return st;
}
