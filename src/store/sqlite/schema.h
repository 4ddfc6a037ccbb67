/* The index database of a partition: its schema and every statement run on it, in one place.
 * What the tables mean and their invariants: docs/store-format.md. */
#ifndef RS_STORE_SQLITE_SCHEMA_H
#define RS_STORE_SQLITE_SCHEMA_H

enum { RS_SCHEMA_VERSION = 10, RS_SCHEMA_VERSION_CHECKED = 8 /* since then pages have checksums */ };
extern const char rs_schema[];
/* What brings version 1 to 2, and so on. */
extern const char *const rs_schema_upgrades[RS_SCHEMA_VERSION - 1];
extern const char rs_schema_writer_pragmas[];
extern const char rs_schema_power_pragmas[]; /* after the writer's */
extern const char rs_schema_late_pragmas[];  /* the same */
extern const char rs_schema_reader_pragmas[];

/* ---- rewriting an index: rewrite.c, reblock.c ---- */
/* Of the connection that has the old one as `main` and the new one as `fresh`; then of the latter. */
extern const char rs_schema_rewriter_pragmas[], rs_schema_fresh_pragmas[];
/* Tables but for those of blocks, from one to the other, as often as one likes; %s: a table's name. */
extern const char rs_sql_tables_to_copy[], rs_sql_copy_table[], rs_schema_fresh_index[];
/* Of traces that are gone since. */
extern const char rs_schema_drop_strays[];
/* Rows of trace_block wait in a table of their own, and are then written in order. */
extern const char rs_schema_parts[], rs_schema_take_parts[];
extern const char rs_sql_attach[], rs_sql_set_fresh_end[], rs_sql_add_fresh_block[], rs_sql_key_of_trace[],
    rs_sql_add_part[], rs_sql_add_carried[];

/* The columns of a trace row in the order of every statement that reads or writes one. */
typedef enum rs_trace_column {
    RS_TRACE_KEY,
    RS_TRACE_ID,
    RS_TRACE_ROOT_ID,
    RS_TRACE_LOG_TYPE,
    RS_TRACE_START,
    RS_TRACE_END,
    RS_TRACE_SPANS,
    RS_TRACE_CALLS,
    RS_TRACE_ERRORS,
    RS_TRACE_PROMPT_TOKENS,
    RS_TRACE_COMPLETION_TOKENS,
    RS_TRACE_COST,
    RS_TRACE_TTFT,
    RS_TRACE_SPEED,
    RS_TRACE_NAME,
    RS_TRACE_MODEL,
    RS_TRACE_INPUT,
    RS_TRACE_OUTPUT,
    RS_TRACE_CUSTOMER,
    RS_TRACE_THREAD,
    RS_TRACE_ENVIRONMENT,
    RS_TRACE_ERROR,
    RS_TRACE_METADATA,
    RS_TRACE_LEAD_START,
    RS_TRACE_CALL_START,
    RS_TRACE_INPUT_RANK,
    RS_TRACE_INPUT_AT,
    RS_TRACE_OUTPUT_RANK,
    RS_TRACE_OUTPUT_AT,
    RS_TRACE_COLUMN_COUNT,
} rs_trace_column;

typedef enum rs_sql {
    RS_SQL_BEGIN,
    RS_SQL_BEGIN_READ,
    RS_SQL_COMMIT,
    RS_SQL_ROLLBACK,
    RS_SQL_GET_STATE,
    RS_SQL_SET_STATE,
    RS_SQL_ADD_BLOCK,
    RS_SQL_ALL_BLOCKS,
    RS_SQL_BLOCKS_SINCE,
    RS_SQL_BLOCK,
    RS_SQL_FIRST_BLOCK,
    RS_SQL_LAST_BLOCK,
    RS_SQL_NEWEST_START,
    RS_SQL_LAST_BLOCKS,
    RS_SQL_LAST_TRACE_BLOCKS,
    RS_SQL_ADD_TRACE,
    RS_SQL_SET_TRACE,
    RS_SQL_TRACE_BY_ID,
    RS_SQL_TRACE_BY_KEY,
    RS_SQL_ALL_TRACES,
    RS_SQL_TRACES_AFTER,
    RS_SQL_KEY_RANGE,
    RS_SQL_HAS_KEY,
    RS_SQL_KEY_NEWEST,
    RS_SQL_KEY_OLDEST,
    RS_SQL_TRACES_NEWEST,
    RS_SQL_TRACES_OLDEST,
    RS_SQL_KEYS_NEWEST,
    RS_SQL_KEYS_OLDEST,
    RS_SQL_ADD_TRACE_BLOCK,
    RS_SQL_TRACE_IDS,
    RS_SQL_TRACE_BLOCKS,
    RS_SQL_ALL_IDS,
    RS_SQL_EVERY_ID,
    RS_SQL_ADD_TAG,
    RS_SQL_DROP_TAG,
    RS_SQL_TAG_NEWEST,
    RS_SQL_TAG_OLDEST,
    RS_SQL_TAG_SOME_NEWEST,
    RS_SQL_TAG_SOME_OLDEST,
    RS_SQL_TAG_TALLY,
    RS_SQL_EVERY_TAG,
    RS_SQL_DROP_TRACE,
    RS_SQL_DROP_TRACE_BLOCKS,
    RS_SQL_DROP_EVENTS,
    RS_SQL_DROP_EMPTY_ROLLUPS,
    RS_SQL_ADD_RECENT_TAGS,
    RS_SQL_RECENT_TAGS,
    RS_SQL_COUNT_RECENT_TAGS,
    RS_SQL_CLEAR_RECENT_TAGS,
    RS_SQL_ADD_SUPERSEDED,
    RS_SQL_SUPERSEDED,
    RS_SQL_ADD_ROLLUP,
    RS_SQL_NEW_ROLLUP,
    RS_SQL_COUNT_ROLLUPS,
    RS_SQL_DROP_ROLLUPS,
    RS_SQL_ROLLUPS,
    RS_SQL_MODEL_NAMES,
    RS_SQL_HAS_MIXED_ROLLUPS,
    RS_SQL_ADD_EVENT,
    RS_SQL_JOIN_EVENT,
    RS_SQL_HAS_EVENT,
    RS_SQL_EVENTS_OF,
    RS_SQL_EVERY_EVENT,
    RS_SQL_COUNT,
} rs_sql;
extern const char *const rs_sql_text[RS_SQL_COUNT];

#endif
