#include "context.h"

#include <string.h>

/* ---- one context variable -------------------------------------------------------------------------------- */

/* CPython 3.11 sets the variable even where it has no memory for the token, which it then fails for. */
bool core_set_current(PyObject *variable, PyObject *value, PyObject **token) {
    *token = PyContextVar_Set(variable, value);
    if (*token != NULL) return true;
    PyErr_Clear();
    PyObject *now = NULL;
    if (PyContextVar_Get(variable, NULL, &now) < 0) PyErr_Clear();
    Py_XDECREF(now);
    return now == value;
}

bool core_put_current(PyObject *variable, PyObject *value) {
    PyObject *token;
    bool set = core_set_current(variable, value, &token);
    Py_XDECREF(token);
    return set;
}

/* What is found in place of `left`, which it takes; a new reference, or NULL. */
static __attribute__((noinline)) PyObject *instead_of(core_state *state, PyObject *left) {
    PyObject *found = left;
    CORE_LOCK(state);
    while (found != NULL && ((current_object *)found)->stale) found = ((current_object *)found)->instead;
    Py_XINCREF(found);
    CORE_UNLOCK(state);
    Py_DECREF(left);
    return found;
}

static PyObject *current(core_state *state, PyObject *variable, PyTypeObject *type) {
    PyObject *value = NULL;
    if (PyContextVar_Get(variable, NULL, &value) < 0) PyErr_Clear();
    if (value != NULL && !Py_IS_TYPE(value, type)) Py_CLEAR(value);
    return value == NULL || !core_is_stale((current_object *)value) ? value : instead_of(state, value);
}

span_object *core_span_current(core_state *state) {
    return (span_object *)current(state, state->current_span, state->span_type);
}

scope_object *core_scope_in_context(core_state *state) {
    return (scope_object *)current(state, state->current_scope, state->scope_type);
}

/* Each leads to one that is not stale when it is marked, and not to itself, so no chain of them is a ring. */
void core_leave_behind(core_state *state, current_object *left, PyObject *instead) {
    CORE_LOCK(state);
    while (instead != NULL && instead != (PyObject *)left && ((current_object *)instead)->stale)
        instead = ((current_object *)instead)->instead;
    PyObject *old = left->instead;
    left->instead = instead == (PyObject *)left ? NULL : Py_XNewRef(instead);
    __atomic_store_n(&left->stale, true, __ATOMIC_RELAXED);
    CORE_UNLOCK(state);
    Py_XDECREF(old);
}

/* ---- for Python ------------------------------------------------------------------------------------------ */

/* Takes a reference, or NULL. */
static PyObject *or_none(void *object) { return object != NULL ? object : Py_NewRef(Py_None); }

static bool is_span(core_state *state, PyObject *value) {
    if (value == Py_None || Py_IS_TYPE(value, state->span_type)) return true;
    PyErr_SetString(PyExc_TypeError, "a Span or None is what can be the current span");
    return false;
}

static bool is_scope(core_state *state, PyObject *value) {
    if (value == Py_None || Py_IS_TYPE(value, state->scope_type)) return true;
    PyErr_SetString(PyExc_TypeError, "a Scope or None is what can be the current scope");
    return false;
}

PyObject *core_surroundings(PyObject *module, PyObject *Py_UNUSED(ignored)) {
    core_state *state = PyModule_GetState(module);
    PyObject *span = or_none(core_span_current(state)), *scope = or_none(core_scope_in_context(state));
    PyObject *pair = span == Py_None && scope == Py_None ? Py_NewRef(Py_None) : PyTuple_Pack(2, span, scope);
    Py_DECREF(span);
    Py_DECREF(scope);
    return pair;
}

PyObject *core_swap_surroundings(PyObject *module, PyObject *args) {
    core_state *state = PyModule_GetState(module);
    PyObject *span, *scope;
    if (!PyArg_ParseTuple(args, "OO:swap_surroundings", &span, &scope)) return NULL;
    if (!is_span(state, span) || !is_scope(state, scope)) return NULL;
    PyObject *old_span = or_none(core_span_current(state)),
             *old_scope = or_none(core_scope_in_context(state));
    PyObject *pair = PyTuple_Pack(2, old_span, old_scope);
    bool half = pair != NULL && core_put_current(state->current_scope, scope);
    bool whole = half && core_put_current(state->current_span, span);
    /* The scope may be in force elsewhere too: there is nothing that would be right in its place everywhere. */
    if (half && !whole && !core_put_current(state->current_scope, old_scope) && scope != Py_None)
        core_leave_behind(state, (current_object *)scope, NULL);
    Py_DECREF(old_span);
    Py_DECREF(old_scope);
    if (whole) return pair;
    Py_XDECREF(pair);
    return PyErr_NoMemory();
}

static PyObject *swap(PyObject *variable, PyObject *value, PyObject *previous) {
    if (core_put_current(variable, value)) return previous;
    Py_DECREF(previous);
    return PyErr_NoMemory();
}

PyObject *core_swap_span(PyObject *module, PyObject *span) {
    core_state *state = PyModule_GetState(module);
    if (!is_span(state, span)) return NULL;
    return swap(state->current_span, span, or_none(core_span_current(state)));
}

PyObject *core_swap_scope(PyObject *module, PyObject *scope) {
    core_state *state = PyModule_GetState(module);
    if (!is_scope(state, scope)) return NULL;
    return swap(state->current_scope, scope, or_none(core_scope_in_context(state)));
}

static bool is_active(span_object *span) {
    bool active;
    Py_BEGIN_CRITICAL_SECTION(span);
    active = span->active;
    Py_END_CRITICAL_SECTION();
    return active;
}

/* One that was entered stays: it is current where that was, and goes when it is left. One that is recorded elsewhere was
 * made to be current here alone; of others, no span that would be right in their place everywhere is known. */
PyObject *core_restore_span(PyObject *module, PyObject *span) {
    core_state *state = PyModule_GetState(module);
    if (!is_span(state, span)) return NULL;
    if (core_put_current(state->current_span, span)) Py_RETURN_NONE;
    span_object *left = core_span_current(state);
    if (left != NULL && (PyObject *)left != span && !is_active(left))
        core_leave_behind(state, &left->base, left->remote && span != Py_None ? span : NULL);
    Py_XDECREF((PyObject *)left);
    Py_RETURN_NONE;
}

PyObject *core_restore_scope(PyObject *module, PyObject *scope) {
    core_state *state = PyModule_GetState(module);
    if (!is_scope(state, scope)) return NULL;
    if (core_put_current(state->current_scope, scope)) Py_RETURN_NONE;
    scope_object *left = core_scope_in_context(state);
    if (left != NULL && (PyObject *)left != scope)
        core_leave_behind(state, &left->base, scope == Py_None ? NULL : scope);
    Py_XDECREF((PyObject *)left);
    Py_RETURN_NONE;
}

/* ---- a parent in another process ------------------------------------------------------------------------- */

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

/* Exactly 2 * n lower-case hex digits that are not all zero. */
static bool read_id(PyObject *text, uint8_t *out, size_t n) {
    respan_text hex;
    if (!core_text(text, &hex) || hex.n != 2 * n) return false;
    unsigned any = 0;
    for (size_t i = 0; i < n; i++) {
        int high = hex_digit(hex.p[2 * i]), low = hex_digit(hex.p[2 * i + 1]);
        if (high < 0 || low < 0) return false;
        out[i] = (uint8_t)(high << 4 | low);
        any |= out[i];
    }
    return any != 0;
}

bool core_read_ids(PyObject *trace_id, PyObject *span_id, respan_span_context *out) {
    if (read_id(trace_id, out->trace_id, sizeof out->trace_id) &&
        read_id(span_id, out->span_id, sizeof out->span_id))
        return true;
    PyErr_SetString(PyExc_ValueError, "a trace id is 32, a span id 16 lower-case hex digits, not all zero");
    return false;
}

PyObject *core_remote_span(PyObject *module, PyObject *args) {
    core_state *state = PyModule_GetState(module);
    PyObject *trace_id, *span_id, *path = Py_None, *workflow = Py_None;
    if (!PyArg_ParseTuple(args, "UU|OO:remote_span", &trace_id, &span_id, &path, &workflow)) return NULL;
    if ((path != Py_None && !PyUnicode_Check(path)) || (workflow != Py_None && !PyUnicode_Check(workflow)))
        return PyErr_Format(PyExc_TypeError, "path and workflow are str or None");
    respan_span_context context;
    if (!core_read_ids(trace_id, span_id, &context)) return NULL;
    span_object *self = PyObject_GC_New(span_object, state->span_type);
    if (self == NULL) return NULL;
    self->base.stale = false;
    self->base.instead = NULL;
    self->span = NULL;
    self->review = NULL;
    self->context = context;
    self->path = path == Py_None ? NULL : Py_NewRef(path);
    self->workflow = workflow == Py_None ? NULL : Py_NewRef(workflow);
    self->processors = NULL;
    self->previous = NULL;
    self->end_ns = 0;
    self->active = false;
    self->remote = true;
    self->content = false;
    self->mask = NULL;
    PyObject_GC_Track(self);
    return (PyObject *)self;
}
