#include "cli/client.h"

#include "cli/cmd.h"
#include "cli/libcurl.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define DEFAULT_BASE_URL "http://127.0.0.1:8460/api"

enum { CONNECT_TIMEOUT_S = 5, REQUEST_TIMEOUT_S = 120, RESPONSE_MAX = 1 << 30 };

static const char *from_environment(const char *name) {
    const char *v = getenv(name);
    return v && *v ? v : NULL;
}

static bool keep(char *out, size_t cap, const char *value, const char *what) {
    if (snprintf(out, cap, "%s", value) < (int)cap) return true;
    fprintf(stderr, "respan: %s is too long\n", what);
    return false;
}

static void cut_last_slash(char *url) {
    size_t n = strlen(url);
    while (n > 0 && url[n - 1] == '/') url[--n] = 0;
}

static bool find_server(rs_credentials *to) {
    rs_credentials file = {0};
    rs_err err = {0};
    if (rs_credentials_read(&file, &err) != RS_OK && err.code != RS_ERR_NOT_FOUND)
        fprintf(stderr, "respan: %s\n", err.message);
    cut_last_slash(file.base_url);
    const char *url = from_environment("RESPAN_BASE_URL"), *key = from_environment("RESPAN_API_KEY");
    if (!url) url = file.base_url[0] ? file.base_url : DEFAULT_BASE_URL;
    if (!keep(to->base_url, sizeof to->base_url, url, "RESPAN_BASE_URL")) return false;
    cut_last_slash(to->base_url);
    bool ours = rs_url_is_loopback(to->base_url) || strcmp(to->base_url, file.base_url) == 0;
    if (!key) key = ours ? file.api_key : "";
    return keep(to->api_key, sizeof to->api_key, key, "RESPAN_API_KEY");
}

bool rs_client_load(rs_client *c) {
    c->lib = malloc(sizeof *c->lib);
    if (c->lib && rs_libcurl_load(c->lib) && c->lib->curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK)
        c->curl = c->lib->curl_easy_init();
    if (c->curl) return true;
    free(c->lib);
    c->lib = NULL;
    return false;
}

int rs_client_open(rs_client *c) {
    *c = (rs_client){0};
    if (!find_server(&c->to)) return RS_EXIT_USAGE;
    c->ca_file = from_environment("SSL_CERT_FILE");
    if (strncmp(c->to.base_url, "http://", 7) != 0 && strncmp(c->to.base_url, "https://", 8) != 0) {
        fprintf(stderr, "respan: RESPAN_BASE_URL is '%s', which is not an http(s) URL\n", c->to.base_url);
        return RS_EXIT_USAGE;
    }
    if (rs_client_load(c)) return RS_EXIT_DONE;
    fprintf(stderr, "respan: libcurl is not there or does not start: install the package libcurl4\n");
    return RS_EXIT_UNREACHABLE;
}

void rs_client_close(rs_client *c) {
    if (!c->curl) return;
    c->lib->curl_easy_cleanup(c->curl);
    c->lib->curl_global_cleanup();
    free(c->lib);
    c->lib = NULL;
    c->curl = NULL;
}

/* ---- one request --------------------------------------------------------------------------------------- */

typedef struct receiving {
    rs_client *client;
    rs_client_answer *answer;
} receiving;

static size_t on_body(char *p, size_t size, size_t n, void *ctx) {
    const receiving *r = ctx;
    rs_client_answer *out = r->answer;
    if (out->to && !out->status)
        r->client->lib->curl_easy_getinfo(r->client->curl, CURLINFO_RESPONSE_CODE, &out->status);
    if (out->to && out->status == 200) {
        out->unwritten = fwrite(p, size, n, out->to) != n;
        return out->unwritten ? 0 : size * n;
    }
    rs_buf_put(&out->body, p, size * n);
    return rs_buf_status(&out->body) == RS_OK ? size * n : 0;
}

static int complain(rs_client *c, int status, const char *message, const char *remedy) {
    snprintf(c->message, sizeof c->message, "%s%s%s", message, remedy[0] ? "\n" : "", remedy);
    if (!c->quiet || status != RS_EXIT_UNREACHABLE) fprintf(stderr, "respan: %s\n", c->message);
    return status;
}

static int cannot_reach(rs_client *c, const char *why) {
    char message[480];
    snprintf(message, sizeof message, "cannot reach %.300s: %.120s", c->to.base_url, why);
    return complain(c, RS_EXIT_UNREACHABLE, message,
                    "Start the server with `respan serve`, or set RESPAN_BASE_URL to where it is.");
}

/* Beside the API, at the server's root, there is the page, which knows no keys. */
bool rs_client_is_beside_api(const rs_client *c, const rs_buf *answer) {
    return !rs_str_ends(rs_str_of(c->to.base_url), RS_STR("/api")) && (!answer->n || answer->p[0] != '{');
}

static int refused(rs_client *c, const rs_buf *answer) {
    char message[480];
    if (rs_client_is_beside_api(c, answer)) {
        snprintf(message, sizeof message, "%.300s is not the address of an API", c->to.base_url);
        return complain(c, RS_EXIT_UNREACHABLE, message, "RESPAN_BASE_URL of a Respan server ends in /api.");
    }
    snprintf(message, sizeof message, "%.300s %s", c->to.base_url,
             c->to.api_key[0] ? "refuses this API key" : "wants an API key, and none is set");
    return complain(
        c, RS_EXIT_UNREACHABLE, message,
        "Make one with `respan keys create` where the server runs, then set RESPAN_API_KEY to it.");
}

/* The server's own words for what is wrong, with control characters taken out. */
static int server_error(rs_client *c, long code, const rs_buf *body) {
    json_t *answer = json_loadb(body->p ? body->p : "", body->n, 0, NULL);
    const char *said = json_string_value(json_object_get(json_object_get(answer, "error"), "message"));
    char message[480];
    if (said) snprintf(message, sizeof message, "%.470s", said);
    else snprintf(message, sizeof message, "%.300s answers with HTTP status %ld", c->to.base_url, code);
    json_decref(answer);
    for (char *p = message; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f) *p = ' ';
    return complain(c, code == 400 ? RS_EXIT_USAGE : RS_EXIT_NOT_FOUND, message, "");
}

/* Of a header line: "Date: Wed, 25 Nov 2026 17:54:29 GMT". */
static size_t on_header(char *p, size_t size, size_t n, void *ctx) {
    rs_client_answer *out = ctx;
    rs_str line = {p, size * n};
    char text[64];
    struct tm at = {0};
    if (line.n > 5 && line.n < sizeof text && rs_str_eq_nocase((rs_str){p, 5}, RS_STR("Date:"))) {
        snprintf(text, sizeof text, "%.*s", RS_STR_ARG(rs_str_from(line, 5)));
        if (strptime(text, " %a, %d %b %Y %H:%M:%S GMT", &at)) out->date = timegm(&at);
    }
    return line.n;
}

static CURLcode perform(rs_client *c, const char *url, const char *body, unsigned timeout_s,
                        rs_client_answer *out) {
    const rs_libcurl *lib = c->lib;
    CURL *curl = c->curl;
    receiving receiver = {c, out};
    struct curl_slist *headers = NULL;
    char authorization[sizeof c->to.api_key + 32];
    snprintf(authorization, sizeof authorization, "Authorization: Bearer %s", c->to.api_key);
    if (c->to.api_key[0]) headers = lib->curl_slist_append(headers, authorization);
    if (body) headers = lib->curl_slist_append(headers, "Content-Type: application/json");
    for (size_t i = 0; i < c->header_count; i++) headers = lib->curl_slist_append(headers, c->headers[i]);
    lib->curl_easy_reset(curl);
    lib->curl_easy_setopt(curl, CURLOPT_URL, url);
    lib->curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    lib->curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    lib->curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, out->why);
    lib->curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    lib->curl_easy_setopt(curl, CURLOPT_WRITEDATA, &receiver);
    lib->curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    lib->curl_easy_setopt(curl, CURLOPT_HEADERDATA, out);
    lib->curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIMEOUT_S);
    lib->curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)timeout_s);
    lib->curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    lib->curl_easy_setopt(curl, CURLOPT_USERAGENT, "respan/" RS_VERSION);
    if (rs_url_is_loopback(url))
        lib->curl_easy_setopt(curl, CURLOPT_NOPROXY, "*"); /* a proxy cannot reach this machine */
    if (c->ca_file) lib->curl_easy_setopt(curl, CURLOPT_CAINFO, c->ca_file);
    if (c->certificate) lib->curl_easy_setopt(curl, CURLOPT_SSLCERT, c->certificate);
    if (c->certificate_key) lib->curl_easy_setopt(curl, CURLOPT_SSLKEY, c->certificate_key);
    if (body) lib->curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    CURLcode rc = lib->curl_easy_perform(curl);
    lib->curl_slist_free_all(headers);
    return rc;
}

void rs_client_exchange(rs_client *c, const char *path, const char *body, unsigned timeout_s,
                        rs_client_answer *out) {
    rs_buf url;
    rs_buf_init(&url);
    rs_buf_printf(&url, "%s%s", c->to.base_url, path);
    const char *target = rs_buf_cstr(&url);
    out->status = 0;
    out->date = -1;
    out->why[0] = 0;
    out->failure = target ? (int)perform(c, target, body, timeout_s, out) : CURLE_OUT_OF_MEMORY;
    if (out->failure == CURLE_OK) c->lib->curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &out->status);
    else if (!out->why[0])
        snprintf(out->why, sizeof out->why, "%s", c->lib->curl_easy_strerror((CURLcode)out->failure));
    rs_buf_deinit(&url);
}

static int judge(rs_client *c, const rs_client_answer *a) {
    if (a->failure != CURLE_OK) return cannot_reach(c, a->why);
    if (a->status == 401) return refused(c, &a->body);
    return a->status == 200 ? RS_EXIT_DONE : server_error(c, a->status, &a->body);
}

int rs_client_request(rs_client *c, const char *path, const char *body, rs_buf *out) {
    rs_client_answer a = {.to = NULL};
    rs_buf_init(&a.body);
    a.body.limit = RESPONSE_MAX;
    rs_client_exchange(c, path, body, REQUEST_TIMEOUT_S, &a);
    int status = judge(c, &a);
    if (status == RS_EXIT_DONE) rs_buf_str(out, rs_buf_slice(&a.body));
    rs_buf_deinit(&a.body);
    return status;
}

int rs_client_download(rs_client *c, const char *path, FILE *to) {
    rs_client_answer a = {.to = to};
    rs_buf_init(&a.body);
    a.body.limit = RESPONSE_MAX;
    rs_client_exchange(c, path, NULL, 0, &a); /* as long as it takes */
    int status =
        a.unwritten ? complain(c, RS_EXIT_NOT_FOUND, "cannot write what the server sends", "") : judge(c, &a);
    rs_buf_deinit(&a.body);
    return status;
}
