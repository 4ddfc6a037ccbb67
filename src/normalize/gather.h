/* What one pass over a span's attributes leaves: for each field the best value seen, and the lists.
 * Internal to normalize/; lives on the stack of rs_normalize_span, lists in its arena. */
#ifndef RS_NORMALIZE_GATHER_H
#define RS_NORMALIZE_GATHER_H

#include "normalize/dialect.h"
#include "normalize/messages.h"

/* More parameters, metadata or facts of a model than this stay attributes only: keys are told apart by looking through the list. */
enum { RS_GATHER_MAX = 128 };

typedef struct rs_gathered_list {
    rs_attr *items; /* at most RS_GATHER_MAX */
    uint8_t rank[RS_GATHER_MAX];
    size_t n, cap;
} rs_gathered_list;

typedef struct rs_gather {
    rs_arena *arena;
    const rs_value *best[RS_FIELD_SLOTS]; /* NULL: not seen */
    uint8_t rank[RS_FIELD_SLOTS];
    rs_log_type log_type;
    uint8_t log_rank;
    rs_parts input, output, tools;
    rs_part room[2][16]; /* where input and output begin: most spans never need the arena for them */
    rs_gathered_list parameters, metadata, model_facts;
} rs_gather;

/* Attributes of an event rank behind the span's own by this much. */
enum { RS_RANK_EVENT = RS_DIALECTS * RS_RANKS, RS_RANK_LAST = 2 * RS_RANK_EVENT };

void rs_gather_init(rs_gather *g, rs_arena *arena);
RS_MUST_CHECK rs_status rs_gather_attrs(rs_gather *g, const rs_attrs *attrs, unsigned rank);
/* GenAI's message events (gen_ai.user.message, gen_ai.choice, …); event `number` of the span. */
RS_MUST_CHECK rs_status rs_gather_event(rs_gather *g, const rs_event *event, uint32_t number);
/* After the pass: attributes that a schema lists as the user's own, and no dialect knows, are metadata. */
RS_MUST_CHECK rs_status rs_gather_listed(rs_gather *g, const rs_attrs *attrs);
/* After the pass: what came as one value with a whole request or response in it goes to its fields, as far as nothing
 * else filled them (bodies.c). */
RS_MUST_CHECK rs_status rs_gather_bodies(rs_gather *g);

/* ---- for the files beside gather.c -------------------------------------------------------------------- */

/* A field's value, if it is of the field's type and nothing better ranked is there. */
void rs_gather_put(rs_gather *g, rs_field field, unsigned rank, const rs_value *v);
/* The same with a copy of the value in the arena. */
RS_MUST_CHECK rs_status rs_gather_put_copy(rs_gather *g, rs_field field, unsigned rank, rs_value v);
RS_MUST_CHECK rs_status rs_gather_parameter(rs_gather *g, unsigned rank, rs_str name, const rs_value *v);
/* All message events of a call in one JSON array (events.c). */
RS_MUST_CHECK rs_status rs_gather_message_events(rs_gather *g, const rs_value *v);
/* JSON objects of counts and of costs (usage.c). What is no such object is left alone. */
RS_MUST_CHECK rs_status rs_gather_usage(rs_gather *g, unsigned rank, const rs_value *v);
RS_MUST_CHECK rs_status rs_gather_cost(rs_gather *g, unsigned rank, const rs_value *v);

/* One JSON value: scalars by their type, null as RS_VALUE_EMPTY, a structure as its text. */
rs_value rs_value_of_json(rs_str raw, rs_arena *arena);

#endif
