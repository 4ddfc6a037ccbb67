/* The fingerprint of a key: the beginning of the hash that libsodium makes of it, by which the server finds it. */
#include "base/fingerprint.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void it_is_how_the_hash_begins(void **state) {
    (void)state;
    enum { MAX = 400 /* some blocks of 128 */ };
    uint8_t text[MAX], hash[32];
    for (size_t i = 0; i < MAX; i++) text[i] = (uint8_t)(i * 7 + 1);
    for (size_t n = 0; n <= MAX; n++) {
        assert_int_equal(crypto_generichash(hash, sizeof hash, text, n, NULL, 0), 0);
        uint64_t found = rs_fingerprint((rs_str){(const char *)text, n});
        assert_memory_equal(&found, hash, sizeof found);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(it_is_how_the_hash_begins)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
