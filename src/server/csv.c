#include "server/csv.h"

#include <string.h>

static bool is_formula(rs_str s) { return s.n > 0 && strchr("=+-@\t\r", s.p[0]) != NULL && s.p[0] != 0; }

void rs_csv_put_text(rs_buf *out, rs_str s) {
    rs_buf_byte(out, '"');
    if (is_formula(s)) rs_buf_byte(out, '\'');
    while (s.n > 0) {
        const char *quote = memchr(s.p, '"', s.n);
        size_t n = quote ? (size_t)(quote - s.p) + 1 : s.n;
        rs_buf_put_utf8(out, (rs_str){s.p, n});
        if (quote) rs_buf_byte(out, '"');
        s = rs_str_from(s, n);
    }
    rs_buf_byte(out, '"');
}
