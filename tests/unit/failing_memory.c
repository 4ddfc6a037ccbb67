#include "failing_memory.h"

#include <stddef.h>

void *__real_malloc(size_t n);
void *__real_calloc(size_t count, size_t n);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t count, size_t n);
void *__wrap_realloc(void *p, size_t n);

static _Thread_local long countdown; /* 0: none fails */
static _Thread_local bool for_good, did_fail;

static bool fails(void) {
    if (countdown == 0) return false;
    if (countdown > 1) return countdown--, false;
    if (!for_good) countdown = 0;
    return did_fail = true;
}

void *__wrap_malloc(size_t n) { return fails() ? NULL : __real_malloc(n); }
void *__wrap_calloc(size_t count, size_t n) { return fails() ? NULL : __real_calloc(count, n); }
void *__wrap_realloc(void *p, size_t n) { return fails() ? NULL : __real_realloc(p, n); }

void fail_at(long nth, bool from_then_on) {
    countdown = nth;
    for_good = from_then_on;
    did_fail = false;
}

void fail_none(void) { countdown = 0; }
bool has_failed(void) { return did_fail; }
