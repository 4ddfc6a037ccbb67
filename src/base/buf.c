#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void rs_buf_deinit(rs_buf *b) {
    free(b->p);
    *b = (rs_buf){0};
}

char *rs_buf_reserve_more(rs_buf *b, size_t n) {
    if (b->failed != RS_OK) return NULL;
    if (n <= b->cap - b->n) return b->p ? b->p + b->n : (n ? NULL : (char *)"");
    if (n > SIZE_MAX / 4 - b->n || (b->limit && b->n + n > b->limit)) {
        b->failed = RS_ERR_TOO_LARGE;
        return NULL;
    }
    size_t cap = b->cap ? b->cap * 2 : 256;
    if (b->limit && cap > b->limit) cap = b->limit; /* so that room held is room allowed */
    if (cap < b->n + n) cap = b->n + n;
    char *p = realloc(b->p, cap);
    if (!p) {
        b->failed = RS_ERR_MEMORY;
        return NULL;
    }
    b->p = p;
    b->cap = cap;
    return p + b->n;
}

void rs_buf_put_utf8(rs_buf *b, rs_str s) {
    for (;;) {
        size_t good = rs_str_utf8_prefix(s);
        rs_buf_put(b, s.p, good);
        if (good == s.n) return;
        rs_buf_text(b, "\xEF\xBF\xBD");
        s = rs_str_from(s, good + 1);
    }
}

void rs_buf_printf(rs_buf *b, const char *fmt, ...) {
    char small[256];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(small, sizeof small, fmt, ap);
    va_end(ap);
    if (n < 0) {
        b->failed = RS_ERR_MEMORY;
    } else if ((size_t)n < sizeof small) {
        rs_buf_put(b, small, (size_t)n);
    } else {
        char *d = rs_buf_reserve(b, (size_t)n + 1);
        if (!d) return;
        va_start(ap, fmt);
        vsnprintf(d, (size_t)n + 1, fmt, ap);
        va_end(ap);
        b->n += (size_t)n;
    }
}

void rs_buf_url(rs_buf *b, rs_str s) {
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                     c == '.' || c == '_' || c == '~';
        if (plain) rs_buf_byte(b, c);
        else rs_buf_printf(b, "%%%02X", c);
    }
}

const char *rs_buf_cstr(rs_buf *b) {
    char *d = rs_buf_reserve(b, 1);
    if (!d) return NULL;
    *d = 0;
    return b->p;
}
