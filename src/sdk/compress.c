#include "sdk/compress.h"

#include "sdk/library.h"
#include <limits.h>
#include <stdlib.h>

/* A packet or two take less than this anyway. */
enum { WORTH_IT = 1400 };
/* Room that one huge body took is given back at the next. */
enum { KEEP_MAX = 4 << 20 };

/* Their fastest: a batch of 377 kB becomes 144 kB in 2.9 ms of gzip, 116 kB in 0.7 ms of zstd (tools/run_bench compress). */
enum { GZIP_LEVEL = 1, ZSTD_LEVEL = 1 };

/* ---- the libraries' ABI, declared here so that their headers are not needed ---------------------------- */

/* zlib.h's z_stream, as it has been since 1995; deflateInit2_ checks its size. */
typedef struct zlib_stream {
    const unsigned char *next_in;
    unsigned avail_in;
    unsigned long total_in;
    unsigned char *next_out;
    unsigned avail_out;
    unsigned long total_out;
    const char *message;
    void *state, *allocate, *release, *opaque;
    int data_type;
    unsigned long adler, reserved;
} zlib_stream;

enum { Z_OK = 0, Z_STREAM_END = 1, Z_FINISH = 4, Z_DEFLATED = 8 };
enum { WINDOW_BITS_GZIP = 15 + 16, MEMORY_LEVEL = 8, STRATEGY = 0 };

/* Set under the lock of library.h by the first that needs it. */
typedef enum library_state { UNTRIED, LOADED, MISSING } library_state;

static struct {
    library_state is;
    int (*init)(zlib_stream *, int level, int method, int window_bits, int memory_level, int strategy,
                const char *version, int size);
    int (*deflate)(zlib_stream *, int flush);
    int (*reset)(zlib_stream *);
    int (*end)(zlib_stream *);
} zlib;

static struct {
    library_state is;
    void *(*create)(void);
    size_t (*release)(void *context);
    size_t (*compress)(void *context, void *out, size_t capacity, const void *in, size_t n, int level);
    unsigned (*is_error)(size_t result);
} zstd;

static bool load(library_state *state, const char *const names[], const rs_library_function functions[],
                 size_t count) {
    const char *lacks;
    rs_library_lock();
    if (*state == UNTRIED) *state = rs_library_open(names, functions, count, &lacks) ? LOADED : MISSING;
    bool ok = *state == LOADED;
    rs_library_unlock();
    return ok;
}

static bool load_zlib(void) {
    static const char *const names[] = {"libz.so.1", NULL};
    static const rs_library_function functions[] = {{"deflateInit2_", (void **)&zlib.init},
                                                    {"deflate", (void **)&zlib.deflate},
                                                    {"deflateReset", (void **)&zlib.reset},
                                                    {"deflateEnd", (void **)&zlib.end}};
    return load(&zlib.is, names, functions, RS_ARRAY_LEN(functions));
}

static bool load_zstd(void) {
    static const char *const names[] = {"libzstd.so.1", NULL};
    static const rs_library_function functions[] = {{"ZSTD_createCCtx", (void **)&zstd.create},
                                                    {"ZSTD_freeCCtx", (void **)&zstd.release},
                                                    {"ZSTD_compressCCtx", (void **)&zstd.compress},
                                                    {"ZSTD_isError", (void **)&zstd.is_error}};
    return load(&zstd.is, names, functions, RS_ARRAY_LEN(functions));
}

/* ---- the codings --------------------------------------------------------------------------------------- */

static zlib_stream *zlib_open(void) {
    zlib_stream *z = calloc(1, sizeof *z);
    if (z && zlib.init(z, GZIP_LEVEL, Z_DEFLATED, WINDOW_BITS_GZIP, MEMORY_LEVEL, STRATEGY, "1", sizeof *z) ==
                 Z_OK)
        return z;
    free(z);
    return NULL;
}

/* How many bytes of `capacity` the body became; 0 if it did not. */
static size_t gzip(rs_compressor *c, rs_str body, size_t capacity) {
    if (body.n > UINT_MAX || !load_zlib() || (!c->gzip && !(c->gzip = zlib_open()))) return 0;
    zlib_stream *z = c->gzip;
    if (zlib.reset(z) != Z_OK) return 0;
    z->next_in = (const unsigned char *)body.p;
    z->avail_in = (unsigned)body.n;
    z->next_out = (unsigned char *)c->out.p;
    z->avail_out = (unsigned)capacity;
    return zlib.deflate(z, Z_FINISH) == Z_STREAM_END ? capacity - z->avail_out : 0;
}

static size_t zstandard(rs_compressor *c, rs_str body, size_t capacity) {
    if (!load_zstd() || (!c->zstd && !(c->zstd = zstd.create()))) return 0;
    size_t n = zstd.compress(c->zstd, c->out.p, capacity, body.p, body.n, ZSTD_LEVEL);
    return zstd.is_error(n) ? 0 : n;
}

rs_str rs_compress(rs_compressor *c, rs_coding coding, rs_str body) {
    size_t capacity = body.n - body.n / 8; /* less saved than that is not worth the server's time */
    rs_buf_clear(&c->out);
    if (c->out.cap > KEEP_MAX && capacity < KEEP_MAX) rs_buf_deinit(&c->out);
    if (coding == RS_CODING_NONE || body.n < WORTH_IT || !rs_buf_reserve(&c->out, capacity))
        return (rs_str){0};
    c->out.n = coding == RS_CODING_GZIP ? gzip(c, body, capacity) : zstandard(c, body, capacity);
    return rs_buf_slice(&c->out);
}

const char *rs_coding_name(rs_coding coding) {
    static const char *const names[] = {NULL, "gzip", "zstd"};
    return names[coding];
}

void rs_compressor_deinit(rs_compressor *c) {
    if (c->gzip) zlib.end(c->gzip);
    free(c->gzip);
    if (c->zstd) zstd.release(c->zstd);
    rs_buf_deinit(&c->out);
}
