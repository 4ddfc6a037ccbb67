/* Prices that an owner has set, of the control plane (control.h, which includes this): what goes before the price file and the built-in
 * prices (docs/prices.md). They are of the server, for all its projects. At most RS_SET_PRICES_MAX of each kind. */
#ifndef RS_STORE_CONTROL_PRICES_H
#define RS_STORE_CONTROL_PRICES_H

#include "store/control.h"

enum { RS_SET_PRICES_MAX = 900, RS_SET_MODEL_MAX = 161, RS_SET_PROVIDER_MAX = 64, RS_SET_DEVICE_MAX = 32 };

/* Of tokens, in dollars for a million. A model and provider have one row. */
typedef struct rs_set_price {
    uint64_t id;
    char model[RS_SET_MODEL_MAX];            /* a '*' at its end: whatever begins so */
    char provider[RS_SET_PROVIDER_MAX];      /* "": whoever is asked */
    double input, output, cached, reasoning; /* NaN but for the first: not said */
    uint64_t limit;                          /* holds up to so many prompt tokens; 0: always */
} rs_set_price;

/* Of an hour of one device: dollars, or what it draws and what that costs. */
typedef struct rs_set_time_price {
    uint64_t id;
    char device[RS_SET_DEVICE_MAX]; /* "cuda", "cuda:1", "cpu", "server", "*"; in lower case */
    double per_hour;                /* dollars; NaN: by energy */
    double watts, per_kwh;          /* NaN: by the hour */
} rs_set_time_price;
double rs_set_time_price_dollars(const rs_set_time_price *p); /* an hour, either way */

/* Adds the row, or puts it in the place of the one of that model and provider, or of that device; ids are never given twice, so *out has
 * another one then. RS_ERR_INVALID, RS_ERR_TOO_LARGE: *field (may be NULL) says which member is at fault. */
RS_MUST_CHECK rs_status rs_control_set_price(rs_control *c, const rs_set_price *wish, const rs_actor *by,
                                             rs_set_price *out, const char **field, rs_err *err);
RS_MUST_CHECK rs_status rs_control_set_time_price(rs_control *c, const rs_set_time_price *wish,
                                                  const rs_actor *by, rs_set_time_price *out,
                                                  const char **field, rs_err *err);
/* RS_ERR_NOT_FOUND. */
RS_MUST_CHECK rs_status rs_control_unset_price(rs_control *c, uint64_t id, const rs_actor *by, rs_err *err);
RS_MUST_CHECK rs_status rs_control_unset_time_price(rs_control *c, uint64_t id, const rs_actor *by,
                                                    rs_err *err);

typedef bool (*rs_set_price_fn)(void *ctx, const rs_set_price *price);
typedef bool (*rs_set_time_price_fn)(void *ctx, const rs_set_time_price *price);
/* By id, the oldest first. */
RS_MUST_CHECK rs_status rs_control_list_prices(rs_control *c, rs_set_price_fn fn, void *ctx, rs_err *err);
RS_MUST_CHECK rs_status rs_control_list_time_prices(rs_control *c, rs_set_time_price_fn fn, void *ctx,
                                                    rs_err *err);

/* Differs whenever the rows do, whoever changed them: ids are never given twice. */
typedef struct rs_prices_mark {
    uint64_t last, rows, last_time, time_rows;
} rs_prices_mark;
RS_MUST_CHECK rs_status rs_control_get_prices_mark(rs_control *c, rs_prices_mark *out, rs_err *err);

#endif
