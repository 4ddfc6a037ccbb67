#include "otlp/decode.h"
#include "otlp/encode.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* ---- requests by hand ---------------------------------------------------------------------------------- */

#define IDS_HEX          "\"traceId\":\"0102030405060708090a0b0c0d0e0f10\",\"spanId\":\"0102030405060708\""
#define IN_SPAN(members) "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{" IDS_HEX "," members "}]}]}]}"
#define IN_VALUE(any)    IN_SPAN("\"attributes\":[{\"key\":\"k\",\"value\":" any "}]")

typedef struct decoded {
    rs_arena arena;
    rs_spans spans;
    rs_err err;
    rs_status status;
    rs_buf body;
} decoded;

static decoded decode_json(const char *text) {
    decoded d = {0};
    d.status = rs_otlp_decode_json(rs_str_of(text), &d.arena, &d.spans, &d.err);
    return d;
}

/* A request of one span with the given bytes behind its ids. */
static decoded decode_span_with(rs_str more) {
    decoded d = {0};
    rs_buf span = {0};
    rs_pb_bytes(&span, 1, RS_STR("0123456789abcdef"));
    rs_pb_bytes(&span, 2, RS_STR("01234567"));
    rs_buf_str(&span, more);
    rs_str one = rs_buf_slice(&span);
    rs_otlp_encode_request(&d.body, (rs_str){0}, (rs_str){0}, &one, 1);
    rs_buf_deinit(&span);
    d.status = rs_otlp_decode_protobuf(rs_buf_slice(&d.body), &d.arena, &d.spans, &d.err);
    return d;
}

static void done(decoded *d) {
    rs_arena_deinit(&d->arena);
    rs_buf_deinit(&d->body);
}

static const rs_value *only_value(const decoded *d) {
    if (d->status != RS_OK) fail_msg("%s at %zu", d->err.message, d->err.offset);
    assert_int_equal(d->spans.n, 1);
    assert_int_equal(d->spans.items[0].attrs.n, 1);
    return &d->spans.items[0].attrs.items[0].value;
}

static void assert_json(const rs_value *v, const char *want) {
    rs_buf out = {0};
    rs_json j = rs_json_on(&out);
    rs_value_write_json(&j, v);
    assert_string_equal(rs_buf_cstr(&out), want);
    rs_buf_deinit(&out);
}

/* ---- spans without usable ids -------------------------------------------------------------------------- */

static void spans_without_ids_are_counted(void **state) {
    (void)state;
    decoded d = decode_json(
        "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":["
        "{\"name\":\"first\",\"traceId\":\"0102\",\"spanId\":\"0102030405060708\",\"links\":[{}]},"
        "{\"traceId\":\"0102030405060708090a0b0c0d0e0f10\",\"spanId\":\"0000000000000000\"},"
        "{" IDS_HEX ",\"parentSpanId\":\"01\"},"
        "{" IDS_HEX ",\"parentSpanId\":\"\",\"name\":\"good\"},"
        "{" IDS_HEX ",\"parentSpanId\":\"0000000000000000\"},{}]}]}]}");
    assert_int_equal(d.status, RS_OK);
    assert_int_equal(d.spans.n, 2);
    assert_int_equal(d.spans.rejected, 4);
    assert_string_equal(d.spans.reject_reason,
                        "span \"first\": its trace id is not 16 bytes (32 hex digits), or all zero");
    assert_true(rs_str_eq(d.spans.items[0].name, RS_STR("good")));
    assert_int_equal(d.spans.items[0].nlinks, 0);
    assert_false(d.spans.items[0].has_parent || d.spans.items[1].has_parent);
    assert_non_null(d.spans.items[0].resource);
    assert_non_null(d.spans.items[0].scope);
    done(&d);

    rs_buf body = {0};
    rs_str empty[3] = {{0}};
    rs_otlp_encode_request(&body, (rs_str){0}, (rs_str){0}, empty, 3);
    d = (decoded){0};
    assert_int_equal(rs_otlp_decode_protobuf(rs_buf_slice(&body), &d.arena, &d.spans, NULL), RS_OK);
    assert_int_equal(d.spans.n, 0);
    assert_int_equal(d.spans.rejected, 3);
    rs_buf_deinit(&body);
    done(&d);
}

static void links_to_nowhere_are_dropped(void **state) {
    (void)state;
    decoded d =
        decode_json(IN_SPAN("\"droppedLinksCount\":5,\"links\":[{\"traceId\":\"00\"},{" IDS_HEX "},{}]"));
    assert_int_equal(d.status, RS_OK);
    assert_int_equal(d.spans.items[0].nlinks, 1);
    assert_int_equal(d.spans.items[0].dropped_links, 7);
    done(&d);
    d = decode_span_with(RS_STR("\x6a\x00\x70\x05\x6a\x02\x0a\x00"));
    assert_int_equal(d.status, RS_OK);
    assert_int_equal(d.spans.items[0].nlinks, 0);
    assert_int_equal(d.spans.items[0].dropped_links, 7);
    done(&d);
}

/* ---- protobuf ------------------------------------------------------------------------------------------ */

static void text_that_is_not_utf8_is_mended(void **state) {
    (void)state;
    decoded d = decode_span_with(RS_STR("\x2a\x05"
                                        "a\xff"
                                        "b\xe8\xaa")); /* name */
    assert_int_equal(d.status, RS_OK);
    assert_true(rs_str_eq(d.spans.items[0].name, RS_STR("a\xEF\xBF\xBD"
                                                        "b\xEF\xBF\xBD\xEF\xBF\xBD")));
    done(&d);
    /* attribute k: kvlist { "x\xff": ["\xfe", "ok"] } */
    d = decode_span_with(RS_STR("\x4a\x1b"
                                "\x0a\x01k"
                                "\x12\x16\x32\x14\x0a\x12"
                                "\x0a\x02x\xff"
                                "\x12\x0c\x2a\x0a"
                                "\x0a\x02\x0a\x00"
                                "\x0a\x04\x0a\x02"
                                "\xfeo"));
    assert_json(only_value(&d), "{\"x?\":[\"\",\"?o\"]}");
    done(&d);
}

static void malformed_protobuf(void **state) {
    (void)state;
    static const struct {
        rs_str bytes;
        rs_status status;
    } cases[] = {
        {RS_STR("\x2a\x7f"
                "abc"),
         RS_ERR_TRUNCATED},                                           /* longer than what is left */
        {RS_STR("\x28\x05"), RS_ERR_INVALID},                         /* name as a number */
        {RS_STR("\x4a\x03\x0a\x05k"), RS_ERR_TRUNCATED},              /* key longer than its attribute */
        {RS_STR("\x4a\x04\x12\x02\x08\x05"), RS_ERR_INVALID},         /* string_value as a number */
        {RS_STR("\x4a\x06\x12\x04\x2a\x02\x08\x01"), RS_ERR_INVALID}, /* in an array: values as a number */
        {RS_STR("\x03"), RS_ERR_INVALID},                             /* field 0 */
        {RS_STR("\x9b\x06"), RS_ERR_INVALID},                         /* a group */
        {RS_STR("\x98\x06\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), RS_ERR_INVALID}, /* 65 bits */
        {RS_STR("\x39\x01\x02"), RS_ERR_TRUNCATED},                                   /* half a start time */
    };
    for (size_t i = 0; i < RS_ARRAY_LEN(cases); i++) {
        decoded d = decode_span_with(cases[i].bytes);
        if (d.status != cases[i].status) fail_msg("case %zu: %d", i, d.status);
        assert_int_equal(d.err.code, d.status);
        assert_true(d.err.offset > 20 && d.err.offset <= d.body.n);
        assert_int_equal(d.spans.n, 0);
        done(&d);
    }
}

static void unknown_fields_are_skipped(void **state) {
    (void)state;
    decoded d = decode_span_with(RS_STR("\x98\x06\x01\x9a\x06\x02xy\x99\x06"
                                        "12345678\x9d\x06"
                                        "1234"                                 /* 99, all types */
                                        "\x7a\x04\x08\x02\x18\x02"             /* old status code */
                                        "\x30\x63"                             /* kind 99 */
                                        "\x4a\x07\x0a\x01k\x12\x02\x50\x01")); /* value of a later OTLP */
    assert_int_equal(only_value(&d)->type, RS_VALUE_EMPTY);
    assert_int_equal(d.spans.items[0].status, RS_STATUS_ERROR);
    assert_int_equal(d.spans.items[0].kind, 0);
    done(&d);
}

/* Key and text in this order, as all exporters write them, in the other, and each twice: what came last counts, and where the bytes lie
 * is nobody's business. */
static void attributes_in_every_order(void **state) {
    (void)state;
    static const size_t lengths[] = {0, 1, 3, 4, 15, 16, 31, 32, 127, 128, 300, 16383, 16384, 70000};
    static const char *const orders[] = {"kv", "vk", "kvv", "kkv", "kvk", "vkv"};
    for (size_t i = 0; i < RS_ARRAY_LEN(lengths) * RS_ARRAY_LEN(orders); i++) {
        rs_buf text = {0}, value = {0}, pair = {0}, span = {0};
        for (size_t k = 0; k < lengths[i / RS_ARRAY_LEN(orders)]; k++) rs_buf_byte(&text, 'a' + k % 26);
        rs_pb_bytes(&value, 1, rs_buf_slice(&text));
        for (const char *c = orders[i % RS_ARRAY_LEN(orders)]; *c; c++)
            rs_pb_bytes(&pair, *c == 'k' ? 1 : 2, *c == 'k' ? RS_STR("the.key") : rs_buf_slice(&value));
        rs_pb_bytes(&span, 9, rs_buf_slice(&pair));
        decoded d = decode_span_with(rs_buf_slice(&span));
        const rs_value *v = only_value(&d);
        assert_true(rs_str_eq(d.spans.items[0].attrs.items[0].key, RS_STR("the.key")));
        assert_int_equal(v->type, RS_VALUE_STRING);
        assert_true(rs_str_eq(v->s, rs_buf_slice(&text)));
        done(&d);
        rs_buf *all[] = {&text, &value, &pair, &span};
        for (size_t k = 0; k < RS_ARRAY_LEN(all); k++) rs_buf_deinit(all[k]);
    }
}

/* A key that ends early, a length that is too long, one that is written with a byte too many. */
static void attributes_that_look_plain(void **state) {
    (void)state;
    decoded d = decode_span_with(RS_STR("\x4a\x0a\x0a\x01k\x12\x84\x00\x0a\x02hi"));
    assert_json(only_value(&d), "\"hi\"");
    done(&d);
    d = decode_span_with(RS_STR("\x4a\x08\x0a\x01k\x12\x03\x0a\x02h")); /* cut off */
    assert_int_not_equal(d.status, RS_OK);
    done(&d);
    d = decode_span_with(RS_STR("\x4a\x03\x0a\x05k"));
    assert_int_not_equal(d.status, RS_OK);
    done(&d);
    d = decode_span_with(RS_STR("\x4a\x04\x0a\x01k\x12"));
    assert_int_not_equal(d.status, RS_OK);
    done(&d);
    d = decode_span_with(RS_STR("\x4a\x09\x0a\x01k\x12\x04\x0a\x02\xff!"));
    assert_true(rs_str_eq(only_value(&d)->s, RS_STR("\xEF\xBF\xBD!")));
    done(&d);
}

static void an_empty_body_is_no_spans(void **state) {
    (void)state;
    decoded d = {0};
    assert_int_equal(rs_otlp_decode_protobuf((rs_str){0}, &d.arena, &d.spans, NULL), RS_OK);
    assert_int_equal(d.spans.n + d.spans.rejected, 0);
    done(&d);
    d = decode_json("{}");
    assert_int_equal(d.status, RS_OK);
    done(&d);
    d = decode_json(" {\"resourceSpans\": null} ");
    assert_int_equal(d.status, RS_OK);
    done(&d);
}

/* ---- nesting ------------------------------------------------------------------------------------------- */

static void nested_32_deep_and_no_deeper(void **state) {
    (void)state;
    for (int map = 0; map < 2; map++) {
        for (int depth = RS_VALUE_MAX_DEPTH; depth <= RS_VALUE_MAX_DEPTH + 1; depth++) {
            rs_buf json = {0}, out = {0};
            rs_buf_text(&json, "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{" IDS_HEX
                               ",\"attributes\":[{\"key\":\"k\",\"value\":");
            for (int i = 0; i < depth; i++)
                rs_buf_text(&json, map ? "{\"kvlistValue\":{\"values\":[{\"key\":\"n\",\"value\":"
                                       : "{\"arrayValue\":{\"values\":[");
            rs_buf_text(&json, "{\"intValue\":7}");
            for (int i = 0; i < depth; i++) rs_buf_text(&json, map ? "}]}}" : "]}}");
            rs_buf_text(&json, "}]}]}]}]}");
            decoded d = decode_json(rs_buf_cstr(&json));
            assert_int_equal(d.status, RS_OK);
            assert_int_equal(d.spans.rejected, depth > RS_VALUE_MAX_DEPTH);
            if (d.spans.n > 0) {
                rs_json j = rs_json_on(&out);
                rs_value v = *only_value(&d);
                rs_value_write_json(&j, &v);
                assert_non_null(strstr(rs_buf_cstr(&out), "7"));
                /* one level more around the same bytes, as protobuf */
                rs_attr a = {.key = RS_STR("k"), .value = v};
                rs_buf attr = {0};
                rs_otlp_encode_attr(&attr, 9, &a);
                decoded p = decode_span_with(rs_buf_slice(&attr));
                assert_int_equal(p.status, RS_OK);
                done(&p);
                rs_buf inner = {0};
                rs_buf any = {0};
                rs_otlp_encode_value(&any, &v);
                rs_pb_bytes(&inner, 1, rs_buf_slice(&any));
                a.value = (rs_value){RS_VALUE_ARRAY, .s = rs_buf_slice(&inner)};
                rs_buf_clear(&attr);
                rs_otlp_encode_attr(&attr, 9, &a);
                p = decode_span_with(rs_buf_slice(&attr));
                assert_int_equal(p.status, RS_OK);
                assert_int_equal(p.spans.n, 0);
                assert_int_equal(p.spans.rejected, 1);
                assert_non_null(strstr(p.spans.reject_reason, "nested more than 32 deep"));
                done(&p);
                rs_buf_deinit(&inner);
                rs_buf_deinit(&any);
                rs_buf_deinit(&attr);
            }
            done(&d);
            rs_buf_deinit(&json);
            rs_buf_deinit(&out);
        }
    }
}

/* ---- JSON ---------------------------------------------------------------------------------------------- */

static void values_in_every_spelling(void **state) {
    (void)state;
    static const struct {
        const char *body, *want;
    } cases[] = {
        {IN_VALUE("{\"intValue\":\"-9223372036854775808\"}"), "-9223372036854775808"},
        {IN_VALUE("{\"intValue\":1e3}"), "1000"},
        {IN_VALUE("{\"int_value\":5.0}"), "5"},
        {IN_VALUE("{\"doubleValue\":\"NaN\"}"), "null"},
        {IN_VALUE("{\"doubleValue\":\"-Infinity\"}"), "null"},
        {IN_VALUE("{\"doubleValue\":3}"), "3"},
        {IN_VALUE(
             "{\"doubleValue\":0.1000000000000000000000000000000000000000000000000000000000000000000001}"),
         "0.1"},
        {IN_VALUE("{\"bytesValue\":\"+/8=\"}"), "\"+/8=\""},
        {IN_VALUE("{\"bytesValue\":\"-_8\"}"), "\"+/8=\""},
        {IN_VALUE("{\"bytesValue\":\"\"}"), "\"\""},
        {IN_VALUE("{\"stringValue\":null}"), "null"},
        {IN_VALUE("{}"), "null"},
        {IN_VALUE("null"), "null"},
        {IN_VALUE("{\"stringValue\":\"a\",\"later\":{\"x\":[1]},\"boolValue\":true}"), "true"},
        {IN_VALUE("{\"arrayValue\":{}}"), "[]"},
        {IN_VALUE("{\"arrayValue\":{\"values\":[{\"stringValue\":\"a\",\"intValue\":2},{}]}}"), "[2,null]"},
        {IN_VALUE("{\"kvlistValue\":{\"values\":[{\"value\":{\"boolValue\":false},\"key\":\"x\\n\"},{\"key\":"
                  "\"y\"}]}}"),
         "{\"x\\n\":false,\"y\":null}"},
        {IN_VALUE("{\"kvlistValue\":{\"values\":[{\"value\":{\"intValue\":1},\"key\":\"x\",\"value\":{"
                  "\"intValue\":2}}]}}"),
         "{\"x\":2}"},
    };
    for (size_t i = 0; i < RS_ARRAY_LEN(cases); i++) {
        decoded d = decode_json(cases[i].body);
        assert_json(only_value(&d), cases[i].want);
        done(&d);
    }
}

static void json_of_the_wrong_type(void **state) {
    (void)state;
    static const char *const bodies[] = {
        "[]",
        "null",
        "\"x\"",
        "{} {}",
        "{\"resourceSpans\":{}}",
        "{\"resourceSpans\":[1]}",
        "{\"resourceSpans\":[null]}",
        "{\"resourceSpans\":[{\"resource\":{\"attributes\":7}}]}",
        "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[7]}]}]}",
        IN_VALUE("{\"stringValue\":\"\xff\"}"),
        IN_SPAN("\"name\":5}"),
    };
    for (size_t i = 0; i < RS_ARRAY_LEN(bodies); i++) {
        decoded d = decode_json(bodies[i]);
        if (d.status != RS_ERR_INVALID || d.err.code != RS_ERR_INVALID || !d.err.message[0])
            fail_msg("%s: %d %s", bodies[i], d.status, d.err.message);
        assert_int_equal(d.spans.n, 0);
        done(&d);
    }
}

#define SPAN_OF(digit)                                                                                       \
    "{\"traceId\":\"" digit "0000000000000000000000000000001\",\"spanId\":\"" digit "000000000000001\","     \
    "\"name\":\"n" digit "\",\"attributes\":[{\"key\":\"a\",\"value\":{\"stringValue\":\"" digit "\"}}]}"

/* A span that has something of the wrong type, or out of its range, is left out, and those around it are as they are. */
static void json_of_the_wrong_type_in_a_span(void **state) {
    (void)state;
    static const char *const bad[] = {
        IN_SPAN("\"name\":5"),
        IN_SPAN("\"kind\":[]"),
        IN_SPAN("\"startTimeUnixNano\":\"soon\""),
        IN_SPAN("\"startTimeUnixNano\":-1"),
        IN_SPAN("\"startTimeUnixNano\":18446744073709551616"),
        IN_SPAN("\"endTimeUnixNano\":1.5"),
        IN_SPAN("\"attributes\":{\"key\":\"value\"}"),
        IN_SPAN("\"status\":\"ok\""),
        IN_VALUE("\"text\""),
        IN_VALUE("{\"intValue\":9223372036854775808}"),
        IN_VALUE("{\"intValue\":true}"),
        IN_VALUE("{\"boolValue\":1}"),
        IN_VALUE("{\"doubleValue\":\"one\"}"),
        IN_VALUE("{\"bytesValue\":\"a\"}"),
        IN_VALUE("{\"bytesValue\":\"a b=\"}"),
        IN_VALUE("{\"arrayValue\":[]}"),
        IN_VALUE("{\"arrayValue\":{\"values\":[7]}}"),
        IN_SPAN(
            "\"events\":[{\"attributes\":[{\"key\":\"k\",\"value\":{\"intValue\":1}}],\"timeUnixNano\":{}}]"),
        IN_SPAN("\"links\":[{\"flags\":[{\"deep\":[1,{\"a\":{}}]}]}],\"name\":\"late\""),
    };
    for (size_t i = 0; i < RS_ARRAY_LEN(bad); i++) {
        static char body[4096];
        const char *first = strstr(bad[i], "\"spans\":["), *rest = first + strlen("\"spans\":[");
        const char *end = strrchr(bad[i], ']'); /* of resourceSpans, scopeSpans, spans */
        for (int k = 0; k < 2; k++)
            while (*--end != ']') continue;
        assert_true((size_t)snprintf(body, sizeof body, "%.*s" SPAN_OF("1") ",%.*s," SPAN_OF("2") "%s",
                                     (int)(rest - bad[i]), bad[i], (int)(end - rest), rest,
                                     end) < sizeof body);
        decoded d = decode_json(body);
        if (d.status != RS_OK) fail_msg("%s: %d %s", body, d.status, d.err.message);
        assert_int_equal(d.spans.n, 2);
        assert_int_equal(d.spans.rejected, 1);
        assert_true(d.spans.reject_reason[0] && d.err.code == RS_OK);
        for (size_t k = 0; k < 2; k++) {
            const rs_span *s = &d.spans.items[k];
            assert_true(s->name.p[1] == '1' + (char)k && s->attrs.n == 1 && s->nevents == 0 &&
                        s->nlinks == 0);
            assert_true(s->attrs.items[0].value.s.p[0] == '1' + (char)k);
        }
        done(&d);
    }
}

static void enums_and_times(void **state) {
    (void)state;
    decoded d = decode_json(
        IN_SPAN("\"kind\":\"3\",\"status\":{\"code\":\"STATUS_CODE_ERROR\"},\"startTimeUnixNano\":9,"
                "\"endTimeUnixNano\":\"5\",\"flags\":257,\"unknown\":[{\"a\":[]}]"));
    assert_int_equal(d.status, RS_OK);
    const rs_span *s = &d.spans.items[0];
    assert_int_equal(s->kind, 3);
    assert_int_equal(s->status, RS_STATUS_ERROR);
    assert_true(s->start_ns == 9 && s->end_ns == 5 && s->flags == 257); /* an end before its start stays so */
    done(&d);
    d = decode_json(IN_SPAN("\"kind\":\"SPAN_KIND_NEW\",\"status\":{\"code\":7}"));
    assert_int_equal(d.status, RS_OK);
    assert_int_equal(d.spans.items[0].kind, 0);
    assert_int_equal(d.spans.items[0].status, RS_STATUS_UNSET);
    done(&d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_without_ids_are_counted),
        cmocka_unit_test(links_to_nowhere_are_dropped),
        cmocka_unit_test(text_that_is_not_utf8_is_mended),
        cmocka_unit_test(malformed_protobuf),
        cmocka_unit_test(unknown_fields_are_skipped),
        cmocka_unit_test(attributes_in_every_order),
        cmocka_unit_test(attributes_that_look_plain),
        cmocka_unit_test(an_empty_body_is_no_spans),
        cmocka_unit_test(nested_32_deep_and_no_deeper),
        cmocka_unit_test(values_in_every_spelling),
        cmocka_unit_test(json_of_the_wrong_type),
        cmocka_unit_test(json_of_the_wrong_type_in_a_span),
        cmocka_unit_test(enums_and_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
