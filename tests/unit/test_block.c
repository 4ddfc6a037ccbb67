#include "random_spans.h"
#include "store/sqlite/block.h"
#include "store_fixture.h"

typedef struct decoded {
    rs_arena arena;
    rs_span *spans;
    uint32_t n;
} decoded;

/* A block back into spans; RS_OK only if all of it is well. */
static rs_status decode(rs_str block, decoded *out) {
    rs_block_header h;
    rs_buf raw[RS_SECTION_COUNT] = {0};
    rs_heads heads = {0};
    rs_details details = {0};
    rs_extent extent;
    ZSTD_DCtx *zstd = ZSTD_createDCtx();
    *out = (decoded){0};
    rs_status st = rs_block_read_header(block, &h, NULL);
    for (int i = 0; i < RS_SECTION_COUNT && st == RS_OK; i++)
        st = rs_block_unpack(&h, (rs_section)i, block, NULL, zstd, &raw[i], NULL);
    if (st == RS_OK) st = rs_heads_open(&heads, rs_buf_slice(&raw[0]), h.spans, NULL);
    if (st == RS_OK) st = rs_details_open(&details, rs_buf_slice(&raw[1]), rs_buf_slice(&raw[2]), NULL);
    if (st == RS_OK) assert_non_null(out->spans = rs_arena_zalloc(&out->arena, h.spans, sizeof(rs_span)));
    while (st == RS_OK && rs_heads_next(&heads, &out->spans[out->n], &extent)) {
        assert_true(rs_heads_keep(&out->spans[out->n], &out->arena));
        st = rs_details_read(&details, &extent, &out->arena, &out->spans[out->n], NULL);
        out->n++;
    }
    if (st == RS_OK && !rs_heads_is_whole(&heads)) st = RS_ERR_CORRUPT;
    rs_heads_close(&heads);
    rs_details_close(&details);
    for (int i = 0; i < RS_SECTION_COUNT; i++) rs_buf_deinit(&raw[i]);
    ZSTD_freeDCtx(zstd);
    return st;
}

static void encode(rs_block_writer *w, const rs_span *spans, size_t n, uint64_t first, rs_buf *out) {
    rs_block_header h;
    rs_err err = {0};
    for (size_t i = 0; i < n; i++) rs_block_add(w, &spans[i]);
    if (rs_block_finish(w, first, out, &h, &err) != RS_OK) fail_msg("%s", err.message);
    assert_true(h.first == first);
    assert_int_equal(h.spans, n);
}

static void random_spans_come_back(void **state) {
    (void)state;
    rs_block_writer w;
    assert_int_equal(rs_block_writer_init(&w, NULL), RS_OK);
    for (uint64_t seed = 1; seed <= 40; seed++) {
        rs_arena arena = {0};
        rs_buf block = {0};
        decoded d;
        rs_spans spans = random_spans(seed, seed % 9 * 8, &arena);
        encode(&w, spans.items, spans.n, seed, &block);
        assert_int_equal(decode(rs_buf_slice(&block), &d), RS_OK);
        assert_int_equal(d.n, spans.n);
        for (uint32_t i = 0; i < d.n; i++) {
            const char *differs = spans_differ(&d.spans[i], &spans.items[i]);
            if (differs) fail_msg("seed %llu, span %u: %s", (unsigned long long)seed, i, differs);
        }
        rs_arena_deinit(&d.arena);
        rs_buf_deinit(&block);
        rs_arena_deinit(&arena);
    }
    rs_block_writer_deinit(&w);
}

static void every_cut_is_noticed(void **state) {
    (void)state;
    rs_arena arena = {0};
    rs_buf block = {0};
    rs_block_writer w;
    decoded d;
    rs_spans spans = random_spans(3, 8, &arena);
    assert_int_equal(rs_block_writer_init(&w, NULL), RS_OK);
    encode(&w, spans.items, spans.n, 1, &block);
    for (size_t n = 0; n < block.n; n++) {
        char *exact = malloc(n ? n : 1); /* so that a sanitizer sees a read past the end */
        memcpy(exact, block.p, n);
        assert_int_equal(decode((rs_str){exact, n}, &d), RS_ERR_CORRUPT);
        rs_arena_deinit(&d.arena);
        free(exact);
    }
    rs_block_writer_deinit(&w);
    rs_buf_deinit(&block);
    rs_arena_deinit(&arena);
}

/* Behind the checksums too: whatever the raw bytes are, no crash and no reading past their end. */
static void raw_sections_are_not_trusted(void **state) {
    (void)state;
    rs_arena arena = {0};
    rs_spans spans = random_spans(5, 20, &arena);
    rs_heads_writer w;
    rs_details_writer dw;
    rs_buf heads = {0}, details = {0};
    rs_heads_writer_init(&w);
    rs_details_writer_init(&dw);
    for (size_t i = 0; i < spans.n; i++) {
        size_t x, y;
        rs_details_add(&dw, &spans.items[i], &x, &y);
        rs_heads_add(&w, &spans.items[i], x, y);
    }
    assert_int_equal(rs_heads_finish(&w, &heads), RS_OK);
    assert_int_equal(rs_details_finish(&dw, &details), RS_OK);
    for (size_t at = 0; at < heads.n + details.n; at++) {
        char *byte = at < heads.n ? &heads.p[at] : &details.p[at - heads.n];
        for (int bit = 0; bit < 8; bit += 3) {
            rs_arena out = {.limit = 32 << 20};
            rs_heads h;
            rs_details d;
            rs_span s;
            rs_extent x;
            *byte ^= (char)(1 << bit);
            rs_status st = rs_heads_open(&h, rs_buf_slice(&heads), (uint32_t)spans.n, NULL);
            rs_status more = rs_details_open(&d, rs_buf_slice(&details), rs_buf_slice(&dw.content), NULL);
            while (st == RS_OK && more == RS_OK && rs_heads_next(&h, &s, &x))
                if (rs_details_read(&d, &x, &out, &s, NULL) != RS_OK) break;
            *byte ^= (char)(1 << bit);
            rs_heads_close(&h);
            rs_details_close(&d);
            rs_arena_deinit(&out);
        }
    }
    rs_heads_writer_deinit(&w);
    rs_details_writer_deinit(&dw);
    rs_buf_deinit(&heads);
    rs_buf_deinit(&details);
    rs_arena_deinit(&arena);
}

static void a_block_gets_full(void **state) {
    (void)state;
    static char text[1 << 20];
    rs_attr attr = {RS_STR("gen_ai.prompt.0.content"), {.type = RS_VALUE_STRING, .s = {text, sizeof text}}};
    rs_span s = make_span(1, 1, 0, 0), big = s;
    rs_block_writer w;
    int n = 0;
    big.attrs = (rs_attrs){&attr, 1, 0};
    assert_int_equal(rs_block_writer_init(&w, NULL), RS_OK);
    for (; !rs_block_is_full(&w); n++) rs_block_add(&w, &s);
    assert_int_equal(n, RS_BLOCK_MAX_SPANS);
    rs_block_writer_clear(&w);
    for (n = 0; !rs_block_is_full(&w); n++) rs_block_add(&w, &big);
    assert_int_equal(n, RS_BLOCK_FULL_BYTES / sizeof text);
    rs_block_writer_deinit(&w);
}

static void intern_numbers_in_order(void **state) {
    (void)state;
    static char names[1000][8];
    rs_intern t = {0};
    for (int round = 0; round < 2; round++) {
        assert_int_equal(rs_intern_find(&t, RS_STR("0")), UINT32_MAX);
        for (uint32_t i = 0; i < 1000; i++) {
            snprintf(names[i], sizeof names[i], "%u", i);
            assert_int_equal(rs_intern_put(&t, rs_str_of(names[i])), i);
            assert_int_equal(rs_intern_put(&t, rs_str_of(names[i / 2])), i / 2);
        }
        assert_int_equal(rs_intern_find(&t, RS_STR("999")), 999);
        assert_int_equal(rs_intern_find(&t, RS_STR("1000")), UINT32_MAX);
        rs_intern_clear(&t);
    }
    rs_intern_deinit(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_spans_come_back),       cmocka_unit_test(every_cut_is_noticed),
        cmocka_unit_test(raw_sections_are_not_trusted), cmocka_unit_test(a_block_gets_full),
        cmocka_unit_test(intern_numbers_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
