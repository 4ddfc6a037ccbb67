/* Which spans of one trace a list's filter holds for, in the order of its tree: an answer that says where they are, and how many.
 *
 * Reads the blocks of that trace alone: heads, and content where their word filters let them have what is looked for. All of the trace
 * is gone through whatever the page is, so the count is exact; of a large one several threads, which end before the answer, take a part
 * each. Holds some 60 bytes for each of its spans, in the arena. Any thread. */
#ifndef RS_QUERY_FIND_H
#define RS_QUERY_FIND_H

#include "query/list.h"

enum {
    RS_FIND_PAGE_SIZE = 1000,
    RS_FIND_PAGE_SIZE_MAX = 100000,
    RS_FIND_CURSOR_LEN = 17,
    RS_FIND_PARTS = 4,          /* threads, and not more than there are processors … */
    RS_FIND_PART_SPANS = 20000, /* … each for so many spans */
};

/* Behind (or, backward, before) a span: "f" or "b", and its id in 16 hex digits. */
typedef struct rs_find_cursor {
    bool backward;
    uint8_t span_id[8];
} rs_find_cursor;

void rs_find_cursor_format(const rs_find_cursor *c, char out[RS_FIND_CURSOR_LEN + 1]);
bool rs_find_cursor_parse(rs_str s, rs_find_cursor *out);

typedef struct rs_find {
    const uint8_t *trace_id;
    rs_list *list; /* of spans: its filter, its window, its number of a page */
    uint32_t page_size;
    bool has_cursor; /* and then the page's number does not count */
    rs_find_cursor cursor;
    unsigned parts; /* 0: as the trace's size and the machine suggest; tests set others */
} rs_find;

typedef struct rs_found {
    uint8_t (*span_ids)[8]; /* of the page, in the arena */
    size_t n;
    uint64_t count; /* of all that match */
    bool has_next, has_previous;
    rs_find_cursor next, previous;
} rs_found;

/* RS_ERR_NOT_FOUND: there is no such trace. RS_ERR_INVALID: the cursor's span is none of it (list->bad_field). */
RS_MUST_CHECK rs_status rs_find_run(rs_store *store, uint64_t project, const rs_find *find, rs_arena *arena,
                                    rs_found *out, rs_err *err);

#endif
