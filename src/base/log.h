/* Lines for the operator on standard error: "respan: message", or {"time":…,"message":…}. Never a key, a prompt or a completion.
 * Any thread; one write(2) a line, so lines do not interleave. */
#ifndef RS_BASE_LOG_H
#define RS_BASE_LOG_H

typedef enum rs_log_format { RS_LOG_TEXT_LINES, RS_LOG_JSON_LINES } rs_log_format;

/* Before there are other threads. */
void rs_log_set_format(rs_log_format format);

void rs_log(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
