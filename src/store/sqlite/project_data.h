/* rs_project_data: a project's partitions, oldest first. The last one takes new traces, until it is large or old enough
 * (rs_partition_limits): then another is made. A trace stays in the partition where its first span went, however late the
 * others come, so that no question has to put a trace together from several.
 *
 * Threads: the writer thread adds partitions; any thread holds the set of them for as long as it reads. */
#ifndef RS_STORE_SQLITE_PROJECT_DATA_H
#define RS_STORE_SQLITE_PROJECT_DATA_H

#include "store/sqlite/partition.h"

typedef struct rs_partition_limits {
    uint64_t spans;  /* that a partition has before there is another */
    uint64_t age_ns; /* of its first commit */
} rs_partition_limits;

/* Not changed once it is made, but for `users`. */
typedef struct rs_partition_set {
    unsigned users; /* readers, and the project while it is its set */
    size_t n;
    rs_partition *items[]; /* oldest first */
} rs_partition_set;

typedef struct rs_project_data {
    uint64_t id;
    char dir[RS_PATH_MAX];
    rs_durability durability;
    pthread_mutex_t lock; /* over `set` and its users */
    rs_partition_set *set;
    rs_partition *
        awake; /* the writer's: of those that take no new traces, the one whose writer's connection is open */
    bool has_events;         /* atomic: a partition has */
    uint64_t next_span;      /* the writer's: arrival numbers are unique in the project */
    uint32_t last_number;    /* the writer's: of a partition; none comes again while the store is open */
    bool wants_compacting;   /* atomic: the keeper is asked to */
    bool is_compacting;      /* atomic: what was asked for is being done */
    char compact_error[256]; /* the keeper's lock: why the last look failed; "": it did not */
    struct rs_project_data *next;
} rs_project_data;

/* With the partitions that there are in dir, which need not exist: then there are none. */
RS_MUST_CHECK rs_status rs_project_data_open(uint64_t id, const char *dir, rs_durability durability,
                                             rs_project_data **out, rs_err *err);
void rs_project_data_close(rs_project_data *p); /* nobody holds it any more */

const rs_partition_set *rs_project_data_hold(rs_project_data *p);
void rs_project_data_let_go(rs_project_data *p, const rs_partition_set *set);

/* ---- the writer thread --------------------------------------------------------------------------------- */

/* Makes another partition if the last one takes no more new traces, or there is none: new ones then go to the last. */
RS_MUST_CHECK rs_status rs_project_data_make_room(rs_project_data *p, const rs_partition_limits *limits,
                                                  rs_err *err);
/* The one that new traces go to; NULL: there is none. */
rs_partition *rs_project_data_last(const rs_project_data *p);
/* Whether new traces go to it while it is the last one. */
bool rs_project_data_takes_more(const rs_partition *p, const rs_partition_limits *limits);
/* Puts another in the place of a partition, or nothing if that is NULL: whoever reads in the old one goes on, and its folder is
 * removed with the last of them. */
RS_MUST_CHECK rs_status rs_project_data_replace(rs_project_data *p, rs_partition *old, rs_partition *made,
                                                rs_err *err);
/* Where the trace is, or goes if it is new. There is a partition. */
RS_MUST_CHECK rs_status rs_project_data_home(rs_project_data *p, const uint8_t trace_id[16],
                                             rs_partition **out, rs_err *err);
/* Opens the partition's writer's connection if it rests; another's may go to rest for it. */
RS_MUST_CHECK rs_status rs_project_data_wake(rs_project_data *p, rs_partition *partition, rs_err *err);
/* Whether a partition other than this one has a trace of that key. */
RS_MUST_CHECK rs_status rs_project_data_has_key(rs_project_data *p, const rs_partition *but, int64_t key,
                                                bool *has, rs_err *err);

#endif
