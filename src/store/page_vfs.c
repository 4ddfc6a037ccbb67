#include "store/page_vfs.h"
#include "base/xxh.h"

#include <pthread.h>
#include <string.h>

enum { HEADER = 100, AT_PAGE_SIZE = 16, AT_RESERVED = 20, LEAST_PAGE = 512, MOST_PAGE = 65536 };

/* SQLite's own file follows it in the memory that SQLite gives for both. */
typedef struct checked_file {
    sqlite3_file base;
    bool checks;
    size_t page; /* bytes; 0: not known yet */
} checked_file;

static sqlite3_file *under(sqlite3_file *f) { return (sqlite3_file *)((checked_file *)f + 1); }

/* ---- a page -------------------------------------------------------------------------------------------- */

uint64_t rs_page_check_of(const uint8_t *page, size_t size, uint64_t number) {
    return XXH3_64bits_withSeed(page, size - RS_PAGE_CHECK, number);
}

bool rs_page_is_whole(const uint8_t *page, size_t size, uint64_t number) {
    uint64_t check = rs_page_check_of(page, size, number);
    return memcmp(page + size - RS_PAGE_CHECK, &check, sizeof check) == 0;
}

size_t rs_page_size_of(const uint8_t *header) {
    if (memcmp(header, "SQLite format 3", 16) != 0) return 0;
    size_t size = (size_t)header[AT_PAGE_SIZE] << 8 | header[AT_PAGE_SIZE + 1];
    if (size == 1) size = MOST_PAGE; /* what does not fit into its two bytes */
    return size >= LEAST_PAGE && (size & (size - 1)) == 0 ? size : 0;
}

/* The bytes begin the file: they say what its pages are like. */
static void note_header(checked_file *f, const uint8_t *header) {
    size_t size = rs_page_size_of(header);
    if (!size) return;
    f->page = size;
    f->checks = header[AT_RESERVED] == RS_PAGE_CHECK;
}

static bool is_page(const checked_file *f, int n, sqlite3_int64 at) {
    size_t size = (size_t)n;
    if (f->page) return size == f->page && at % n == 0;
    return size >= LEAST_PAGE && (size & (size - 1)) == 0 && at % n == 0;
}

/* ---- the file ------------------------------------------------------------------------------------------ */

static int file_close(sqlite3_file *f) { return under(f)->pMethods->xClose(under(f)); }

static int file_size(sqlite3_file *f, sqlite3_int64 *n) { return under(f)->pMethods->xFileSize(under(f), n); }

/* The file ends within the page: SQLite would take the rest of it for zeros. */
static bool is_torn(sqlite3_file *file, int n, sqlite3_int64 at) {
    checked_file *f = (checked_file *)file;
    sqlite3_int64 size;
    return f->checks && is_page(f, n, at) && file_size(file, &size) == SQLITE_OK && at < size;
}

static int file_read(sqlite3_file *file, void *to, int n, sqlite3_int64 at) {
    checked_file *f = (checked_file *)file;
    int rc = under(file)->pMethods->xRead(under(file), to, n, at);
    if (rc == SQLITE_IOERR_SHORT_READ && is_torn(file, n, at)) return SQLITE_IOERR_DATA;
    if (rc != SQLITE_OK) return rc;
    if (at == 0 && n >= HEADER) note_header(f, to);
    if (!f->checks || !is_page(f, n, at)) return SQLITE_OK;
    return rs_page_is_whole(to, (size_t)n, (uint64_t)(at / n) + 1) ? SQLITE_OK : SQLITE_IOERR_DATA;
}

/* SQLite leaves the reserved bytes of its page to us, wherever it keeps it. */
static int file_write(sqlite3_file *file, const void *from, int n, sqlite3_int64 at) {
    checked_file *f = (checked_file *)file;
    if (at == 0 && n >= HEADER) note_header(f, from);
    if (f->checks && is_page(f, n, at)) {
        uint64_t check = rs_page_check_of(from, (size_t)n, (uint64_t)(at / n) + 1);
        memcpy((char *)(uintptr_t)from + n - RS_PAGE_CHECK, &check, sizeof check);
    }
    return under(file)->pMethods->xWrite(under(file), from, n, at);
}

static int file_truncate(sqlite3_file *f, sqlite3_int64 n) {
    return under(f)->pMethods->xTruncate(under(f), n);
}
static int file_sync(sqlite3_file *f, int flags) { return under(f)->pMethods->xSync(under(f), flags); }
static int file_lock(sqlite3_file *f, int lock) { return under(f)->pMethods->xLock(under(f), lock); }
static int file_unlock(sqlite3_file *f, int lock) { return under(f)->pMethods->xUnlock(under(f), lock); }
static int file_reserved(sqlite3_file *f, int *out) {
    return under(f)->pMethods->xCheckReservedLock(under(f), out);
}

/* Before pages go from the write-ahead log to the file: another connection may have given it checksums. */
static void look_again(sqlite3_file *file) {
    uint8_t header[HEADER];
    if (under(file)->pMethods->xRead(under(file), header, sizeof header, 0) == SQLITE_OK)
        note_header((checked_file *)file, header);
}

static int file_control(sqlite3_file *f, int op, void *arg) {
    if (op == SQLITE_FCNTL_CKPT_START) look_again(f);
    return under(f)->pMethods->xFileControl(under(f), op, arg);
}

static int file_sector(sqlite3_file *f) { return under(f)->pMethods->xSectorSize(under(f)); }

/* Pages are to be read whole, or they could not be compared. */
static int file_traits(sqlite3_file *f) {
    int traits = under(f)->pMethods->xDeviceCharacteristics(under(f));
#ifdef SQLITE_IOCAP_SUBPAGE_READ
    traits &= ~SQLITE_IOCAP_SUBPAGE_READ;
#endif
    return traits;
}

static int file_shm_map(sqlite3_file *f, int at, int size, int extend, void volatile **out) {
    return under(f)->pMethods->xShmMap(under(f), at, size, extend, out);
}
static int file_shm_lock(sqlite3_file *f, int at, int n, int flags) {
    return under(f)->pMethods->xShmLock(under(f), at, n, flags);
}
static void file_shm_barrier(sqlite3_file *f) { under(f)->pMethods->xShmBarrier(under(f)); }
static int file_shm_unmap(sqlite3_file *f, int drop) { return under(f)->pMethods->xShmUnmap(under(f), drop); }

/* Version 2: pages are never mapped into memory, where nobody would compare them. */
static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector,
    .xDeviceCharacteristics = file_traits,
    .xShmMap = file_shm_map,
    .xShmLock = file_shm_lock,
    .xShmBarrier = file_shm_barrier,
    .xShmUnmap = file_shm_unmap,
};

/* ---- the file system ----------------------------------------------------------------------------------- */

static sqlite3_vfs vfs, *own; /* set once, by make_vfs */
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* Journals and temporary files are SQLite's own. */
static int open_file(sqlite3_vfs *self, const char *name, sqlite3_file *file, int flags, int *out_flags) {
    (void)self;
    if (!(flags & SQLITE_OPEN_MAIN_DB)) return own->xOpen(own, name, file, flags, out_flags);
    checked_file *f = (checked_file *)file;
    sqlite3_int64 size = 0;
    *f = (checked_file){0};
    int rc = own->xOpen(own, name, under(file), flags, out_flags);
    if (!under(file)->pMethods) return rc;
    f->base.pMethods = &methods;
    if (rc == SQLITE_OK) rc = file_size(file, &size);
    f->checks = size == 0;
    return rc;
}

/* SQLite's own for all but opening: it does not look at which one it was called of. */
static void make_vfs(void) {
    if (sqlite3_initialize() != SQLITE_OK || !(own = sqlite3_vfs_find(NULL))) return;
    vfs = *own;
    vfs.pNext = NULL;
    vfs.zName = "respan-pages";
    vfs.szOsFile += (int)sizeof(checked_file);
    vfs.xOpen = open_file;
    if (sqlite3_vfs_register(&vfs, 0) != SQLITE_OK) own = NULL;
}

const char *rs_page_vfs(void) {
    pthread_once(&once, make_vfs);
    return own ? vfs.zName : NULL;
}

static checked_file *file_of(sqlite3 *db) {
    sqlite3_file *f = NULL;
    int rc = sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &f);
    return rc == SQLITE_OK && f && f->pMethods == &methods ? (checked_file *)f : NULL;
}

bool rs_page_vfs_checks(sqlite3 *db) {
    checked_file *f = file_of(db);
    return f && f->checks;
}

sqlite3_file *rs_page_vfs_file(sqlite3 *db) {
    checked_file *f = file_of(db);
    return f ? under(&f->base) : NULL;
}
