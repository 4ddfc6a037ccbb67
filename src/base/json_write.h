/* rs_json: writes one JSON document into an rs_buf, placing commas by itself.
 *
 * Strings are escaped by RFC 8259; bytes that are not UTF-8 become U+FFFD, so the document is always valid.
 * Doubles are the shortest text that reads back the same; NaN and infinities are null (JSON has none).
 * One thread; failure is the buffer's sticky one. */
#ifndef RS_BASE_JSON_WRITE_H
#define RS_BASE_JSON_WRITE_H

#include "base/buf.h"

typedef struct rs_json {
    rs_buf *out;
    bool comma; /* a value stands before the place of the next one */
} rs_json;

static inline rs_json rs_json_on(rs_buf *out) { return (rs_json){.out = out}; }

void rs_json_object(rs_json *j); /* { */
void rs_json_object_end(rs_json *j);
void rs_json_array(rs_json *j); /* [ */
void rs_json_array_end(rs_json *j);
void rs_json_key(rs_json *j, rs_str key);

void rs_json_str(rs_json *j, rs_str s);
void rs_json_int(rs_json *j, int64_t v);
void rs_json_uint(rs_json *j, uint64_t v);
void rs_json_double(rs_json *j, double v);
void rs_json_time(rs_json *j, uint64_t wall_ns); /* RFC 3339; 0 is null */
void rs_json_bool(rs_json *j, bool v);
void rs_json_null(rs_json *j);
void rs_json_raw(rs_json *j, rs_str json); /* a value that is already valid JSON */

/* "key": value in one call. */
void rs_json_put_str(rs_json *j, const char *key, rs_str s);
void rs_json_put_str_or_null(rs_json *j, const char *key, rs_str s); /* empty is null */
void rs_json_put_int(rs_json *j, const char *key, int64_t v);
void rs_json_put_double(rs_json *j, const char *key, double v);
void rs_json_put_bool(rs_json *j, const char *key, bool v);
void rs_json_put_null(rs_json *j, const char *key);
void rs_json_put_seconds(rs_json *j, const char *key, int64_t ns); /* with as many decimals as it takes */
void rs_json_put_time(rs_json *j, const char *key, uint64_t wall_ns);
void rs_json_put_hex(rs_json *j, const char *key, const uint8_t *bytes, size_t n);

#endif
