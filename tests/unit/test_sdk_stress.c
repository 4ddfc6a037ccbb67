/* Many threads at once over the whole API in random order: spans change hands, sets are shared and freed, clients are
 * asked, flushed, closed and opened anew. What ThreadSanitizer and AddressSanitizer see is the test; that the counts
 * of every client add up is held besides. */
#include "fake_http.h"
#include "respan.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { THREADS = 6, STEPS = 4000, SLOTS = 3, HANDS = 32, SETS = 4 };

/* A client is used by any thread but one that closes it: `guard` is what a program has for that. */
typedef struct slot {
    pthread_rwlock_t guard;
    respan_client *client;
} slot;

static struct {
    fake_http *server;
    slot slots[SLOTS];
    respan_span *hands[HANDS]; /* atomic exchange: spans on their way from thread to thread */
    respan_attributes *sets[SETS];
    uint64_t started, closed_started; /* atomic */
    bool failed;                      /* atomic */
} world;

static uint32_t next(uint32_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    return *state ^= *state << 5;
}

static respan_client *open_client(uint32_t r) {
    respan_config config;
    respan_config_init(&config);
    config.base_url = fake_http_url(world.server);
    config.api_key = "k";
    config.quiet = true;
    config.batch_interval_ms = 1;
    config.batch_spans = 1 + r % 20;
    if (r & 64) config.ring_bytes = 3000;
    if (r & 128) config.spool_bytes = 0;
    respan_client *c = NULL;
    if (respan_client_open(&config, &c, NULL) != RESPAN_OK)
        __atomic_store_n(&world.failed, true, __ATOMIC_RELAXED);
    return c;
}

static void close_slot(slot *s, uint32_t r, bool again) {
    respan_stats n;
    pthread_rwlock_wrlock(&s->guard);
    respan_client *old = s->client;
    s->client = again ? open_client(r) : NULL;
    pthread_rwlock_unlock(&s->guard);
    (void)respan_client_close(old, again ? r % 4 : 20000, &n);
    if (n.ended != n.acknowledged + n.rejected + n.dropped + n.kept || n.pending)
        __atomic_store_n(&world.failed, true, __ATOMIC_RELAXED);
    __atomic_add_fetch(&world.closed_started, n.started, __ATOMIC_RELAXED);
}

/* With the slot's guard held. */
static respan_span *start(const slot *s, const respan_span *parent) {
    respan_span_context context = respan_span_get_context(parent);
    __atomic_add_fetch(&world.started, 1, __ATOMIC_RELAXED);
    return respan_span_start(s->client, RESPAN_TEXT("stress"), &context, 0);
}

static void dress(respan_span *span, uint32_t r) {
    static const char text[300] = "text";
    respan_span_set_string(span, RESPAN_TEXT("text"), text, r % sizeof text);
    respan_span_set_int(span, RESPAN_TEXT("number"), r);
    if (r & 1) respan_span_add_event(span, RESPAN_TEXT("token"), 0, NULL, 0);
    if (r & 2) respan_span_use(span, world.sets[r / 4 % SETS]);
    if (r & 64) respan_span_set_status(span, RESPAN_STATUS_ERROR, text, 4);
}

static void step(uint32_t r) {
    slot *s = &world.slots[r / 64 % SLOTS];
    respan_stats n;
    if (r % 512 == 0) {
        close_slot(s, r / 512, true);
        return;
    }
    respan_span *mine = NULL;
    pthread_rwlock_rdlock(&s->guard);
    if (r % 64 == 1) (void)respan_client_flush(s->client, r / 64 % 3);
    else if (r % 32 == 2) respan_client_stats(s->client, &n);
    else mine = start(s, NULL);
    respan_span *child = mine && r & 1024 ? start(s, mine) : NULL;
    pthread_rwlock_unlock(&s->guard);
    dress(mine, r);
    dress(child, ~r);
    mine = __atomic_exchange_n(&world.hands[r / 2048 % HANDS], mine, __ATOMIC_ACQ_REL); /* another's now */
    if (r & 4096) respan_attributes_free(respan_attributes_new(NULL, 0));
    dress(mine, r / 3);
    if (r % 16 == 3) respan_span_discard(mine);
    else respan_span_end(mine, 0);
    respan_span_end(child, 0);
}

static void *work(void *seed) {
    uint32_t state = *(uint32_t *)seed;
    for (int i = 0; i < STEPS; i++) step(next(&state));
    return NULL;
}

static void anything_at_once(void **state) {
    (void)state;
    static const fake_answer script[] = {{.status = 200}, {.status = 503, .headers = "Retry-After: 0\r\n"},
                                         {.status = 200}, {.kind = FAKE_CLOSE},
                                         {.status = 400}, {.status = 200}};
    world.server = fake_http_start(script, RS_ARRAY_LEN(script));
    for (uint32_t i = 0; i < SETS; i++) {
        respan_attribute a = {{RESPAN_TEXT("shared")}, RESPAN_TYPE_INT, {.integer = i}};
        world.sets[i] = respan_attributes_new(&a, 1);
    }
    for (uint32_t i = 0; i < SLOTS; i++) {
        pthread_rwlock_init(&world.slots[i].guard, NULL);
        world.slots[i].client = open_client(i);
    }
    pthread_t threads[THREADS];
    uint32_t seeds[THREADS];
    for (uint32_t i = 0; i < THREADS; i++) {
        seeds[i] = 2463534242u + i;
        assert_int_equal(pthread_create(&threads[i], NULL, work, &seeds[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    for (int i = 0; i < SLOTS; i++) close_slot(&world.slots[i], 0, false);
    for (int i = 0; i < HANDS; i++) respan_span_end(world.hands[i], 0); /* their clients are closed */
    for (int i = 0; i < SETS; i++) respan_attributes_free(world.sets[i]);
    for (int i = 0; i < SLOTS; i++) pthread_rwlock_destroy(&world.slots[i].guard);
    assert_false(world.failed);
    assert_int_equal(world.started, world.closed_started);
    fake_http_stop(world.server);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(anything_at_once)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
