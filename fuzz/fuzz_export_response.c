/* A server's answer to an export, as an SDK reads it: any bytes. */
#include "sdk/export_response.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    rs_str body = {(const char *)data, size};
    rs_export_response r;
    char text[160];
    if (!rs_export_response_read(body, &r) && (r.rejected_spans || r.message.n)) abort();
    rs_export_error_text(r.message, text, sizeof text);
    rs_export_error_text(body, text, sizeof text);
    if (strlen(text) >= sizeof text || !rs_str_is_utf8(rs_str_of(text))) abort();
    return 0;
}
