#include "store/sqlite/view.h"
#include "store/sqlite/dictionary.h"

enum {
    KEPT_BYTES = 1 << 20, /* of each buffer, between questions: a connection of many stays open */
    MANY_BLOCKS = 8,      /* for so many it pays to copy what they are packed against */
};

rs_status rs_view_init(rs_view *v, const rs_segment *segment, rs_err *err) {
    *v = (rs_view){.segment = segment, .zstd = ZSTD_createDCtx()};
    return v->zstd ? RS_OK : rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
}

static void forget(rs_view *v) {
    rs_heads_close(&v->heads);
    if (v->has_full) rs_details_close(&v->details);
    v->has_heads = v->has_full = false;
}

void rs_view_deinit(rs_view *v) {
    forget(v);
    rs_buf_deinit(&v->stored);
    rs_buf_deinit(&v->raw_heads);
    rs_buf_deinit(&v->raw_details);
    rs_buf_deinit(&v->raw_content);
    ZSTD_freeDCtx(v->zstd);
    v->zstd = NULL;
}

void rs_view_trim(rs_view *v) {
    if (v->is_behind) {
        forget(v);
        rs_buf_deinit(&v->raw_details);
        rs_buf_deinit(&v->raw_content);
    }
    v->is_behind = false;
    v->in_full = 0;
    rs_buf *bufs[] = {&v->stored, &v->raw_heads, &v->raw_details, &v->raw_content};
    for (size_t i = 0; i < RS_ARRAY_LEN(bufs); i++) {
        if (bufs[i]->cap <= KEPT_BYTES) continue;
        forget(v);
        rs_buf_deinit(bufs[i]);
    }
}

/* What is wrong with the block, and where it is. */
static rs_status located(const rs_view *v, const rs_err *inner, rs_err *err) {
    if (inner->code != RS_ERR_CORRUPT && inner->code != RS_ERR_UNSUPPORTED)
        return rs_fail(err, inner->code, 0, "%s", inner->message);
    return rs_fail(err, inner->code, (size_t)v->ref.at, "%s at byte %llu: %.100s", v->segment->path,
                   (unsigned long long)v->ref.at, inner->message);
}

static bool put_before(rs_buf *raw, rs_str dictionary) {
    rs_buf_clear(raw);
    rs_buf_str(raw, dictionary);
    return rs_buf_status(raw) == RS_OK;
}

/* Whether details and content go behind their dictionary. It is no error if there is no memory for it. */
static bool goes_behind(rs_view *v, const rs_block_dictionary *d) {
    uint32_t number = d ? d->number : 0;
    if (number != v->likely) v->in_full = 0, v->is_behind = false;
    v->likely = number;
    if (!d || v->is_behind || ++v->in_full < MANY_BLOCKS) return v->is_behind;
    v->is_behind = put_before(&v->raw_details, d->raw[RS_SECTION_DETAILS]) &&
                   put_before(&v->raw_content, d->raw[RS_SECTION_CONTENT]);
    if (!v->is_behind) rs_buf_deinit(&v->raw_details), rs_buf_deinit(&v->raw_content);
    return v->is_behind;
}

/* Details and content, and the records in them. */
static rs_status unpack_rest(rs_view *v, const rs_block_header *h, const rs_block_dictionary *d,
                             rs_err *err) {
    rs_str bytes = rs_buf_slice(&v->stored);
    bool behind = goes_behind(v, d);
    rs_status (*unpack)(const rs_block_header *, rs_section, rs_str, const rs_block_dictionary *, ZSTD_DCtx *,
                        rs_buf *, rs_err *) = behind ? rs_block_unpack_behind : rs_block_unpack;
    rs_status st = unpack(h, RS_SECTION_DETAILS, bytes, d, v->zstd, &v->raw_details, err);
    if (st == RS_OK) st = unpack(h, RS_SECTION_CONTENT, bytes, d, v->zstd, &v->raw_content, err);
    if (st != RS_OK) {
        v->is_behind = false;
        return st;
    }
    v->has_full = true;
    return rs_details_open(
        &v->details, rs_str_from(rs_buf_slice(&v->raw_details), behind ? d->raw[RS_SECTION_DETAILS].n : 0),
        rs_str_from(rs_buf_slice(&v->raw_content), behind ? d->raw[RS_SECTION_CONTENT].n : 0), err);
}

static rs_status unpack(rs_view *v, const rs_block_header *h, const rs_block_dictionary *d,
                        rs_read_depth depth, rs_err *err) {
    rs_str words,
        bytes = rs_buf_slice(&v->stored); /* words: looked at in part elsewhere, and whole nowhere else */
    rs_status st = rs_block_unpack(h, RS_SECTION_HEADS, bytes, d, v->zstd, &v->raw_heads, err);
    if (st != RS_OK) return st;
    v->has_heads = true;
    if (depth != RS_READ_FULL) return RS_OK;
    st = rs_block_words(h, bytes, &words, err);
    return st == RS_OK ? unpack_rest(v, h, d, err) : st;
}

static rs_status load(rs_view *v, rs_read_depth depth, rs_err *err) {
    rs_block_header h;
    rs_dictionary *dictionary = NULL;
    const rs_block_ref *ref = &v->ref;
    rs_buf_clear(&v->stored);
    rs_status st = rs_segment_read(v->segment, ref->at,
                                   depth == RS_READ_FULL ? ref->length : ref->heads_length, &v->stored, err);
    if (st != RS_OK) return st;
    rs_str bytes = rs_buf_slice(&v->stored);
    if ((st = rs_block_read_header(bytes, &h, err)) != RS_OK) return st;
    if (h.first != ref->first || h.spans != ref->spans)
        return rs_fail(err, RS_ERR_CORRUPT, 0, "another block is where the index has this one");
    if (h.dictionary) st = rs_dictionary_borrow(v->segment, h.dictionary, &dictionary, err);
    if (st != RS_OK) return st;
    st = unpack(v, &h, dictionary ? rs_dictionary_blocks(dictionary) : NULL, depth, err);
    if (dictionary) rs_dictionary_return(dictionary);
    return st;
}

rs_status rs_view_header(const rs_segment *segment, uint64_t at, rs_block_header *h, rs_err *err) {
    rs_buf bytes;
    rs_buf_init(&bytes);
    rs_status st = rs_segment_read(segment, at, RS_BLOCK_HEADER, &bytes, err);
    if (st == RS_OK) st = rs_block_read_header(rs_buf_slice(&bytes), h, err);
    rs_buf_deinit(&bytes);
    return st;
}

rs_status rs_view_open(rs_view *v, const rs_block_ref *ref, rs_read_depth depth, rs_err *err) {
    rs_err inner = {0};
    rs_status st = RS_OK;
    bool loaded = v->ref.first == ref->first && (depth == RS_READ_FULL ? v->has_full : v->has_heads);
    if (!loaded) {
        forget(v);
        v->ref = *ref;
        st = load(v, depth, &inner);
    }
    rs_heads_close(&v->heads);
    if (st == RS_OK) st = rs_heads_open(&v->heads, rs_buf_slice(&v->raw_heads), ref->spans, &inner);
    v->number = ref->first;
    v->details.arena =
        NULL; /* a kept block's last reader is gone, though its arena's address may come again */
    if (st == RS_OK) return RS_OK;
    forget(v);
    return located(v, &inner, err);
}

rs_status rs_view_words(rs_view *v, rs_str *out, rs_err *err) {
    rs_block_header h;
    rs_err inner = {0};
    rs_str bytes = rs_buf_slice(&v->stored);
    rs_status st = rs_block_read_header(bytes, &h, &inner);
    if (st == RS_OK) st = rs_block_words(&h, bytes, out, &inner);
    if (st == RS_OK && h.words != v->ref.words)
        st = rs_fail(&inner, RS_ERR_CORRUPT, 0, "its index says that the word filter has another size");
    return st == RS_OK ? st : located(v, &inner, err);
}

bool rs_view_may_say(rs_view *v, const rs_block_ref *ref, const rs_phrase *phrase) {
    char room[RS_WORD_LINE];
    bool before = !rs_word_filter_is_current(ref->words);
    const uint64_t *words = before ? phrase->keys_before : phrase->keys;
    size_t n = before ? phrase->nkeys_before : phrase->nkeys;
    size_t line = rs_word_filter_line_size(ref->words), held = SIZE_MAX;
    for (size_t i = 0; line > 0 && i < n; i++) {
        size_t at = rs_word_filter_line(ref->words, words[i]);
        if (at != held && !rs_segment_peek(v->segment, ref->at + ref->heads_length + at, room, line))
            return true;
        held = at;
        if (!rs_word_line_may_have(ref->words, room, words[i])) return false;
    }
    return true;
}

rs_status rs_view_next(rs_view *v, rs_stored_span *out, bool *more, rs_err *err) {
    *more = rs_heads_next(&v->heads, &out->span, &out->extent);
    if (*more) {
        out->number = v->number++;
        return RS_OK;
    }
    if (rs_heads_is_whole(&v->heads)) return RS_OK;
    rs_err inner = {.code = RS_ERR_CORRUPT, .message = "block heads are malformed"};
    return located(v, &inner, err);
}

rs_status rs_view_keep(rs_view *v, rs_stored_span *s, rs_read_depth depth, rs_arena *arena, rs_err *err) {
    rs_err inner = {0};
    if (!rs_heads_keep(&s->span, arena))
        return rs_fail(err, RS_ERR_MEMORY, 0, "the spans do not fit the memory that the request may use");
    if (depth != RS_READ_FULL || rs_details_read(&v->details, &s->extent, arena, &s->span, &inner) == RS_OK)
        return RS_OK;
    return located(v, &inner, err);
}

rs_status rs_view_borrow(rs_view *v, rs_stored_span *s, rs_arena *arena, rs_err *err) {
    rs_err inner = {0};
    if (rs_details_borrow(&v->details, &s->extent, arena, &s->span, &inner) == RS_OK) return RS_OK;
    return located(v, &inner, err);
}

static bool part_may_say(rs_str section, uint64_t at, size_t n, const rs_phrase *phrase) {
    if (at > section.n || n > section.n - at) return true; /* it is damaged: whoever reads it will say so */
    return rs_phrase_may_be_in(phrase, (rs_str){section.p + at, n});
}

bool rs_view_span_may_say(const rs_view *v, const rs_extent *extent, const rs_phrase *phrase) {
    return part_may_say(v->details.content, extent->content_at, extent->content, phrase) ||
           part_may_say(v->details.records, extent->details_at, extent->details, phrase);
}

bool rs_view_block_may_say(const rs_view *v, const rs_phrase *phrase) {
    bool may =
        rs_phrase_may_be_in(phrase, v->details.content) || rs_phrase_may_be_in(phrase, v->details.records);
    for (uint32_t i = 0; i < v->heads.nstrings && !may; i++)
        may = rs_phrase_may_be_in(phrase, v->heads.strings[i]); /* not the ids: bytes of any kind */
    return may;
}
