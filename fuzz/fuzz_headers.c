/* Request header values: the first byte picks the parser, the rest is the value. */
#include "server/headers.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A parser's slice must lie in the value. */
static void check_slice(rs_str value, rs_str part) {
    if (part.n && (part.p < value.p || part.p + part.n > value.p + value.n)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const names[] = {"box", NULL};
    if (size == 0) return 0;
    rs_str value = {(const char *)data + 1, size - 1};
    switch (data[0] % 6) {
    case 0:
        check_slice(value, rs_header_media_type(value));
        break;
    case 1:
        check_slice(value, rs_header_bearer(value));
        break;
    case 2:
        (void)rs_header_accepts_gzip(value);
        break;
    case 3:
        (void)rs_header_etag_matches(value, RS_STR("\"etag\""));
        break;
    case 4: {
        char storage[64];
        rs_str user, password;
        if (!rs_header_basic(value, storage, sizeof storage, &user, &password)) break;
        check_slice((rs_str){storage, sizeof storage}, user);
        check_slice((rs_str){storage, sizeof storage}, password);
        break;
    }
    default:
        (void)rs_header_host_is_ours(value, names, 2);
        break;
    }
    return 0;
}
