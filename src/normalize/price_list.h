/* A list of prices in the order in which they are looked for: what price_file.c and prices.c make, and prices.c searches. Internal to
 * normalize/. */
#ifndef RS_NORMALIZE_PRICE_LIST_H
#define RS_NORMALIZE_PRICE_LIST_H

#include "normalize/prices.h"

enum {
    RS_PRICE_ANY = 0,              /* the provider of prices that hold for all */
    RS_PRICE_NOBODY = UINT16_MAX,  /* a provider that the list does not know */
    RS_PRICE_PROVIDERS_MAX = 1000, /* of a list */
};

typedef struct rs_price {
    rs_str pattern; /* in lower case */
    double input, output, cached,
        reasoning;     /* dollars for a million tokens; NaN but for the first: not said */
    int64_t limit;     /* holds up to so many prompt tokens; 0: always */
    uint64_t id;       /* of an own row */
    uint32_t line;     /* of equal ones the later one counts */
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
    rs_price_list own, users, builtin; /* the last two empty where there is a base */
    const rs_prices *base;             /* whose lists they are then; else NULL */
    rs_time_price *times;
    size_t ntimes;
};
static inline const rs_prices *rs_prices_base(const rs_prices *p) { return p->base ? p->base : p; }

/* Deinit the list in any case; false is no memory. */
bool rs_price_list_init(rs_price_list *l);
void rs_price_list_deinit(rs_price_list *l);
/* A provider's number; RS_PRICE_NOBODY: no memory, or more than RS_PRICE_PROVIDERS_MAX. */
uint16_t rs_price_list_add_provider(rs_price_list *l);
/* A copy of the name joins those of the provider. */
bool rs_price_list_add_name(rs_price_list *l, rs_price_provider *to, rs_str name);
/* `model` may end in '*'; it and the price are copied. At most RS_PRICE_NAME_MAX bytes. */
bool rs_price_list_add(rs_price_list *l, rs_str model, rs_price price);
/* After the last one was added, before it is searched. */
void rs_price_list_sort(rs_price_list *l);

bool rs_price_provider_is(const rs_price_provider *p, rs_str name);
/* RS_PRICE_NOBODY: the list does not know it. */
uint16_t rs_price_list_find_provider(const rs_price_list *l, rs_str name);
/* The price of a model in lower case, where `provider` was asked ("": it is not known). NULL: there is none. */
const rs_price *rs_price_list_find(const rs_price_list *l, rs_str provider, rs_str lower);

#endif
