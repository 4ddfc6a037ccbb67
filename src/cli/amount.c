#include "cli/amount.h"

#include "base/str.h"

#include <stdio.h>

#define NS_PER_HOUR 3600000000000ull

typedef struct unit {
    char letter;
    uint64_t size;
} unit;

/* From the largest. */
static const unit times[] = {{'d', 24 * NS_PER_HOUR}, {'h', NS_PER_HOUR}};
static const unit sizes[] = {{'T', 1ull << 40}, {'G', 1ull << 30}, {'M', 1ull << 20}, {'K', 1ull << 10}};

static bool read_amount(const char *text, const unit *units, size_t n, uint64_t *out) {
    rs_str s = rs_str_of(text);
    unsigned long long number;
    *out = 0;
    if (rs_str_eq(s, RS_STR("all"))) return true;
    for (size_t i = 0; i < n && s.n > 1; i++)
        if (s.p[s.n - 1] == units[i].letter)
            return rs_str_to_u64((rs_str){s.p, s.n - 1}, &number) && number > 0 &&
                   !__builtin_mul_overflow(number, units[i].size, out) && *out <= INT64_MAX;
    return false;
}

static void put_amount(uint64_t amount, const unit *units, size_t n, char out[RS_AMOUNT_MAX]) {
    size_t i = 0;
    while (i + 1 < n && amount % units[i].size != 0) i++;
    if (amount == 0) snprintf(out, RS_AMOUNT_MAX, "all");
    else
        snprintf(out, RS_AMOUNT_MAX, "%llu%c", (unsigned long long)(amount / units[i].size), units[i].letter);
}

bool rs_amount_read_time(const char *text, uint64_t *out) {
    return read_amount(text, times, RS_ARRAY_LEN(times), out);
}

bool rs_amount_read_size(const char *text, uint64_t *out) {
    return read_amount(text, sizes, RS_ARRAY_LEN(sizes), out);
}

void rs_amount_put_time(uint64_t ns, char out[RS_AMOUNT_MAX]) {
    put_amount(ns, times, RS_ARRAY_LEN(times), out);
}

void rs_amount_put_size(uint64_t bytes, char out[RS_AMOUNT_MAX]) {
    put_amount(bytes, sizes, RS_ARRAY_LEN(sizes), out);
}
