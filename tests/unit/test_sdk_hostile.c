/* Servers and networks at their worst: what they cost the program in time and memory is bounded, and no span is lost to
 * them. */
#include "base/clock.h"
#include "fake_http.h"
#include "respan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static const fake_answer ok = {.status = 200};

static respan_client *open_at(const char *url, uint32_t request_timeout_ms) {
    respan_config config;
    respan_config_init(&config);
    config.quiet = true;
    config.base_url = url;
    config.api_key = "k";
    config.request_timeout_ms = request_timeout_ms;
    respan_client *c;
    assert_int_equal(respan_client_open(&config, &c, NULL), RESPAN_OK);
    return c;
}

static void make_span(respan_client *c) {
    respan_span_end(respan_span_start(c, RESPAN_TEXT("a span"), NULL, 0), 0);
}

static respan_status send_span(respan_client *c) {
    make_span(c);
    return respan_client_flush(c, 20000);
}

/* Bytes that this process holds in memory. */
static uint64_t resident(void) {
    unsigned long long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "%*u %llu", &pages), 1);
    fclose(f);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void one_connection_is_kept(void **state) {
    (void)state;
    fake_http *f = fake_http_start(&ok, 1);
    respan_client *c = open_at(fake_http_url(f), 0);
    for (int i = 0; i < 5; i++) assert_int_equal(send_span(c), RESPAN_OK);
    assert_int_equal(fake_http_count(f), 5);
    assert_int_equal(fake_http_connections(f), 1);
    respan_client_close(c, 1000, NULL);
    fake_http_stop(f);
}

static void a_kept_connection_that_is_closed_is_made_anew(void **state) {
    (void)state;
    static const fake_kind kinds[] = {FAKE_CLOSE, FAKE_RESET};
    for (size_t i = 0; i < RS_ARRAY_LEN(kinds); i++) {
        fake_answer script[] = {ok, {.kind = kinds[i]}, {.kind = kinds[i]}, ok};
        fake_http *f = fake_http_start(script, 4);
        respan_client *c = open_at(fake_http_url(f), 0);
        assert_int_equal(send_span(c), RESPAN_OK);
        assert_int_equal(send_span(c), RESPAN_OK);
        respan_stats s;
        assert_int_equal(respan_client_close(c, 1000, &s), RESPAN_OK);
        assert_int_equal(s.acknowledged, 2);
        assert_int_equal(fake_http_count(f), 4);
        const fake_request *lost = fake_http_request(f, 1), *again = fake_http_request(f, 3);
        assert_int_equal(lost->body.n, again->body.n);
        assert_memory_equal(lost->body.p, again->body.p, again->body.n);
        fake_http_stop(f);
    }
}

static void a_date_in_retry_after_is_waited_for(void **state) {
    (void)state;
    char header[64];
    time_t at = time(NULL) + 3; /* whole seconds: at least two from now */
    strftime(header, sizeof header, "Retry-After: %a, %d %b %Y %H:%M:%S GMT\r\n", gmtime(&at));
    fake_answer script[] = {{.status = 429, .headers = header}, ok};
    fake_http *f = fake_http_start(script, 2);
    respan_client *c = open_at(fake_http_url(f), 0);
    assert_int_equal(send_span(c), RESPAN_OK);
    assert_true(fake_http_request(f, 1)->at - fake_http_request(f, 0)->at >= 1.9);
    respan_client_close(c, 1000, NULL);
    fake_http_stop(f);
}

static void retry_after_does_not_hold_up_flush_and_close(void **state) {
    (void)state;
    fake_answer later = {.status = 503, .headers = "Retry-After: 3600\r\n"};
    fake_http *f = fake_http_start(&later, 1);
    respan_client *c = open_at(fake_http_url(f), 0);
    make_span(c);
    double began = (double)rs_clock_mono_ns() / 1e9;
    assert_int_equal(respan_client_flush(c, 300), RESPAN_ERR_TIMEOUT);
    respan_stats s;
    assert_int_equal(respan_client_close(c, 300, &s), RESPAN_ERR_TIMEOUT);
    assert_true((double)rs_clock_mono_ns() / 1e9 - began < 10);
    assert_int_equal(s.rejected, 0);
    assert_int_equal(fake_http_count(f), 1); /* and the server was left in peace */
    fake_http_stop(f);
}

static void a_trickle_ends_at_the_timeout_and_is_tried_again(void **state) {
    (void)state;
    fake_answer script[] = {{.kind = FAKE_TRICKLE}, {.kind = FAKE_HANG}, ok};
    fake_http *f = fake_http_start(script, 3);
    respan_client *c = open_at(fake_http_url(f), 300);
    assert_int_equal(send_span(c), RESPAN_OK);
    assert_int_equal(fake_http_count(f), 3);
    respan_client_close(c, 1000, NULL);
    fake_http_stop(f);
}

static void headers_without_end_are_given_up(void **state) {
    (void)state;
    fake_answer script[] = {{.kind = FAKE_ENDLESS_HEADERS}};
    fake_http *f = fake_http_start(script, 1);
    respan_client *c = open_at(fake_http_url(f), 0);
    uint64_t before = resident();
    make_span(c);
    assert_int_equal(respan_client_flush(c, 2000), RESPAN_ERR_TIMEOUT);
    respan_stats s;
    respan_client_stats(c, &s);
    assert_string_equal(s.last_error, "the answer's headers do not end");
    assert_int_equal(s.pending, 1);
    assert_true(fake_http_count(f) > 1); /* it did not wait for the ten seconds of a request */
    assert_true(resident() - before < 32 << 20);
    respan_client_close(c, 0, NULL);
    fake_http_stop(f);
}

static void a_gigabyte_is_not_read(void **state) {
    (void)state;
    fake_answer script[] = {{.kind = FAKE_GIGABYTE}, ok};
    fake_http *f = fake_http_start(script, 2);
    respan_client *c = open_at(fake_http_url(f), 0);
    uint64_t before = resident();
    assert_int_equal(send_span(c), RESPAN_OK); /* a 200 is a 200 */
    assert_int_equal(send_span(c), RESPAN_OK);
    respan_stats s;
    assert_int_equal(respan_client_close(c, 1000, &s), RESPAN_OK);
    assert_int_equal(s.acknowledged, 2);
    assert_true(resident() - before < 32 << 20);
    assert_true(fake_http_sent(f) < 64 << 20); /* what stood in the sockets' buffers at most */
    assert_int_equal(fake_http_connections(f), 2);
    fake_http_stop(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_connection_is_kept),
        cmocka_unit_test(a_kept_connection_that_is_closed_is_made_anew),
        cmocka_unit_test(a_date_in_retry_after_is_waited_for),
        cmocka_unit_test(retry_after_does_not_hold_up_flush_and_close),
        cmocka_unit_test(a_trickle_ends_at_the_timeout_and_is_tried_again),
        cmocka_unit_test(headers_without_end_are_given_up),
        cmocka_unit_test(a_gigabyte_is_not_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
