#include "sdk/open_tell.h"

#include "base/clock.h"
#include "sdk/spool_read.h"

enum { CHUNKS_MAX = 512 /* that one look goes through */ };
#define MS 1000000ull

void rs_open_teller_init(rs_open_teller *t, bool is_off) {
    *t = (rs_open_teller){.is_off = is_off, .epoch = 1};
}

void rs_open_teller_deinit(rs_open_teller *t) {
    rs_buf_deinit(&t->frames);
    rs_buf_deinit(&t->slot);
}

void rs_open_teller_reset(rs_open_teller *t) {
    /* The parent's thread may have been writing the buffers: they stay where they are. */
    *t = (rs_open_teller){.is_off = t->is_off, .is_understood = t->is_understood, .epoch = 1};
}

void rs_open_teller_forget(rs_open_teller *t, uint64_t now_ns) {
    if (t->anew_ns && now_ns < t->anew_ns + OPEN_BEAT_MS * MS) return;
    t->anew_ns = now_ns;
    t->epoch++;
}

/* A copy of the slot and of its fields as one publication had them; false if it changed meanwhile, or ended. */
static bool read_slot(rs_open_teller *t, const rs_open_view *view, const rs_open_seen *seen,
                      rs_spool_slot *slot, rs_str *wire) {
    uint32_t n = (uint32_t)seen->written;
    if (n > seen->room) return false;
    rs_buf_clear(&t->slot);
    char *p = rs_buf_reserve(&t->slot, sizeof *slot + n);
    if (!p || !rs_spool_read_back(view->spool, view->fd, seen->slot, p, sizeof *slot + n)) return false;
    memcpy(slot, p, sizeof *slot);
    *wire = (rs_str){p + sizeof *slot, n};
    uint64_t key = rs_spool_key(view->spool);
    rs_spool_sum none = {0};
    if (slot->check != seen->check || slot->check != rs_spool_slot_check(slot, key) ||
        slot->written != rs_spool_written(rs_spool_sum_to(&none, wire->p, n), n, 0, key))
        return false;
    /* Another span that came into the slot while it was read would have taken this away first. It is the file that is asked: the
     * slot may be ended spans' memory by now. */
    uint64_t again;
    return rs_spool_read_back(view->spool, view->fd, seen->slot, &again, sizeof again) &&
           again == slot->check;
}

/* True if something is told of it. */
static bool tell(rs_open_teller *t, const rs_open_view *view, const rs_open_seen *seen, uint64_t now_ns,
                 uint64_t wall_ns) {
    rs_open_told *told = seen->told;
    bool known = told->check == seen->check && told->epoch == t->epoch;
    bool is_news = !known || told->written != seen->written;
    if (known && now_ns < (is_news ? told->again_ns : told->beat_ns)) return false;
    rs_spool_slot slot;
    rs_str wire;
    if (!read_slot(t, view, seen, &slot, &wire)) return false;
    if (wall_ns < slot.start_ns || wall_ns - slot.start_ns < OPEN_AGE_MS * MS) return false;
    size_t whole = wire.n;
    if (!is_news) wire.n = 0;
    if (!rs_spool_open_frame(&slot, wire, whole > OPEN_SPAN_MAX ? OPEN_FIELD_MAX : SIZE_MAX, &t->frames))
        return false;
    *told = (rs_open_told){.check = slot.check,
                           .written = slot.written,
                           .epoch = t->epoch,
                           .again_ns = now_ns + OPEN_AGE_MS * MS + whole / OPEN_BYTES_PER_MS * MS,
                           .beat_ns = now_ns + OPEN_BEAT_MS * MS};
    return true;
}

unsigned rs_open_teller_look(rs_open_teller *t, rs_ring *ring, uint64_t now_ns) {
    unsigned n = 0;
    uint64_t wall_ns = rs_clock_wall_ns();
    rs_buf_deinit(&t->frames); /* what was last told may be a megabyte */
    size_t seen_n = 0;
    for (int i = 0; i < CHUNKS_MAX && n < OPEN_SPANS_MAX && t->frames.n < OPEN_BYTES_MAX; i++) {
        rs_open_view view;
        rs_open_seen seen[RS_SPOOL_SLOTS];
        size_t count = rs_ring_look(ring, &t->from, &view, seen);
        seen_n += count;
        for (size_t k = 0; k < count; k++) n += tell(t, &view, &seen[k], now_ns, wall_ns);
        if (!t->from) break;
    }
    t->next_ns = now_ns + (seen_n ? OPEN_LOOK_MS : OPEN_AGE_MS) * MS;
    return rs_buf_status(&t->frames) == RS_OK ? n : 0;
}
