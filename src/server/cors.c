#include "server/cors.h"

#include <string.h>

bool rs_cors_is_origin(const char *text) {
    const char *host = strstr(text, "://");
    if (strcmp(text, "*") == 0) return true;
    return host && host > text && host[3] && !strpbrk(host + 3, "/?#@ *,") && strlen(text) < 256;
}

/* What the answer says of the origin that asks; NULL: nothing. */
static const char *allowed(const rs_cors *cors, const rs_route *route, const rs_request *req) {
    const char *origin = rs_request_header(req, "Origin");
    if (!origin || route->body != RS_BODY_INGEST) return NULL;
    for (size_t i = 0; i < cors->n; i++) {
        if (strcmp(cors->origins[i], "*") == 0) return "*";
        if (strcasecmp(cors->origins[i], origin) == 0) return origin;
    }
    return NULL;
}

void rs_cors_allow(const rs_cors *cors, const rs_route *route, const rs_request *req, rs_response *res) {
    const char *origin = allowed(cors, route, req);
    if (!origin) return;
    rs_response_header(res, "Access-Control-Allow-Origin", origin);
    rs_response_header(res, "Access-Control-Expose-Headers", "Retry-After");
    if (*origin != '*') rs_response_header(res, "Vary", "Origin");
}

bool rs_cors_preflight(const rs_cors *cors, const rs_route *route, const rs_request *req, rs_response *res) {
    if (strcmp(req->method, "OPTIONS") != 0 || !allowed(cors, route, req) ||
        !rs_request_header(req, "Access-Control-Request-Method"))
        return false;
    res->status = 204;
    res->content_type = NULL;
    rs_response_header(res, "Access-Control-Allow-Methods", "POST");
    rs_response_header(res, "Access-Control-Allow-Headers",
                       "Authorization, X-Api-Key, Content-Type, Content-Encoding, User-Agent");
    rs_response_header(res, "Access-Control-Max-Age", "86400");
    if (rs_request_header(req, "Access-Control-Request-Private-Network"))
        rs_response_header(res, "Access-Control-Allow-Private-Network", "true");
    return true;
}
