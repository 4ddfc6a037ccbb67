/* Run by the build: all dialects' names -> dialect_index.h, the constant tables behind rs_dialect_find.
 *
 * Names lie in an open-addressed table by rs_hash_name, prefixes in buckets by their first eight bytes, the longest first. Fails where a
 * name stands twice, a prefix is too short, a row's fields contradict each other, or a name is far from its place. */
#include "normalize/dialect_hash.h"
#include <stdio.h>
#include <stdlib.h>

enum { FAR = 8, PREFIXES_MAX = 255 };

static rs_index_slot names[RS_INDEX_SLOTS], prefixes[PREFIXES_MAX];
static size_t nprefixes;

static const rs_row *exact_row(rs_index_slot s) { return &rs_dialects[s.dialect]->exact[s.row]; }
static const rs_row *prefix_row(rs_index_slot s) { return &rs_dialects[s.dialect]->prefixes[s.row]; }

static void refuse(const char *why, const rs_row *row) {
    fprintf(stderr, "make_index: '%.*s' %s\n", RS_STR_ARG(row->name), why);
    exit(1);
}

static void check(const rs_row *row, bool prefix) {
    bool plain = row->field == RS_FIELD_PARAMETER || row->field == RS_FIELD_METADATA ||
                 row->field == RS_FIELD_INPUT_PART || row->field == RS_FIELD_OUTPUT_PART;
    if (row->rank >= RS_RANKS) refuse("has a rank of RS_RANKS or more", row);
    if ((row->plain.n > 0) != (plain && !prefix)) refuse("has a plain name too many or too few", row);
    if (prefix && row->name.n < RS_PREFIX_MIN) refuse("is too short for a prefix", row);
}

static void put_name(rs_index_slot slot) {
    const rs_row *row = exact_row(slot);
    uint32_t at = rs_hash_name(row->name), far = 0;
    for (; names[at].dialect != RS_DIALECTS; at = (at + 1) % RS_INDEX_SLOTS, far++)
        if (rs_str_eq(exact_row(names[at])->name, row->name)) refuse("stands twice", row);
    if (far > FAR) refuse("is far from its place: change the hash, or RS_INDEX_SLOTS", row);
    names[at] = slot;
}

static int by_bucket(const void *a, const void *b) {
    const rs_row *x = prefix_row(*(const rs_index_slot *)a), *y = prefix_row(*(const rs_index_slot *)b);
    uint32_t hx = rs_hash_prefix(x->name.p), hy = rs_hash_prefix(y->name.p);
    if (hx != hy) return hx < hy ? -1 : 1;
    return (x->name.n < y->name.n) - (x->name.n > y->name.n);
}

static void collect(void) {
    for (size_t i = 0; i < RS_INDEX_SLOTS; i++) names[i].dialect = RS_DIALECTS;
    for (uint8_t d = 0; d < RS_DIALECTS; d++) {
        const rs_dialect *dialect = rs_dialects[d];
        if (dialect->nexact > UINT8_MAX || nprefixes + dialect->nprefixes > PREFIXES_MAX) abort();
        for (size_t i = 0; i < dialect->nexact; i++)
            check(&dialect->exact[i], false), put_name((rs_index_slot){d, (uint8_t)i});
        for (size_t i = 0; i < dialect->nprefixes; i++)
            check(&dialect->prefixes[i], true), prefixes[nprefixes++] = (rs_index_slot){d, (uint8_t)i};
    }
    qsort(prefixes, nprefixes, sizeof *prefixes, by_bucket);
    for (size_t i = 1; i < nprefixes; i++)
        if (rs_str_eq(prefix_row(prefixes[i - 1])->name, prefix_row(prefixes[i])->name))
            refuse("stands twice", prefix_row(prefixes[i]));
}

static void write_slots(const char *name, const rs_index_slot *slots, size_t n) {
    printf("static const rs_index_slot %s[] = {", name);
    for (size_t i = 0; i < n; i++)
        printf("%s{%d, %d},", i % 16 ? " " : "\n    ", slots[i].dialect, slots[i].row);
    printf("\n};\n");
}

int main(void) {
    collect();
    printf("/* Made by make_index.c from the tables of all dialects. */\n#include "
           "\"normalize/dialect_hash.h\"\n");
    write_slots("index_names", names, RS_INDEX_SLOTS);
    write_slots("index_prefixes", prefixes, nprefixes);
    printf("static const rs_index_bucket index_buckets[] = {");
    for (uint32_t bucket = 0, at = 0; bucket < RS_INDEX_BUCKETS; bucket++) {
        uint32_t first = at;
        while (at < nprefixes && rs_hash_prefix(prefix_row(prefixes[at])->name.p) == bucket) at++;
        printf("%s{%u, %u},", bucket % 16 ? " " : "\n    ", first, at - first);
    }
    printf("\n};\n");
    return ferror(stdout) || fflush(stdout) ? 1 : 0;
}
