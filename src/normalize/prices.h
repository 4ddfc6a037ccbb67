/* What model calls cost: prices by provider and model, and prices of time for models that run here (docs/prices.md).
 *
 * One file of prices is built in (prices.txt); a user's file goes before it, and before both what an owner has set (his "own" rows), so that
 * what they say of a model holds. A price is only ever found, never guessed: an unknown model has none, nor a call whose tokens nobody counted.
 * Immutable once made: any thread.
 *
 * rs_prices_open reads the built-in file and, unless it is NULL, the user's; rs_prices_free takes it back. */
#ifndef RS_NORMALIZE_PRICES_H
#define RS_NORMALIZE_PRICES_H

#include "otlp/span.h"

typedef struct rs_prices rs_prices;

enum { RS_PRICE_NAME_MAX = 160 }; /* bytes of a model's name */

/* RS_ERR_INVALID names the file and the line. RS_ERR_IO: the file cannot be read. */
RS_MUST_CHECK rs_status rs_prices_open(const char *path, rs_prices **out, rs_err *err);
/* The same of a text, which is copied; `name` stands for it in errors. */
RS_MUST_CHECK rs_status rs_prices_parse(rs_str text, const char *name, rs_prices **out, rs_err *err);
void rs_prices_free(rs_prices *p);

/* ---- what an owner sets -------------------------------------------------------------------------------- */

typedef struct rs_own_price {
    uint64_t id;     /* his, for those who show it */
    rs_str model;    /* at most RS_PRICE_NAME_MAX bytes; may end in '*' */
    rs_str provider; /* one of its names; "": whoever is asked */
    double input, output, cached,
        reasoning; /* dollars for a million tokens; NaN but for the first: not said */
    int64_t limit; /* holds up to so many prompt tokens; 0: always */
} rs_own_price;

/* What an hour of a model that runs here costs. */
typedef struct rs_time_price {
    rs_str
        device; /* "cuda", "cuda:1", "cpu", …; "server": a server of this machine; "*": where nothing nearer fits */
    double dollars; /* an hour, of each device */
} rs_time_price;

/* The prices of `base`, which lives longer, with these before them; all is copied. */
RS_MUST_CHECK rs_status rs_prices_with(const rs_prices *base, const rs_own_price *own, size_t n,
                                       const rs_time_price *times, size_t ntimes, rs_prices **out,
                                       rs_err *err);

/* ---- what a call costs --------------------------------------------------------------------------------- */

/* The price that was found last: spans that follow each other are often of one model. Begin with {0}; lives no longer than the prices
 * and the spans. */
typedef struct rs_price_memo {
    rs_str provider, model;
    const struct rs_price *price; /* NULL: there is none */
    bool asked, is_own;
} rs_price_memo;

/* Sets the cost of a model call that tells none, and where it is from: of its tokens, if they were counted and their price is known;
 * of a model that ran in the process (in a call of any task), or on this machine under a name that no vendor has, of its time, which is 0
 * unless a price is set. */
void rs_prices_apply(const rs_prices *p, rs_span *span, rs_price_memo *memo);
/* After that, of the spans of one request: a call around another call whose time has its price pays for that time, too, so the one
 * inside costs nothing. RS_ERR_MEMORY. */
RS_MUST_CHECK rs_status rs_prices_count_time_once(rs_spans *spans, rs_arena *arena);

/* ---- showing them -------------------------------------------------------------------------------------- */

typedef enum rs_price_origin { RS_PRICE_OWN, RS_PRICE_FILE, RS_PRICE_BUILTIN } rs_price_origin;

typedef struct rs_price_row {
    rs_price_origin origin;
    rs_own_price price;      /* model in lower case and without '*'; provider: the first of its names */
    bool is_beginning;       /* of whatever begins so */
    const rs_str *providers; /* all names of the provider; none: whoever is asked */
    size_t nproviders;
    bool in_force; /* nothing before it takes all that it is of */
} rs_price_row;

/* Slices live as long as the prices. Return false to stop. Own rows first, then the file's, then those built in, each by model. */
typedef bool (*rs_price_row_fn)(void *ctx, const rs_price_row *row);
void rs_prices_each(const rs_prices *p, rs_price_row_fn fn, void *ctx);
/* The price of that model's tokens where this provider ("": not known) is asked; false: there is none. */
bool rs_prices_find(const rs_prices *p, rs_str provider, rs_str model, rs_price_row *out);

#endif
