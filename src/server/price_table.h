/* The prices that are in force: the built-in ones, the file's, and before them what the owner has set in the control plane.
 *
 * Whoever takes spans in takes the prices once a request and gives them back: they are immutable, counted, and go with the last who has
 * them, so a change is in force for each request that begins after it, and no span waits for a lock. Another process may change what is
 * set (`respan prices set`): the control plane is asked at most once a second. Any thread. */
#ifndef RS_SERVER_PRICE_TABLE_H
#define RS_SERVER_PRICE_TABLE_H

#include "normalize/prices.h"
#include "store/control.h"

typedef struct rs_price_table rs_price_table;

/* `path`: the price file, or NULL. The control plane lives longer. */
RS_MUST_CHECK rs_status rs_price_table_open(const char *path, rs_control *control, rs_price_table **out,
                                            rs_err *err);
void rs_price_table_close(rs_price_table *t);

/* Never NULL. */
const rs_prices *rs_price_table_take(rs_price_table *t);
void rs_price_table_give(rs_price_table *t, const rs_prices *prices);

/* After a change: it is in force when this returns. */
RS_MUST_CHECK rs_status rs_price_table_refresh(rs_price_table *t, rs_err *err);

#endif
