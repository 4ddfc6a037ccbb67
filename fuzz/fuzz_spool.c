/* A spool file that anything may have been done to. The input is a file as it stands, and once more with its checksums
 * mended, so that the fuzzer gets behind them. */
#include "sdk/frame.h"
#include "sdk/spool_format.h"
#include "sdk/spool_read.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_all(int fd) {
    rs_spool_file f;
    rs_buf frames;
    rs_buf_init(&frames);
    uint64_t last = 0;
    if (rs_spool_read_open(&f, fd, NULL) == RS_OK)
        for (size_t i = 0; i < f.n; i++) {
            rs_spool_got got;
            size_t before = frames.n;
            if (f.regions[i].number < last) abort(); /* out of order */
            last = f.regions[i].number;
            if (rs_spool_read_region(&f, i, &frames, &got, NULL) != RS_OK) rs_buf_clear(&frames);
            else if ((got.spans == 0) != (frames.n == before)) abort();
            if (frames.n > 1 << 20) rs_buf_clear(&frames);
            rs_spool_read_done(&f, i);
        }
    rs_spool_read_close(&f);
    rs_buf_deinit(&frames);
    if (rs_spool_read_open(&f, fd, NULL) == RS_OK && f.n) abort(); /* all were marked */
    rs_spool_read_close(&f);
}

static void mend_slots(char *p, uint64_t at, size_t size, uint64_t key) {
    rs_spool_slots head;
    memcpy(&head, p + at, sizeof head);
    head.slots = 1 + head.slots % RS_SPOOL_SLOTS;
    if (head.slots > 1) head.slot_bytes = RS_SPOOL_SLOT;
    head.check = rs_spool_slots_check(&head, key);
    memcpy(p + at, &head, sizeof head);
    for (uint64_t i = 0, where = at + sizeof head; i < head.slots; i++, where += head.slot_bytes) {
        rs_spool_slot slot;
        rs_spool_sum sum = {0};
        if (where > size || size - where < sizeof slot + 8 || head.slot_bytes > size) return;
        memcpy(&slot, p + where, sizeof slot);
        if (slot.check == 0) continue;
        uint32_t n = (uint32_t)slot.written;
        if (n > size - where - sizeof slot - 8) n = (uint32_t)(n % (size - where - sizeof slot - 7));
        uint64_t total = rs_spool_sum_to(&sum, p + where + sizeof slot, n);
        slot.written = rs_spool_written(total, n, slot.end_ns % 3 ? slot.end_ns : 0, key);
        slot.check = rs_spool_slot_check(&slot, key);
        memcpy(p + where, &slot, sizeof slot);
    }
}

/* As if the writer had made what stands there. */
static void mend(char *p, size_t size) {
    rs_spool_header h;
    if (size < sizeof h) return;
    memcpy(&h, p, sizeof h);
    memcpy(h.magic, RS_SPOOL_MAGIC, sizeof h.magic);
    h.version = RS_SPOOL_VERSION;
    h.block_bytes = RS_SPOOL_BLOCK;
    h.data_at = h.data_at % 4 * RS_SPOOL_PAGE;
    uint64_t texts = (uint64_t)h.app_n + h.url_n + h.resource_n + h.scope_n;
    if (texts > size - sizeof h) h.app_n = h.url_n = h.resource_n = h.scope_n = 0, texts = 0;
    h.check = rs_spool_header_check(&h, p + sizeof h, (size_t)texts);
    memcpy(p, &h, sizeof h);
    for (size_t at = h.data_at; at + sizeof(rs_spool_region) <= size; at += RS_SPOOL_BLOCK) {
        rs_spool_region r;
        if (at < sizeof h + texts) continue; /* it would break the header */
        memcpy(&r, p + at, sizeof r);
        if (r.magic == RS_SPOOL_SLOTS_MAGIC) {
            mend_slots(p, at, size, h.key);
            continue;
        }
        r.magic = RS_SPOOL_REGION_MAGIC;
        r.check = rs_spool_region_check(&r, h.key);
        memcpy(p + at, &r, sizeof r);
        for (uint32_t i = 0; i < r.capacity; i++) {
            rs_spool_entry e;
            size_t where = at + sizeof r + i * sizeof e;
            if (where + sizeof e > size || i >= RS_SPOOL_CAPACITY_MAX) break;
            memcpy(&e, p + where, sizeof e);
            if (e.at > size - at || e.n > size - at - e.at) continue;
            const char *frame = p + at + e.at;
            size_t lead = rs_frame_find_lead((rs_str){frame, e.n});
            rs_spool_sum none = {0};
            uint64_t sum = rs_spool_sum_to(&none, frame + lead, e.n - (uint32_t)lead);
            e.check = rs_spool_frame_check((rs_str){frame, lead}, sum, h.key, r.number, i);
            memcpy(p + where, &e, sizeof e);
        }
    }
}

static void with_file(const char *p, size_t size) {
    int fd = memfd_create("spool", MFD_CLOEXEC);
    if (fd < 0 || write(fd, p, size) != (ssize_t)size) abort();
    read_all(fd);
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    with_file((const char *)data, size);
    char *copy = malloc(size + 1);
    if (!copy) abort();
    memcpy(copy, data, size);
    mend(copy, size);
    with_file(copy, size);
    free(copy);
    return 0;
}
