#include "sdk/process_end.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The state of a thread, 'Z' once it ended, and its name; false if it is gone. */
static bool read_stat(const char *path, char *state, char name[32]) {
    char text[256];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    text[n > 0 ? n : 0] = 0;
    char *begin = strchr(text, '('),
         *end = strrchr(text, ')'); /* "PID (NAME) STATE …"; a name may hold anything */
    if (!begin || !end || end < begin || end[1] == 0 || end[2] == 0) return false;
    *end = 0;
    *state = end[2];
    snprintf(name, 32, "%s", begin + 1);
    return true;
}

static bool is_exporter_or_ended(const char *thread) {
    char path[64], state, name[32];
    snprintf(path, sizeof path, "/proc/self/task/%.20s/stat", thread);
    return !read_stat(path, &state, name) || state == 'Z' || state == 'X' ||
           strcmp(name, RS_EXPORTER_NAME) == 0;
}

bool rs_process_is_over(void) {
    char state, name[32];
    if (!read_stat("/proc/self/stat", &state, name) || state != 'Z') return false; /* its first thread's */
    DIR *threads = opendir("/proc/self/task");
    if (!threads) return false;
    bool over = true;
    for (struct dirent *e; over && (e = readdir(threads));)
        if (e->d_name[0] != '.') over = is_exporter_or_ended(e->d_name);
    closedir(threads);
    return over;
}
