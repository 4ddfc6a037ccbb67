/* What a dialect is: a table of attribute names and the field each one fills.
 *
 * Rows are sorted by length, then bytes (a unit test holds us to it), so that a name costs a few integer compares and
 * one memcmp; names that end in something variable are prefixes, tried when no exact name matched. Where several
 * attributes fill one field, the lower rank wins: dialects in the order of rs_dialects[], then `rank` in the row.
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
    RS_FIELD_PROMPT_TOKENS, /* (count, as all down to TOTAL_TOKENS) */
    RS_FIELD_COMPLETION_TOKENS,
    RS_FIELD_TOTAL_TOKENS,
    RS_FIELD_COST, /* (number, as all down to TOKENS_PER_SECOND) */
    RS_FIELD_TTFT,
    RS_FIELD_TOKENS_PER_SECOND,
    RS_FIELD_INTERRUPTED,    /* (truth value) */
    RS_FIELD_INPUT,          /* (anything, as all down to OUTPUT_MESSAGES) a function's arguments */
    RS_FIELD_OUTPUT,         /* what it returned */
    RS_FIELD_INPUT_MESSAGES, /* messages as one JSON text or structure */
    RS_FIELD_OUTPUT_MESSAGES,
    RS_FIELD_SYSTEM_MESSAGE, /* the system prompt, beside the messages */
    RS_FIELD_SLOTS,          /* number of the above */
    /* Gathered. */
    RS_FIELD_LOG_TYPE,
    RS_FIELD_INPUT_PART, /* prefix: N.role, N.content, … */
    RS_FIELD_OUTPUT_PART,
    RS_FIELD_PARAMETER,       /* prefix: the rest is the plain name; exact: the row's plain name */
    RS_FIELD_PARAMETERS_JSON, /* a JSON object of parameters */
    RS_FIELD_METADATA,        /* prefix: the rest is the key */
    RS_FIELD_MODEL_FACT,      /* prefix: the rest is the fact's name */
    RS_FIELD_METADATA_JSON,
    RS_FIELD_KEPT, /* nothing: shields a name from a prefix */
} rs_field;

typedef struct rs_row {
    rs_str name;
    rs_field field;
    uint8_t rank; /* within the dialect, 0 first, below RS_RANKS */
    rs_str plain; /* RS_FIELD_PARAMETER, exact names only */
} rs_row;

enum { RS_RANKS = 16 };

typedef struct rs_log_alias {
    rs_str name; /* compared without regard to case */
    rs_log_type type;
} rs_log_alias;

typedef struct rs_dialect {
    uint32_t letters; /* RS_LETTER() of every name's first byte: most names are told apart by it alone */
    const rs_row *exact;
    size_t nexact;
    const rs_row *prefixes;
    size_t nprefixes;
    const rs_log_alias *log_types; /* names of span kinds beyond our own */
    size_t nlog_types;
} rs_dialect;

#define RS_LETTER(c) (1u << ((c)&31))

enum { RS_DIALECTS = 4 };
extern const rs_dialect *const rs_dialects[RS_DIALECTS];
extern const rs_dialect rs_dialect_respan, rs_dialect_openllmetry, rs_dialect_genai, rs_dialect_openinference;

/* The row for an attribute's name in a dialect, or NULL; *rest is what follows a prefix (empty for exact names). */
const rs_row *rs_dialect_find(const rs_dialect *d, rs_str name, rs_str *rest);

#endif
