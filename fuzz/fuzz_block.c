/* The decoder of stored blocks. First byte 0: a block as it lies in a segment. Else: what lies behind the checksums, the raw
 * sections, as u16 spans, u32 length of heads, u32 length of details, heads, details, content. */
#include "store/sqlite/block.h"

#include <stdlib.h>

enum { MEMORY = 64 << 20 };

/* Reads every byte, so that the sanitizer sees a slice that is out of bounds. */
static void touch(rs_str s) {
    for (size_t i = 0; i < s.n; i++) (void)*(volatile const char *)&s.p[i];
}

static void touch_attrs(const rs_attrs *a) {
    for (uint32_t i = 0; i < a->n; i++) {
        touch(a->items[i].key);
        rs_value_type type = a->items[i].value.type;
        if (type == RS_VALUE_STRING || type >= RS_VALUE_ARRAY) touch(a->items[i].value.s);
    }
}

static void touch_span(const rs_span *s) {
    touch(s->name), touch(s->status_message), touch(s->facts.model), touch(s->trace_state);
    touch_attrs(&s->attrs), touch_attrs(&s->resource->attrs), touch_attrs(&s->scope->attrs);
    touch(s->resource->schema_url), touch(s->scope->name);
    for (uint32_t i = 0; i < s->nevents; i++) touch(s->events[i].name), touch_attrs(&s->events[i].attrs);
    for (uint32_t i = 0; i < s->nlinks; i++) touch(s->links[i].trace_state), touch_attrs(&s->links[i].attrs);
}

static void read_spans(rs_str heads, rs_str details, rs_str content, uint32_t n) {
    rs_heads h;
    rs_details d = {0};
    rs_span span;
    rs_extent extent;
    rs_arena arena;
    rs_arena_init(&arena, MEMORY);
    rs_status st = rs_heads_open(&h, heads, n, NULL);
    rs_status details_st = rs_details_open(&d, details, content, NULL);
    while (st == RS_OK && rs_heads_next(&h, &span, &extent)) {
        if (!rs_heads_keep(&span, &arena)) break;
        if (details_st == RS_OK && rs_details_read(&d, &extent, &arena, &span, NULL) != RS_OK) continue;
        touch_span(&span);
    }
    if (st == RS_OK && rs_heads_is_whole(&h) && h.left != 0) abort();
    rs_heads_close(&h);
    rs_details_close(&d);
    rs_arena_deinit(&arena);
}

static void read_block(rs_str block) {
    rs_block_header header;
    rs_buf raw[RS_SECTION_COUNT] = {0};
    ZSTD_DCtx *zstd = ZSTD_createDCtx();
    rs_status st = zstd ? rs_block_read_header(block, &header, NULL) : RS_ERR_MEMORY;
    for (int i = 0; i < RS_SECTION_COUNT && st == RS_OK; i++)
        st = rs_block_unpack(&header, (rs_section)i, block, NULL, zstd, &raw[i], NULL);
    if (st == RS_OK)
        read_spans(rs_buf_slice(&raw[RS_SECTION_HEADS]), rs_buf_slice(&raw[RS_SECTION_DETAILS]),
                   rs_buf_slice(&raw[RS_SECTION_CONTENT]), header.spans);
    for (int i = 0; i < RS_SECTION_COUNT; i++) rs_buf_deinit(&raw[i]);
    ZSTD_freeDCtx(zstd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    rs_cursor c = rs_cursor_on((rs_str){(const char *)data, size});
    if (rs_cursor_byte(&c) == 0) {
        read_block(rs_cursor_bytes(&c, rs_cursor_left(&c)));
        return 0;
    }
    uint32_t n = rs_cursor_u16(&c), heads_length = rs_cursor_u32(&c), details_length = rs_cursor_u32(&c);
    rs_str heads = rs_cursor_bytes(&c, heads_length), details = rs_cursor_bytes(&c, details_length);
    read_spans(heads, details, rs_cursor_bytes(&c, rs_cursor_left(&c)), n);
    return 0;
}
