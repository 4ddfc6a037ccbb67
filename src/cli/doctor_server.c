/* Doctor: the server that a program started here would send to, as the SDK's own configuration finds it. */
#include "cli/doctor.h"

#include "base/clock.h"
#include "base/ids.h"
#include "cli/client.h"
#include "cli/libcurl.h"
#include "sdk/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TIMEOUT_S = 3, SKEW_MAX_S = 5, ANSWER_MAX = 1 << 20 };
#define NO_SPANS "{\"resourceSpans\":[]}"

/* Where a program sends to, and who says so. */
typedef struct target {
    rs_config config;
    rs_credentials file;
    char file_path[RS_PATH_MAX];
    const char *url_from, *key_from; /* a variable's name, file_path, or "" */
    rs_client client;                /* of the API, for reading */
    bool has_api;                    /* it has an address; else spans are all that is known to go there */
} target;

static bool is_set(const char *name) {
    const char *v = getenv(name);
    return v && *v;
}

/* ---- what is configured -------------------------------------------------------------------------------- */

static void check_file(rs_doctor *d, target *t) {
    rs_err err = {0};
    struct stat st;
    rs_buf command;
    char dir[RS_PATH_MAX];
    t->file_path[0] = 0;
    if (rs_path_config(dir, NULL) != RS_OK || rs_path_join(t->file_path, dir, "credentials", NULL) != RS_OK ||
        stat(t->file_path, &st) != 0)
        return;
    if (rs_credentials_read(&t->file, &err) != RS_OK) {
        rs_doctor_find(d, RS_PROBLEM, "credentials", "%s", err.message);
        rs_doctor_remedy(d, NULL, "It must be a file that this user can read.");
        return;
    }
    if ((st.st_mode & 077) == 0) return;
    rs_buf_init(&command);
    rs_buf_text(&command, "chmod 600 ");
    rs_doctor_quote(&command, t->file_path);
    rs_doctor_find(d, RS_WARNING, "credentials",
                   "others on this machine may read the API key in %s (mode %04o)", t->file_path,
                   (unsigned)st.st_mode & 07777);
    rs_doctor_remedy(d, rs_buf_cstr(&command), "Keep it to yourself:");
    rs_buf_deinit(&command);
}

/* The first of these that is set. */
static const char *set_one(const char *specific, const char *general) {
    return is_set(specific) ? specific : is_set(general) ? general : "";
}

static void find_sources(target *t) {
    const rs_config *c = &t->config;
    if (c->is_otel_endpoint) {
        t->url_from = set_one("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT");
        t->key_from = set_one("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS");
        return;
    }
    t->url_from = is_set("RESPAN_BASE_URL") ? "RESPAN_BASE_URL" : t->file.base_url[0] ? t->file_path : "";
    t->key_from = c->api_key ? "RESPAN_API_KEY" : c->key_from_file && t->file.api_key[0] ? t->file_path : "";
}

/* Where a Respan server's API is if spans go to `base`: what is before the path of an endpoint; beside one without /api
 * only on this machine, since others need not be Respan's. */
static bool find_api(const rs_config *c, char *out, size_t size) {
    rs_str base = rs_str_of(c->base_url);
    bool whole = strcmp(c->base_url, c->traces_url) == 0;
    if (whole && base.n > strlen("/v2/traces")) base.n -= strlen("/v2/traces");
    bool api = rs_str_ends(base, RS_STR("/api"));
    bool beside = !api && (whole || c->is_otel_endpoint);
    if (beside && !c->is_loopback) return false;
    return snprintf(out, size, "%.*s%s", RS_STR_ARG(base), beside ? "/api" : "") < (int)size;
}

static void set_client(target *t) {
    const rs_config *c = &t->config;
    const char *key = c->api_key ? c->api_key : c->key_from_file ? t->file.api_key : "";
    t->client = (rs_client){.headers = (const char *const *)c->headers,
                            .header_count = c->header_count,
                            .ca_file = c->ca_file,
                            .certificate = c->client_certificate,
                            .certificate_key = c->client_key};
    t->has_api = find_api(c, t->client.to.base_url, sizeof t->client.to.base_url);
    snprintf(t->client.to.api_key, sizeof t->client.to.api_key, "%s", key);
}

static bool find_target(rs_doctor *d, target *t) {
    rs_err err = {0};
    check_file(d, t);
    respan_config quiet; /* the settings' check says what is wrong with variables */
    respan_config_init(&quiet);
    quiet.quiet = true;
    if (rs_config_resolve(&t->config, &quiet, &err) != RS_OK) {
        bool url = strstr(err.message, "base_url") != NULL;
        const char *name = url ? "RESPAN_BASE_URL" : "RESPAN_API_KEY";
        rs_doctor_find(d, RS_PROBLEM, "server", "%s%s cannot be used: %s",
                       is_set(name) ? "" : "what the credentials file says for ", name, err.message);
        rs_doctor_remedy(d, url ? "export RESPAN_BASE_URL=http://127.0.0.1:8460/api" : "unset RESPAN_API_KEY",
                         "Set it anew:");
        return false;
    }
    find_sources(t);
    set_client(t);
    return true;
}

static bool load_libcurl(rs_doctor *d, target *t) {
    if (rs_client_load(&t->client)) {
        rs_doctor_find(d, RS_FINE, "libcurl", "loads");
        return true;
    }
    rs_doctor_find(d, RS_PROBLEM, "libcurl",
                   "libcurl.so.4 is not there or cannot be loaded: programs cannot send");
    rs_doctor_remedy(d, "sudo apt-get install libcurl4", "Install it:");
    return false;
}

/* ---- no answer ----------------------------------------------------------------------------------------- */

/* "respan serve", so that it comes to be where the base URL says. */
static const char *serve_command(const target *t) {
    char arguments[400];
    const char *host = strstr(t->config.base_url, "://") + 3;
    size_t n = strcspn(host, "/");
    if (n == 14 && strncmp(host, "127.0.0.1:8460", n) == 0) return rs_doctor_command("serve");
    bool has_port = memchr(host, ':', n) && host[n - 1] != ']';
    snprintf(arguments, sizeof arguments, "serve --listen '%.*s%s'", (int)(n < 300 ? n : 300), host,
             has_port ? "" : ":80");
    return rs_doctor_command(arguments);
}

static void advise_unreachable(rs_doctor *d, const target *t, int failure) {
    bool tls = failure == CURLE_PEER_FAILED_VERIFICATION || failure == CURLE_SSL_CONNECT_ERROR ||
               failure == CURLE_SSL_CACERT_BADFILE;
    bool stuck = failure == CURLE_OPERATION_TIMEDOUT;
    bool local = t->config.is_loopback && strncasecmp(t->config.base_url, "http://", 7) == 0;
    if (tls && t->config.is_loopback)
        rs_doctor_remedy(d, "export RESPAN_BASE_URL=http://127.0.0.1:8460/api",
                         "`respan serve` speaks http, not https:");
    else if (tls)
        rs_doctor_remedy(d, "export SSL_CERT_FILE=/path/to/ca.pem",
                         "If an authority of your own signed its certificate, say which:");
    else if (local && stuck)
        rs_doctor_remedy(d, NULL, "Something listens there but does not answer: stop it and start it again.");
    else if (local) rs_doctor_remedy(d, serve_command(t), "Start the server:");
    else if (strcmp(t->url_from, "RESPAN_BASE_URL") == 0)
        rs_doctor_remedy(d, "unset RESPAN_BASE_URL", "If the address is wrong; it is from RESPAN_BASE_URL:");
    else rs_doctor_remedy(d, NULL, "If the address is wrong: it is from %s.", t->url_from);
}

static void say_unreachable(rs_doctor *d, const target *t, const rs_client_answer *a) {
    if (a->failure == CURLE_COULDNT_CONNECT && t->config.is_loopback)
        rs_doctor_find(d, RS_PROBLEM, "server", "nothing listens at %s", t->config.base_url);
    else rs_doctor_find(d, RS_PROBLEM, "server", "%s cannot be reached: %s", t->config.base_url, a->why);
    advise_unreachable(d, t, a->failure);
}

/* ---- an answer ----------------------------------------------------------------------------------------- */

/* The server's own words; "" if there are none. */
static void error_text(const rs_client_answer *a, char out[200]) {
    json_t *answer = json_loadb(a->body.p ? a->body.p : "", a->body.n, 0, NULL);
    const char *said = json_string_value(json_object_get(json_object_get(answer, "error"), "message"));
    snprintf(out, 200, "%s%s", said ? ": " : "", said ? said : "");
    json_decref(answer);
}

static void check_version(rs_doctor *d, const target *t, const rs_client_answer *a) {
    json_t *answer = json_loadb(a->body.p ? a->body.p : "", a->body.n, 0, NULL);
    const char *version = a->status == 200 ? json_string_value(json_object_get(answer, "version")) : NULL;
    rs_doctor_find(d, RS_FINE, "server", "%s answers%s%s%s%s", t->config.base_url, version ? ": respan " : "",
                   version ? version : "", t->url_from[0] ? "; the address is from " : "", t->url_from);
    if (version && strcmp(version, RS_VERSION) != 0) {
        rs_doctor_find(d, RS_WARNING, "version", "the server is respan %s, this command is " RS_VERSION,
                       version);
        rs_doctor_remedy(d, NULL,
                         "Start the server again with this one, or call the one that it was started with.");
    }
    json_decref(answer);
}

static void check_clock(rs_doctor *d, const rs_client_answer *a) {
    if (a->date < 0) return;
    long long skew = a->date - (long long)(rs_clock_wall_ns() / 1000000000u);
    long long seconds = skew < 0 ? -skew : skew;
    if (seconds <= SKEW_MAX_S) {
        rs_doctor_find(d, RS_FINE, "clock", "agrees with the server's");
        return;
    }
    rs_doctor_find(d, RS_WARNING, "clock",
                   "the server's is %lld s %s this machine's: spans from elsewhere are at other times",
                   seconds, skew > 0 ? "ahead of" : "behind");
    rs_doctor_remedy(d, "timedatectl set-ntp true", "Set the one that is wrong:");
}

static void say_refused(rs_doctor *d, const target *t) {
    bool other_key = t->config.api_key && t->config.is_loopback && t->file.api_key[0] &&
                     strcmp(t->config.api_key, t->file.api_key) != 0;
    if (t->key_from[0])
        rs_doctor_find(d, RS_PROBLEM, "key",
                       "the server does not know the API key from %s, or it was revoked", t->key_from);
    else rs_doctor_find(d, RS_PROBLEM, "key", "the server wants an API key, and none is set");
    if (other_key)
        rs_doctor_remedy(d, "unset RESPAN_API_KEY", "To use the one from %s instead:", t->file_path);
    else if (t->config.is_loopback)
        rs_doctor_remedy(d, rs_doctor_command("keys create"), "Make one, and set RESPAN_API_KEY to it:");
    else if (!t->key_from[0] && t->file.api_key[0])
        rs_doctor_remedy(d, NULL, "The one in %s goes to this machine alone: set RESPAN_API_KEY.",
                         t->file_path);
    else rs_doctor_remedy(d, NULL, "Make one where the server runs, and set RESPAN_API_KEY to it.");
}

/* Posts to where the SDK does. */
static void post(target *t, const char *body, rs_client_answer *a) {
    rs_client at = t->client;
    snprintf(at.to.base_url, sizeof at.to.base_url, "%s", t->config.traces_url);
    rs_buf_clear(&a->body);
    rs_client_exchange(&at, "", body, TIMEOUT_S, a);
}

/* A request without spans: it leaves nothing behind. */
static bool check_ingest(rs_doctor *d, target *t, rs_client_answer *a) {
    char said[200];
    if (a->status >= 200 && a->status < 300) {
        if (t->key_from[0]) rs_doctor_find(d, RS_FINE, "key", "accepted; it is from %s", t->key_from);
        else rs_doctor_find(d, RS_FINE, "key", "none is set, and none is wanted");
        return true;
    }
    error_text(a, said);
    if (a->status == 0) say_unreachable(d, t, a);
    else if (a->status == 401 || a->status == 403) say_refused(d, t);
    else {
        rs_doctor_find(d, RS_PROBLEM, "server", "%s takes no spans: HTTP %ld%s", t->config.traces_url,
                       a->status, said);
        rs_doctor_remedy(d, NULL,
                         "RESPAN_BASE_URL is to be the address of an API: a Respan server's ends in /api.");
    }
    return false;
}

static bool is_page(rs_doctor *d, const target *t, const rs_client_answer *a) {
    char command[1200];
    if ((a->status != 401 && a->status != 200) || !rs_client_is_beside_api(&t->client, &a->body))
        return false;
    rs_doctor_find(d, RS_PROBLEM, "server", "%s is not the address of an API: there is a page",
                   t->config.base_url);
    snprintf(command, sizeof command, "export RESPAN_BASE_URL=%s/api", t->config.base_url);
    rs_doctor_remedy(d, command, "A Respan server's ends in /api:");
    return true;
}

static bool check_answer(rs_doctor *d, target *t, rs_client_answer *a) {
    if (t->has_api) rs_client_exchange(&t->client, "/session/", NULL, TIMEOUT_S, a);
    else post(t, NO_SPANS, a);
    if (a->status == 0) {
        say_unreachable(d, t, a);
        return false;
    }
    if (t->has_api && is_page(d, t, a)) return false;
    check_version(d, t, a);
    check_clock(d, a);
    if (t->has_api) post(t, NO_SPANS, a);
    return check_ingest(d, t, a);
}

/* ---- --send -------------------------------------------------------------------------------------------- */

static void write_span(rs_buf *out, const char trace_id[33]) {
    unsigned long long now = rs_clock_wall_ns();
    rs_buf_printf(out,
                  "{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":"
                  "{\"stringValue\":\"respan doctor\"}}]},\"scopeSpans\":[{\"scope\":{\"name\":\"respan\"},"
                  "\"spans\":[{\"traceId\":\"%s\",\"spanId\":\"%.16s\",\"name\":\"respan doctor\",\"kind\":1,"
                  "\"startTimeUnixNano\":\"%llu\",\"endTimeUnixNano\":\"%llu\",\"attributes\":[{\"key\":"
                  "\"respan.entity.log_type\",\"value\":{\"stringValue\":\"task\"}}]}]}]}]}",
                  trace_id, trace_id, now, now);
}

static void check_round_trip(rs_doctor *d, target *t, rs_client_answer *a) {
    char trace_id[33], path[64], said[200];
    rs_buf body;
    snprintf(trace_id, sizeof trace_id, "%016llx%016llx", (unsigned long long)rs_id_random(),
             (unsigned long long)rs_id_random());
    snprintf(path, sizeof path, "/traces/%s/", trace_id);
    rs_buf_init(&body);
    write_span(&body, trace_id);
    const char *text = rs_buf_cstr(&body);
    if (text) post(t, text, a);
    rs_buf_deinit(&body);
    error_text(a, said);
    if (!text || a->status != 200) {
        rs_doctor_find(d, RS_PROBLEM, "send", "a span could not be sent: %s%s",
                       a->status ? "HTTP error" : a->why, said);
        return;
    }
    if (!t->has_api) {
        rs_doctor_find(d, RS_FINE, "send", "a span was sent: trace %s", trace_id);
        return;
    }
    rs_buf_clear(&a->body);
    rs_client_exchange(&t->client, path, NULL, TIMEOUT_S, a);
    error_text(a, said);
    bool found = a->status == 200 && memmem(a->body.p, a->body.n, trace_id, 32) != NULL;
    if (found) rs_doctor_find(d, RS_FINE, "send", "a span was sent and read back: trace %s", trace_id);
    else
        rs_doctor_find(d, RS_PROBLEM, "send", "a span was sent, but trace %s cannot be read back: HTTP %ld%s",
                       trace_id, a->status, said);
}

void rs_doctor_server(rs_doctor *d) {
    target t = {0};
    rs_client_answer a = {0};
    a.body.limit = ANSWER_MAX;
    if (find_target(d, &t) && load_libcurl(d, &t) && check_answer(d, &t, &a) && d->send)
        check_round_trip(d, &t, &a);
    rs_buf_deinit(&a.body);
    rs_client_close(&t.client);
    rs_config_deinit(&t.config);
}
