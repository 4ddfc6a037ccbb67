/* Finding a price, and what a call costs by it. Reading the file is price_file.c. */
#include "normalize/price_file.h"
#include <math.h>
#include <stdlib.h>

/* ---- which provider ------------------------------------------------------------------------------------ */

static bool is_provider(const rs_price_provider *p, rs_str name) {
    for (size_t i = 0; i < p->n; i++)
        if (rs_str_eq_nocase(p->names[i], name)) return true;
    return false;
}

static uint16_t find_provider(const rs_price_list *l, rs_str name) {
    for (size_t i = 1; i < l->nproviders; i++)
        if (is_provider(&l->providers[i], name)) return (uint16_t)i;
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
    return a->input == b->input && output && cached && a->limit == b->limit;
}

static const rs_price *price_of_provider(const rs_price_list *l, uint16_t provider, rs_str name) {
    size_t at = first_behind(l, name);
    const rs_price *price;
    while ((price = next_fit(l, &at, name)))
        if (price->provider == provider || price->provider == RS_PRICE_ANY) break;
    return price;
}

/* Where nobody says who was asked, the prices of all who have such a model must be the same. */
static const rs_price *price_of_all(const rs_price_list *l, rs_str name) {
    size_t at = first_behind(l, name);
    const rs_price *found = NULL, *price;
    while ((price = next_fit(l, &at, name))) {
        if (found && found->provider == price->provider) continue; /* a shorter pattern of the same */
        if (found && !same(found, price)) return NULL;
        found = price;
    }
    return found;
}

/* "openai/gpt-4o" is OpenAI's gpt-4o, unless who was asked has a model of that whole name. */
static const rs_price *find_in(const rs_price_list *l, rs_str provider, rs_str name) {
    const rs_price *price =
        provider.n ? price_of_provider(l, find_provider(l, provider), name) : price_of_all(l, name);
    const char *slash = memchr(name.p, '/', name.n);
    if (price || !slash) return price;
    uint16_t vendor = find_provider(l, (rs_str){name.p, (size_t)(slash - name.p)});
    return vendor == RS_PRICE_NOBODY
               ? NULL
               : price_of_provider(l, vendor, rs_str_from(name, (size_t)(slash - name.p) + 1));
}

static const rs_price *find(const rs_prices *p, rs_str provider, rs_str model) {
    char lower[RS_PRICE_NAME_MAX];
    if (model.n == 0 || model.n > sizeof lower) return NULL;
    for (size_t i = 0; i < model.n; i++)
        lower[i] = (char)(model.p[i] >= 'A' && model.p[i] <= 'Z' ? model.p[i] | 32 : model.p[i]);
    const rs_price *price = find_in(&p->users, provider, (rs_str){lower, model.n});
    return price ? price : find_in(&p->builtin, provider, (rs_str){lower, model.n});
}

/* ---- what it costs ------------------------------------------------------------------------------------- */

static bool is_local_provider(const rs_prices *p, rs_str provider) {
    return provider.n && (is_provider(&p->users.local, provider) || is_provider(&p->builtin.local, provider));
}

static double cost_by(const rs_price *price, const rs_facts *f) {
    double cached = f->cached_tokens > 0 ? (double)f->cached_tokens : 0, prompt = (double)f->prompt_tokens;
    double completion = f->completion_tokens > 0 ? (double)f->completion_tokens : 0;
    if (price->limit && f->prompt_tokens > price->limit) return NAN;
    double output = completion > 0 ? completion * price->output : 0;
    double rate = isnan(price->cached) ? price->input : price->cached;
    return ((prompt - cached) * price->input + cached * rate + output) / 1e6;
}

void rs_prices_apply(const rs_prices *p, rs_facts *f, rs_price_memo *memo) {
    if (!isnan(f->cost) || !rs_log_type_is_model_call(f->log_type)) return;
    if (f->local == RS_LOCAL_PROCESS || is_local_provider(p, f->provider)) {
        f->cost = 0;
        return;
    }
    if (!memo->asked || !rs_str_eq(memo->model, f->model) || !rs_str_eq(memo->provider, f->provider))
        *memo = (rs_price_memo){f->provider, f->model, find(p, f->provider, f->model), true};
    bool counted = f->prompt_tokens >= 0 && f->usage_source != RS_USAGE_ESTIMATED;
    if (!memo->price && f->local == RS_LOCAL_SERVER) f->cost = 0;
    else if (memo->price && counted) f->cost = cost_by(memo->price, f);
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

void rs_prices_free(rs_prices *p) {
    if (!p) return;
    rs_price_list_deinit(&p->users);
    rs_price_list_deinit(&p->builtin);
    free(p);
}
