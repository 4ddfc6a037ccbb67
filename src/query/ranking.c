#include "query/ranking.h"

#include <stdlib.h>

/* ---- orders -------------------------------------------------------------------------------------------- */

static double median_of(const rs_histogram *h) {
    return rs_histogram_count(h) > 0 ? (double)rs_histogram_quantile(h, 0.5) : -1;
}

static double count_of(const rs_cell *c) { return (double)c->sums.n; }
static double errors_of(const rs_cell *c) { return (double)c->sums.errors; }
static double calls_of(const rs_cell *c) { return (double)c->sums.calls; }
static double prompt_of(const rs_cell *c) { return (double)c->sums.prompt_tokens; }
static double completion_of(const rs_cell *c) { return (double)c->sums.completion_tokens; }
static double tokens_of(const rs_cell *c) { return prompt_of(c) + completion_of(c); }
static double cost_of(const rs_cell *c) { return c->sums.cost; }
static double latency_of(const rs_cell *c) { return median_of(&c->sums.latency); }
static double ttft_of(const rs_cell *c) { return median_of(&c->sums.ttft); }
static double speed_of(const rs_cell *c) { return median_of(&c->sums.speed); }
static double first_of(const rs_cell *c) { return (double)c->first_ns; }
static double last_of(const rs_cell *c) { return (double)c->last_ns; }

static const struct {
    const char *name;
    double (*of)(const rs_cell *c); /* NULL: by the groups' values */
} orders[] = {
    {"count", count_of},
    {"error_count", errors_of},
    {"llm_call_count", calls_of},
    {"prompt_tokens", prompt_of},
    {"completion_tokens", completion_of},
    {"total_tokens", tokens_of},
    {"cost", cost_of},
    {"latency", latency_of},
    {"time_to_first_token", ttft_of},
    {"tokens_per_second", speed_of},
    {"first_time", first_of},
    {"last_time", last_of},
    {"value", NULL},
};

bool rs_ranking_order_find(rs_str text, rs_ranking_order *out) {
    bool descending = text.n > 0 && text.p[0] == '-';
    rs_str wanted = descending ? rs_str_from(text, 1) : text;
    for (unsigned i = 0; i < RS_ARRAY_LEN(orders); i++)
        if (rs_str_eq(wanted, rs_str_of(orders[i].name)))
            return *out = (rs_ranking_order){.by = i, .ascending = !descending}, true;
    return false;
}

typedef struct ordering {
    const rs_cells *cells;
    rs_ranking_order order;
} ordering;

static int compare_values(const rs_group *a, const rs_group *b) {
    size_t n = a->value.n < b->value.n ? a->value.n : b->value.n;
    int order = n ? memcmp(a->value.p, b->value.p, n) : 0;
    return order ? order : (a->value.n > b->value.n) - (a->value.n < b->value.n);
}

static int compare(const void *a, const void *b, void *ctx) {
    const ordering *o = ctx;
    const rs_ranked *x = a, *y = b;
    int order = orders[o->order.by].of
                    ? (x->key > y->key) - (x->key < y->key)
                    : compare_values(&o->cells->groups[x->group], &o->cells->groups[y->group]);
    if (order == 0) return x->group < y->group ? -1 : 1;
    return o->order.ascending ? order : -order;
}

/* ---- groups -------------------------------------------------------------------------------------------- */

/* All of each group, by its number. The histograms of a group that has one cell are the cell's: of many groups a second copy is dear. */
static rs_status gather(rs_ranking *r, unsigned field, rs_cell *of_group, rs_arena *arena) {
    const rs_cells *cells = r->cells;
    uint32_t *ncells = rs_arena_zalloc(arena, cells->ngroups, sizeof *ncells);
    rs_status st = ncells ? RS_OK : RS_ERR_MEMORY;
    for (size_t i = 0; i < cells->n && st == RS_OK; i++) ncells[cells->items[i].group]++;
    for (size_t i = 0; i < cells->n && st == RS_OK; i++) {
        const rs_cell *c = &cells->items[i];
        if (cells->groups[c->group].field != field) continue;
        st = rs_cell_merge(&r->all, c, 1, arena);
        if (ncells[c->group] == 1) of_group[c->group] = *c;
        else if (st == RS_OK) st = rs_cell_merge(&of_group[c->group], c, 1, arena);
    }
    return st;
}

rs_status rs_ranking_make(const rs_cells *cells, unsigned field, rs_ranking_order order, uint32_t skip,
                          uint32_t limit, rs_arena *arena, rs_ranking *out) {
    rs_cell *of_group = rs_arena_zalloc(arena, cells->ngroups, sizeof *of_group), others = {0};
    ordering o = {cells, order};
    size_t n = 0, kept = 0;
    *out =
        (rs_ranking){.cells = cells, .items = rs_arena_zalloc(arena, cells->ngroups + 1, sizeof *out->items)};
    if (!of_group || !out->items) return RS_ERR_MEMORY;
    rs_status st = gather(out, field, of_group, arena);
    for (size_t g = 0; g < cells->ngroups && st == RS_OK; g++) {
        if (cells->groups[g].field != field) continue;
        if (of_group[g].sums.n == 0) continue; /* all that was in it was taken out */
        if (cells->groups[g].is_others) {
            st = rs_cell_merge(&others, &of_group[g], 1, arena);
            continue;
        }
        double key = orders[order.by].of ? orders[order.by].of(&of_group[g]) : 0;
        out->items[n++] = (rs_ranked){.group = (uint32_t)g, .key = key, .cell = of_group[g]};
    }
    out->distinct = (uint32_t)n;
    if (n > 1) qsort_r(out->items, n, sizeof *out->items, compare, &o);
    for (size_t i = skip; i < n && st == RS_OK; i++) {
        if (kept < limit) out->items[kept++] = out->items[i];
        else st = rs_cell_merge(&others, &out->items[i].cell, 1, arena);
    }
    if (others.sums.n > 0) out->items[kept++] = (rs_ranked){.group = RS_RANKING_OTHERS, .cell = others};
    out->n = kept;
    return st;
}
