#include "store/sqlite/summary.h"
#include "store/sqlite/schema.h"
#include "store/sqlite/wire.h"

#include <math.h>

void rs_summary_init(rs_summary *s) {
    *s = (rs_summary){0};
    rs_summary_forget_heads(s);
}

void rs_summary_deinit(rs_summary *s) {
    rs_buf_deinit(&s->metadata);
    rs_buf_deinit(&s->merged);
    rs_buf_deinit(&s->json);
}

/* All but the buffers. */
static void set_facts(rs_summary *s, rs_summary facts) {
    facts.metadata = s->metadata;
    facts.merged = s->merged;
    facts.json = s->json;
    *s = facts;
}

void rs_summary_reset(rs_summary *s) {
    set_facts(s, (rs_summary){0});
    rs_summary_forget_heads(s);
}

void rs_summary_forget_heads(rs_summary *s) {
    rs_trace_row *r = &s->row;
    *r = (rs_trace_row){
        .key = r->key,
        .start_ns = UINT64_MAX,
        .prompt_tokens = -1,
        .completion_tokens = -1,
        .cost = NAN,
        .ttft = NAN,
        .tokens_per_second = NAN,
        .input = r->input,
        .output = r->output,
        .metadata = r->metadata,
    };
    s->lead_start = s->call_start = UINT64_MAX;
}

/* ---- metadata ------------------------------------------------------------------------------------------ */

/* Stored form: for each key in order of arrival: key, one byte "from the root", value as JSON text. */
typedef struct entry {
    rs_str key, json;
    bool root;
} entry;

static bool next_entry(rs_cursor *c, entry *e) {
    if (rs_cursor_left(c) == 0) return false;
    e->key = rs_cursor_str(c);
    e->root = rs_cursor_byte(c) != 0;
    e->json = rs_cursor_str(c);
    return !c->bad;
}

static void put_entry(rs_buf *out, const entry *e) {
    rs_wire_str(out, e->key);
    rs_buf_byte(out, e->root);
    rs_wire_str(out, e->json);
}

/* The stored metadata with one fact more: in the place of an older one unless that is the root's and this is
 * not. */
static void put_merged(rs_buf *out, rs_str stored, const entry *add) {
    rs_cursor c = rs_cursor_on(stored);
    bool placed = false;
    for (entry e; next_entry(&c, &e);) {
        bool same = rs_str_eq(e.key, add->key);
        placed |= same;
        put_entry(out, same && (add->root || !e.root) ? add : &e);
    }
    if (!placed) put_entry(out, add);
}

static bool add_metadata(rs_summary *s, const rs_span *span) {
    const rs_attrs *m = &span->facts.metadata;
    for (uint32_t i = 0; i < m->n; i++) {
        rs_buf_clear(&s->json);
        rs_buf_clear(&s->merged);
        rs_json j = rs_json_on(&s->json);
        rs_value_write_json(&j, &m->items[i].value);
        entry e = {m->items[i].key, rs_buf_slice(&s->json), !span->has_parent};
        put_merged(&s->merged, s->row.metadata, &e);
        if (s->json.failed != RS_OK || s->merged.failed != RS_OK) return false;
        if (s->merged.n > RS_METADATA_MAX) continue;
        rs_buf old = s->metadata;
        s->metadata = s->merged;
        s->merged = old;
        s->row.metadata = rs_buf_slice(&s->metadata);
    }
    return true;
}

void rs_summary_metadata_json(rs_str stored, rs_buf *out) {
    rs_cursor c = rs_cursor_on(stored);
    rs_json j = rs_json_on(out);
    rs_json_object(&j);
    for (entry e; next_entry(&c, &e);) {
        rs_json_key(&j, e.key);
        rs_json_raw(&j, e.json);
    }
    rs_json_object_end(&j);
}

/* ---- adding a span ------------------------------------------------------------------------------------- */

static rs_str cut(rs_str s) { return rs_str_cut_utf8(s, RS_SUMMARY_TEXT_MAX); }

static void add_lead(rs_summary *s, const rs_span *span) {
    rs_trace_row *r = &s->row;
    bool root = !span->has_parent, first = s->lead_start == UINT64_MAX && r->span_count == 0;
    if (!first && (root != r->has_root ? !root : span->start_ns >= s->lead_start)) return;
    s->lead_start = span->start_ns;
    r->log_type = span->facts.log_type;
    r->name = cut(span->facts.entity_name.n ? span->facts.entity_name : span->name);
    if (!root) return;
    r->has_root = true;
    memcpy(r->root_span_id, span->span_id, 8);
}

static void add_count(int64_t *sum, int64_t v) {
    if (v < 0) return;
    if (*sum < 0) *sum = 0;
    if (__builtin_add_overflow(*sum, v, sum)) *sum = INT64_MAX;
}

static void add_call(rs_summary *s, const rs_span *span) {
    rs_trace_row *r = &s->row;
    const rs_facts *f = &span->facts;
    r->llm_call_count++;
    add_count(&r->prompt_tokens, f->prompt_tokens);
    add_count(&r->completion_tokens, f->completion_tokens);
    if (r->llm_call_count > 1 && span->start_ns >= s->call_start) return;
    s->call_start = span->start_ns;
    r->model = cut(f->model);
    r->ttft = f->ttft;
    r->tokens_per_second = f->tokens_per_second;
}

static void add_previews(rs_summary *s, const rs_span *span) {
    const rs_facts *f = &span->facts;
    int rank = rs_log_type_is_model_call(f->log_type) ? 2 : !span->has_parent ? 1 : 0;
    if (rank == 0) return;
    if (f->input_preview.n &&
        (rank > s->input_rank || (rank == s->input_rank && span->start_ns <= s->input_at))) {
        s->row.input = f->input_preview;
        s->input_rank = rank;
        s->input_at = span->start_ns;
    }
    if (f->output_preview.n &&
        (rank > s->output_rank || (rank == s->output_rank && span->start_ns >= s->output_at))) {
        s->row.output = f->output_preview;
        s->output_rank = rank;
        s->output_at = span->start_ns;
    }
}

static void add_either(rs_str *have, rs_str more, bool root) {
    if (more.n && (root || have->n == 0)) *have = cut(more);
}

/* A time that a clock shows which was set: from 2000 to 2200. */
static bool is_dated(uint64_t ns) { return ns >= 946684800000000000ull && ns < 7258118400000000000ull; }

/* One span without times, or of a clock gone wrong, does not make its trace last for decades. */
static bool is_better(uint64_t ns, uint64_t than, bool is_further) {
    return is_dated(ns) != is_dated(than) ? is_dated(ns) : is_further;
}

bool rs_summary_add(rs_summary *s, const rs_span *span) {
    rs_trace_row *r = &s->row;
    const rs_facts *f = &span->facts;
    bool root = !span->has_parent;
    memcpy(r->trace_id, span->trace_id, 16);
    add_lead(s, span);
    if (is_better(span->start_ns, r->start_ns, span->start_ns < r->start_ns)) r->start_ns = span->start_ns;
    if (is_better(span->end_ns, r->end_ns, span->end_ns > r->end_ns)) r->end_ns = span->end_ns;
    r->span_count++;
    if (span->status == RS_STATUS_ERROR) r->error_count++;
    if (rs_log_type_is_model_call(f->log_type)) add_call(s, span);
    if (!isnan(f->cost) && rs_facts_own_cost(f)) r->cost = isnan(r->cost) ? f->cost : r->cost + f->cost;
    add_previews(s, span);
    add_either(&r->customer, f->customer, root);
    add_either(&r->thread, f->thread, root);
    add_either(&r->environment, f->environment, root);
    add_either(&r->error_message, f->error_message, root);
    return f->metadata.n == 0 || add_metadata(s, span);
}

rs_status rs_store_summarize(const rs_span *spans, size_t n, rs_arena *arena, rs_trace_row *out) {
    rs_summary s;
    rs_buf json;
    bool ok = true;
    rs_summary_init(&s);
    rs_buf_init(&json);
    for (size_t i = 0; i < n && ok; i++) ok = rs_summary_add(&s, &spans[i]);
    *out = s.row;
    out->key = (int64_t)(out->start_ns / 1000);
    rs_summary_metadata_json(s.row.metadata, &json);
    out->metadata = rs_arena_copy(arena, rs_buf_slice(&json));
    ok = ok && out->metadata.p && rs_buf_status(&json) == RS_OK;
    rs_buf_deinit(&json);
    rs_summary_deinit(&s);
    return ok ? RS_OK : RS_ERR_MEMORY;
}

/* ---- rows ---------------------------------------------------------------------------------------------- */

static double take_double(sqlite3_stmt *stmt, int at) {
    return sqlite3_column_type(stmt, at) == SQLITE_NULL ? NAN : sqlite3_column_double(stmt, at);
}

/* The string columns, and where a row has them. */
static const struct {
    int column;
    size_t at;
} strings[] = {
    {RS_TRACE_NAME, offsetof(rs_trace_row, name)},
    {RS_TRACE_MODEL, offsetof(rs_trace_row, model)},
    {RS_TRACE_INPUT, offsetof(rs_trace_row, input)},
    {RS_TRACE_OUTPUT, offsetof(rs_trace_row, output)},
    {RS_TRACE_CUSTOMER, offsetof(rs_trace_row, customer)},
    {RS_TRACE_THREAD, offsetof(rs_trace_row, thread)},
    {RS_TRACE_ENVIRONMENT, offsetof(rs_trace_row, environment)},
    {RS_TRACE_ERROR, offsetof(rs_trace_row, error_message)},
    {RS_TRACE_METADATA, offsetof(rs_trace_row, metadata)},
};

static bool take_strings(rs_trace_row *r, sqlite3_stmt *stmt, rs_arena *arena) {
    for (size_t i = 0; i < RS_ARRAY_LEN(strings); i++) {
        rs_str *to = (rs_str *)(void *)((char *)r + strings[i].at);
        *to = rs_db_column_str(stmt, strings[i].column);
        if (!arena || to->n == 0) continue;
        *to = rs_arena_copy(arena, *to);
        if (!to->p) return false;
    }
    return true;
}

bool rs_summary_load(rs_summary *s, sqlite3_stmt *stmt, rs_arena *arena) {
    rs_trace_row *r = &s->row;
    rs_summary facts = {
        .row = {.key = sqlite3_column_int64(stmt, RS_TRACE_KEY),
                .log_type = (rs_log_type)sqlite3_column_int(stmt, RS_TRACE_LOG_TYPE),
                .start_ns = (uint64_t)sqlite3_column_int64(stmt, RS_TRACE_START),
                .end_ns = (uint64_t)sqlite3_column_int64(stmt, RS_TRACE_END),
                .span_count = (uint32_t)sqlite3_column_int64(stmt, RS_TRACE_SPANS),
                .llm_call_count = (uint32_t)sqlite3_column_int64(stmt, RS_TRACE_CALLS),
                .error_count = (uint32_t)sqlite3_column_int64(stmt, RS_TRACE_ERRORS),
                .prompt_tokens = sqlite3_column_int64(stmt, RS_TRACE_PROMPT_TOKENS),
                .completion_tokens = sqlite3_column_int64(stmt, RS_TRACE_COMPLETION_TOKENS),
                .cost = take_double(stmt, RS_TRACE_COST),
                .ttft = take_double(stmt, RS_TRACE_TTFT),
                .tokens_per_second = take_double(stmt, RS_TRACE_SPEED)},
        .lead_start = (uint64_t)sqlite3_column_int64(stmt, RS_TRACE_LEAD_START),
        .call_start = (uint64_t)sqlite3_column_int64(stmt, RS_TRACE_CALL_START),
        .input_rank = sqlite3_column_int(stmt, RS_TRACE_INPUT_RANK),
        .input_at = (uint64_t)sqlite3_column_int64(stmt, RS_TRACE_INPUT_AT),
        .output_rank = sqlite3_column_int(stmt, RS_TRACE_OUTPUT_RANK),
        .output_at = (uint64_t)sqlite3_column_int64(stmt, RS_TRACE_OUTPUT_AT),
    };
    set_facts(s, facts);
    rs_str trace_id = rs_db_column_str(stmt, RS_TRACE_ID), root_id = rs_db_column_str(stmt, RS_TRACE_ROOT_ID);
    if (trace_id.n == 16) memcpy(r->trace_id, trace_id.p, 16);
    r->has_root = root_id.n == 8;
    if (r->has_root) memcpy(r->root_span_id, root_id.p, 8);
    return take_strings(r, stmt, arena);
}

static void bind_double(sqlite3_stmt *stmt, int at, double d) {
    if (isnan(d)) sqlite3_bind_null(stmt, at);
    else sqlite3_bind_double(stmt, at, d);
}

void rs_summary_bind(const rs_summary *s, sqlite3_stmt *stmt) {
    const rs_trace_row *r = &s->row;
    const struct {
        int column;
        int64_t value;
    } integers[] = {
        {RS_TRACE_KEY, r->key},
        {RS_TRACE_LOG_TYPE, r->log_type},
        {RS_TRACE_START, (int64_t)r->start_ns},
        {RS_TRACE_END, (int64_t)r->end_ns},
        {RS_TRACE_SPANS, r->span_count},
        {RS_TRACE_CALLS, r->llm_call_count},
        {RS_TRACE_ERRORS, r->error_count},
        {RS_TRACE_PROMPT_TOKENS, r->prompt_tokens},
        {RS_TRACE_COMPLETION_TOKENS, r->completion_tokens},
        {RS_TRACE_LEAD_START, (int64_t)s->lead_start},
        {RS_TRACE_CALL_START, (int64_t)s->call_start},
        {RS_TRACE_INPUT_RANK, s->input_rank},
        {RS_TRACE_INPUT_AT, (int64_t)s->input_at},
        {RS_TRACE_OUTPUT_RANK, s->output_rank},
        {RS_TRACE_OUTPUT_AT, (int64_t)s->output_at},
    };
    for (size_t i = 0; i < RS_ARRAY_LEN(integers); i++)
        sqlite3_bind_int64(stmt, integers[i].column + 1, integers[i].value);
    rs_db_bind_blob(stmt, RS_TRACE_ID + 1, r->trace_id, 16);
    if (r->has_root) rs_db_bind_blob(stmt, RS_TRACE_ROOT_ID + 1, r->root_span_id, 8);
    else sqlite3_bind_null(stmt, RS_TRACE_ROOT_ID + 1);
    bind_double(stmt, RS_TRACE_COST + 1, r->cost);
    bind_double(stmt, RS_TRACE_TTFT + 1, r->ttft);
    bind_double(stmt, RS_TRACE_SPEED + 1, r->tokens_per_second);
    for (size_t i = 0; i < RS_ARRAY_LEN(strings); i++) {
        const rs_str *str = (const rs_str *)(const void *)((const char *)r + strings[i].at);
        if (str->n == 0) sqlite3_bind_null(stmt, strings[i].column + 1);
        else if (strings[i].column == RS_TRACE_METADATA)
            rs_db_bind_blob(stmt, strings[i].column + 1, str->p, str->n);
        else rs_db_bind_str(stmt, strings[i].column + 1, *str);
    }
}
