#include "sdk/config.h"

#include "base/credentials.h"
#include "base/fingerprint.h"
#include "base/log.h"
#include "sdk/attributes.h"
#include "sdk/environment.h"
#include "sdk/spool_dir.h"
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define DEFAULT_BASE_URL "http://127.0.0.1:8460/api"
enum { RESOURCE_ATTRIBUTES = 1, RESOURCE_MAX = 1 << 20, HEADERS_MAX = 64 };

RESPAN_API void respan_config_init(respan_config *config) {
    if (!config) return;
    *config = (respan_config){
        .size = sizeof *config, .ring_bytes = 64 << 20, .batch_bytes = 2 << 20, .spool_bytes = 64 << 20};
}

static bool is_header_text(const char *s) {
    for (; *s; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f) return false;
    return true;
}

/* ---- where to, and as whom ----------------------------------------------------------------------------- */

static rs_status no_memory(rs_err *err) { return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory"); }

/* What an address must be that this one is not; NULL if all is well. */
static const char *url_problem(const char *url) {
    const char *host = strncasecmp(url, "http://", 7) == 0    ? url + 7
                       : strncasecmp(url, "https://", 8) == 0 ? url + 8
                                                              : NULL;
    if (!host || !*host || strchr("/?#:", *host))
        return "an http:// or https:// address, such as " DEFAULT_BASE_URL;
    for (const char *p = url; *p; p++)
        if ((unsigned char)*p <= 0x20 || *p == 0x7f || *p == '?' || *p == '#')
            return "an address without spaces, ? and #";
    if (memchr(host, '@', strcspn(host, "/"))) return "without user:password; give api_key or headers";
    return NULL;
}

/* Takes an address without problem; what is behind it by default, unless it ends in the path of an endpoint itself. */
static rs_status set_url(rs_config *c, const char *url, const char *path, rs_err *err) {
    rs_str base = rs_str_of(url);
    while (base.n > 0 && base.p[base.n - 1] == '/') base.n--;
    bool whole = rs_str_ends(base, RS_STR("/v1/traces")) || rs_str_ends(base, RS_STR("/v2/traces"));
    if (asprintf(&c->base_url, "%.*s", RS_STR_ARG(base)) < 0) c->base_url = NULL;
    if (asprintf(&c->traces_url, "%.*s%s", RS_STR_ARG(base), whole ? "" : path) < 0) c->traces_url = NULL;
    if (!c->base_url || !c->traces_url) return no_memory(err);
    c->is_loopback = rs_url_is_loopback(c->base_url);
    return RS_OK;
}

/* OpenTelemetry's address for all signals. */
static rs_status set_signal_url(rs_config *c, const char *url, rs_err *err) {
    rs_str base = rs_str_of(url);
    char *whole;
    while (base.n > 0 && base.p[base.n - 1] == '/') base.n--;
    if (asprintf(&whole, "%.*s/v1/traces", RS_STR_ARG(base)) < 0) return no_memory(err);
    rs_status st = set_url(c, whole, "", err);
    free(whole);
    return st;
}

static rs_status resolve_key(rs_config *c, const char *key, rs_err *err) {
    if (!key) {
        c->key_from_file = c->is_loopback;
        return RS_OK;
    }
    if (!is_header_text(key))
        return rs_fail(err, RS_ERR_INVALID, 0, "api_key holds a control character (a line end?)");
    c->api_key = strdup(key);
    return c->api_key ? RS_OK : no_memory(err);
}

/* OpenTelemetry's variables say where to when nothing of ours does. *found: they did. */
static rs_status resolve_otel_endpoint(rs_config *c, bool *found, rs_err *err) {
    static const char *const names[] = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"};
    static const char *const protocols[] = {"http/protobuf", "http/json",
                                            NULL}; /* who takes one takes both */
    const rs_env_name protocol = {"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"};
    for (size_t i = 0; i < RS_ARRAY_LEN(names); i++) {
        const char *url = rs_env_text(names[i]), *problem = url ? url_problem(url) : NULL;
        if (problem) rs_env_warn(names[i], NULL, problem, c->quiet);
        if (!url || problem) continue;
        if ((rs_env_text(protocol.specific) || rs_env_text(protocol.general)) &&
            rs_env_word(protocol, protocols, c->quiet) < 0)
            return RS_OK; /* gRPC's port does not speak HTTP/1.1 */
        rs_status st = i == 0 ? set_url(c, url, "", err) : set_signal_url(c, url, err);
        if (st == RS_OK && !c->is_loopback && !c->quiet)
            rs_log("spans go to %s, as %s says; RESPAN_BASE_URL would say otherwise", c->traces_url,
                   names[i]);
        *found = st == RS_OK;
        return st;
    }
    return RS_OK;
}

static rs_status resolve_destination(rs_config *c, const respan_config *given, rs_err *err) {
    rs_credentials file = {0};
    const char *url = given->base_url ? given->base_url : rs_env_text("RESPAN_BASE_URL");
    const char *key = given->api_key ? given->api_key : rs_env_text("RESPAN_API_KEY");
    if (!url && rs_credentials_read(&file, NULL) == RS_OK && file.base_url[0]) url = file.base_url;
    const char *problem = url ? url_problem(url) : NULL;
    if (problem) return rs_fail(err, RS_ERR_INVALID, 0, "base_url must be %s", problem);
    rs_status st = RS_OK;
    if (!url && !key) st = resolve_otel_endpoint(c, &c->is_otel_endpoint, err);
    if (st != RS_OK || c->is_otel_endpoint) return st;
    st = set_url(c, url ? url : DEFAULT_BASE_URL, "/v2/traces", err);
    return st == RS_OK ? resolve_key(c, key, err) : st;
}

static rs_status resolve_transport(rs_config *c, rs_err *err) {
    static const struct {
        rs_env_name name;
        size_t field;
    } files[] = {
        {{"OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE", "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"},
         offsetof(rs_config, client_certificate)},
        {{"OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY", "OTEL_EXPORTER_OTLP_CLIENT_KEY"},
         offsetof(rs_config, client_key)},
        {{"OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "OTEL_EXPORTER_OTLP_CERTIFICATE"},
         offsetof(rs_config, ca_file)},
        {{"SSL_CERT_FILE", NULL}, offsetof(rs_config, ca_file)}, /* if the one above is not set */
    };
    for (size_t i = 0; i < RS_ARRAY_LEN(files); i++) {
        char **field = (char **)((char *)c + files[i].field);
        const char *path = *field ? NULL : rs_env_file(files[i].name, c->quiet);
        if (path && !(*field = strdup(path))) return no_memory(err);
    }
    static const char *const codings[] = {"none", "gzip", "zstd", NULL}; /* as rs_coding has them */
    int coding =
        rs_env_word((rs_env_name){"OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "OTEL_EXPORTER_OTLP_COMPRESSION"},
                    codings, c->quiet);
    c->is_coding_given = coding >= 0;
    c->coding = coding >= 0 ? (rs_coding)coding : c->is_loopback ? RS_CODING_NONE : RS_CODING_GZIP;
    return RS_OK;
}

/* ---- headers ------------------------------------------------------------------------------------------- */

static bool is_header(const char *name, const char *value) {
    return *name && !strpbrk(name, ": \t") && is_header_text(name) && is_header_text(value);
}

static rs_status add_header(rs_config *c, const char *name, const char *value) {
    char *line;
    /* curl's way to send a header without a value is a semicolon */
    if (asprintf(&line, *value ? "%s: %s" : "%s;%s", name, value) < 0) return RS_ERR_MEMORY;
    c->headers[c->header_count++] = line;
    return RS_OK;
}

typedef struct otel_headers {
    rs_config *config;
    const respan_config *given;
    rs_status status;
} otel_headers;

/* What the program gives has its name to itself. */
static bool take_otel_header(void *context, rs_str key, rs_str value) {
    otel_headers *h = context;
    char *name = strndup(key.p, key.n), *text = strndup(value.p, value.n);
    bool ok = name && text && is_header(name, text) && h->config->header_count < HEADERS_MAX;
    bool given = false;
    for (size_t i = 0; ok && h->given->headers && i < h->given->header_count && !given; i++)
        given = h->given->headers[i].name && strcasecmp(h->given->headers[i].name, name) == 0;
    if (!name || !text) h->status = RS_ERR_MEMORY;
    else if (ok && !given && h->status == RS_OK) h->status = add_header(h->config, name, text);
    free(name);
    free(text);
    return ok;
}

/* OpenTelemetry's headers hold the key of OpenTelemetry's endpoint: they go nowhere else. */
static rs_status resolve_headers(rs_config *c, const respan_config *given, rs_err *err) {
    size_t count = given->headers ? given->header_count : 0;
    if (count > HEADERS_MAX) return rs_fail(err, RS_ERR_INVALID, 0, "headers: at most %d", HEADERS_MAX);
    c->headers = calloc(HEADERS_MAX + count, sizeof *c->headers);
    if (!c->headers) return no_memory(err);
    otel_headers otel = {c, given, RS_OK};
    const rs_env_name name = {"OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"};
    if (c->is_otel_endpoint &&
        (!rs_env_pairs(name, take_otel_header, &otel, c->quiet) || otel.status != RS_OK))
        return no_memory(err);
    for (size_t i = 0; i < count; i++) {
        const respan_header *h = &given->headers[i];
        if (!h->name || !h->value || !is_header(h->name, h->value))
            return rs_fail(err, RS_ERR_INVALID, i,
                           "headers[%zu] is not a header name and a value on one line", i);
        if (add_header(c, h->name, h->value) != RS_OK) return no_memory(err);
    }
    return RS_OK;
}

/* What stands behind `name` in a header's line; NULL: it is another. */
static const char *value_of(const char *line, const char *name) {
    size_t n = strlen(name);
    if (strncasecmp(line, name, n) != 0) return NULL;
    return line + n + strspn(line + n, " ");
}

/* Whose the spans are, as far as the spool is to tell. */
static uint64_t resolve_fingerprint(const rs_config *c) {
    if (c->api_key) return rs_fingerprint(rs_str_of(c->api_key));
    for (size_t i = 0; i < c->header_count; i++) {
        const char *key = value_of(c->headers[i], "x-api-key:"), *bearer;
        if (!key) key = value_of(c->headers[i], "authorization:");
        if (key && (bearer = value_of(key, "bearer "))) key = bearer;
        if (key) return rs_fingerprint(rs_str_of(key));
    }
    return 0;
}

/* ---- who speaks ---------------------------------------------------------------------------------------- */

static void set_text(rs_fields *f, rs_str key, rs_str value) {
    respan_attribute a = {
        .key = {key.p, key.n}, .type = RESPAN_TYPE_STRING, .value.string = {value.p, value.n}};
    rs_fields_set(f, RESOURCE_ATTRIBUTES, &a, RESOURCE_MAX);
}

static bool take_resource_attribute(void *fields, rs_str key, rs_str value) {
    set_text(fields, key, value);
    return true;
}

/* Later ones win: SDK, environment, the program. */
static rs_status encode_resource(rs_config *c, const respan_config *given, rs_err *err) {
    rs_fields f;
    rs_fields_init(&f, RESOURCE_MAX);
    set_text(&f, RS_STR("service.name"), RS_STR("unknown_service"));
    set_text(&f, RS_STR("telemetry.sdk.name"), RS_STR("respan"));
    set_text(&f, RS_STR("telemetry.sdk.language"), RS_STR("c"));
    set_text(&f, RS_STR("telemetry.sdk.version"), RS_STR(RS_VERSION));
    if (!rs_env_pairs((rs_env_name){"OTEL_RESOURCE_ATTRIBUTES", NULL}, take_resource_attribute, &f, c->quiet))
        f.why = RS_ERR_MEMORY;
    const char *service = given->app_name ? given->app_name : rs_env_text("OTEL_SERVICE_NAME");
    if (service) set_text(&f, RS_STR("service.name"), rs_str_of(service));
    if (given->environment)
        set_text(&f, RS_STR("deployment.environment.name"), rs_str_of(given->environment));
    for (size_t i = 0; given->resource_attributes && i < given->resource_attribute_count; i++)
        rs_fields_set(&f, RESOURCE_ATTRIBUTES, &given->resource_attributes[i], RESOURCE_MAX);
    rs_fields_compact(&f);
    rs_buf_str(&c->resource, rs_buf_slice(&f.wire));
    rs_status why = f.why;
    rs_fields_deinit(&f);
    if (why == RS_OK) why = rs_buf_status(&c->resource);
    if (why == RS_ERR_TOO_LARGE)
        return rs_fail(err, RS_ERR_INVALID, 0, "resource_attributes are over %d bytes", RESOURCE_MAX);
    return why == RS_OK ? RS_OK : no_memory(err);
}

static rs_status encode_identity(rs_config *c, const respan_config *given, rs_err *err) {
    rs_status st = encode_resource(c, given, err);
    if (st != RS_OK) return st;
    bool own = given->scope_name == NULL;
    const char *name = own ? "respan" : given->scope_name, *version = given->scope_version;
    if (!version && own) version = RS_VERSION;
    rs_fields scope;
    rs_fields_init(&scope, RESOURCE_MAX);
    rs_fields_set_text(&scope, 1, RS_FIELD_KIND_PART, rs_str_of(name), RS_KEY_MAX);
    if (version) rs_fields_set_text(&scope, 2, RS_FIELD_KIND_PART, rs_str_of(version), RS_KEY_MAX);
    rs_buf_str(&c->scope, rs_buf_slice(&scope.wire));
    if (scope.left_out) c->scope.failed = scope.why;
    rs_fields_deinit(&scope);
    if (given->environment) {
        respan_attribute a = {.key = {RESPAN_TEXT("respan.environment")},
                              .type = RESPAN_TYPE_STRING,
                              .value.string = {given->environment, strlen(given->environment)}};
        c->environment = respan_attributes_new(&a, 1);
        if (!c->environment) return no_memory(err);
    }
    return rs_buf_status(&c->scope) == RS_OK ? RS_OK : no_memory(err);
}

static bool is_off(const char *name) {
    const char *wish = rs_env_text(name);
    return wish && (strcasecmp(wish, "off") == 0 || strcasecmp(wish, "false") == 0 || strcmp(wish, "0") == 0);
}

/* RESPAN_SPOOL=off, or no folder to be had: no spool. */
static rs_status resolve_spool(rs_config *c, const respan_config *given, rs_err *err) {
    const char *app = given->app_name ? given->app_name : rs_env_text("OTEL_SERVICE_NAME");
    bool off = is_off("RESPAN_SPOOL");
    char dir[RS_PATH_MAX];
    if (off || given->spool_bytes == 0 || rs_spool_dir(dir, NULL) != RS_OK) return RS_OK;
    c->app_name = strdup(app ? app : "unknown_service");
    c->spool_dir = strdup(dir);
    if (!c->app_name || !c->spool_dir) return no_memory(err);
    c->spool_bytes = given->spool_bytes;
    return RS_OK;
}

/* Beside where spans are posted, {…}/traces, unless RESPAN_OPEN_SPANS=off; without a spool there is nothing to read them from. */
static rs_status resolve_open(rs_config *c, rs_err *err) {
    rs_str url = rs_str_of(c->traces_url), last = RS_STR("traces");
    if (!c->spool_bytes || is_off("RESPAN_OPEN_SPANS") || !rs_str_ends(url, RS_STR("/traces"))) return RS_OK;
    if (asprintf(&c->open_url, "%.*sopen", (int)(url.n - last.n), url.p) < 0) c->open_url = NULL;
    return c->open_url ? RS_OK : no_memory(err);
}

/* ---- how much and how often ----------------------------------------------------------------------------- */

/* What the program gives, else the environment, else the default. */
static void resolve_limits(rs_config *c, const respan_config *given) {
    enum { BATCH_SPANS = 512, INTERVAL_MS = 500, TIMEOUT_MS = 10000, CONTENT = 4 << 20, DAY_MS = 86400000 };
    static const rs_env_name batch = {"OTEL_BSP_MAX_EXPORT_BATCH_SIZE", NULL},
                             delay = {"OTEL_BSP_SCHEDULE_DELAY", NULL},
                             timeout = {"OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"},
                             content = {"OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT",
                                        "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT"};
    bool quiet = c->quiet;
    c->batch_spans =
        given->batch_spans ? given->batch_spans : rs_env_number(batch, 1, 1 << 20, BATCH_SPANS, quiet);
    c->batch_interval_ms = given->batch_interval_ms ? given->batch_interval_ms
                                                    : rs_env_number(delay, 0, DAY_MS, INTERVAL_MS, quiet);
    c->request_timeout_ms = given->request_timeout_ms ? given->request_timeout_ms
                                                      : rs_env_number(timeout, 1, DAY_MS, TIMEOUT_MS, quiet);
    c->max_content_bytes = given->max_content_bytes ? given->max_content_bytes
                                                    : rs_env_number(content, 1, UINT32_MAX, CONTENT, quiet);
}

/* What the program says, else RESPAN_MASK_SECRETS. */
static bool resolve_keeps_secrets(const respan_config *given) {
    static const char *const words[] = {"on", "true", "1", "yes", "off", "false", "0", "no", NULL};
    return given->keep_secrets ||
           rs_env_word((rs_env_name){"RESPAN_MASK_SECRETS", NULL}, words, given->quiet) >= 4;
}

/* ---- whole --------------------------------------------------------------------------------------------- */

/* The sampler's ratio as a bound of 64 bits, as OpenTelemetry's TraceIdRatioBased compares ids. */
static uint64_t resolve_sampler(bool quiet) {
    static const char *const words[] = {"always_on",
                                        "always_off",
                                        "traceidratio",
                                        "parentbased_always_on",
                                        "parentbased_always_off",
                                        "parentbased_traceidratio",
                                        NULL};
    static const char argument[] = "OTEL_TRACES_SAMPLER_ARG";
    int word = rs_env_word((rs_env_name){"OTEL_TRACES_SAMPLER", NULL}, words, quiet) % 3;
    if (word == 1) return 0;
    const char *text = word == 2 ? rs_env_text(argument) : NULL;
    if (!text) return UINT64_MAX;
    double ratio;
    if (!rs_str_to_double(rs_str_of(text), &ratio) || !(ratio >= 0 && ratio <= 1)) {
        rs_env_warn(argument, text, "a number from 0 to 1", quiet);
        return UINT64_MAX;
    }
    return ratio >= 1 ? UINT64_MAX : (uint64_t)(ratio * 18446744073709551616.0);
}

rs_status rs_config_resolve(rs_config *c, const respan_config *given, rs_err *err) {
    respan_config defaults, config;
    respan_config_init(&defaults);
    config = defaults;
    if (given) {
        if (given->size == 0 || given->size > sizeof config)
            return rs_fail(err, RS_ERR_INVALID, 0, "config.size is not set: call respan_config_init first");
        memcpy(&config, given, given->size);
    }
    *c = (rs_config){.ring_bytes = config.ring_bytes ? config.ring_bytes : defaults.ring_bytes,
                     .batch_bytes = config.batch_bytes ? config.batch_bytes : defaults.batch_bytes,
                     .quiet = config.quiet,
                     .keeps_secrets = resolve_keeps_secrets(&config)};
    resolve_limits(c, &config);
    c->sampled_below = resolve_sampler(c->quiet);
    rs_status st = resolve_destination(c, &config, err);
    if (st == RS_OK) st = resolve_transport(c, err);
    if (st == RS_OK) st = resolve_headers(c, &config, err);
    if (st == RS_OK) c->fingerprint = resolve_fingerprint(c);
    if (st == RS_OK) st = encode_identity(c, &config, err);
    if (st == RS_OK) st = resolve_spool(c, &config, err);
    if (st == RS_OK) st = resolve_open(c, err);
    return st;
}

bool rs_config_is_disabled(const respan_config *given) {
    static const char *const words[] = {"false", "true", NULL};
    return rs_env_word((rs_env_name){"OTEL_SDK_DISABLED", NULL}, words, given && given->quiet) == 1;
}

void rs_config_deinit(rs_config *c) {
    free(c->base_url);
    free(c->traces_url);
    free(c->open_url);
    free(c->ca_file);
    free(c->client_certificate);
    free(c->client_key);
    free(c->api_key);
    free(c->app_name);
    free(c->spool_dir);
    for (size_t i = 0; i < c->header_count; i++) free(c->headers[i]);
    free(c->headers);
    rs_buf_deinit(&c->resource);
    rs_buf_deinit(&c->scope);
    respan_attributes_free(c->environment);
    *c = (rs_config){0};
}
