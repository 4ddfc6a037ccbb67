#include "sdk/fields.h"

#include <stdlib.h>

enum { START = 512, MOVE_FROM = 1024 /* dead bytes */, TABLE_FROM = 32 /* fields */ };

void rs_fields_init(rs_fields *f, size_t limit) {
    rs_buf_init(&f->wire);
    f->wire.limit = limit < UINT32_MAX / 2 ? limit : UINT32_MAX / 2; /* offsets are 32 bits */
    f->index = f->first;
    f->cap = RS_FIELDS_INLINE;
    f->table = NULL;
    f->move = NULL;
    f->keeps_secrets = false;
    rs_fields_reset(f);
}

void rs_fields_reset(rs_fields *f) {
    rs_buf_clear(&f->wire);
    f->count = 0;
    f->seen = 0;
    f->dead = 0;
    f->left_out = 0;
    f->why = RS_OK;
    f->cut = false;
    if (__builtin_expect(f->table != NULL, 0)) {
        free(f->table);
        f->table = NULL;
    }
    if (__builtin_expect(f->index != f->first, 0)) {
        free(f->index);
        f->index = f->first;
        f->cap = RS_FIELDS_INLINE;
    }
}

void rs_fields_deinit(rs_fields *f) {
    rs_fields_reset(f);
    if (!f->move) rs_buf_deinit(&f->wire);
}

/* ---- memory -------------------------------------------------------------------------------------------- */

void rs_fields_copy_live(const rs_fields *f, char *to) {
    if (f->dead == 0) {
        if (f->wire.n) memcpy(to, f->wire.p, f->wire.n);
        return;
    }
    for (uint32_t i = 0; i < f->count; i++) {
        memcpy(to, f->wire.p + f->index[i].at, f->index[i].n);
        to += f->index[i].n;
    }
}

void rs_fields_moved(rs_fields *f, char *to, size_t cap) {
    rs_fields_copy_live(f, to);
    if (f->dead) {
        uint32_t at = 0;
        for (uint32_t i = 0; i < f->count; i++) {
            f->index[i].at = at;
            at += f->index[i].n;
        }
        f->wire.n = at;
        f->dead = 0;
    }
    f->wire.p = to;
    f->wire.cap = cap;
}

static bool move_on_heap(rs_fields *f, size_t room) {
    size_t cap = rs_fields_live_size(f) + room;
    if (cap < START) cap = START;
    if (cap < f->wire.limit / 2) cap *= 2;
    char *to = malloc(cap), *old = f->wire.p;
    if (!to) return false;
    rs_fields_moved(f, to, cap);
    free(old);
    return true;
}

static bool move(rs_fields *f, size_t room) { return f->move ? f->move(f, room) : move_on_heap(f, room); }

static void leave_out(rs_fields *f, rs_status why) {
    f->why = why;
    f->left_out++;
}

char *rs_fields_room_elsewhere(rs_fields *f, size_t n) {
    size_t live = rs_fields_live_size(f);
    if (live > f->wire.limit || n > f->wire.limit - live) leave_out(f, RS_ERR_TOO_LARGE);
    else if (!move(f, n)) leave_out(f, RS_ERR_MEMORY);
    else return f->wire.p + f->wire.n;
    return NULL;
}

void rs_fields_compact(rs_fields *f) {
    if (f->dead) (void)move(f, 0);
}

/* ---- the index ----------------------------------------------------------------------------------------- */

/* An attribute's key in its encoding: tag, length, then tag and length of the key. */
static rs_str key_at(const char *p) {
    do p++;
    while (*p & 0x80);
    p += 2;
    size_t n = 0;
    unsigned shift = 0;
    for (; *p & 0x80; shift += 7) n |= (size_t)(*p++ & 0x7f) << shift;
    n |= (size_t)*p++ << shift;
    return (rs_str){p, n};
}

static uint32_t hash_of(rs_field_kind kind, rs_str key) {
    return kind == RS_FIELD_KIND_ATTRIBUTE ? rs_fields_hash(key) : (uint32_t)kind;
}

static uint64_t bit_of(uint32_t hash) { return (uint64_t)1 << (hash & 63); }

static bool is_it(const rs_fields *f, const rs_field *e, rs_field_kind kind, uint32_t hash, rs_str key) {
    return e->hash == hash && e->kind == kind &&
           (kind != RS_FIELD_KIND_ATTRIBUTE || rs_str_eq(key_at(f->wire.p + e->at), key));
}

static __attribute__((noinline)) rs_field *search(const rs_fields *f, rs_field_kind kind, uint32_t hash,
                                                  rs_str key) {
    if (f->table) {
        for (uint32_t at = hash & (f->table_n - 1); f->table[at]; at = (at + 1) & (f->table_n - 1)) {
            rs_field *e = &f->index[f->table[at] - 1];
            if (is_it(f, e, kind, hash, key)) return e;
        }
        return NULL;
    }
    for (uint32_t i = 0; i < f->count; i++)
        if (is_it(f, &f->index[i], kind, hash, key)) return &f->index[i];
    return NULL;
}

static rs_field *find(const rs_fields *f, rs_field_kind kind, uint32_t hash, rs_str key) {
    if (__builtin_expect(!(f->seen & bit_of(hash)), 1)) return NULL;
    return search(f, kind, hash, key);
}

static void enter(rs_fields *f, uint32_t position) {
    if (f->index[position].kind == RS_FIELD_KIND_PART) return; /* never looked for */
    uint32_t at = f->index[position].hash & (f->table_n - 1);
    while (f->table[at]) at = (at + 1) & (f->table_n - 1);
    f->table[at] = position + 1;
}

/* For f->cap fields, all that are there in it. Without memory there is none, and search goes through all. */
static void make_table(rs_fields *f) {
    free(f->table);
    f->table_n = f->cap * 2;
    f->table = f->cap > TABLE_FROM ? calloc(f->table_n, sizeof *f->table) : NULL;
    for (uint32_t i = 0; f->table && i < f->count; i++) enter(f, i);
}

static __attribute__((noinline)) bool grow_index(rs_fields *f) {
    if (f->cap > UINT32_MAX / 8) return false;
    uint32_t cap = f->cap * 2;
    bool is_inline = f->index == f->first;
    rs_field *index = realloc(is_inline ? NULL : f->index, cap * sizeof *index);
    if (!index) return false;
    if (is_inline) memcpy(index, f->first, sizeof f->first);
    f->index = index;
    f->cap = cap;
    make_table(f);
    return true;
}

static bool add(rs_fields *f, rs_field made) {
    if (__builtin_expect(f->count == f->cap, 0) && !grow_index(f)) return false;
    f->index[f->count++] = made;
    f->seen |= bit_of(made.hash);
    if (__builtin_expect(f->table != NULL, 0)) enter(f, f->count - 1);
    return true;
}

void rs_fields_commit_hashed(rs_fields *f, size_t n, rs_field_kind kind, rs_rank rank, rs_str key,
                             uint32_t hash) {
    rs_field made = {hash, (uint32_t)f->wire.n, (uint32_t)n, (uint8_t)kind, (uint8_t)rank};
    rs_field *old = kind == RS_FIELD_KIND_PART ? NULL : find(f, kind, hash, key);
    if (old && old->rank < rank) return;
    if (old) {
        f->dead += old->n;
        *old = made;
    } else if (!add(f, made)) {
        leave_out(f, RS_ERR_MEMORY);
        return;
    }
    f->wire.n += n;
    if (f->dead > MOVE_FROM && f->dead > f->wire.n / 2) (void)move(f, 0);
}

void rs_fields_commit(rs_fields *f, size_t n, rs_field_kind kind, rs_rank rank, rs_str key) {
    rs_fields_commit_hashed(f, n, kind, rank, key, hash_of(kind, key));
}

/* ---- sets ---------------------------------------------------------------------------------------------- */

void rs_fields_put_set(rs_fields *f, const rs_fields *set, rs_rank rank) {
    size_t n = set->wire.n;
    if (n == 0) return;
    if (!(f->seen & set->seen) && f->count + set->count <= f->cap && !f->table) { /* nothing in common */
        char *to = rs_fields_room(f, n);
        if (!to) return;
        memcpy(to, set->wire.p, n);
        for (uint32_t i = 0; i < set->count; i++) {
            rs_field e = set->index[i];
            e.at += (uint32_t)f->wire.n;
            e.rank = (uint8_t)rank;
            f->index[f->count++] = e;
        }
        f->seen |= set->seen;
        f->wire.n += n;
        return;
    }
    for (uint32_t i = 0; i < set->count; i++) {
        const rs_field *e = &set->index[i];
        const char *from = set->wire.p + e->at;
        char *to = rs_fields_room(f, e->n);
        if (!to) continue;
        memcpy(to, from, e->n);
        rs_fields_commit(f, e->n, e->kind, rank, key_at(from));
    }
}

static void remove_where(rs_fields *f,
                         bool (*is_gone)(const rs_fields *f, const rs_field *e, const void *what),
                         const void *what) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < f->count; i++) {
        if (is_gone(f, &f->index[i], what)) f->dead += f->index[i].n;
        else f->index[n++] = f->index[i];
    }
    if (n == f->count) return;
    f->count = n;
    if (f->table) make_table(f);
    (void)move(f, 0); /* who reads the bytes is not to find what is gone */
}

static bool has_rank(const rs_fields *f, const rs_field *e, const void *rank) {
    (void)f;
    return e->rank == *(const rs_rank *)rank;
}

void rs_fields_remove_rank(rs_fields *f, rs_rank rank) { remove_where(f, has_rank, &rank); }

static bool has_key(const rs_fields *f, const rs_field *e, const void *key) {
    return e->kind == RS_FIELD_KIND_ATTRIBUTE && rs_str_eq(key_at(f->wire.p + e->at), *(const rs_str *)key);
}

void rs_fields_remove(rs_fields *f, rs_str key) {
    if (find(f, RS_FIELD_KIND_ATTRIBUTE, hash_of(RS_FIELD_KIND_ATTRIBUTE, key), key))
        remove_where(f, has_key, &key);
}
