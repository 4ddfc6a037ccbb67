#include "normalize/price_list.h"
#include <math.h>
#include <stdlib.h>

/* ---- making it ----------------------------------------------------------------------------------------- */

bool rs_price_list_init(rs_price_list *l) {
    *l = (rs_price_list){0};
    rs_arena_init(&l->arena, 0);
    return rs_price_list_add_provider(l) == RS_PRICE_ANY;
}

void rs_price_list_deinit(rs_price_list *l) { rs_arena_deinit(&l->arena); }

uint16_t rs_price_list_add_provider(rs_price_list *l) {
    if (l->nproviders == RS_PRICE_PROVIDERS_MAX ||
        !rs_arena_grow(&l->arena, (void **)&l->providers, l->nproviders, &l->providers_cap,
                       sizeof *l->providers))
        return RS_PRICE_NOBODY;
    l->providers[l->nproviders] = (rs_price_provider){0};
    return (uint16_t)l->nproviders++;
}

bool rs_price_list_add_name(rs_price_list *l, rs_price_provider *to, rs_str name) {
    if (!rs_arena_grow(&l->arena, (void **)&to->names, to->n, &to->cap, sizeof *to->names)) return false;
    to->names[to->n] = rs_arena_copy(&l->arena, name);
    return to->names[to->n++].p != NULL;
}

bool rs_price_list_add(rs_price_list *l, rs_str model, rs_price price) {
    char lower[RS_PRICE_NAME_MAX];
    price.prefix = model.n > 0 && model.p[model.n - 1] == '*';
    model.n -= price.prefix;
    for (size_t i = 0; i < model.n; i++)
        lower[i] = (char)(model.p[i] >= 'A' && model.p[i] <= 'Z' ? model.p[i] | 32 : model.p[i]);
    price.pattern = rs_arena_copy(&l->arena, (rs_str){lower, model.n});
    if (!price.pattern.p || !rs_arena_grow(&l->arena, (void **)&l->items, l->n, &l->cap, sizeof price))
        return false;
    l->items[l->n++] = price;
    return true;
}

/* By pattern; of equal ones the exact one last, and the later line, since the search goes backwards. */
static int by_pattern(const void *pa, const void *pb) {
    const rs_price *a = pa, *b = pb;
    size_t n = a->pattern.n < b->pattern.n ? a->pattern.n : b->pattern.n;
    int order = memcmp(a->pattern.p, b->pattern.p, n);
    if (order) return order;
    if (a->pattern.n != b->pattern.n) return a->pattern.n < b->pattern.n ? -1 : 1;
    if (a->prefix != b->prefix) return a->prefix ? -1 : 1;
    return (a->line > b->line) - (a->line < b->line);
}

void rs_price_list_sort(rs_price_list *l) {
    if (l->n) qsort(l->items, l->n, sizeof *l->items, by_pattern);
}

/* ---- which provider ------------------------------------------------------------------------------------ */

bool rs_price_provider_is(const rs_price_provider *p, rs_str name) {
    for (size_t i = 0; i < p->n; i++)
        if (rs_str_eq_nocase(p->names[i], name)) return true;
    return false;
}

uint16_t rs_price_list_find_provider(const rs_price_list *l, rs_str name) {
    for (size_t i = 1; i < l->nproviders; i++)
        if (rs_price_provider_is(&l->providers[i], name)) return (uint16_t)i;
    return RS_PRICE_NOBODY;
}

/* ---- which price --------------------------------------------------------------------------------------- */

static int compare(rs_str a, rs_str b) {
    int order = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);
    return order ? order : (a.n > b.n) - (a.n < b.n);
}

/* What a name is or begins with stands before it, the longest last. */
static size_t first_behind(const rs_price_list *l, rs_str name) {
    size_t lo = 0, hi = l->n;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (compare(l->items[mid].pattern, name) <= 0) lo = mid + 1;
        else hi = mid;
    }
    return lo;
}

static size_t alike(rs_str a, rs_str b) {
    size_t n = a.n < b.n ? a.n : b.n, i = 0;
    while (i < n && a.p[i] == b.p[i]) i++;
    return i;
}

/* The next price, going backwards, whose pattern fits the name; NULL if there is none. What cannot be a beginning of it is leapt over. */
static const rs_price *next_fit(const rs_price_list *l, size_t *at, rs_str name) {
    while (*at > 0) {
        const rs_price *price = &l->items[*at - 1];
        size_t n = alike(price->pattern, name);
        if (n < price->pattern.n) {
            *at = first_behind(l, (rs_str){name.p, n});
            continue;
        }
        --*at;
        if (price->prefix || n == name.n) return price;
    }
    return NULL;
}

static bool same(const rs_price *a, const rs_price *b) {
    bool cached = a->cached == b->cached || (isnan(a->cached) && isnan(b->cached));
    bool output = a->output == b->output || (isnan(a->output) && isnan(b->output));
    bool reasoning = a->reasoning == b->reasoning || (isnan(a->reasoning) && isnan(b->reasoning));
    return a->input == b->input && output && cached && reasoning && a->limit == b->limit;
}

static const rs_price *price_of_provider(const rs_price_list *l, uint16_t provider, rs_str name) {
    size_t at = first_behind(l, name);
    const rs_price *price;
    while ((price = next_fit(l, &at, name)))
        if (price->provider == provider || price->provider == RS_PRICE_ANY) break;
    return price;
}

/* Where nobody says who was asked, the prices of all who have such a model must be the same, or one be said to hold for all. */
static const rs_price *price_of_all(const rs_price_list *l, rs_str name) {
    size_t at = first_behind(l, name);
    const rs_price *found = NULL, *price;
    while ((price = next_fit(l, &at, name))) {
        if (found && found->provider == price->provider) continue; /* a shorter pattern of the same */
        if (found && !same(found, price)) return price_of_provider(l, RS_PRICE_ANY, name);
        found = price;
    }
    return found;
}

/* "openai/gpt-4o" is OpenAI's gpt-4o, unless who was asked has a model of that whole name. */
const rs_price *rs_price_list_find(const rs_price_list *l, rs_str provider, rs_str name) {
    const rs_price *price = provider.n ? price_of_provider(l, rs_price_list_find_provider(l, provider), name)
                                       : price_of_all(l, name);
    const char *slash = memchr(name.p, '/', name.n);
    if (price || !slash) return price;
    uint16_t vendor = rs_price_list_find_provider(l, (rs_str){name.p, (size_t)(slash - name.p)});
    return vendor == RS_PRICE_NOBODY
               ? NULL
               : price_of_provider(l, vendor, rs_str_from(name, (size_t)(slash - name.p) + 1));
}
