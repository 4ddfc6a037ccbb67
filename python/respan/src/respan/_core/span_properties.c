/* What Python code can ask a Span (span.c). */
#include "core.h"
#include "review.h"

static PyObject *get_trace_id(PyObject *op, void *Py_UNUSED(closure)) {
    char hex[33];
    respan_trace_id_hex(&((span_object *)op)->context, hex);
    return PyUnicode_FromString(hex);
}

static PyObject *get_span_id(PyObject *op, void *Py_UNUSED(closure)) {
    char hex[17];
    respan_span_id_hex(&((span_object *)op)->context, hex);
    return PyUnicode_FromString(hex);
}

static PyObject *get_inherited(PyObject *op, void *Py_UNUSED(closure)) {
    const span_object *self = (span_object *)op;
    return Py_BuildValue("OO", self->path != NULL ? self->path : Py_None,
                         self->workflow != NULL ? self->workflow : Py_None);
}

static PyObject *get_recording(PyObject *op, void *Py_UNUSED(closure)) {
    return PyBool_FromLong(core_span_recording((span_object *)op));
}

static PyObject *get_reviewed(PyObject *op, void *Py_UNUSED(closure)) {
    PyObject *answer;
    Py_BEGIN_CRITICAL_SECTION(op);
    const span_review *review = ((span_object *)op)->review;
    answer = review == NULL ? Py_NewRef(Py_None)
                            : Py_BuildValue("NNi", Py_NewRef(review->name), Py_NewRef(review->attributes),
                                            review->status);
    Py_END_CRITICAL_SECTION();
    return answer;
}

static PyObject *get_facts(PyObject *op, void *Py_UNUSED(closure)) {
    PyObject *answer;
    Py_BEGIN_CRITICAL_SECTION(op);
    const span_object *self = (span_object *)op;
    answer = self->review == NULL ? Py_NewRef(Py_None) : core_review_facts(self);
    Py_END_CRITICAL_SECTION();
    return answer;
}

static PyObject *get_mask(PyObject *op, void *Py_UNUSED(closure)) {
    PyObject *mask;
    Py_BEGIN_CRITICAL_SECTION(op);
    mask = Py_XNewRef(((span_object *)op)->mask);
    Py_END_CRITICAL_SECTION();
    return mask != NULL ? mask : Py_NewRef(Py_None);
}

static int set_mask(PyObject *op, PyObject *mask, void *Py_UNUSED(closure)) {
    PyObject *old;
    Py_BEGIN_CRITICAL_SECTION(op);
    old = ((span_object *)op)->mask;
    ((span_object *)op)->mask = mask == Py_None ? NULL : Py_XNewRef(mask);
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(old);
    return 0;
}

static PyObject *get_content(PyObject *op, void *Py_UNUSED(closure)) {
    return PyBool_FromLong(((span_object *)op)->content);
}

PyGetSetDef core_span_properties[] = {
    {"trace_id", get_trace_id, NULL, PyDoc_STR("32 hex digits"), NULL},
    {"span_id", get_span_id, NULL, PyDoc_STR("16 hex digits"), NULL},
    {"inherited", get_inherited, NULL,
     PyDoc_STR("The entity path and the workflow name that children inherit, each a str or None."), NULL},
    {"recording", get_recording, NULL, PyDoc_STR("False once ended"), NULL},
    {"reviewed", get_reviewed, NULL,
     PyDoc_STR("For a reviewer: (name, attributes, status); the dict may be changed."), NULL},
    {"facts", get_facts, NULL, PyDoc_STR("For a reviewer: all that is known of the span, as a new dict."),
     NULL},
    {"content", get_content, NULL, PyDoc_STR("Whether prompts, completions, inputs and outputs may be set."),
     NULL},
    {"mask", get_mask, set_mask, PyDoc_STR("What sees content before it is recorded: a function, or None."),
     NULL},
    {NULL, NULL, NULL, NULL, NULL},
};
