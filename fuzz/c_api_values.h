/* Texts and attributes that the fuzzer's programs set, as a description from which they are made, and made again to compare
 * them with what arrived. No state. */
#ifndef RS_FUZZ_C_API_VALUES_H
#define RS_FUZZ_C_API_VALUES_H

#include "otlp/decode.h"
#include "respan.h"

enum { KEYS = 6, ITEMS_MAX = 5 };

typedef enum text_kind { TEXT_ASCII, TEXT_WIDE, TEXT_NULS, TEXT_BROKEN, TEXT_KINDS } text_kind;

/* A text that is made again where it is compared. WIDE has characters of two bytes, BROKEN is not UTF-8. */
typedef struct text_spec {
    text_kind kind;
    uint32_t n;
    bool is_null; /* NULL is given, with the length all the same */
} text_spec;

/* A value; type 0: none. Numbers and the items of lists follow from `number`. */
typedef struct value_spec {
    respan_type type;
    text_spec text;
    int64_t number;
    uint32_t count;
    bool no_items; /* NULL is given for the items */
} value_spec;

/* Says what does not hold, and aborts. */
void must(bool holds, const char *what);

/* The text's bytes on the heap, exactly n; the caller frees them. */
char *text_make(const text_spec *t);
/* The API's key number k of KEYS, in one of its spellings. */
respan_text key_text(int k, unsigned spelling);
/* As it arrives. */
rs_str key_as_sent(int k);

/* Whether that arrived, cut to max bytes. */
bool text_matches(rs_str got, const text_spec *t, size_t max);
bool value_matches(const rs_value *v, const value_spec *s, size_t max);

/* The attribute and what it points at; the caller frees `text`. */
typedef struct built_value {
    char *text;
    respan_text strings[ITEMS_MAX];
    bool booleans[ITEMS_MAX];
    int64_t integers[ITEMS_MAX];
    double reals[ITEMS_MAX];
    respan_attribute attribute;
} built_value;
void value_build(built_value *b, const value_spec *v, respan_text key);
/* Sets it by the function of its type or by respan_span_set. */
void value_set(respan_span *s, const value_spec *v, respan_text key);

#endif
