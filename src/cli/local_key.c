#include "cli/local_key.h"

#include "base/credentials.h"
#include "base/log.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static const rs_actor starting = {.name = "respan serve"};

static rs_status default_project(rs_control *control, rs_project *out, rs_err *err) {
    rs_err unused = {0};
    rs_status st = rs_control_find_project_in(control, RS_SERVER_ORGANIZATION, "default", out, &unused);
    if (st == RS_ERR_NOT_FOUND)
        return rs_control_create_project(control, RS_SERVER_ORGANIZATION, "default", &starting, out, err);
    if (st != RS_OK && err) *err = unused;
    return st;
}

/* The port of a loopback URL; 80 or 443 if it names none. */
static unsigned port_of(const char *url) {
    const char *authority = strstr(url, "://");
    authority = authority ? authority + 3 : url;
    size_t n = strcspn(authority, "/?#");
    for (size_t i = n; i-- > 0 && authority[i] != ']';)
        if (authority[i] == ':') return (unsigned)strtoul(authority + i + 1, NULL, 10);
    return strncmp(url, "https", 5) == 0 ? 443 : 80;
}

/* Whether something on this machine listens on that port. No host is the loopback addresses of both families, without
 * asking a resolver; they answer at once. */
static bool answers(unsigned port) {
    char service[16];
    snprintf(service, sizeof service, "%u", port);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV}, *found;
    if (getaddrinfo(NULL, service, &hints, &found) != 0) return false;
    bool open = false;
    for (const struct addrinfo *at = found; at && !open; at = at->ai_next) {
        int fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, 0);
        open = fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen) == 0;
        if (fd >= 0) close(fd);
    }
    freeaddrinfo(found);
    return open;
}

/* Whether the file may be rewritten for `base_url`: it is ours, or of a local server that is no more. */
static bool may_replace(const rs_credentials *c, const char *base_url) {
    if (c->base_url[0] == 0 || strcmp(c->base_url, base_url) == 0) return true;
    if (!rs_url_is_loopback(c->base_url)) return false;
    bool same_port = rs_url_is_loopback(base_url) && port_of(c->base_url) == port_of(base_url);
    return same_port || !answers(port_of(c->base_url));
}

rs_status rs_local_key_ensure(rs_control *control, const char *url, const char *data, rs_project *project,
                              rs_err *err) {
    rs_credentials c;
    rs_api_key key;
    rs_key_wish wish = {.name = "local"};
    char base_url[sizeof c.base_url], secret[RS_SECRET_MAX];
    snprintf(base_url, sizeof base_url, "%s/api", url);
    rs_status st = default_project(control, project, err);
    if (st != RS_OK) return st;
    st = rs_credentials_read(&c, err);
    if (st == RS_ERR_NOT_FOUND) {
        if (err) *err = (rs_err){0};
    } else if (st != RS_OK) {
        return st;
    }
    if (!may_replace(&c, base_url)) {
        rs_log("the credentials file is for %s and stays as it is; `respan keys create%s%s` makes a key for "
               "this "
               "server",
               c.base_url, data ? " --data " : "", data ? data : "");
        return RS_OK;
    }
    bool valid = c.api_key[0] && rs_control_check_key(control, rs_str_of(c.api_key), &key, NULL) == RS_OK;
    if (valid && strcmp(c.base_url, base_url) == 0) return RS_OK;
    if (!valid) {
        st = rs_control_create_key(control, project->id, &wish, &starting, secret, &key, err);
        if (st != RS_OK) return st;
        snprintf(c.api_key, sizeof c.api_key, "%s", secret);
    }
    snprintf(c.base_url, sizeof c.base_url, "%s", base_url);
    return rs_credentials_write(&c, err);
}
