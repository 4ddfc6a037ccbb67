/* A trace as a tree in the terminal: branches, a waterfall bar per span, and below model calls what went in and came out.
 *
 * Takes the answer of GET /api/traces/{id}/?flat=true and trusts nothing in it: any depth, any text. No recursion. */
#ifndef RS_CLI_TREE_H
#define RS_CLI_TREE_H

#include "cli/term.h"
#include <jansson.h>

/* whole_content: prompts and completions in full, not their first lines; and of every span, not of model calls alone. */
RS_MUST_CHECK rs_status rs_tree_print(const rs_term *t, const json_t *trace, bool whole_content, rs_buf *out);

/* "1.43 s", "318 ms", "12 µs", "3 min 4 s"; "" if v is no number. */
void rs_tree_put_seconds(const rs_term *t, rs_buf *out, const json_t *v);

/* "12:38:41.207" or, with_date, "2026-11-24 12:38:41", in local time; the text itself if it is no time. */
void rs_tree_put_time(rs_buf *out, const char *rfc3339, bool with_date);

#endif
