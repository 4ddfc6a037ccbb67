#include "sdk/spool.h"

#include "base/clock.h"
#include "base/files.h"
#include "base/ids.h"
#include "sdk/spool_dir.h"
#include "sdk/spool_format.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ALLOCATE_STEP = 16 /* blocks */, WARM = (8 << 20) / RS_SPOOL_BLOCK };

struct rs_spool {
    int fd; /* -1: let go of, or lost */
    dev_t device;
    ino_t inode;
    char *map;
    size_t map_n, data_at, headroom;
    uint64_t key, regions; /* claimed so far */
    uint32_t capacity, blocks, allocated, lowest /* no free block is below */;
    uint32_t regions_in_use, slot_blocks, used_n /* blocks */;
    bool *used; /* of each block */
    char path[RS_PATH_MAX];
};

/* ---- life ---------------------------------------------------------------------------------------------- */

static size_t round_up(size_t n, size_t to) { return (n + to - 1) / to * to; }

/* The header with its texts, as it stands at the file's beginning and once more behind that. */
static char *make_header(const rs_spool_setup *s, uint64_t key, size_t *n) {
    size_t app_n = strlen(s->app), url_n = strlen(s->url);
    size_t texts = app_n + url_n + s->resource.n + s->scope.n;
    *n = round_up(sizeof(rs_spool_header) + texts + sizeof(rs_spool_sender), RS_SPOOL_PAGE);
    char *bytes = *n <= RS_SPOOL_HEADER_MAX ? calloc(1, *n) : NULL;
    if (!bytes) return NULL;
    rs_spool_header h = {.magic = RS_SPOOL_MAGIC,
                         .version = RS_SPOOL_VERSION,
                         .block_bytes = RS_SPOOL_BLOCK,
                         .data_at = 2 * *n + RS_SPOOL_PAGE,
                         .key = key,
                         .pid = (uint64_t)getpid(),
                         .started_ns = rs_clock_wall_ns(),
                         .app_n = (uint32_t)app_n,
                         .url_n = (uint32_t)url_n,
                         .resource_n = (uint32_t)s->resource.n,
                         .scope_n = (uint32_t)s->scope.n};
    rs_str pieces[] = {{s->app, app_n}, {s->url, url_n}, s->resource, s->scope};
    char *at = bytes + sizeof h;
    for (size_t i = 0; i < RS_ARRAY_LEN(pieces); i++) {
        if (pieces[i].n) memcpy(at, pieces[i].p, pieces[i].n);
        at += pieces[i].n;
    }
    h.check = rs_spool_header_check(&h, bytes + sizeof h, texts);
    memcpy(bytes, &h, sizeof h);
    rs_spool_sender sender = {.fingerprint = s->fingerprint};
    sender.check = rs_spool_sender_check(&sender, &h);
    memcpy(at, &sender, sizeof sender);
    return bytes;
}

/* A program may close descriptors that it knows nothing of, and open others under their numbers. */
static bool has_file(rs_spool *s) {
    struct stat st;
    if (s->fd >= 0 && fstat(s->fd, &st) == 0 && st.st_dev == s->device && st.st_ino == s->inode) return true;
    s->fd = -1;
    return false;
}

/* Not one of the first three, even if they are free: what the program prints goes to them. */
static int open_above_standard(const char *path) {
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 || fd > STDERR_FILENO) return fd;
    int above = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1), why = errno;
    close(fd);
    errno = why;
    return above;
}

/* Under a name that nobody reads until it is locked and has its header. */
static rs_status make_file(rs_spool *s, const rs_spool_setup *setup, rs_err *err) {
    char name[RS_SPOOL_NAME_MAX], made[RS_PATH_MAX];
    rs_spool_name(name, setup->app, setup->url, setup->fingerprint);
    if (rs_path_make_dirs(setup->dir, err) != RS_OK || rs_path_join(s->path, setup->dir, name, err) != RS_OK)
        return RS_ERR_IO;
    int n = snprintf(made, sizeof made, "%s" RS_SPOOL_UNFINISHED, s->path);
    if (n < 0 || n >= (int)sizeof made) return rs_fail(err, RS_ERR_IO, 0, "%s is too long a path", s->path);
    struct stat st;
    s->fd = open_above_standard(made);
    if (s->fd < 0 || fstat(s->fd, &st) != 0)
        return rs_fail(err, RS_ERR_IO, 0, "cannot make %s: %s", made, strerror(errno));
    s->device = st.st_dev;
    s->inode = st.st_ino;
    size_t header_n;
    char *header = make_header(setup, s->key, &header_n);
    s->data_at = 2 * header_n + RS_SPOOL_PAGE;
    bool ok = header && flock(s->fd, LOCK_EX | LOCK_NB) == 0 &&
              rs_file_write_at(s->fd, header, header_n, 0) &&
              rs_file_write_at(s->fd, header, header_n, header_n) &&
              posix_fallocate(s->fd, (off_t)(2 * header_n), RS_SPOOL_PAGE) == 0;
    free(header);
    if (ok && rename(made, s->path) == 0) return RS_OK;
    rs_fail(err, RS_ERR_IO, 0, "cannot write %s: %s", made, strerror(errno));
    unlink(made);
    return RS_ERR_IO;
}

void rs_spool_free(rs_spool *s) {
    if (!s) return;
    if (s->map != MAP_FAILED) munmap(s->map, s->map_n);
    if (has_file(s)) close(s->fd);
    free(s->used);
    free(s);
}

rs_status rs_spool_create(const rs_spool_setup *setup, rs_spool **out, rs_err *err) {
    *out = NULL;
    rs_spool *s = calloc(1, sizeof *s);
    if (!s) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    uint64_t bytes = setup->bytes < RS_SPOOL_BYTES_MAX ? setup->bytes : RS_SPOOL_BYTES_MAX;
    s->fd = -1;
    s->map = MAP_FAILED;
    s->key = rs_id_random();
    s->blocks = bytes < 2 * RS_SPOOL_BLOCK ? 2 : (uint32_t)(bytes / RS_SPOOL_BLOCK);
    s->headroom = setup->headroom;
    s->capacity = setup->capacity;
    s->used = calloc(s->blocks, sizeof *s->used);
    rs_status st = s->used ? make_file(s, setup, err) : rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    if (st == RS_OK) {
        s->map_n = s->data_at + (size_t)s->blocks * RS_SPOOL_BLOCK;
        s->map = mmap(NULL, s->map_n, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, 0);
        if (s->map == MAP_FAILED) {
            st = rs_fail(err, RS_ERR_IO, 0, "cannot map %s: %s", s->path, strerror(errno));
            unlink(s->path);
        }
    }
    if (st == RS_OK) *out = s;
    else rs_spool_free(s);
    return st;
}

void rs_spool_finish(rs_spool *s, bool has_open) {
    if (!s || !has_file(s)) return;
    uint32_t end = s->allocated;
    while (end && !s->used[end - 1]) end--;
    if (s->regions_in_use == 0 && !has_open) unlink(s->path);
    /* What was allocated ahead goes back to the disk; if not, the file is only larger. Slots are not cut off: a span
     * that is open writes on. */
    else if (ftruncate(s->fd, (off_t)(s->data_at + (size_t)end * RS_SPOOL_BLOCK)) != 0) errno = 0;
    close(s->fd);
    s->fd = -1;
}

uint64_t rs_spool_key(const rs_spool *s) { return s->key; }

/* ---- regions ------------------------------------------------------------------------------------------- */

static size_t region_head(const rs_spool *s) {
    return sizeof(rs_spool_region) + s->capacity * sizeof(rs_spool_entry);
}

static char *block_at(const rs_spool *s, uint32_t block) {
    return s->map + s->data_at + (size_t)block * RS_SPOOL_BLOCK;
}

/* The first `count` free blocks in a row; s->blocks if there are none. */
static uint32_t find_run(const rs_spool *s, size_t count) {
    uint32_t run = 0;
    for (uint32_t i = s->lowest; i < s->blocks; i++) {
        run = s->used[i] ? 0 : run + 1;
        if (run == count) return i + 1 - run;
    }
    return s->blocks;
}

/* So that blocks below `upto` are on disk: to touch a page that the disk has no room for is SIGBUS. */
static bool allocate(rs_spool *s, uint32_t upto) {
    if (upto <= s->allocated) return true;
    uint32_t step = upto - s->allocated < ALLOCATE_STEP ? s->allocated + ALLOCATE_STEP : upto;
    if (step > s->blocks) step = s->blocks;
    off_t from = (off_t)(s->data_at + (size_t)s->allocated * RS_SPOOL_BLOCK);
    off_t n = (off_t)(step - s->allocated) * RS_SPOOL_BLOCK;
    if (!has_file(s)) return false;
    if (posix_fallocate(s->fd, from, n) != 0) {
        step = upto;
        n = (off_t)(step - s->allocated) * RS_SPOOL_BLOCK;
        if (posix_fallocate(s->fd, from, n) != 0) return false;
    }
#ifdef MADV_POPULATE_WRITE
    /* All at once costs less than page by page; a kernel without it does it that way. */
    (void)madvise(s->map + from, (size_t)n, MADV_POPULATE_WRITE);
#endif
    s->allocated = step;
    return true;
}

static void take_blocks(rs_spool *s, uint32_t from, uint32_t count) {
    memset(s->used + from, true, count);
    s->used_n += count;
    while (s->lowest < s->blocks && s->used[s->lowest]) s->lowest++;
}

rs_status rs_spool_claim(rs_spool *s, size_t n, rs_spool_place *out, char **headroom, size_t *room) {
    size_t head = region_head(s), most = (size_t)s->blocks * RS_SPOOL_BLOCK;
    if (n > most || head + s->headroom + n > most) return RS_ERR_TOO_LARGE;
    uint32_t count = (uint32_t)((head + s->headroom + n + RS_SPOOL_BLOCK - 1) / RS_SPOOL_BLOCK);
    if (s->fd < 0) return RS_ERR_IO;
    uint32_t block = find_run(s, count);
    if (block == s->blocks) return RS_ERR_FULL;
    if (!allocate(s, block + count)) return RS_ERR_IO;
    take_blocks(s, block, count);
    s->regions_in_use++;
    *out =
        (rs_spool_place){.base = block_at(s, block), .block = block, .blocks = count, .number = ++s->regions};
    rs_spool_region *r = (rs_spool_region *)out->base;
    memset(r, 0, head);
    *r = (rs_spool_region){.magic = RS_SPOOL_REGION_MAGIC,
                           .capacity = s->capacity,
                           .number = out->number,
                           .state = RS_SPOOL_LIVE};
    __atomic_store_n(&r->check, rs_spool_region_check(r, s->key), __ATOMIC_RELEASE);
    *headroom = out->base + head;
    *room = (size_t)count * RS_SPOOL_BLOCK - head;
    return RS_OK;
}

bool rs_spool_grow(rs_spool *s, rs_spool_place *p, size_t n, size_t *room) {
    uint32_t end = p->block + p->blocks;
    if (n > (size_t)(s->blocks - end) * RS_SPOOL_BLOCK) return false;
    uint32_t more = (uint32_t)((n + RS_SPOOL_BLOCK - 1) / RS_SPOOL_BLOCK);
    for (uint32_t i = end; i < end + more; i++)
        if (s->used[i]) return false;
    if (!allocate(s, end + more)) return false;
    take_blocks(s, end, more);
    p->blocks += more;
    *room += (size_t)more * RS_SPOOL_BLOCK;
    return true;
}

void rs_spool_commit(rs_spool *s, rs_spool_place *p, const char *frame, size_t n, rs_str lead, uint64_t sum) {
    rs_spool_entry *e = (rs_spool_entry *)(p->base + sizeof(rs_spool_region)) + p->count;
    e->at = (uint32_t)(frame - p->base);
    e->n = (uint32_t)n;
    uint64_t check = rs_spool_frame_check(lead, sum, s->key, p->number, p->count++);
    __atomic_store_n(&e->check, check, __ATOMIC_RELEASE);
}

void rs_spool_note_sent(const rs_spool_place *p, uint32_t spans) {
    __atomic_store_n(&((rs_spool_region *)p->base)->sent, spans, __ATOMIC_RELEASE);
}

void rs_spool_cool(const rs_spool *s, const rs_spool_place *p) {
    uint32_t from = p->block < WARM ? WARM : p->block, end = p->block + p->blocks;
    /* If it fails (pages larger than a block), there is more memory in use. */
    if (from < end) (void)madvise(block_at(s, from), (size_t)(end - from) * RS_SPOOL_BLOCK, MADV_DONTNEED);
}

static void free_blocks(rs_spool *s, rs_spool_place *p) {
    memset(s->used + p->block, false, p->blocks);
    s->used_n -= p->blocks;
    if (p->block < s->lowest) s->lowest = p->block;
    *p = (rs_spool_place){0};
}

void rs_spool_release(rs_spool *s, rs_spool_place *p) {
    __atomic_store_n(&((rs_spool_region *)p->base)->state, RS_SPOOL_FREE, __ATOMIC_RELEASE);
    free_blocks(s, p);
    s->regions_in_use--;
}

/* ---- slots --------------------------------------------------------------------------------------------- */

/* `count` blocks with so many slots; NULL if there is no room. Each slot says that it is empty before the blocks say that
 * they are slots. */
static rs_spool_slot *claim_slot_blocks(rs_spool *s, uint32_t count, uint32_t slots, size_t slot_bytes,
                                        uint32_t *block) {
    if (s->fd < 0 || s->slot_blocks + count > s->blocks / 4) return NULL;
    *block = find_run(s, count);
    if (*block == s->blocks || !allocate(s, *block + count)) return NULL;
    take_blocks(s, *block, count);
    s->slot_blocks += count;
    rs_spool_slots *head = (rs_spool_slots *)block_at(s, *block);
    memset(head, 0, sizeof *head);
    char *first = (char *)(head + 1);
    for (uint32_t i = 0; i < slots; i++) memset(first + i * slot_bytes, 0, sizeof(rs_spool_slot));
    head->magic = RS_SPOOL_SLOTS_MAGIC;
    head->slots = slots;
    head->slot_bytes = slot_bytes;
    __atomic_store_n(&head->check, rs_spool_slots_check(head, s->key), __ATOMIC_RELEASE);
    return (rs_spool_slot *)first;
}

rs_spool_slot *rs_spool_claim_slots(rs_spool *s) {
    uint32_t block;
    return claim_slot_blocks(s, 1, RS_SPOOL_SLOTS, RS_SPOOL_SLOT, &block);
}

rs_spool_slot *rs_spool_claim_slot(rs_spool *s, size_t n, rs_spool_place *out, size_t *bytes) {
    size_t need = sizeof(rs_spool_slots) + sizeof(rs_spool_slot) + n;
    if (n > (size_t)s->blocks * RS_SPOOL_BLOCK) return NULL;
    uint32_t count = (uint32_t)((need + RS_SPOOL_BLOCK - 1) / RS_SPOOL_BLOCK), block;
    *bytes = (size_t)count * RS_SPOOL_BLOCK - sizeof(rs_spool_slots);
    rs_spool_slot *slot = claim_slot_blocks(s, count, 1, *bytes, &block);
    if (slot) *out = (rs_spool_place){.base = block_at(s, block), .block = block, .blocks = count};
    return slot;
}

void rs_spool_release_slot(rs_spool *s, rs_spool_place *p) {
    __atomic_store_n(&((rs_spool_slots *)p->base)->magic, 0, __ATOMIC_RELEASE);
    s->slot_blocks -= p->blocks;
    free_blocks(s, p);
}

int rs_spool_fd(const rs_spool *s) { return s->fd; }

bool rs_spool_read_back(const rs_spool *s, int fd, const void *at, void *out, size_t n) {
    return fd >= 0 && rs_file_read_at(fd, out, n, (uint64_t)((const char *)at - s->map));
}

/* ---- what the owner says ------------------------------------------------------------------------------- */

static rs_spool_pulse *pulse_of(rs_spool *s) {
    return (rs_spool_pulse *)(s->map + s->data_at - RS_SPOOL_PAGE);
}

bool rs_spool_is_tight(const rs_spool *s) { return s->used_n > s->blocks - s->blocks / 8; }

void rs_spool_note_alive(rs_spool *s, uint64_t now_ns) {
    (void)has_file(s); /* if it is lost, what comes next goes to the heap */
    __atomic_store_n(&pulse_of(s)->alive_ns, now_ns, __ATOMIC_RELAXED);
}

void rs_spool_note_dropped(rs_spool *s, uint64_t spans) { pulse_of(s)->dropped += spans; }
