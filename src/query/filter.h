/* Filters: a tree of conditions on fields, and of words to be found.
 *
 * Built once per request from what strangers wrote: parameters and JSON (list.c), text (filter_text.c), all with the functions
 * below, so that each way of writing a question gives the same tree. Then asked of every row of a scan. Everything lives in the
 * request's arena. Limits: RS_FILTER_MAX leaves, RS_FILTER_MAX_WORDS of them words, RS_FILTER_MAX_VALUES values each, nested
 * RS_FILTER_MAX_DEPTH deep. One thread.
 *
 * A question about a trace may need more than its row: the store's tags say what any of its spans has, and sometimes its spans
 * have to be read. So rs_filter_judge answers "no", "yes" or "that takes more than this". */
#ifndef RS_QUERY_FILTER_H
#define RS_QUERY_FILTER_H

#include "base/arena.h"
#include "base/json_read.h"
#include "base/status.h"
#include "query/field.h"
#include "store/store.h"

enum {
    RS_FILTER_MAX = 64,
    RS_FILTER_MAX_WORDS = 16,
    RS_FILTER_MAX_VALUES = 1000,
    RS_FILTER_MAX_DEPTH = 32,
};

typedef enum rs_filter_op {
    RS_OP_EQUAL,
    RS_OP_NOT, /* written; in the tree it is an RS_FILTER_NOT over RS_OP_EQUAL */
    RS_OP_IEXACT,
    RS_OP_LT,
    RS_OP_LTE,
    RS_OP_GT,
    RS_OP_GTE,
    RS_OP_CONTAINS,
    RS_OP_ICONTAINS,
    RS_OP_STARTSWITH,
    RS_OP_ENDSWITH,
    RS_OP_IN, /* written; the same as RS_OP_EQUAL, one of whose values is enough */
    RS_OP_ISNULL,
    RS_OP_COUNT,
} rs_filter_op;

/* "" "not" "iexact" …; false if it is none of them. */
bool rs_filter_op_from_name(rs_str name, rs_filter_op *out);

/* ---- the tree ------------------------------------------------------------------------------------------ */

typedef struct rs_condition {
    const rs_field *field; /* NULL: metadata, or a fact of the model */
    rs_str key;            /* of metadata; of a fact of the model its attribute's name, respan.model.FACT */
    bool of_model;
    bool
        as_text; /* written in quotes: of metadata no number or truth value that reads the same, of a model its whole name */
    rs_filter_op op;
    rs_field_type type;     /* that values are compared as */
    rs_field_value *values; /* one is enough */
    size_t nvalues;
    uint16_t tag, ntags; /* its tags in the plan, from that number on; none: tags do not tell of it */
    bool tags_decide; /* it holds if a span of the trace has one of them; else it takes one of them to hold */
} rs_condition;

typedef enum rs_filter_kind {
    RS_FILTER_AND,
    RS_FILTER_OR,
    RS_FILTER_NOT,       /* of its one child */
    RS_FILTER_SPAN,      /* one span of the trace fulfils its one child, which is about spans */
    RS_FILTER_CONDITION, /* the others have no children */
    RS_FILTER_WORD,      /* or a phrase */
} rs_filter_kind;

typedef struct rs_filter_node {
    rs_filter_kind kind;
    struct rs_filter_node *child, *next; /* first child; next of the same parent */
    rs_condition condition;
    rs_str word;            /* to be found in a searched field, in any case (ASCII) … */
    rs_phrase phrase;       /* … or as words in what a span says */
    bool is_text;           /* in that alone */
    unsigned number;        /* among the filter's words */
    bool is_span, is_trace; /* the word is also the id of a span; of a trace, or of one that has that span */
    uint8_t span_id[8], trace_id[16];
} rs_filter_node;

typedef struct rs_filter {
    const rs_field_table *table;
    rs_filter_node *root; /* an AND; NULL: everything matches */
    unsigned leaves, words;
    char hint
        [160]; /* of a text: what was taken as words though it likely was to mean more; "" if nothing was */
} rs_filter;

static inline bool rs_filter_is_empty(const rs_filter *f) { return f->root == NULL; }

/* ---- building ------------------------------------------------------------------------------------------ */

/* What the functions below need; `table` is that of the rows that are spoken of at this place, `depth` how deep it is. */
typedef struct rs_filter_builder {
    rs_filter *filter;
    const rs_field_table *table;
    rs_arena *arena;
    unsigned depth;
} rs_filter_builder;

rs_filter_builder rs_filter_build(rs_filter *f, rs_arena *arena);

/* A level further down. RS_ERR_INVALID: too deep. The caller takes depth back by one. */
RS_MUST_CHECK rs_status rs_filter_enter(rs_filter_builder *b, rs_err *err);
/* NULL: out of memory. */
rs_filter_node *rs_filter_make(const rs_filter_builder *b, rs_filter_kind kind, rs_filter_node *child);
void rs_filter_append(rs_filter_node *parent, rs_filter_node *child);
/* `node` has to hold as well. */
RS_MUST_CHECK rs_status rs_filter_require(const rs_filter_builder *b, rs_filter_node *node, rs_err *err);

/* Whether a name is one of a field, of metadata (metadata__KEY, metadata.KEY) or of a fact of the model (respan.model.FACT,
 * model.FACT). */
bool rs_filter_knows(const rs_field_table *table, rs_str name);

/* A condition. Copies what it keeps. RS_ERR_INVALID, with a message that names field, operator or value, for what the table
 * does not have or the type does not take. */
RS_MUST_CHECK rs_status rs_filter_condition(const rs_filter_builder *b, rs_str name, rs_filter_op op,
                                            const rs_str *values, size_t n, rs_filter_node **out,
                                            rs_err *err);
RS_MUST_CHECK rs_status rs_filter_word(const rs_filter_builder *b, rs_str word, bool is_text,
                                       rs_filter_node **out, rs_err *err);

/* Both in one: what has to hold as well. */
RS_MUST_CHECK rs_status rs_filter_add(rs_filter *f, rs_str name, rs_filter_op op, const rs_str *values,
                                      size_t n, rs_arena *arena, rs_err *err);
/* The language of docs/filter-language.md, as another thing that has to hold. The error's offset is that in the text. */
RS_MUST_CHECK rs_status rs_filter_add_text(rs_filter *f, rs_str text, rs_arena *arena, rs_err *err);

/* An object of conditions, all of which have to hold: {"field": {"operator": …, "value": …} or an array of such}, and {"and": [objects],
 * "or": [objects], "not": object, "span": object}; it comes next in the reader. *at_fault: the member that an RS_ERR_INVALID is about,
 * if it is one. An error in the JSON itself is the reader's. */
RS_MUST_CHECK rs_status rs_filter_add_json(rs_filter *f, rs_json_reader *r, rs_arena *arena, rs_str *at_fault,
                                           rs_err *err);

/* The same but for what is said of this field (or, field NULL, of this key of metadata) alone, among what has to hold: *out may share its
 * nodes, so that one of the two is asked at a time. False: there is nothing of that, or no memory (*failed). */
bool rs_filter_without(const rs_filter *f, const rs_field *field, rs_str key, rs_arena *arena, rs_filter *out,
                       bool *failed);

/* ---- the plan ------------------------------------------------------------------------------------------ */

/* What the store's tags can do for a filter on traces. */
typedef struct rs_filter_plan {
    rs_tag *tags;
    size_t ntags;
    const rs_tag_group *groups; /* every trace that matches has a tag of each */
    size_t ngroups;
    bool tags_decide;   /* all of it: what tags a trace has is all one has to know … */
    bool groups_decide; /* … and that it has one of each group is enough */
    const rs_filter_node
        *words[RS_FILTER_MAX_WORDS]; /* what has to be found, each, and has words to be found by */
    size_t nwords;
    bool
        may_be_stale; /* a tag may be left of what a span said before it was sent again: what matches has to be looked at */
} rs_filter_plan;

/* Numbers the tags of the filter's conditions. RS_ERR_INVALID: there are too many. */
RS_MUST_CHECK rs_status rs_filter_make_plan(rs_filter *f, rs_arena *arena, rs_filter_plan *out, rs_err *err);

/* ---- asking -------------------------------------------------------------------------------------------- */

typedef enum rs_truth { RS_NO, RS_MAYBE, RS_YES } rs_truth;

/* What is known of a row. */
typedef struct rs_evidence {
    const void *row;       /* of the filter's table; NULL: not at hand */
    const uint64_t *tags;  /* of the trace, by number in the plan; NULL: not known */
    bool trusts_tags;      /* a tag is as good as the span that it promises; else that span has to be seen */
    const rs_spans *spans; /* of the trace; NULL: not read */
    bool in_full;          /* the spans, or a row that is a span, have their attributes */
    const bool
        *may_say; /* by the number of a word: whether a span of the trace may say it; NULL: not known */
    const rs_filter_node *lead; /* of this word it is known whether … */
    bool lead_is_said;          /* … a span of the trace says it */
} rs_evidence;

rs_truth rs_filter_judge(const rs_filter *f, const rs_evidence *e);

/* The words that have to be found, each, and that blocks can be told by; of a trace, those within span(…) too. At most
 * RS_FILTER_MAX_WORDS. */
size_t rs_filter_words(const rs_filter *f, const rs_filter_node *out[RS_FILTER_MAX_WORDS]);

/* The one trace whose spans alone it can hold for: by an equality that has to hold. False: it names none. */
bool rs_filter_trace(const rs_filter *f, uint8_t trace_id[16]);

/* True if spans have to come with their attributes to be decided, apart from those words. */
bool rs_filter_needs_attributes(const rs_filter *f);

#endif
