/* Asking a filter of a row: as much is decided as what is known of the row decides. */
#include "query/filter_value.h"
#include "store/span_text.h"

static rs_truth truth(bool holds) { return holds ? RS_YES : RS_NO; }

static bool has_a_tag(const rs_condition *c, const uint64_t *tags) {
    for (unsigned i = c->tag; i < (unsigned)c->tag + c->ntags; i++)
        if (tags[i / 64] >> i % 64 & 1) return true;
    return false;
}

/* No span of the trace can fulfil it. */
static bool is_ruled_out(const rs_condition *c, const rs_evidence *e) {
    return e->tags && c->ntags > 0 && !has_a_tag(c, e->tags);
}

/* ---- of one span --------------------------------------------------------------------------------------- */

static rs_truth span_condition(const rs_condition *c, const rs_evidence *e) {
    const rs_span *span = e->row;
    rs_field_value v;
    if (is_ruled_out(c, e)) return RS_NO;
    if (!span) return RS_MAYBE;
    if (!c->field) return e->in_full ? truth(rs_condition_decide_attrs(c, &span->attrs)) : RS_MAYBE;
    bool known = c->field->get(span, &v);
    return truth(rs_condition_decide(c, known, &v));
}

/* ---- of a trace ---------------------------------------------------------------------------------------- */

static bool row_holds(const rs_filter *f, const rs_condition *c, const void *row) {
    rs_field_value v;
    if (!row || c->of_model) return false;
    if (!c->field) return rs_condition_decide_json(c, f->table->metadata(row));
    bool known = c->field->get(row, &v);
    return rs_condition_decide(c, known, &v);
}

/* Holds if any span has the value: the one under whose tag the store has it. */
static rs_truth any_span(const rs_condition *c, const rs_evidence *e) {
    rs_condition of_span = *c;
    rs_evidence one = {.in_full = e->in_full};
    rs_truth best = RS_NO;
    if (c->field) of_span.field = rs_field_find(&rs_span_fields, rs_str_of(c->field->tag));
    for (size_t i = 0; i < e->spans->n && best != RS_YES; i++) {
        one.row = &e->spans->items[i];
        rs_truth t = span_condition(&of_span, &one);
        if (t > best) best = t;
    }
    return best;
}

/* Nothing known: of that the row has said it all. */
static bool is_empty_alone(const rs_condition *c) {
    for (size_t i = 0; i < c->nvalues; i++)
        if (c->of_model || c->values[i].text.n > 0) return false;
    return true;
}

static rs_truth trace_condition(const rs_filter *f, const rs_condition *c, const rs_evidence *e) {
    if (is_ruled_out(c, e)) return RS_NO;
    bool of_any = c->of_model || (c->field && (c->field->flags & RS_FIELD_ANY_SPAN) && c->op == RS_OP_EQUAL);
    if (row_holds(f, c, e->row)) return RS_YES;
    if (!of_any) return e->row ? RS_NO : RS_MAYBE;
    if (e->spans) return any_span(c, e);
    if (c->tags_decide && e->tags && (c->field || e->trusts_tags)) return RS_YES; /* it is not ruled out */
    return e->row && is_empty_alone(c) ? RS_NO : RS_MAYBE;
}

/* ---- of anything --------------------------------------------------------------------------------------- */

static rs_truth judge(const rs_filter *f, const rs_filter_node *node, const rs_evidence *e);

static bool row_has(const rs_filter *f, rs_str word, const void *row) {
    for (size_t i = 0; i < f->table->n; i++) {
        rs_field_value v;
        const rs_field *field = &f->table->fields[i];
        if ((field->flags & RS_FIELD_SEARCHED) && field->get(row, &v) && rs_text_has_nocase(v.text, word))
            return true;
    }
    return false;
}

static bool is_said(const rs_phrase *phrase, const rs_span *spans, size_t n) {
    rs_buf scratch;
    bool says = false;
    rs_buf_init(&scratch);
    for (size_t i = 0; i < n && !says; i++)
        if (rs_span_says(&spans[i], phrase, &scratch, &says) != RS_OK) says = false;
    rs_buf_deinit(&scratch);
    return says;
}

/* Whether the word is the row's id. */
static bool is_id_of(const rs_filter *f, const rs_filter_node *node, const void *row) {
    const rs_span *span = f->table == &rs_span_fields ? row : NULL;
    const uint8_t *trace_id = span ? span->trace_id : ((const rs_trace_row *)row)->trace_id;
    if (span && node->is_span && memcmp(node->span_id, span->span_id, sizeof node->span_id) == 0) return true;
    bool of_trace = node->is_trace && !(span && node->is_span);
    return of_trace && memcmp(node->trace_id, trace_id, sizeof node->trace_id) == 0;
}

static rs_truth judge_word(const rs_filter *f, const rs_filter_node *node, const rs_evidence *e) {
    if (e->row && is_id_of(f, node, e->row)) return RS_YES;
    if (e->row && !node->is_text && row_has(f, node->word, e->row)) return RS_YES;
    if (node->phrase.nwords == 0) return e->row ? RS_NO : RS_MAYBE;
    bool of_span =
        f->table == &rs_span_fields; /* which one says it, if it is one of a trace, is to be seen */
    if (e->lead == node && !(of_span && e->lead_is_said)) return truth(e->lead_is_said);
    if (e->may_say && !e->may_say[node->number] && (e->row || node->is_text)) return RS_NO;
    if (!e->in_full) return RS_MAYBE;
    if (of_span) return e->row ? truth(is_said(&node->phrase, e->row, 1)) : RS_MAYBE;
    return e->spans ? truth(is_said(&node->phrase, e->spans->items, e->spans->n)) : RS_MAYBE;
}

/* One span has to fulfil all of it. */
static rs_truth judge_spans(const rs_filter_node *node, const rs_evidence *e) {
    rs_filter on_spans = {.table = &rs_span_fields};
    rs_evidence one = {.tags = e->tags, .in_full = e->in_full, .may_say = e->may_say};
    one.lead = e->lead;
    one.lead_is_said = e->lead_is_said;
    if (!e->spans) return judge(&on_spans, node->child, &one);
    rs_truth best = RS_NO;
    for (size_t i = 0; i < e->spans->n && best != RS_YES; i++) {
        one.row = &e->spans->items[i];
        rs_truth t = judge(&on_spans, node->child, &one);
        if (t > best) best = t;
    }
    return best;
}

/* Depth is bounded by the builder. */
static rs_truth judge(const rs_filter *f, const rs_filter_node *node, const rs_evidence *e) {
    bool is_and = node->kind == RS_FILTER_AND;
    rs_truth all = is_and ? RS_YES : RS_NO, decisive = is_and ? RS_NO : RS_YES;
    switch (node->kind) {
    case RS_FILTER_CONDITION:
        return f->table == &rs_span_fields ? span_condition(&node->condition, e)
                                           : trace_condition(f, &node->condition, e);
    case RS_FILTER_WORD:
        return judge_word(f, node, e);
    case RS_FILTER_NOT:
        return (rs_truth)(RS_YES - judge(f, node->child, e));
    case RS_FILTER_SPAN:
        return judge_spans(node, e);
    case RS_FILTER_AND:
    case RS_FILTER_OR:
        break;
    }
    for (const rs_filter_node *c = node->child; c && all != decisive; c = c->next) {
        rs_truth t = judge(f, c, e);
        if (is_and ? t < all : t > all) all = t;
    }
    return all;
}

rs_truth rs_filter_judge(const rs_filter *f, const rs_evidence *e) {
    return f->root ? judge(f, f->root, e) : RS_YES;
}

static bool needs_attributes(const rs_filter_node *node, const rs_filter_node *const *but, size_t n) {
    if (node->kind == RS_FILTER_CONDITION) return !node->condition.field;
    for (size_t i = 0; i < n; i++)
        if (but[i] == node) return false;
    if (node->kind == RS_FILTER_WORD) return node->phrase.nwords > 0;
    for (const rs_filter_node *c = node->child; c; c = c->next)
        if (needs_attributes(c, but, n)) return true;
    return false;
}

bool rs_filter_needs_attributes(const rs_filter *f) {
    const rs_filter_node *words[RS_FILTER_MAX_WORDS];
    size_t n = rs_filter_words(f, words);
    return f->root && needs_attributes(f->root, words, n);
}
