#include "sdk/backlog.h"

#include "base/credentials.h"
#include "sdk/spool_dir.h"
#include <errno.h>
#include <unistd.h>

/* Frames of region i as a batch whose headroom takes this file's opening; false if none can be had. */
static bool read_batch(rs_spool_file *f, size_t i, rs_buf *bytes, rs_batch *b, uint32_t *open,
                       rs_backlog_counts *counts) {
    size_t headroom = rs_exporter_headroom(f->resource, f->scope);
    rs_spool_got got;
    rs_buf_clear(bytes);
    if (!rs_buf_reserve(bytes, headroom)) return false;
    bytes->n = headroom;
    if (rs_spool_read_region(f, i, bytes, &got, NULL) != RS_OK) return false;
    counts->damaged += got.damaged;
    *open = got.open;
    *b = (rs_batch){.from = headroom,
                    .n = bytes->n,
                    .cap = bytes->cap,
                    .spans = got.spans,
                    .sealed = true,
                    .bytes = bytes->p};
    return true;
}

/* True if nothing of the file is left to send. */
static bool send_file(rs_exporter *e, rs_spool_file *f, rs_backlog_counts *counts) {
    rs_buf bytes;
    rs_buf_init(&bytes);
    bool ok = true;
    for (size_t i = 0; ok && i < f->n; i++) {
        rs_batch b;
        rs_sent sent = {0};
        uint32_t open;
        ok = read_batch(f, i, &bytes, &b, &open, counts);
        if (ok && b.spans) {
            rs_exporter_send(e, f->resource, f->scope, &b, RS_SEND_ONCE, &sent);
            counts->acknowledged += sent.acknowledged;
            counts->rejected += sent.rejected;
            ok = sent.left == 0;
            if (ok) counts->interrupted += open;
        }
        if (ok) rs_spool_read_done(f, i);
    }
    rs_buf_deinit(&bytes);
    return ok;
}

static bool is_url(rs_str of_file, const rs_config *c) { return rs_str_eq(of_file, rs_str_of(c->base_url)); }

/* Where no key was given it is that of the credentials file. */
static uint64_t in_effect(const rs_config *c, uint64_t fingerprint) {
    return fingerprint || !c->is_loopback ? fingerprint : rs_credentials_fingerprint();
}

bool rs_backlog_is_own(const rs_config *c, const rs_spool_file *f) {
    return f->fingerprint == c->fingerprint || in_effect(c, f->fingerprint) == in_effect(c, c->fingerprint);
}

/* True unless trying the others is in vain. */
static bool send_named(rs_exporter *e, const char *dir, const char *name, bool any_key, bool older,
                       rs_backlog_counts *counts) {
    char path[RS_PATH_MAX];
    int fd = rs_spool_lock(dir, name);
    if (fd < 0) {
        if (errno != EWOULDBLOCK && errno != ENOENT) counts->kept++;
        return true;
    }
    rs_spool_file f;
    bool go_on = true;
    if (rs_spool_read_open(&f, fd, NULL) != RS_OK)
        counts->kept++; /* newer, or damaged: for its owner to judge */
    else if (!is_url(f.url, e->config)) counts->foreign++;
    else if (!any_key && !(older && f.is_older) && !rs_backlog_is_own(e->config, &f)) counts->other_key++;
    else if (!(go_on = send_file(e, &f, counts))) counts->kept++;
    else if (rs_path_join(path, dir, name, NULL) == RS_OK) unlink(path);
    rs_spool_read_close(&f);
    close(fd);
    return go_on;
}

bool rs_backlog_send(rs_exporter *e, const char *dir, const char *app, uint64_t most, bool any_key,
                     rs_backlog_counts *counts) {
    *counts = (rs_backlog_counts){0};
    rs_spool_names names;
    if (rs_spool_list(dir, app, e->config->base_url, e->config->fingerprint, &names, NULL) != RS_OK)
        return false;
    if (most) counts->pruned = rs_spool_prune(dir, &names, most);
    bool go_on = true;
    size_t i = 0;
    for (; go_on && i < names.n; i++)
        go_on = send_named(e, dir, names.items[i].name, any_key, app == NULL, counts);
    counts->kept += names.n - i;
    rs_spool_names_deinit(&names);
    return go_on;
}

rs_status rs_backlog_send_alone(const rs_config *config, const char *dir, bool any_key,
                                rs_backlog_counts *counts, char why[240]) {
    rs_ring ring; /* empty: what the exporter would be stopped by */
    rs_exporter e;
    *counts = (rs_backlog_counts){0};
    why[0] = 0;
    rs_ring_init(&ring, (rs_ring_limits){0}, NULL);
    rs_status st = rs_exporter_init(&e, &ring, config);
    if (st == RS_OK && !rs_backlog_send(&e, dir, NULL, 0, any_key, counts)) rs_exporter_last_error(&e, why);
    rs_exporter_deinit(&e);
    rs_ring_deinit(&ring);
    return st;
}
