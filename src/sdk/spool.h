/* rs_spool: the file in which spans stand, open ones in slots and ended ones in regions, until the server has them, so
 * that no death of the process loses one. It is memory for the ring's batches (ring.h) and for open spans
 * (open_spans.h): a span's bytes are in the mapped file, that is in the kernel's page cache, where SIGKILL does not
 * reach them.
 *
 * Structure: spool_format.h. The owner holds flock(2) on the file for life: a file whose lock can be taken
 * belongs to a process that is dead, or to a client that was closed. Blocks are taken lowest first, so that a
 * steady flow stays in the same few pages; each is allocated on disk (posix_fallocate) before it is touched, so
 * that a full disk is an error value here and never SIGBUS.
 *
 * Full (all blocks that `bytes` allows are in use): RS_ERR_FULL; the ring then drops its oldest. No room on disk,
 * no directory, no mmap: RS_ERR_IO; the ring then uses the heap.
 *
 * Not thread-safe: the ring's lock is held around all of it but rs_spool_note_sent, rs_spool_cool and rs_spool_read_back, which
 * are the consumer's. The mapping stays until rs_spool_free, since spans may still be open. */
#ifndef RS_SDK_SPOOL_H
#define RS_SDK_SPOOL_H

#include "base/paths.h"
#include "base/str.h"
#include <stdbool.h>
#include <stdint.h>

/* What a client's spool is to be; borrowed for as long as the ring lives. */
typedef struct rs_spool_setup {
    const char *dir, *app, *url;
    uint64_t fingerprint;   /* of the key that was given; 0: none was */
    rs_str resource, scope; /* message bodies, as the request's opening needs them */
    uint64_t bytes;         /* 0: no spool */
    size_t headroom;        /* bytes kept free before the first frame of a region */
    uint32_t capacity;      /* spans of a region, at most RS_SPOOL_CAPACITY_MAX */
} rs_spool_setup;

typedef struct rs_spool rs_spool;
struct rs_spool_slot;

/* Where a batch, or an open span, stands in the file. */
typedef struct rs_spool_place {
    char *base; /* NULL: nowhere */
    uint32_t block, blocks, count;
    uint64_t number;
} rs_spool_place;

/* "HASH-PID-RANDOM.spool" in setup->dir, which is made. The hash is that of app, url and fingerprint: see spool_dir.h. */
RS_MUST_CHECK rs_status rs_spool_create(const rs_spool_setup *setup, rs_spool **out, rs_err *err);
/* Lets go of the file; removes it unless a region is still in use or a slot holds a span (has_open). Nothing may be claimed
 * any more. */
void rs_spool_finish(rs_spool *spool, bool has_open);
/* More than seven eighths are in use. */
bool rs_spool_is_tight(const rs_spool *spool);
/* Unmaps what was finished, or, in a child of fork, lets go of the parent's file and leaves it as it is. */
void rs_spool_free(rs_spool *spool);

/* Any thread. In every check of the file. */
uint64_t rs_spool_key(const rs_spool *spool);

/* ---- ended spans --------------------------------------------------------------------------------------- */

/* A region with room for a frame of n bytes. *headroom is where its batch begins, *room the bytes from there on.
 * RS_ERR_FULL, RS_ERR_TOO_LARGE (not even an empty spool has that room), RS_ERR_IO. */
RS_MUST_CHECK rs_status rs_spool_claim(rs_spool *spool, size_t n, rs_spool_place *out, char **headroom,
                                       size_t *room);
/* Adds blocks so that n more bytes fit behind *room; false if what follows is in use. */
bool rs_spool_grow(rs_spool *spool, rs_spool_place *place, size_t n, size_t *room);
/* The frame at `frame` is whole: from here on it is delivered whatever happens to the process. `lead` is its beginning,
 * `sum` that of the fields behind it. */
void rs_spool_commit(rs_spool *spool, rs_spool_place *place, const char *frame, size_t n, rs_str lead,
                     uint64_t sum);
/* The first `spans` of it were decided by the server. */
void rs_spool_note_sent(const rs_spool_place *place, uint32_t spans);
/* The consumer, with or without the lock. What of it lies behind the file's first 8 MiB, where a steady flow stays, leaves
 * the process's memory, not the file: it comes back page by page when it is touched. Nobody's data is harmed if the place
 * is another's by now. */
void rs_spool_cool(const rs_spool *spool, const rs_spool_place *place);
/* All of it was, or it is given up: its blocks are free. */
void rs_spool_release(rs_spool *spool, rs_spool_place *place);

/* ---- open spans ---------------------------------------------------------------------------------------- */

/* RS_SPOOL_SLOTS small slots, empty, for the spool's life; NULL if there is no room. Open spans get a quarter of it. */
struct rs_spool_slot *rs_spool_claim_slots(rs_spool *spool);
/* One slot of at least n bytes, empty; *bytes is how many it has, rs_spool_slot included. NULL if there is no room. */
struct rs_spool_slot *rs_spool_claim_slot(rs_spool *spool, size_t n, rs_spool_place *out, size_t *bytes);
void rs_spool_release_slot(rs_spool *spool, rs_spool_place *place);

/* With the lock: the file, to read slots back from by rs_spool_read_back, without the lock; -1: it is lost. */
int rs_spool_fd(const rs_spool *spool);
/* n bytes of the mapping at `at` as the file has them: a copy that races with whoever writes there, which its check then tells. False
 * if the file is not to be read. */
bool rs_spool_read_back(const rs_spool *spool, int fd, const void *at, void *out, size_t n);

/* ---- what the owner says ------------------------------------------------------------------------------- */

/* The process lives at now_ns, since 1970. */
void rs_spool_note_alive(rs_spool *spool, uint64_t now_ns);
void rs_spool_note_dropped(rs_spool *spool, uint64_t spans);

#endif
