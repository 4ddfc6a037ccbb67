#include "store/sqlite/commit.h"
#include "base/clock.h"
#include "base/ids.h"
#include "base/log.h"
#include "store/sqlite/dictionary.h"
#include "store/sqlite/events.h"
#include "store/sqlite/rollup.h"
#include "store/sqlite/summary.h"
#include "store/sqlite/tag_recent.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>

enum { NONE = UINT32_MAX, KEPT_BYTES = 8 << 20 };

/* A span of the commit: the last one sent of its id. Items are numbered in order of arrival. */
typedef struct item {
    const rs_span *span;
    uint32_t next; /* of the same trace; NONE: the last */
} item;

/* A trace of the commit. */
typedef struct group {
    uint32_t first, last, n; /* items */
} group;

/* Which spans are meant: of all traces, or of those whose home is one partition. */
typedef struct choice {
    uint64_t project;
    const rs_partition *home; /* NULL: all */
} choice;

struct rs_commit {
    /* of the commit at hand */
    rs_arena arena;
    rs_intern ids, traces; /* (trace id, span id) -> item; trace id -> group */
    item *items;
    group *groups;
    bool is_prepared;          /* what was prepared can be used */
    rs_dictionary *dictionary; /* of the blocks made here; NULL: none */
    rs_block_ref *blocks;
    size_t nblocks, blocks_cap;
    rs_project_data *project;
    rs_partition *partition;
    rs_partition_state state; /* as it will be */
    rs_rollup rollup;
    rs_tags tags, gone; /* gone: of spans that were superseded */
    rs_buf bytes;       /* of its blocks */
    /* Where the traces of one project's batches go, if that is not one partition. */
    rs_intern routes; /* trace id -> home */
    rs_partition **homes;
    /* scratch */
    rs_block_writer writer;
    rs_summary summary;
    rs_buf ids_blob;
};

static_assert(offsetof(rs_span, span_id) == offsetof(rs_span, trace_id) + 16, "a span's two ids are one key");
static rs_str full_id(const rs_span *s) {
    return (rs_str){(const char *)s + offsetof(rs_span, trace_id), 24};
}
static rs_str trace_id(const rs_span *s) { return (rs_str){(const char *)s->trace_id, 16}; }

rs_status rs_commit_new(rs_commit **out, rs_err *err) {
    rs_commit *c = calloc(1, sizeof *c);
    *out = NULL;
    if (!c) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    rs_rollup_init(&c->rollup);
    rs_tags_init(&c->tags);
    rs_tags_init(&c->gone);
    rs_summary_init(&c->summary);
    rs_status st = rs_block_writer_init(&c->writer, err);
    if (st == RS_OK) *out = c;
    else rs_commit_free(c);
    return st;
}

void rs_commit_free(rs_commit *c) {
    if (!c) return;
    rs_arena_deinit(&c->arena);
    rs_intern_deinit(&c->ids);
    rs_intern_deinit(&c->traces);
    rs_intern_deinit(&c->routes);
    free(c->homes);
    rs_rollup_deinit(&c->rollup);
    rs_tags_deinit(&c->tags);
    rs_tags_deinit(&c->gone);
    rs_summary_deinit(&c->summary);
    rs_buf_deinit(&c->bytes);
    rs_buf_deinit(&c->ids_blob);
    rs_block_writer_deinit(&c->writer);
    free(c);
}

static void clear(rs_commit *c) {
    rs_arena_deinit(&c->arena);
    rs_intern_clear(&c->ids);
    rs_intern_clear(&c->traces);
    rs_rollup_clear(&c->rollup);
    rs_tags_clear(&c->tags);
    rs_tags_clear(&c->gone);
    rs_block_writer_clear(&c->writer);
    if (c->bytes.cap > KEPT_BYTES) rs_buf_deinit(&c->bytes);
    rs_buf_clear(&c->bytes);
    c->blocks = NULL;
    c->nblocks = c->blocks_cap = 0;
}

static rs_status no_memory(rs_err *err) {
    return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory for a commit");
}

/* ---- grouping ------------------------------------------------------------------------------------------ */

static void take_span(rs_commit *c, const rs_span *s) {
    uint32_t items = c->ids.n, i = rs_intern_put(&c->ids, full_id(s));
    if (c->ids.failed != RS_OK) return;
    c->items[i].span = s;
    if (i < items) return; /* sent twice */
    c->items[i].next = NONE;
    uint32_t groups = c->traces.n, g = rs_intern_put(&c->traces, trace_id(s));
    if (c->traces.failed != RS_OK) return;
    if (g == groups) c->groups[g] = (group){.first = i};
    else c->items[c->groups[g].last].next = i;
    c->groups[g].last = i;
    c->groups[g].n++;
}

static bool is_chosen(const rs_commit *c, const choice *which, const rs_span *s) {
    return !which->home || c->homes[rs_intern_find(&c->routes, trace_id(s))] == which->home;
}

/* How many were meant. */
static size_t take_batch(rs_commit *c, const choice *which, const rs_store_batch *batch) {
    size_t taken = 0;
    for (size_t i = 0; i < batch->n; i++) {
        if (!is_chosen(c, which, &batch->spans[i])) continue;
        take_span(c, &batch->spans[i]);
        taken++;
    }
    return taken;
}

static rs_status group_spans(rs_commit *c, const choice *which, const rs_store_batch *batches, size_t n,
                             rs_err *err) {
    size_t total = 0, taken = 0;
    for (size_t b = 0; b < n; b++)
        if (batches[b].project == which->project) total += batches[b].n;
    if (total >= NONE / 2) return rs_fail(err, RS_ERR_TOO_LARGE, 0, "too many spans for one commit");
    c->items = rs_arena_zalloc(&c->arena, total, sizeof *c->items);
    c->groups = rs_arena_zalloc(&c->arena, total, sizeof *c->groups);
    if (!c->items || !c->groups) return no_memory(err);
    for (int prepared = 1; prepared >= 0; prepared--) /* those first: the others share blocks */
        for (size_t b = 0; b < n; b++)
            if (batches[b].project == which->project && (batches[b].prepared != NULL) == prepared)
                taken += take_batch(c, which, &batches[b]);
    c->is_prepared = taken == total && c->ids.n == total; /* each span stays where its batch has it */
    return c->ids.failed == RS_OK && c->traces.failed == RS_OK ? RS_OK : no_memory(err);
}

/* ---- blocks -------------------------------------------------------------------------------------------- */

static rs_status add_block(rs_commit *c, const rs_block_ref *ref, rs_err *err) {
    void *blocks = c->blocks;
    if (!rs_arena_grow(&c->arena, &blocks, c->nblocks, &c->blocks_cap, sizeof *c->blocks))
        return no_memory(err);
    c->blocks = blocks;
    c->blocks[c->nblocks] = *ref;
    c->blocks[c->nblocks++].min_key = INT64_MAX; /* until the keys of its traces are known */
    return RS_OK;
}

static rs_status finish_block(rs_commit *c, rs_block_ref *ref, rs_err *err) {
    rs_block_header h;
    size_t before = c->bytes.n;
    rs_status st = rs_block_finish(&c->writer, ref->first, &c->bytes, &h, err);
    if (st != RS_OK) return st;
    ref->at = c->state.segment_end + before;
    ref->length = rs_block_length(&h, RS_SECTION_CONTENT);
    ref->heads_length = rs_block_length(&h, RS_SECTION_HEADS);
    ref->words = h.words;
    ref->spans = h.spans;
    return add_block(c, ref, err);
}

/* The blocks of one batch, whose spans are items from *at on. */
static rs_status put_prepared(rs_commit *c, const rs_prepared *prepared, uint32_t *at, rs_err *err) {
    rs_status st = RS_OK;
    for (size_t i = 0; i < prepared->n && st == RS_OK; i++) {
        const rs_prepared_block *block = &prepared->blocks[i];
        rs_block_header h = block->header;
        rs_block_ref ref = block->ref;
        ref.first = c->state.next_span + *at;
        ref.at = c->state.segment_end + c->bytes.n;
        rs_block_put(&c->bytes, block->bytes, &h, ref.first);
        *at += ref.spans;
        st = rs_buf_status(&c->bytes) == RS_OK ? add_block(c, &ref, err) : no_memory(err);
    }
    return st;
}

/* New traces' blocks are packed against the partition's dictionary; late spans' are not. Without memory, none are. */
static void take_dictionary(rs_commit *c) {
    rs_partition *p = c->partition;
    const rs_block_dictionary *against = NULL;
    rs_err err = {0};
    if (p != rs_project_data_last(c->project)) return;
    rs_partition_learn_dictionary(p);
    rs_status st =
        p->dictionary ? rs_dictionary_borrow(&p->segment, p->dictionary, &c->dictionary, &err) : RS_OK;
    if (st == RS_OK && c->dictionary) st = rs_dictionary_to_pack(c->dictionary, &against, &err);
    if (st != RS_OK) rs_log("%s: a commit packs without its dictionary: %s", p->segment.path, err.message);
    rs_block_writer_use(&c->writer, st == RS_OK ? against : NULL);
}

static void let_dictionary_go(rs_commit *c) {
    rs_block_writer_use(&c->writer, NULL);
    if (c->dictionary) rs_dictionary_return(c->dictionary);
    c->dictionary = NULL;
}

/* Whether its blocks can be read where they go. */
static bool fits(const rs_commit *c, const rs_prepared *prepared) {
    const rs_partition *p = c->partition;
    return prepared->dictionary == 0 ||
           (p == rs_project_data_last(c->project) && prepared->partition == p->folder.number &&
            prepared->dictionary == p->dictionary);
}

/* Puts every item into a block; item i gets arrival number next_span + i. */
static rs_status make_blocks(rs_commit *c, const rs_store_batch *batches, size_t n, rs_err *err) {
    rs_block_ref ref = {0};
    uint32_t at = 0;
    rs_status st = RS_OK;
    for (size_t b = 0; c->is_prepared && b < n; b++)
        if (batches[b].project == c->project->id && batches[b].prepared)
            c->is_prepared = fits(c, batches[b].prepared);
    for (size_t b = 0; c->is_prepared && b < n && st == RS_OK; b++)
        if (batches[b].project == c->project->id && batches[b].prepared)
            st = put_prepared(c, batches[b].prepared, &at, err);
    for (uint32_t i = at; i < c->ids.n && st == RS_OK; i++) {
        const rs_span *s = c->items[i].span;
        if (c->writer.n == 0) ref = (rs_block_ref){.first = c->state.next_span + i, .min_start = UINT64_MAX};
        if (s->start_ns < ref.min_start) ref.min_start = s->start_ns;
        if (s->start_ns > ref.max_start) ref.max_start = s->start_ns;
        rs_block_add(&c->writer, s);
        if (i + 1 == c->ids.n || rs_block_is_full(&c->writer)) st = finish_block(c, &ref, err);
    }
    for (uint32_t i = 0; i < c->ids.n; i++) rs_rollup_add(&c->rollup, c->items[i].span, 1);
    return st;
}

static rs_status index_blocks(rs_commit *c, rs_index *x, rs_err *err) {
    sqlite3_stmt *stmt;
    rs_status st = rs_index_prepare(x, RS_SQL_ADD_BLOCK, &stmt, err);
    for (size_t i = 0; i < c->nblocks && st == RS_OK; i++) {
        rs_index_bind_block(stmt, &c->blocks[i]);
        st = rs_db_run(stmt, err);
    }
    return st;
}

/* ---- spans that came again ----------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Most spans are new, and known to be. */
static bool are_known_to_be_new(const rs_commit *c, const group *g) {
    if (!c->partition->knows_spans) return false;
    for (uint32_t i = g->first; i != NONE; i = c->items[i].next) {
        uint32_t f = rs_span_fingerprint(c->items[i].span->span_id);
        if (rs_bloom_may_have(&c->partition->spans, rs_bloom_hash_span(c->summary.row.key, f))) return false;
    }
    return true;
}

/* Whether any of the group's ids may be among those that the trace has: no false negatives, few false
 * positives. The trace may have a million: most are told apart by a bit, the others by a search. */
static rs_status may_have_copies(rs_commit *c, rs_index *x, const group *g, bool *may, rs_err *err) {
    enum { BITS = 1 << 14 };
    uint64_t bits[BITS / 64] = {0};
    sqlite3_stmt *stmt;
    bool row = false;
    *may = false;
    uint32_t *wanted = rs_arena_alloc(&c->arena, g->n * sizeof *wanted), n = 0;
    if (!wanted) return no_memory(err);
    for (uint32_t i = g->first; i != NONE; i = c->items[i].next) {
        uint32_t f = rs_span_fingerprint(c->items[i].span->span_id);
        bits[f % BITS / 64] |= 1ull << f % 64;
        wanted[n++] = f;
    }
    qsort(wanted, n, sizeof *wanted, by_value);
    rs_status st = rs_index_prepare(x, RS_SQL_TRACE_IDS, &stmt, err);
    if (st != RS_OK) return st;
    sqlite3_bind_int64(stmt, 1, c->summary.row.key);
    while (!*may && (st = rs_db_step(stmt, &row, err)) == RS_OK && row) {
        rs_cursor ids = rs_cursor_on(rs_db_column_str(stmt, 0));
        while (!*may && rs_cursor_left(&ids) >= 4) {
            uint32_t f = rs_cursor_u32(&ids);
            if (!(bits[f % BITS / 64] >> f % 64 & 1)) continue;
            *may = bsearch(&f, wanted, n, sizeof f, by_value) != NULL;
        }
    }
    sqlite3_reset(stmt);
    return st;
}

static rs_status supersede(rs_commit *c, rs_index *x, const rs_stored_span *old, rs_err *err) {
    sqlite3_stmt *stmt;
    rs_status st = rs_index_prepare(x, RS_SQL_ADD_SUPERSEDED, &stmt, err);
    if (st != RS_OK) return st;
    sqlite3_bind_int64(stmt, 1, (int64_t)old->number);
    if ((st = rs_db_run(stmt, err)) != RS_OK) return st;
    rs_rollup_add(&c->rollup, &old->span, -1);
    rs_tags_add(&c->gone, &old->span, c->summary.row.key);
    c->state.spans--;
    return RS_OK;
}

/* A span that stays beside one that is replaced: its facts are still those of the trace. */
static rs_status retain(rs_commit *c, const rs_stored_span *old, rs_err *err) {
    rs_tags_add(&c->tags, &old->span, c->summary.row.key);
    return rs_summary_add(&c->summary, &old->span) ? RS_OK : no_memory(err);
}

/* Makes the summary anew from the heads of what stays, and marks what the commit replaces. */
static rs_status replace_copies(rs_commit *c, rs_index *x, const rs_span *any, rs_err *err) {
    rs_stored_spans old = {0};
    rs_err trouble = {0};
    rs_status st =
        rs_index_gather(x, c->summary.row.key, any->trace_id, NULL, RS_READ_HEADS, &c->arena, &old, &trouble);
    if (st == RS_ERR_CORRUPT) {
        /* What cannot be read cannot be replaced: better a count too high than a commit refused. */
        rs_log("%s", trouble.message);
        return RS_OK;
    }
    if (st != RS_OK) return rs_fail(err, st, trouble.offset, "%s", trouble.message);
    rs_stored_spans_dedupe(&old);
    size_t replaced = 0;
    for (size_t i = 0; i < old.n; i++)
        replaced += rs_intern_find(&c->ids, full_id(&old.items[i].span)) != NONE;
    if (replaced == 0) return RS_OK;
    rs_summary_forget_heads(&c->summary);
    for (size_t i = 0; i < old.n && st == RS_OK; i++) {
        bool again = rs_intern_find(&c->ids, full_id(&old.items[i].span)) != NONE;
        st = again ? supersede(c, x, &old.items[i], err) : retain(c, &old.items[i], err);
    }
    return st;
}

/* ---- traces -------------------------------------------------------------------------------------------- */

static rs_status load_summary(rs_commit *c, rs_index *x, const group *g, bool *exists, rs_err *err) {
    sqlite3_stmt *stmt;
    rs_status st = rs_index_prepare(x, RS_SQL_TRACE_BY_ID, &stmt, err);
    if (st != RS_OK) return st;
    rs_summary_reset(&c->summary);
    rs_db_bind_blob(stmt, 1, c->items[g->first].span->trace_id, 16);
    st = rs_db_step(stmt, exists, err);
    if (st == RS_OK && *exists && !rs_summary_load(&c->summary, stmt, &c->arena)) st = no_memory(err);
    sqlite3_reset(stmt);
    return st;
}

/* RS_ERR_INVALID: the key is taken, in this partition or in another one. */
static rs_status insert_with_key(rs_commit *c, rs_index *x, sqlite3_stmt *stmt, rs_err *err) {
    bool taken;
    rs_status st = rs_project_data_has_key(c->project, c->partition, c->summary.row.key, &taken, err);
    if (st != RS_OK || taken) return st == RS_OK ? RS_ERR_INVALID : st;
    rs_summary_bind(&c->summary, stmt);
    int rc = sqlite3_step(stmt);
    sqlite3_reset(stmt);
    if (rc == SQLITE_DONE) return RS_OK;
    if (rc == SQLITE_CONSTRAINT_PRIMARYKEY || rc == SQLITE_CONSTRAINT_ROWID) return RS_ERR_INVALID;
    return rs_db_fail(x->db, rc, "cannot add a trace", err);
}

/* A new trace's key is its start in µs; equal ones are moved up: a little at first, then at random over a
 * growing range, so that a crowd of equal starts costs no long search. */
static rs_status insert_trace(rs_commit *c, rs_index *x, rs_err *err) {
    rs_trace_row *row = &c->summary.row;
    sqlite3_stmt *stmt;
    rs_status st = rs_index_prepare(x, RS_SQL_ADD_TRACE, &stmt, err);
    int64_t wanted = (int64_t)(row->start_ns / 1000), range = 8;
    row->key = wanted;
    for (int tries = 0; st == RS_OK && tries < 64; tries++) {
        st = insert_with_key(c, x, stmt, err);
        if (st != RS_ERR_INVALID) return st;
        st = RS_OK;
        if (tries < 8) {
            row->key++;
        } else {
            if (range < INT64_C(1) << 40) range *= 2;
            row->key = wanted + 8 + (int64_t)(rs_id_random() % (uint64_t)range);
        }
    }
    return st == RS_OK ? rs_fail(err, RS_ERR_IO, 0, "no free key for a trace") : st;
}

static rs_status update_trace(const rs_summary *s, rs_index *x, rs_err *err) {
    sqlite3_stmt *stmt;
    rs_status st = rs_index_prepare(x, RS_SQL_SET_TRACE, &stmt, err);
    if (st != RS_OK) return st;
    rs_summary_bind(s, stmt);
    return rs_db_run(stmt, err);
}

/* One row for each block that has spans of the trace. */
static rs_status index_trace_blocks(rs_commit *c, rs_index *x, const group *g, rs_err *err) {
    sqlite3_stmt *stmt;
    size_t b = 0;
    rs_status st = rs_index_prepare(x, RS_SQL_ADD_TRACE_BLOCK, &stmt, err);
    rs_buf_clear(&c->ids_blob);
    for (uint32_t i = g->first; i != NONE && st == RS_OK; i = c->items[i].next) {
        while (c->state.next_span + i >= c->blocks[b].first + c->blocks[b].spans) b++;
        uint32_t fingerprint = rs_span_fingerprint(c->items[i].span->span_id);
        rs_wire_u32(&c->ids_blob, fingerprint);
        rs_partition_note_span(c->partition, c->summary.row.key, fingerprint);
        uint32_t next = c->items[i].next;
        if (next != NONE && c->state.next_span + next < c->blocks[b].first + c->blocks[b].spans) continue;
        if (rs_buf_status(&c->ids_blob) != RS_OK) return no_memory(err);
        if (c->summary.row.key < c->blocks[b].min_key) c->blocks[b].min_key = c->summary.row.key;
        sqlite3_bind_int64(stmt, 1, c->summary.row.key);
        sqlite3_bind_int64(stmt, 2, (int64_t)c->blocks[b].first);
        rs_db_bind_blob(stmt, 3, c->ids_blob.p, c->ids_blob.n);
        st = rs_db_run(stmt, err);
        rs_buf_clear(&c->ids_blob);
    }
    return st;
}

static rs_status upsert_trace(rs_commit *c, rs_index *x, const group *g, rs_err *err) {
    rs_summary *s = &c->summary;
    bool exists = false, copies = false;
    rs_status st = load_summary(c, x, g, &exists, err);
    rs_tags_begin_trace(&c->tags, exists);
    rs_tags_begin_trace(&c->gone, exists);
    uint64_t began_ns = s->row.start_ns;
    if (st == RS_OK && exists) rs_rollup_add_trace(&c->rollup, &s->row, -1);
    if (st == RS_OK && exists && !are_known_to_be_new(c, g)) st = may_have_copies(c, x, g, &copies, err);
    if (st == RS_OK && copies) st = replace_copies(c, x, c->items[g->first].span, err);
    if (st != RS_OK) return st;
    for (uint32_t i = g->first; i != NONE; i = c->items[i].next)
        if (!rs_summary_add(s, c->items[i].span)) return no_memory(err);
    if (exists && s->row.start_ns / 1000 > (uint64_t)s->row.key)
        s->row.start_ns = began_ns; /* scan.c: by its key it is found */
    st = exists ? update_trace(s, x, err) : insert_trace(c, x, err);
    if (st == RS_OK && !exists) rs_partition_note_trace(c->partition, s->row.trace_id, s->row.key);
    if (st == RS_OK) st = index_trace_blocks(c, x, g, err);
    if (st != RS_OK) return st;
    for (uint32_t i = g->first; i != NONE; i = c->items[i].next)
        rs_tags_add(&c->tags, c->items[i].span, s->row.key);
    rs_rollup_add_trace(&c->rollup, &s->row, 1);
    int64_t skew = s->row.key - (int64_t)(s->row.start_ns / 1000);
    if (skew > c->state.skew) c->state.skew = skew;
    c->state.traces += !exists;
    return RS_OK;
}

/* ---- the transaction ----------------------------------------------------------------------------------- */

static rs_status write_tags(rs_commit *c, rs_index *x, rs_err *err) {
    int64_t *recent = &c->partition->recent_tags;
    rs_status st = *recent < 0 ? rs_tag_recent_count(x, recent, err) : RS_OK;
    if (st == RS_OK) st = rs_tags_erase(&c->gone, x, recent, &c->state.tag_spread, err);
    return st == RS_OK ? rs_tags_write(&c->tags, x, recent, &c->state.tag_spread, err) : st;
}

static rs_status index_all(rs_commit *c, rs_index *x, rs_err *err) {
    rs_status st = rs_index_run(x, RS_SQL_BEGIN, err);
    for (uint32_t g = 0; g < c->traces.n && st == RS_OK; g++) st = upsert_trace(c, x, &c->groups[g], err);
    if (st == RS_OK) st = write_tags(c, x, err);
    if (st == RS_OK) st = index_blocks(c, x, err); /* by now it is known whose they are */
    if (st == RS_OK) st = rs_rollup_write(&c->rollup, x, &c->partition->rollup_rows, err);
    c->state.next_span += c->ids.n;
    c->state.spans += c->ids.n;
    c->state.segment_end += c->bytes.n;
    if (st == RS_OK) st = rs_index_set_state(x, &c->state, err);
    if (st == RS_OK) rs_partition_note_state(c->partition, &c->state);
    if (st == RS_OK) st = rs_index_run(x, RS_SQL_COMMIT, err);
    return st;
}

static void publish(rs_commit *c, const rs_partition_state *state) {
    rs_partition *p = c->partition;
    rs_segment_keep(&p->segment, state->segment_end);
    p->state = *state;
    __atomic_fetch_add(&p->changes, 1, __ATOMIC_RELEASE);
    for (size_t i = 0; i < c->nblocks; i++)
        if (c->blocks[i].max_start > p->newest_ns)
            __atomic_store_n(&p->newest_ns, c->blocks[i].max_start, __ATOMIC_RELEASE);
    __atomic_store_n(&p->written_ns, rs_clock_mono_ns(), __ATOMIC_RELEASE);
    if (state->next_span > c->project->next_span) c->project->next_span = state->next_span;
}

/* Back to what the index says: a commit that failed may have taken all the same. If it does not say, nothing
 * is cut. */
static void recover(rs_commit *c) {
    rs_partition *p = c->partition;
    rs_partition_state state;
    rs_err trouble = {0};
    p->rollup_rows = p->recent_tags = -1;
    if (!sqlite3_get_autocommit(p->writer.db)) sqlite3_exec(p->writer.db, "ROLLBACK", NULL, NULL, NULL);
    if (rs_index_get_state(&p->writer, &state, &trouble) != RS_OK) {
        rs_log("%s", trouble.message);
        return;
    }
    if (state.next_span > p->state.next_span) publish(c, &state); /* it took */
    else rs_segment_cut(&p->segment);
}

/* The spans that were grouped, into one partition. */
static rs_status commit_to(rs_commit *c, rs_partition *p, const rs_store_batch *batches, size_t n,
                           rs_err *err) {
    rs_status st = rs_project_data_wake(c->project, p, err);
    if (st != RS_OK) return st;
    c->partition = p;
    c->state = p->state;
    c->state.next_span = c->project->next_span;
    if (c->state.opened_ns == 0) c->state.opened_ns = rs_clock_wall_ns();
    take_dictionary(c);
    st = make_blocks(c, batches, n, err);
    let_dictionary_go(c);
    if (st != RS_OK) return st;
    if ((st = rs_segment_append(&p->segment, rs_buf_slice(&c->bytes), err)) != RS_OK) return st;
    if (p->durability == RS_DURABLE_POWER) st = rs_segment_sync(&p->segment, err);
    if (st == RS_OK) st = index_all(c, &p->writer, err);
    if (st == RS_OK) publish(c, &c->state);
    else recover(c);
    return st;
}

/* ---- several partitions -------------------------------------------------------------------------------- */

/* The home of each trace; *only: that of all of them, or NULL if they have several, which c->routes then knows. */
static rs_status find_homes(rs_commit *c, rs_partition **only, rs_err *err) {
    uint32_t n = c->traces.n;
    rs_partition **homes = realloc(c->homes, n * sizeof *homes);
    rs_status st = homes ? RS_OK : no_memory(err);
    if (homes) c->homes = homes;
    for (uint32_t g = 0; g < n && st == RS_OK; g++)
        st = rs_project_data_home(c->project, c->items[c->groups[g].first].span->trace_id, &c->homes[g], err);
    *only = st == RS_OK ? c->homes[0] : NULL;
    for (uint32_t g = 1; g < n && *only; g++)
        if (c->homes[g] != *only) *only = NULL;
    if (*only || st != RS_OK) return st;
    rs_intern routes = c->routes; /* numbers stay: homes are by them */
    c->routes = c->traces;
    c->traces = routes;
    return RS_OK;
}

static bool was_before(rs_partition *const *homes, uint32_t at) {
    for (uint32_t i = at; i-- > 0;)
        if (homes[i] == homes[at]) return true;
    return false;
}

static rs_status commit_to_each(rs_commit *c, const rs_store_batch *batches, size_t n, rs_err *err) {
    rs_status st = RS_OK;
    for (uint32_t g = 0; g < c->routes.n && st == RS_OK; g++) {
        if (was_before(c->homes, g)) continue;
        choice which = {c->project->id, c->homes[g]};
        clear(c);
        st = group_spans(c, &which, batches, n, err);
        if (st == RS_OK) st = commit_to(c, c->homes[g], batches, n, err);
    }
    rs_intern_clear(&c->routes);
    return st;
}

rs_status rs_commit_project(rs_commit *c, rs_project_data *p, const rs_partition_limits *limits,
                            const rs_store_batch *batches, size_t n, rs_err *err) {
    choice all = {p->id, NULL};
    rs_partition *only = NULL;
    c->project = p;
    rs_status st = group_spans(c, &all, batches, n, err);
    if (st == RS_OK && c->ids.n > 0) {
        st = rs_project_data_make_room(p, limits, err);
        if (st == RS_OK) st = find_homes(c, &only, err);
        if (st == RS_OK) st = only ? commit_to(c, only, batches, n, err) : commit_to_each(c, batches, n, err);
    }
    clear(c);
    return st == RS_OK ? rs_events_write(p, limits, batches, n, err) : st;
}
