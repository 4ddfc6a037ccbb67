#include "cli/server_url.h"

#include "base/credentials.h"
#include "base/str.h"

#include <stdio.h>

void rs_server_url(const char *option, char out[RS_SERVER_URL_MAX]) {
    rs_credentials c;
    snprintf(out, RS_SERVER_URL_MAX, "%s", option ? option : "http://127.0.0.1:8460");
    if (!option && rs_credentials_read(&c, NULL) == RS_OK && rs_url_is_loopback(c.base_url))
        snprintf(out, RS_SERVER_URL_MAX, "%s", c.base_url);
    rs_str url = rs_str_of(out);
    while (url.n && url.p[url.n - 1] == '/') url.n--;
    if (rs_str_ends(url, RS_STR("/api"))) url.n -= 4;
    out[url.n] = 0;
}
