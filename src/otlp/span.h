/* The span model: what both ends of the wire agree on.
 *
 * A decoded request is ONE unit: the body's bytes, an arena, and spans that are slices into both. Nothing here owns
 * memory; everything lives exactly as long as that unit (or, for spans that a store hands out, as long as the arena
 * it was asked to fill). Plain data: any thread may read, one may write.
 *
 * Field meanings and limits: opentelemetry-proto trace.proto and common.proto, v1. */
#ifndef RS_OTLP_SPAN_H
#define RS_OTLP_SPAN_H

#include "base/arena.h"
#include "base/json_write.h"
#include "base/str.h"
#include <stdint.h>

typedef enum rs_value_type {
    RS_VALUE_EMPTY,
    RS_VALUE_STRING,
    RS_VALUE_BOOL,
    RS_VALUE_INT,
    RS_VALUE_DOUBLE,
    RS_VALUE_ARRAY,  /* s: the protobuf bytes of an ArrayValue message */
    RS_VALUE_KVLIST, /* s: the protobuf bytes of a KeyValueList message */
    RS_VALUE_BYTES,
} rs_value_type;

/* Composite values stay protobuf bytes, whatever encoding they came in: they are kept and shown, rarely opened.
 * Invariant: those bytes were checked when they were decoded (well-formed, nesting <= RS_VALUE_MAX_DEPTH). */
typedef struct rs_value {
    rs_value_type type;
    union {
        rs_str s; /* STRING (valid UTF-8), BYTES, ARRAY, KVLIST */
        bool b;
        int64_t i;
        double d;
    };
} rs_value;

enum { RS_VALUE_MAX_DEPTH = 32 };

typedef struct rs_attr {
    rs_str key; /* valid UTF-8 */
    rs_value value;
} rs_attr;

typedef struct rs_attrs {
    rs_attr *items;
    uint32_t n;
    uint32_t dropped; /* dropped_attributes_count */
} rs_attrs;

typedef struct rs_event {
    uint64_t time_ns;
    rs_str name;
    rs_attrs attrs;
} rs_event;

typedef struct rs_link {
    uint8_t trace_id[16], span_id[8];
    rs_str trace_state;
    rs_attrs attrs;
    uint32_t flags;
} rs_link;

typedef struct rs_resource {
    rs_attrs attrs;
    rs_str schema_url;
} rs_resource;

typedef struct rs_scope {
    rs_str name, version, schema_url;
    rs_attrs attrs;
} rs_scope;

typedef enum rs_status_code { RS_STATUS_UNSET = 0, RS_STATUS_OK = 1, RS_STATUS_ERROR = 2 } rs_status_code;

/* respan.entity.log_type. The numbers are stored: append only. */
typedef enum rs_log_type {
    RS_LOG_UNKNOWN = 0,
    RS_LOG_TEXT,
    RS_LOG_CHAT,
    RS_LOG_COMPLETION,
    RS_LOG_RESPONSE,
    RS_LOG_EMBEDDING,
    RS_LOG_TRANSCRIPTION,
    RS_LOG_SPEECH,
    RS_LOG_WORKFLOW,
    RS_LOG_TASK,
    RS_LOG_TOOL,
    RS_LOG_AGENT,
    RS_LOG_HANDOFF,
    RS_LOG_GUARDRAIL,
    RS_LOG_FUNCTION,
    RS_LOG_CUSTOM,
    RS_LOG_GENERATION,
    RS_LOG_SCORE,
    RS_LOG_TYPE_COUNT,
} rs_log_type;

rs_str rs_log_type_name(rs_log_type t);         /* "text", …; static storage */
rs_log_type rs_log_type_from_name(rs_str name); /* RS_LOG_UNKNOWN if it is none of them */
bool rs_log_type_is_model_call(rs_log_type t);  /* text, chat, completion, response, embedding, transcription,
                                                   speech, generation */

/* Where a token count comes from. The numbers are stored: append only. */
typedef enum rs_usage_source {
    RS_USAGE_NONE = 0,
    RS_USAGE_MEASURED,  /* counted on the tensors */
    RS_USAGE_REPORTED,  /* said by the service */
    RS_USAGE_ESTIMATED, /* counted by a tokenizer afterwards */
} rs_usage_source;
rs_str rs_usage_source_name(rs_usage_source s); /* "" for none */

/* Where a cost comes from. The numbers are stored: append only, to 7. */
typedef enum rs_cost_source {
    RS_COST_NONE = 0, /* there is none, or it was stored before this was told */
    RS_COST_SENT,     /* the span said it */
    RS_COST_TOKENS,   /* its tokens by their price */
    RS_COST_TIME,     /* its time by the price of an hour */
    RS_COST_LOCAL,    /* 0: the model ran here, and its time has no price */
    RS_COST_OUTER,    /* 0: its time is in the call around it, which pays for it */
} rs_cost_source;
rs_str rs_cost_source_name(rs_cost_source s); /* "" for none */

/* Numbers that are summed: beyond this one they are no measurement, and their sums would not stay finite. */
#define RS_SUMMED_MOST 9e15

typedef enum rs_local {
    RS_LOCAL_NO,
    RS_LOCAL_SERVER,  /* a server of the sender's machine was asked; whom that asks, who knows */
    RS_LOCAL_PROCESS, /* the model ran in the process itself */
} rs_local;

/* What a span says in one vocabulary, whatever dialect it came in. Filled by normalize/, stored by store/, shown by
 * server/. "Small" facts are stored with the span's head and are there on every read; the others are made again
 * from the attributes when a span is read in full. */
typedef struct rs_facts {
    /* small */
    rs_log_type log_type;
    rs_usage_source usage_source;
    rs_cost_source cost_source;
    rs_str model, provider;
    rs_str entity_name; /* "huggingface_text_generation" of "huggingface_text_generation.workflow" */
    rs_str workflow;    /* span_workflow_name */
    rs_str path;        /* span_path */
    rs_str customer;    /* customer_identifier */
    rs_str thread;      /* thread_identifier */
    rs_str environment;
    rs_str error_message;                     /* status message, else that of the exception event */
    int64_t prompt_tokens, completion_tokens; /* -1: not known */
    int64_t cached_tokens;          /* of the prompt's, those that came from a cache; -1: not known */
    int64_t reasoning_tokens;       /* of the completion's, those of reasoning; -1: not known */
    double cost;                    /* USD; NaN: not known */
    double ttft, tokens_per_second; /* seconds, tokens/s; NaN: not known */
    bool interrupted;               /* respan.span.interrupted: the process died inside the span */
    /* only after normalizing */
    rs_str input, output;                 /* readable text, or JSON where the flag says so */
    bool input_is_json, output_is_json;   /* valid JSON: an array of messages, or a structure */
    rs_str input_preview, output_preview; /* <= RS_PREVIEW_MAX bytes of plain text on one line, for lists */
    rs_attrs parameters;                  /* "temperature" -> 0.35: request parameters by their plain names */
    rs_attrs metadata;                    /* respan.metadata.KEY -> KEY */
    rs_attrs model_facts;                 /* respan.model.dtype -> dtype: which model it was */
    rs_str tools;                         /* a JSON array: the tools that were offered; empty: none */
    rs_local local;                       /* how near the model was */
    bool is_nested; /* a call of a model in the middle of another, which lasts as long */
} rs_facts;

enum { RS_PREVIEW_MAX = 160 };

/* Whether its cost is its own, and no sum of what is below it: that of a model call, and what was reckoned by time, of whatever task. */
static inline bool rs_facts_own_cost(const rs_facts *f) {
    return rs_log_type_is_model_call(f->log_type) || f->cost_source >= RS_COST_TIME;
}

typedef struct rs_span {
    uint8_t trace_id[16], span_id[8], parent_id[8];
    bool has_parent;
    uint8_t kind; /* SpanKind 0..5 */
    rs_status_code status;
    uint32_t flags;
    rs_str name, trace_state, status_message;
    uint64_t start_ns, end_ns; /* 0: not told */
    rs_attrs attrs;
    rs_event *events;
    rs_link *links;
    uint32_t nevents, nlinks, dropped_events, dropped_links;
    const rs_resource *resource; /* never NULL after decoding */
    const rs_scope *scope;       /* never NULL after decoding */
    rs_facts facts;              /* zero until normalized */
    bool running;                /* it has not ended: of those in the server's table of open ones alone */
} rs_span;

/* How long something lasted. 0 where it cannot be told: a time is missing, they are reversed, or ten years apart and more, so that one of
 * them is of a clock that was not set. */
static inline uint64_t rs_lasted_ns(uint64_t start_ns, uint64_t end_ns) {
    const uint64_t most = 3652 * 86400 * 1000000000ull;
    return start_ns != 0 && end_ns > start_ns && end_ns - start_ns < most ? end_ns - start_ns : 0;
}

/* From one time to another, as far apart as they may be. */
static inline int64_t rs_apart_ns(uint64_t from_ns, uint64_t to_ns) {
    uint64_t apart = to_ns >= from_ns ? to_ns - from_ns : from_ns - to_ns;
    int64_t ns = apart < INT64_MAX ? (int64_t)apart : INT64_MAX;
    return to_ns >= from_ns ? ns : -ns;
}

typedef struct rs_spans {
    rs_span *items;
    size_t n;
    size_t rejected;         /* spans left out (partial success): no usable id, … */
    char reject_reason[160]; /* why the first of them was */
} rs_spans;

/* An event that came apart from its span: a GenAI event sent as an OTLP log record. */
typedef struct rs_loose_event {
    uint8_t trace_id[16], span_id[8];
    rs_event event;
} rs_loose_event;

typedef struct rs_loose_events {
    rs_loose_event *items;
    size_t n;
    size_t rejected;         /* records left out: no GenAI events, or without usable ids */
    size_t others;           /* of them: no GenAI events */
    char reject_reason[160]; /* why the first of them was */
} rs_loose_events;

/* The attribute with this key, or NULL. The last one wins if a sender repeats a key. */
const rs_attr *rs_attrs_find(const rs_attrs *a, rs_str key);

/* Writes a value as JSON: bytes as base64, 64-bit integers as numbers, composites in full. */
void rs_value_write_json(rs_json *j, const rs_value *v);
/* {"key": value, …}, the last of repeated keys winning. */
void rs_attrs_write_json(rs_json *j, const rs_attrs *a);

#endif
