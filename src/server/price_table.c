#include "server/price_table.h"

#include "base/clock.h"
#include "base/log.h"

#include <pthread.h>
#include <stdlib.h>

#define LOOK_NS 1000000000ull

/* Prices that are in force, or were and somebody still has them. */
typedef struct edition {
    rs_prices *prices;
    unsigned takers;
    struct edition *older;
} edition;

struct rs_price_table {
    rs_control *control;
    rs_prices *base;
    pthread_mutex_t lock; /* over what follows; nothing slow under it */
    edition *newest;
    uint64_t looked_ns;
    pthread_mutex_t making; /* one at a time makes an edition; taken before `lock` */
    rs_prices_mark mark;    /* of the newest */
};

/* ---- what is set --------------------------------------------------------------------------------------- */

typedef struct set {
    rs_arena arena;
    rs_own_price *own;
    rs_time_price *times;
    size_t nown, own_cap, ntimes, times_cap;
    bool failed;
} set;

static bool take_price(void *ctx, const rs_set_price *p) {
    set *s = ctx;
    rs_own_price own = {.id = p->id,
                        .model = rs_arena_copy(&s->arena, rs_str_of(p->model)),
                        .provider = rs_arena_copy(&s->arena, rs_str_of(p->provider)),
                        .input = p->input,
                        .output = p->output,
                        .cached = p->cached,
                        .reasoning = p->reasoning,
                        .limit = (int64_t)p->limit};
    s->failed = !own.model.p || !own.provider.p ||
                !rs_arena_grow(&s->arena, (void **)&s->own, s->nown, &s->own_cap, sizeof own);
    if (!s->failed) s->own[s->nown++] = own;
    return !s->failed;
}

static bool take_time(void *ctx, const rs_set_time_price *p) {
    set *s = ctx;
    rs_time_price time = {rs_arena_copy(&s->arena, rs_str_of(p->device)), rs_set_time_price_dollars(p)};
    s->failed = !time.device.p ||
                !rs_arena_grow(&s->arena, (void **)&s->times, s->ntimes, &s->times_cap, sizeof time);
    if (!s->failed) s->times[s->ntimes++] = time;
    return !s->failed;
}

static rs_status read_set(rs_control *control, const rs_prices *base, rs_prices **out, rs_err *err) {
    set s = {0};
    rs_arena_init(&s.arena, 0);
    rs_status st = rs_control_list_prices(control, take_price, &s, err);
    if (st == RS_OK && !s.failed) st = rs_control_list_time_prices(control, take_time, &s, err);
    if (st == RS_OK && s.failed) st = rs_fail(err, RS_ERR_MEMORY, 0, "out of memory for prices");
    if (st == RS_OK) st = rs_prices_with(base, s.own, s.nown, s.times, s.ntimes, out, err);
    rs_arena_deinit(&s.arena);
    return st;
}

/* ---- editions ------------------------------------------------------------------------------------------ */

/* Under the lock. Of the older ones that nobody has any more. */
static edition *take_out_unused(rs_price_table *t) {
    edition *unused = NULL;
    for (edition **at = &t->newest->older; *at;) {
        edition *e = *at;
        if (e->takers) {
            at = &e->older;
        } else {
            *at = e->older;
            e->older = unused;
            unused = e;
        }
    }
    return unused;
}

static void free_all(edition *e) {
    while (e) {
        edition *older = e->older;
        rs_prices_free(e->prices);
        free(e);
        e = older;
    }
}

/* With `making`. */
static rs_status look(rs_price_table *t, rs_err *err) {
    rs_prices_mark mark;
    rs_status st = rs_control_get_prices_mark(t->control, &mark, err);
    if (st != RS_OK || memcmp(&mark, &t->mark, sizeof mark) == 0) return st;
    edition *e = calloc(1, sizeof *e), *unused = NULL;
    if (!e) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory for prices");
    st = read_set(t->control, t->base, &e->prices, err);
    if (st != RS_OK) {
        free(e);
        return st;
    }
    t->mark = mark; /* what was set since then is found with the next look */
    pthread_mutex_lock(&t->lock);
    e->older = t->newest;
    t->newest = e;
    unused = take_out_unused(t);
    pthread_mutex_unlock(&t->lock);
    free_all(unused);
    return RS_OK;
}

rs_status rs_price_table_refresh(rs_price_table *t, rs_err *err) {
    pthread_mutex_lock(&t->making);
    rs_status st = look(t, err);
    pthread_mutex_unlock(&t->making);
    return st;
}

/* Whoever finds that somebody else looks goes on with what there is. */
static void look_if_due(rs_price_table *t) {
    rs_err err = {0};
    uint64_t now = rs_clock_mono_ns();
    pthread_mutex_lock(&t->lock);
    bool due = now - t->looked_ns >= LOOK_NS;
    if (due) t->looked_ns = now;
    pthread_mutex_unlock(&t->lock);
    if (!due || pthread_mutex_trylock(&t->making) != 0) return;
    if (look(t, &err) != RS_OK) rs_log("prices stay as they were: %s", err.message);
    pthread_mutex_unlock(&t->making);
}

const rs_prices *rs_price_table_take(rs_price_table *t) {
    look_if_due(t);
    pthread_mutex_lock(&t->lock);
    t->newest->takers++;
    const rs_prices *prices = t->newest->prices;
    pthread_mutex_unlock(&t->lock);
    return prices;
}

void rs_price_table_give(rs_price_table *t, const rs_prices *prices) {
    pthread_mutex_lock(&t->lock);
    edition *e = t->newest;
    while (e && e->prices != prices) e = e->older;
    if (e) e->takers--;
    edition *unused = take_out_unused(t);
    pthread_mutex_unlock(&t->lock);
    free_all(unused);
}

/* ---- life ---------------------------------------------------------------------------------------------- */

rs_status rs_price_table_open(const char *path, rs_control *control, rs_price_table **out, rs_err *err) {
    *out = NULL;
    rs_price_table *t = calloc(1, sizeof *t);
    edition *e = calloc(1, sizeof *e);
    if (!t || !e) {
        free(t), free(e);
        return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    }
    t->control = control;
    pthread_mutex_init(&t->lock, NULL);
    pthread_mutex_init(&t->making, NULL);
    t->newest = e;
    rs_status st = rs_prices_open(path, &t->base, err);
    if (st == RS_OK) st = rs_control_get_prices_mark(control, &t->mark, err);
    if (st == RS_OK) st = read_set(control, t->base, &e->prices, err);
    if (st == RS_OK) *out = t;
    else rs_price_table_close(t);
    return st;
}

void rs_price_table_close(rs_price_table *t) {
    if (!t) return;
    free_all(t->newest);
    rs_prices_free(t->base);
    pthread_mutex_destroy(&t->lock);
    pthread_mutex_destroy(&t->making);
    free(t);
}
