#include "cli/spool_row.h"

#include "base/paths.h"
#include "sdk/backlog.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static void count_spans(rs_spool_row *r) {
    rs_buf frames;
    rs_buf_init(&frames);
    for (size_t i = 0; i < r->file.n; i++) {
        rs_spool_got got;
        rs_buf_clear(&frames);
        if (rs_spool_read_region(&r->file, i, &frames, &got, NULL) != RS_OK) continue;
        r->spans += got.spans - got.open;
        r->open += got.open;
        r->damaged += got.damaged;
    }
    rs_buf_deinit(&frames);
}

static bool has_owner(int fd) {
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) return true;
    flock(fd, LOCK_UN);
    return false;
}

void rs_spool_row_read(const char *dir, const char *name, rs_spool_row *r) {
    char path[RS_PATH_MAX];
    struct stat st;
    *r = (rs_spool_row){.state = "gone", .file.fd = -1};
    if (rs_path_join(path, dir, name, NULL) != RS_OK) return;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) {
        if (errno != ENOENT) r->state = "not ours";
        return;
    }
    rs_status read = RS_OK;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid()) {
        r->state = "not ours";
    } else if ((read = rs_spool_read_open(&r->file, fd, NULL)) != RS_OK) {
        r->state = read == RS_ERR_UNSUPPORTED ? "other version" : "damaged";
    } else {
        bool in_use = has_owner(fd);
        r->state = in_use ? "in use" : "waiting";
        count_spans(r);
        if (in_use) r->damaged = 0; /* what is being written looks so */
    }
    close(fd);
}

bool rs_spool_row_is_for_other_key(const rs_spool_row *r, const rs_config *c) {
    return c->base_url && r->file.url.p && !r->file.is_older &&
           rs_str_eq(r->file.url, rs_str_of(c->base_url)) && !rs_backlog_is_own(c, &r->file);
}
