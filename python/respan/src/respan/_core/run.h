/* Run: a coroutine or a generator of a decorated function while it runs inside its span.
 *
 * It is what the wrapper of a decorated coroutine function awaits, or a generator's yields from (_wrappers.py): each step goes to
 * the inner iterator in C, and what that returned or raised ends the span. What it has no attribute for, the inner
 * iterator is asked for, so that those who walk cr_await or gi_yieldfrom find their way. */
#ifndef RESPAN_CORE_RUN_H
#define RESPAN_CORE_RUN_H

#include "core.h"

extern PyType_Spec run_spec;

/* The span is current as long as a coroutine runs, since it has its task's context to itself; but while a generator waits
 * for its consumer it is not. */
typedef enum run_kind { RUN_COROUTINE, RUN_GENERATOR } run_kind;

/* Calls function(*args, **kwargs) inside the span, which it takes, and gives the Run of what that returned; NULL with the
 * error set, the span ended, if there is none. */
PyObject *core_run_new(core_state *state, run_kind kind, span_object *span, PyObject *function,
                       PyObject *args, PyObject *kwargs);

#endif
