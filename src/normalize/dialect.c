#include "normalize/dialect.h"
#include "dialect_index.h" /* index_names, index_buckets, index_prefixes: made by make_index.c */

static bool find_exact(rs_str name, rs_found *out) {
    for (uint32_t at = rs_hash_name(name);; at = (at + 1) % RS_INDEX_SLOTS) {
        rs_index_slot slot = index_names[at];
        if (slot.dialect == RS_DIALECTS) return false;
        const rs_row *row = &rs_dialects[slot.dialect]->exact[slot.row];
        if (!rs_str_eq(row->name, name)) continue;
        *out = (rs_found){row, slot.dialect, {0}};
        return true;
    }
}

bool rs_dialect_find(rs_str name, rs_found *out) {
    if (name.n == 0) return false;
    if (find_exact(name, out)) return true;
    if (name.n <= RS_PREFIX_MIN) return false;
    rs_index_bucket bucket = index_buckets[rs_hash_prefix(name.p)];
    for (unsigned i = 0; i < bucket.n; i++) {
        rs_index_slot slot = index_prefixes[bucket.first + i];
        const rs_row *row = &rs_dialects[slot.dialect]->prefixes[slot.row];
        if (name.n <= row->name.n || !rs_str_starts(name, row->name)) continue;
        *out = (rs_found){row, slot.dialect, rs_str_from(name, row->name.n)};
        return true;
    }
    return false;
}
