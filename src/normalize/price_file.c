#include "normalize/price_file.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>

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
    for (rs_str word = first; word.n; word = next_word(l))
        if (!rs_price_list_add_name(l->list, to, word)) return no_memory(l);
    return RS_OK;
}

static rs_status read_provider(line *l) {
    rs_price_list *list = l->list;
    rs_str name = next_word(l);
    if (!name.n) return fail(l, "a provider's name is missing behind", RS_STR("provider"));
    if (rs_str_eq(name, RS_STR("*"))) return l->provider = RS_PRICE_ANY, RS_OK;
    if (list->nproviders == RS_PRICE_PROVIDERS_MAX)
        return fail(l, "there are more than 1000 providers at", name);
    l->provider = rs_price_list_add_provider(list);
    return l->provider == RS_PRICE_NOBODY ? no_memory(l) : add_names(l, &list->providers[l->provider], name);
}

static bool parse_price(rs_str word, double *out) {
    if (rs_str_eq(word, RS_STR("-"))) return *out = NAN, true;
    return rs_str_to_double(word, out) && isfinite(*out) && *out >= 0 && *out < 1e9;
}

static rs_status read_price(line *l) {
    rs_price price = {
        .provider = l->provider, .line = l->number, .output = NAN, .cached = NAN, .reasoning = NAN};
    rs_str pattern = next_word(l), input = next_word(l);
    const struct {
        rs_str word;
        double *to;
        const char *wrong;
    } others[] = {
        {next_word(l), &price.output,
         "the price of output tokens is no number of dollars for a million tokens, nor '-':"},
        {next_word(l), &price.cached,
         "the price of cached tokens is no number of dollars for a million tokens, nor '-':"},
    };
    rs_str limit = next_word(l), reasoning = next_word(l);
    unsigned long long most = 0;
    if (!pattern.n) return fail(l, "a model's name is missing behind", RS_STR("price"));
    if (pattern.n > RS_PRICE_NAME_MAX) return fail(l, "a model's name has more than 160 bytes:", pattern);
    if (!parse_price(input, &price.input) || isnan(price.input))
        return fail(l, "the price of input tokens is no number of dollars for a million tokens:", input);
    for (size_t i = 0; i < RS_ARRAY_LEN(others); i++)
        if (others[i].word.n && !parse_price(others[i].word, others[i].to))
            return fail(l, others[i].wrong, others[i].word);
    if (limit.n && !rs_str_eq(limit, RS_STR("-")) &&
        (!rs_str_to_u64(limit, &most) || most == 0 || most > INT64_MAX))
        return fail(l, "the most prompt tokens that a price holds for is no number:", limit);
    if (reasoning.n && !parse_price(reasoning, &price.reasoning))
        return fail(l, "the price of reasoning tokens is no number of dollars for a million tokens, nor '-':",
                    reasoning);
    price.limit = (int64_t)most;
    if (memchr(pattern.p, '*', pattern.n - 1)) return fail(l, "'*' stands at a name's end only:", pattern);
    return rs_price_list_add(l->list, pattern, price) ? RS_OK : no_memory(l);
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

rs_status rs_price_file_read(rs_str text, const char *name, rs_price_list *out, rs_err *err) {
    line l = {.file = name, .list = out, .provider = RS_PRICE_ANY, .err = err};
    if (!rs_price_list_init(out)) return no_memory(&l);
    rs_status st = RS_OK;
    while (st == RS_OK && text.n) {
        const char *end = memchr(text.p, '\n', text.n);
        size_t n = end ? (size_t)(end - text.p) : text.n;
        l.rest = (rs_str){text.p, n};
        l.number++;
        st = read_line(&l);
        text = rs_str_from(text, end ? n + 1 : n);
    }
    if (st == RS_OK) rs_price_list_sort(out);
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
