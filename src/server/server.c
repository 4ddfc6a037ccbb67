#include "server/server.h"

#include "base/log.h"
#include "server/auth.h"
#include "server/http.h"
#include "server/join.h"
#include "server/live.h"
#include "server/price_table.h"
#include "server/signin_limit.h"
#include "server/writer.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum { HTTP_THREADS = 4, CONNECTIONS = 10240, FILES_BESIDE = 512, DRAIN_MS = 3000, LAST_ANSWERS_MS = 500 };
#define DEFAULT_MAX_BODY ((size_t)64 << 20)

/* What cannot be read keeps everything. */
static rs_retention retention_of(void *ctx, uint64_t id) {
    rs_server *s = ctx;
    rs_project project = {0};
    rs_err err = {0};
    rs_status st = rs_control_get_project(s->control, id, &project, &err);
    if (st != RS_OK && st != RS_ERR_NOT_FOUND) rs_log("%s", err.message);
    bool deleted = false;
    /* By another process, or by one that died before it came to the traces. */
    if (st == RS_ERR_NOT_FOUND) st = rs_control_was_project_deleted(s->control, id, &deleted, &err);
    if (deleted) return (rs_retention){.is_deleted = true};
    return st == RS_OK ? project.keep : (rs_retention){0};
}

static rs_status pins_of(void *ctx, uint64_t id, rs_pins *out, rs_err *err) {
    rs_server *s = ctx;
    return rs_control_list_pins(s->control, id, &out->ids, &out->n, err);
}

/* Each connection is a file, and the store has some, too. */
static unsigned connections_for(const rs_server_config *config) {
    struct rlimit files;
    rlim_t most = config->connections ? config->connections : CONNECTIONS,
           sockets = config->otlp_listen ? 2 : 1;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur != RLIM_INFINITY) {
        rlim_t left = files.rlim_cur > 2 * FILES_BESIDE ? files.rlim_cur - FILES_BESIDE : FILES_BESIDE;
        if (most > left / sockets) most = left / sockets;
    }
    return (unsigned)most;
}

/* "https://NAME[:PORT]" or "NAME". */
static rs_status read_host(const char *host, rs_server *s, rs_err *err) {
    char *name = s->host;
    rs_str url = rs_str_of(host), scheme = RS_STR("https://");
    if (url.n >= RS_URL_MAX) return rs_fail(err, RS_ERR_INVALID, 0, "--host is too long");
    s->is_https = rs_str_starts(url, scheme);
    rs_str authority = s->is_https ? rs_str_from(url, scheme.n) : url;
    if (authority.n && authority.p[authority.n - 1] == '/') authority.n--, url.n--;
    if (!authority.n || memchr(authority.p, '/', authority.n))
        return rs_fail(err, RS_ERR_INVALID, 0, "--host takes NAME or https://NAME[:PORT]");
    if (s->is_https) memcpy(s->outside_url, url.p, url.n);
    memcpy(name, authority.p, authority.n);
    name[authority.n] = 0;
    if (s->is_https) name[strcspn(name, ":")] = 0;
    return RS_OK;
}

rs_status rs_server_open(const rs_server_config *config, rs_server **out, rs_err *err) {
    *out = NULL;
    int fd = -1, otlp_fd = -1;
    unsigned connections = connections_for(config);
    bool loopback;
    char otlp_url[RS_URL_MAX];
    rs_server *s = calloc(1, sizeof *s);
    if (!s) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    s->durability = config->durability;
    s->cors = config->cors;
    s->allow_signup = config->allow_signup;
    s->max_body = config->max_body ? config->max_body : DEFAULT_MAX_BODY;
    /* Sockets first: a taken port is found before any file is made. */
    rs_status st = config->host ? read_host(config->host, s, err) : RS_OK;
    if (st == RS_OK) st = rs_listen(config->listen, &fd, s->url, &s->is_loopback, err);
    if (st == RS_OK && config->otlp_listen)
        st = rs_listen(config->otlp_listen, &otlp_fd, otlp_url, &loopback, err);
    if (st == RS_OK) st = rs_path_make_dirs(config->data_dir, err);
    if (st == RS_OK) st = rs_control_open(config->data_dir, &s->control, err);
    if (st == RS_OK) st = rs_price_table_open(config->prices, s->control, &s->prices, err);
    if (st == RS_OK) st = rs_store_open(config->data_dir, &s->store, err);
    if (st == RS_OK) rs_store_set_durability(s->store, config->durability);
    if (st == RS_OK) st = rs_store_start_keeper(s->store, retention_of, pins_of, s, err);
    if (st == RS_OK) st = rs_open_table_new(&s->open, err);
    if (st == RS_OK) st = rs_live_start(s->store, s->open, &s->live, err);
    if (st == RS_OK)
        st = rs_writer_start(s->store, RS_WRITER_QUEUE_BYTES, rs_join_events, rs_live_note, s->live,
                             &s->writer, err);
    if (st == RS_OK) st = rs_guard_new(s->control, &s->guard, err);
    if (st == RS_OK) st = rs_signin_limit_new(&s->signin_limit, err);
    if (st == RS_OK)
        st = rs_http_start(s, &fd, HTTP_THREADS, connections, config->host ? s->host : NULL, &s->http, err);
    if (st == RS_OK && otlp_fd >= 0)
        st = rs_http_start(s, &otlp_fd, HTTP_THREADS, connections, config->host ? s->host : NULL,
                           &s->otlp_http, err);
    if (fd >= 0) close(fd);
    if (otlp_fd >= 0) close(otlp_fd);
    if (st == RS_OK) *out = s;
    else rs_server_close(s);
    return st;
}

void rs_server_close(rs_server *s) {
    if (!s) return;
    rs_live_stop(s->live); /* else the listeners would be waited for */
    if (s->http) rs_http_quiesce(s->http, DRAIN_MS);
    if (s->otlp_http) rs_http_quiesce(s->otlp_http, s->http ? LAST_ANSWERS_MS : DRAIN_MS);
    rs_writer_stop(s->writer); /* every deferred answer is given now */
    if (s->http) rs_http_quiesce(s->http, LAST_ANSWERS_MS);
    rs_http_stop(s->http);
    rs_http_stop(s->otlp_http);
    rs_writer_free(s->writer); /* not before: a request that came in late still asks it */
    rs_live_free(s->live);
    rs_open_table_free(s->open);
    rs_store_close(s->store);
    rs_signin_limit_free(s->signin_limit);
    rs_guard_free(s->guard);
    rs_price_table_close(s->prices);
    rs_control_close(s->control);
    free(s);
}
