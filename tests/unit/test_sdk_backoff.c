/* How long the exporter waits: exponential, jittered, bounded, and never before Retry-After. */
#include "sdk/backoff.h"

#include "base/ids.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define MS 1000000ull

static void doubles_up_to_half_a_minute(void **state) {
    (void)state;
    uint64_t whole = 200 * MS;
    for (unsigned attempt = 0; attempt < 100; attempt++) {
        assert_int_equal(rs_backoff_ns(attempt, 0, 0), whole / 2);
        assert_int_equal(rs_backoff_ns(attempt, 0, whole / 2 - 1), whole - 1);
        whole = whole * 2 > 30000 * MS ? 30000 * MS : whole * 2;
    }
    assert_int_equal(whole, 30000 * MS);
}

static void clients_do_not_return_together(void **state) {
    (void)state;
    enum { CLIENTS = 1000, SLOTS = 10 };
    unsigned in_slot[SLOTS] = {0};
    for (int i = 0; i < CLIENTS; i++) {
        uint64_t ns = rs_backoff_ns(0, 0, rs_id_random());
        assert_in_range(ns, 100 * MS, 200 * MS - 1);
        in_slot[(ns - 100 * MS) / (100 * MS / SLOTS)]++;
    }
    for (int i = 0; i < SLOTS; i++) assert_in_range(in_slot[i], 40, 180); /* 100 if even; six sigma is 57 */
}

static void retry_after_is_the_least(void **state) {
    (void)state;
    for (int i = 0; i < 1000; i++)
        for (unsigned attempt = 0; attempt < 12; attempt++)
            assert_in_range(rs_backoff_ns(attempt, 7, rs_id_random()), 7000 * MS, 7000 * MS + 7500 * MS);
}

static void a_server_cannot_ask_for_more_than_ten_minutes(void **state) {
    (void)state;
    assert_in_range(rs_backoff_ns(0, UINT64_MAX, UINT64_MAX), 600000 * MS, 600050 * MS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(doubles_up_to_half_a_minute),
        cmocka_unit_test(clients_do_not_return_together),
        cmocka_unit_test(retry_after_is_the_least),
        cmocka_unit_test(a_server_cannot_ask_for_more_than_ten_minutes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
