#include "store/sqlite/schema.h"

/* NORMAL in WAL mode: a commit is safe against the death of the process, not against that of the machine. */
const char rs_schema_writer_pragmas[] =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-8192; PRAGMA temp_store=MEMORY;"
    "PRAGMA wal_autocheckpoint=4000; PRAGMA journal_size_limit=67108864;";

/* Of a partition that takes late spans alone, beside the one that takes new traces. */
const char rs_schema_late_pragmas[] = "PRAGMA cache_size=-2048;";

/* Each commit's frames are on the disk before it returns. */
const char rs_schema_power_pragmas[] = "PRAGMA synchronous=FULL;";

const char rs_schema_reader_pragmas[] =
    "PRAGMA query_only=ON; PRAGMA cache_size=-1024; PRAGMA temp_store=MEMORY;";

#define CREATE_TAG                                                                                           \
    "CREATE TABLE tag("                                                                                      \
    "  hash INTEGER NOT NULL, last INTEGER NOT NULL," /* the last of its keys */                             \
    "  reach INTEGER NOT NULL, n INTEGER NOT NULL,"   /* back to the first; how many there are */            \
    "  before BLOB," /* how far each of the others is before the one behind it */                            \
    "  PRIMARY KEY(hash, last)) WITHOUT ROWID;"

#define CREATE_ROLLUP                                                                                        \
    "CREATE TABLE rollup("                                                                                   \
    "  of INTEGER NOT NULL, hour INTEGER NOT NULL," /* enum rs_of; hours since the epoch */                  \
    "  log_type INTEGER NOT NULL, model TEXT NOT NULL, environment TEXT NOT NULL," /* 255: of no kind */     \
    "  n INTEGER NOT NULL, calls INTEGER NOT NULL, errors INTEGER NOT NULL,"                                 \
    "  prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL, cost REAL NOT NULL,"              \
    "  latency BLOB, ttft BLOB, speed BLOB," /* histograms: rollup.c */                                      \
    "  cached_tokens INTEGER NOT NULL, reasoning_tokens INTEGER NOT NULL,"                                   \
    "  PRIMARY KEY(of, hour, log_type, model, environment)) WITHOUT ROWID;"
#define CREATE_TAG_RECENT                                                                                    \
    "CREATE TABLE IF NOT EXISTS tag_recent("                                                                 \
    "  id INTEGER PRIMARY KEY,"                     /* a row a commit */                                     \
    "  n INTEGER NOT NULL, entries BLOB NOT NULL);" /* so many tags: tag_recent.c */

#define CREATE_EVENT                                                                                         \
    "CREATE TABLE IF NOT EXISTS event("                                                                      \
    "  trace_id BLOB NOT NULL, span_id BLOB NOT NULL,"                                                       \
    "  hash INTEGER NOT NULL,"  /* XXH3 of the record */                                                     \
    "  place INTEGER NOT NULL," /* order of arrival: a time in ns */                                         \
    "  record BLOB,"            /* an Event message of OTLP; NULL: the span has it */                        \
    "  PRIMARY KEY(trace_id, span_id, hash)) WITHOUT ROWID;"

const char rs_schema[] =
    "CREATE TABLE state(" /* one row */
    "  id INTEGER PRIMARY KEY CHECK(id = 1),"
    "  next_span INTEGER NOT NULL," /* arrival number of the next span, from 1 */
    "  segment_end INTEGER NOT NULL,"
    "  spans INTEGER NOT NULL," /* without superseded copies */
    "  traces INTEGER NOT NULL,"
    "  skew INTEGER NOT NULL,"             /* the most that a trace's key is ahead of its start, in µs */
    "  opened INTEGER NOT NULL DEFAULT 0," /* time of the first commit, in ns; 0: there was none, or version 1 made it */
    "  tag_spread INTEGER NOT NULL DEFAULT 0,"  /* how far a row of tag reaches, at most */
    "  has_rollups INTEGER NOT NULL DEFAULT 0," /* 0: rollup has yet to be made of what is there */
    "  sealed_end INTEGER NOT NULL DEFAULT 0,"  /* of the segment's sealed blocks */
    "  erasing INTEGER NOT NULL DEFAULT 0," /* time of the first deletion whose bytes are still there; 0: none are */
    "  has_model_parts INTEGER NOT NULL DEFAULT 0);" /* 0: tags of models are of their whole names alone */
    "INSERT INTO state VALUES(1, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1);"
    "CREATE TABLE block("
    "  first INTEGER PRIMARY KEY," /* arrival number of its first span */
    "  at INTEGER NOT NULL, length INTEGER NOT NULL, heads_length INTEGER NOT NULL," /* in the segment */
    "  spans INTEGER NOT NULL, min_start INTEGER NOT NULL, max_start INTEGER NOT NULL,"
    "  words INTEGER NOT NULL DEFAULT 0," /* bytes of its word filter; 0: it has none */
    "  min_key INTEGER);"                 /* the smallest key of the traces of its spans; NULL: not known */
    "CREATE TABLE trace("
    "  key INTEGER PRIMARY KEY, trace_id BLOB NOT NULL, root_id BLOB, log_type INTEGER NOT NULL,"
    "  start INTEGER NOT NULL, end INTEGER NOT NULL,"
    "  spans INTEGER NOT NULL, calls INTEGER NOT NULL, errors INTEGER NOT NULL,"
    "  prompt_tokens INTEGER, completion_tokens INTEGER, cost REAL, ttft REAL, speed REAL,"
    "  name TEXT, model TEXT, input TEXT, output TEXT, customer TEXT, thread TEXT, environment TEXT, error "
    "TEXT,"
    "  metadata BLOB,"
    /* what the next upsert needs to know: summary.h */
    "  lead_start INTEGER, call_start INTEGER, input_rank INTEGER, input_at INTEGER, output_rank INTEGER,"
    "  output_at INTEGER);"
    "CREATE UNIQUE INDEX trace_by_id ON trace(trace_id);"
    "CREATE TABLE trace_block("
    "  trace INTEGER NOT NULL, block INTEGER NOT NULL,"
    "  ids BLOB NOT NULL," /* a fingerprint of 4 bytes for each span of the trace in the block */
    "  PRIMARY KEY(trace, block)) WITHOUT ROWID;" CREATE_TAG
    "CREATE TABLE superseded(span INTEGER PRIMARY KEY);" /* arrival numbers of copies that were sent again */
    CREATE_ROLLUP CREATE_EVENT CREATE_TAG_RECENT;

const char *const rs_schema_upgrades[] = {
    "ALTER TABLE state ADD COLUMN opened INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE state ADD COLUMN tag_spread INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE tag RENAME TO tag_of_version_1;" CREATE_TAG
    "INSERT INTO tag SELECT hash, trace, 0, 1, NULL FROM tag_of_version_1;"
    "DROP TABLE tag_of_version_1;",
    "DROP TABLE rollup; ALTER TABLE state ADD COLUMN has_rollups INTEGER NOT NULL DEFAULT 0;" CREATE_ROLLUP,
    CREATE_EVENT,
    "ALTER TABLE state ADD COLUMN sealed_end INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE state ADD COLUMN erasing INTEGER NOT NULL DEFAULT 0;",
    CREATE_TAG_RECENT,
    "ALTER TABLE block ADD COLUMN words INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE block ADD COLUMN min_key INTEGER;",
    "", /* 8: pages have checksums */
    "DROP TABLE rollup; UPDATE state SET has_rollups = 0;" CREATE_ROLLUP,
    "ALTER TABLE state ADD COLUMN has_model_parts INTEGER NOT NULL DEFAULT 0;",
};

#define TRACE_STATE_COLUMNS                                                                                  \
    "root_id, log_type, start, end, spans, calls, errors, prompt_tokens, completion_tokens, cost, ttft, "    \
    "speed, name,"                                                                                           \
    " model, input, output, customer, thread, environment, error, metadata, lead_start, call_start, "        \
    "input_rank,"                                                                                            \
    " input_at, output_rank, output_at"
#define TRACE_STATE_VALUES                                                                                   \
    "?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, "     \
    "?24, ?25, ?26,"                                                                                         \
    " ?27, ?28, ?29"
#define TRACE_COLUMNS "key, trace_id, " TRACE_STATE_COLUMNS
#define BLOCK_COLUMNS "first, at, length, heads_length, block.spans, min_start, max_start, words, min_key"

const char *const rs_sql_text[RS_SQL_COUNT] = {
    [RS_SQL_BEGIN] = "BEGIN IMMEDIATE",
    [RS_SQL_BEGIN_READ] = "BEGIN",
    [RS_SQL_COMMIT] = "COMMIT",
    [RS_SQL_ROLLBACK] = "ROLLBACK",
    [RS_SQL_GET_STATE] =
        "SELECT next_span, segment_end, spans, traces, skew, opened, tag_spread, has_rollups, "
        "sealed_end, erasing, has_model_parts FROM state",
    [RS_SQL_SET_STATE] =
        "UPDATE state SET next_span = ?1, segment_end = ?2, spans = ?3, traces = ?4, skew = ?5, opened = ?6, "
        "tag_spread = ?7, has_rollups = ?8, sealed_end = ?9, erasing = ?10, has_model_parts = ?11",
    [RS_SQL_ADD_BLOCK] = "INSERT INTO block VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    [RS_SQL_ALL_BLOCKS] = "SELECT * FROM block ORDER BY at", /* of an index of any version */
    [RS_SQL_BLOCKS_SINCE] =
        "SELECT " BLOCK_COLUMNS " FROM block WHERE max_start >= ?1 AND first >= ?2 ORDER BY first",
    [RS_SQL_BLOCK] = "SELECT " BLOCK_COLUMNS " FROM block WHERE first = ?1",
    [RS_SQL_NEWEST_START] = "SELECT max(max_start) FROM block",
    [RS_SQL_FIRST_BLOCK] = "SELECT min(first) FROM block",
    [RS_SQL_LAST_BLOCK] = "SELECT max(first) FROM block WHERE first < ?1",
    [RS_SQL_LAST_BLOCKS] =
        "SELECT " BLOCK_COLUMNS " FROM block WHERE first < ?1 AND first >= ?2 ORDER BY first DESC LIMIT ?3",
    [RS_SQL_LAST_TRACE_BLOCKS] = "SELECT " BLOCK_COLUMNS " FROM trace_block JOIN block ON first = block"
                                 " WHERE trace = ?4 AND trace_block.block < ?1 AND trace_block.block >= ?2"
                                 " ORDER BY trace_block.block DESC LIMIT ?3",
    [RS_SQL_ADD_TRACE] = "INSERT INTO trace(" TRACE_COLUMNS ") VALUES(?1, ?2, " TRACE_STATE_VALUES ")",
    [RS_SQL_SET_TRACE] = "UPDATE trace SET (" TRACE_STATE_COLUMNS ") = (" TRACE_STATE_VALUES
                         ") WHERE key = ?1 AND trace_id = ?2",
    [RS_SQL_TRACE_BY_ID] = "SELECT " TRACE_COLUMNS " FROM trace WHERE trace_id = ?1",
    [RS_SQL_TRACE_BY_KEY] = "SELECT " TRACE_COLUMNS " FROM trace WHERE key = ?1",
    [RS_SQL_ALL_TRACES] = "SELECT key, trace_id FROM trace",
    [RS_SQL_TRACES_AFTER] = "SELECT key, trace_id FROM trace WHERE key > ?1 ORDER BY key",
    /* Each from its end: min and max in one SELECT go through the table. */
    [RS_SQL_KEY_RANGE] = "SELECT (SELECT min(key) FROM trace), (SELECT max(key) FROM trace)",
    [RS_SQL_HAS_KEY] = "SELECT 1 FROM trace WHERE key = ?1",
    [RS_SQL_KEY_NEWEST] = "SELECT max(key) FROM trace WHERE key BETWEEN ?1 AND ?2",
    [RS_SQL_KEY_OLDEST] = "SELECT min(key) FROM trace WHERE key BETWEEN ?1 AND ?2",
    [RS_SQL_TRACES_NEWEST] =
        "SELECT " TRACE_COLUMNS " FROM trace WHERE key BETWEEN ?1 AND ?2 ORDER BY key DESC LIMIT ?3",
    [RS_SQL_TRACES_OLDEST] =
        "SELECT " TRACE_COLUMNS " FROM trace WHERE key BETWEEN ?1 AND ?2 ORDER BY key ASC LIMIT ?3",
    [RS_SQL_KEYS_NEWEST] =
        "SELECT key, start FROM trace WHERE key BETWEEN ?1 AND ?2 ORDER BY key DESC LIMIT ?3",
    [RS_SQL_KEYS_OLDEST] =
        "SELECT key, start FROM trace WHERE key BETWEEN ?1 AND ?2 ORDER BY key ASC LIMIT ?3",
    [RS_SQL_ADD_TRACE_BLOCK] = "INSERT INTO trace_block VALUES(?1, ?2, ?3)",
    [RS_SQL_TRACE_IDS] = "SELECT ids FROM trace_block WHERE trace = ?1",
    [RS_SQL_TRACE_BLOCKS] =
        "SELECT " BLOCK_COLUMNS ", ids FROM trace_block JOIN block ON first = block"
        " WHERE trace = ?1 AND trace_block.block > ?2 ORDER BY trace_block.block LIMIT ?3",
    [RS_SQL_EVERY_ID] = "SELECT trace, ids FROM trace_block",
    [RS_SQL_ALL_IDS] = "SELECT trace, block, ids FROM trace_block WHERE (trace, block) < (?1, ?2)"
                       " ORDER BY trace DESC, block DESC LIMIT ?3",
    [RS_SQL_ADD_TAG] = "INSERT INTO tag VALUES(?1, ?2, ?3, ?4, ?5)",
    [RS_SQL_DROP_TAG] = "DELETE FROM tag WHERE hash = ?1 AND last = ?2",
    [RS_SQL_TAG_NEWEST] =
        "SELECT last, reach, before FROM tag WHERE hash = ?1 AND last BETWEEN ?2 AND ?3 ORDER BY last DESC",
    [RS_SQL_TAG_OLDEST] =
        "SELECT last, reach, before FROM tag WHERE hash = ?1 AND last BETWEEN ?2 AND ?3 ORDER BY last ASC",
    [RS_SQL_TAG_SOME_NEWEST] =
        "SELECT last, reach, before FROM tag WHERE hash = ?1 AND last BETWEEN ?2 AND ?3"
        " ORDER BY last DESC LIMIT ?4",
    [RS_SQL_TAG_SOME_OLDEST] =
        "SELECT last, reach, before FROM tag WHERE hash = ?1 AND last BETWEEN ?2 AND ?3"
        " ORDER BY last ASC LIMIT ?4",
    [RS_SQL_EVERY_TAG] = "SELECT last, reach, before, hash FROM tag",
    [RS_SQL_DROP_TRACE] = "DELETE FROM trace WHERE key = ?1",
    [RS_SQL_DROP_TRACE_BLOCKS] = "DELETE FROM trace_block WHERE trace = ?1",
    [RS_SQL_DROP_EVENTS] = "DELETE FROM event WHERE trace_id = ?1",
    [RS_SQL_DROP_EMPTY_ROLLUPS] = "DELETE FROM rollup WHERE n = 0 AND (SELECT count(*) FROM rollup) < ?1",
    [RS_SQL_TAG_TALLY] = "SELECT last, reach, n FROM tag WHERE hash = ?1 AND last BETWEEN ?2 AND ?3"
                         " ORDER BY last DESC LIMIT ?4",
    [RS_SQL_ADD_RECENT_TAGS] = "INSERT INTO tag_recent(n, entries) VALUES(?1, ?2)",
    [RS_SQL_RECENT_TAGS] = "SELECT entries FROM tag_recent",
    [RS_SQL_COUNT_RECENT_TAGS] = "SELECT coalesce(sum(n), 0) FROM tag_recent",
    [RS_SQL_CLEAR_RECENT_TAGS] = "DELETE FROM tag_recent",
    [RS_SQL_ADD_SUPERSEDED] = "INSERT OR IGNORE INTO superseded VALUES(?1)",
    [RS_SQL_SUPERSEDED] = "SELECT span FROM superseded WHERE span >= ?1 AND span < ?2",
    [RS_SQL_ADD_ROLLUP] =
        "UPDATE rollup SET n = n + ?6, calls = calls + ?7, errors = errors + ?8, prompt_tokens = "
        "prompt_tokens + ?9,"
        " completion_tokens = completion_tokens + ?10, cost = cost + ?11, latency = hist_add(latency, ?12),"
        " ttft = hist_add(ttft, ?13), speed = hist_add(speed, ?14), cached_tokens = cached_tokens + ?15,"
        " reasoning_tokens = reasoning_tokens + ?16"
        " WHERE of = ?1 AND hour = ?2 AND log_type = ?3 AND model = ?4 AND environment = ?5",
    [RS_SQL_NEW_ROLLUP] =
        "INSERT INTO rollup VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
    [RS_SQL_COUNT_ROLLUPS] = "SELECT count(*) FROM rollup",
    [RS_SQL_DROP_ROLLUPS] = "DELETE FROM rollup",
    [RS_SQL_ROLLUPS] = "SELECT hour, log_type, model, environment, n, calls, errors, prompt_tokens, "
                       "completion_tokens, cost, latency,"
                       " ttft, speed, cached_tokens, reasoning_tokens FROM rollup WHERE of = ?1 AND hour "
                       "BETWEEN ?2 AND ?3 ORDER BY hour",
    [RS_SQL_MODEL_NAMES] = "SELECT DISTINCT model FROM rollup WHERE of = ?1 AND model LIKE '%/_%'",
    [RS_SQL_HAS_MIXED_ROLLUPS] = "SELECT 1 FROM rollup WHERE of = ?1 AND log_type = 255",
    [RS_SQL_ADD_EVENT] = "INSERT OR IGNORE INTO event VALUES(?1, ?2, ?3, ?4, ?5)",
    [RS_SQL_JOIN_EVENT] = "INSERT INTO event VALUES(?1, ?2, ?3, ?4, NULL)"
                          " ON CONFLICT(trace_id, span_id, hash) DO UPDATE SET record = NULL",
    [RS_SQL_HAS_EVENT] = "SELECT 1 FROM event WHERE trace_id = ?1 AND span_id = ?2 AND hash = ?3",
    [RS_SQL_EVENTS_OF] = "SELECT hash, record FROM event WHERE trace_id = ?1 AND span_id = ?2 ORDER BY place",
    [RS_SQL_EVERY_EVENT] = "SELECT trace_id, span_id FROM event",
};

/* ---- rewriting ----------------------------------------------------------------------------------------- */

const char rs_schema_rewriter_pragmas[] = "PRAGMA temp_store=FILE; PRAGMA cache_size=-2048;";
/* A new index is nobody's until it is whole and synced. */
const char rs_schema_fresh_pragmas[] =
    "PRAGMA fresh.journal_mode=OFF; PRAGMA fresh.synchronous=NORMAL; PRAGMA fresh.cache_size=-4096;"
    "DROP INDEX fresh.trace_by_id;";

/* All but those that are made anew. */
const char rs_sql_tables_to_copy[] = "SELECT name FROM main.sqlite_schema WHERE type = 'table'"
                                     " AND name NOT LIKE 'sqlite_%' AND name NOT IN ('block', 'trace_block')";
/* In the order of its key, so that pages fill up. `SELECT *`: upgrades add columns where the schema has them, at the end. */
const char rs_sql_copy_table[] = "DELETE FROM fresh.%s; INSERT INTO fresh.%s SELECT * FROM main.%s;";
const char rs_schema_fresh_index[] =
    "CREATE UNIQUE INDEX IF NOT EXISTS fresh.trace_by_id ON trace(trace_id);";
const char rs_schema_drop_strays[] =
    "DELETE FROM fresh.trace_block WHERE trace NOT IN (SELECT key FROM fresh.trace);";

const char rs_schema_parts[] = "CREATE TEMP TABLE part(trace INTEGER, block INTEGER, ids BLOB);"
                               "CREATE TEMP TABLE carried(first INTEGER PRIMARY KEY);";
const char rs_schema_take_parts[] =
    "INSERT INTO part SELECT trace, block, ids FROM main.trace_block WHERE block IN (SELECT first FROM "
    "carried);"
    "INSERT INTO fresh.trace_block SELECT trace, block, ids FROM part ORDER BY trace, block;"
    "DELETE FROM part; DELETE FROM carried;";

const char rs_sql_attach[] = "ATTACH ?1 AS fresh";
const char rs_sql_set_fresh_end[] = "UPDATE fresh.state SET segment_end = ?1, sealed_end = ?2, erasing = ?3";
const char rs_sql_add_fresh_block[] = "INSERT INTO fresh.block VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
const char rs_sql_key_of_trace[] = "SELECT key FROM main.trace WHERE trace_id = ?1";
const char rs_sql_add_part[] = "INSERT INTO part VALUES(?1, ?2, ?3)";
const char rs_sql_add_carried[] = "INSERT INTO carried VALUES(?1)";
