/* What a server says to an export: ExportTraceServiceResponse in protobuf, and the message of an error. Bytes
 * come from outside: anything is survived, nothing is allocated. Any thread. */
#ifndef RS_SDK_EXPORT_RESPONSE_H
#define RS_SDK_EXPORT_RESPONSE_H

#include "base/str.h"
#include <stdint.h>

typedef struct rs_export_response {
    uint64_t rejected_spans; /* partial_success; 0 for a negative count */
    rs_str message;          /* slice of the body */
} rs_export_response;

/* False, with *out zero, if the body is not such a message (an empty one is). */
bool rs_export_response_read(rs_str body, rs_export_response *out);

/* One printable line out of an error's body: the "message" of our JSON errors, or the body itself if it is
 * text. Writes at most size bytes, NUL included; "" if there is nothing to say. */
void rs_export_error_text(rs_str body, char *out, size_t size);

#endif
