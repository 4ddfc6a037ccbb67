/* Amounts as options have them: "30d", "10G", and "all", which is 0. No state, any thread. */
#ifndef RS_CLI_AMOUNT_H
#define RS_CLI_AMOUNT_H

#include <stdbool.h>
#include <stdint.h>

/* Nanoseconds, in hours or days; bytes, from K to T. False: it is none, or too much. */
bool rs_amount_read_time(const char *text, uint64_t *out);
bool rs_amount_read_size(const char *text, uint64_t *out);
/* In the largest unit that it is a whole number of. */
enum { RS_AMOUNT_MAX = 32 };
void rs_amount_put_time(uint64_t ns, char out[RS_AMOUNT_MAX]);
void rs_amount_put_size(uint64_t bytes, char out[RS_AMOUNT_MAX]);

#endif
