/* Whose key is to deliver what stands in a spool: never another's. */
#include "spool_fixture.h"

#include "base/credentials.h"
#include "base/fingerprint.h"
#include "sdk/spool_format.h"
#include "sdk/spool_read.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static const fake_answer ok = {.status = 200}, away = {.status = 503};
static const char *const nobody = "http://127.0.0.1:1/api";

static void leave_behind(int n) {
    respan_client *c = spool_client(nobody, 1 << 20);
    for (int i = 0; i < n; i++) spool_end_number(c, i);
    assert_int_equal(respan_client_close(c, 0, NULL), RESPAN_ERR_TIMEOUT);
}

static respan_client *client_of(const char *key, const char *url) {
    respan_config config;
    respan_client *c;
    respan_config_init(&config);
    config.base_url = url;
    config.api_key = key;
    config.app_name = "spooled";
    config.quiet = true;
    assert_int_equal(respan_client_open(&config, &c, NULL), RESPAN_OK);
    return c;
}

static void what_another_key_left_is_left_alone(void **state) {
    (void)state;
    leave_behind(10);
    char path[RS_PATH_MAX];
    rs_spool_file file;
    spool_first_file(path);
    int fd = open(path, O_RDONLY);
    assert_int_equal(rs_spool_read_open(&file, fd, NULL), RS_OK);
    assert_false(file.is_older);
    assert_true(file.fingerprint == rs_fingerprint(RS_STR(SPOOL_KEY)));
    rs_spool_read_close(&file);
    close(fd);
    fake_http *f = fake_http_start(&ok, 1);
    rs_backlog_counts n = spool_deliver_as("another-key", false, nobody, f);
    assert_int_equal(n.other_key, 1);
    n = spool_deliver_as(NULL, false, nobody, f);
    assert_int_equal(n.other_key, 1);
    assert_int_equal(n.acknowledged + n.kept + n.foreign, 0);
    assert_int_equal(fake_http_count(f), 0);
    assert_int_equal(spool_deliver_as("another-key", true, nobody, f).acknowledged, 10); /* asked to */
    assert_int_equal(spool_count_files(), 0);
    fake_http_stop(f);
}

static void the_next_client_sends_what_its_own_key_left(void **state) {
    (void)state;
    const fake_answer script[] = {away, ok};
    fake_http *f = fake_http_start(script, 2);
    respan_client *c = spool_client(fake_http_url(f), 1 << 20);
    for (int i = 0; i < 50; i++) spool_end_number(c, i);
    while (fake_http_count(f) == 0) usleep(1000);
    assert_int_equal(respan_client_close(c, 0, NULL), RESPAN_ERR_TIMEOUT);
    static const char *const others[] = {"another-key", NULL};
    for (size_t i = 0; i < RS_ARRAY_LEN(others); i++) {
        c = client_of(others[i], fake_http_url(f));
        spool_end_number(c, 50 + (int)i);
        assert_int_equal(respan_client_close(c, 20000, NULL), RESPAN_OK);
        assert_int_equal(spool_count_files(), 1);
    }
    assert_int_equal(fake_http_count(f), 3); /* each its own span alone */
    c = spool_client(fake_http_url(f), 1 << 20);
    spool_end_number(c, 52);
    assert_int_equal(respan_client_close(c, 20000, NULL), RESPAN_OK);
    assert_int_equal(spool_collect(f, NULL), 53);
    assert_int_equal(spool_count_files(), 0);
    fake_http_stop(f);
}

/* On this machine no key is the one of the credentials file: what was left with either is sent with either. */
static void no_key_is_that_of_the_credentials_file(void **state) {
    (void)state;
    char path[RS_PATH_MAX];
    fake_http *f = fake_http_start(&ok, 1);
    rs_credentials file = {.api_key = SPOOL_KEY};
    assert_int_equal(rs_credentials_write(&file, NULL), RS_OK);
    leave_behind(10);
    assert_int_equal(spool_deliver_as(NULL, false, nobody, f).acknowledged, 10);
    respan_client *c = client_of(NULL, nobody);
    spool_end_number(c, 10);
    assert_int_equal(respan_client_close(c, 0, NULL), RESPAN_ERR_TIMEOUT);
    assert_int_equal(spool_deliver_as("another-key", false, nobody, f).other_key, 1);
    assert_int_equal(spool_deliver(nobody, f).acknowledged, 1);
    assert_int_equal(spool_count_files(), 0);
    assert_int_equal(rs_path_join(path, spool_root, "respan/credentials", NULL), RS_OK);
    assert_int_equal(unlink(path), 0);
    fake_http_stop(f);
}

/* As version 2 wrote it: nothing behind the texts. */
static void make_older(void) {
    char path[RS_PATH_MAX], *texts;
    rs_spool_header h;
    spool_first_file(path);
    int fd = open(path, O_RDWR);
    assert_int_equal(pread(fd, &h, sizeof h, 0), sizeof h);
    size_t n = h.app_n + h.url_n + h.resource_n + h.scope_n, copy_at = (h.data_at - RS_SPOOL_PAGE) / 2;
    assert_non_null(texts = calloc(1, n + sizeof(rs_spool_sender)));
    assert_int_equal(pread(fd, texts, n, sizeof h), n);
    h.version = 2;
    h.check = rs_spool_header_check(&h, texts, n);
    for (int i = 0; i < 2; i++) {
        off_t at = i ? (off_t)copy_at : 0;
        assert_int_equal(pwrite(fd, &h, sizeof h, at), sizeof h);
        assert_true(pwrite(fd, texts, n + sizeof(rs_spool_sender), at + (off_t)sizeof h) > 0);
    }
    free(texts);
    close(fd);
}

static void a_file_that_does_not_say_whose_it_is_is_sent(void **state) {
    (void)state;
    leave_behind(10);
    make_older();
    fake_http *f = fake_http_start(&ok, 1);
    rs_backlog_counts n = spool_deliver_as("another-key", false, nobody, f);
    assert_int_equal(n.acknowledged, 10);
    assert_int_equal(n.damaged + n.other_key, 0);
    assert_int_equal(spool_count_files(), 0);
    fake_http_stop(f);
}

static void a_key_in_a_header_is_one(void **state) {
    (void)state;
    static const respan_header headers[] = {{"Authorization", "Bearer " SPOOL_KEY},
                                            {"authorization", "bearer  " SPOOL_KEY},
                                            {"X-API-Key", SPOOL_KEY}};
    for (size_t i = 0; i < RS_ARRAY_LEN(headers); i++) {
        respan_config given;
        rs_config config;
        respan_config_init(&given);
        given.base_url = nobody;
        given.headers = &headers[i];
        given.header_count = 1;
        assert_int_equal(rs_config_resolve(&config, &given, NULL), RS_OK);
        assert_true(config.fingerprint == rs_fingerprint(RS_STR(SPOOL_KEY)));
        rs_config_deinit(&config);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(what_another_key_left_is_left_alone, spool_remove_files),
        cmocka_unit_test_teardown(the_next_client_sends_what_its_own_key_left, spool_remove_files),
        cmocka_unit_test_teardown(no_key_is_that_of_the_credentials_file, spool_remove_files),
        cmocka_unit_test_teardown(a_file_that_does_not_say_whose_it_is_is_sent, spool_remove_files),
        cmocka_unit_test(a_key_in_a_header_is_one),
    };
    spool_begin();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    spool_end();
    return failed;
}
