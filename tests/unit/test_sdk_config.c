/* What the environment says, what it cannot say over the program, and what is made of nonsense. */
#include "heard.h"
#include "sdk/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

static char home[] = "/tmp/respan-test-XXXXXX", file_path[64];

/* ---- fixture ------------------------------------------------------------------------------------------- */

static const char *const variables[] = {
    "RESPAN_API_KEY",
    "RESPAN_BASE_URL",
    "OTEL_SDK_DISABLED",
    "OTEL_SERVICE_NAME",
    "OTEL_RESOURCE_ATTRIBUTES",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_PROTOCOL",
    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
    "OTEL_EXPORTER_OTLP_HEADERS",
    "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
    "OTEL_EXPORTER_OTLP_TIMEOUT",
    "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
    "OTEL_EXPORTER_OTLP_COMPRESSION",
    "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION",
    "OTEL_EXPORTER_OTLP_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_CLIENT_KEY",
    "OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY",
    "OTEL_TRACES_SAMPLER",
    "OTEL_TRACES_SAMPLER_ARG",
    "OTEL_BSP_SCHEDULE_DELAY",
    "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
    "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    "SSL_CERT_FILE",
};

static void write_file(const char *path, const char *text) {
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static int make_home(void **state) {
    (void)state;
    if (!mkdtemp(home)) return -1;
    snprintf(file_path, sizeof file_path, "%s/file.pem", home);
    write_file(file_path, "");
    return setenv("XDG_CONFIG_HOME", home, 1);
}

static int remove_home(void **state) {
    (void)state;
    unlink(file_path);
    return rmdir(home);
}

static int clear(void **state) {
    (void)state;
    for (size_t i = 0; i < RS_ARRAY_LEN(variables); i++) unsetenv(variables[i]);
    return 0;
}

static respan_config plain(void) {
    respan_config given;
    respan_config_init(&given);
    return given;
}

/* The configuration that the environment and `given` (may be NULL) make, and what was said meanwhile. */
static const char *resolve(rs_config *c, const respan_config *given) {
    int saved = hear();
    rs_status st = rs_config_resolve(c, given, NULL);
    const char *said = heard(saved);
    assert_int_equal(st, RS_OK);
    return said;
}

static void assert_quietly(rs_config *c, const respan_config *given) {
    assert_string_equal(resolve(c, given), "");
}

/* ---- numbers ------------------------------------------------------------------------------------------- */

static const struct number {
    const char *specific, *general; /* general: NULL where there is one name */
    uint32_t otherwise;
    const char *bad[5];
} numbers[] = {
    {"OTEL_BSP_MAX_EXPORT_BATCH_SIZE", NULL, 512, {"0", "-1", "many", "12x", "9999999999"}},
    {"OTEL_BSP_SCHEDULE_DELAY", NULL, 500, {"-1", "1s", "0x10", "1.5", "86400001"}},
    {"OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
     "OTEL_EXPORTER_OTLP_TIMEOUT",
     10000,
     {"0", "-1", "10s", "inf", "86400001"}},
    {"OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT",
     "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
     4 << 20,
     {"0", "-1", "none", "1e3", "99999999999"}},
};

static uint64_t number_of(const rs_config *c, size_t i) {
    const uint64_t all[] = {c->batch_spans, c->batch_interval_ms, c->request_timeout_ms,
                            c->max_content_bytes};
    return all[i];
}

static uint64_t resolved_number(size_t i, const respan_config *given) {
    rs_config c;
    assert_quietly(&c, given);
    uint64_t value = number_of(&c, i);
    rs_config_deinit(&c);
    return value;
}

static void numbers_are_taken(void **state) {
    (void)state;
    for (size_t i = 0; i < RS_ARRAY_LEN(numbers); i++) {
        clear(NULL);
        assert_int_equal(resolved_number(i, NULL), numbers[i].otherwise);
        if (numbers[i].general) {
            setenv(numbers[i].general, "4321", 1);
            assert_int_equal(resolved_number(i, NULL), 4321);
        }
        setenv(numbers[i].specific, " 1234 ", 1);
        assert_int_equal(resolved_number(i, NULL), 1234);
        setenv(numbers[i].specific, "", 1); /* as if it were not set */
        assert_int_equal(resolved_number(i, NULL), numbers[i].general ? 4321 : numbers[i].otherwise);
    }
}

static void the_program_goes_before_the_environment(void **state) {
    (void)state;
    for (size_t i = 0; i < RS_ARRAY_LEN(numbers); i++) setenv(numbers[i].specific, "1234", 1);
    respan_config given = plain();
    given.batch_spans = given.batch_interval_ms = given.request_timeout_ms = 77;
    given.max_content_bytes = 77;
    for (size_t i = 0; i < RS_ARRAY_LEN(numbers); i++) assert_int_equal(resolved_number(i, &given), 77);
}

static void bad_numbers_are_one_warning_and_ignored(void **state) {
    (void)state;
    for (size_t i = 0; i < RS_ARRAY_LEN(numbers); i++)
        for (size_t k = 0; k < RS_ARRAY_LEN(numbers[i].bad); k++) {
            clear(NULL);
            setenv(numbers[i].specific, numbers[i].bad[k], 1);
            if (numbers[i].general) setenv(numbers[i].general, "55", 1);
            rs_config c;
            const char *said = resolve(&c, NULL);
            char expected[128];
            snprintf(expected, sizeof expected, "respan: %s=%s is ignored: it must be a whole number from ",
                     numbers[i].specific, numbers[i].bad[k]);
            assert_memory_equal(said, expected, strlen(expected));
            assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1); /* one line */
            assert_int_equal(number_of(&c, i), numbers[i].general ? 55 : numbers[i].otherwise);
            rs_config_deinit(&c);
            respan_config quiet = plain();
            quiet.quiet = true;
            assert_quietly(&c, &quiet);
            rs_config_deinit(&c);
        }
}

/* ---- where to ------------------------------------------------------------------------------------------ */

static const struct destination {
    const char *given, *variables[4][2];
    const char *base_url, *traces_url;
} destinations[] = {
    {NULL, {{0}}, "http://127.0.0.1:8460/api", "http://127.0.0.1:8460/api/v2/traces"},
    {"http://a/api/", {{"RESPAN_BASE_URL", "http://b"}}, "http://a/api", "http://a/api/v2/traces"},
    {NULL,
     {{"RESPAN_BASE_URL", "https://b/api"}, {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://localhost:1/"}},
     "https://b/api",
     "https://b/api/v2/traces"},
    {NULL,
     {{"RESPAN_API_KEY", "k"}, {"OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:1"}},
     "http://127.0.0.1:8460/api",
     "http://127.0.0.1:8460/api/v2/traces"},
    {NULL,
     {{"RESPAN_BASE_URL", "http://localhost:4318/v1/traces"}},
     "http://localhost:4318/v1/traces",
     "http://localhost:4318/v1/traces"},
    {NULL,
     {{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318"}},
     "http://localhost:4318/v1/traces",
     "http://localhost:4318/v1/traces"},
    {NULL,
     {{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318/otlp/"}},
     "http://localhost:4318/otlp/v1/traces",
     "http://localhost:4318/otlp/v1/traces"},
    {NULL,
     {{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318"},
      {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://localhost:9/spans"}},
     "http://localhost:9/spans",
     "http://localhost:9/spans"},
    {NULL,
     {{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318"},
      {"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"},
      {"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf"}},
     "http://localhost:4318/v1/traces",
     "http://localhost:4318/v1/traces"},
};

static void the_sampler_is_a_bound_of_ids(void **state) {
    (void)state;
    static const struct {
        const char *sampler, *argument;
        uint64_t below;
        bool warns;
    } cases[] = {
        {"", "0.5", UINT64_MAX, false},
        {"always_on", "0.5", UINT64_MAX, false},
        {"parentbased_always_on", NULL, UINT64_MAX, false},
        {"ALWAYS_OFF", NULL, 0, false},
        {"parentbased_always_off", NULL, 0, false},
        {"traceidratio", NULL, UINT64_MAX, false},
        {"traceidratio", "0.25", (uint64_t)1 << 62, false},
        {"parentbased_traceidratio", "0.5", (uint64_t)1 << 63, false},
        {"traceidratio", "0", 0, false},
        {"traceidratio", "1", UINT64_MAX, false},
        {"traceidratio", "1.5", UINT64_MAX, true},
        {"traceidratio", "-1", UINT64_MAX, true},
        {"traceidratio", "nan", UINT64_MAX, true},
        {"sometimes", NULL, UINT64_MAX, true},
    };
    for (size_t i = 0; i < RS_ARRAY_LEN(cases); i++) {
        clear(NULL);
        setenv("OTEL_TRACES_SAMPLER", cases[i].sampler, 1);
        if (cases[i].argument) setenv("OTEL_TRACES_SAMPLER_ARG", cases[i].argument, 1);
        rs_config c;
        const char *said = resolve(&c, NULL);
        assert_true(c.sampled_below == cases[i].below);
        assert_int_equal(strstr(said, "OTEL_TRACES_SAMPLER") != NULL, cases[i].warns);
        rs_config_deinit(&c);
    }
}

static void the_destination_is_ours_to_say_then_opentelemetrys(void **state) {
    (void)state;
    for (size_t i = 0; i < RS_ARRAY_LEN(destinations); i++) {
        const struct destination *d = &destinations[i];
        clear(NULL);
        for (size_t k = 0; k < 4 && d->variables[k][0]; k++)
            setenv(d->variables[k][0], d->variables[k][1], 1);
        respan_config given = plain();
        given.base_url = d->given;
        rs_config c;
        assert_quietly(&c, &given);
        assert_string_equal(c.base_url, d->base_url);
        assert_string_equal(c.traces_url, d->traces_url);
        rs_config_deinit(&c);
    }
}

static void open_spans_are_told_beside_the_others(void **state) {
    (void)state;
    static const struct {
        const char *variable, *value, *url;
    } cases[] = {
        {"RESPAN_BASE_URL", "http://a/api", "http://a/api/v2/open"},
        {"RESPAN_BASE_URL", "http://a/v1/traces/", "http://a/v1/open"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/open"},
        {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:4318/elsewhere", NULL},
        {"RESPAN_OPEN_SPANS", "off", NULL},
        {"RESPAN_OPEN_SPANS", "FALSE", NULL},
        {"RESPAN_OPEN_SPANS", "0", NULL},
        {"RESPAN_SPOOL", "off", NULL},
    };
    for (size_t i = 0; i < RS_ARRAY_LEN(cases); i++) {
        clear(NULL);
        setenv("RESPAN_SPOOL", "on", 1);
        unsetenv("RESPAN_OPEN_SPANS");
        setenv("XDG_STATE_HOME", home, 1);
        setenv(cases[i].variable, cases[i].value, 1);
        rs_config c;
        assert_quietly(&c, NULL);
        if (cases[i].url) assert_string_equal(c.open_url, cases[i].url);
        else assert_null(c.open_url);
        rs_config_deinit(&c);
    }
    unsetenv("RESPAN_OPEN_SPANS");
    setenv("RESPAN_SPOOL", "off", 1);
}

static void the_credentials_file_goes_before_opentelemetrys_endpoint(void **state) {
    (void)state;
    char dir[64], path[96];
    snprintf(dir, sizeof dir, "%s/respan", home);
    snprintf(path, sizeof path, "%s/credentials", dir);
    assert_int_equal(mkdir(dir, 0700), 0);
    write_file(path, "RESPAN_API_KEY=k\nRESPAN_BASE_URL=http://127.0.0.1:9999/api\n");
    setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector.example:4318", 1);
    setenv("OTEL_EXPORTER_OTLP_HEADERS", "Authorization=theirs", 1);
    rs_config c;
    assert_quietly(&c, NULL);
    unlink(path);
    rmdir(dir);
    assert_string_equal(c.base_url, "http://127.0.0.1:9999/api");
    assert_true(c.key_from_file);
    assert_int_equal(c.header_count, 0);
    rs_config_deinit(&c);
}

static void spans_that_leave_the_machine_for_opentelemetrys_endpoint_say_so(void **state) {
    (void)state;
    setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector.example:4318", 1);
    rs_config c;
    assert_string_equal(
        resolve(&c, NULL),
        "respan: spans go to http://collector.example:4318/v1/traces, as OTEL_EXPORTER_OTLP_ENDPOINT "
        "says; RESPAN_BASE_URL would say otherwise\n");
    assert_false(c.key_from_file);
    rs_config_deinit(&c);
}

static void an_endpoint_that_is_none_is_ignored(void **state) {
    (void)state;
    static const struct {
        const char *name, *value, *says;
    } cases[] = {
        {"OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317", "OTEL_EXPORTER_OTLP_ENDPOINT is ignored"},
        {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://u:secret@h/",
         "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is ignored"},
        {"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "OTEL_EXPORTER_OTLP_PROTOCOL=grpc is ignored"},
    };
    for (size_t i = 0; i < RS_ARRAY_LEN(cases); i++) {
        clear(NULL);
        if (i == 2) setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4317", 1);
        setenv(cases[i].name, cases[i].value, 1);
        rs_config c;
        const char *said = resolve(&c, NULL);
        assert_non_null(strstr(said, cases[i].says));
        assert_null(strstr(said, "secret"));
        assert_string_equal(c.base_url, "http://127.0.0.1:8460/api");
        rs_config_deinit(&c);
    }
}

/* ---- headers ------------------------------------------------------------------------------------------- */

static void opentelemetrys_headers_go_to_its_endpoint(void **state) {
    (void)state;
    setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318", 1);
    setenv("OTEL_EXPORTER_OTLP_HEADERS", "never=used", 1);
    setenv("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "Authorization=Basic%20YQ%3D%3D, x-a = b ,x-given=theirs,",
           1);
    respan_header header = {"X-Given", "ours"};
    respan_config given = plain();
    given.headers = &header;
    given.header_count = 1;
    rs_config c;
    assert_quietly(&c, &given);
    assert_int_equal(c.header_count, 3);
    assert_string_equal(c.headers[0], "Authorization: Basic YQ==");
    assert_string_equal(c.headers[1], "x-a: b");
    assert_string_equal(c.headers[2], "X-Given: ours");
    rs_config_deinit(&c);
}

static void they_go_nowhere_else(void **state) {
    (void)state;
    setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318", 1);
    setenv("OTEL_EXPORTER_OTLP_HEADERS", "Authorization=theirs", 1);
    setenv("RESPAN_BASE_URL", "http://localhost:1/api", 1);
    rs_config c;
    assert_quietly(&c, NULL);
    assert_int_equal(c.header_count, 0);
    rs_config_deinit(&c);
}

static void bad_headers_are_one_warning_without_the_secret(void **state) {
    (void)state;
    setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318", 1);
    setenv("OTEL_EXPORTER_OTLP_HEADERS", "secret,x-a=b,=secret,y: z=secret,x-c=one%0d%0aInjected: secret", 1);
    rs_config c;
    assert_string_equal(resolve(&c, NULL),
                        "respan: OTEL_EXPORTER_OTLP_HEADERS is ignored in part: it must be "
                        "key=value,key=value with both percent-encoded\n");
    assert_int_equal(c.header_count, 1);
    assert_string_equal(c.headers[0], "x-a: b");
    rs_config_deinit(&c);
    char many[2000] = "";
    for (int i = 0; i < 100; i++) snprintf(many + strlen(many), sizeof many - strlen(many), "x-%d=%d,", i, i);
    setenv("OTEL_EXPORTER_OTLP_HEADERS", many, 1);
    assert_string_not_equal(resolve(&c, NULL), "");
    assert_int_equal(c.header_count, 64);
    rs_config_deinit(&c);
}

/* ---- transport ----------------------------------------------------------------------------------------- */

static rs_coding coding_for(const char *url) {
    respan_config given = plain();
    given.base_url = url;
    rs_config c;
    assert_quietly(&c, &given);
    rs_coding coding = c.coding;
    rs_config_deinit(&c);
    return coding;
}

static void compression_is_for_what_goes_over_a_network(void **state) {
    (void)state;
    assert_int_equal(coding_for("http://127.0.0.1:1/api"), RS_CODING_NONE);
    assert_int_equal(coding_for("https://example.org/api"), RS_CODING_GZIP);
    setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip", 1);
    assert_int_equal(coding_for("http://127.0.0.1:1/api"), RS_CODING_GZIP);
    setenv("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "None", 1);
    assert_int_equal(coding_for("https://example.org/api"), RS_CODING_NONE);
    setenv("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "zstd", 1);
    assert_int_equal(coding_for("https://example.org/api"), RS_CODING_ZSTD);
    setenv("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "lzma", 1);
    rs_config c;
    assert_string_equal(resolve(&c, NULL),
                        "respan: OTEL_EXPORTER_OTLP_TRACES_COMPRESSION=lzma is ignored: it must be "
                        "none or gzip or zstd\n");
    assert_int_equal(c.coding, RS_CODING_GZIP); /* of the general variable */
    rs_config_deinit(&c);
}

static char *file_of(rs_config *c, size_t i) {
    char *all[] = {c->ca_file, c->client_certificate, c->client_key};
    return all[i];
}

static void files_of_certificates_are_taken_if_they_can_be_read(void **state) {
    (void)state;
    static const char *const names[][3] = {
        {"OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "OTEL_EXPORTER_OTLP_CERTIFICATE", "SSL_CERT_FILE"},
        {"OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE", "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", NULL},
        {"OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY", "OTEL_EXPORTER_OTLP_CLIENT_KEY", NULL}};
    for (size_t i = 0; i < RS_ARRAY_LEN(names); i++)
        for (size_t k = 0; k < 3 && names[i][k]; k++) {
            rs_config c;
            clear(NULL);
            setenv(names[i][k], file_path, 1);
            assert_quietly(&c, NULL);
            assert_string_equal(file_of(&c, i), file_path);
            rs_config_deinit(&c);
            setenv(names[i][k], home, 1);
            const char *said = resolve(&c, NULL);
            char expected[192];
            snprintf(expected, sizeof expected,
                     "respan: %s=%s is ignored: it must be the path of a file that can be read\n",
                     names[i][k], home);
            assert_string_equal(said, expected);
            assert_null(file_of(&c, i));
            rs_config_deinit(&c);
        }
}

/* ---- who speaks ---------------------------------------------------------------------------------------- */

static bool resource_has(const rs_config *c, const char *text) {
    return memmem(c->resource.p, c->resource.n, text, strlen(text)) != NULL;
}

static void the_resource_is_described(void **state) {
    (void)state;
    setenv("OTEL_RESOURCE_ATTRIBUTES", "service.name=of-list,team=red%2C%20blue,nonsense", 1);
    rs_config c;
    assert_string_equal(resolve(&c, NULL), "respan: OTEL_RESOURCE_ATTRIBUTES is ignored in part: it must be "
                                           "key=value,key=value with both percent-encoded\n");
    assert_true(resource_has(&c, "of-list") && resource_has(&c, "red, blue"));
    rs_config_deinit(&c);
    setenv("OTEL_RESOURCE_ATTRIBUTES", "service.name=of-list", 1);
    setenv("OTEL_SERVICE_NAME", "of-name", 1);
    assert_quietly(&c, NULL);
    assert_true(resource_has(&c, "of-name") && !resource_has(&c, "of-list"));
    rs_config_deinit(&c);
}

/* ---- switched off -------------------------------------------------------------------------------------- */

static void disabled_is_no_client_and_no_error(void **state) {
    (void)state;
    setenv("OTEL_SDK_DISABLED", "True", 1);
    respan_client *c = (respan_client *)&c;
    assert_int_equal(respan_client_open(NULL, &c, NULL), RESPAN_OK);
    assert_null(c);
    respan_span *span = respan_span_start(c, RESPAN_TEXT("nothing"), NULL, 0);
    assert_null(span);
    respan_span_end(span, 0);
    assert_int_equal(respan_client_flush(c, 1000), RESPAN_OK);
    respan_stats stats;
    assert_int_equal(respan_client_close(c, 1000, &stats), RESPAN_OK);
    assert_int_equal(stats.started, 0);
}

static void disabled_by_true_alone(void **state) {
    (void)state;
    static const char *const others[] = {"false", "", "1"};
    for (size_t i = 0; i < RS_ARRAY_LEN(others); i++) {
        setenv("OTEL_SDK_DISABLED", others[i], 1);
        respan_client *c;
        int saved = hear();
        assert_int_equal(respan_client_open(NULL, &c, NULL), RESPAN_OK);
        assert_int_equal(respan_client_close(c, 0, NULL), RESPAN_OK);
        assert_string_equal(
            heard(saved), i == 2 ? "respan: OTEL_SDK_DISABLED=1 is ignored: it must be false or true\n" : "");
        assert_non_null(c);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(numbers_are_taken, clear),
        cmocka_unit_test_setup(the_program_goes_before_the_environment, clear),
        cmocka_unit_test_setup(bad_numbers_are_one_warning_and_ignored, clear),
        cmocka_unit_test_setup(the_sampler_is_a_bound_of_ids, clear),
        cmocka_unit_test_setup(the_destination_is_ours_to_say_then_opentelemetrys, clear),
        cmocka_unit_test_setup(open_spans_are_told_beside_the_others, clear),
        cmocka_unit_test_setup(the_credentials_file_goes_before_opentelemetrys_endpoint, clear),
        cmocka_unit_test_setup(spans_that_leave_the_machine_for_opentelemetrys_endpoint_say_so, clear),
        cmocka_unit_test_setup(an_endpoint_that_is_none_is_ignored, clear),
        cmocka_unit_test_setup(opentelemetrys_headers_go_to_its_endpoint, clear),
        cmocka_unit_test_setup(they_go_nowhere_else, clear),
        cmocka_unit_test_setup(bad_headers_are_one_warning_without_the_secret, clear),
        cmocka_unit_test_setup(compression_is_for_what_goes_over_a_network, clear),
        cmocka_unit_test_setup(files_of_certificates_are_taken_if_they_can_be_read, clear),
        cmocka_unit_test_setup(the_resource_is_described, clear),
        cmocka_unit_test_setup(disabled_is_no_client_and_no_error, clear),
        cmocka_unit_test_setup(disabled_by_true_alone, clear),
    };
    return cmocka_run_group_tests(tests, make_home, remove_home);
}
