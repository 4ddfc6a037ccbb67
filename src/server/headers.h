/* Parsers of request header values: pure functions over text from outside; no state, any thread. */
#ifndef RS_SERVER_HEADERS_H
#define RS_SERVER_HEADERS_H

#include "base/str.h"

/* The media type of a Content-Type value without parameters and blanks ("application/json; charset=utf-8" ->
 * "application/json"); a slice of the value. */
rs_str rs_header_media_type(rs_str value);

/* The credentials of "Bearer CREDENTIALS" (scheme in any case), or empty. */
rs_str rs_header_bearer(rs_str value);

/* The user and the password of "Basic BASE64(USER:PASSWORD)", decoded into `storage`, of which they are slices; false if it
 * is no such thing, or does not fit. */
bool rs_header_basic(rs_str value, char *storage, size_t size, rs_str *user, rs_str *password);

/* Whether an Accept-Encoding value takes gzip (q=0 refuses it). */
bool rs_header_accepts_gzip(rs_str value);

/* Whether an If-None-Match value names this (quoted) etag, weakly compared. */
bool rs_header_etag_matches(rs_str value, rs_str etag);

/* Whether a Host value cannot come from DNS rebinding, which needs a name: an IP literal, localhost, or one
 * of `names` (NULL entries are skipped), with or without a port. */
bool rs_header_host_is_ours(rs_str value, const char *const *names, size_t n);

#endif
