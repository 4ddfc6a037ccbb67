#include "server/live_notes.h"

#include <stdlib.h>
#include <string.h>

struct rs_live_feed {
    rs_live_feed *next;
    uint64_t project;
    unsigned listeners;
    uint8_t notes[RS_LIVE_NOTES][16];
    size_t n;
    bool overflowed;
};

void rs_live_notes_init(rs_live_notes *n) {
    *n = (rs_live_notes){0};
    pthread_mutex_init(&n->lock, NULL);
}

void rs_live_notes_deinit(rs_live_notes *n) {
    for (rs_live_feed *f = n->first, *next; f; f = next) {
        next = f->next;
        free(f);
    }
    pthread_mutex_destroy(&n->lock);
}

static rs_live_feed *feed_of(const rs_live_notes *n, uint64_t project) {
    rs_live_feed *f = n->first;
    while (f && f->project != project) f = f->next;
    return f;
}

rs_status rs_live_notes_join(rs_live_notes *n, uint64_t project) {
    pthread_mutex_lock(&n->lock);
    rs_live_feed *f = feed_of(n, project);
    if (!f && (f = calloc(1, sizeof *f)) != NULL) {
        f->project = project;
        f->next = n->first;
        n->first = f;
    }
    if (f) f->listeners++;
    pthread_mutex_unlock(&n->lock);
    return f ? RS_OK : RS_ERR_MEMORY;
}

void rs_live_notes_leave(rs_live_notes *n, uint64_t project) {
    pthread_mutex_lock(&n->lock);
    for (rs_live_feed **at = &n->first; *at; at = &(*at)->next) {
        rs_live_feed *f = *at;
        if (f->project != project) continue;
        if (--f->listeners == 0) *at = f->next, free(f);
        break;
    }
    pthread_mutex_unlock(&n->lock);
}

static void take_note(rs_live_feed *f, const uint8_t *trace_id) {
    if (f->overflowed) return;
    for (size_t i = f->n; i-- > 0;)
        if (memcmp(f->notes[i], trace_id, 16) == 0) return;
    if (f->n < RS_LIVE_NOTES) memcpy(f->notes[f->n++], trace_id, 16);
    else f->overflowed = true;
}

void rs_live_notes_put(rs_live_notes *n, uint64_t project, const void *ids, size_t stride, size_t count) {
    pthread_mutex_lock(&n->lock);
    rs_live_feed *f = feed_of(n, project);
    for (size_t i = 0; f && i < count; i++) take_note(f, (const uint8_t *)ids + i * stride);
    pthread_mutex_unlock(&n->lock);
}

size_t rs_live_notes_projects(rs_live_notes *n, uint64_t *out, size_t most) {
    size_t count = 0;
    pthread_mutex_lock(&n->lock);
    for (const rs_live_feed *f = n->first; f && count < most; f = f->next)
        if (f->n > 0) out[count++] = f->project;
    pthread_mutex_unlock(&n->lock);
    return count;
}

size_t rs_live_notes_take(rs_live_notes *n, uint64_t project, uint8_t out[RS_LIVE_NOTES][16],
                          bool *overflowed) {
    size_t count = 0;
    *overflowed = false;
    pthread_mutex_lock(&n->lock);
    rs_live_feed *f = feed_of(n, project);
    if (f) {
        count = f->n;
        memcpy(out, f->notes, count * 16);
        *overflowed = f->overflowed;
        f->n = 0;
        f->overflowed = false;
    }
    pthread_mutex_unlock(&n->lock);
    return count;
}
