/* What the store's tests share: a store in a temporary directory, and spans to put into it. */
#ifndef TESTS_STORE_FIXTURE_H
#define TESTS_STORE_FIXTURE_H

#include "store/store.h"

#include <ftw.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define T0 1764000000000000000ull /* ns */
#define MS 1000000ull

typedef struct fixture {
    char dir[64];
    rs_store *store;
    rs_arena arena;
} fixture;

static int remove_entry(const char *path, const struct stat *st, int flag, struct FTW *at) {
    (void)st, (void)flag, (void)at;
    return remove(path);
}

static inline int fixture_setup(void **state) {
    fixture *f = calloc(1, sizeof *f);
    rs_err err = {0};
    assert_non_null(f);
    snprintf(f->dir, sizeof f->dir, "/tmp/test_store.XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    if (rs_store_open(f->dir, &f->store, &err) != RS_OK) fail_msg("%s", err.message);
    rs_arena_init(&f->arena, 0);
    *state = f;
    return 0;
}

static inline int fixture_teardown(void **state) {
    fixture *f = *state;
    rs_store_close(f->store);
    rs_arena_deinit(&f->arena);
    nftw(f->dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    free(f);
    return 0;
}

static inline void fixture_reopen(fixture *f) {
    rs_err err = {0};
    rs_store_close(f->store);
    f->store = NULL;
    if (rs_store_open(f->dir, &f->store, &err) != RS_OK) fail_msg("%s", err.message);
}

static const rs_resource test_resource;
static const rs_scope test_scope;

static inline void put_number(uint8_t *out, size_t n, uint64_t v) {
    memset(out, 0, n);
    for (size_t i = n; v && i-- > 0; v >>= 8) out[i] = (uint8_t)v;
}

/* Span `id` of trace `trace`, a root if parent is 0; 10 ms long from T0 + at. */
static inline rs_span make_span(uint64_t trace, uint64_t id, uint64_t parent, uint64_t at) {
    rs_span s = {.resource = &test_resource, .scope = &test_scope, .has_parent = parent != 0, .kind = 1};
    put_number(s.trace_id, 16, trace);
    put_number(s.span_id, 8, id);
    put_number(s.parent_id, 8, parent);
    s.name = RS_STR("step");
    s.start_ns = T0 + at;
    s.end_ns = s.start_ns + 10 * MS;
    s.facts = (rs_facts){.log_type = RS_LOG_TASK,
                         .prompt_tokens = -1,
                         .completion_tokens = -1,
                         .cost = NAN,
                         .ttft = NAN,
                         .tokens_per_second = NAN};
    return s;
}

static inline void commit_to(fixture *f, uint64_t project, const rs_span *spans, size_t n) {
    rs_err err = {0};
    rs_store_batch batch = {.project = project, .spans = spans, .n = n};
    if (rs_store_commit(f->store, &batch, 1, NULL, &err) != RS_OK) fail_msg("%s", err.message);
}
static inline void commit_spans(fixture *f, const rs_span *spans, size_t n) { commit_to(f, 1, spans, n); }

static inline rs_spans read_trace(fixture *f, uint64_t trace, rs_read_depth depth) {
    rs_spans out;
    rs_err err = {0};
    uint8_t id[16];
    put_number(id, 16, trace);
    if (rs_store_read_trace(f->store, 1, id, depth, &f->arena, &out, &err) != RS_OK)
        fail_msg("%s", err.message);
    return out;
}

#define assert_str(s, literal)                                                                               \
    do {                                                                                                     \
        rs_str got_ = (s);                                                                                   \
        assert_int_equal(got_.n, sizeof(literal) - 1);                                                       \
        if (got_.n) assert_memory_equal(got_.p, literal, got_.n);                                            \
    } while (0)

#endif
