/* Cells: sums by group and bucket of time, as rows come. A group is the text of a value of one of up to RS_CELLS_FIELDS fields;
 * past so many of a field, what is new goes to its group of others. In an arena; one thread. */
#ifndef RS_QUERY_CELLS_H
#define RS_QUERY_CELLS_H

#include "store/sums.h"

enum {
    RS_CELLS_FIELDS = 32,
    RS_CELLS_GROUPS = 1000,
    RS_CELLS_MAX = 50000,
    RS_CELLS_TEXT_MAX = 4 << 10,
    RS_CELLS_TEXTS_MAX = 8 << 20, /* bytes of all values: past so many, too, what is new goes to the others */
};

typedef struct rs_group {
    unsigned field;
    bool is_others, is_null; /* null: the rows have no such value */
    rs_str value; /* cut at RS_CELLS_TEXT_MAX bytes, as a trace's row is: a filter by it finds its rows */
} rs_group;

typedef struct rs_cell {
    uint32_t group; /* number in groups */
    uint64_t bucket;
    rs_sums sums;
    uint64_t first_ns, last_ns; /* starts of the rows that were seen one by one; 0: of none */
    uint8_t last_trace[16];     /* that of the last */
} rs_cell;

typedef struct rs_cells {
    rs_arena *arena;
    uint32_t most; /* groups of a field; 0: RS_CELLS_GROUPS */
    rs_group *groups;
    rs_cell *items;
    size_t ngroups, groups_cap, n, cap;
    size_t texts;                  /* bytes of the groups' values */
    uint32_t *group_slots, *slots; /* number + 1; at most half full; masks 0: none yet */
    uint32_t group_mask, mask;
    uint32_t of_field[RS_CELLS_FIELDS]; /* groups that each has */
    bool overflowed;                    /* there are others */
} rs_cells;

/* The number of the group that has this value; text with p NULL is null. */
RS_MUST_CHECK rs_status rs_cells_group(rs_cells *c, unsigned field, rs_str text, uint32_t *out);
RS_MUST_CHECK rs_status rs_cells_others(rs_cells *c, unsigned field, uint32_t *out);
/* That of a group in a bucket, until the next call. RS_ERR_TOO_LARGE: more than RS_CELLS_MAX. */
RS_MUST_CHECK rs_status rs_cells_at(rs_cells *c, uint32_t group, uint64_t bucket, rs_cell **out);
/* A row that started then was added. */
void rs_cell_see(rs_cell *c, uint64_t start_ns, const uint8_t trace_id[16]);
/* Adds the sums of `from` `scale` times, and what it has seen. */
RS_MUST_CHECK rs_status rs_cell_merge(rs_cell *c, const rs_cell *from, double scale, rs_arena *arena);
/* Adds all of `from` (its groups may be numbered otherwise) `scale` times. */
RS_MUST_CHECK rs_status rs_cells_merge(rs_cells *c, const rs_cells *from, double scale);

#endif
