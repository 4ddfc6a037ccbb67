#include "context.h"

#include <string.h>

/* ---- what is current, as a pair -------------------------------------------------------------------------- */

static PyObject *value_of(PyObject *variable) {
    PyObject *value = NULL;
    return PyContextVar_Get(variable, Py_None, &value) < 0 ? NULL : value;
}

/* Steals neither; -1 with an error set. */
static int set_current(PyObject *variable, PyObject *value) {
    PyObject *token = PyContextVar_Set(variable, value);
    Py_XDECREF(token);
    return token == NULL ? -1 : 0;
}

PyObject *core_surroundings(PyObject *module, PyObject *Py_UNUSED(ignored)) {
    core_state *state = PyModule_GetState(module);
    PyObject *span = value_of(state->current_span), *scope = value_of(state->current_scope), *pair = NULL;
    if (span != NULL && scope != NULL)
        pair = span == Py_None && scope == Py_None ? Py_NewRef(Py_None) : PyTuple_Pack(2, span, scope);
    Py_XDECREF(span);
    Py_XDECREF(scope);
    return pair;
}

PyObject *core_swap_surroundings(PyObject *module, PyObject *args) {
    core_state *state = PyModule_GetState(module);
    PyObject *span, *scope;
    if (!PyArg_ParseTuple(args, "OO:swap_surroundings", &span, &scope)) return NULL;
    if ((span != Py_None && !Py_IS_TYPE(span, state->span_type)) ||
        (scope != Py_None && !Py_IS_TYPE(scope, state->scope_type)))
        return PyErr_Format(PyExc_TypeError, "swap_surroundings() takes a Span or None and a Scope or None");
    PyObject *old_span = value_of(state->current_span), *old_scope = value_of(state->current_scope),
             *pair = NULL;
    if (old_span != NULL && old_scope != NULL) pair = PyTuple_Pack(2, old_span, old_scope);
    if (pair != NULL && set_current(state->current_span, span) < 0) Py_CLEAR(pair);
    if (pair != NULL && set_current(state->current_scope, scope) < 0) {
        PyObject *raised = core_raised_take();
        if (set_current(state->current_span, old_span) < 0) PyErr_Clear();
        core_raised_restore(raised);
        Py_CLEAR(pair);
    }
    Py_XDECREF(old_span);
    Py_XDECREF(old_scope);
    return pair;
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
    PyObject_GC_Track(self);
    return (PyObject *)self;
}
