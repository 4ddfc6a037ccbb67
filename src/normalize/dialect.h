/* What a dialect is: a table of attribute names and the field each one fills.
 *
 * A name stands in one table only. Names that end in something variable are prefixes, tried (the longest first) when no exact name
 * matched. Where several attributes fill one field, the lower rank wins: dialects in the order of rs_dialects[], then `rank` in the row.
 * However many dialects there are, a name costs one hash of three words and one memcmp: the build writes all names of all tables into one
 * hash table (make_index.c), which refuses a name that stands twice.
 * Internal to normalize/. Constant data, any thread. */
#ifndef RS_NORMALIZE_DIALECT_H
#define RS_NORMALIZE_DIALECT_H

#include "otlp/span.h"

typedef enum rs_field {
    /* One value each; the type is in brackets. What is of another type is left alone. */
    RS_FIELD_MODEL, /* (text, as all down to PROVIDER) */
    RS_FIELD_ENTITY_NAME,
    RS_FIELD_AGENT_NAME, /* the entity of an agent's span only */
    RS_FIELD_TOOL_NAME,  /* the entity of a tool's span only */
    RS_FIELD_WORKFLOW,
    RS_FIELD_PATH,
    RS_FIELD_CUSTOMER,
    RS_FIELD_THREAD,
    RS_FIELD_ENVIRONMENT,
    RS_FIELD_ERROR,
    RS_FIELD_USAGE_SOURCE,
    RS_FIELD_PROVIDER,
    RS_FIELD_TITLE,            /* what to call a span that names no entity */
    RS_FIELD_SERVER,           /* whom it asked: a host, or a URL */
    RS_FIELD_FIRST_TOKEN_TIME, /* an RFC 3339 time, perhaps in the quotes of JSON */
    RS_FIELD_PROMPT_TOKENS,    /* (count, as all down to TOTAL_TOKENS) */
    RS_FIELD_COMPLETION_TOKENS,
    RS_FIELD_CACHED_TOKENS,    /* of the prompt's */
    RS_FIELD_REASONING_TOKENS, /* of the completion's */
    RS_FIELD_TOTAL_TOKENS,
    RS_FIELD_COST, /* (number, as all down to TOKENS_PER_SECOND) */
    RS_FIELD_TTFT,
    RS_FIELD_TTFT_MS,
    RS_FIELD_TOKENS_PER_SECOND,
    RS_FIELD_INTERRUPTED,    /* (truth value, as the next) */
    RS_FIELD_NESTED,         /* a model's call in the middle of another one's */
    RS_FIELD_INPUT,          /* (anything, as all down to TOOLS) a function's arguments */
    RS_FIELD_OUTPUT,         /* what it returned */
    RS_FIELD_INPUT_MESSAGES, /* messages as one JSON text or structure */
    RS_FIELD_OUTPUT_MESSAGES,
    RS_FIELD_SYSTEM_MESSAGE, /* the system prompt, beside the messages */
    RS_FIELD_REQUEST,        /* a model call's messages or its whole request body; of other spans the input */
    RS_FIELD_RESPONSE,       /* the same of what came back */
    RS_FIELD_SCHEMA,         /* a JSON schema whose properties are the names of the user's attributes */
    RS_FIELD_TOOLS,          /* definitions of the tools that were offered */
    RS_FIELD_SLOTS,          /* number of the above */
    /* Gathered. */
    RS_FIELD_LOG_TYPE,
    RS_FIELD_INPUT_PART, /* prefix: N.role, N.content, …; exact: the row's plain name is that */
    RS_FIELD_OUTPUT_PART,
    RS_FIELD_TOOL_PART,       /* prefix: N.name, N.description, …; N.*.json_schema is the whole of it */
    RS_FIELD_PARAMETER,       /* prefix: the rest is the plain name; exact: the row's plain name */
    RS_FIELD_PARAMETERS_JSON, /* a JSON object of parameters */
    RS_FIELD_METADATA,        /* prefix: the rest is the key; exact: the row's plain name */
    RS_FIELD_METADATA_QUOTED, /* prefix: the same, and the value is a JSON text */
    RS_FIELD_MODEL_FACT,      /* prefix: the rest is the fact's name */
    RS_FIELD_METADATA_JSON,
    RS_FIELD_MESSAGE_EVENTS, /* a JSON array of what would be message events, in one attribute */
    RS_FIELD_COST_BUT_0,     /* a cost, of a dialect in which 0 stands for one that it does not know */
    RS_FIELD_USAGE_JSON,     /* a JSON object of token counts */
    RS_FIELD_COST_JSON,      /* a JSON object of costs */
    RS_FIELD_KEPT,           /* nothing: shields a name from a prefix */
} rs_field;

typedef struct rs_row {
    rs_str name;
    rs_field field;
    uint8_t rank; /* within the dialect, 0 first, below RS_RANKS */
    rs_str plain; /* parameters, metadata and parts, exact names only */
} rs_row;

enum { RS_RANKS = 8 };

typedef struct rs_log_alias {
    rs_str name; /* compared without regard to case */
    rs_log_type type;
} rs_log_alias;

typedef struct rs_dialect {
    const rs_row *exact;
    size_t nexact;
    const rs_row *prefixes; /* of at least RS_PREFIX_MIN bytes */
    size_t nprefixes;
    const rs_log_alias *log_types; /* names of span kinds beyond our own */
    size_t nlog_types;
    bool json_values; /* its strings are JSON texts: "\"CHAT_MODEL\"" */
} rs_dialect;

enum { RS_DIALECTS = 9, RS_PREFIX_MIN = 8 };
extern const rs_dialect *const rs_dialects[RS_DIALECTS];
extern const rs_dialect rs_dialect_respan, rs_dialect_openllmetry, rs_dialect_genai, rs_dialect_langfuse,
    rs_dialect_vercel, rs_dialect_logfire, rs_dialect_openlit, rs_dialect_mlflow, rs_dialect_openinference;

typedef struct rs_found {
    const rs_row *row;
    unsigned dialect; /* number in rs_dialects[] */
    rs_str rest;      /* what follows a prefix; empty for exact names */
} rs_found;

/* What an attribute's name means, in whichever dialect; false if none knows it. */
bool rs_dialect_find(rs_str name, rs_found *out);

#endif
