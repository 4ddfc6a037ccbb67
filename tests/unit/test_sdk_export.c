/* What the exporter does with every kind of server: deliver, retry, give up, and never hang. */
#include "base/clock.h"
#include "fake_http.h"
#include "heard.h"
#include "respan.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static double seconds(void) { return (double)rs_clock_mono_ns() / 1e9; }

static respan_client *open_at(const char *url, respan_config *config) {
    respan_config defaults;
    if (!config) {
        respan_config_init(&defaults);
        config = &defaults;
        config->quiet = true;
    }
    config->base_url = url;
    if (!config->api_key) config->api_key = "secret-key";
    respan_client *c = NULL;
    respan_error err;
    assert_int_equal(respan_client_open(config, &c, &err), RESPAN_OK);
    assert_non_null(c);
    return c;
}

static void make_spans(respan_client *c, int n) {
    for (int i = 0; i < n; i++) respan_span_end(respan_span_start(c, RESPAN_TEXT("a span"), NULL, 0), 0);
}

static respan_stats close_client(respan_client *c, uint32_t timeout_ms) {
    respan_stats s;
    (void)respan_client_close(c, timeout_ms, &s);
    assert_int_equal(s.pending, 0);
    assert_int_equal(s.ended, s.acknowledged + s.rejected + s.dropped);
    return s;
}

/* A port where nobody listens. */
static const char *dead_url(void) {
    static char url[64];
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&a, size) == 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &size), 0);
    close(fd);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/api", ntohs(a.sin_port));
    return url;
}

static const fake_answer ok = {.status = 200};

static void posts_to_v2_traces_with_key_and_headers(void **state) {
    (void)state;
    fake_http *f = fake_http_start(&ok, 1);
    respan_config config;
    respan_config_init(&config);
    respan_header headers[] = {{"X-Tenant", "blue"}, {"X-Empty", ""}};
    config.headers = headers;
    config.header_count = 2;
    respan_client *c = open_at(fake_http_url(f), &config);
    make_spans(c, 3);
    assert_int_equal(respan_client_flush(c, 5000), RESPAN_OK);
    respan_stats s = close_client(c, 1000);
    assert_int_equal(s.acknowledged, 3);
    assert_string_equal(s.last_error, "");
    assert_int_equal(fake_http_count(f), 1);
    const char *head = fake_http_request(f, 0)->head;
    assert_int_equal(strncmp(head, "POST /api/v2/traces HTTP/1.1\r\n", 30), 0);
    assert_non_null(strstr(head, "Authorization: Bearer secret-key\r\n"));
    assert_non_null(strstr(head, "Content-Type: application/x-protobuf\r\n"));
    assert_non_null(strstr(head, "X-Tenant: blue\r\n"));
    assert_non_null(strstr(head, "X-Empty:"));
    assert_null(strstr(head, "Expect:"));
    fake_http_stop(f);
}

static void a_local_server_is_reached_without_a_proxy(void **state) {
    (void)state;
    fake_http *f = fake_http_start(&ok, 1);
    setenv("http_proxy", dead_url(), 1);
    respan_client *c = open_at(fake_http_url(f), NULL);
    make_spans(c, 1);
    assert_int_equal(respan_client_flush(c, 5000), RESPAN_OK);
    close_client(c, 1000);
    unsetenv("http_proxy");
    fake_http_stop(f);
}

static void a_batch_goes_out_by_itself_when_full_or_old(void **state) {
    (void)state;
    fake_http *f = fake_http_start(&ok, 1);
    respan_config config;
    respan_config_init(&config);
    config.batch_spans = 10;
    config.batch_interval_ms = 300;
    respan_client *c = open_at(fake_http_url(f), &config);
    double began = seconds();
    make_spans(c, 25);
    respan_stats s;
    do {
        usleep(5000);
        respan_client_stats(c, &s);
    } while (s.acknowledged < 20 && seconds() - began < 5);
    assert_int_equal(s.acknowledged, 20);
    assert_true(seconds() - began < 0.29);
    do {
        usleep(5000);
        respan_client_stats(c, &s);
    } while (s.pending && seconds() - began < 5);
    assert_int_equal(s.acknowledged, 25);
    assert_true(seconds() - began >= 0.29);
    close_client(c, 1000);
    assert_int_equal(fake_http_count(f), 3);
    fake_http_stop(f);
}

static void retries_what_may_pass(void **state) {
    (void)state;
    static const int statuses[] = {408, 429, 500, 502, 503, 504};
    for (size_t i = 0; i < RS_ARRAY_LEN(statuses); i++) {
        fake_answer script[] = {{.status = statuses[i]}, ok};
        fake_http *f = fake_http_start(script, 2);
        respan_client *c = open_at(fake_http_url(f), NULL);
        make_spans(c, 2);
        assert_int_equal(respan_client_flush(c, 5000), RESPAN_OK);
        respan_stats s = close_client(c, 1000);
        assert_int_equal(s.acknowledged, 2);
        assert_int_equal(fake_http_count(f), 2);
        const fake_request *a = fake_http_request(f, 0), *b = fake_http_request(f, 1);
        assert_int_equal(a->body.n, b->body.n);
        assert_memory_equal(a->body.p, b->body.p, a->body.n);
        fake_http_stop(f);
    }
}

static void waits_as_long_as_retry_after_says(void **state) {
    (void)state;
    fake_answer script[] = {{.status = 503, .headers = "Retry-After: 1\r\n"}, ok};
    fake_http *f = fake_http_start(script, 2);
    respan_client *c = open_at(fake_http_url(f), NULL);
    make_spans(c, 1);
    assert_int_equal(respan_client_flush(c, 5000), RESPAN_OK);
    double waited = fake_http_request(f, 1)->at - fake_http_request(f, 0)->at;
    assert_true(waited >= 0.99);
    close_client(c, 1000);
    fake_http_stop(f);
}

static void refusals_are_final_counted_and_told(void **state) {
    (void)state;
    static const int statuses[] = {400, 401, 403, 404, 413, 415, 302};
    for (size_t i = 0; i < RS_ARRAY_LEN(statuses); i++) {
        fake_answer no = {
            .status = statuses[i],
            .headers = "Location: http://example.invalid/\r\n",
            .body =
                RS_STR("{\"error\":{\"code\":\"x\",\"message\":\"the key is not known\",\"field\":null}}")};
        fake_http *f = fake_http_start(&no, 1);
        respan_client *c = open_at(fake_http_url(f), NULL);
        make_spans(c, 4);
        assert_int_equal(respan_client_flush(c, 5000), RESPAN_ERR_REFUSED);
        assert_int_equal(respan_client_flush(c, 5000), RESPAN_OK); /* nothing is left to send */
        respan_stats s = close_client(c, 1000);
        assert_int_equal(s.rejected, 4);
        char expected[64];
        snprintf(expected, sizeof expected, "HTTP %d: the key is not known", statuses[i]);
        assert_string_equal(s.last_error, expected);
        assert_int_equal(fake_http_count(f), 1);
        fake_http_stop(f);
    }
}

static void partial_success_is_counted(void **state) {
    (void)state;
    /* partial_success { rejected_spans = 2, error_message = "no ids" } */
    fake_answer partial = {.status = 200, .body = RS_STR("\x0a\x0a\x08\x02\x12\x06no ids")};
    fake_http *f = fake_http_start(&partial, 1);
    respan_client *c = open_at(fake_http_url(f), NULL);
    make_spans(c, 5);
    assert_int_equal(respan_client_flush(c, 5000), RESPAN_ERR_REFUSED);
    respan_stats s = close_client(c, 1000);
    assert_int_equal(s.acknowledged, 3);
    assert_int_equal(s.rejected, 2);
    assert_string_equal(s.last_error, "the server rejected 2 of 5 spans: no ids");
    fake_http_stop(f);
}

static void a_lying_partial_success_cannot_reject_more_than_was_sent(void **state) {
    (void)state;
    fake_answer lie = {.status = 200, .body = RS_STR("\x0a\x06\x08\xff\xff\xff\xff\x0f")};
    fake_http *f = fake_http_start(&lie, 1);
    respan_client *c = open_at(fake_http_url(f), NULL);
    make_spans(c, 5);
    assert_int_equal(respan_client_flush(c, 5000), RESPAN_ERR_REFUSED);
    assert_int_equal(close_client(c, 1000).rejected, 5);
    fake_http_stop(f);
}

static void garbage_is_retried(void **state) {
    (void)state;
    fake_answer script[] = {{.kind = FAKE_GARBAGE},
                            {.kind = FAKE_CLOSE},
                            {.status = 200, .body = RS_STR("\xff\xff\xff not protobuf")}};
    fake_http *f = fake_http_start(script, 3);
    respan_client *c = open_at(fake_http_url(f), NULL);
    make_spans(c, 2);
    assert_int_equal(respan_client_flush(c, 8000), RESPAN_OK);
    assert_int_equal(close_client(c, 1000).acknowledged, 2);
    fake_http_stop(f);
}

static void flush_returns_at_its_deadline_and_keeps_the_spans(void **state) {
    (void)state;
    fake_answer script[] = {{.kind = FAKE_HANG}, ok};
    fake_http *f = fake_http_start(script, 2);
    respan_config config;
    respan_config_init(&config);
    config.request_timeout_ms = 600;
    respan_client *c = open_at(fake_http_url(f), &config);
    make_spans(c, 2);
    double began = seconds();
    assert_int_equal(respan_client_flush(c, 200), RESPAN_ERR_TIMEOUT);
    assert_true(seconds() - began >= 0.19 && seconds() - began < 0.45);
    respan_stats s;
    respan_client_stats(c, &s);
    assert_int_equal(s.pending, 2);
    assert_int_equal(respan_client_flush(c, 8000),
                     RESPAN_OK); /* the attempt times out, the next one succeeds */
    assert_int_equal(close_client(c, 1000).acknowledged, 2);
    fake_http_stop(f);
}

static void close_interrupts(fake_kind kind) {
    fake_answer script[] = {{.kind = kind}};
    fake_http *f = fake_http_start(script, 1);
    respan_client *c = open_at(fake_http_url(f), NULL);
    make_spans(c, 7);
    double began = seconds();
    assert_int_equal(respan_client_close(c, 300, NULL), RESPAN_ERR_TIMEOUT);
    assert_true(seconds() - began >= 0.25 && seconds() - began < 0.7);
    fake_http_stop(f);
}

static void close_interrupts_a_server_that_hangs(void **state) {
    (void)state;
    close_interrupts(FAKE_HANG);
}

static void close_interrupts_a_server_that_trickles(void **state) {
    (void)state;
    close_interrupts(FAKE_TRICKLE);
}

static void close_interrupts_a_connection_that_never_opens(void **state) {
    (void)state;
    /* A listener whose queue is full leaves further connections in SYN-SENT. */
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof a;
    int listener = socket(AF_INET, SOCK_STREAM, 0), fill[8];
    assert_true(bind(listener, (struct sockaddr *)&a, size) == 0 && listen(listener, 0) == 0);
    getsockname(listener, (struct sockaddr *)&a, &size);
    for (int i = 0; i < 8; i++) {
        fill[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)!connect(fill[i], (struct sockaddr *)&a, size);
    }
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/api", ntohs(a.sin_port));
    respan_client *c = open_at(url, NULL);
    make_spans(c, 1);
    double began = seconds();
    respan_stats s;
    assert_int_equal(respan_client_close(c, 300, &s), RESPAN_ERR_TIMEOUT);
    assert_true(seconds() - began < 0.7);
    assert_int_equal(s.dropped, 1);
    for (int i = 0; i < 8; i++) close(fill[i]);
    close(listener);
}

static void close_does_not_wait_long_where_nobody_listens(void **state) {
    (void)state;
    respan_client *c = open_at(dead_url(), NULL);
    make_spans(c, 2);
    double began = seconds();
    respan_stats s = close_client(c, 60000);
    assert_true(seconds() - began < 2);
    assert_int_equal(s.dropped, 2);
    assert_string_equal(s.last_error, "connection refused");
}

static void flush_does_not_either_and_keeps_the_spans(void **state) {
    (void)state;
    respan_client *c = open_at(dead_url(), NULL);
    make_spans(c, 2);
    double began = seconds();
    assert_int_equal(respan_client_flush(c, 60000), RESPAN_ERR_TIMEOUT);
    assert_true(seconds() - began >= 0.9 && seconds() - began < 2);
    respan_stats s;
    respan_client_stats(c, &s);
    assert_int_equal(s.pending, 2);
    (void)close_client(c, 0);
}

static bool twice(void *context) { return ++*(int *)context < 2; }

static void flush_can_be_interrupted(void **state) {
    (void)state;
    fake_answer script[] = {{.kind = FAKE_HANG}};
    fake_http *f = fake_http_start(script, 1);
    respan_client *c = open_at(fake_http_url(f), NULL);
    make_spans(c, 1);
    int asked = 0;
    double began = seconds();
    assert_int_equal(respan_client_flush_while(c, 60000, twice, &asked), RESPAN_ERR_TIMEOUT);
    assert_true(seconds() - began < 2);
    assert_int_equal(asked, 2);
    (void)close_client(c, 0);
    fake_http_stop(f);
}

static void close_of_an_unused_client_is_instant(void **state) {
    (void)state;
    double began = seconds();
    assert_int_equal(respan_client_close(open_at(dead_url(), NULL), 60000, NULL), RESPAN_OK);
    assert_int_equal(respan_client_close(NULL, 1, NULL), RESPAN_OK);
    assert_true(seconds() - began < 0.1);
}

/* ---- what is said on standard error -------------------------------------------------------------------- */

static void loss_is_said_in_one_line_without_the_key(void **state) {
    (void)state;
    respan_config config;
    respan_config_init(&config);
    const char *url = dead_url();
    respan_client *c = open_at(url, &config);
    make_spans(c, 2);
    int saved = hear();
    close_client(c, 200);
    char expected[300];
    snprintf(expected, sizeof expected,
             "respan: 2 of 2 spans could not be delivered to %s (connection refused) and were dropped; start "
             "the server "
             "with 'respan serve'\n",
             url);
    assert_string_equal(heard(saved), expected);
}

/* What a client that met these answers, one span each, says at its end, without its beginning. */
static const char *said_after(const fake_answer *script, size_t n, uint64_t ring_bytes) {
    fake_http *f = fake_http_start(script, n);
    respan_config config;
    respan_config_init(&config);
    if (ring_bytes) config.ring_bytes = ring_bytes;
    respan_client *c = open_at(fake_http_url(f), &config);
    int saved = hear();
    for (size_t i = 0; i < n; i++) {
        make_spans(c, 1);
        (void)respan_client_flush(c, 100);
    }
    close_client(c, 100);
    const char *said = heard(saved);
    fake_http_stop(f);
    const char *reason = strchr(said, '(');
    assert_non_null(reason);
    return reason;
}

static void loss_is_told_with_its_reason(void **state) {
    (void)state;
    fake_answer no = {.status = 403, .body = RS_STR("no\nentry")}, hang = {.kind = FAKE_HANG};
    fake_answer refused_then_well[] = {no, ok};
    assert_string_equal(said_after(refused_then_well, 2, 0), "(HTTP 403: no entry) and were dropped\n");
    assert_string_equal(said_after(&hang, 1, 0), "(no answer in time) and were dropped\n");
    assert_string_equal(said_after(&ok, 1, 10),
                        "(no room for more than 10 bytes, see ring_bytes) and were dropped\n");
}

static void nothing_is_said_when_all_is_well_or_when_quiet(void **state) {
    (void)state;
    int saved = hear();
    fake_http *f = fake_http_start(&ok, 1);
    respan_config config;
    respan_config_init(&config);
    respan_client *c = open_at(fake_http_url(f), &config);
    make_spans(c, 2);
    close_client(c, 5000);
    fake_http_stop(f);
    c = open_at(dead_url(), NULL);
    make_spans(c, 2);
    close_client(c, 100);
    assert_string_equal(heard(saved), "");
}

/* ---- the credentials file ------------------------------------------------------------------------------ */

static char config_home[64];

static void write_credentials(const char *key) {
    char path[128];
    snprintf(path, sizeof path, "%s/respan", config_home);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/respan/credentials", config_home);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "RESPAN_API_KEY=%s\n", key);
    fclose(file);
}

static respan_client *open_without_key(const char *url) {
    respan_config config;
    respan_config_init(&config);
    config.base_url = url;
    config.quiet = true;
    respan_client *c;
    assert_int_equal(respan_client_open(&config, &c, NULL), RESPAN_OK);
    return c;
}

static void set_up_home(void) {
    snprintf(config_home, sizeof config_home, "/tmp/respan-test-XXXXXX");
    assert_non_null(mkdtemp(config_home));
    setenv("XDG_CONFIG_HOME", config_home, 1);
    unsetenv("RESPAN_API_KEY");
    unsetenv("RESPAN_BASE_URL");
}

static void tear_down_home(void) {
    char path[128];
    snprintf(path, sizeof path, "%s/respan/credentials", config_home);
    unlink(path);
    snprintf(path, sizeof path, "%s/respan", config_home);
    rmdir(path);
    rmdir(config_home);
}

static void a_key_that_appears_or_changes_is_found(void **state) {
    (void)state;
    set_up_home();
    fake_answer script[] = {ok, {.status = 401}, ok, {.status = 401}};
    fake_http *f = fake_http_start(script, 4);
    respan_client *c = open_without_key(fake_http_url(f));
    write_credentials("first");
    make_spans(c, 1);
    assert_int_equal(respan_client_flush(c, 5000), RESPAN_OK);
    write_credentials("second"); /* a new server with a new key */
    make_spans(c, 1);
    assert_int_equal(respan_client_flush(c, 5000), RESPAN_OK);
    make_spans(c, 1);
    assert_int_equal(respan_client_flush(c, 5000),
                     RESPAN_ERR_REFUSED); /* the same key again: no second try */
    close_client(c, 1000);
    assert_int_equal(fake_http_count(f), 4);
    assert_non_null(strstr(fake_http_request(f, 0)->head, "Authorization: Bearer first\r\n"));
    assert_non_null(strstr(fake_http_request(f, 1)->head, "Authorization: Bearer first\r\n"));
    assert_non_null(strstr(fake_http_request(f, 2)->head, "Authorization: Bearer second\r\n"));
    fake_http_stop(f);
    tear_down_home();
}

static void bad_configuration_is_named(void **state) {
    (void)state;
    static const struct {
        const char *url, *key, *says;
    } cases[] = {
        {"ftp://x/", NULL, "base_url"},           {"http://", NULL, "base_url"},
        {"http://a b/", NULL, "base_url"},        {"http://u:p@host/api", NULL, "password"},
        {"http://host/?x", NULL, "base_url"},     {"", NULL, "base_url"},
        {"http://host/", "k\r\nX: y", "api_key"},
    };
    for (size_t i = 0; i < RS_ARRAY_LEN(cases); i++) {
        respan_config config;
        respan_config_init(&config);
        config.base_url = cases[i].url;
        config.api_key = cases[i].key;
        respan_client *c = (respan_client *)&config;
        respan_error err;
        assert_int_equal(respan_client_open(&config, &c, &err), RESPAN_ERR_INVALID);
        assert_null(c);
        assert_int_equal(err.code, RESPAN_ERR_INVALID);
        assert_non_null(strstr(err.message, cases[i].says));
    }
    respan_config config = {0};
    respan_client *c;
    assert_int_equal(respan_client_open(&config, &c, NULL), RESPAN_ERR_INVALID);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(posts_to_v2_traces_with_key_and_headers),
        cmocka_unit_test(a_local_server_is_reached_without_a_proxy),
        cmocka_unit_test(a_batch_goes_out_by_itself_when_full_or_old),
        cmocka_unit_test(retries_what_may_pass),
        cmocka_unit_test(waits_as_long_as_retry_after_says),
        cmocka_unit_test(refusals_are_final_counted_and_told),
        cmocka_unit_test(partial_success_is_counted),
        cmocka_unit_test(a_lying_partial_success_cannot_reject_more_than_was_sent),
        cmocka_unit_test(garbage_is_retried),
        cmocka_unit_test(flush_returns_at_its_deadline_and_keeps_the_spans),
        cmocka_unit_test(close_interrupts_a_server_that_hangs),
        cmocka_unit_test(close_interrupts_a_server_that_trickles),
        cmocka_unit_test(close_interrupts_a_connection_that_never_opens),
        cmocka_unit_test(close_does_not_wait_long_where_nobody_listens),
        cmocka_unit_test(flush_does_not_either_and_keeps_the_spans),
        cmocka_unit_test(flush_can_be_interrupted),
        cmocka_unit_test(close_of_an_unused_client_is_instant),
        cmocka_unit_test(loss_is_said_in_one_line_without_the_key),
        cmocka_unit_test(loss_is_told_with_its_reason),
        cmocka_unit_test(nothing_is_said_when_all_is_well_or_when_quiet),
        cmocka_unit_test(a_key_that_appears_or_changes_is_found),
        cmocka_unit_test(bad_configuration_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
