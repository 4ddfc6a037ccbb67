/* A server, or a proxy before it, that takes less than a batch in one request: it gets the batch in parts. */
#include "fake_http.h"
#include "otlp/decode.h"
#include "respan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const fake_answer ok = {.status = 200}, too_large = {.status = 413, .body = RS_STR("at most 100 kB")};

/* A client of a server that answers by the script, with spans of `bytes` bytes each, numbered by their attribute. */
static respan_client *open_with_spans(fake_http *f, int count, size_t bytes) {
    static char text[64 << 10];
    memset(text, 'x', sizeof text);
    respan_config config;
    respan_config_init(&config);
    config.base_url = fake_http_url(f);
    config.api_key = "key";
    config.quiet = true;
    respan_client *c;
    assert_int_equal(respan_client_open(&config, &c, NULL), RESPAN_OK);
    for (int i = 0; i < count; i++) {
        respan_span *s = respan_span_start(c, RESPAN_TEXT("a span"), NULL, 0);
        respan_span_set_int(s, RESPAN_TEXT("number"), i);
        respan_span_set_string(s, RESPAN_TEXT("text"), text, bytes);
        respan_span_end(s, 0);
    }
    return c;
}

/* Decodes request i; its spans are numbered from `next` on. How many there are. */
static int64_t check_request(fake_http *f, size_t i, int64_t next) {
    rs_arena arena;
    rs_arena_init(&arena, 0);
    rs_spans spans;
    const fake_request *request = fake_http_request(f, i);
    assert_int_equal(rs_otlp_decode_protobuf(rs_buf_slice(&request->body), &arena, &spans, NULL), RS_OK);
    int64_t count = (int64_t)spans.n;
    for (int64_t j = 0; j < count; j++) {
        const rs_attr *number = rs_attrs_find(&spans.items[j].attrs, RS_STR("number"));
        assert_non_null(number);
        assert_int_equal(number->value.i, next + j);
    }
    rs_arena_deinit(&arena);
    return count;
}

static void a_batch_goes_in_halves(void **state) {
    (void)state;
    const fake_answer script[] = {too_large, too_large, ok, too_large, ok};
    static const int64_t expected[] = {8, 4, 2, 2, 1, 1, 1, 1, 1, 1};
    fake_http *f = fake_http_start(script, RS_ARRAY_LEN(script));
    respan_client *c = open_with_spans(f, 8, 50000);
    assert_int_equal(respan_client_flush(c, 5000), RESPAN_OK);
    respan_stats stats;
    assert_int_equal(respan_client_close(c, 1000, &stats), RESPAN_OK);
    assert_int_equal(stats.acknowledged, 8);
    assert_int_equal(fake_http_count(f), RS_ARRAY_LEN(expected));
    int64_t next = 0;
    for (size_t i = 0; i < RS_ARRAY_LEN(expected); i++) {
        int64_t count = check_request(f, i, next);
        assert_int_equal(count, expected[i]);
        if (i >= RS_ARRAY_LEN(script) || script[i].status == 200) next += count;
    }
    fake_http_stop(f);
}

static void where_nothing_is_small_enough_spans_are_rejected(void **state) {
    (void)state;
    fake_http *f = fake_http_start(&too_large, 1);
    respan_client *c = open_with_spans(f, 64, 20000);
    assert_int_equal(respan_client_flush(c, 5000), RESPAN_ERR_REFUSED);
    respan_stats stats;
    (void)respan_client_close(c, 1000, &stats);
    assert_int_equal(stats.rejected, 64);
    assert_string_equal(stats.last_error, "HTTP 413: at most 100 kB");
    assert_true(fake_http_count(f) < 40); /* 1.3 MB in parts of 32 kB or more, not span by span */
    fake_http_stop(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_goes_in_halves),
        cmocka_unit_test(where_nothing_is_small_enough_spans_are_rejected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
