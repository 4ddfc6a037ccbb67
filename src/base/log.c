#include "base/log.h"

#include "base/clock.h"
#include "base/json_write.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static rs_log_format log_format; /* set once, at the start */

void rs_log_set_format(rs_log_format format) { log_format = format; }

static void write_json(rs_str message) {
    char time[RS_RFC3339_LEN + 1];
    rs_clock_format(rs_clock_wall_ns(), time);
    rs_buf line;
    rs_buf_init(&line);
    rs_json j = rs_json_on(&line);
    rs_json_object(&j);
    rs_json_put_str(&j, "time", rs_str_of(time));
    rs_json_put_str(&j, "message", message);
    rs_json_object_end(&j);
    rs_buf_byte(&line, '\n');
    if (rs_buf_status(&line) == RS_OK && write(STDERR_FILENO, line.p, line.n) < 0) {
        /* nowhere left to say it */
    }
    rs_buf_deinit(&line);
}

void rs_log(const char *fmt, ...) {
    char line[512] = "respan: ";
    const size_t begin = strlen(line);
    size_t n = begin;
    va_list ap;
    va_start(ap, fmt);
    int k = vsnprintf(line + n, sizeof line - n - 1, fmt, ap);
    va_end(ap);
    if (k < 0) return;
    n += (size_t)k < sizeof line - n - 1 ? (size_t)k : sizeof line - n - 2;
    if (log_format == RS_LOG_JSON_LINES) {
        write_json((rs_str){line + begin, n - begin});
        return;
    }
    line[n++] = '\n';
    if (write(STDERR_FILENO, line, n) < 0) return; /* nowhere left to say it */
}
