/* What a program over the C API must have said to its server, kept beside the program that fuzz_c_api.c runs.
 *
 * The model knows of every span what it was given last and whether it was ended, and of every client what its counts
 * may be. model_check compares both with what the fake server received and aborts where they differ. Plain data of the
 * interpreter's thread. */
#ifndef RS_FUZZ_C_API_MODEL_H
#define RS_FUZZ_C_API_MODEL_H

#include "c_api_values.h"
#include "fake_http.h"

enum { SPANS_MAX = 256, SETS_MAX = 8, CLIENTS_MAX = 12 };

typedef enum span_state {
    SPAN_OPEN,
    SPAN_DISCARDED,
    SPAN_ENDED,  /* while its client was open */
    SPAN_LATE,   /* after its client was closed: it goes nowhere, but as one that was interrupted by that */
    SPAN_HANDED, /* another thread ends it now */
    SPAN_MAYBE,  /* ended by another thread while its client was closed */
} span_state;

typedef struct model_span {
    respan_span *span; /* NULL once it was given away */
    respan_span_context context;
    uint8_t parent_id[8];
    bool has_parent;
    span_state state;
    int client, set; /* set: -1 for none */
    text_spec name, message;
    respan_span_kind kind;
    respan_status_code status;
    uint64_t start_ns, end_ns; /* 0: the clock's */
    value_spec own[KEYS];
    uint32_t events, links;
    uint32_t accepted; /* bodies with it that the server took */
} model_span;

typedef struct model_set {
    respan_attributes *set; /* NULL once freed */
    value_spec values[KEYS];
} model_set;

typedef struct model_client {
    respan_client *client; /* NULL once closed */
    bool reaches_server;   /* else nobody listens at its address */
    bool may_repeat;       /* a request may have been given up while the server took it */
    bool has_environment;
    size_t max_content;
    uint64_t started, ended, maybe;
    respan_stats last; /* as close gave it */
} model_client;

typedef struct model {
    model_span spans[SPANS_MAX];
    model_set sets[SETS_MAX];
    model_client clients[CLIENTS_MAX];
    int nspans, nsets, nclients;
    bool is_lossless; /* no answer of the server refuses a span */
    bool may_prune;   /* a client's spool is so small that it removes what others left */
} model;

/* Answer `which` of the table of what servers say; notes if it refuses spans. */
const fake_answer *model_answer(model *m, unsigned which);
/* ended = acknowledged + rejected + dropped + kept + pending, and as many as the program made. */
void model_check_stats(const model_client *c, const respan_stats *s);
/* Everything that f received was said, and is as it was said; what clients counted as acknowledged is there. */
void model_check(model *m, fake_http *f);
/* Ids that say that a span is none of the model's: a child of fork made it, or it came after the program. */
#define OTHERS_ID                                                                                            \
    { 0xc4, 0x1d, 0xc4, 0x1d, 0xc4, 0x1d }
bool is_of_others(const uint8_t span_id[8]);

#endif
