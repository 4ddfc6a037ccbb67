/* What model calls cost: prices by provider and model, from a text file (docs/prices.md).
 *
 * One file is built in (prices.txt); a user's file goes before it, so that what it says of a model holds. A price is only ever found, never
 * guessed: an unknown model has none, nor a call whose tokens nobody counted. Immutable after opening: any thread.
 *
 * rs_prices_open reads the built-in file and, unless it is NULL, the user's; rs_prices_free takes it back. */
#ifndef RS_NORMALIZE_PRICES_H
#define RS_NORMALIZE_PRICES_H

#include "otlp/span.h"

typedef struct rs_prices rs_prices;

/* RS_ERR_INVALID names the file and the line. RS_ERR_IO: the file cannot be read. */
RS_MUST_CHECK rs_status rs_prices_open(const char *path, rs_prices **out, rs_err *err);
/* The same of a text, which is copied; `name` stands for it in errors. */
RS_MUST_CHECK rs_status rs_prices_parse(rs_str text, const char *name, rs_prices **out, rs_err *err);
void rs_prices_free(rs_prices *p);

/* The price that was found last: spans that follow each other are often of one model. Begin with {0}; lives no longer than the prices
 * and the spans. */
typedef struct rs_price_memo {
    rs_str provider, model;
    const struct rs_price *price; /* NULL: there is none */
    bool asked;
} rs_price_memo;

/* Sets the cost of a model call that tells none, if its tokens were counted and its price is known; 0 for a model that ran in
 * the process, or on this machine under a name that no vendor has. */
void rs_prices_apply(const rs_prices *p, rs_facts *f, rs_price_memo *memo);

#endif
