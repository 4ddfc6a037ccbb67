/* $XDG_CONFIG_HOME/respan/credentials: lines `RESPAN_API_KEY=…` and `RESPAN_BASE_URL=…` that a shell can source.
 * Written by the first `respan serve` (and by `respan auth login`), read by the SDK and the command line.
 * Mode 0600; written whole to a temporary file and renamed over. Any thread. */
#ifndef RS_BASE_CREDENTIALS_H
#define RS_BASE_CREDENTIALS_H

#include "base/paths.h"
#include <stdbool.h>
#include <stdint.h>

typedef struct rs_credentials {
    char api_key[256];
    char base_url[1024];
} rs_credentials;

/* RS_ERR_NOT_FOUND if there is no such file; a missing line leaves its field empty. */
RS_MUST_CHECK rs_status rs_credentials_read(rs_credentials *out, rs_err *err);
RS_MUST_CHECK rs_status rs_credentials_write(const rs_credentials *c, rs_err *err);

/* The fingerprint of its key (fingerprint.h); 0: it has none. */
uint64_t rs_credentials_fingerprint(void);

/* True for http(s) URLs whose host is localhost, 127.0.0.0/8 or [::1]. */
bool rs_url_is_loopback(const char *url);

#endif
