/* Groups in an order: what a table of users, threads or models shows, piece by piece. In an arena; one thread. */
#ifndef RS_QUERY_RANKING_H
#define RS_QUERY_RANKING_H

#include "query/cells.h"

#define RS_RANKING_OTHERS UINT32_MAX

/* By which of the sums; all zero: most rows first. */
typedef struct rs_ranking_order {
    unsigned by; /* number in a table of ranking.c */
    bool ascending;
} rs_ranking_order;

/* "cost", "-last_time", … : as a list's sort_by. false: there is no such order. */
bool rs_ranking_order_find(rs_str text, rs_ranking_order *out);

typedef struct rs_ranked {
    uint32_t group; /* number in the cells; RS_RANKING_OTHERS */
    double key;     /* what it is sorted by; what is not known is below everything */
    rs_cell cell;   /* of all buckets; shares its histograms with the cells where there is one bucket */
} rs_ranked;

typedef struct rs_ranking {
    const rs_cells *cells;
    rs_ranked *items; /* those asked for; then, if anything is left, one of all that comes behind them */
    size_t n;
    rs_cell all;
    uint32_t distinct; /* groups, without the others */
} rs_ranking;

/* Of one field: `limit` groups behind the first `skip`. Nothing may be added to the cells until it is done with. RS_ERR_MEMORY. */
RS_MUST_CHECK rs_status rs_ranking_make(const rs_cells *cells, unsigned field, rs_ranking_order order,
                                        uint32_t skip, uint32_t limit, rs_arena *arena, rs_ranking *out);

#endif
