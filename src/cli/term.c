#include "cli/term.h"

#include <locale.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

enum { DEFAULT_WIDTH = 100, MIN_WIDTH = 40, MAX_WIDTH = 400 };

static int find_width(bool *known) {
    const char *columns = getenv("COLUMNS");
    struct winsize size;
    int width = columns ? atoi(columns) : 0;
    if (width <= 0 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) width = size.ws_col;
    *known = width > 0;
    if (width <= 0) width = DEFAULT_WIDTH;
    return width < MIN_WIDTH ? MIN_WIDTH : width > MAX_WIDTH ? MAX_WIDTH : width;
}

/* A locale that names another charset than UTF-8 means it; none at all (containers, cron) says nothing. */
static bool wants_ascii(void) {
    const char *names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < RS_ARRAY_LEN(names); i++) {
        const char *v = getenv(names[i]);
        if (!v || !*v) continue;
        return strcmp(v, "C") != 0 && strcmp(v, "POSIX") != 0 && !strcasestr(v, "utf-8") &&
               !strcasestr(v, "utf8");
    }
    return false;
}

void rs_term_init(rs_term *t) {
    const char *term = getenv("TERM"), *no_colour = getenv("NO_COLOR");
    bool dumb = term && strcmp(term, "dumb") == 0;
    if (!setlocale(LC_CTYPE, "C.UTF-8")) setlocale(LC_CTYPE, ""); /* for wcwidth alone */
    t->width = find_width(&t->narrow);
    t->ascii = dumb || wants_ascii();
    t->colour = isatty(STDOUT_FILENO) && !dumb && !(no_colour && *no_colour);
}

/* ---- one character ------------------------------------------------------------------------------------- */

/* The character at the start of s (not empty) and its length; bytes that are not UTF-8 are U+FFFD, one at a time. */
static uint32_t decode(rs_str s, size_t *len) {
    const unsigned char *p = (const unsigned char *)s.p;
    *len = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if (*len > s.n || !rs_str_is_utf8((rs_str){s.p, *len})) return *len = 1, 0xfffd;
    switch (*len) {
    case 1:
        return p[0];
    case 2:
        return (p[0] & 0x1fu) << 6 | (p[1] & 0x3fu);
    case 3:
        return (p[0] & 0x0fu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
    default:
        return (p[0] & 7u) << 18 | (p[1] & 0x3fu) << 12 | (p[2] & 0x3fu) << 6 | (p[3] & 0x3fu);
    }
}

static bool is_unsafe(uint32_t c) {
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200e && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0x61c || c == 0xfeff;
}

enum { SHOWN_MAX = 16 };

/* What is shown for the character at the start of s: bytes into out (NUL-terminated), columns returned. */
static size_t show(rs_str s, size_t *len, char out[SHOWN_MAX]) {
    uint32_t c = decode(s, len);
    if (c == '\n') return (size_t)snprintf(out, SHOWN_MAX, "\\n");
    if (c == '\r') return (size_t)snprintf(out, SHOWN_MAX, "\\r");
    if (c == '\t') return (size_t)snprintf(out, SHOWN_MAX, "\\t");
    if (is_unsafe(c)) return (size_t)snprintf(out, SHOWN_MAX, c < 0x100 ? "\\x%02x" : "\\u%04x", c);
    if (c == 0xfffd) return memcpy(out, "\xEF\xBF\xBD", 4), 1;
    memcpy(out, s.p, *len);
    out[*len] = 0;
    int width = wcwidth((wchar_t)c);
    return width < 0 ? 1 : (size_t)width;
}

/* ---- strings ------------------------------------------------------------------------------------------- */

size_t rs_term_columns(rs_str s) {
    size_t columns = 0, len;
    char shown[SHOWN_MAX];
    for (size_t at = 0; at < s.n; at += len) columns += show(rs_str_from(s, at), &len, shown);
    return columns;
}

/* Bytes of s whose characters fit; *columns becomes what they take. */
static size_t fit(rs_str s, size_t *columns) {
    size_t used = 0, at = 0, len;
    char shown[SHOWN_MAX];
    while (at < s.n) {
        size_t width = show(rs_str_from(s, at), &len, shown);
        if (used + width > *columns) break;
        used += width;
        at += len;
    }
    *columns = used;
    return at;
}

static void put_shown(rs_buf *out, rs_str s) {
    size_t len;
    char shown[SHOWN_MAX];
    for (size_t at = 0; at < s.n; at += len) {
        show(rs_str_from(s, at), &len, shown);
        rs_buf_text(out, shown);
    }
}

size_t rs_term_put(const rs_term *t, rs_buf *out, rs_str s, size_t columns) {
    size_t used = columns, mark = t->ascii ? 3 : 1;
    size_t n = fit(s, &used);
    if (n == s.n || columns < mark) {
        put_shown(out, (rs_str){s.p, n});
        return used;
    }
    used = columns - mark;
    put_shown(out, (rs_str){s.p, fit(s, &used)});
    rs_buf_text(out, t->ascii ? "..." : "…");
    return used + mark;
}

void rs_term_put_cell(const rs_term *t, rs_buf *out, rs_str s, size_t columns, bool right) {
    size_t width = rs_term_columns(s), fill = width < columns ? columns - width : 0;
    if (right) rs_buf_printf(out, "%*s", (int)fill, "");
    size_t used = rs_term_put(t, out, s, columns);
    if (!right) rs_buf_printf(out, "%*s", (int)(columns - used), "");
}

bool rs_term_put_line(rs_buf *out, rs_str *text, size_t columns) {
    if (text->n == 0) return false;
    const char *newline = memchr(text->p, '\n', text->n);
    rs_str line = {text->p, newline ? (size_t)(newline - text->p) : text->n};
    size_t skip = newline ? line.n + 1 : line.n, used = columns, n = fit(line, &used);
    if (n < line.n) {
        size_t space = n;
        while (space > 0 && line.p[space] != ' ') space--;
        if (space > n / 2) n = space;
        skip = n;
        while (skip < line.n && line.p[skip] == ' ') skip++;
        if (skip == 0) skip = n = 1; /* a character wider than the column */
        line.n = n;
    }
    if (line.n > 0 && newline && line.p[line.n - 1] == '\r' && skip == line.n + 1) line.n--;
    put_shown(out, line);
    *text = rs_str_from(*text, skip);
    return true;
}

void rs_term_end_line(rs_buf *out) {
    while (out->n > 0 && out->p[out->n - 1] == ' ') out->n--;
    rs_buf_byte(out, '\n');
}

void rs_term_colour(const rs_term *t, rs_buf *out, rs_colour c) {
    static const char *const codes[] = {
        [RS_PLAIN] = "\x1b[0m",  [RS_BOLD] = "\x1b[1m",    [RS_DIM] = "\x1b[2m",   [RS_RED] = "\x1b[31m",
        [RS_GREEN] = "\x1b[32m", [RS_YELLOW] = "\x1b[33m", [RS_BLUE] = "\x1b[34m", [RS_CYAN] = "\x1b[36m"};
    if (t->colour) rs_buf_text(out, codes[c]);
}
