/* What is known as a secret, what is not, and that no text of a span goes past it. */
#include "fake_http.h"
#include "otlp/decode.h"
#include "respan.h"
#include "sdk/redact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define HF  "hf_abcdefghijklmnopqrstuvwxyzABCDEFGH"
#define JWT "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"

typedef struct example {
    const char *text, *expected;
} example;

static const example secrets[] = {
    {"token " HF ", is it?", "token hf_***, is it?"},
    {"\"\\n" HF "\"", "\"\\nhf_***\""},
    {"https://x/?t%3D" HF, "https://x/?t%3Dhf_***"},
    {"api_org_abcdefghijklmnopqrstuvwxyzABCDEFGH", "api_org_***"},
    {"sk-abcdefghijklmnop12", "sk-***"},
    {"sk-proj-abcd_EFGH-1234567890\\nnext", "sk-***\\nnext"},
    {"AKIAIOSFODNN7EXAMPLE and ASIAIOSFODNN7EXAMPLE", "AKIA*** and ASIA***"},
    {"AIzaSyA1234567890abcdefghijklmnopqrstuv", "AIza***"},
    {"ghp_abcdefghijklmnopqrstuvwxyz0123456789", "ghp_***"},
    {"github_pat_11ABCDEFG0abcdefghij_klmnop", "github_pat_***"},
    {"xoxb-1234567890-abcdefghij", "xoxb-***"},
    {"glpat-abcdefghij0123456789", "glpat-***"},
    {"(" JWT ")", "(eyJ***)"},
    {"curl -H 'Authorization: Bearer abc123def456'", "curl -H 'Authorization: Bearer ***'"},
    {"authorization: basic dXNlcjpwYXNz\r\nhost: x", "authorization: basic ***\r\nhost: x"},
    {"say Bearer abc123def456 twice", "say Bearer *** twice"},
    {"{\"Authorization\": \"Bearer abcdefg\"}", "{\"Authorization\": \"Bearer ***\"}"},
    {"{\"password\":\"hun\\\"ter2\",\"b\":1}", "{\"password\":\"***\",\"b\":1}"},
    {"{\"password\":\"hunter2\\\\\",\"b\":\"c\"}", "{\"password\":\"***\",\"b\":\"c\"}"},
    {"{\"s\":\"{\\\"api_key\\\": \\\"xyz\\\", \\\"b\\\": 1}\"}",
     "{\"s\":\"{\\\"api_key\\\": \\\"***\\\", \\\"b\\\": 1}\"}"},
    {"{\"password\":1234,\"b\":1}", "{\"password\":\"***\",\"b\":1}"},
    {"{'client_secret': 'xyz'}", "{'client_secret': '***'}"},
    {"password=abc&user=me", "password=***&user=me"},
    {"DB_PASSWORD = \"a b c\" # set", "DB_PASSWORD = \"***\" # set"},
    {"?token=abcdef", "?token=***"},
    {"password: hunter22", "password: ***"},
    {"postgres://me:s3cret@db.example/x", "postgres://me:***@db.example/x"},
    {"https://0123456789abcdef0123@host/", "https://***@host/"},
    {"-----BEGIN RSA PRIVATE KEY-----\\nMIIE\\n-----END RSA PRIVATE KEY-----!",
     "-----BEGIN RSA PRIVATE KEY-----***-----END RSA PRIVATE KEY-----!"},
    {"-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl", "-----BEGIN OPENSSH PRIVATE KEY-----***"},
};

static const char *const harmless[] = {
    "",
    "a",
    "sshleifer/tiny-gpt2",
    "hf_hub_download and hf_transfer, api_org_name",
    "task-oriented-dialogue-systems; risk-free; sk-learn-contrib-py-earth-foo",
    "max_tokens=10 eos_token=</s> {\"token\":\"Hello\"} token: Hello",
    "Password: must be good. What is the secret: nobody knows",
    "if password == x: f(password=None, secret=null)",
    "https://user@host/path ssh://git@github.com mailto:a@b.example http://127.0.0.1:8460/api",
    "the Bearer of responsibility; I am AKIA; eyJ is how it begins; -----BEGIN CERTIFICATE-----",
    "PWD=/home/me",
    "def get_password(): return \"password\"",
    "key=value; monkey: banana; {\"key\": \"value\"}",
};

static void assert_redacted(const char *text, const char *expected) {
    rs_buf out;
    rs_buf_init(&out);
    rs_redact(&out, rs_str_of(text));
    assert_string_equal(rs_buf_cstr(&out), expected);
    rs_buf_deinit(&out);
}

static void secrets_are_masked(void **state) {
    (void)state;
    for (size_t i = 0; i < RS_ARRAY_LEN(secrets); i++) {
        assert_redacted(secrets[i].text, secrets[i].expected);
        assert_redacted(secrets[i].expected, secrets[i].expected); /* once is enough */
    }
}

static void other_texts_stay(void **state) {
    (void)state;
    for (size_t i = 0; i < RS_ARRAY_LEN(harmless); i++) assert_redacted(harmless[i], harmless[i]);
}

/* Wherever the blocks of 16 bytes begin and end; and what is plain has none. */
static void they_are_found_at_every_place(void **state) {
    (void)state;
    for (size_t i = 0; i < RS_ARRAY_LEN(secrets); i++) {
        size_t n = strlen(secrets[i].text);
        for (size_t before = 0; before <= 33; before++) {
            char text[256];
            memset(text, ' ', before);
            memcpy(text + before, secrets[i].text, n);
            rs_secret found;
            assert_true(rs_redact_find((rs_str){text, before + n}, 0, &found));
            assert_true(found.at >= before && found.end <= before + n && found.at < found.end);
            assert_false(rs_redact_is_plain((rs_str){text, before + n}));
        }
    }
}

static void plain_is_ascii_without_anchors(void **state) {
    (void)state;
    char text[70];
    for (size_t n = 0; n < sizeof text; n++) {
        memset(text, 'a', sizeof text);
        assert_true(rs_redact_is_plain((rs_str){text, n}));
        for (size_t at = 0; at < n; at++) {
            for (const char *c = "_-=:JIB\x80\xff"; *c; c++) {
                text[at] = *c;
                assert_false(rs_redact_is_plain((rs_str){text, n}));
            }
            text[at] = 'a';
        }
    }
}

/* ---- in spans ------------------------------------------------------------------------------------------ */

static const fake_answer ok = {.status = 200};

/* A span with `text` in every place that takes one, as its server received it. The caller frees it. */
static rs_buf sent_with(const char *text, bool keep, size_t max) {
    fake_http *server = fake_http_start(&ok, 1);
    respan_config config;
    respan_config_init(&config);
    config.base_url = fake_http_url(server);
    config.keep_secrets = keep;
    config.max_content_bytes = max;
    respan_client *client;
    assert_int_equal(respan_client_open(&config, &client, NULL), RESPAN_OK);
    size_t n = strlen(text);
    respan_text items[] = {{text, n}};
    respan_attribute list = {{RESPAN_TEXT("list")}, RESPAN_TYPE_STRING_ARRAY, {.strings = {items, 1}}};
    respan_attribute one = {{RESPAN_TEXT("one")}, RESPAN_TYPE_STRING, {.string = {text, n}}};
    respan_span *s = respan_span_start(client, text, n, NULL, 0);
    respan_span_context to = {.trace_id = {1}, .span_id = {1}};
    respan_span_set(s, &one, 1);
    respan_span_set(s, &list, 1);
    respan_span_add_event(s, text, n, 0, &one, 1);
    respan_span_add_link(s, &to, &one, 1);
    respan_span_set_status(s, RESPAN_STATUS_ERROR, text, n);
    respan_span_end(s, 0);
    assert_int_equal(respan_client_close(client, 5000, NULL), RESPAN_OK);
    rs_buf body;
    rs_buf_init(&body);
    rs_buf_str(&body, rs_buf_slice(&fake_http_request(server, 0)->body));
    fake_http_stop(server);
    return body;
}

static size_t times_in(const rs_buf *body, const char *what) {
    size_t n = 0, length = strlen(what);
    for (const char *p = body->p; (p = memmem(p, (size_t)(body->p + body->n - p), what, length)); p += length)
        n++;
    return n;
}

enum { PLACES = 7 };

static void no_place_of_a_span_has_one(void **state) {
    (void)state;
    static const char *const texts[] = {"my " HF, "m\xc3\xbd " HF, "\xff " HF};
    for (size_t i = 0; i < RS_ARRAY_LEN(texts); i++) {
        rs_buf body = sent_with(texts[i], false, 0);
        assert_int_equal(times_in(&body, "abcdefghij"), 0);
        assert_int_equal(times_in(&body, "hf_***"), PLACES);
        rs_buf_deinit(&body);
    }
}

static void a_program_may_keep_them(void **state) {
    (void)state;
    rs_buf body = sent_with("my " HF, true, 0);
    assert_int_equal(times_in(&body, HF), PLACES);
    rs_buf_deinit(&body);
    setenv("RESPAN_MASK_SECRETS", "Off", 1);
    body = sent_with("my " HF, false, 0);
    unsetenv("RESPAN_MASK_SECRETS");
    assert_int_equal(times_in(&body, HF), PLACES);
    rs_buf_deinit(&body);
}

static void a_text_for_elsewhere(void **state) {
    (void)state;
    static const char text[] = "my " HF " and AKIAIOSFODNN7EXAMPLE.", expected[] = "my hf_*** and AKIA***.";
    char out[sizeof expected] = "";
    assert_int_equal(respan_mask_secrets(text, sizeof text - 1, NULL, 0), sizeof expected - 1);
    for (size_t size = 0; size < sizeof out; size++) {
        memset(out, '#', sizeof out);
        assert_int_equal(respan_mask_secrets(text, sizeof text - 1, out, size), sizeof expected - 1);
        assert_memory_equal(out, expected, size);
        assert_int_equal(out[size], '#');
    }
    assert_int_equal(respan_mask_secrets("my text", 7, out, sizeof out), 0);
    assert_int_equal(respan_mask_secrets(NULL, 0, out, sizeof out), 0);
    assert_true(respan_span_masks_secrets(NULL));
}

/* A text that is cut in its middle shows no half of it. */
static void a_cut_leaves_no_half(void **state) {
    (void)state;
    rs_buf body = sent_with("my " HF, false, 16);
    assert_int_equal(times_in(&body, "abcde"), 0);
    rs_buf_deinit(&body);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets_are_masked),
        cmocka_unit_test(other_texts_stay),
        cmocka_unit_test(they_are_found_at_every_place),
        cmocka_unit_test(plain_is_ascii_without_anchors),
        cmocka_unit_test(no_place_of_a_span_has_one),
        cmocka_unit_test(a_program_may_keep_them),
        cmocka_unit_test(a_text_for_elsewhere),
        cmocka_unit_test(a_cut_leaves_no_half),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
