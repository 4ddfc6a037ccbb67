#include "store/sqlite/reblock.h"
#include "base/log.h"
#include "store/sqlite/sqlite_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>

/* Between two blocks others have the disk and the caches. */
enum { REST_US = 500 };

static rs_status no_memory(rs_err *err) {
    return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory for a block");
}

rs_status rs_reblock_init(rs_reblock *r, rs_index *x, const char *dir, rs_err *err) {
    *r = (rs_reblock){.x = x, .to = {.fd = -1}};
    rs_buf_init(&r->bytes);
    rs_buf_init(&r->ids);
    rs_status st = rs_block_writer_init(&r->writer, err);
    if (st == RS_OK) st = rs_segment_open(&r->to, dir, 0, err);
    if (st == RS_OK) st = rs_db_exec(x->db, rs_schema_parts, err);
    if (st == RS_OK) rs_block_writer_seal(&r->writer);
    return st;
}

void rs_reblock_deinit(rs_reblock *r) {
    sqlite3_stmt *stmts[] = {r->add_block, r->add_part, r->find_key, r->carry};
    for (size_t i = 0; i < RS_ARRAY_LEN(stmts); i++) sqlite3_finalize(stmts[i]);
    rs_dictionary_forget(&r->to); /* read from here on, it is another's segment */
    rs_segment_close(&r->to);
    rs_block_writer_deinit(&r->writer);
    rs_block_dictionary_deinit(&r->against);
    if (r->dictionary) rs_dictionary_return(r->dictionary);
    rs_arena_deinit(&r->arena);
    rs_intern_deinit(&r->traces);
    free(r->members);
    rs_buf_deinit(&r->bytes);
    rs_buf_deinit(&r->ids);
}

/* ---- a block that is made ------------------------------------------------------------------------------ */

static rs_status add_member(rs_reblock *r, const rs_span *s, rs_err *err) {
    if (r->n == r->cap) {
        size_t cap = r->cap ? r->cap * 2 : 1024;
        void *more = realloc(r->members, cap * sizeof *r->members);
        if (!more) return no_memory(err);
        r->members = more;
        r->cap = cap;
    }
    uint32_t trace = rs_intern_put(&r->traces, (rs_str){(const char *)s->trace_id, 16});
    if (r->traces.failed != RS_OK) return no_memory(err);
    r->members[r->n++] = (struct rs_block_member){trace, rs_span_fingerprint(s->span_id)};
    return RS_OK;
}

static rs_status index_block(rs_reblock *r, rs_err *err) {
    rs_status st = rs_db_prepare(r->x->db, rs_sql_add_fresh_block, &r->add_block, err);
    if (st != RS_OK) return st;
    rs_index_bind_block(r->add_block, &r->ref);
    return rs_db_run(r->add_block, err);
}

static int by_trace(const void *a, const void *b) {
    const struct rs_block_member *x = a, *y = b;
    return (x->trace > y->trace) - (x->trace < y->trace);
}

static rs_status add_part(rs_reblock *r, rs_str trace_id, rs_err *err) {
    bool row = false;
    rs_status st = rs_db_prepare(r->x->db, rs_sql_key_of_trace, &r->find_key, err);
    if (st == RS_OK) st = rs_db_prepare(r->x->db, rs_sql_add_part, &r->add_part, err);
    if (st != RS_OK) return st;
    rs_db_bind_blob(r->find_key, 1, trace_id.p, trace_id.n);
    st = rs_db_step(r->find_key, &row, err);
    int64_t key = row ? sqlite3_column_int64(r->find_key, 0) : 0;
    sqlite3_reset(r->find_key);
    if (row && key < r->ref.min_key) r->ref.min_key = key;
    if (st != RS_OK || !row)
        return st; /* of a trace that nobody knows: an index that says otherwise stays so */
    sqlite3_bind_int64(r->add_part, 1, key);
    sqlite3_bind_int64(r->add_part, 2, (int64_t)r->ref.first);
    rs_db_bind_blob(r->add_part, 3, r->ids.p, r->ids.n);
    return rs_db_run(r->add_part, err);
}

/* One row for each trace of the block. */
static rs_status index_parts(rs_reblock *r, rs_err *err) {
    rs_status st = RS_OK;
    if (r->n > 0) qsort(r->members, r->n, sizeof *r->members, by_trace);
    for (size_t i = 0; i < r->n && st == RS_OK;) {
        uint32_t trace = r->members[i].trace;
        rs_buf_clear(&r->ids);
        for (; i < r->n && r->members[i].trace == trace; i++) rs_wire_u32(&r->ids, r->members[i].fingerprint);
        st = rs_buf_status(&r->ids) == RS_OK ? add_part(r, r->traces.items[trace], err) : no_memory(err);
    }
    return st;
}

static rs_status write_block(rs_reblock *r, rs_err *err) {
    rs_status st = rs_segment_append(&r->to, rs_buf_slice(&r->bytes), err);
    if (st != RS_OK) return st;
    r->ref.at = r->to.end;
    rs_segment_keep(&r->to, r->to.end + r->bytes.n);
    return RS_OK;
}

/* Once the first blocks are there, the others are packed against them (dictionary.h), as hard. */
static rs_status take_dictionary(rs_reblock *r, rs_err *err) {
    uint32_t number;
    if (r->has_chosen || r->to.end < RS_DICTIONARY_STORED) return RS_OK;
    r->has_chosen = true;
    rs_status st = rs_dictionary_choose(&r->to, &number, err);
    if (st == RS_ERR_CORRUPT || (st == RS_OK && number == 0)) return RS_OK; /* one was carried over */
    if (st == RS_OK) st = rs_dictionary_borrow(&r->to, number, &r->dictionary, err);
    if (st != RS_OK) return st == RS_ERR_CORRUPT ? RS_OK : st;
    const rs_block_dictionary *blocks = rs_dictionary_blocks(r->dictionary);
    r->against = (rs_block_dictionary){.number = blocks->number};
    memcpy(r->against.raw, blocks->raw, sizeof r->against.raw);
    st = rs_block_dictionary_make(&r->against, true, err);
    if (st == RS_OK) rs_block_writer_use(&r->writer, &r->against);
    return st;
}

static rs_status finish_block(rs_reblock *r, rs_err *err) {
    rs_block_header h = {0};
    if (r->writer.n == 0) return RS_OK;
    rs_buf_clear(&r->bytes);
    rs_status st = take_dictionary(r, err);
    if (st == RS_OK) st = rs_block_finish(&r->writer, r->ref.first, &r->bytes, &h, err);
    r->ref.length = rs_block_length(&h, RS_SECTION_CONTENT);
    r->ref.heads_length = rs_block_length(&h, RS_SECTION_HEADS);
    r->ref.spans = h.spans;
    r->ref.words = h.words;
    if (st == RS_OK) st = write_block(r, err);
    if (st == RS_OK) st = index_parts(r, err);
    if (st == RS_OK) st = index_block(r, err);
    r->n = 0;
    rs_intern_clear(&r->traces);
    rs_arena_deinit(&r->arena);
    rs_view_leave_arena(&r->x->view);
    nanosleep(&(struct timespec){.tv_nsec = REST_US * 1000}, NULL);
    return st;
}

/* Of a span that counts no more its number stays. */
static const rs_resource no_resource;
static const rs_scope no_scope;
static const rs_span nobody = {.resource = &no_resource, .scope = &no_scope};

static rs_status add_span(rs_reblock *r, rs_stored_span *s, bool is_gone, rs_err *err) {
    bool is_full = rs_block_is_full(&r->writer) &&
                   (memcmp(r->last_trace, s->span.trace_id, 16) != 0 || rs_block_is_over(&r->writer));
    bool is_apart = r->writer.n > 0 && s->number != r->ref.first + r->writer.n;
    rs_status st = is_full || is_apart ? finish_block(r, err) : RS_OK;
    if (st != RS_OK) return st;
    if (r->writer.n == 0)
        r->ref = (rs_block_ref){.first = s->number, .min_start = UINT64_MAX, .min_key = INT64_MAX};
    if (is_gone) {
        rs_block_add(&r->writer, &nobody);
        return RS_OK;
    }
    rs_span *kept = rs_arena_alloc(&r->arena, sizeof *kept);
    if (!kept) return no_memory(err);
    st = rs_view_keep(&r->x->view, s, RS_READ_FULL, &r->arena, err);
    if (st != RS_OK) return st;
    *kept = s->span;
    memcpy(r->last_trace, kept->trace_id, 16);
    if (kept->start_ns < r->ref.min_start) r->ref.min_start = kept->start_ns;
    if (kept->start_ns > r->ref.max_start) r->ref.max_start = kept->start_ns;
    rs_block_add(&r->writer, kept);
    return add_member(r, kept, err);
}

/* ---- a block that is carried over ---------------------------------------------------------------------- */

static rs_status carry_block(rs_reblock *r, const rs_block_ref *ref, rs_err *err) {
    rs_status st = finish_block(r, err);
    rs_buf_clear(&r->bytes);
    if (st == RS_OK) st = rs_segment_read(r->x->segment, ref->at, ref->length, &r->bytes, err);
    while (st == RS_OK && r->bytes.n < ref->length && r->bytes.failed == RS_OK)
        rs_buf_byte(&r->bytes, 0); /* the old segment is torn there: what is lost stays lost */
    if (st == RS_OK && rs_buf_status(&r->bytes) != RS_OK) st = no_memory(err);
    r->ref = *ref;
    if (st == RS_OK) st = write_block(r, err);
    if (st == RS_OK) st = index_block(r, err);
    if (st == RS_OK) st = rs_db_prepare(r->x->db, rs_sql_add_carried, &r->carry, err);
    if (st != RS_OK) return st;
    sqlite3_bind_int64(r->carry, 1, (int64_t)ref->first);
    return rs_db_run(r->carry, err);
}

/* ---- all of them --------------------------------------------------------------------------------------- */

static rs_status remake(rs_reblock *r, const rs_block_ref *ref, const bool *gone, rs_err *err) {
    rs_stored_span s;
    bool more = true;
    rs_status st = rs_view_open(&r->x->view, ref, RS_READ_FULL, err);
    while (st == RS_OK && (st = rs_view_next(&r->x->view, &s, &more, err)) == RS_OK && more)
        st = add_span(r, &s, gone[s.number - ref->first], err);
    return st;
}

/* Reads all of it once: a block that is damaged is not taken apart, since what is left of it might yet be of use. */
static rs_status probe(rs_reblock *r, const rs_block_ref *ref, rs_err *err) {
    rs_stored_span s;
    rs_arena scratch = {0};
    bool more = true;
    rs_status st = rs_view_open(&r->x->view, ref, RS_READ_FULL, err);
    while (st == RS_OK && (st = rs_view_next(&r->x->view, &s, &more, err)) == RS_OK && more) {
        st = rs_view_keep(&r->x->view, &s, RS_READ_FULL, &scratch, err);
        rs_arena_deinit(&scratch);
        rs_view_leave_arena(&r->x->view);
    }
    return st;
}

static rs_status take_block(rs_reblock *r, const rs_block_ref *ref, rs_err *err) {
    rs_err trouble = {0};
    bool *gone = calloc((size_t)ref->spans + 1, sizeof *gone);
    if (!gone) return no_memory(err);
    rs_status st = rs_index_superseded(r->x, ref, gone, &trouble);
    if (st == RS_OK) st = probe(r, ref, &trouble);
    if (st == RS_ERR_CORRUPT) rs_log("%s: carried over as it is", trouble.message);
    if (st == RS_ERR_CORRUPT) st = carry_block(r, ref, err);
    else if (st == RS_OK) st = remake(r, ref, gone, err);
    else rs_fail(err, st, trouble.offset, "%s", trouble.message);
    free(gone);
    return st;
}

rs_status rs_reblock_run(rs_reblock *r, const bool *stop, rs_err *err) {
    sqlite3_stmt *stmt = NULL;
    bool row = false;
    rs_status st = rs_index_prepare(r->x, RS_SQL_ALL_BLOCKS, &stmt, err);
    while (st == RS_OK && (st = rs_db_step(stmt, &row, err)) == RS_OK && row) {
        rs_block_ref ref = rs_index_block_ref(stmt);
        if (stop && __atomic_load_n(stop, __ATOMIC_ACQUIRE)) st = rs_fail(err, RS_ERR_CLOSED, 0, "stopped");
        else st = take_block(r, &ref, err);
    }
    if (stmt) sqlite3_reset(stmt);
    if (st == RS_OK) st = finish_block(r, err);
    return st == RS_OK ? rs_db_exec(r->x->db, rs_schema_take_parts, err) : st;
}

/* Late spans are packed without a dictionary, so their blocks are what they are anywhere. */
static rs_status carry_late(rs_reblock *r, const rs_block_ref *ref, rs_err *err) {
    rs_block_header h;
    rs_buf_clear(&r->bytes);
    rs_status st = rs_segment_read(r->x->segment, ref->at, RS_BLOCK_HEADER, &r->bytes, err);
    if (st != RS_OK) return st;
    bool needs_others = rs_block_read_header(rs_buf_slice(&r->bytes), &h, NULL) == RS_OK && h.dictionary != 0;
    return needs_others ? take_block(r, ref, err) : carry_block(r, ref, err);
}

rs_status rs_reblock_carry(rs_reblock *r, uint64_t from, rs_err *err) {
    sqlite3_stmt *stmt = NULL;
    bool row = false;
    rs_status st = rs_index_prepare(r->x, RS_SQL_ALL_BLOCKS, &stmt, err);
    while (st == RS_OK && (st = rs_db_step(stmt, &row, err)) == RS_OK && row) {
        rs_block_ref ref = rs_index_block_ref(stmt);
        if (ref.first >= from) st = carry_late(r, &ref, err);
    }
    if (stmt) sqlite3_reset(stmt);
    if (st == RS_OK) st = finish_block(r, err);
    return st == RS_OK ? rs_db_exec(r->x->db, rs_schema_take_parts, err) : st;
}
