/* The first blocks of a segment are the dictionary of those behind them: what is packed against it comes back, and only where it
 * can. */
#include "base/ids.h"
#include "store/sqlite/dictionary.h"
#include "store_fixture.h"

#include <fcntl.h>
#include <sys/stat.h>

enum { BATCH = 200, NOVEL = 1000 /* bytes of a span that no other has */, TRACE = 5 };

/* Spans of traces from `trace` on, with text that does not compress, or all with the same. */
static rs_span *make_batch(fixture *f, uint64_t trace, bool novel) {
    static char same[NOVEL];
    rs_span *spans = rs_arena_zalloc(&f->arena, BATCH, sizeof *spans);
    rs_attr *attrs = rs_arena_zalloc(&f->arena, BATCH, sizeof *attrs);
    for (size_t i = 0; i < NOVEL && !same[0]; i += 8) memcpy(same + i, &(uint64_t){rs_id_random() | 1}, 8);
    for (size_t i = 0; i < BATCH; i++) {
        char *text = rs_arena_alloc(&f->arena, NOVEL);
        for (size_t k = 0; novel && k < NOVEL; k += 8) memcpy(text + k, &(uint64_t){rs_id_random()}, 8);
        if (!novel) memcpy(text, same, NOVEL);
        spans[i] = make_span(trace + i / TRACE, i % TRACE + 1, i % TRACE ? 1 : 0, (trace + i / TRACE) * MS);
        attrs[i] = (rs_attr){RS_STR("gen_ai.prompt.0.content"), {.type = RS_VALUE_BYTES, .s = {text, NOVEL}}};
        spans[i].attrs = (rs_attrs){&attrs[i], 1, 0};
    }
    return spans;
}

static void commit_batch(fixture *f, const rs_span *spans, bool prepared) {
    rs_err err = {0};
    rs_store_batch batch = {.project = 1, .spans = spans, .n = BATCH};
    if (prepared && rs_store_prepare(f->store, 1, spans, BATCH, &f->arena, &batch.prepared, &err) != RS_OK)
        fail_msg("%s", err.message);
    if (rs_store_commit(f->store, &batch, 1, NULL, &err) != RS_OK) fail_msg("%s", err.message);
}

static void assert_stored(fixture *f, const rs_span *spans, uint64_t trace) {
    for (size_t i = 0; i < BATCH; i += TRACE) {
        rs_spans got = read_trace(f, trace + i / TRACE, RS_READ_FULL);
        assert_int_equal(got.n, TRACE);
        for (size_t k = 0; k < TRACE; k++) {
            assert_int_equal(got.items[k].attrs.items[0].value.s.n, NOVEL);
            assert_memory_equal(got.items[k].attrs.items[0].value.s.p, spans[i + k].attrs.items[0].value.s.p,
                                NOVEL);
        }
    }
}

static char *segment_of(fixture *f, int partition) {
    static char path[128];
    snprintf(path, sizeof path, "%s/projects/1/p%06d/segment", f->dir, partition);
    return path;
}

static uint64_t segment_bytes(fixture *f) {
    struct stat st;
    assert_int_equal(stat(segment_of(f, 1), &st), 0);
    return (uint64_t)st.st_size;
}

/* The dictionary of the block that begins there. */
static uint32_t dictionary_at(fixture *f, int partition, uint64_t at) {
    char bytes[RS_BLOCK_HEADER];
    rs_block_header h;
    int fd = open(segment_of(f, partition), O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, bytes, sizeof bytes, (off_t)at), sizeof bytes);
    close(fd);
    assert_int_equal(rs_block_read_header((rs_str){bytes, sizeof bytes}, &h, NULL), RS_OK);
    return h.dictionary;
}

/* Traces 1, 101, …: as many batches as make a dictionary, the first of text that comes again. */
static uint64_t fill(fixture *f, const rs_span *batches[], bool prepared) {
    uint64_t n = 0;
    while (n == 0 || segment_bytes(f) < RS_DICTIONARY_STORED) {
        batches[n] = make_batch(f, n * 100 + 1, n > 0);
        commit_batch(f, batches[n], prepared);
        n++;
    }
    return n;
}

static void assert_whole(fixture *f) {
    rs_store_report report;
    rs_err err = {0};
    if (rs_store_check(f->dir, NULL, NULL, &report, &err) != RS_OK) fail_msg("%s", err.message);
    assert_int_equal(report.problems, 0);
}

static void blocks_use_those_before_them(void **state) {
    fixture *f = *state;
    const rs_span *batches[100];
    for (int prepared = 0; prepared < 2; prepared++) {
        uint64_t n = fill(f, batches, prepared), before = segment_bytes(f);
        batches[n] = make_batch(f, n * 100 + 1, false);
        commit_batch(f, batches[n], prepared);
        if (!prepared) assert_int_equal(dictionary_at(f, 1, before), before);
        assert_true(segment_bytes(f) - before < NOVEL + BATCH * 40); /* the text is none of its bytes */
        fixture_reopen(f);
        uint64_t end = segment_bytes(f);
        batches[n + 1] = make_batch(f, n * 100 + 101, true);
        commit_batch(f, batches[n + 1], false); /* from the first commit on, once more */
        assert_int_not_equal(dictionary_at(f, 1, end), 0);
        for (uint64_t i = 0; i < n + 2; i++) assert_stored(f, batches[i], i * 100 + 1);
        assert_whole(f);
        fixture_teardown(state);
        fixture_setup(state);
        f = *state;
    }
}

/* What packing takes of it goes, too: who read it before goes on with that one. */
static bool count_whole(void *ctx, int64_t key, const rs_span *span) {
    (void)key;
    *(size_t *)ctx += span->attrs.n == 1 && span->attrs.items[0].value.s.n == NOVEL;
    return true;
}

/* Whoever reads many is given them behind what they are packed against, in one piece of memory; then come those that need none. */
static void many_blocks_in_a_row(void **state) {
    enum { MANY = 30, THEIRS = 9000 };
    fixture *f = *state;
    const rs_span *batches[100];
    rs_span *spans[MANY];
    rs_err err = {0};
    uint64_t n = fill(f, batches, false);
    for (size_t b = 0; b < MANY; b++) {
        spans[b] = make_batch(f, 1, b % 2 == 0);
        for (size_t i = 0; i < BATCH; i++) {
            put_number(spans[b][i].trace_id, 16, THEIRS);
            put_number(spans[b][i].span_id, 8, b * BATCH + i + 1);
            spans[b][i].start_ns = T0 + (b * BATCH + i) * 1000;
        }
        commit_batch(f, spans[b], false);
    }
    for (int again = 0; again < 2; again++) {
        rs_spans got = read_trace(f, THEIRS, RS_READ_FULL);
        assert_int_equal(got.n, MANY * BATCH);
        for (size_t i = 0; i < got.n; i++)
            assert_memory_equal(got.items[i].attrs.items[0].value.s.p,
                                spans[i / BATCH][i % BATCH].attrs.items[0].value.s.p, NOVEL);
    }
    size_t whole = 0;
    rs_span_scan scan = {.depth = RS_READ_FULL};
    if (rs_store_scan_spans(f->store, 1, &scan, count_whole, &whole, &err) != RS_OK)
        fail_msg("%s", err.message);
    assert_int_equal(whole, (MANY + n) * BATCH);
    assert_whole(f);
}

static void one_that_is_forgotten_is_made_anew(void **state) {
    fixture *f = *state;
    const rs_span *batches[100];
    rs_dictionary *before, *again, *after;
    const rs_block_dictionary *packing;
    rs_segment segment;
    char dir[128];
    uint64_t n = fill(f, batches, false), end = segment_bytes(f);
    commit_batch(f, make_batch(f, n * 100 + 1, false), false);
    uint32_t number = dictionary_at(f, 1, end);
    snprintf(dir, sizeof dir, "%s/projects/1/p000001", f->dir);
    assert_int_equal(rs_segment_open_to_read(&segment, dir, NULL), RS_OK);
    assert_int_equal(rs_dictionary_borrow(&segment, number, &before, NULL), RS_OK);
    assert_int_equal(rs_dictionary_borrow(&segment, number, &again, NULL), RS_OK);
    assert_ptr_equal(before, again);
    assert_int_equal(rs_dictionary_to_pack(before, &packing, NULL), RS_OK);
    assert_true(rs_block_dictionary_packing(packing) > 0);
    rs_dictionary_forget(&segment);
    assert_int_equal(rs_dictionary_borrow(&segment, number, &after, NULL), RS_OK);
    assert_ptr_not_equal(before, after);
    assert_int_equal(rs_block_dictionary_packing(rs_dictionary_blocks(after)), 0);
    rs_dictionary_forget(&segment);
    rs_dictionary_return(before);
    rs_dictionary_return(again);
    rs_dictionary_return(after);
    rs_segment_close(&segment);
}

/* A request that was packed for a partition that takes no new traces when it is its turn. */
static void what_was_packed_for_another_partition_is_packed_again(void **state) {
    fixture *f = *state;
    const rs_span *batches[100], *late = make_batch(f, 1, true);
    rs_err err = {0};
    uint64_t n = fill(f, batches, false);
    commit_batch(f, batches[n - 1], true); /* sent again; from here on there is a dictionary */
    rs_span *spans = make_batch(f, 90001, false);
    rs_store_batch packed = {.project = 1, .spans = spans, .n = BATCH}, again = packed;
    again.spans = late;
    assert_int_equal(rs_store_prepare(f->store, 1, spans, BATCH, &f->arena, &packed.prepared, &err), RS_OK);
    assert_int_equal(rs_store_prepare(f->store, 1, late, BATCH, &f->arena, &again.prepared, &err), RS_OK);
    rs_store_limit_partitions(f->store, BATCH, UINT64_MAX);
    assert_int_equal(rs_store_commit(f->store, &packed, 1, NULL, &err), RS_OK);
    assert_int_equal(dictionary_at(f, 2, 0), 0);
    assert_int_equal(rs_store_commit(f->store, &again, 1, NULL, &err), RS_OK); /* to the first one */
    assert_stored(f, spans, 90001);
    assert_stored(f, late, 1);
    assert_whole(f);
}

/* More partitions than dictionaries that are kept: each is read with its own. */
static void each_partition_has_its_own(void **state) {
    fixture *f = *state;
    enum { PARTITIONS = RS_DICTIONARIES_BYTES / RS_DICTIONARY_STORED + 2 };
    const rs_span *batches[100], *last[PARTITIONS];
    for (uint64_t p = 0; p < PARTITIONS; p++) {
        if (p > 0) rs_store_limit_partitions(f->store, 1, UINT64_MAX);
        last[p] = make_batch(f, 100000 * (p + 1), true);
        commit_batch(f, last[p], false); /* into a partition of its own */
        rs_store_limit_partitions(f->store, 1 << 20, UINT64_MAX);
        for (uint64_t i = 1; i < 8; i++) {
            batches[i] = make_batch(f, 100000 * (p + 1) + i * 100, true);
            commit_batch(f, batches[i], true);
        }
    }
    for (int round = 0; round < 2; round++)
        for (uint64_t p = 0; p < PARTITIONS; p++) assert_stored(f, last[p], 100000 * (p + 1));
    assert_whole(f);
}

static void flip_in(const char *path, uint64_t at) {
    int fd = open(path, O_RDWR);
    char byte;
    assert_int_equal(pread(fd, &byte, 1, (off_t)at), 1);
    byte ^= 1;
    assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
    close(fd);
}

static void flip(fixture *f, uint64_t at) { flip_in(segment_of(f, 1), at); }

/* Nothing is guessed: it is corrupt, and new blocks do without. */
static void a_damaged_dictionary_is_noticed(void **state) {
    fixture *f = *state;
    const rs_span *batches[100];
    rs_spans got;
    rs_err err = {0};
    uint8_t id[16];
    uint64_t n = fill(f, batches, false);
    commit_batch(f, make_batch(f, 90001, true), false);
    put_number(id, 16, 90001);
    rs_store_close(f->store);
    f->store = NULL;
    flip(f, RS_BLOCK_HEADER + 1);
    assert_int_equal(rs_store_open(f->dir, &f->store, &err), RS_OK);
    assert_int_equal(rs_store_read_trace(f->store, 1, id, RS_READ_FULL, &f->arena, &got, &err),
                     RS_ERR_CORRUPT);
    assert_stored(f, batches[n - 1], (n - 1) * 100 + 1);
    const rs_span *more = make_batch(f, 95001, true);
    commit_batch(f, more, true);
    assert_stored(f, more, 95001);
}

static char *copy_of(fixture *f) {
    static char path[128];
    snprintf(path, sizeof path, "%s/projects/1/p000001/dictionary.copy", f->dir);
    return path;
}

static void reopen_with(fixture *f, const char *path, uint64_t flipped_at) {
    rs_err err = {0};
    rs_store_close(f->store);
    f->store = NULL;
    flip_in(path, flipped_at);
    if (rs_store_open(f->dir, &f->store, &err) != RS_OK) fail_msg("%s", err.message);
}

static uint64_t problems(fixture *f) {
    rs_store_report report;
    rs_err err = {0};
    if (rs_store_check(f->dir, NULL, NULL, &report, &err) != RS_OK) fail_msg("%s", err.message);
    return report.problems;
}

/* Blocks behind it are read by the copy, and the keeper puts back what was damaged; then all of them are. */
static void a_copy_stands_in(void **state) {
    fixture *f = *state;
    const rs_span *batches[100], *behind = make_batch(f, 90001, false);
    rs_err err = {0};
    uint64_t n = fill(f, batches, false);
    commit_batch(f, behind, false);
    assert_int_not_equal(access(copy_of(f), F_OK), 0);
    assert_int_equal(rs_store_copy_dictionaries(f->store, 1, &err), RS_OK);
    assert_int_equal(access(copy_of(f), F_OK), 0);
    assert_int_equal(problems(f), 0);
    for (int round = 0; round < 2;
         round++) { /* in a section, and in the header that tells how long the dictionary is */
        reopen_with(f, segment_of(f, 1), round ? 9 : RS_BLOCK_HEADER + 1);
        assert_stored(f, behind, 90001);
        commit_batch(f, make_batch(f, 91001 + (uint64_t)round * 1000, true), true);
        assert_true(problems(f) > 0);
        assert_int_equal(rs_store_copy_dictionaries(f->store, 1, &err), RS_OK);
        assert_int_equal(problems(f), 0);
        for (uint64_t i = 0; i < n; i++) assert_stored(f, batches[i], i * 100 + 1);
    }
}

static void a_damaged_copy_is_made_anew(void **state) {
    fixture *f = *state;
    const rs_span *batches[100];
    rs_err err = {0};
    fill(f, batches, false);
    for (int round = 0; round < 3; round++) { /* its head, its number, its bytes */
        assert_int_equal(rs_store_copy_dictionaries(f->store, 1, &err), RS_OK);
        assert_int_equal(problems(f), 0);
        reopen_with(f, copy_of(f), round == 2 ? 5000 : (uint64_t)round * 8);
        assert_int_equal(problems(f), 1);
    }
    assert_int_equal(rs_store_copy_dictionaries(f->store, 1, &err), RS_OK);
    assert_int_equal(problems(f), 0);
    flip(f, RS_BLOCK_HEADER + 1); /* it is of use once more */
    assert_true(problems(f) > 0);
    fixture_reopen(f);
    assert_int_equal(rs_store_copy_dictionaries(f->store, 1, &err), RS_OK);
    assert_int_equal(problems(f), 0);
}

int main(void) {
#define TEST(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(blocks_use_those_before_them),
        TEST(many_blocks_in_a_row),
        TEST(one_that_is_forgotten_is_made_anew),
        TEST(what_was_packed_for_another_partition_is_packed_again),
        TEST(each_partition_has_its_own),
        TEST(a_damaged_dictionary_is_noticed),
        TEST(a_copy_stands_in),
        TEST(a_damaged_copy_is_made_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
