/* What is current, to be carried to other threads and processes. Functions of the module; see module.c. */
#ifndef RESPAN_CORE_CONTEXT_H
#define RESPAN_CORE_CONTEXT_H

#include "core.h"

/* (Span or None, Scope or None) of this context; None if neither is set. */
PyObject *core_surroundings(PyObject *module, PyObject *ignored);
/* Makes (Span or None, Scope or None) current; the pair that was. Both are changed, or none. */
PyObject *core_swap_surroundings(PyObject *module, PyObject *args);
/* A Span that is recorded elsewhere: it can be current, and a parent; whatever else is called on it, nothing happens.
 * ValueError for ids that are none. */
PyObject *core_remote_span(PyObject *module, PyObject *args);
/* Two str of hex digits; false with ValueError set for ids that are none. */
bool core_read_ids(PyObject *trace_id, PyObject *span_id, respan_span_context *out);

#endif
