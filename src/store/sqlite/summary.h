/* The summary of one trace: its list row, and what the next span needs to know to be added to it.
 *
 * Rules: the lead (name, log type, status of the row's kind) is the root that started first, or without a
 * root the span that started first. Sums are over model calls alone, so that an agent that repeats its calls'
 * usage counts once. Model, time to first token and speed are those of the model call that started first.
 * Input is that of the first model call that has one and output that of the last; failing that, the root's.
 * Whatever order spans come in, the same summary results, save for ties and for facts of which any one will
 * do (customer, thread, environment: the root's, else the first that came).
 *
 * Strings are borrowed: from the spans added, or from the arena given to load. One summary is used for one
 * trace after another (rs_summary_reset). The writer thread's own; readers use one to load rows. */
#ifndef RS_STORE_SQLITE_SUMMARY_H
#define RS_STORE_SQLITE_SUMMARY_H

#include "store/db.h"
#include "store/store.h"

/* Bytes of a text, and of all metadata, that a summary keeps; what comes after is only in the spans. A page of a
 * thousand rows fits a request's memory, whatever was sent. */
enum { RS_SUMMARY_TEXT_MAX = 4 << 10, RS_METADATA_MAX = 16 << 10 };

typedef struct rs_summary {
    rs_trace_row row;              /* metadata: in stored form, see rs_summary_metadata_json */
    uint64_t lead_start;           /* of the span that gave name and log type */
    uint64_t call_start;           /* of the first model call; UINT64_MAX: none */
    int input_rank, output_rank;   /* 2: a model call's, 1: the root's, 0: none */
    uint64_t input_at, output_at;  /* start of the span that gave it */
    rs_buf metadata, merged, json; /* row.metadata, once something was added; scratch; a value */
} rs_summary;

void rs_summary_init(rs_summary *s);
void rs_summary_deinit(rs_summary *s);
/* To a trace of which nothing is known. */
void rs_summary_reset(rs_summary *s);
/* False if memory is exhausted. */
bool rs_summary_add(rs_summary *s, const rs_span *span);
/* Forgets all that heads tell, so that they can be added again; keeps previews and metadata, which heads do
 * not have. */
void rs_summary_forget_heads(rs_summary *s);

/* Between a statement of the columns of rs_trace_column and a summary. Load copies strings into the arena
 * (false if it is exhausted), or with a NULL arena borrows them until the next step. */
bool rs_summary_load(rs_summary *s, sqlite3_stmt *stmt, rs_arena *arena);
void rs_summary_bind(const rs_summary *s, sqlite3_stmt *stmt);

/* The stored form as a JSON object, appended to out. */
void rs_summary_metadata_json(rs_str stored, rs_buf *out);

#endif
