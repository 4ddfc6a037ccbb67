/* A partition: one directory of one project with a segment and the database that indexes it; what is known of it in
 * memory; and the connections to that database: the writer's, which rests where nothing is written, and a bounded pool
 * that readers borrow from.
 *
 * An rs_index belongs to one thread from borrow to return. The writer's is touched by the writer thread
 * alone. */
#ifndef RS_STORE_SQLITE_PARTITION_H
#define RS_STORE_SQLITE_PARTITION_H

#include "store/db.h"
#include "store/sqlite/bloom.h"
#include "store/sqlite/folders.h"
#include "store/sqlite/schema.h"
#include "store/sqlite/segment.h"
#include "store/sqlite/tag_known.h"
#include "store/sqlite/view.h"
#include <pthread.h>

#define RS_EVENTS_WAIT_NS                                                                                    \
    (72 * 3600 * 1000000000ull) /* what is of older partitions is not read at the start */

enum {
    RS_PARTITION_READERS = 8, /* connections; a reader past them waits for one */
    RS_IDLE_READERS = 16,     /* of all partitions, that stay open between two questions */
};

typedef struct rs_index {
    sqlite3 *db;
    sqlite3_stmt *stmts[RS_SQL_COUNT]; /* prepared at first use */
    const rs_segment *segment;
    rs_view view;    /* the block that was read last */
    rs_buf metadata; /* JSON of the trace row being handed out */
    struct rs_index *next;
} rs_index;

/* To the database at `path`, made if it is not there and `create`, with those pragmas. Close it in any case. */
RS_MUST_CHECK rs_status rs_index_open(rs_index *x, const char *path, const rs_segment *segment, bool create,
                                      const char *pragmas, rs_err *err);
void rs_index_close(rs_index *x);
RS_MUST_CHECK rs_status rs_index_prepare(rs_index *x, rs_sql sql, sqlite3_stmt **out, rs_err *err);
/* Runs a statement that takes nothing and gives nothing. */
RS_MUST_CHECK rs_status rs_index_run(rs_index *x, rs_sql sql, rs_err *err);
/* A row of BLOCK_COLUMNS, and the values of one. */
rs_block_ref rs_index_block_ref(sqlite3_stmt *stmt);
void rs_index_bind_block(sqlite3_stmt *stmt, const rs_block_ref *ref);

/* The one row of table state. */
typedef struct rs_partition_state {
    uint64_t next_span, segment_end, spans, traces;
    int64_t skew;
    uint64_t opened_ns;   /* its first commit; 0: there was none */
    int64_t tag_spread;   /* tag_index.h */
    uint64_t has_rollups; /* rollup.h; 0: an older version's, of which they have to be made */
    uint64_t sealed_end;  /* the segment is sealed up to there; 0: it never was */
    uint64_t
        erasing_ns; /* when the first of those traces was deleted whose bytes are still there; 0: none are */
    bool has_model_parts; /* model_parts.h; false: an older version's, of which they have to be made */
} rs_partition_state;
RS_MUST_CHECK rs_status rs_index_get_state(rs_index *x, rs_partition_state *out, rs_err *err);
RS_MUST_CHECK rs_status rs_index_set_state(rs_index *x, const rs_partition_state *state, rs_err *err);

typedef struct rs_partition {
    uint64_t project;
    rs_folder folder;
    unsigned users;  /* sets that it is in; under the project's lock */
    bool is_dropped; /* under that, too: its folder goes when nobody uses it any more */
    rs_durability durability;
    char index_path[RS_PATH_MAX], filter_path[RS_PATH_MAX], rows_path[RS_PATH_MAX];
    rs_segment segment;
    rs_index writer;          /* db NULL: it rests */
    rs_partition_state state; /* the writer's */
    int64_t rollup_rows;      /* the writer's: that table rollup has; -1: not known */
    int64_t recent_tags;      /* the writer's: that table tag_recent has; -1: not known */
    rs_bloom traces;          /* ids and keys of its traces … */
    bool is_filter_saved;     /* … which a file beside it has */
    uint64_t rows_end;        /* the keeper's: how much of the segment word rows know … */
    bool has_seen_rows;       /* … if it has looked for them */
    bool has_copy;            /* the keeper's: of its dictionary, or it has none and will not have one */
    rs_bloom spans;           /* of its traces, where many are written … */
    bool knows_spans;         /* … and it has all of them */
    uint32_t dictionary;      /* atomic: of blocks to come (dictionary.h); 0: none yet … */
    bool has_no_dictionary;   /* … nor later: the writer's */
    rs_bloom events;          /* spans of which events were sent apart, if … */
    bool has_events;          /* … atomic: there are any */
    uint64_t changes;         /* atomic, the writer's: how often something was committed to its index */
    rs_tag_known known;
    bool is_closed;     /* the writer's: takes no new traces, whatever its state says */
    uint64_t newest_ns; /* atomic: the last start of a span in it */
    uint64_t
        written_ns; /* atomic: when something was last committed to it, by the monotonic clock; 0: not since it is open */
    int64_t key_min, key_max; /* atomic: of its traces; min > max: it has none */
    uint64_t span_end;        /* atomic: every arrival number in it is below */
    int64_t skew, tag_spread; /* atomic: the state's */
    pthread_mutex_t lock;     /* over the pool */
    pthread_cond_t returned;
    rs_index *idle;
    unsigned readers;
} rs_partition;

/* Opens or makes it in dir (mode 0700) and cuts an orphan tail of its segment. */
RS_MUST_CHECK rs_status rs_partition_open(uint64_t project, const rs_folder *folder, const char *dir,
                                          rs_durability durability, rs_partition **out, rs_err *err);
/* Nothing is borrowed any more. Removes its folder if it was dropped. */
void rs_partition_close(rs_partition *p);
/* The folder that it is in. */
rs_str rs_partition_dir(const rs_partition *p);

/* The writer: has all spans in memory, to tell new ones from copies without asking the index. Without memory it does not. */
void rs_partition_learn_spans(rs_partition *p);
/* The writer, before a commit: chooses the dictionary once there is enough to make one of. */
void rs_partition_learn_dictionary(rs_partition *p);
/* The writer: it gets no more new traces, or none soon / something is to be written after all. */
void rs_partition_rest(rs_partition *p);
RS_MUST_CHECK rs_status rs_partition_wake(rs_partition *p, rs_err *err);
/* The writer, before it commits them: from then on they can be found. Should the commit fail, something is looked for in
 * vain. */
void rs_partition_note_span(rs_partition *p, int64_t key, uint32_t fingerprint);
void rs_partition_note_trace(rs_partition *p, const uint8_t trace_id[16], int64_t key);
void rs_partition_note_event(rs_partition *p, const uint8_t trace_id[16], const uint8_t span_id[8]);
void rs_partition_note_state(rs_partition *p, const rs_partition_state *state);

/* Any thread: whether table event may have rows of the span. */
bool rs_partition_may_have_event(const rs_partition *p, const uint8_t trace_id[16], const uint8_t span_id[8]);

RS_MUST_CHECK rs_status rs_partition_borrow(rs_partition *p, rs_index **out, rs_err *err);
void rs_partition_return(rs_partition *p, rs_index *x);

#endif
