/* rs_store_check: goes through all that a store holds and compares it with what its index says. */
#include "store/control.h"
#include "store/page_check.h"
#include "store/sqlite/dictionary_copy.h"
#include "store/sqlite/sqlite_store.h"
#include "store/sqlite/word_rows.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* What the blocks of a partition say of a trace. */
typedef struct counted {
    uint32_t spans;
    bool has_row;
} counted;

/* One partition, seen as it was at one moment. */
typedef struct check {
    rs_store_report *report;
    rs_problem_fn fn;
    void *ctx;
    const char *dir;
    const char *store; /* the folder of all of it */
    rs_segment segment;
    rs_index x;
    rs_partition_state state;
    rs_arena arena; /* trace ids */
    rs_intern traces;
    counted *counts; /* by number of the trace */
    size_t counts_cap;
    uint64_t spans, copies; /* in blocks; of them superseded */
} check;

static void __attribute__((format(printf, 2, 3))) problem(check *c, const char *fmt, ...) {
    char text[RS_PATH_MAX + 256];
    va_list ap;
    int n = snprintf(text, sizeof text, "%s: ", c->dir);
    va_start(ap, fmt);
    if (n > 0 && (size_t)n < sizeof text) vsnprintf(text + n, sizeof text - (size_t)n, fmt, ap);
    va_end(ap);
    c->report->problems++;
    if (c->fn) c->fn(c->ctx, text);
}

/* ---- blocks -------------------------------------------------------------------------------------------- */

static rs_status count_span(check *c, const rs_span *s, rs_err *err) {
    rs_str id = {(const char *)s->trace_id, 16};
    uint32_t n = c->traces.n, at = rs_intern_find(&c->traces, id);
    if (at == UINT32_MAX) at = rs_intern_put(&c->traces, rs_arena_copy(&c->arena, id));
    void *counts = c->counts;
    if (c->traces.failed != RS_OK) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    if (at == n) {
        if (n == c->counts_cap) {
            counts = realloc(counts, (c->counts_cap = n ? n * 2 : 1024) * sizeof *c->counts);
            if (!counts) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
            c->counts = counts;
        }
        c->counts[n] = (counted){0};
    }
    c->counts[at].spans++;
    return RS_OK;
}

typedef struct word_check {
    rs_str filter;
    bool lacks;
} word_check;

static bool filter_has(void *ctx, rs_str text) {
    word_check *c = ctx;
    rs_words words = rs_words_of(text, true);
    for (uint64_t h; !c->lacks && (h = rs_words_next(&words)) != 0;) {
        size_t at = rs_word_filter_line(c->filter.n, h);
        c->lacks = !rs_word_line_may_have(c->filter.n, c->filter.p + at, h);
    }
    return !c->lacks;
}

/* The filter must know each word of the span. */
static rs_status check_words(rs_str filter, const rs_span *s, rs_err *err) {
    rs_buf scratch;
    word_check c = {filter, false};
    if (!rs_word_filter_is_current(filter.n)) return RS_OK; /* none, or one of older rules */
    rs_buf_init(&scratch);
    rs_status st = rs_span_each_text(s, &scratch, filter_has, &c);
    rs_buf_deinit(&scratch);
    if (st == RS_OK && c.lacks)
        return rs_fail(err, RS_ERR_CORRUPT, 0, "a block's word filter lacks a word of its spans");
    return st == RS_OK ? st : rs_fail(err, st, 0, "out of memory");
}

/* Every checksum, every span in full. A damaged block is a problem, not a failure. */
static rs_status check_block(check *c, const rs_block_ref *ref, rs_err *err) {
    rs_stored_span s;
    rs_arena details = {0};
    rs_err why = {0};
    bool more = true,
         *gone = ref->spans <= RS_BLOCK_SPANS_LIMIT ? calloc(ref->spans + 1, sizeof *gone) : NULL;
    uint32_t n = 0;
    rs_str words = {0};
    if (!gone) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    rs_status st = rs_index_superseded(&c->x, ref, gone, &why);
    if (st == RS_OK) st = rs_view_open(&c->x.view, ref, RS_READ_FULL, &why);
    if (st == RS_OK) st = rs_view_words(&c->x.view, &words, &why);
    while (st == RS_OK && (st = rs_view_next(&c->x.view, &s, &more, &why)) == RS_OK && more) {
        st = rs_view_keep(&c->x.view, &s, RS_READ_FULL, &details, &why);
        if (st == RS_OK) st = check_words(words, &s.span, &why);
        if (st == RS_OK && n < ref->spans && gone[n]) c->copies++;
        else if (st == RS_OK) st = count_span(c, &s.span, &why);
        n++;
        rs_arena_deinit(&details);
    }
    rs_arena_deinit(&details);
    free(gone);
    c->spans += ref->spans;
    c->report->blocks++;
    if (st == RS_ERR_CORRUPT || st == RS_ERR_UNSUPPORTED) problem(c, "%s", why.message);
    else if (st != RS_OK) return rs_fail(err, st, why.offset, "%s", why.message);
    else if (n != ref->spans)
        problem(c, "block at byte %llu has %u spans, its index says %u", (unsigned long long)ref->at, n,
                ref->spans);
    return RS_OK;
}

/* Nobody writes, and yet whole blocks lie behind the last that was committed: the process died before it committed them, and never
 * acknowledged them; or the index lost its last commits. */
static void check_tail(check *c, uint64_t end) {
    rs_err err = {0};
    rs_block_header h;
    uint64_t blocks = 0, spans = 0;
    for (uint64_t at = end; rs_view_header(&c->segment, at, &h, &err) == RS_OK; blocks++) {
        at += rs_block_length(&h, RS_SECTION_CONTENT);
        spans += h.spans;
    }
    if (blocks && rs_store_holder(c->store) == 0)
        problem(c,
                "the segment has %llu spans in %llu blocks behind byte %llu that the index does not name: of "
                "a commit "
                "that was never finished, or lost",
                (unsigned long long)spans, (unsigned long long)blocks, (unsigned long long)end);
}

/* In the order of the segment: each begins where the one before ends. */
static rs_status check_blocks(check *c, rs_err *err) {
    sqlite3_stmt *stmt = NULL;
    bool row = true;
    uint64_t end = 0;
    rs_status st = rs_db_prepare(c->x.db, rs_sql_text[RS_SQL_ALL_BLOCKS], &stmt, err);
    while (st == RS_OK && (st = rs_db_step(stmt, &row, err)) == RS_OK && row) {
        rs_block_ref ref = rs_index_block_ref(stmt);
        if (ref.at != end)
            problem(c, "the block behind byte %llu of the segment begins at %llu", (unsigned long long)end,
                    (unsigned long long)ref.at);
        if (ref.first + ref.spans > c->state.next_span)
            problem(c, "block at byte %llu has spans that nobody counted yet", (unsigned long long)ref.at);
        end = ref.at + ref.length;
        st = check_block(c, &ref, err);
    }
    sqlite3_finalize(stmt);
    if (st == RS_OK && end != c->state.segment_end)
        problem(c, "the segment's blocks end at byte %llu, its index says %llu", (unsigned long long)end,
                (unsigned long long)c->state.segment_end);
    if (st == RS_OK && end == c->state.segment_end) check_tail(c, end);
    return st;
}

/* ---- the index ----------------------------------------------------------------------------------------- */

static void tell_page(void *ctx, const char *what) { problem(ctx, "%s", what); }

/* Every page's checksum; then SQLite's own check. `since`: the version from which on there are checksums. */
static rs_status check_database(check *c, const char *file, int since, rs_err *err) {
    sqlite3_stmt *stmt = NULL;
    bool row = true;
    rs_status st = rs_page_check(c->x.db, since, tell_page, c, err);
    if (st == RS_OK) st = rs_db_prepare(c->x.db, "PRAGMA integrity_check(10)", &stmt, err);
    while (st == RS_OK && (st = rs_db_step(stmt, &row, err)) == RS_OK && row) {
        rs_str said = rs_db_column_str(stmt, 0);
        if (!rs_str_eq(said, RS_STR("ok"))) problem(c, "%s: %.*s", file, (int)said.n, said.p);
    }
    sqlite3_finalize(stmt);
    return st;
}

static void check_row(check *c, sqlite3_stmt *stmt, const rs_bloom *filter) {
    rs_str id = rs_db_column_str(stmt, 0);
    int64_t key = sqlite3_column_int64(stmt, 1), spans = sqlite3_column_int64(stmt, 2);
    uint32_t at = rs_intern_find(&c->traces, id);
    char hex[33] = "";
    for (size_t i = 0; i < id.n && i < 16; i++) snprintf(hex + 2 * i, 3, "%02x", (unsigned char)id.p[i]);
    if (at == UINT32_MAX || c->counts[at].spans != (uint64_t)spans)
        problem(c, "trace %s has %u spans, its row says %lld", hex,
                at == UINT32_MAX ? 0 : c->counts[at].spans, (long long)spans);
    if (at != UINT32_MAX) c->counts[at].has_row = true;
    if (filter && id.n == 16 &&
        !(rs_bloom_may_have(filter, rs_bloom_hash_id((const uint8_t *)id.p)) &&
          rs_bloom_may_have(filter, rs_bloom_hash_key(key))))
        problem(c, "traces.filter does not know trace %s", hex);
}

static rs_status check_traces(check *c, rs_err *err) {
    char path[RS_PATH_MAX];
    sqlite3_stmt *stmt = NULL;
    bool row = true;
    rs_bloom filter = {0};
    uint64_t n = 0;
    rs_status st = rs_path_join(path, c->dir, "traces.filter", err);
    if (st != RS_OK) return st;
    rs_bloom_file found = rs_bloom_load(&filter, c->state.traces, path); /* without it the index is asked */
    if (found == RS_BLOOM_DAMAGED) problem(c, "traces.filter does not match its checksum");
    st = rs_db_prepare(c->x.db, "SELECT trace_id, key, spans FROM trace", &stmt, err);
    while (st == RS_OK && (st = rs_db_step(stmt, &row, err)) == RS_OK && row) {
        check_row(c, stmt, found == RS_BLOOM_FITS ? &filter : NULL);
        n++;
    }
    sqlite3_finalize(stmt);
    rs_bloom_deinit(&filter);
    if (st != RS_OK) return st;
    for (uint32_t i = 0; i < c->traces.n; i++)
        if (!c->counts[i].has_row) problem(c, "%u spans are of a trace that has no row", c->counts[i].spans);
    if (n != c->state.traces)
        problem(c, "there are %llu traces, the state says %llu", (unsigned long long)n,
                (unsigned long long)c->state.traces);
    if (c->spans - c->copies != c->state.spans)
        problem(c, "there are %llu spans, the state says %llu", (unsigned long long)(c->spans - c->copies),
                (unsigned long long)c->state.spans);
    c->report->traces += n;
    c->report->spans += c->state.spans;
    return RS_OK;
}

/* Without them filters are asked. */
static rs_status check_word_rows(check *c, rs_err *err) {
    char path[RS_PATH_MAX];
    uint64_t end;
    rs_status st = rs_path_join(path, c->dir, RS_WORD_ROWS_FILE, err);
    if (st == RS_OK && rs_word_rows_look(path, c->state.segment_end, true, &end) == RS_WORD_ROWS_DAMAGED)
        problem(c, "%s does not match its checksum, or is of blocks that are lost", RS_WORD_ROWS_FILE);
    return st;
}

/* Nothing is lost as long as what it is a copy of is whole. */
static void check_dictionary_copy(check *c) {
    rs_buf bytes;
    uint32_t number;
    rs_buf_init(&bytes);
    if (rs_dictionary_copy_read(&c->segment, &number, &bytes) == RS_DICTIONARY_COPY_DAMAGED)
        problem(c, "%s does not match its checksum: a server makes it anew", RS_DICTIONARY_COPY_FILE);
    rs_buf_deinit(&bytes);
}

/* What the table rollup counts, if it is there: older versions had another one. */
static rs_status check_rollups(check *c, rs_err *err) {
    sqlite3_stmt *stmt = NULL;
    bool row = false;
    rs_status st = rs_db_prepare(
        c->x.db, "SELECT count(*) FROM pragma_table_info('rollup') WHERE name = 'of'", &stmt, err);
    if (st == RS_OK) st = rs_db_step(stmt, &row, err);
    bool is_there = st == RS_OK && row && sqlite3_column_int(stmt, 0) > 0;
    sqlite3_finalize(stmt);
    if (st != RS_OK || !is_there) return st;
    stmt = NULL;
    st = rs_db_prepare(
        c->x.db,
        "SELECT ifnull(sum(n) FILTER (WHERE of = 0), 0), ifnull(sum(n) FILTER (WHERE of = 1), 0),"
        " (SELECT has_rollups FROM state) FROM rollup",
        &stmt, err);
    if (st == RS_OK) st = rs_db_step(stmt, &row, err);
    if (st == RS_OK && row && sqlite3_column_int(stmt, 2)) {
        int64_t spans = sqlite3_column_int64(stmt, 0), traces = sqlite3_column_int64(stmt, 1);
        if ((uint64_t)spans != c->state.spans || (uint64_t)traces != c->state.traces)
            problem(c, "the rollups are of %lld spans and %lld traces, the state says %llu and %llu",
                    (long long)spans, (long long)traces, (unsigned long long)c->state.spans,
                    (unsigned long long)c->state.traces);
    }
    sqlite3_finalize(stmt);
    return st;
}

/* ---- partitions ---------------------------------------------------------------------------------------- */

static rs_status open_parts(check *c, rs_err *err) {
    char path[RS_PATH_MAX];
    rs_status st = rs_path_join(path, c->dir, "index.db", err);
    if (st == RS_OK) st = rs_db_open_to_look(path, &c->x.db, err);
    if (st == RS_OK) st = rs_db_check_version(c->x.db, RS_SCHEMA_VERSION, err);
    if (st == RS_OK) st = rs_segment_open_to_read(&c->segment, c->dir, err);
    c->x.segment = &c->segment;
    return st == RS_OK ? rs_view_init(&c->x.view, &c->segment, err) : st;
}

static rs_status read_state(check *c, rs_err *err) {
    sqlite3_stmt *stmt = NULL; /* of the columns that every version has */
    bool row = false;
    rs_status st =
        rs_db_prepare(c->x.db, "SELECT next_span, segment_end, spans, traces FROM state", &stmt, err);
    if (st == RS_OK) st = rs_db_step(stmt, &row, err);
    if (st == RS_OK && row)
        c->state = (rs_partition_state){
            .next_span = (uint64_t)sqlite3_column_int64(stmt, 0),
            .segment_end = (uint64_t)sqlite3_column_int64(stmt, 1),
            .spans = (uint64_t)sqlite3_column_int64(stmt, 2),
            .traces = (uint64_t)sqlite3_column_int64(stmt, 3),
        };
    sqlite3_finalize(stmt);
    return st == RS_OK && !row ? rs_fail(err, RS_ERR_CORRUPT, 0, "the index has no state") : st;
}

/* What cannot even be opened is a problem, too; unless its folder is gone (RS_ERR_CLOSED). */
static rs_status check_partition(const char *store, const char *dir, rs_store_report *report,
                                 rs_problem_fn fn, void *ctx, rs_err *err) {
    check c = {.report = report, .fn = fn, .ctx = ctx, .store = store, .dir = dir, .segment = {.fd = -1}};
    rs_err why = {0};
    report->partitions++;
    rs_status st = open_parts(&c, &why);
    if (st == RS_OK) st = rs_db_exec(c.x.db, "BEGIN", &why); /* one moment for all that is asked */
    if (st == RS_OK) st = read_state(&c, &why);
    bool is_gone = st != RS_OK && access(dir, F_OK) != 0;
    if (st == RS_OK) st = check_database(&c, "index.db", RS_SCHEMA_VERSION_CHECKED, &why);
    if (st == RS_OK) st = check_blocks(&c, &why);
    if (st == RS_OK) st = check_traces(&c, &why);
    if (st == RS_OK) st = check_rollups(&c, &why);
    if (st == RS_OK) st = check_word_rows(&c, &why);
    if (st == RS_OK) check_dictionary_copy(&c);
    report->bytes += c.state.segment_end;
    for (int i = 0; i < RS_SQL_COUNT; i++) sqlite3_finalize(c.x.stmts[i]);
    sqlite3_close(c.x.db);
    rs_view_deinit(&c.x.view);
    rs_segment_close(&c.segment);
    rs_intern_deinit(&c.traces);
    rs_arena_deinit(&c.arena);
    free(c.counts);
    if (is_gone) return rs_fail(err, RS_ERR_CLOSED, 0, "%s was replaced: try again", dir);
    if (st == RS_ERR_MEMORY || st == RS_ERR_TIMEOUT) return rs_fail(err, st, 0, "%s: %s", dir, why.message);
    if (st != RS_OK) problem(&c, "%s", why.message);
    return RS_OK;
}

/* The server may put another folder in the place of one while it is looked at: then that one counts. */
static rs_status check_number(const char *store, const char *project, uint32_t number,
                              rs_store_report *report, rs_problem_fn fn, void *ctx, rs_err *err) {
    enum { TRIES = 5 };
    char dir[RS_PATH_MAX];
    rs_store_report before = *report;
    rs_status st = RS_OK;
    for (int i = 0; i < TRIES; i++) {
        rs_folder folder;
        *report = before;
        st = rs_folders_find(project, number, &folder, err);
        if (st == RS_ERR_NOT_FOUND) return RS_OK; /* it was dropped */
        if (st == RS_OK) st = rs_folder_path(project, &folder, dir, err);
        if (st != RS_OK) return st;
        st = check_partition(store, dir, report, fn, ctx, err);
        if (st != RS_ERR_CLOSED) return st;
    }
    return st;
}

static rs_status check_project(const char *store, const char *dir, rs_store_report *report, rs_problem_fn fn,
                               void *ctx, rs_err *err) {
    rs_folder *folders;
    size_t n;
    rs_status st = rs_folders_list(dir, &folders, &n, err);
    for (size_t i = 0; i < n && st == RS_OK; i++)
        st = check_number(store, dir, folders[i].number, report, fn, ctx, err);
    free(folders);
    return st;
}

/* SQLite's own check of the control plane: a store without one is no problem of its own. */
static rs_status check_control(const char *dir, rs_store_report *report, rs_problem_fn fn, void *ctx,
                               rs_err *err) {
    check c = {.report = report, .fn = fn, .ctx = ctx, .dir = dir};
    char path[RS_PATH_MAX];
    rs_err why = {0};
    rs_status st = rs_path_join(path, dir, "control.db", err);
    if (st != RS_OK || access(path, F_OK) != 0) return st;
    st = rs_control_look(dir, &why);
    if (st == RS_OK) st = rs_db_open_to_look(path, &c.x.db, &why);
    if (st == RS_OK) st = check_database(&c, "control.db", RS_CONTROL_VERSION_CHECKED, &why);
    sqlite3_close(c.x.db);
    if (st == RS_ERR_MEMORY || st == RS_ERR_TIMEOUT) return rs_fail(err, st, 0, "%s: %s", path, why.message);
    if (st != RS_OK) problem(&c, "%s", why.message);
    return RS_OK;
}

rs_status rs_store_check(const char *dir, rs_problem_fn fn, void *ctx, rs_store_report *out, rs_err *err) {
    char projects[RS_PATH_MAX], project[RS_PATH_MAX];
    *out = (rs_store_report){0};
    rs_status st = rs_path_join(projects, dir, "projects", err);
    if (st == RS_OK) st = check_control(dir, out, fn, ctx, err);
    if (st != RS_OK) return st;
    DIR *d = opendir(projects);
    if (!d && errno == ENOENT) return RS_OK;
    if (!d) return rs_fail(err, RS_ERR_IO, 0, "cannot read %s: %s", projects, strerror(errno));
    for (struct dirent *e; st == RS_OK && (e = readdir(d));) {
        if (e->d_name[0] < '0' || e->d_name[0] > '9') continue;
        st = rs_path_join(project, projects, e->d_name, err);
        if (st == RS_OK) st = check_project(dir, project, out, fn, ctx, err);
    }
    closedir(d);
    return st;
}
