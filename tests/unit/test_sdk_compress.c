/* Bodies in gzip and zstd: what the server reads is what was put in, the libraries come when they are needed, and a server
 * that cannot read a coding is sent none. */
#include "base/ids.h"
#include "fake_http.h"
#include "otlp/body.h"
#include "respan.h"
#include "sanitized.h"
#include "sdk/compress.h"

#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- the compressor ------------------------------------------------------------------------------------ */

static bool is_loaded(const char *library) {
    void *handle = dlopen(library, RTLD_NOW | RTLD_NOLOAD);
    if (handle) dlclose(handle);
    return handle != NULL;
}

static void assert_round_trip(rs_compressor *c, rs_coding coding, rs_str body) {
    rs_str packed = rs_compress(c, coding, body);
    assert_true(packed.n > 0 && packed.n < body.n);
    rs_encoding encoding;
    assert_int_equal(rs_encoding_parse(rs_str_of(rs_coding_name(coding)), &encoding, NULL), RS_OK);
    rs_buf plain;
    rs_buf_init(&plain);
    assert_int_equal(rs_body_inflate(encoding, packed, body.n, &plain, NULL), RS_OK);
    assert_true(rs_str_eq(rs_buf_slice(&plain), body));
    rs_buf_deinit(&plain);
}

static rs_buf text_of(size_t n) {
    rs_buf b;
    rs_buf_init(&b);
    while (b.n < n) rs_buf_printf(&b, "span %zu of a trace, %llx; ", b.n, (unsigned long long)rs_id_random());
    b.n = n;
    return b;
}

static void what_comes_out_is_what_went_in(void **state) {
    (void)state;
    static const size_t sizes[] = {1400, 100000, 3 << 20, 9 << 20, 2000};
    rs_compressor c;
    rs_compressor_init(&c);
    for (size_t i = 0; i < RS_ARRAY_LEN(sizes); i++) {
        rs_buf body = text_of(sizes[i]);
        assert_round_trip(&c, RS_CODING_GZIP, rs_buf_slice(&body));
        assert_round_trip(&c, RS_CODING_ZSTD, rs_buf_slice(&body));
        rs_buf_deinit(&body);
    }
    assert_true(c.out.cap < 4096); /* the room of the large ones went with them */
    rs_compressor_deinit(&c);
}

static void what_is_not_worth_it_is_left(void **state) {
    (void)state;
    rs_compressor c;
    rs_compressor_init(&c);
    rs_buf small = text_of(1399), noise;
    rs_buf_init(&noise);
    for (int i = 0; i < 10000; i++) rs_buf_put(&noise, &(uint64_t){rs_id_random()}, 8);
    for (rs_coding coding = RS_CODING_NONE; coding <= RS_CODING_ZSTD; coding++) {
        assert_int_equal(rs_compress(&c, coding, rs_buf_slice(&small)).n, 0);
        assert_int_equal(rs_compress(&c, coding, rs_buf_slice(&noise)).n, 0);
        assert_int_equal(rs_compress(&c, coding, (rs_str){0}).n, 0);
    }
    assert_int_equal(rs_compress(&c, RS_CODING_NONE, (rs_str){noise.p, noise.n}).n, 0);
    rs_buf_deinit(&small);
    rs_buf_deinit(&noise);
    rs_compressor_deinit(&c);
}

/* ---- the exporter -------------------------------------------------------------------------------------- */

static const fake_answer ok = {.status = 200};

static respan_client *open_at(const fake_http *f, const char *coding) {
    if (coding) setenv("OTEL_EXPORTER_OTLP_COMPRESSION", coding, 1);
    else unsetenv("OTEL_EXPORTER_OTLP_COMPRESSION");
    respan_config config;
    respan_config_init(&config);
    config.quiet = true;
    config.base_url = fake_http_url(f);
    config.api_key = "k";
    respan_client *c;
    assert_int_equal(respan_client_open(&config, &c, NULL), RESPAN_OK);
    return c;
}

/* A span that is worth compressing, and another request for it. */
static respan_status send_span(respan_client *c) {
    rs_buf text;
    rs_buf_init(&text);
    for (int i = 0; i < 500; i++) rs_buf_printf(&text, "token %d ", i);
    respan_span *s = respan_span_start(c, RESPAN_TEXT("large"), NULL, 0);
    respan_span_set_string(s, RESPAN_TEXT("prompt"), text.p, text.n);
    respan_span_end(s, 0);
    rs_buf_deinit(&text);
    return respan_client_flush(c, 5000);
}

static bool holds_span(rs_str body) { return body.n && memmem(body.p, body.n, "token 499 ", 10); }

/* The coding that request i came in; it holds the span once it is decoded. */
static rs_encoding coding_of(fake_http *f, size_t i) {
    const fake_request *r = fake_http_request(f, i);
    const char *line = strcasestr(r->head, "\r\nContent-Encoding: ");
    if (!line) {
        assert_true(holds_span(rs_buf_slice(&r->body)));
        return RS_ENCODING_IDENTITY;
    }
    rs_encoding encoding;
    line += strlen("\r\nContent-Encoding: ");
    assert_int_equal(rs_encoding_parse((rs_str){line, strcspn(line, "\r")}, &encoding, NULL), RS_OK);
    rs_buf plain;
    rs_buf_init(&plain);
    assert_int_equal(rs_body_inflate(encoding, rs_buf_slice(&r->body), 1 << 20, &plain, NULL), RS_OK);
    assert_true(holds_span(rs_buf_slice(&plain)));
    assert_true(r->body.n < plain.n / 2);
    rs_buf_deinit(&plain);
    return encoding;
}

static void a_local_server_is_sent_plain_bodies(void **state) {
    (void)state;
    fake_http *f = fake_http_start(&ok, 1);
    respan_client *c = open_at(f, NULL);
    assert_int_equal(send_span(c), RESPAN_OK);
    assert_int_equal(coding_of(f, 0), RS_ENCODING_IDENTITY);
    assert_int_equal(respan_client_close(c, 1000, NULL), RESPAN_OK);
    fake_http_stop(f);
}

static void the_environment_chooses_the_coding(void **state) {
    (void)state;
    static const struct {
        const char *word;
        rs_encoding is;
    } cases[] = {{"gzip", RS_ENCODING_GZIP}, {"zstd", RS_ENCODING_ZSTD}, {"none", RS_ENCODING_IDENTITY}};
    for (size_t i = 0; i < RS_ARRAY_LEN(cases); i++) {
        fake_http *f = fake_http_start(&ok, 1);
        respan_client *c = open_at(f, cases[i].word);
        assert_int_equal(send_span(c), RESPAN_OK);
        assert_int_equal(send_span(c), RESPAN_OK); /* with the same working state */
        assert_int_equal(coding_of(f, 0), cases[i].is);
        assert_int_equal(coding_of(f, 1), cases[i].is);
        assert_int_equal(respan_client_close(c, 1000, NULL), RESPAN_OK);
        fake_http_stop(f);
    }
}

static void a_short_body_is_sent_plain(void **state) {
    (void)state;
    fake_http *f = fake_http_start(&ok, 1);
    respan_client *c = open_at(f, "gzip");
    respan_span_end(respan_span_start(c, RESPAN_TEXT("small"), NULL, 0), 0);
    assert_int_equal(respan_client_flush(c, 5000), RESPAN_OK);
    assert_null(strcasestr(fake_http_request(f, 0)->head, "Content-Encoding"));
    assert_int_equal(respan_client_close(c, 1000, NULL), RESPAN_OK);
    fake_http_stop(f);
}

/* A name that is not loopback, so that bodies are compressed, by way of a proxy that is the server. */
static respan_client *open_far_from(const fake_http *f) {
    unsetenv("OTEL_EXPORTER_OTLP_COMPRESSION");
    setenv("http_proxy", fake_http_url(f), 1);
    respan_config config;
    respan_config_init(&config);
    config.quiet = true;
    config.base_url = "http://respan.invalid/api";
    respan_client *c;
    assert_int_equal(respan_client_open(&config, &c, NULL), RESPAN_OK);
    return c;
}

static void a_server_that_offers_zstd_is_sent_it(void **state) {
    (void)state;
    static const struct {
        const char *header;
        rs_encoding then;
    } cases[] = {
        {"Accept-Encoding: zstd, gzip, deflate\r\n", RS_ENCODING_ZSTD},
        {"accept-encoding: gzip,ZSTD;q=1\r\n", RS_ENCODING_ZSTD},
        {"Accept-Encoding: gzip, zstd;q=0\r\n", RS_ENCODING_GZIP},
        {"Accept-Encoding: gzip, x-zstd\r\nVary: zstd\r\n", RS_ENCODING_GZIP},
        {"Accept-Encoding:\r\n", RS_ENCODING_GZIP},
    };
    for (size_t i = 0; i < RS_ARRAY_LEN(cases); i++) {
        fake_answer script[] = {{.status = 200, .headers = cases[i].header}, ok, {.status = 415}, ok};
        fake_http *f = fake_http_start(script, 4);
        respan_client *c = open_far_from(f);
        for (int k = 0; k < 4; k++) assert_int_equal(send_span(c), RESPAN_OK);
        assert_int_equal(coding_of(f, 0), RS_ENCODING_GZIP);
        assert_int_equal(coding_of(f, 1), cases[i].then);
        assert_int_equal(coding_of(f, 2), cases[i].then);
        assert_int_equal(coding_of(f, 3), RS_ENCODING_IDENTITY);
        assert_int_equal(coding_of(f, 4), RS_ENCODING_IDENTITY); /* and stays so */
        assert_int_equal(respan_client_close(c, 1000, NULL), RESPAN_OK);
        fake_http_stop(f);
    }
    unsetenv("http_proxy");
}

static void what_was_asked_for_is_kept(void **state) {
    (void)state;
    fake_answer offer = {.status = 200, .headers = "Accept-Encoding: zstd\r\n"};
    fake_http *f = fake_http_start(&offer, 1);
    respan_client *c = open_at(f, "gzip");
    for (int k = 0; k < 2; k++) assert_int_equal(send_span(c), RESPAN_OK);
    assert_int_equal(coding_of(f, 1), RS_ENCODING_GZIP);
    assert_int_equal(respan_client_close(c, 1000, NULL), RESPAN_OK);
    fake_http_stop(f);
}

static void a_server_that_cannot_read_it_is_asked_once(void **state) {
    (void)state;
    static const int statuses[] = {415, 400};
    for (size_t i = 0; i < RS_ARRAY_LEN(statuses); i++) {
        fake_answer script[] = {{.status = statuses[i]}, ok};
        fake_http *f = fake_http_start(script, 2);
        respan_client *c = open_at(f, "gzip");
        assert_int_equal(send_span(c), RESPAN_OK);
        assert_int_equal(send_span(c), RESPAN_OK);
        assert_int_equal(fake_http_count(f), 3);
        assert_int_equal(coding_of(f, 0), RS_ENCODING_GZIP);
        assert_int_equal(coding_of(f, 1), RS_ENCODING_IDENTITY);
        assert_int_equal(coding_of(f, 2), RS_ENCODING_IDENTITY);
        respan_stats s;
        assert_int_equal(respan_client_close(c, 1000, &s), RESPAN_OK);
        assert_int_equal(s.acknowledged, 2);
        assert_int_equal(s.rejected, 0);
        assert_string_equal(s.last_error, "");
        fake_http_stop(f);
    }
}

static void a_400_is_not_blamed_on_a_coding_that_was_taken(void **state) {
    (void)state;
    fake_answer script[] = {ok, {.status = 400}, ok};
    fake_http *f = fake_http_start(script, 3);
    respan_client *c = open_at(f, "gzip");
    assert_int_equal(send_span(c), RESPAN_OK);
    assert_int_equal(send_span(c), RESPAN_ERR_REFUSED);
    assert_int_equal(send_span(c), RESPAN_OK);
    assert_int_equal(fake_http_count(f), 3);
    for (size_t i = 0; i < 3; i++) assert_int_equal(coding_of(f, i), RS_ENCODING_GZIP);
    respan_client_close(c, 1000, NULL);
    fake_http_stop(f);
}

static void a_body_that_is_refused_either_way_says_nothing_of_the_coding(void **state) {
    (void)state;
    fake_answer script[] = {{.status = 400}, {.status = 400}, ok};
    fake_http *f = fake_http_start(script, 3);
    respan_client *c = open_at(f, "gzip");
    assert_int_equal(send_span(c), RESPAN_ERR_REFUSED);
    assert_int_equal(send_span(c), RESPAN_OK);
    assert_int_equal(fake_http_count(f), 3);
    assert_int_equal(coding_of(f, 1), RS_ENCODING_IDENTITY);
    assert_int_equal(coding_of(f, 2), RS_ENCODING_GZIP);
    respan_client_close(c, 1000, NULL);
    fake_http_stop(f);
}

/* A child that starts with the parent's working state in its memory makes one of its own. */
static void parent_and_child_of_fork_compress_each_for_itself(void **state) {
    (void)state;
    if (IS_SANITIZED) skip(); /* see sanitized.h */
    fake_http *f = fake_http_start(&ok, 1);
    respan_client *c = open_at(f, "gzip");
    assert_int_equal(send_span(c), RESPAN_OK);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(send_span(c) == RESPAN_OK && respan_client_close(c, 5000, NULL) == RESPAN_OK ? 0 : 1);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(send_span(c), RESPAN_OK);
    assert_int_equal(fake_http_count(f), 3);
    for (size_t i = 0; i < 3; i++) assert_int_equal(coding_of(f, i), RS_ENCODING_GZIP);
    assert_int_equal(respan_client_close(c, 1000, NULL), RESPAN_OK);
    fake_http_stop(f);
}

/* First, while this process has not compressed anything. libcurl brings zlib along, so it is asked before any export. */
static void no_library_is_there_before_it_is_needed(void **state) {
    (void)state;
    assert_false(is_loaded("libz.so.1") || is_loaded("libcurl.so.4"));
    fake_http *f = fake_http_start(&ok, 1);
    respan_client *c = open_at(f, "gzip");
    respan_span_end(respan_span_start(c, RESPAN_TEXT("not exported"), NULL, 0), 0);
    assert_false(is_loaded("libz.so.1") || is_loaded("libcurl.so.4"));
    assert_int_equal(respan_client_close(c, 5000, NULL), RESPAN_OK);
    fake_http_stop(f);
    rs_compressor compressor;
    rs_compressor_init(&compressor);
    rs_buf body = text_of(5000);
    assert_true(rs_compress(&compressor, RS_CODING_GZIP, rs_buf_slice(&body)).n > 0);
    assert_true(is_loaded("libz.so.1"));
    rs_buf_deinit(&body);
    rs_compressor_deinit(&compressor);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_library_is_there_before_it_is_needed),
        cmocka_unit_test(what_comes_out_is_what_went_in),
        cmocka_unit_test(what_is_not_worth_it_is_left),
        cmocka_unit_test(a_local_server_is_sent_plain_bodies),
        cmocka_unit_test(the_environment_chooses_the_coding),
        cmocka_unit_test(a_short_body_is_sent_plain),
        cmocka_unit_test(a_server_that_offers_zstd_is_sent_it),
        cmocka_unit_test(what_was_asked_for_is_kept),
        cmocka_unit_test(a_server_that_cannot_read_it_is_asked_once),
        cmocka_unit_test(a_400_is_not_blamed_on_a_coding_that_was_taken),
        cmocka_unit_test(parent_and_child_of_fork_compress_each_for_itself),
        cmocka_unit_test(a_body_that_is_refused_either_way_says_nothing_of_the_coding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
