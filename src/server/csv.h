/* CSV as RFC 4180 has it. Any thread. */
#ifndef RS_SERVER_CSV_H
#define RS_SERVER_CSV_H

#include "base/buf.h"
#include "base/str.h"

/* A cell of text, in quotes. A spreadsheet takes text that begins so for a formula, and runs it: that gets an apostrophe before it. */
void rs_csv_put_text(rs_buf *out, rs_str s);

#endif
