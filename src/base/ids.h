/* Random trace and span ids (W3C Trace Context: 16 and 8 bytes, never all zero) and hexadecimal.
 * Each thread has its own generator, seeded from the kernel at first use and again after fork; not for secrets. */
#ifndef RS_BASE_IDS_H
#define RS_BASE_IDS_H

#include "base/str.h"
#include <stdint.h>

void rs_id_trace(uint8_t out[16]);
void rs_id_span(uint8_t out[8]);

/* A uniform 64-bit number from the same generator (backoff jitter, sampling). */
uint64_t rs_id_random(void);

/* Lower-case hex of n bytes; writes 2n characters and a NUL. */
void rs_hex(const uint8_t *bytes, size_t n, char *out);
/* Exactly 2n hex digits of either case into n bytes; false if s is anything else. */
bool rs_unhex(rs_str s, uint8_t *out, size_t n);

#endif
