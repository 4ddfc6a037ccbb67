#include "base/ids.h"

#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void hex_both_ways(void **state) {
    (void)state;
    uint8_t bytes[256], back[256];
    char hex[513];
    for (int i = 0; i < 256; i++) bytes[i] = (uint8_t)i;
    rs_hex(bytes, sizeof bytes, hex);
    assert_int_equal(strlen(hex), 512);
    assert_memory_equal(hex, "000102030405060708090a0b0c0d0e0f10", 34);
    assert_true(rs_unhex(rs_str_of(hex), back, sizeof back));
    assert_memory_equal(bytes, back, sizeof back);
    assert_true(rs_unhex(RS_STR("aBCdeF"), back, 3));
    assert_memory_equal(back, "\xab\xcd\xef", 3);
    assert_true(rs_unhex((rs_str){0}, back, 0));
}

static void only_hex_digits_of_that_number(void **state) {
    (void)state;
    uint8_t out[2];
    assert_false(rs_unhex(RS_STR("abc"), out, 2));
    assert_false(rs_unhex(RS_STR("abcde"), out, 2));
    for (int c = 0; c < 256; c++) {
        char text[4] = {'0', (char)c, '0', '0'};
        bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        assert_int_equal(rs_unhex((rs_str){text, 4}, out, 2), digit);
    }
}

static void ids_do_not_repeat(void **state) {
    (void)state;
    enum { N = 2000 };
    static uint8_t ids[N][16];
    for (int i = 0; i < N; i++) {
        rs_id_trace(ids[i]);
        for (int k = 0; k < i; k++) assert_memory_not_equal(ids[i], ids[k], 8);
    }
}

/* A child that goes on with its parent's numbers would give its spans the ids of the parent's. */
static void a_fork_seeds_anew(void **state) {
    (void)state;
    int pipes[2];
    uint64_t mine, its;
    (void)rs_id_random();
    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        its = rs_id_random();
        _exit(write(pipes[1], &its, sizeof its) != sizeof its);
    }
    mine = rs_id_random();
    assert_int_equal(read(pipes[0], &its, sizeof its), sizeof its);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_not_equal(mine, its);
    close(pipes[0]);
    close(pipes[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hex_both_ways),
        cmocka_unit_test(only_hex_digits_of_that_number),
        cmocka_unit_test(ids_do_not_repeat),
        cmocka_unit_test(a_fork_seeds_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
