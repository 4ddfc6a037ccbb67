/* The trace store: blocks of spans, one summary row per trace, tags. The interface that every back end implements.
 *
 * Owner: the server. Threads: ONE writer thread calls rs_store_commit; any thread may read, and readers never wait for
 * the writer. What commit acknowledged survives `kill -9` of the process. Each project is a world of its own: no
 * read crosses projects, by construction (one directory per project and time partition).
 *
 * Content (attributes, prompts, completions) is compressed apart from heads (ids, times, small facts), so that a list
 * or a tree never decompresses content. */
#ifndef RS_STORE_STORE_H
#define RS_STORE_STORE_H

#include "otlp/span.h"
#include "store/retention.h"
#include "store/sums.h"
#include "store/words.h"

typedef struct rs_store rs_store;

/* Opens (and makes, 0700) the store in directory `dir`. Takes an exclusive lock: a second process gets RS_ERR_DENIED with
 * a message that names the holder. Recovers from a crash: an orphan tail of a segment is cut. */
RS_MUST_CHECK rs_status rs_store_open(const char *dir, rs_store **out, rs_err *err);
void rs_store_close(rs_store *s);

/* A project's spans lie in partitions: with so many spans, or so old, one takes no new traces and another is begun. Default: a
 * million, a day. Before the first commit. */
void rs_store_limit_partitions(rs_store *s, uint64_t spans, uint64_t age_ns);

/* What an acknowledgement promises. Default: process. */
typedef enum rs_durability {
    RS_DURABLE_PROCESS, /* it outlives the process, however that dies */
    RS_DURABLE_POWER, /* it outlives the machine: each commit waits for the disk, which pays where commits are large */
} rs_durability;
/* Before anything else is asked of it. */
void rs_store_set_durability(rs_store *s, rs_durability durability);

/* ---- writing (the one writer thread) ------------------------------------------------------------------- */

typedef struct rs_prepared rs_prepared;

/* An event that was sent apart from its span. The store keeps it until the span comes, and knows from then on that the span has it;
 * putting the two together is the caller's: only he can normalize. The same event of a span is one, however often it is sent. */
typedef struct rs_store_event {
    uint8_t trace_id[16], span_id[8];
    rs_str record;  /* an Event message of OTLP, not empty */
    bool is_joined; /* the span, of this commit or stored, has it: no need to keep the record */
} rs_store_event;

typedef struct rs_store_batch {
    uint64_t project;
    const rs_span *spans; /* normalized; borrowed until commit returns */
    size_t n;
    const rs_prepared *prepared;  /* of these very spans; or NULL */
    const rs_store_event *events; /* borrowed likewise */
    size_t nevents;
} rs_store_batch;

/* Any thread: encodes and compresses spans, which is most of what a commit does and would else do on the one writer thread. The
 * result lies in the arena. *out is NULL where it is better not done: of few spans the commit makes a block together with others'. */
RS_MUST_CHECK rs_status rs_store_prepare(rs_store *s, uint64_t project, const rs_span *spans, size_t n,
                                         rs_arena *arena, const rs_prepared **out, rs_err *err);

/* Between these two nothing is committed or deleted by another thread: for a commit that depends on what is stored. */
void rs_store_begin(rs_store *s);
void rs_store_end(rs_store *s);

/* Stores all batches or, for a project whose part fails, says so in failed[i] (if not NULL) for each of its batches. Of such a
 * project nothing was stored, or (late spans go to the partition of their trace) one partition's part: to send them again is right
 * either way. Returns RS_OK if all are safe. RS_ERR_FULL: no disk room; the store stays usable and readable. */
RS_MUST_CHECK rs_status rs_store_commit(rs_store *s, const rs_store_batch *batches, size_t n, bool *failed,
                                        rs_err *err);

/* ---- keeping ------------------------------------------------------------------------------------------- */

/* A thread of the store, at the lowest priority: seals partitions that take no new traces (blocks of 2,000 spans, compressed
 * harder, whole traces together), makes the bytes of deleted traces go, and drops partitions that are past what is kept. */

/* On the keeper's thread, about once a minute. */
typedef rs_retention (*rs_retention_fn)(void *ctx, uint64_t project);

/* Likewise, of a project of which not all is kept: *out is empty, its ids are then the keeper's to free. An error: nothing goes now. */
typedef rs_status (*rs_pins_fn)(void *ctx, uint64_t project, rs_pins *out, rs_err *err);

/* Until rs_store_close. fn may be NULL: all is kept; pins may be: none are. */
RS_MUST_CHECK rs_status rs_store_start_keeper(rs_store *s, rs_retention_fn fn, rs_pins_fn pins, void *ctx,
                                              rs_err *err);
/* Does at once for a project what the keeper will do for all but the partition that takes new traces; that one is closed and
 * sealed, too. Any thread; takes seconds for a million spans. RS_ERR_FULL: there must be room for the largest partition again. */
RS_MUST_CHECK rs_status rs_store_compact(rs_store *s, uint64_t project, rs_err *err);
/* A part of that work alone: the word filters of what takes no new traces, laid out so that they are asked together (word_rows.h). */
RS_MUST_CHECK rs_status rs_store_make_word_rows(rs_store *s, uint64_t project, rs_err *err);
/* Another: of what the blocks of each partition are packed against there is a copy that is whole, and so is what it is of. */
RS_MUST_CHECK rs_status rs_store_copy_dictionaries(rs_store *s, uint64_t project, rs_err *err);
/* Has the keeper do it. */
void rs_store_ask_compact(rs_store *s, uint64_t project);
/* How that goes. */
typedef struct rs_compacting {
    bool is_at_it; /* it is still to be done, or being done */
    bool is_rid;   /* no byte of a deleted trace is in the project's files */
    /* Why the last try failed; "": it did not. While something is to go it is tried again about once a minute. */
    char error[256];
} rs_compacting;
void rs_store_get_compacting(rs_store *s, uint64_t project, rs_compacting *out);
/* Drops what is past that, in whole partitions; *dropped: how many (may be NULL). Of a partition with pinned traces (may be NULL) the
 * others are deleted, and it is rewritten. The keeper's work, for those without one. */
RS_MUST_CHECK rs_status rs_store_retain(rs_store *s, uint64_t project, const rs_retention *keep,
                                        const rs_pins *pins, size_t *dropped, rs_err *err);
/* Unlinks all of a project. What is committed to it later begins it anew: its keys are revoked before. Any thread. */
RS_MUST_CHECK rs_status rs_store_drop_project(rs_store *s, uint64_t project, rs_err *err);
/* The projects that have spans, in order; *out is the caller's to free. */
RS_MUST_CHECK rs_status rs_store_list_projects(rs_store *s, uint64_t **out, size_t *n, rs_err *err);

enum { RS_DELETE_MOST = 1000 };
/* Any thread. Deletes those of the traces that there are: when it returns they are in no answer and no count, and that they are
 * deleted is as durable as a commit. Their bytes go when the keeper rewrites the partitions that they are in: of one that takes no new
 * traces a quarter of a minute later, of the one that does within some five minutes, and as long as rewriting takes. A span
 * that comes later begins a trace of that id anew. *deleted: how many there were. On an error some may be deleted. */
RS_MUST_CHECK rs_status rs_store_delete_traces(rs_store *s, uint64_t project, const uint8_t (*ids)[16],
                                               size_t n, size_t *deleted, rs_err *err);

/* ---- reading (any thread) ------------------------------------------------------------------------------ */

/* One trace's summary. Slices are valid only during the callback that hands the row out. */
struct rs_trace_row {
    int64_t key; /* order of the list: first-seen start in µs, unique in the project; a cursor for paging */
    uint8_t trace_id[16], root_span_id[8];
    bool has_root;
    rs_log_type log_type;      /* of the root, or of the earliest span while there is none */
    uint64_t start_ns, end_ns; /* over all spans */
    uint32_t span_count, llm_call_count, error_count;
    int64_t prompt_tokens, completion_tokens; /* sums over model calls; -1: none said */
    double cost;                              /* sum; NaN: none said */
    double ttft, tokens_per_second;           /* of the first model call; NaN: not known */
    rs_str name;                              /* root's entity name, else its span name */
    rs_str model;                             /* of the first model call */
    rs_str input, output; /* previews: first model call's input, last one's output, else the root's */
    rs_str customer, thread, environment, error_message;
    rs_str metadata; /* JSON object: union over spans, the root winning */
    const uint64_t *
        tags; /* in a scan that has groups: bit i of word i / 64 says whether it has the scan's tag i; else NULL */
    bool running; /* it has open spans: never in what the store hands out, which knows none */
};

/* The row of a trace of which these spans (1 or more, normalized) are all; in the arena, and slices of theirs. */
RS_MUST_CHECK rs_status rs_store_summarize(const rs_span *spans, size_t n, rs_arena *arena,
                                           rs_trace_row *out);

/* A fact as a tag: "model=gpt-4o" is {"model", "gpt-4o"}. Keys: model (and what is behind the last slash of its name), provider, log_type, name (span or entity name), workflow,
 * customer_identifier, thread_identifier, environment, status_code ("ok" "error" "unset"), metadata__KEY, respan.model.FACT. */
typedef struct rs_tag {
    rs_str key, value;
} rs_tag;

/* Numbers of tags, any one of which is enough. */
typedef struct rs_tag_group {
    const uint16_t *items;
    size_t n;
} rs_tag_group;

enum { RS_SCAN_TAGS_MAX = 1024 };

typedef struct rs_trace_scan {
    bool oldest_first; /* default newest first, by key */
    bool has_after;    /* continue behind this key (exclusive) */
    int64_t after;
    uint64_t start_min_ns, start_max_ns; /* trace start in [min, max); max 0: open */
    const rs_tag
        *tags;    /* every trace handed out has a span with each of them, or, of each group, with one (hash
                                    collisions are possible: the caller verifies what it can see) */
    size_t ntags; /* at most RS_SCAN_TAGS_MAX */
    const rs_tag_group *
        groups; /* NULL: none; not NULL and ngroups 0: no trace needs any, but the rows say which they have */
    size_t ngroups;
    bool keys_only; /* rows have their key and tags alone: far cheaper where tags drive the scan */
} rs_trace_scan;

/* Return false to stop. Must not call back into the store. */
typedef bool (*rs_trace_fn)(void *ctx, const rs_trace_row *row);

RS_MUST_CHECK rs_status rs_store_scan_traces(rs_store *s, uint64_t project, const rs_trace_scan *scan,
                                             rs_trace_fn fn, void *ctx, rs_err *err);

/* Traces one of whose spans has the phrase in what it says (span_text.h), in the order of their keys. Blocks that may have it are
 * unpacked, as many as are allowed: a scan that ends before all is seen is taken up again behind `after`. The rows have no tags. */
typedef struct rs_text_scan {
    const rs_phrase *phrase;
    bool oldest_first;
    bool has_after;                      /* go on behind this key */
    int64_t after;                       /* when it ends: up to there all is decided */
    uint64_t start_min_ns, start_max_ns; /* trace start in [min, max); max 0: open */
    uint64_t blocks_left;                /* that may be unpacked; what was is taken off */
    bool complete;                       /* there are no more */
} rs_text_scan;
RS_MUST_CHECK rs_status rs_store_scan_text(rs_store *s, uint64_t project, rs_text_scan *scan, rs_trace_fn fn,
                                           void *ctx, rs_err *err);

/* Of some of the newest blocks, how many may have each phrase: which of them is rare. */
RS_MUST_CHECK rs_status rs_store_sample_text(rs_store *s, uint64_t project, const rs_phrase *const *phrases,
                                             size_t n, unsigned *counts, rs_err *err);

/* Whether a span of the trace may say any of these phrases, from filters alone: may[i]. RS_ERR_NOT_FOUND. */
RS_MUST_CHECK rs_status rs_store_trace_may_say(rs_store *s, uint64_t project, const uint8_t trace_id[16],
                                               const rs_phrase *const *phrases, size_t n, bool *may,
                                               rs_err *err);

/* About how many traces have a key in [low, high], by the spans of blocks. */
typedef struct rs_store_range {
    int64_t low, high;
} rs_store_range;
RS_MUST_CHECK rs_status rs_store_estimate_traces(rs_store *s, uint64_t project, const rs_store_range *keys,
                                                 double *out, rs_err *err);

enum {
    RS_COUNT_EXACT =
        5000, /* traces, of the rarest tag, among which those with all tags are counted one by one */
    RS_COUNT_PLACES = 8,
};

/* How many traces a scan would hand out, from the index alone (hash collisions included): as much work whatever the answer is. */
typedef struct rs_trace_count {
    /* the question, as that of rs_trace_scan; groups NULL: one for each tag */
    const rs_tag *tags;
    size_t ntags;
    const rs_tag_group *groups;
    size_t ngroups;
    uint64_t start_min_ns, start_max_ns;
    bool is_rough; /* the caller will look at those that are counted: about how many is enough */
    /* the answer */
    double count;
    bool is_exact;
    /* Keys, between two of which about as many of the traces lie as between any others: those that come next behind each, newest
     * first, are a sample of all. */
    int64_t places[RS_COUNT_PLACES];
    size_t nplaces;
} rs_trace_count;
RS_MUST_CHECK rs_status rs_store_count_traces(rs_store *s, uint64_t project, rs_trace_count *c, rs_err *err);

/* How many traces have a tag, from the index alone (hash collisions included). */
RS_MUST_CHECK rs_status rs_store_count_tag(rs_store *s, uint64_t project, const rs_tag *tag, uint64_t *out,
                                           rs_err *err);

/* The row of one trace through the same callback; RS_ERR_NOT_FOUND. */
RS_MUST_CHECK rs_status rs_store_get_trace(rs_store *s, uint64_t project, const uint8_t trace_id[16],
                                           rs_trace_fn fn, void *ctx, rs_err *err);

typedef enum rs_read_depth {
    RS_READ_HEADS, /* ids, name, kind, times, status, small facts; attrs/events/links empty, resource and scope empty */
    RS_READ_FULL, /* everything that was sent; facts: only the small ones (normalize again for the others) */
} rs_read_depth;

/* All spans of a trace in start order, each span id once (the last sent wins), into the arena.
 * RS_ERR_NOT_FOUND if there is none. RS_ERR_CORRUPT if a block is: *out then has the spans of the others. */
RS_MUST_CHECK rs_status rs_store_read_trace(rs_store *s, uint64_t project, const uint8_t trace_id[16],
                                            rs_read_depth depth, rs_arena *arena, rs_spans *out, rs_err *err);

/* Where a span of a trace is, and what its place in the tree depends on: 40 bytes instead of a span, so that a trace of any size can
 * be gone through in any order, piece by piece. */
typedef struct rs_span_place {
    uint64_t number; /* of arrival, unique in the project */
    uint64_t start_ns;
    uint8_t span_id[8], parent_id[8];
    uint32_t bytes; /* what it takes in full, about */
    bool has_parent;
} rs_span_place;

/* All spans of a trace as rs_store_read_trace orders them, each span id once; of those, the ones whose number is at least `since`, for
 * which no other block is read: none of them is no error. RS_ERR_NOT_FOUND. RS_ERR_CORRUPT if a block is. */
RS_MUST_CHECK rs_status rs_store_find_places(rs_store *s, uint64_t project, const uint8_t trace_id[16],
                                             uint64_t since, rs_arena *arena, rs_span_place **out, size_t *n,
                                             rs_err *err);
/* Those n spans of the trace, by their numbers, which ascend. RS_ERR_NOT_FOUND if one is not there any more. */
RS_MUST_CHECK rs_status rs_store_read_places(rs_store *s, uint64_t project, const uint8_t trace_id[16],
                                             const uint64_t *numbers, size_t n, rs_read_depth depth,
                                             rs_arena *arena, rs_span *out, rs_err *err);

/* One span in full; trace_id may be NULL (then found by a filter over blocks). RS_ERR_NOT_FOUND. */
RS_MUST_CHECK rs_status rs_store_read_span(rs_store *s, uint64_t project, const uint8_t *trace_id,
                                           const uint8_t span_id[8], rs_arena *arena, rs_span *out,
                                           rs_err *err);

/* Spans in order of arrival, newest first. key is a cursor. Return false to stop. A corrupt block is left out, with a line in the
 * log that names it. */
typedef bool (*rs_span_fn)(void *ctx, int64_t key, const rs_span *head);
typedef struct rs_span_scan {
    bool has_before;
    int64_t before; /* only spans with a smaller key */
    rs_read_depth depth;
    uint64_t start_min_ns, start_max_ns; /* span start in [min, max); max 0: open */
    const uint8_t *trace_id;             /* only spans of this one, from its blocks alone; NULL: of any */
    /* Blocks whose filters let them have all of these are read in full, whatever the depth, and *in_full says so. A span in which none of
     * them can be then comes without its attributes, unless the depth asks for them. */
    const rs_phrase *const *phrases;
    size_t nphrases;
    bool *in_full;
    unsigned part,
        parts; /* of rs_store_scan_trace: every parts-th block alone, from that one on; parts 0: all */
} rs_span_scan;
RS_MUST_CHECK rs_status rs_store_scan_spans(rs_store *s, uint64_t project, const rs_span_scan *scan,
                                            rs_span_fn fn, void *ctx, rs_err *err);

/* The spans of one trace by arrival, each span id once (the last sent wins), from the blocks that have any of it alone. `before` and the
 * window do not count, and full spans have attributes, events and links alone, during the call. A corrupt block is left out as above. Several threads may each
 * go through a part. RS_ERR_NOT_FOUND. */
RS_MUST_CHECK rs_status rs_store_scan_trace(rs_store *s, uint64_t project, const uint8_t trace_id[16],
                                            const rs_span_scan *scan, rs_span_fn fn, void *ctx, rs_err *err);

/* ---- sums of everything, by the hour ------------------------------------------------------------------- */

typedef enum rs_of { RS_OF_SPANS, RS_OF_TRACES } rs_of;

/* Sums of what started in one hour and has these three; of traces, of what started in it alone. Valid during the callback. */
typedef struct rs_hour_row {
    uint64_t hour; /* since the epoch */
    bool
        has_kind; /* false: of what came in too many kinds to be told apart; the three are not known. Of traces always */
    rs_log_type log_type;
    rs_str model, environment; /* empty: none */
    rs_sums sums;
} rs_hour_row;

typedef struct rs_hour_scan {
    rs_of of;
    uint64_t first, last; /* hours, both inclusive */
    bool has_histograms;  /* false: those of the sums stay empty, which is quicker */
} rs_hour_scan;

/* Return false to stop. */
typedef bool (*rs_hour_fn)(void *ctx, const rs_hour_row *row);

/* As of the last commit, exact, in no order; an hour and kind may come more than once: add them up. */
RS_MUST_CHECK rs_status rs_store_scan_hours(rs_store *s, uint64_t project, const rs_hour_scan *scan,
                                            rs_hour_fn fn, void *ctx, rs_err *err);

/* What is known of events that were sent apart from this span, by arrival; *n 0 if nothing is. Records lie in the arena. */
typedef struct rs_stored_event {
    uint64_t hash; /* rs_store_event_hash of its record */
    rs_str record;
    bool is_joined; /* a copy of the span was stored with it; the record is empty */
} rs_stored_event;
RS_MUST_CHECK rs_status rs_store_read_events(rs_store *s, uint64_t project, const uint8_t trace_id[16],
                                             const uint8_t span_id[8], rs_arena *arena, rs_stored_event **out,
                                             size_t *n, rs_err *err);
/* Whether there is any such event: where not, spans need not be asked for one by one. */
RS_MUST_CHECK rs_status rs_store_may_have_events(rs_store *s, uint64_t project, bool *may, rs_err *err);
uint64_t rs_store_event_hash(rs_str record);

typedef struct rs_store_stats {
    uint64_t traces, spans, bytes; /* of the project; bytes on disk */
} rs_store_stats;
RS_MUST_CHECK rs_status rs_store_get_stats(rs_store *s, uint64_t project, rs_store_stats *out, rs_err *err);

/* ---- looking at one from outside ----------------------------------------------------------------------- */

/* The process that has it open; 0: none; -1: one that is not known. */
long rs_store_holder(const char *dir);

typedef struct rs_store_facts {
    long holder;                   /* rs_store_holder */
    uint64_t projects;             /* that have spans */
    uint64_t traces, spans, bytes; /* of all of them; bytes on disk */
} rs_store_facts;

/* Any process, whether another has the store open or not; changes nothing. A folder without a store has no facts.
 * RS_ERR_UNSUPPORTED: another version made it; RS_ERR_CORRUPT; RS_ERR_IO. *out is what was found until then. */
RS_MUST_CHECK rs_status rs_store_look(const char *dir, rs_store_facts *out, rs_err *err);

/* Likewise: whether a project has no file at all. */
RS_MUST_CHECK rs_status rs_store_has_nothing_of(const char *dir, uint64_t project, bool *nothing,
                                                rs_err *err);

typedef struct rs_store_report {
    uint64_t partitions, blocks, traces, spans, bytes; /* that were gone through; bytes of blocks */
    uint64_t problems;
} rs_store_report;
/* One line about what is wrong, where. */
typedef void (*rs_problem_fn)(void *ctx, const char *text);

/* Any process, whether another has the store open or not; changes nothing. Reads all of it: each checksum, each span, each count
 * against what it counts. What it finds is told to fn (may be NULL) and counted; RS_OK says only that it could look. Memory: some
 * 60 bytes for each trace of a partition. */
RS_MUST_CHECK rs_status rs_store_check(const char *dir, rs_problem_fn fn, void *ctx, rs_store_report *out,
                                       rs_err *err);

/* Any process, whether another has the store `from` open or not; changes nothing in it. Copies all of it to the folder `to`, synced:
 * each partition as it was at some moment after the call began, so every span acknowledged before is there. RS_ERR_INVALID:
 * `to` is neither missing nor empty. RS_ERR_FULL. What failed leaves a folder without `projects`. */
RS_MUST_CHECK rs_status rs_store_copy(const char *from, const char *to, rs_err *err);

#endif
