/* A list request: which rows, in which order, which page. Parsed from query parameters and a JSON body that
 * strangers wrote, and answered by traces.c and spans.c. Everything lives in the request's arena; one thread.
 *
 * Paging by cursor names a place in the order (the last row's sort value and key), not a number of rows, so
 * rows that arrive meanwhile neither repeat nor hide any. */
#ifndef RS_QUERY_LIST_H
#define RS_QUERY_LIST_H

#include "query/filter.h"

enum {
    RS_LIST_PAGE_SIZE = 50,
    RS_LIST_PAGE_SIZE_MAX = 1000,
    RS_LIST_DEPTH_MAX = 100000, /* rows before and on a page asked for by number; past it: use the cursor */
    RS_LIST_SCAN_MAX = 1000000, /* rows that one request looks through; see traces.h for what happens then */
    RS_LIST_SCAN_STEP = 4096,   /* rows per read transaction, so that none pins the log for long */
    RS_LIST_READS = 2000,       /* traces whose spans one request reads to decide on them */
    RS_LIST_CPU_MS = 2000,      /* that reading and judging them may take; one trace is read in any case */
    RS_LIST_BLOCKS = 300,       /* blocks that one request unpacks to find words in */
    RS_LIST_BLOCK_ROWS = 1024,  /* what unpacking one counts for where rows are counted */
    RS_LIST_WORD_ROWS =
        4096, /* traces in whose own fields a word is looked for that leads by what spans say */
    RS_LIST_COUNT_MATCHES = 5000, /* that are counted one by one, where all is looked at in order */
    RS_LIST_COUNT_ROWS =
        2048, /* so few rows are all looked at to count (of more a half, at places all over them), … */
    RS_LIST_COUNT_KEYS = 2048,  /* … or so few, where tags lead to each and decide, … */
    RS_LIST_COUNT_TAGGED = 128, /* … or do not */
    RS_LIST_COUNT_FEW = 40,     /* where fewer than that match more are looked at */
    RS_LIST_COUNT_BLOCKS = 4,
    RS_LIST_COUNT_READS = 50,    /* and so often into the spans of a trace: what is left is estimated */
    RS_LIST_COUNT_SPANS = 32768, /* the same in lists of spans */
    RS_LIST_BODY_MAX = 1 << 20,  /* bytes of a POST body */
    RS_CURSOR_LEN = 37,
};

/* The place behind (or, backward, before) a row. */
typedef struct rs_cursor {
    bool backward;
    uint16_t order; /* of a cursor as text: which list it is of, and in which order: rs_list_order */
    double value;   /* the row's sort value; 0 where the list is sorted by start */
    int64_t key;
} rs_cursor;

void rs_cursor_format(const rs_cursor *c, char out[RS_CURSOR_LEN + 1]);
bool rs_cursor_parse(rs_str s, rs_cursor *out);

/* A parameter that an endpoint has beside those of a list. */
typedef struct rs_list_extra {
    const char *name;
    rs_str value; /* as given, in the arena; p NULL: it was not */
} rs_list_extra;

typedef struct rs_list {
    const rs_field_table *table;
    rs_filter filter;
    uint32_t page, page_size; /* page from 1; 1 if not given */
    const rs_field *sort;     /* NULL: by start, which is the order of the rows' keys */
    bool ascending;
    bool has_cursor; /* and then page does not count */
    rs_cursor cursor;
    uint64_t start_min_ns, start_max_ns; /* [min, max); max 0: open */
    bool has_start, has_end;             /* given, though it be 0 */
    bool content;                        /* input, output, attributes …; true if not given */
    rs_list_extra *extras;               /* the caller's, filled in as they come; NULL: none */
    size_t nextras;
    uint32_t scan_max;  /* RS_LIST_SCAN_MAX; tests set less */
    char bad_field[64]; /* after RS_ERR_INVALID: the parameter or field at fault, "" for none */
} rs_list;

void rs_list_init(rs_list *list, const rs_field_table *table);
/* Different for lists of other rows, or in another order: what a cursor names in one is nowhere in the other. */
uint16_t rs_list_order(const rs_list *list);

/* One parameter by its name, or a field of the table for equality. */
RS_MUST_CHECK rs_status rs_list_set(rs_list *list, rs_str name, rs_str value, rs_arena *arena, rs_err *err);

/* A JSON object of the same names, and "filters": see rs_filter_add_json. */
RS_MUST_CHECK rs_status rs_list_set_json(rs_list *list, rs_str body, rs_arena *arena, rs_err *err);

#endif
