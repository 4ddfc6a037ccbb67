#include "store/control/internal.h"

#include <sodium.h>

enum { SECRET_BYTES = 32 };

rs_digest rs_digest_of(rs_str secret) {
    rs_digest d;
    crypto_generichash(d.hash, sizeof d.hash, (const uint8_t *)secret.p, secret.n, NULL, 0);
    memcpy(&d.prefix, d.hash, sizeof d.prefix);
    return d;
}

rs_digest rs_secret_make(const char *prefix, char out[RS_SECRET_MAX]) {
    uint8_t random[SECRET_BYTES];
    size_t at = strlen(prefix);
    randombytes_buf(random, sizeof random);
    memcpy(out, prefix, at);
    sodium_bin2base64(out + at, RS_SECRET_MAX - at, random, sizeof random,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    sodium_memzero(random, sizeof random);
    return rs_digest_of(rs_str_of(out));
}

rs_status rs_control_find_secret(rs_control *c, const char *sql, rs_str secret, sqlite3_stmt **out,
                                 rs_err *err) {
    bool row = false;
    *out = NULL;
    if (secret.n == 0 || secret.n >= RS_SECRET_MAX) return RS_OK;
    rs_digest d = rs_digest_of(secret);
    rs_status st = rs_control_ask(c, sql, RS_SQL(rs_sql_int((uint64_t)d.prefix)), out, err);
    while (st == RS_OK && (st = rs_db_step(*out, &row, err)) == RS_OK && row) {
        rs_str hash = rs_db_column_str(*out, 0);
        if (hash.n == sizeof d.hash && sodium_memcmp(d.hash, hash.p, sizeof d.hash) == 0) return RS_OK;
    }
    rs_control_done(*out);
    *out = NULL;
    return st;
}
