#include "base/credentials.h"

#include "base/fingerprint.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static rs_status file_path(char out[RS_PATH_MAX], rs_err *err) {
    char dir[RS_PATH_MAX];
    rs_status st = rs_path_config(dir, err);
    return st != RS_OK ? st : rs_path_join(out, dir, "credentials", err);
}

/* Copies the value of `name` from `line` ("export NAME='v'" as shells write it is read too). */
static void take_line(char *line, const char *name, char *out, size_t cap) {
    if (strncmp(line, "export ", 7) == 0) line += 7;
    size_t n = strlen(name);
    if (strncmp(line, name, n) != 0 || line[n] != '=') return;
    char *v = line + n + 1;
    size_t len = strcspn(v, "\r\n");
    if (len >= 2 && (v[0] == '"' || v[0] == '\'') && v[len - 1] == v[0]) v++, len -= 2;
    if (len >= cap) return;
    memcpy(out, v, len);
    out[len] = 0;
}

rs_status rs_credentials_read(rs_credentials *out, rs_err *err) {
    *out = (rs_credentials){0};
    char path[RS_PATH_MAX], line[2048];
    rs_status st = file_path(path, err);
    if (st != RS_OK) return st;
    FILE *f = fopen(path, "re");
    if (!f)
        return rs_fail(err, errno == ENOENT ? RS_ERR_NOT_FOUND : RS_ERR_IO, 0, "cannot read %s: %s", path,
                       strerror(errno));
    while (fgets(line, sizeof line, f)) {
        take_line(line, "RESPAN_API_KEY", out->api_key, sizeof out->api_key);
        take_line(line, "RESPAN_BASE_URL", out->base_url, sizeof out->base_url);
    }
    fclose(f);
    return RS_OK;
}

rs_status rs_credentials_write(const rs_credentials *c, rs_err *err) {
    char dir[RS_PATH_MAX], path[RS_PATH_MAX], temporary[RS_PATH_MAX];
    rs_status st = rs_path_config(dir, err);
    if (st == RS_OK) st = rs_path_make_dirs(dir, err);
    if (st == RS_OK) st = rs_path_join(path, dir, "credentials", err);
    if (st == RS_OK) st = rs_path_join(temporary, dir, ".credentials.XXXXXX", err);
    if (st != RS_OK) return st;
    int fd = mkostemp(temporary, O_CLOEXEC); /* mkstemp makes it 0600 */
    if (fd < 0) return rs_fail(err, RS_ERR_IO, 0, "cannot write in %s: %s", dir, strerror(errno));
    char text[1600];
    int n = snprintf(text, sizeof text, "RESPAN_API_KEY=%s\nRESPAN_BASE_URL=%s\n", c->api_key, c->base_url);
    bool ok = n > 0 && (size_t)n < sizeof text && write(fd, text, (size_t)n) == n && fsync(fd) == 0;
    int saved = errno;
    ok = close(fd) == 0 && ok;
    if (ok && rename(temporary, path) == 0) return RS_OK;
    if (ok) saved = errno;
    unlink(temporary);
    return rs_fail(err, saved == ENOSPC ? RS_ERR_FULL : RS_ERR_IO, 0, "cannot write %s: %s", path,
                   strerror(saved));
}

bool rs_url_is_loopback(const char *url) {
    const char *host = NULL;
    if (strncasecmp(url, "http://", 7) == 0) host = url + 7;
    if (strncasecmp(url, "https://", 8) == 0) host = url + 8;
    if (!host) return false;
    size_t authority = strcspn(host, "/?#");
    const char *at = memrchr(host, '@', authority); /* user@host: the host is what counts */
    if (at) authority -= (size_t)(at + 1 - host), host = at + 1;
    size_t n = 0;
    if (strncmp(host, "[::1]", 5) == 0) return authority == 5 || host[5] == ':';
    while (n < authority && host[n] != ':') n++;
    if (n == 9 && strncasecmp(host, "localhost", 9) == 0) return true;
    if (n < 7 || n > 15 || strncmp(host, "127.", 4) != 0) return false;
    return strspn(host, "0123456789.") >= n;
}

uint64_t rs_credentials_fingerprint(void) {
    rs_credentials c = {0};
    return rs_credentials_read(&c, NULL) == RS_OK && c.api_key[0] ? rs_fingerprint(rs_str_of(c.api_key)) : 0;
}
