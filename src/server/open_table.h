/* rs_open_table: the spans that programs say are open (POST /v1/open), until each has ended or nobody speaks of it any more.
 *
 * In memory alone: nothing of it is stored, so nothing is counted. A span is held as what was sent of it last, an
 * ExportTraceServiceRequest of its own, and is decoded anew for each answer. It goes when the writer has stored it, when its
 * trace or its project is deleted, or when it was not heard of for RS_OPEN_TTL_S. Of a trace that was deleted nothing is taken
 * until a span of it is stored again or that long nothing is said of it: its program goes on speaking of it. The last
 * RS_OPEN_DELETED of those are known.
 *
 * Limits: RS_OPEN_SPANS of all projects, a quarter of that of one; RS_OPEN_OF_TRACE of one trace; RS_OPEN_BYTES in all, a
 * quarter of that of one project. Full: what is new is not taken (RS_ERR_FULL). Any thread; one lock, under which nothing
 * waits. */
#ifndef RS_SERVER_OPEN_TABLE_H
#define RS_SERVER_OPEN_TABLE_H

#include "store/control.h"
#include "store/store.h"

enum {
    RS_OPEN_TTL_S = 30,
    RS_OPEN_SPANS = 20000,
    RS_OPEN_OF_TRACE = 1000,
    RS_OPEN_BYTES = 64 << 20,
    RS_OPEN_DELETED = 256,
};

typedef struct rs_open_table rs_open_table;

typedef struct rs_open_trace {
    uint64_t project;
    uint8_t trace_id[16];
    uint64_t start_ns; /* of its earliest open span */
} rs_open_trace;

/* What a span that was put has changed. */
typedef enum rs_open_news { RS_OPEN_NOTHING, RS_OPEN_CHANGED, RS_OPEN_NEW } rs_open_news;

RS_MUST_CHECK rs_status rs_open_table_new(rs_open_table **out, rs_err *err);
void rs_open_table_free(rs_open_table *t);

/* What is known of an open span from here on; now_ns is monotonic. `environment` is the key's, "" for none. A span without name,
 * attributes and events says that it is still open: RS_ERR_NOT_FOUND if it was never told of. RS_ERR_INVALID: it has ended;
 * RS_ERR_FULL; RS_ERR_MEMORY. The table does not know what is stored: the caller looks whether one that is RS_OPEN_NEW is, after it
 * was put, so that it is seen either here or there. */
RS_MUST_CHECK rs_status rs_open_table_put(rs_open_table *t, uint64_t project, const rs_span *span,
                                          const char *environment, uint64_t now_ns, rs_open_news *news);
/* Those of the batch are stored: they are open no more. Costs nothing while the table is idle. */
void rs_open_table_ended(rs_open_table *t, const rs_store_batch *batch);
/* Their traces are deleted. How many of them had open spans. */
size_t rs_open_table_forget(rs_open_table *t, uint64_t project, const uint8_t (*ids)[16], size_t n);
void rs_open_table_forget_project(rs_open_table *t, uint64_t project);
/* Takes out what was not heard of for too long: all of it, or that of up to `most` traces, which are told, and the next call goes on. */
size_t rs_open_table_expire(rs_open_table *t, uint64_t now_ns, rs_open_trace *out, size_t most);
size_t rs_open_table_count(const rs_open_table *t);
/* Nothing is held, and nothing known to be deleted: there is nothing to expire. */
bool rs_open_table_is_idle(const rs_open_table *t);
static inline bool rs_open_table_is_empty(const rs_open_table *t) { return rs_open_table_count(t) == 0; }

/* The open spans of a trace in the arena, normalized, each `running`; none of them is no error. */
RS_MUST_CHECK rs_status rs_open_table_read(rs_open_table *t, uint64_t project, const uint8_t trace_id[16],
                                           rs_arena *arena, rs_spans *out, rs_err *err);
/* One of them, of any trace (trace_id NULL) or that one. RS_ERR_NOT_FOUND. */
RS_MUST_CHECK rs_status rs_open_table_read_span(rs_open_table *t, uint64_t project, const uint8_t *trace_id,
                                                const uint8_t span_id[8], rs_arena *arena, rs_span *out,
                                                rs_err *err);
/* The traces of a project that have open spans, newest first, in the arena. */
RS_MUST_CHECK rs_status rs_open_table_list(rs_open_table *t, uint64_t project, rs_arena *arena,
                                           rs_open_trace **out, size_t *n, rs_err *err);

#endif
