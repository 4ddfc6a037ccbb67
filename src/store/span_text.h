/* What of a span full-text search finds: its name, its status message, and every text among the values of its attributes and of its
 * events' attributes. Indexing and verifying go through here, so they cannot differ. Any thread. */
#ifndef RS_STORE_SPAN_TEXT_H
#define RS_STORE_SPAN_TEXT_H

#include "otlp/span.h"
#include "store/words.h"

/* Return false to stop. */
typedef bool (*rs_text_fn)(void *ctx, rs_str text);

/* `scratch` takes what has to be written first: composite values as JSON. RS_ERR_MEMORY / RS_ERR_TOO_LARGE if it cannot. */
RS_MUST_CHECK rs_status rs_span_each_text(const rs_span *s, rs_buf *scratch, rs_text_fn fn, void *ctx);

/* Whether one of the texts has the phrase. */
RS_MUST_CHECK rs_status rs_span_says(const rs_span *s, const rs_phrase *phrase, rs_buf *scratch, bool *says);

#endif
