#include "sdk/config.h"

#include "base/credentials.h"
#include "base/ids.h"
#include "sdk/attributes.h"
#include "sdk/spool_dir.h"
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define DEFAULT_BASE_URL "http://127.0.0.1:8460/api"
enum { RESOURCE_ATTRIBUTES = 1, RESOURCE_MAX = 1 << 20, HEADERS_MAX = 64 };

RESPAN_API void respan_config_init(respan_config *config) {
    if (!config) return;
    *config = (respan_config){.size = sizeof *config,
                              .ring_bytes = 64 << 20,
                              .batch_spans = 512,
                              .batch_bytes = 2 << 20,
                              .batch_interval_ms = 500,
                              .request_timeout_ms = 10000,
                              .max_content_bytes = 4 << 20,
                              .spool_bytes = 64 << 20};
}

/* A variable that is set to something. */
static const char *env(const char *name) {
    const char *v = getenv(name);
    return v && *v ? v : NULL;
}

static bool is_header_text(const char *s) {
    for (; *s; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f) return false;
    return true;
}

/* ---- where to, and as whom ----------------------------------------------------------------------------- */

static rs_status resolve_url(rs_config *c, const char *url, rs_err *err) {
    const char *host = strncasecmp(url, "http://", 7) == 0    ? url + 7
                       : strncasecmp(url, "https://", 8) == 0 ? url + 8
                                                              : NULL;
    if (!host || !*host || strchr("/?#:", *host))
        return rs_fail(err, RS_ERR_INVALID, 0,
                       "base_url must be an http:// or https:// address, such as " DEFAULT_BASE_URL);
    for (const char *p = url; *p; p++)
        if ((unsigned char)*p <= 0x20 || *p == 0x7f || *p == '?' || *p == '#')
            return rs_fail(err, RS_ERR_INVALID, (size_t)(p - url),
                           "base_url must be an address without spaces, ? and #");
    if (memchr(host, '@', strcspn(host, "/")))
        return rs_fail(err, RS_ERR_INVALID, 0,
                       "base_url must not hold user:password; give api_key or headers");
    size_t n = strlen(url);
    while (n > 0 && url[n - 1] == '/') n--;
    if (asprintf(&c->base_url, "%.*s", (int)n, url) < 0) c->base_url = NULL;
    if (asprintf(&c->traces_url, "%.*s/v2/traces", (int)n, url) < 0) c->traces_url = NULL;
    if (!c->base_url || !c->traces_url) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    c->is_loopback = rs_url_is_loopback(c->base_url);
    const char *ca_file = env("SSL_CERT_FILE");
    if (ca_file && !(c->ca_file = strdup(ca_file))) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    return RS_OK;
}

static rs_status resolve_key(rs_config *c, const char *key, rs_err *err) {
    if (!key) {
        c->key_from_file = c->is_loopback;
        return RS_OK;
    }
    if (!is_header_text(key))
        return rs_fail(err, RS_ERR_INVALID, 0, "api_key holds a control character (a line end?)");
    c->api_key = strdup(key);
    return c->api_key ? RS_OK : rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
}

static rs_status resolve_destination(rs_config *c, const respan_config *given, rs_err *err) {
    rs_credentials file = {0};
    const char *url = given->base_url ? given->base_url : env("RESPAN_BASE_URL");
    if (!url && rs_credentials_read(&file, NULL) == RS_OK && file.base_url[0]) url = file.base_url;
    rs_status st = resolve_url(c, url ? url : DEFAULT_BASE_URL, err);
    if (st == RS_OK) st = resolve_key(c, given->api_key ? given->api_key : env("RESPAN_API_KEY"), err);
    return st;
}

static rs_status resolve_headers(rs_config *c, const respan_config *given, rs_err *err) {
    if (!given->headers || given->header_count == 0) return RS_OK;
    if (given->header_count > HEADERS_MAX)
        return rs_fail(err, RS_ERR_INVALID, 0, "headers: at most %d", HEADERS_MAX);
    c->headers = calloc(given->header_count, sizeof *c->headers);
    if (!c->headers) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    for (size_t i = 0; i < given->header_count; i++) {
        const respan_header *h = &given->headers[i];
        if (!h->name || !h->value || !*h->name || strpbrk(h->name, ": \t") || !is_header_text(h->name) ||
            !is_header_text(h->value))
            return rs_fail(err, RS_ERR_INVALID, i,
                           "headers[%zu] is not a header name and a value on one line", i);
        /* curl's way to send a header without a value is a semicolon */
        if (asprintf(&c->headers[i], *h->value ? "%s: %s" : "%s;%s", h->name, h->value) < 0) {
            c->headers[i] = NULL;
            return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
        }
        c->header_count++;
    }
    return RS_OK;
}

/* ---- who speaks ---------------------------------------------------------------------------------------- */

static void set_text(rs_fields *f, rs_str key, rs_str value) {
    respan_attribute a = {
        .key = {key.p, key.n}, .type = RESPAN_TYPE_STRING, .value.string = {value.p, value.n}};
    rs_fields_set(f, RESOURCE_ATTRIBUTES, &a, RESOURCE_MAX);
}

/* Decodes %XX in place of text that is ours; gives the new length. */
static size_t percent_decode(char *p, size_t n) {
    size_t out = 0;
    for (size_t i = 0; i < n; i++) {
        uint8_t byte;
        if (p[i] == '%' && i + 2 < n && rs_unhex((rs_str){p + i + 1, 2}, &byte, 1)) {
            p[out++] = (char)byte;
            i += 2;
        } else {
            p[out++] = p[i];
        }
    }
    return out;
}

static rs_str trim(rs_str s) {
    while (s.n && (s.p[0] == ' ' || s.p[0] == '\t')) s.p++, s.n--;
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t')) s.n--;
    return s;
}

/* OTEL_RESOURCE_ATTRIBUTES: key=value,key=value, both percent-encoded (W3C Baggage). Malformed parts are left
 * out. */
static void add_environment_attributes(rs_fields *f) {
    const char *text = env("OTEL_RESOURCE_ATTRIBUTES");
    char *copy = text ? strdup(text) : NULL;
    for (char *part = copy; part && *part;) {
        size_t n = strcspn(part, ",");
        char *next = part[n] ? part + n + 1 : part + n, *equals = memchr(part, '=', n);
        if (equals) {
            rs_str key = trim((rs_str){part, (size_t)(equals - part)});
            rs_str value = trim((rs_str){equals + 1, (size_t)(part + n - equals - 1)});
            key.n = percent_decode((char *)key.p, key.n);
            value.n = percent_decode((char *)value.p, value.n);
            set_text(f, key, value);
        }
        part = next;
    }
    free(copy);
}

/* Later ones win: SDK, environment, the program. */
static rs_status encode_resource(rs_config *c, const respan_config *given, rs_err *err) {
    rs_fields f;
    rs_fields_init(&f, RESOURCE_MAX);
    set_text(&f, RS_STR("service.name"), RS_STR("unknown_service"));
    set_text(&f, RS_STR("telemetry.sdk.name"), RS_STR("respan"));
    set_text(&f, RS_STR("telemetry.sdk.language"), RS_STR("c"));
    set_text(&f, RS_STR("telemetry.sdk.version"), RS_STR(RS_VERSION));
    add_environment_attributes(&f);
    const char *service = given->app_name ? given->app_name : env("OTEL_SERVICE_NAME");
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
    return why == RS_OK ? RS_OK : rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
}

static rs_status encode_identity(rs_config *c, const respan_config *given, rs_err *err) {
    rs_status st = encode_resource(c, given, err);
    if (st != RS_OK) return st;
    bool own = given->scope_name == NULL;
    const char *name = own ? "respan" : given->scope_name, *version = given->scope_version;
    if (!version && own) version = RS_VERSION;
    rs_pb_text(&c->scope, 1, rs_str_of(name), RS_KEY_MAX);
    if (version) rs_pb_text(&c->scope, 2, rs_str_of(version), RS_KEY_MAX);
    if (given->environment) {
        respan_attribute a = {.key = {RESPAN_TEXT("respan.environment")},
                              .type = RESPAN_TYPE_STRING,
                              .value.string = {given->environment, strlen(given->environment)}};
        c->environment = respan_attributes_new(&a, 1);
        if (!c->environment) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    }
    return rs_buf_status(&c->scope) == RS_OK ? RS_OK : rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
}

/* RESPAN_SPOOL=off, or no folder to be had: no spool. */
static rs_status resolve_spool(rs_config *c, const respan_config *given, rs_err *err) {
    const char *app = given->app_name ? given->app_name : env("OTEL_SERVICE_NAME");
    const char *wish = env("RESPAN_SPOOL");
    bool off =
        wish && (strcasecmp(wish, "off") == 0 || strcasecmp(wish, "false") == 0 || strcmp(wish, "0") == 0);
    char dir[RS_PATH_MAX];
    if (off || given->spool_bytes == 0 || rs_spool_dir(dir, NULL) != RS_OK) return RS_OK;
    c->app_name = strdup(app ? app : "unknown_service");
    c->spool_dir = strdup(dir);
    if (!c->app_name || !c->spool_dir) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    c->spool_bytes = given->spool_bytes;
    return RS_OK;
}

/* ---- whole --------------------------------------------------------------------------------------------- */

rs_status rs_config_resolve(rs_config *c, const respan_config *given, rs_err *err) {
    respan_config defaults, config;
    respan_config_init(&defaults);
    config = defaults;
    if (given) {
        if (given->size == 0 || given->size > sizeof config)
            return rs_fail(err, RS_ERR_INVALID, 0, "config.size is not set: call respan_config_init first");
        memcpy(&config, given, given->size);
    }
    *c = (rs_config){
        .ring_bytes = config.ring_bytes ? config.ring_bytes : defaults.ring_bytes,
        .batch_bytes = config.batch_bytes ? config.batch_bytes : defaults.batch_bytes,
        .batch_spans = config.batch_spans ? config.batch_spans : defaults.batch_spans,
        .batch_interval_ms = config.batch_interval_ms ? config.batch_interval_ms : defaults.batch_interval_ms,
        .request_timeout_ms =
            config.request_timeout_ms ? config.request_timeout_ms : defaults.request_timeout_ms,
        .max_content_bytes = config.max_content_bytes ? config.max_content_bytes : defaults.max_content_bytes,
        .quiet = config.quiet,
    };
    rs_status st = resolve_destination(c, &config, err);
    if (st == RS_OK) st = resolve_headers(c, &config, err);
    if (st == RS_OK) st = encode_identity(c, &config, err);
    if (st == RS_OK) st = resolve_spool(c, &config, err);
    return st;
}

void rs_config_deinit(rs_config *c) {
    free(c->base_url);
    free(c->traces_url);
    free(c->ca_file);
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
