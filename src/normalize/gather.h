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
    rs_parts input, output;
    rs_part room[2][16]; /* where those begin: most spans never need the arena for them */
    rs_gathered_list parameters, metadata, model_facts;
} rs_gather;

/* Attributes of an event rank behind the span's own by this much. */
enum { RS_RANK_EVENT = RS_DIALECTS * RS_RANKS };

void rs_gather_init(rs_gather *g, rs_arena *arena);
RS_MUST_CHECK rs_status rs_gather_attrs(rs_gather *g, const rs_attrs *attrs, unsigned rank);
/* GenAI's message events (gen_ai.user.message, gen_ai.choice, …); event `number` of the span. */
RS_MUST_CHECK rs_status rs_gather_event(rs_gather *g, const rs_event *event, uint32_t number);

#endif
