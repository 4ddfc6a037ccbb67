#include "normalize/dialect.h"

const rs_dialect *const rs_dialects[RS_DIALECTS] = {
    &rs_dialect_respan,
    &rs_dialect_openllmetry,
    &rs_dialect_genai,
    &rs_dialect_openinference,
};

static const rs_row *find_exact(const rs_dialect *d, rs_str name) {
    size_t lo = 0, hi = d->nexact;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        const rs_row *row = &d->exact[mid];
        int order = name.n == row->name.n  ? memcmp(name.p, row->name.p, name.n)
                    : name.n < row->name.n ? -1
                                           : 1;
        if (order == 0) return row;
        if (order < 0) hi = mid;
        else lo = mid + 1;
    }
    return NULL;
}

const rs_row *rs_dialect_find(const rs_dialect *d, rs_str name, rs_str *rest) {
    *rest = (rs_str){0};
    if (name.n == 0 || !(d->letters & RS_LETTER(name.p[0]))) return NULL;
    const rs_row *row = find_exact(d, name);
    for (size_t i = 0; !row && i < d->nprefixes; i++)
        if (name.n > d->prefixes[i].name.n && rs_str_starts(name, d->prefixes[i].name)) {
            row = &d->prefixes[i];
            *rest = rs_str_from(name, row->name.n);
        }
    return row;
}
