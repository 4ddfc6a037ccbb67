/* Lines for the operator on standard error: "respan: message". Never a key, a prompt or a completion.
 * Any thread; one write(2) a line, so lines do not interleave. */
#ifndef RS_BASE_LOG_H
#define RS_BASE_LOG_H

void rs_log(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
