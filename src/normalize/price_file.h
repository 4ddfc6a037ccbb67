/* The price file (docs/prices.md) -> a list of prices in the order in which they are looked for. Internal to normalize/. */
#ifndef RS_NORMALIZE_PRICE_FILE_H
#define RS_NORMALIZE_PRICE_FILE_H

#include "normalize/prices.h"

enum {
    RS_PRICE_ANY = 0,              /* the provider of prices that hold for all */
    RS_PRICE_NOBODY = UINT16_MAX,  /* a provider that the file does not know */
    RS_PRICE_NAME_MAX = 160,       /* bytes of a model's name */
    RS_PRICE_PROVIDERS_MAX = 1000, /* of a file */
    RS_PRICE_FILE_MAX = 4 << 20,   /* bytes */
};

typedef struct rs_price {
    rs_str pattern;               /* in lower case */
    double input, output, cached; /* dollars for a million tokens; the last two NaN where they are not said */
    int64_t limit;                /* holds up to so many prompt tokens; 0: always */
    uint32_t line;
    uint16_t provider; /* number in the list's providers */
    bool prefix;       /* the pattern is how names begin */
} rs_price;

typedef struct rs_price_provider {
    rs_str *names; /* compared without regard to case */
    size_t n, cap;
} rs_price_provider;

/* Sorted by pattern, so that one binary search and a few steps back find the longest that fits. */
typedef struct rs_price_list {
    rs_arena arena; /* all of it */
    rs_price *items;
    size_t n, cap;
    rs_price_provider *providers; /* the first is RS_PRICE_ANY and has no names */
    size_t nproviders, providers_cap;
    rs_price_provider local; /* providers that cost nothing */
} rs_price_list;

struct rs_prices {
    rs_price_list users, builtin;
};

/* Deinit the list in any case. */
RS_MUST_CHECK rs_status rs_price_file_read(rs_str text, const char *name, rs_price_list *out, rs_err *err);
RS_MUST_CHECK rs_status rs_price_file_builtin(rs_price_list *out, rs_err *err);
RS_MUST_CHECK rs_status rs_price_file_load(const char *path, rs_buf *out, rs_err *err);
void rs_price_list_deinit(rs_price_list *l);

#endif
