#include "store/sqlite/word_rows.h"
#include "base/files.h"
#include "base/xxh.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    VERSION = 1,
    BLOCKS_MAX = 1 << 20, /* of a partition; of more there is no file */
    PIECE = 256 << 10,    /* that is read at once to verify it */
};

/* Then an entry for each block, in order, and the rows: sizes one after the other, the smallest first; of each its bits in order, of each
 * bit its blocks in order, the first in the lowest bit. All little-endian. */
typedef struct header {
    char magic[4];
    uint32_t version;
    uint64_t end;        /* of the segment, when it was made */
    uint64_t next_span;  /* behind the last block */
    uint64_t blocks;     /* entries */
    uint64_t rows_check; /* XXH3-64 of the rows */
    uint64_t check;      /* of the entries, seeded with that of the fields before it */
} header;

typedef struct entry {
    uint64_t first; /* arrival number of its first span */
    uint32_t bytes; /* of its filter */
    uint32_t spans;
} entry;

/* The blocks whose filters have one size, of which there are rows. */
typedef struct size_group {
    uint32_t bytes, n;
    uint64_t at; /* where its rows begin, in the file */
} size_group;

typedef struct layout {
    size_group *groups; /* owned; by size */
    size_t n;
    uint64_t end; /* of the file */
} layout;

static rs_status no_memory(rs_err *err) { return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory"); }

/* ---- what lies where ----------------------------------------------------------------------------------- */

static uint32_t line_of(uint32_t filter) { return (uint32_t)rs_word_filter_line_size(filter); }
static uint32_t lines_of(uint32_t filter) { return filter < RS_WORD_LINE ? 1 : filter / RS_WORD_LINE; }
static uint32_t row_of(const size_group *g) { return (g->n + 7) / 8; }

static int by_bytes(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static rs_status lay_out(const entry *entries, size_t n, layout *out, rs_err *err) {
    *out = (layout){.end = sizeof(header) + n * sizeof *entries};
    uint32_t *sizes = malloc((n ? n : 1) * sizeof *sizes);
    out->groups = malloc((n / RS_WORD_ROWS_LEAST + 1) * sizeof *out->groups);
    if (!sizes || !out->groups) {
        free(sizes);
        free(out->groups);
        *out = (layout){0};
        return no_memory(err);
    }
    for (size_t i = 0; i < n; i++) sizes[i] = entries[i].bytes;
    if (n) qsort(sizes, n, sizeof *sizes, by_bytes);
    for (size_t i = 0, to; i < n; i = to) {
        for (to = i + 1; to < n && sizes[to] == sizes[i];) to++;
        if (sizes[i] == 0 || to - i < RS_WORD_ROWS_LEAST) continue;
        size_group *g = &out->groups[out->n++];
        *g = (size_group){.bytes = sizes[i], .n = (uint32_t)(to - i), .at = out->end};
        out->end += (uint64_t)lines_of(g->bytes) * line_of(g->bytes) * 8 * row_of(g);
    }
    free(sizes);
    return RS_OK;
}

static size_t group_of(const layout *l, uint32_t bytes) {
    size_t i = 0;
    while (i < l->n && l->groups[i].bytes != bytes) i++;
    return i;
}

static uint64_t check_of(const header *h, const entry *entries) {
    uint64_t seed = XXH3_64bits(h, offsetof(header, check));
    return XXH3_64bits_withSeed(entries, h->blocks * sizeof *entries, seed);
}

/* ---- making it ----------------------------------------------------------------------------------------- */

typedef struct making {
    const rs_segment *segment;
    const rs_block_ref *blocks;
    size_t nblocks;
    int fd;
    XXH3_state_t *check;
    char *rows; /* of one line of the filters of a size */
} making;

/* Bit `column` of each row is what the line says. */
static void turn(rs_str line, uint32_t column, uint32_t row, char *rows) {
    char *at = rows + column / 8;
    uint8_t bit = (uint8_t)(1 << column % 8);
    for (size_t i = 0; i < line.n; i++, at += 8 * (size_t)row)
        for (uint8_t left = (uint8_t)line.p[i]; left; left = (uint8_t)(left & (left - 1))) {
            char *to = at + (size_t)__builtin_ctz(left) * row;
            *to = (char)(*to | bit);
        }
}

/* A filter that cannot be read rules nothing out. */
static bool write_group(making *m, const size_group *g) {
    char room[RS_WORD_LINE];
    uint32_t line = line_of(g->bytes), row = row_of(g);
    size_t n = (size_t)line * 8 * row;
    for (uint32_t l = 0; l < lines_of(g->bytes); l++) {
        uint32_t column = 0;
        memset(m->rows, 0, n);
        for (size_t i = 0; i < m->nblocks; i++) {
            const rs_block_ref *b = &m->blocks[i];
            if (b->words != g->bytes) continue;
            uint64_t at = b->at + b->heads_length + (uint64_t)l * line;
            if (!rs_segment_peek(m->segment, at, room, line)) memset(room, 0xff, line);
            turn((rs_str){room, line}, column++, row, m->rows);
        }
        XXH3_64bits_update(m->check, m->rows, n);
        if (!rs_file_write(m->fd, m->rows, n)) return false;
    }
    return true;
}

static bool write_file(making *m, header *h, const entry *entries, const layout *l) {
    bool ok =
        rs_file_write(m->fd, h, sizeof *h) && rs_file_write(m->fd, entries, h->blocks * sizeof *entries);
    XXH3_64bits_reset(m->check);
    for (size_t i = 0; ok && i < l->n; i++) ok = write_group(m, &l->groups[i]);
    h->rows_check = XXH3_64bits_digest(m->check);
    h->check = check_of(h, entries);
    ok = ok && lseek(m->fd, 0, SEEK_SET) == 0 && rs_file_write(m->fd, h, sizeof *h);
    return ok && fsync(m->fd) == 0;
}

static rs_status save(making *m, header *h, const entry *entries, const layout *l, const char *path,
                      rs_err *err) {
    rs_file_beside file;
    size_t most = 0;
    for (size_t i = 0; i < l->n; i++) {
        size_t rows = (size_t)line_of(l->groups[i].bytes) * 8 * row_of(&l->groups[i]);
        most = rows > most ? rows : most;
    }
    m->rows = malloc(most);
    m->check = XXH3_createState();
    if (!m->rows || !m->check) return no_memory(err);
    rs_status st = rs_file_begin(&file, path, err);
    if (st != RS_OK) return st;
    m->fd = file.fd;
    return rs_file_end(&file, write_file(m, h, entries, l), err);
}

rs_status rs_word_rows_make(const rs_segment *segment, const rs_block_ref *blocks, size_t n, uint64_t end,
                            const char *path, rs_err *err) {
    header h = {.magic = "RSWR", .version = VERSION, .end = end, .blocks = n};
    making m = {.segment = segment, .blocks = blocks, .nblocks = n, .fd = -1};
    layout l = {0};
    if (n > BLOCKS_MAX) return RS_OK;
    entry *entries = calloc(n ? n : 1, sizeof *entries);
    if (!entries) return no_memory(err);
    for (size_t i = 0; i < n; i++) {
        entries[i] = (entry){blocks[i].first, (uint32_t)blocks[i].words, blocks[i].spans};
        h.next_span = blocks[i].first + blocks[i].spans;
    }
    rs_status st = lay_out(entries, n, &l, err);
    if (st == RS_OK && l.n > 0) st = save(&m, &h, entries, &l, path, err);
    else if (st == RS_OK) unlink(path);
    XXH3_freeState(m.check);
    free(m.rows);
    free(l.groups);
    free(entries);
    return st;
}

/* ---- reading it ---------------------------------------------------------------------------------------- */

typedef struct file {
    int fd;
    header h;
    entry *entries;
    layout layout;
} file;

static void close_file(file *f) {
    if (f->fd >= 0) close(f->fd);
    free(f->entries);
    free(f->layout.groups);
}

static bool are_in_order(const file *f) {
    uint64_t next = 0;
    for (uint64_t i = 0; i < f->h.blocks; i++) {
        const entry *e = &f->entries[i];
        if (e->first < next || e->bytes > RS_WORD_FILTER_MAX ||
            __builtin_add_overflow(e->first, e->spans, &next))
            return false;
    }
    return next == f->h.next_span;
}

/* Close it in any case. */
static rs_word_rows_file open_file(file *f, const char *path, uint64_t segment_end) {
    struct stat st;
    *f = (file){.fd = open(path, O_RDONLY | O_CLOEXEC)};
    if (f->fd < 0) return RS_WORD_ROWS_NONE;
    bool ok = fstat(f->fd, &st) == 0 && rs_file_read_at(f->fd, &f->h, sizeof f->h, 0) &&
              memcmp(f->h.magic, "RSWR", 4) == 0 && f->h.version == VERSION && f->h.blocks <= BLOCKS_MAX;
    if (!ok) return RS_WORD_ROWS_DAMAGED;
    size_t n = f->h.blocks * sizeof *f->entries;
    f->entries = malloc(n ? n : 1);
    if (!f->entries) return RS_WORD_ROWS_NONE;
    ok = rs_file_read_at(f->fd, f->entries, n, sizeof f->h) && check_of(&f->h, f->entries) == f->h.check &&
         are_in_order(f);
    if (!ok) return RS_WORD_ROWS_DAMAGED;
    if (lay_out(f->entries, f->h.blocks, &f->layout, NULL) != RS_OK) return RS_WORD_ROWS_NONE;
    return (uint64_t)st.st_size == f->layout.end && f->h.end <= segment_end ? RS_WORD_ROWS_FITS
                                                                            : RS_WORD_ROWS_DAMAGED;
}

static bool are_rows_whole(const file *f) {
    char *piece = malloc(PIECE);
    XXH3_state_t *check = XXH3_createState();
    uint64_t at = sizeof f->h + f->h.blocks * sizeof *f->entries;
    bool ok = piece && check;
    if (ok) XXH3_64bits_reset(check);
    while (ok && at < f->layout.end) {
        size_t n = f->layout.end - at < PIECE ? (size_t)(f->layout.end - at) : PIECE;
        ok = rs_file_read_at(f->fd, piece, n, at);
        if (ok) XXH3_64bits_update(check, piece, n);
        at += n;
    }
    ok = ok && XXH3_64bits_digest(check) == f->h.rows_check;
    XXH3_freeState(check);
    free(piece);
    return ok;
}

rs_word_rows_file rs_word_rows_look(const char *path, uint64_t segment_end, bool whole, uint64_t *end) {
    file f;
    rs_word_rows_file found = open_file(&f, path, segment_end);
    if (found == RS_WORD_ROWS_FITS && whole && !are_rows_whole(&f)) found = RS_WORD_ROWS_DAMAGED;
    *end = found == RS_WORD_ROWS_FITS ? f.h.end : 0;
    close_file(&f);
    return found;
}

/* ---- asking it ----------------------------------------------------------------------------------------- */

/* Takes those out of `may`, a bit for each block of the size, that do not have the word. */
static bool ask_word(const file *f, const size_group *g, uint64_t word, uint8_t *may, uint8_t *row) {
    uint32_t bits[RS_WORD_PROBES], n = row_of(g);
    uint64_t rows = g->at + (uint64_t)rs_word_filter_line(g->bytes, word) * 8 * n;
    int probes = rs_word_line_bits(g->bytes, word, bits);
    for (int i = 0; i < probes; i++) {
        if (!rs_file_read_at(f->fd, row, n, rows + (uint64_t)bits[i] * n)) return false;
        for (uint32_t k = 0; k < n; k++) may[k] &= row[k];
    }
    return true;
}

static bool ask_group(const file *f, const size_group *g, const rs_phrase *phrase, uint8_t *may,
                      uint8_t *row) {
    bool is_current = rs_word_filter_is_current(g->bytes), ok = true;
    const uint64_t *words = is_current ? phrase->keys : phrase->keys_before;
    uint32_t n = is_current ? phrase->nkeys : phrase->nkeys_before;
    memset(may, 0xff, row_of(g));
    for (uint32_t i = 0; ok && i < n; i++) ok = ask_word(f, g, words[i], may, row);
    return ok;
}

/* `bits`: of each size, one row after the other. */
static bool ask_all(const file *f, const rs_phrase *phrase, uint8_t *bits, uint8_t *row) {
    bool ok = true;
    for (size_t i = 0; ok && i < f->layout.n; bits += row_of(&f->layout.groups[i++]))
        ok = ask_group(f, &f->layout.groups[i], phrase, bits, row);
    return ok;
}

static void gather(const file *f, const uint8_t *bits, uint32_t *columns, rs_word_rows_answer *out) {
    uint32_t *starts = columns + f->layout.n, start = 0;
    for (size_t g = 0; g < f->layout.n; start += row_of(&f->layout.groups[g++]))
        columns[g] = 0, starts[g] = start;
    for (uint64_t i = 0; i < f->h.blocks; i++) {
        size_t g = group_of(&f->layout, f->entries[i].bytes);
        bool is_sure = g < f->layout.n;
        if (is_sure) {
            uint32_t column = columns[g]++;
            if (!(bits[starts[g] + column / 8] >> column % 8 & 1)) continue;
        }
        out->is_sure[out->n] = is_sure;
        out->may[out->n++] = f->entries[i].first;
    }
    out->next = f->h.next_span;
    out->of = f->h.blocks;
}

bool rs_word_rows_ask(const char *path, const rs_phrase *phrase, rs_word_rows_answer *out) {
    file f;
    *out = (rs_word_rows_answer){0};
    bool ok = open_file(&f, path, UINT64_MAX) == RS_WORD_ROWS_FITS;
    size_t n =
        ok ? f.h.blocks + 8 * f.layout.n + 8 : 0; /* bytes of the longest row, or of all of them, at most */
    uint8_t *bits = ok ? malloc(n) : NULL, *row = ok ? malloc(n) : NULL;
    uint32_t *columns = ok ? malloc((f.layout.n + 1) * 2 * sizeof *columns) : NULL;
    if (ok) {
        out->may = malloc((f.h.blocks + 1) * sizeof *out->may);
        out->is_sure = malloc((f.h.blocks + 1) * sizeof *out->is_sure);
    }
    ok = ok && bits && row && columns && out->may && out->is_sure && ask_all(&f, phrase, bits, row);
    if (ok) gather(&f, bits, columns, out);
    else rs_word_rows_answer_deinit(out);
    free(columns);
    free(row);
    free(bits);
    close_file(&f);
    return ok;
}

void rs_word_rows_answer_deinit(rs_word_rows_answer *a) {
    free(a->may);
    free(a->is_sure);
    *a = (rs_word_rows_answer){0};
}
