/* The table `tag` against a plain list of keys. */
#include "store/sqlite/tag_index.h"
#include "store_fixture.h"

enum { KEYS = 4000, TAGS = 3 };

typedef struct reference {
    int64_t keys[TAGS][KEYS];
    size_t n[TAGS];
} reference;

static uint64_t below(uint64_t *seed, uint64_t n) {
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (*seed >> 33) % n;
}

static bool has(const reference *r, int tag, int64_t key) {
    for (size_t i = 0; i < r->n[tag]; i++)
        if (r->keys[tag][i] == key) return true;
    return false;
}

static int ascending(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* As one commit does: keys near each other, or anywhere. */
static size_t draw_keys(reference *r, int tag, uint64_t *seed, int64_t out[64]) {
    int64_t around = (int64_t)below(seed, 60000000) - 1000000, range = below(seed, 4) ? 300000 : 60000000;
    size_t n = 0, wanted = 1 + below(seed, 63);
    for (size_t i = 0; i < wanted && r->n[tag] < KEYS; i++) {
        int64_t key = around + (int64_t)below(seed, (uint64_t)range);
        if (has(r, tag, key)) continue;
        out[n++] = r->keys[tag][r->n[tag]++] = key;
    }
    qsort(out, n, sizeof *out, ascending);
    return n;
}

static void compare(rs_index *x, const reference *r, int tag, int64_t spread, uint64_t *seed) {
    for (int i = 0; i < 8; i++) {
        int64_t low = (int64_t)below(seed, 62000000) - 2000000, high = low + (int64_t)below(seed, 20000000),
                key = 0, want = 0;
        bool oldest = i % 2, found, expected = false;
        if (i == 2) low = INT64_MIN, high = INT64_MAX;
        for (size_t k = 0; k < r->n[tag]; k++) {
            int64_t at = r->keys[tag][k];
            if (at < low || at > high || (expected && (oldest ? at > want : at < want))) continue;
            want = at, expected = true;
        }
        assert_int_equal(rs_tag_seek(x, tag, low, high, oldest, spread, &key, &found, NULL), RS_OK);
        assert_int_equal(found, expected);
        if (found) assert_int_equal(key, want);
    }
    uint64_t n;
    assert_int_equal(rs_tag_count(x, tag, &n, NULL), RS_OK);
    assert_int_equal(n, r->n[tag]);
}

static void keys_come_and_go(void **state) {
    fixture *f = *state;
    static reference r;
    char dir[128];
    rs_partition *p;
    rs_buf scratch;
    uint64_t seed = 7;
    int64_t spread = 0;
    snprintf(dir, sizeof dir, "%s/partition", f->dir);
    assert_int_equal(rs_partition_open(1, &(rs_folder){1, 1}, dir, RS_DURABLE_PROCESS, &p, NULL), RS_OK);
    rs_buf_init(&scratch);
    for (int round = 0; round < 600; round++) {
        int tag = (int)below(&seed, TAGS);
        int64_t some[64];
        size_t n = draw_keys(&r, tag, &seed, some);
        assert_int_equal(rs_tag_put(&p->writer, tag, some, n, &scratch, &spread, NULL), RS_OK);
        assert_true(spread <= RS_TAG_SPREAD_MAX);
        for (uint64_t drops = below(&seed, 12); drops > 0 && r.n[tag] > 0; drops--) {
            size_t at = below(&seed, r.n[tag]);
            assert_int_equal(rs_tag_drop(&p->writer, tag, r.keys[tag][at], spread, &scratch, NULL), RS_OK);
            r.keys[tag][at] = r.keys[tag][--r.n[tag]];
        }
        assert_int_equal(rs_tag_drop(&p->writer, tag, -5000000, spread, &scratch, NULL),
                         RS_OK); /* there is none */
        compare(&p->writer, &r, tag, spread, &seed);
    }
    assert_true(r.n[0] > 1000);
    rs_buf_deinit(&scratch);
    rs_partition_close(p);
}

static void many_keys_are_several_rows(void **state) {
    fixture *f = *state;
    char dir[128];
    rs_partition *p;
    rs_buf scratch;
    static int64_t many[5000];
    int64_t spread = 0, key;
    uint64_t n;
    bool found;
    snprintf(dir, sizeof dir, "%s/partition", f->dir);
    assert_int_equal(rs_partition_open(1, &(rs_folder){1, 1}, dir, RS_DURABLE_PROCESS, &p, NULL), RS_OK);
    rs_buf_init(&scratch);
    for (size_t i = 0; i < RS_ARRAY_LEN(many); i++) many[i] = (int64_t)i * 3;
    assert_int_equal(rs_tag_put(&p->writer, 1, many, RS_ARRAY_LEN(many), &scratch, &spread, NULL), RS_OK);
    for (int64_t at = 0; at < 15000; at += 7) {
        assert_int_equal(rs_tag_seek(&p->writer, 1, 0, at, false, spread, &key, &found, NULL), RS_OK);
        assert_true(found && key == at / 3 * 3);
    }
    for (size_t i = 0; i < RS_ARRAY_LEN(many); i += 2)
        assert_int_equal(rs_tag_drop(&p->writer, 1, many[i], spread, &scratch, NULL), RS_OK);
    assert_int_equal(rs_tag_count(&p->writer, 1, &n, NULL), RS_OK);
    assert_int_equal(n, 2500);
    rs_buf_deinit(&scratch);
    rs_partition_close(p);
}

int main(void) {
#define TEST(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(keys_come_and_go),
        TEST(many_keys_are_several_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
