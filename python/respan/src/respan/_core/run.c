#include "run.h"

typedef struct run_object {
    PyObject_HEAD PyObject *inner; /* NULL once it is done */
    span_object *span;             /* NULL once it is done */
    run_kind kind;
} run_object;

/* New references; NULL once it is done. */
static PyObject *inner_of(run_object *self) {
    PyObject *inner;
    Py_BEGIN_CRITICAL_SECTION(self);
    inner = Py_XNewRef(self->inner);
    Py_END_CRITICAL_SECTION();
    return inner;
}

static span_object *span_of(run_object *self) {
    span_object *span;
    Py_BEGIN_CRITICAL_SECTION(self);
    span = (span_object *)Py_XNewRef((PyObject *)self->span);
    Py_END_CRITICAL_SECTION();
    return span;
}

/* ---- a step ---------------------------------------------------------------------------------------------- */

/* A token for the step's end. */
static PyObject *step_begins(run_object *self, core_state *state) {
    span_object *span = self->kind == RUN_GENERATOR ? span_of(self) : NULL;
    PyObject *token = span == NULL ? NULL : core_span_push(state, span);
    Py_XDECREF((PyObject *)span);
    return token;
}

/* Keeps the error that is set. */
static void step_ends(run_object *self, core_state *state, PyObject *token) {
    PyObject *raised = PyErr_Occurred() ? core_raised_take() : NULL;
    span_object *span = self->kind == RUN_GENERATOR ? span_of(self) : NULL;
    if (span != NULL) core_span_pop(state, span, token);
    else Py_XDECREF(token);
    Py_XDECREF((PyObject *)span);
    if (raised != NULL) core_raised_restore(raised);
}

/* Takes `result`, NULL if an error is set; the same, or NULL. */
static PyObject *finish(run_object *self, core_state *state, PyObject *result) {
    span_object *span;
    PyObject *inner;
    Py_BEGIN_CRITICAL_SECTION(self);
    span = self->span;
    inner = self->inner;
    self->span = NULL;
    self->inner = NULL;
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(inner);
    if (span == NULL) return result;
    if (result != NULL && self->kind == RUN_COROUTINE && core_span_output(span, result) < 0) Py_CLEAR(result);
    return core_span_finish(state, span, NULL, result);
}

static PySendResult run_send(PyObject *op, PyObject *value, PyObject **result) {
    run_object *self = (run_object *)op;
    core_state *state = core_state_of(Py_TYPE(op));
    PyObject *inner = inner_of(self);
    if (inner == NULL) {
        *result = Py_NewRef(Py_None);
        return PYGEN_RETURN;
    }
    PyObject *token = step_begins(self, state);
    PySendResult sent = PyIter_Send(inner, value, result);
    step_ends(self, state, token);
    Py_DECREF(inner);
    if (sent == PYGEN_NEXT) return sent;
    *result = finish(self, state, sent == PYGEN_RETURN ? *result : NULL);
    return *result == NULL ? PYGEN_ERROR : PYGEN_RETURN;
}

/* ---- as an iterator -------------------------------------------------------------------------------------- */

/* Raises StopIteration(value), and takes the value; NULL. */
static PyObject *raise_stop(PyObject *value) {
    PyObject *stop = PyObject_CallOneArg(PyExc_StopIteration, value);
    if (stop != NULL) PyErr_SetObject(PyExc_StopIteration, stop);
    Py_XDECREF(stop);
    Py_DECREF(value);
    return NULL;
}

/* The value of the StopIteration that is raised, and clears it; NULL if what is raised, if anything, is not that. */
static PyObject *caught_stop(void) {
    if (PyErr_Occurred() == NULL || !PyErr_ExceptionMatches(PyExc_StopIteration)) return NULL;
    PyObject *stop = core_raised_take();
    PyObject *value = ((PyStopIterationObject *)stop)->value;
    value = Py_NewRef(value != NULL ? value : Py_None);
    Py_DECREF(stop);
    return value;
}

static PyObject *run_send_value(PyObject *op, PyObject *value) {
    PyObject *result = NULL;
    return run_send(op, value, &result) == PYGEN_RETURN ? raise_stop(result) : result;
}

static PyObject *run_next(PyObject *op) { return run_send_value(op, Py_None); }

/* throw(type) or throw(error), as raise has it; those with more arguments are for iterators that have a throw(). */
static void raise_given(PyObject *error) {
    if (PyExceptionInstance_Check(error)) PyErr_SetObject((PyObject *)Py_TYPE(error), error);
    else if (PyExceptionClass_Check(error)) PyErr_SetNone(error);
    else PyErr_SetString(PyExc_TypeError, "exceptions must derive from BaseException");
}

static PyObject *run_throw(PyObject *op, PyObject *const *args, Py_ssize_t nargs) {
    run_object *self = (run_object *)op;
    core_state *state = core_state_of(Py_TYPE(op));
    if (nargs == 0) return PyErr_Format(PyExc_TypeError, "throw() takes an exception");
    PyObject *inner = inner_of(self), *method = NULL, *result = NULL;
    if (inner != NULL && (method = PyObject_GetAttrString(inner, "throw")) == NULL) PyErr_Clear();
    Py_XDECREF(inner);
    if (method != NULL) {
        PyObject *token = step_begins(self, state);
        result = PyObject_Vectorcall(method, args, (size_t)nargs, NULL);
        step_ends(self, state, token);
        Py_DECREF(method);
    } else {
        raise_given(args[0]);
    }
    if (result != NULL) return result;
    PyObject *value = finish(self, state, caught_stop());
    return value == NULL ? NULL : raise_stop(value);
}

static PyObject *run_close(PyObject *op, PyObject *Py_UNUSED(ignored)) {
    run_object *self = (run_object *)op;
    core_state *state = core_state_of(Py_TYPE(op));
    PyObject *inner = inner_of(self);
    if (inner == NULL) Py_RETURN_NONE;
    PyObject *method = PyObject_GetAttrString(inner, "close"), *closed = NULL;
    Py_DECREF(inner);
    if (method == NULL) {
        PyErr_Clear();
        closed = Py_NewRef(Py_None);
    } else {
        PyObject *token = step_begins(self, state);
        closed = PyObject_CallNoArgs(method);
        step_ends(self, state, token);
        Py_DECREF(method);
    }
    self->kind = RUN_GENERATOR; /* a coroutine that was closed has no output either */
    return finish(self, state, closed);
}

static PyObject *run_getattro(PyObject *op, PyObject *name) {
    PyObject *value = PyObject_GenericGetAttr(op, name);
    if (value != NULL || !PyErr_ExceptionMatches(PyExc_AttributeError)) return value;
    PyObject *raised = core_raised_take(), *inner = inner_of((run_object *)op);
    if (inner == NULL) {
        core_raised_restore(raised);
        return NULL;
    }
    Py_DECREF(raised);
    value = PyObject_GetAttr(inner, name);
    Py_DECREF(inner);
    return value;
}

/* ---- life ------------------------------------------------------------------------------------------------ */

static PyObject *awaitable_iterator(PyObject *value) {
    if (PyCoro_CheckExact(value)) return Py_NewRef(value);
    const PyAsyncMethods *methods = Py_TYPE(value)->tp_as_async;
    if (methods != NULL && methods->am_await != NULL) return methods->am_await(value);
    return PyErr_Format(PyExc_TypeError, "object %.100s can't be used in 'await' expression",
                        Py_TYPE(value)->tp_name);
}

PyObject *core_run_new(core_state *state, run_kind kind, span_object *span, PyObject *function,
                       PyObject *args, PyObject *kwargs) {
    PyObject *token = core_span_push(state, span);
    PyObject *made = PyObject_Call(function, args, PyDict_GET_SIZE(kwargs) > 0 ? kwargs : NULL);
    PyObject *inner = made == NULL            ? NULL
                      : kind == RUN_GENERATOR ? PyObject_GetIter(made)
                                              : awaitable_iterator(made);
    run_object *self = inner == NULL ? NULL : PyObject_GC_New(run_object, state->run_type);
    if (self == NULL && inner != NULL) { /* it runs all the same, outside the span */
        PyErr_Clear();
        Py_DECREF(inner);
        return core_span_finish(state, span, token, made);
    }
    Py_XDECREF(made);
    if (self == NULL) return core_span_finish(state, span, token, NULL);
    self->inner = inner;
    self->span = span;
    self->kind = kind;
    step_ends(self, state, token);
    PyObject_GC_Track((PyObject *)self);
    return (PyObject *)self;
}

static int run_traverse(PyObject *op, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(((run_object *)op)->inner);
    Py_VISIT(((run_object *)op)->span);
    return 0;
}

static int run_clear(PyObject *op) {
    Py_CLEAR(((run_object *)op)->inner);
    Py_CLEAR(((run_object *)op)->span);
    return 0;
}

/* Nobody closed it. */
static void run_finalize(PyObject *op) {
    run_object *self = (run_object *)op;
    if (self->span == NULL) return;
    PyObject *raised = core_raised_take();
    PyObject *done = finish(self, core_state_of(Py_TYPE(op)), Py_NewRef(Py_None));
    Py_XDECREF(done);
    if (raised != NULL) core_raised_restore(raised);
}

static void run_dealloc(PyObject *op) {
    PyTypeObject *type = Py_TYPE(op);
    if (PyObject_CallFinalizerFromDealloc(op) < 0) return;
    PyObject_GC_UnTrack(op);
    (void)run_clear(op);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyMethodDef run_methods[] = {
    {"send", run_send_value, METH_O, NULL},
    {"throw", (PyCFunction)(void (*)(void))run_throw, METH_FASTCALL, NULL},
    {"close", run_close, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot run_slots[] = {
    {Py_tp_dealloc, run_dealloc},
    {Py_tp_finalize, run_finalize},
    {Py_tp_traverse, run_traverse},
    {Py_tp_clear, run_clear},
    {Py_tp_getattro, run_getattro},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, run_next},
    {Py_am_await, PyObject_SelfIter},
    {Py_am_send, run_send},
    {Py_tp_methods, run_methods},
    {Py_tp_doc, (void *)PyDoc_STR("A coroutine or generator inside its span.")},
    {0, NULL},
};

PyType_Spec run_spec = {
    .name = "respan._core.Run",
    .basicsize = sizeof(run_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = run_slots,
};
