#include "c_api_home.h"

#include "c_api_values.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char home[64] = "/tmp/respan-fuzz-XXXXXX";

void home_clear(void) {
    char path[512];
    snprintf(path, sizeof path, "%s/respan/spool", home);
    DIR *dir = opendir(path);
    for (struct dirent *e; dir && (e = readdir(dir));) {
        if (e->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/respan/spool/%s", home, e->d_name);
        unlink(path);
    }
    if (dir) closedir(dir);
}

static void leave(void) {
    char path[512];
    home_clear();
    snprintf(path, sizeof path, "%s/respan/spool", home);
    rmdir(path);
    snprintf(path, sizeof path, "%s/respan", home);
    rmdir(path);
    rmdir(home);
}

void home_settle(void) {
    static bool is_settled;
    if (is_settled) return;
    is_settled = true;
    must(mkdtemp(home) != NULL, "no directory under /tmp");
    atexit(leave);
    setenv("XDG_STATE_HOME", home, 1);
    setenv("XDG_CONFIG_HOME", home, 1);
    setenv("RESPAN_BASE_URL", DEAD_URL, 1);
    setenv("RESPAN_SPOOL", "on", 1);
    unsetenv("RESPAN_API_KEY");
    unsetenv("OTEL_RESOURCE_ATTRIBUTES");
    unsetenv("OTEL_SDK_DISABLED");
}

void home_set_compression(unsigned which) {
    static const char *const names[] = {"none", "gzip", "zstd"};
    setenv("OTEL_EXPORTER_OTLP_COMPRESSION", names[which], 1);
}
