/* Open spans out of a spool file: each slot that holds one becomes the frame of an interrupted span. */
#include "sdk/attributes.h"
#include "sdk/frame.h"
#include "sdk/spool_format.h"
#include "sdk/spool_read.h"

#include "otlp/protobuf.h"

static rs_field_kind kind_of(uint32_t tag) {
    switch (tag) {
    case RS_PB_TAG(RS_SPAN_NAME, RS_PB_BYTES):
        return RS_FIELD_KIND_NAME;
    case RS_PB_TAG(RS_SPAN_KIND, RS_PB_VARINT):
        return RS_FIELD_KIND_SPAN_KIND;
    case RS_PB_TAG(RS_SPAN_ATTRIBUTES, RS_PB_BYTES):
        return RS_FIELD_KIND_ATTRIBUTE;
    case RS_PB_TAG(RS_SPAN_STATUS, RS_PB_BYTES):
        return RS_FIELD_KIND_STATUS;
    default:
        return RS_FIELD_KIND_PART;
    }
}

/* The fields as the span had them: of those that were set again, the last; without those of more than `most` bytes. False if they are
 * none that a span writes. */
static bool collect(rs_fields *out, rs_str wire, size_t most, bool *has_kind, bool *has_status) {
    rs_pb_cursor c = rs_pb_over(wire);
    rs_pb_field field = {0};
    for (const uint8_t *from = c.p; rs_pb_next(&c, &field); from = c.p) {
        size_t n = (size_t)(c.p - from);
        rs_field_kind kind = kind_of(field.tag);
        rs_str key = {0};
        if (*from != field.tag) return false; /* in one byte, as we write it */
        if (kind == RS_FIELD_KIND_ATTRIBUTE) {
            rs_pb_cursor inner = rs_pb_over(field.s);
            rs_pb_field first = {0};
            if (!rs_pb_next(&inner, &first) || *(const uint8_t *)field.s.p != RS_PB_TAG(1, RS_PB_BYTES))
                return false;
            key = first.s;
        }
        if (n > most) continue;
        char *to = rs_fields_room(out, n);
        if (!to) return false;
        memcpy(to, from, n);
        rs_fields_commit(out, n, kind, RS_RANK_OWN, key);
        if (kind == RS_FIELD_KIND_SPAN_KIND) *has_kind = true;
        if (kind == RS_FIELD_KIND_STATUS) *has_status = true;
    }
    return !c.error && out->left_out == 0;
}

/* What it says of itself, and, if that is nothing, that it failed: else nobody would find it. */
static void mark_interrupted(rs_fields *fields, bool has_status) {
    respan_attribute mark = {{RESPAN_TEXT("respan.span.interrupted")}, RESPAN_TYPE_BOOL, {.boolean = true}};
    rs_fields_set(fields, RS_SPAN_ATTRIBUTES, &mark, SIZE_MAX);
    if (has_status) return;
    rs_fields status;
    rs_fields_init(&status, RS_KEY_MAX);
    rs_fields_set_text(&status, RS_STATUS_MESSAGE, RS_FIELD_KIND_PART,
                       RS_STR("the process ended inside this span"), RS_KEY_MAX);
    rs_fields_set_enum(&status, RS_STATUS_CODE, RS_FIELD_KIND_PART, RESPAN_STATUS_ERROR);
    rs_fields_set_message(fields, RS_SPAN_STATUS, RS_FIELD_KIND_STATUS, rs_buf_slice(&status.wire));
    rs_fields_deinit(&status);
}

static bool put_frame(const rs_spool_slot *slot, rs_str wire, size_t most, uint64_t end_ns, bool interrupted,
                      rs_buf *frames) {
    static const uint8_t none[8];
    rs_frame_head head = {.trace_id = slot->trace_id,
                          .span_id = slot->span_id,
                          .parent_id = memcmp(slot->parent_id, none, sizeof none) ? slot->parent_id : NULL,
                          .start_ns = slot->start_ns,
                          .end_ns = end_ns};
    bool has_status = false;
    rs_fields fields;
    rs_fields_init(&fields, 2 * wire.n + RS_KEY_MAX);
    bool ok = collect(&fields, wire, most, &head.has_kind, &has_status);
    if (interrupted) mark_interrupted(&fields, has_status);
    char lead[RS_FRAME_LEAD_MAX], *to = NULL;
    size_t n = rs_fields_live_size(&fields);
    rs_str begins = rs_frame_lead(&head, n, lead);
    if (ok) to = rs_buf_reserve(frames, begins.n + n);
    if (to) {
        memcpy(to, begins.p, begins.n);
        rs_fields_copy_live(&fields, to + begins.n);
        frames->n += begins.n + n;
    }
    rs_fields_deinit(&fields);
    return to != NULL;
}

bool rs_spool_open_frame(const rs_spool_slot *slot, rs_str wire, size_t most, rs_buf *frames) {
    return put_frame(slot, wire, most, 0, false, frames);
}

/* True if the slot held a span that is whole. */
static bool read_slot(const rs_spool_file *f, const rs_spool_slot *slot, uint64_t at, uint64_t room,
                      rs_buf *fields, rs_buf *frames) {
    uint32_t n = (uint32_t)slot->written;
    rs_buf_clear(fields);
    char *p = n <= room ? rs_buf_reserve(fields, n + 1) : NULL;
    if (!p || slot->check != rs_spool_slot_check(slot, f->key) || !rs_spool_read_bytes(f, at, p, n))
        return false;
    rs_spool_sum none = {0};
    uint64_t sum = rs_spool_sum_to(&none, p, n);
    rs_str wire = {p, n};
    uint64_t last = f->alive_ns > slot->start_ns ? f->alive_ns : slot->start_ns;
    if (slot->written == rs_spool_written(sum, n, 0, f->key))
        return put_frame(slot, wire, SIZE_MAX, last, true, frames);
    return slot->written == rs_spool_written(sum, n, slot->end_ns, f->key) &&
           put_frame(slot, wire, SIZE_MAX, slot->end_ns, false, frames);
}

rs_status rs_spool_read_slots(const rs_spool_file *f, const struct rs_spool_found *r, rs_buf *frames,
                              rs_spool_got *got) {
    rs_buf fields;
    rs_buf_init(&fields);
    uint64_t at = r->at + sizeof(rs_spool_slots);
    for (uint32_t i = 0; i < r->capacity; i++, at += r->slot_bytes) {
        rs_spool_slot slot;
        if (!rs_spool_read_bytes(f, at, &slot, sizeof slot) || slot.check == 0) continue;
        if (read_slot(f, &slot, at + sizeof slot, r->slot_bytes - sizeof slot, &fields, frames))
            got->spans++, got->open++;
        else got->damaged++;
    }
    rs_buf_deinit(&fields);
    return rs_buf_status(frames);
}
