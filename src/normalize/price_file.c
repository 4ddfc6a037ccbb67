#include "normalize/price_file.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

extern const unsigned char rs_builtin_prices[]; /* prices.txt, embedded by the build */
extern const size_t rs_builtin_prices_size;

/* One line that is being read. */
typedef struct line {
    rs_str rest;
    const char *file;
    unsigned number;
    rs_price_list *list;
    uint16_t provider;
    rs_err *err;
} line;

static rs_str next_word(line *l) {
    const char *p = l->rest.p, *end = p + l->rest.n, *from;
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\r')) p++;
    for (from = p; p < end && *p != ' ' && *p != '\t' && *p != '\r';) p++;
    l->rest = (rs_str){p, (size_t)(end - p)};
    return (rs_str){from, (size_t)(p - from)};
}

#define WORD(s) (int)((s).n < 60 ? (s).n : 60), (s).n ? (s).p : ""

static rs_status fail(const line *l, const char *what, rs_str word) {
    return rs_fail(l->err, RS_ERR_INVALID, 0, "%s:%u: %s '%.*s'", l->file, l->number, what, WORD(word));
}

static rs_status no_memory(const line *l) { return rs_fail(l->err, RS_ERR_MEMORY, 0, "out of memory"); }

static rs_status add_names(line *l, rs_price_provider *to, rs_str first) {
    rs_arena *arena = &l->list->arena;
    for (rs_str word = first; word.n; word = next_word(l)) {
        if (!rs_arena_grow(arena, (void **)&to->names, to->n, &to->cap, sizeof *to->names) ||
            !(to->names[to->n] = rs_arena_copy(arena, word)).p)
            return no_memory(l);
        to->n++;
    }
    return RS_OK;
}

static rs_status read_provider(line *l) {
    rs_price_list *list = l->list;
    rs_str name = next_word(l);
    if (!name.n) return fail(l, "a provider's name is missing behind", RS_STR("provider"));
    if (rs_str_eq(name, RS_STR("*"))) return l->provider = RS_PRICE_ANY, RS_OK;
    if (list->nproviders == RS_PRICE_PROVIDERS_MAX)
        return fail(l, "there are more than 1000 providers at", name);
    if (!rs_arena_grow(&list->arena, (void **)&list->providers, list->nproviders, &list->providers_cap,
                       sizeof *list->providers))
        return no_memory(l);
    rs_price_provider *p = &list->providers[list->nproviders];
    *p = (rs_price_provider){0};
    l->provider = (uint16_t)list->nproviders++;
    return add_names(l, p, name);
}

static bool parse_price(rs_str word, double *out) {
    if (rs_str_eq(word, RS_STR("-"))) return *out = NAN, true;
    return rs_str_to_double(word, out) && isfinite(*out) && *out >= 0 && *out < 1e9;
}

static rs_status read_price(line *l) {
    rs_price_list *list = l->list;
    rs_price price = {.provider = l->provider, .line = l->number, .output = NAN, .cached = NAN};
    rs_str pattern = next_word(l), input = next_word(l), output = next_word(l), cached = next_word(l),
           limit = next_word(l);
    unsigned long long most = 0;
    if (!pattern.n) return fail(l, "a model's name is missing behind", RS_STR("price"));
    if (pattern.n > RS_PRICE_NAME_MAX) return fail(l, "a model's name has more than 160 bytes:", pattern);
    if (!parse_price(input, &price.input) || isnan(price.input))
        return fail(l, "the price of input tokens is no number of dollars for a million tokens:", input);
    if (output.n && !parse_price(output, &price.output))
        return fail(
            l, "the price of output tokens is no number of dollars for a million tokens, nor '-':", output);
    if (cached.n && !parse_price(cached, &price.cached))
        return fail(
            l, "the price of cached tokens is no number of dollars for a million tokens, nor '-':", cached);
    if (limit.n && (!rs_str_to_u64(limit, &most) || most == 0 || most > INT64_MAX))
        return fail(l, "the most prompt tokens that a price holds for is no number:", limit);
    price.limit = (int64_t)most;
    price.prefix = pattern.p[pattern.n - 1] == '*';
    pattern.n -= price.prefix;
    if (memchr(pattern.p, '*', pattern.n)) return fail(l, "'*' stands at a name's end only:", pattern);
    char lower[RS_PRICE_NAME_MAX];
    for (size_t i = 0; i < pattern.n; i++)
        lower[i] = (char)(pattern.p[i] >= 'A' && pattern.p[i] <= 'Z' ? pattern.p[i] | 32 : pattern.p[i]);
    price.pattern = rs_arena_copy(&list->arena, (rs_str){lower, pattern.n});
    if (!price.pattern.p ||
        !rs_arena_grow(&list->arena, (void **)&list->items, list->n, &list->cap, sizeof price))
        return no_memory(l);
    list->items[list->n++] = price;
    return RS_OK;
}

static rs_status read_line(line *l) {
    const char *comment = l->rest.n ? memchr(l->rest.p, '#', l->rest.n) : NULL;
    if (comment) l->rest.n = (size_t)(comment - l->rest.p);
    rs_str word = next_word(l);
    rs_status st = RS_OK;
    if (!word.n) return RS_OK;
    if (rs_str_eq(word, RS_STR("price"))) st = read_price(l);
    else if (rs_str_eq(word, RS_STR("provider"))) st = read_provider(l);
    else if (rs_str_eq(word, RS_STR("local"))) st = add_names(l, &l->list->local, next_word(l));
    else if (rs_str_eq(word, RS_STR("date")))
        (void)next_word(l); /* says how old the prices are, to who reads the file */
    else return fail(l, "a line begins with 'provider', 'price', 'local' or 'date', not with", word);
    word = next_word(l);
    return st == RS_OK && word.n ? fail(l, "nothing is expected at", word) : st;
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

rs_status rs_price_file_read(rs_str text, const char *name, rs_price_list *out, rs_err *err) {
    *out = (rs_price_list){0};
    rs_arena_init(&out->arena, 0);
    line l = {.file = name, .list = out, .provider = RS_PRICE_ANY, .err = err};
    if (!rs_arena_grow(&out->arena, (void **)&out->providers, 0, &out->providers_cap, sizeof *out->providers))
        return no_memory(&l);
    out->providers[0] = (rs_price_provider){0};
    out->nproviders = 1;
    rs_status st = RS_OK;
    while (st == RS_OK && text.n) {
        const char *end = memchr(text.p, '\n', text.n);
        size_t n = end ? (size_t)(end - text.p) : text.n;
        l.rest = (rs_str){text.p, n};
        l.number++;
        st = read_line(&l);
        text = rs_str_from(text, end ? n + 1 : n);
    }
    if (st == RS_OK && out->n) qsort(out->items, out->n, sizeof *out->items, by_pattern);
    return st;
}

rs_status rs_price_file_builtin(rs_price_list *out, rs_err *err) {
    return rs_price_file_read((rs_str){(const char *)rs_builtin_prices, rs_builtin_prices_size}, "prices.txt",
                              out, err);
}

rs_status rs_price_file_load(const char *path, rs_buf *out, rs_err *err) {
    FILE *f = fopen(path, "rb");
    if (!f) return rs_fail(err, RS_ERR_IO, 0, "cannot read the prices in %s: %s", path, strerror(errno));
    for (char *at; out->n <= RS_PRICE_FILE_MAX && (at = rs_buf_reserve(out, 1 << 16));) {
        size_t got = fread(at, 1, 1 << 16, f);
        out->n += got;
        if (got == 0) break;
    }
    int failed = ferror(f) ? errno : 0;
    fclose(f);
    if (failed) return rs_fail(err, RS_ERR_IO, 0, "cannot read the prices in %s: %s", path, strerror(failed));
    if (out->n > RS_PRICE_FILE_MAX)
        return rs_fail(err, RS_ERR_TOO_LARGE, 0, "the prices in %s have more than 4 MiB", path);
    return rs_buf_status(out);
}

void rs_price_list_deinit(rs_price_list *l) { rs_arena_deinit(&l->arena); }
