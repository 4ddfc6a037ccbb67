/* The price file (docs/prices.md) -> a list of prices. Internal to normalize/. */
#ifndef RS_NORMALIZE_PRICE_FILE_H
#define RS_NORMALIZE_PRICE_FILE_H

#include "normalize/price_list.h"

enum { RS_PRICE_FILE_MAX = 4 << 20 }; /* bytes */

/* Deinit the list in any case. */
RS_MUST_CHECK rs_status rs_price_file_read(rs_str text, const char *name, rs_price_list *out, rs_err *err);
RS_MUST_CHECK rs_status rs_price_file_builtin(rs_price_list *out, rs_err *err);
RS_MUST_CHECK rs_status rs_price_file_load(const char *path, rs_buf *out, rs_err *err);

#endif
