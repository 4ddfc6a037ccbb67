/* What a call costs, by the first list that has a price for it. Lists are price_list.c, reading the file is price_file.c. */
#include "normalize/price_file.h"
#include <math.h>
#include <stdlib.h>

/* ---- which price --------------------------------------------------------------------------------------- */

static bool is_local_provider(const rs_prices *p, rs_str provider) {
    const rs_prices *base = rs_prices_base(p);
    return provider.n && (rs_price_provider_is(&base->users.local, provider) ||
                          rs_price_provider_is(&base->builtin.local, provider));
}

/* The lists in their order. */
static const rs_price_list *list_at(const rs_prices *p, rs_price_origin origin) {
    if (origin == RS_PRICE_OWN) return &p->own;
    return origin == RS_PRICE_FILE ? &rs_prices_base(p)->users : &rs_prices_base(p)->builtin;
}

static const rs_price *find(const rs_prices *p, rs_str provider, rs_str model, rs_price_origin *origin) {
    char lower[RS_PRICE_NAME_MAX];
    if (model.n == 0 || model.n > sizeof lower) return NULL;
    for (size_t i = 0; i < model.n; i++)
        lower[i] = (char)(model.p[i] >= 'A' && model.p[i] <= 'Z' ? model.p[i] | 32 : model.p[i]);
    for (*origin = RS_PRICE_OWN; *origin <= RS_PRICE_BUILTIN; ++*origin) {
        const rs_price *price = rs_price_list_find(list_at(p, *origin), provider, (rs_str){lower, model.n});
        if (price) return price;
    }
    return NULL;
}

/* ---- by tokens ----------------------------------------------------------------------------------------- */

static double cost_by(const rs_price *price, const rs_facts *f) {
    double cached = f->cached_tokens > 0 ? (double)f->cached_tokens : 0, prompt = (double)f->prompt_tokens;
    double completion = f->completion_tokens > 0 ? (double)f->completion_tokens : 0;
    double reasoning = f->reasoning_tokens > 0 ? (double)f->reasoning_tokens : 0;
    if (price->limit && f->prompt_tokens > price->limit) return NAN;
    if (isnan(price->reasoning) || reasoning > completion) reasoning = 0;
    double output = completion > reasoning ? (completion - reasoning) * price->output : 0;
    if (reasoning > 0) output += reasoning * price->reasoning;
    double rate = isnan(price->cached) ? price->input : price->cached;
    return ((prompt - cached) * price->input + cached * rate + output) / 1e6;
}

/* ---- by time ------------------------------------------------------------------------------------------- */

static double price_of_device(const rs_prices *p, rs_str device) {
    const char *colon = memchr(device.p, ':', device.n);
    const rs_str names[] = {device, {device.p, colon ? (size_t)(colon - device.p) : 0}, RS_STR("*")};
    for (size_t i = 0; i < RS_ARRAY_LEN(names); i++)
        for (size_t t = 0; names[i].n && t < p->ntimes; t++)
            if (rs_str_eq_nocase(p->times[t].device, names[i])) return p->times[t].dollars;
    return NAN;
}

/* The next of "cpu, cuda:0, cuda:1"; empty at the end. */
static rs_str next_device(rs_str *rest) {
    rs_str part = {0};
    while (rest->n && !part.n) {
        const char *comma = memchr(rest->p, ',', rest->n);
        part = (rs_str){rest->p, comma ? (size_t)(comma - rest->p) : rest->n};
        *rest = rs_str_from(*rest, part.n + (comma != NULL));
        while (part.n && part.p[0] == ' ') part = rs_str_from(part, 1);
    }
    return part;
}

static bool computes(rs_str device) {
    return !rs_str_eq(device, RS_STR("cpu")) && !rs_str_eq(device, RS_STR("disk")) &&
           !rs_str_eq(device, RS_STR("meta"));
}

/* A model that lies on several devices keeps each of them; what of it lies in the memory of the machine beside them is theirs. */
static double price_of_devices(const rs_prices *p, rs_str devices) {
    double sum = NAN;
    bool any = false;
    rs_str rest = devices;
    for (rs_str d; (d = next_device(&rest)).n;) any = any || computes(d);
    rest = devices;
    for (rs_str d; (d = next_device(&rest)).n;) {
        if (any && !computes(d)) continue;
        double price = price_of_device(p, d);
        if (!isnan(price)) sum = isnan(sum) ? price : sum + price;
    }
    return sum;
}

static void apply_time(const rs_prices *p, rs_span *span) {
    rs_facts *f = &span->facts;
    double hour = NAN;
    f->cost = 0;
    f->cost_source = RS_COST_LOCAL;
    if (p->ntimes == 0) return;
    const rs_attr *device = rs_attrs_find(&f->model_facts, RS_STR("device"));
    if (f->local == RS_LOCAL_PROCESS && device && device->value.type == RS_VALUE_STRING)
        hour = price_of_devices(p, device->value.s);
    else hour = price_of_device(p, f->local == RS_LOCAL_PROCESS ? RS_STR("*") : RS_STR("server"));
    if (isnan(hour)) return;
    double seconds = (double)rs_lasted_ns(span->start_ns, span->end_ns) / 1e9;
    double cost = seconds * hour / 3600;
    if (cost > RS_SUMMED_MOST) return; /* a clock that was not set */
    f->cost_source = RS_COST_TIME;
    if (!f->is_nested) f->cost = cost;
    else f->cost_source = RS_COST_OUTER;
}

/* ---- by whichever it is -------------------------------------------------------------------------------- */

void rs_prices_apply(const rs_prices *p, rs_span *span, rs_price_memo *memo) {
    rs_facts *f = &span->facts;
    /* A model that runs here works as long whatever its task is: a pipeline's that labels or draws is `custom`. */
    bool is_call = rs_log_type_is_model_call(f->log_type) ||
                   (f->log_type == RS_LOG_CUSTOM && f->local == RS_LOCAL_PROCESS);
    if (!isnan(f->cost) || !is_call) return;
    if (f->local == RS_LOCAL_PROCESS) {
        apply_time(p, span);
        return;
    }
    if (!memo->asked || !rs_str_eq(memo->model, f->model) || !rs_str_eq(memo->provider, f->provider)) {
        rs_price_origin origin;
        *memo = (rs_price_memo){f->provider, f->model, find(p, f->provider, f->model, &origin), true, false};
        memo->is_own = memo->price && origin == RS_PRICE_OWN && memo->price->provider != RS_PRICE_ANY;
    }
    bool counted = f->prompt_tokens >= 0 && f->usage_source != RS_USAGE_ESTIMATED;
    /* A local provider's models cost tokens only where the owner says so of that very provider. */
    bool is_local = memo->price ? !memo->is_own && is_local_provider(p, f->provider)
                                : f->local == RS_LOCAL_SERVER || is_local_provider(p, f->provider);
    if (is_local) apply_time(p, span);
    else if (memo->price && counted) f->cost = cost_by(memo->price, f);
    if (!is_local && !isnan(f->cost)) f->cost_source = RS_COST_TOKENS;
}

/* ---- time that two calls share ------------------------------------------------------------------------- */

/* Spans by their ids, in an open table. */
static size_t slot_of(const rs_span *const *table, size_t mask, const uint8_t trace[16],
                      const uint8_t id[8]) {
    uint64_t h;
    memcpy(&h, id, sizeof h);
    size_t at = (size_t)(h * 0x9e3779b97f4a7c15ull >> 20) & mask;
    while (table[at] &&
           (memcmp(table[at]->span_id, id, 8) != 0 || memcmp(table[at]->trace_id, trace, 16) != 0))
        at = (at + 1) & mask;
    return at;
}

/* Whether a call above it, among those that came with it, pays for its time. Levels are few; a ring of parents ends it. */
static bool is_in_another(const rs_span *const *table, size_t mask, const rs_span *span) {
    enum { LEVELS = 64 };
    const rs_span *at = span;
    for (int level = 0; level < LEVELS && at && at->has_parent; level++) {
        at = table[slot_of(table, mask, at->trace_id, at->parent_id)];
        if (at == span) return false;
        if (at && at->facts.cost_source == RS_COST_TIME) return true;
    }
    return false;
}

rs_status rs_prices_count_time_once(rs_spans *spans, rs_arena *arena) {
    size_t timed = 0, mask = 15;
    for (size_t i = 0; i < spans->n; i++) timed += spans->items[i].facts.cost_source == RS_COST_TIME;
    if (timed < 2) return RS_OK;
    while (mask < spans->n * 2) mask = mask * 2 + 1;
    const rs_span **table = rs_arena_zalloc(arena, mask + 1, sizeof *table);
    if (!table) return RS_ERR_MEMORY;
    for (size_t i = 0; i < spans->n; i++) {
        const rs_span *s = &spans->items[i];
        table[slot_of(table, mask, s->trace_id, s->span_id)] = s;
    }
    for (size_t i = 0; i < spans->n; i++) {
        rs_span *s = &spans->items[i];
        if (s->facts.cost_source == RS_COST_TIME && is_in_another(table, mask, s)) s->facts.is_nested = true;
    }
    for (size_t i = 0; i < spans->n; i++) {
        rs_facts *f = &spans->items[i].facts;
        if (f->cost_source == RS_COST_TIME && f->is_nested) f->cost = 0, f->cost_source = RS_COST_OUTER;
    }
    return RS_OK;
}

/* ---- showing them -------------------------------------------------------------------------------------- */

static rs_price_row row_of(const rs_prices *p, const rs_price *price, rs_price_origin origin) {
    const rs_price_provider *provider = &list_at(p, origin)->providers[price->provider];
    return (rs_price_row){.origin = origin,
                          .price = {.id = price->id,
                                    .model = price->pattern,
                                    .provider = provider->n ? provider->names[0] : (rs_str){0},
                                    .input = price->input,
                                    .output = price->output,
                                    .cached = price->cached,
                                    .reasoning = price->reasoning,
                                    .limit = price->limit},
                          .is_beginning = price->prefix,
                          .providers = provider->names,
                          .nproviders = provider->n,
                          .in_force = true};
}

/* Asked as a model that only this pattern has: what begins so goes on with something that nothing else has. */
static bool is_in_force(const rs_prices *p, const rs_price *price, const rs_price_row *row) {
    char name[RS_PRICE_NAME_MAX];
    size_t n = price->pattern.n;
    rs_price_origin origin;
    if (n) memcpy(name, price->pattern.p, n);
    if (price->prefix && n < sizeof name) name[n++] = 1;
    if (n == 0) return true;
    return find(p, row->price.provider, (rs_str){name, n}, &origin) == price;
}

void rs_prices_each(const rs_prices *p, rs_price_row_fn fn, void *ctx) {
    for (rs_price_origin origin = RS_PRICE_OWN; origin <= RS_PRICE_BUILTIN; origin++) {
        const rs_price_list *l = list_at(p, origin);
        for (size_t i = 0; i < l->n; i++) {
            rs_price_row row = row_of(p, &l->items[i], origin);
            row.in_force = is_in_force(p, &l->items[i], &row);
            if (!fn(ctx, &row)) return;
        }
    }
}

bool rs_prices_find(const rs_prices *p, rs_str provider, rs_str model, rs_price_row *out) {
    rs_price_origin origin;
    const rs_price *price = find(p, provider, model, &origin);
    if (price) *out = row_of(p, price, origin);
    return price != NULL;
}

/* ---- life ---------------------------------------------------------------------------------------------- */

rs_status rs_prices_parse(rs_str text, const char *name, rs_prices **out, rs_err *err) {
    rs_prices *p = *out = calloc(1, sizeof *p);
    if (!p) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    rs_status st = rs_price_file_read(text, name, &p->users, err);
    if (st == RS_OK) st = rs_price_file_builtin(&p->builtin, err);
    if (st != RS_OK) rs_prices_free(p), *out = NULL;
    return st;
}

rs_status rs_prices_open(const char *path, rs_prices **out, rs_err *err) {
    *out = NULL;
    if (!path) return rs_prices_parse((rs_str){0}, "", out, err);
    rs_buf text;
    rs_buf_init(&text);
    rs_status st = rs_price_file_load(path, &text, err);
    if (st == RS_OK) st = rs_prices_parse(rs_buf_slice(&text), path, out, err);
    rs_buf_deinit(&text);
    return st;
}

/* The number in the list of own prices of a provider, by all names that the other lists know for it. */
static uint16_t own_provider(rs_prices *p, rs_str name) {
    rs_price_list *own = &p->own;
    uint16_t known = name.n ? rs_price_list_find_provider(own, name) : RS_PRICE_ANY;
    if (known != RS_PRICE_NOBODY) return known;
    uint16_t provider = rs_price_list_add_provider(own);
    if (provider == RS_PRICE_NOBODY) return provider;
    bool ok = rs_price_list_add_name(own, &own->providers[provider], name);
    for (rs_price_origin origin = RS_PRICE_FILE; origin <= RS_PRICE_BUILTIN && ok; origin++) {
        const rs_price_list *l = list_at(p, origin);
        uint16_t other = rs_price_list_find_provider(l, name);
        for (size_t i = 0; ok && other != RS_PRICE_NOBODY && i < l->providers[other].n; i++)
            if (!rs_price_provider_is(&own->providers[provider], l->providers[other].names[i]))
                ok = rs_price_list_add_name(own, &own->providers[provider], l->providers[other].names[i]);
    }
    return ok ? provider : RS_PRICE_NOBODY;
}

static bool add_own(rs_prices *p, const rs_own_price *own, size_t n) {
    for (size_t i = 0; i < n; i++) {
        uint16_t provider = own_provider(p, own[i].provider);
        rs_price price = {.input = own[i].input,
                          .output = own[i].output,
                          .cached = own[i].cached,
                          .reasoning = own[i].reasoning,
                          .limit = own[i].limit,
                          .id = own[i].id,
                          .line = (uint32_t)i,
                          .provider = provider};
        if (provider == RS_PRICE_NOBODY || !rs_price_list_add(&p->own, own[i].model, price)) return false;
    }
    rs_price_list_sort(&p->own);
    return true;
}

static bool add_times(rs_prices *p, const rs_time_price *times, size_t n) {
    p->times = rs_arena_zalloc(&p->own.arena, n, sizeof *p->times);
    for (p->ntimes = 0; p->times && p->ntimes < n; p->ntimes++) {
        rs_time_price *t = &p->times[p->ntimes];
        *t = times[p->ntimes];
        t->device = rs_arena_copy(&p->own.arena, t->device);
        if (!t->device.p) return false;
    }
    return p->times != NULL;
}

rs_status rs_prices_with(const rs_prices *base, const rs_own_price *own, size_t n, const rs_time_price *times,
                         size_t ntimes, rs_prices **out, rs_err *err) {
    rs_prices *p = *out = calloc(1, sizeof *p);
    if (!p) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    p->base = base;
    if (rs_price_list_init(&p->own) && add_own(p, own, n) && add_times(p, times, ntimes)) return RS_OK;
    rs_prices_free(p);
    *out = NULL;
    return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory for the prices that were set");
}

void rs_prices_free(rs_prices *p) {
    if (!p) return;
    rs_price_list_deinit(&p->own);
    rs_price_list_deinit(&p->users);
    rs_price_list_deinit(&p->builtin);
    free(p);
}
