/* A key's fingerprint: tells keys apart, and nothing of them: 64 of a key's 256 random bits, one way. Any thread. */
#ifndef RS_BASE_FINGERPRINT_H
#define RS_BASE_FINGERPRINT_H

#include "base/str.h"
#include <stdint.h>

/* The first 8 bytes, in the machine's order, of the BLAKE2b of 32 bytes (RFC 7693, no key): what the server finds its keys by, for those
 * who do not link libsodium. */
uint64_t rs_fingerprint(rs_str key);

#endif
