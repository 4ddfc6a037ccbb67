/* What handlers put into a response; no transport here. */
#include "server/http.h"

#include "base/json_write.h"

#include <stdarg.h>
#include <stdio.h>

void rs_response_header(rs_response *res, const char *name, const char *value) {
    if (!value || res->nheaders == RS_ARRAY_LEN(res->headers)) return;
    res->headers[res->nheaders].name = name;
    res->headers[res->nheaders++].value = value;
}

/* `position` NULL: it is at no place. */
static void put_error(rs_response *res, int status, const char *code, const char *field,
                      const size_t *position, const char *message) {
    res->status = status;
    res->content_type = "application/json";
    res->static_body = (rs_str){0};
    if (res->stream.free) res->stream.free(res->stream.ctx);
    res->stream = (rs_stream){0};
    rs_buf_clear(&res->body);
    rs_json j = rs_json_on(&res->body);
    rs_json_object(&j);
    rs_json_key(&j, RS_STR("error"));
    rs_json_object(&j);
    rs_json_put_str(&j, "code", rs_str_of(code));
    rs_json_put_str(&j, "message", rs_str_of(message));
    rs_json_put_str_or_null(&j, "field", rs_str_of(field));
    if (position) rs_json_put_int(&j, "position", (int64_t)*position);
    rs_json_object_end(&j);
    rs_json_object_end(&j);
    if (status == 503) rs_response_header(res, "Retry-After", "1");
    if (status == 401) rs_response_header(res, "WWW-Authenticate", "Bearer");
}

void rs_response_error(rs_response *res, int status, const char *code, const char *field, const char *fmt,
                       ...) {
    char message[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(message, sizeof message, fmt, ap);
    va_end(ap);
    put_error(res, status, code, field, NULL, message);
}

void rs_response_error_at(rs_response *res, const char *field, size_t position, const char *why) {
    char message[512];
    snprintf(message, sizeof message, "%s (at byte %zu of '%s')", why, position, field);
    put_error(res, 400, "invalid", field, &position, message);
}

void rs_response_from_err(rs_response *res, const rs_err *err) {
    switch (err->code) {
    case RS_ERR_INVALID:
    case RS_ERR_TRUNCATED:
        rs_response_error(res, 400, "invalid", NULL, "%s", err->message);
        return;
    case RS_ERR_DENIED:
        rs_response_error(res, 401, "unauthorized", NULL, "%s", err->message);
        return;
    case RS_ERR_NOT_FOUND:
        rs_response_error(res, 404, "not_found", NULL, "%s", err->message);
        return;
    case RS_ERR_TOO_LARGE:
        rs_response_error(res, 413, "too_large", NULL, "%s", err->message);
        return;
    case RS_ERR_UNSUPPORTED:
        rs_response_error(res, 415, "unsupported", NULL, "%s", err->message);
        return;
    case RS_ERR_FULL:
    case RS_ERR_MEMORY:
    case RS_ERR_TIMEOUT:
    case RS_ERR_CLOSED:
        rs_response_error(res, 503, "unavailable", NULL, "%s", err->message);
        return;
    default:
        rs_response_error(res, 500, "internal", NULL, "%s", err->message);
        return;
    }
}
