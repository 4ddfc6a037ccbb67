/* Measuring: sums of all that a list's filter and window fit, by group and bucket of time.
 *
 * Where the store's sums by the hour can answer (whole hours, and nothing but log type, model and environment of spans is asked, or
 * nothing of traces), they do; hours that the window cuts are scanned. Everything else is scanned: up to RS_MEASURE_EXACT rows
 * are looked at, and that is exact. Past it a sample spread evenly over the window (over the order of arrival, of spans) is
 * looked at and scaled, and is_estimate says so. Each scan goes in steps. Any thread; in the request's arena. */
#ifndef RS_QUERY_MEASURE_H
#define RS_QUERY_MEASURE_H

#include "query/cells.h"
#include "query/traces.h"
#include "query/walk.h"

enum {
    RS_MEASURE_EXACT = 200000,     /* rows */
    RS_MEASURE_EXACT_FULL = 20000, /* spans that have to be read with their attributes */
    RS_MEASURE_BUCKETS_MAX = 2000,
    RS_MEASURE_GROUPS = 20000, /* users or threads, of which one request keeps the sums: some 30 MB of them */
    RS_MEASURE_AHEAD_HOURS = 24, /* of now: what begins later is not sensibly dated */
};
/* Nor is what began before 2000. */
#define RS_MEASURE_SENSIBLE_FROM 946684800000000000ull

/* By what rows are told apart: a field, a key of metadata, or which keys of metadata they have (traces alone: each is in the groups
 * of all of its keys, and in none if it has none, so that there are no sums of all groups). */
typedef struct rs_grouping {
    const rs_field *field; /* NULL: metadata */
    rs_str key;
    bool is_keys;
} rs_grouping;

/* "" is no grouping: all rows are one group, whose value is null. RS_ERR_INVALID: there is no such field, or it is not one
 * whose values are few. */
RS_MUST_CHECK rs_status rs_grouping_find(const rs_field_table *table, rs_str name, rs_grouping *out,
                                         rs_err *err);

typedef struct rs_measure {
    rs_list *list;
    const rs_grouping *groupings;
    size_t ngroupings; /* 1 to RS_CELLS_FIELDS */
    bool has_buckets, has_histograms;
    uint64_t bucket_ns; /* 0: chosen so that there are at most `points` */
    uint32_t points;
    uint32_t groups_max; /* of a grouping that are told apart; 0: RS_CELLS_GROUPS */
    uint64_t exact;      /* RS_MEASURE_EXACT, or what the filter allows; tests set less */
} rs_measure;

typedef struct rs_measured {
    rs_cells cells;     /* bucket: start / bucket_ns */
    uint64_t bucket_ns; /* 0 without buckets */
    uint64_t start_ns,
        end_ns; /* the window; where the question leaves it open, what is sensibly dated (if nothing is, all there is),
                   in whole hours; 0: nothing */
    bool is_estimate, from_hours; /* from_hours: sums by the hour answered, at least for the most part */
    uint64_t rows;                /* looked at */
} rs_measured;

/* Whether each row is a span that has to be read with its attributes. */
bool rs_measure_reads_in_full(const rs_measure *question);

/* Counts, after a run without buckets, what the caller knows of traces for what is stored of them: as a list shows them. */
RS_MUST_CHECK rs_status rs_measure_count_known(const rs_measure *question, const rs_trace_known *known,
                                               size_t n, rs_arena *arena, rs_measured *out);

/* RS_ERR_INVALID: too many buckets, or groups in buckets; list->bad_field says which parameter is at fault. */
RS_MUST_CHECK rs_status rs_measure_run(rs_store *store, uint64_t project, const rs_measure *question,
                                       rs_arena *arena, rs_measured *out, rs_err *err);

#endif
