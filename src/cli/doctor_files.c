#include "cli/doctor_files.h"

#include "base/paths.h"
#include <errno.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define DISK_LEAST ((uint64_t)100 << 20) /* below it programs and the server run out at any moment */
#define DISK_LOW   ((uint64_t)1 << 30)

static void remedy(rs_doctor *d, const char *sentence, const char *before, const char *dir) {
    rs_buf command;
    rs_buf_init(&command);
    rs_buf_text(&command, before);
    rs_doctor_quote(&command, dir);
    rs_doctor_remedy(d, rs_buf_cstr(&command), "%s", sentence);
    rs_buf_deinit(&command);
}

void rs_doctor_own(rs_doctor *d, const char *dir) {
    remedy(d, "Programs that ran as another user (sudo?) left them. To take them over:",
           "sudo chown -R $USER: ", dir);
}

/* The folder itself, or the nearest one above it that is there. */
static bool find_existing(const char *dir, char out[RS_PATH_MAX]) {
    size_t n = strlen(dir);
    if (n == 0 || n >= RS_PATH_MAX) return false;
    memcpy(out, dir, n + 1);
    while (access(out, F_OK) != 0) {
        char *slash = strrchr(out, '/');
        if (!slash || strcmp(out, "/") == 0) return false;
        slash[slash == out] = 0;
    }
    return true;
}

static bool report_missing(rs_doctor *d, const char *check, const char *dir, const char *otherwise) {
    char above[RS_PATH_MAX];
    if (find_existing(dir, above) && access(above, W_OK | X_OK) == 0) {
        rs_doctor_find(d, RS_FINE, check, "%s is not there yet, and can be made", dir);
    } else {
        rs_doctor_find(d, RS_PROBLEM, check, "%s is not there and cannot be made: %s", dir, otherwise);
        remedy(d, "Make it as somebody who may:", "sudo install -d -m 700 -o $USER ", dir);
    }
    return false;
}

bool rs_doctor_folder(rs_doctor *d, const char *check, const char *dir, const char *otherwise) {
    struct stat st;
    if (stat(dir, &st) != 0 && errno == ENOENT) return report_missing(d, check, dir, otherwise);
    if (access(dir, F_OK) != 0) {
        rs_doctor_find(d, RS_PROBLEM, check, "%s cannot be looked at (%s): %s", dir, strerror(errno),
                       otherwise);
        return false;
    }
    if (!S_ISDIR(st.st_mode)) {
        rs_doctor_find(d, RS_PROBLEM, check, "%s is not a folder: %s", dir, otherwise);
        remedy(d, "Put it away:", "mv -i ", dir);
        return false;
    }
    if (st.st_uid != geteuid()) {
        rs_doctor_find(d, RS_PROBLEM, check, "%s is user %lu's: %s", dir, (unsigned long)st.st_uid,
                       otherwise);
        rs_doctor_own(d, dir);
    } else if (access(dir, R_OK | W_OK | X_OK) != 0 || (st.st_mode & 0700) != 0700) {
        rs_doctor_find(d, RS_PROBLEM, check, "%s cannot be written (mode %04o): %s", dir,
                       (unsigned)st.st_mode & 07777, otherwise);
        remedy(d, "Allow it:", "chmod 700 ", dir);
    } else if (st.st_mode & 077) {
        rs_doctor_find(d, RS_WARNING, check, "%s is open to others on this machine (mode %04o)", dir,
                       (unsigned)st.st_mode & 07777);
        remedy(d, "Prompts and completions are in it. Keep it to yourself:", "chmod 700 ", dir);
    }
    return access(dir, R_OK | X_OK) == 0;
}

void rs_doctor_disk(rs_doctor *d, const char *check, const char *dir) {
    char there[RS_PATH_MAX];
    struct statvfs v;
    rs_buf room;
    if (!find_existing(dir, there) || statvfs(there, &v) != 0) return;
    uint64_t left = (uint64_t)v.f_bavail * v.f_frsize;
    rs_level level = left < DISK_LEAST ? RS_PROBLEM : left < DISK_LOW ? RS_WARNING : RS_FINE;
    bool no_files = v.f_files && v.f_favail == 0;
    if (no_files) level = RS_PROBLEM;
    rs_buf_init(&room);
    rs_doctor_put_bytes(&room, left);
    rs_doctor_find(d, level, "disk", "%.*s free for the %s%s", RS_STR_ARG(rs_buf_slice(&room)), check,
                   no_files ? ", but no more files can be made" : "");
    rs_buf_deinit(&room);
    if (level != RS_FINE) remedy(d, "Make room; what takes it:", "du -xh --max-depth=1 ", there);
}
