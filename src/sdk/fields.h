/* rs_fields: the fields of a protobuf message (a span, an event, a link, a shared set of attributes), in wire form
 * from the moment they are set.
 *
 * Structure. `wire` holds encoded fields one behind the other; `index` has an entry for each that counts. A field
 * that is set again is appended, and its entry points at the new bytes: the old ones are dead, and once more than
 * half of `wire` is, the live ones move to other memory. So a key that is set a thousand times costs no more room
 * than twice its value, and what stands in wire[0, n) is at every moment a message whose last field of a key is the
 * one that counts: a reader of the spool gets a span that was open from it.
 *
 * Attributes are found by a hash of their key and then by the key itself; `seen` says at once that most keys are new,
 * and a message of many fields has a table. A field has a rank: one of a lower rank (the span's own, then the shared
 * set's, then the client's) replaces one of the same key and is not replaced by it.
 *
 * A field that cannot be had (memory, `limit`) is left out and counted in `left_out`; what was there before stays.
 * One thread at a time; init/deinit. */
#ifndef RS_SDK_FIELDS_H
#define RS_SDK_FIELDS_H

#include "base/buf.h"
#include "base/xxh.h"
#include <stdbool.h>

/* What an entry is. Of all but attributes and parts there is at most one. */
typedef enum rs_field_kind {
    RS_FIELD_KIND_PART, /* an event, a link, a field of an event: never replaced */
    RS_FIELD_KIND_ATTRIBUTE,
    RS_FIELD_KIND_NAME,
    RS_FIELD_KIND_STATUS,
    RS_FIELD_KIND_SPAN_KIND,
} rs_field_kind;

typedef enum rs_rank { RS_RANK_OWN, RS_RANK_SHARED, RS_RANK_CLIENT } rs_rank;

typedef struct rs_field {
    uint32_t hash, at, n;
    uint8_t kind, rank;
} rs_field;

enum { RS_FIELDS_INLINE = 16, RS_KEY_MAX = 512 /* bytes; a longer key is cut */ };

typedef struct rs_fields rs_fields;
struct rs_fields {
    rs_buf wire;     /* its capacity is what `move` gave: never grown by appending */
    rs_field *index; /* points at `first` until it has to grow */
    uint32_t count, cap;
    uint32_t *table; /* positions in `index` by hash, + 1; NULL for few fields */
    uint32_t table_n;
    uint64_t seen; /* a bit of each hash */
    size_t dead;   /* bytes of `wire` that no entry points at */
    uint32_t left_out;
    rs_status why;      /* the last of them was: RS_ERR_MEMORY or RS_ERR_TOO_LARGE */
    bool cut;           /* some attribute has a `<key>.full_length` */
    bool keeps_secrets; /* texts are taken as they are: see redact.h */
    /* Gives `wire` another buffer with the live fields (rs_fields_copy_live) and `room` bytes more; false leaves all as it
     * was. NULL: the heap. */
    bool (*move)(rs_fields *f, size_t room);
    rs_field first[RS_FIELDS_INLINE];
};

void rs_fields_init(rs_fields *f, size_t limit);
/* Empty again, with the memory that it has. */
void rs_fields_reset(rs_fields *f);
/* Frees the index, and `wire` if it is the heap's (move NULL). */
void rs_fields_deinit(rs_fields *f);

/* Room for n bytes at the end, or NULL: then the field was counted as left out. */
char *rs_fields_room_elsewhere(rs_fields *f, size_t n);
static inline char *rs_fields_room(rs_fields *f, size_t n) {
    if (__builtin_expect(n <= f->wire.cap - f->wire.n, 1)) return f->wire.p + f->wire.n;
    return rs_fields_room_elsewhere(f, n);
}

/* The field of n bytes that stands at the end of `wire` counts from here on. `key` is that of an attribute. */
void rs_fields_commit(rs_fields *f, size_t n, rs_field_kind kind, rs_rank rank, rs_str key);
void rs_fields_commit_hashed(rs_fields *f, size_t n, rs_field_kind kind, rs_rank rank, rs_str key,
                             uint32_t hash);
static inline uint32_t rs_fields_hash(rs_str key) { return (uint32_t)XXH3_64bits(key.p, key.n); }
/* The same for an attribute of the span's own, in line where its key was not seen yet. */
static inline void rs_fields_commit_attribute(rs_fields *f, size_t n, rs_str key) {
    uint32_t hash = rs_fields_hash(key);
    uint64_t bit = (uint64_t)1 << (hash & 63);
    if (__builtin_expect(!(f->seen & bit) && f->count < f->cap && !f->table, 1)) {
        f->index[f->count++] =
            (rs_field){hash, (uint32_t)f->wire.n, (uint32_t)n, RS_FIELD_KIND_ATTRIBUTE, RS_RANK_OWN};
        f->seen |= bit;
        f->wire.n += n;
    } else {
        rs_fields_commit_hashed(f, n, RS_FIELD_KIND_ATTRIBUTE, RS_RANK_OWN, key, hash);
    }
}

/* All fields of `set` that f does not have, as `rank`. They are `set`'s bytes as they stand. */
void rs_fields_put_set(rs_fields *f, const rs_fields *set, rs_rank rank);
/* Takes away what has this rank, or the attribute with this key. */
void rs_fields_remove_rank(rs_fields *f, rs_rank rank);
void rs_fields_remove(rs_fields *f, rs_str key);

static inline size_t rs_fields_live_size(const rs_fields *f) { return f->wire.n - f->dead; }
/* Copies the live fields to `to`, which has room for rs_fields_live_size. */
void rs_fields_copy_live(const rs_fields *f, char *to);
/* The same where `to` becomes f's buffer, of cap bytes. The old one is the caller's to free. */
void rs_fields_moved(rs_fields *f, char *to, size_t cap);
/* Nothing dead any more, in the same buffer: for a message that nobody else looks at. */
void rs_fields_compact(rs_fields *f);

#endif
