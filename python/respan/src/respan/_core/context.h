/* What is current, also to be carried to other threads and processes. Those that take a module are its functions; see
 * module.c. */
#ifndef RESPAN_CORE_CONTEXT_H
#define RESPAN_CORE_CONTEXT_H

#include "core.h"

/* Sets a context variable. False without memory; no error is set. *token: what resets it, or NULL. */
bool core_set_current(PyObject *variable, PyObject *value, PyObject **token);
bool core_put_current(PyObject *variable, PyObject *value);

/* The context's scope alone; a new reference; NULL if it has none. core_span_current is here too. */
scope_object *core_scope_in_context(core_state *state);
/* `left` cannot be taken out of its context: from here on `instead` (NULL: nothing) is found in its place. */
void core_leave_behind(core_state *state, current_object *left, PyObject *instead);
static inline bool core_is_stale(const current_object *object) {
    return __atomic_load_n(&object->stale, __ATOMIC_RELAXED);
}

/* (Span or None, Scope or None) of this context; None if neither is set. */
PyObject *core_surroundings(PyObject *module, PyObject *ignored);
/* Makes (Span or None, Scope or None) current; the pair that was. Both are changed, or none. */
PyObject *core_swap_surroundings(PyObject *module, PyObject *args);
/* The same of one of them. MemoryError: nothing was changed. */
PyObject *core_swap_span(PyObject *module, PyObject *span);
PyObject *core_swap_scope(PyObject *module, PyObject *scope);
/* Make current again what a swap gave, and never fail: without memory, what is current is left behind. */
PyObject *core_restore_span(PyObject *module, PyObject *span);
PyObject *core_restore_scope(PyObject *module, PyObject *scope);
/* A Span that is recorded elsewhere: it can be current, and a parent; whatever else is called on it, nothing happens.
 * ValueError for ids that are none. */
PyObject *core_remote_span(PyObject *module, PyObject *args);
/* Two str of hex digits; false with ValueError set for ids that are none. */
bool core_read_ids(PyObject *trace_id, PyObject *span_id, respan_span_context *out);

#endif
