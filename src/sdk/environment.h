/* rs_env: variables of the environment as configuration. A value that makes no sense is said in one line on standard
 * error, unless `quiet`, and is then as if it were not set. Values are shown, but for lists, which may hold secrets. Read
 * when a client is made, by the thread that makes it. Texts belong to the environment. */
#ifndef RS_SDK_ENVIRONMENT_H
#define RS_SDK_ENVIRONMENT_H

#include "base/str.h"
#include <stdint.h>

/* The value of a variable that is set to something; else NULL. */
const char *rs_env_text(const char *name);

/* Two names of one thing: OTEL_EXPORTER_OTLP_TRACES_X goes before OTEL_EXPORTER_OTLP_X. general may be NULL. */
typedef struct rs_env_name {
    const char *specific, *general;
} rs_env_name;

/* A whole number from least to most, else `otherwise`. */
uint32_t rs_env_number(rs_env_name name, uint32_t least, uint32_t most, uint32_t otherwise, bool quiet);
/* The index in `words` (ends with NULL), in any case, of the value; else -1. */
int rs_env_word(rs_env_name name, const char *const words[], bool quiet);
/* The path of a file that can be read; else NULL. */
const char *rs_env_file(rs_env_name name, bool quiet);

/* "key=value,key=value" with both percent-encoded (W3C Baggage): calls take for each, in order, and leaves out what is
 * malformed or what take does not want. False: out of memory. */
bool rs_env_pairs(rs_env_name name, bool (*take)(void *context, rs_str key, rs_str value), void *context,
                  bool quiet);

/* "NAME=value is ignored: it must be WANTS"; value NULL: not to be shown. */
void rs_env_warn(const char *name, const char *value, const char *wants, bool quiet);

#endif
