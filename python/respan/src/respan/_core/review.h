/* What is kept of a span that is looked at before it is recorded (span_review of core.h): texts have no
 * credentials already (`masks`), since whoever looks may show them or send them elsewhere. Every `review` here may be
 * NULL, and then nothing happens; nothing here leaves an error set, but for core_review_facts. */
#ifndef RESPAN_CORE_REVIEW_H
#define RESPAN_CORE_REVIEW_H

#include "core.h"

/* NULL: no memory. start_ns 0: now. The references are its own; `parent` is read only. */
span_review *core_review_new(respan_text name, const span_object *parent, uint64_t start_ns, bool masks,
                             PyObject *of_entity, PyObject *of_client);
void core_review_free(span_review *review);
int core_review_traverse(const span_review *review, visitproc visit, void *arg);

/* Sets each in a dict, as Python values. */
void core_review_put(PyObject *dict, const respan_attribute *attributes, size_t count, bool masks);
void core_review_status(span_review *review, respan_status_code code, respan_text message);
void core_review_name(span_review *review, respan_text name);
/* time_ns 0: now. */
void core_review_event(span_review *review, respan_text name, uint64_t time_ns,
                       const respan_attribute *attributes, size_t count);

void core_review_link(span_review *review, PyObject *trace_id, PyObject *span_id,
                      const respan_attribute *attributes, size_t count);

/* A new dict of all that is known of a span that has a review; NULL with an error set. */
PyObject *core_review_facts(const span_object *span);

/* Nanoseconds since the epoch. */
uint64_t core_review_now(void);

#endif
