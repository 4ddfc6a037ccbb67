#include "sdk/export_response.h"

/* ---- protobuf (protobuf.dev/programming-guides/encoding) ----------------------------------------------- */

static bool read_varint(rs_str *in, uint64_t *out) {
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        if (in->n == 0) return false;
        uint8_t byte = (uint8_t)*in->p;
        in->p++, in->n--;
        if (shift < 64) v |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *out = v;
            return true;
        }
    }
    return false;
}

typedef struct field {
    uint64_t number, varint;
    unsigned wire;
    rs_str bytes;
} field;

static bool take(rs_str *in, uint64_t n, rs_str *out) {
    if (n > in->n) return false;
    *out = (rs_str){in->p, (size_t)n};
    in->p += n, in->n -= (size_t)n;
    return true;
}

static bool read_field(rs_str *in, field *f) {
    uint64_t tag, n = 0;
    *f = (field){0};
    if (!read_varint(in, &tag) || tag >> 3 == 0) return false;
    f->number = tag >> 3;
    f->wire = tag & 7;
    switch (f->wire) {
    case 0:
        return read_varint(in, &f->varint);
    case 1:
        return take(in, 8, &f->bytes);
    case 2:
        return read_varint(in, &n) && take(in, n, &f->bytes);
    case 5:
        return take(in, 4, &f->bytes);
    default:
        return false;
    }
}

static bool read_partial_success(rs_str in, rs_export_response *out) {
    field f;
    while (in.n) {
        if (!read_field(&in, &f)) return false;
        if (f.number == 1 && f.wire == 0) out->rejected_spans = f.varint > INT64_MAX ? 0 : f.varint;
        if (f.number == 2 && f.wire == 2) out->message = f.bytes;
    }
    return true;
}

bool rs_export_response_read(rs_str in, rs_export_response *out) {
    field f;
    bool ok = true;
    *out = (rs_export_response){0};
    while (ok && in.n) {
        ok = read_field(&in, &f);
        if (ok && f.number == 1 && f.wire == 2) ok = read_partial_success(f.bytes, out);
    }
    if (!ok) *out = (rs_export_response){0};
    return ok;
}

/* ---- text ---------------------------------------------------------------------------------------------- */

/* The rest of s behind its first `"message"` and colon, up to the closing quote; s if there is none. Good
 * enough for a line that a person reads; nothing depends on it. */
static rs_str json_message(rs_str s) {
    static const rs_str name = RS_STR("\"message\"");
    const char *p = s.n ? memmem(s.p, s.n, name.p, name.n) : NULL;
    if (!p) return s;
    rs_str rest = rs_str_from(s, (size_t)(p - s.p) + name.n);
    while (rest.n && (*rest.p == ' ' || *rest.p == ':')) rest = rs_str_from(rest, 1);
    if (rest.n == 0 || *rest.p != '"') return s;
    rest = rs_str_from(rest, 1);
    size_t n = 0;
    while (n < rest.n && rest.p[n] != '"') n += rest.p[n] == '\\' ? 2 : 1;
    return (rs_str){rest.p, n < rest.n ? n : rest.n};
}

void rs_export_error_text(rs_str body, char *out, size_t size) {
    rs_str s = rs_str_cut_utf8(json_message(body), size - 1);
    if (!rs_str_is_utf8(s)) s.n = 0; /* not text */
    for (size_t i = 0; i < s.n; i++) out[i] = (unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f ? ' ' : s.p[i];
    while (s.n && out[s.n - 1] == ' ') s.n--;
    out[s.n] = 0;
}
