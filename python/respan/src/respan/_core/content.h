/* What of a span is content (prompts, answers, arguments, messages of exceptions), whether it may be recorded, and the
 * program's own function that sees it first.
 *
 * It may not be where the span's client was made so, or while veto_content(True) was in force when the span began: content
 * that is set then is left out, whoever sets it. A mask is a function of a text, called with each content as it would be
 * recorded (what is no text: its JSON); its answer is recorded instead. Where it answers no str, or raises, nothing is. Within a
 * mask there is no other call of one: what the mask itself does while it is traced is recorded without content. */
#ifndef RESPAN_CORE_CONTENT_H
#define RESPAN_CORE_CONTENT_H

#include "core.h"

/* By an attribute's key. */
bool core_is_content(respan_text key);
/* What the span's mask makes of a str: a new reference; NULL, without an error set: nothing. The span has a mask. */
PyObject *core_masked(span_object *span, PyObject *text);
/* The same of UTF-8; sets it as an attribute. */
void core_put_masked(span_object *span, respan_text key, respan_text text);
/* A str of UTF-8, credentials in it replaced by ***; NULL with an error set. */
PyObject *core_without_secrets(respan_text text);

#endif
