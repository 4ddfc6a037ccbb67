#include "content.h"
#include "context.h"
#include "core.h"
#include "json.h"
#include "review.h"

#include <string.h>

bool core_span_recording(span_object *span) {
    bool recording;
    Py_BEGIN_CRITICAL_SECTION(span);
    recording = span->span != NULL;
    Py_END_CRITICAL_SECTION();
    return recording;
}

void core_span_put(span_object *span, const respan_attribute *attributes, size_t count) {
    Py_BEGIN_CRITICAL_SECTION(span);
    if (span->span != NULL && span->review == NULL) {
        respan_span_set(span->span, attributes, count);
    } else if (span->span != NULL) { /* what is replaced in the dict may run code that ends the span */
        PyObject *dict = Py_NewRef(span->review->attributes);
        core_review_put(dict, attributes, count, span->review->masks);
        Py_DECREF(dict);
    }
    Py_END_CRITICAL_SECTION();
}

void core_span_put_text(span_object *span, const char *key, size_t key_len, PyObject *text) {
    respan_attribute attribute = {.key = {key, key_len}, .type = RESPAN_TYPE_STRING};
    if (text != NULL && core_text(text, &attribute.value.string)) core_span_put(span, &attribute, 1);
}

static int set_all(span_object *self, PyObject *dict);

/* True: the span, with what its reviewers left of it, is to be recorded. False: it was discarded. */
static bool finish_review(span_object *span) {
    PyObject *raised = core_raised_take();
    span_review *review = span->review;
    bool keep = true;
    review->running = true;
    for (size_t i = 0; keep && i < 2; i++) {
        if (review->reviewers[i] == NULL) continue;
        PyObject *answer = PyObject_CallOneArg(review->reviewers[i], (PyObject *)span);
        keep = answer != NULL && PyObject_IsTrue(answer) == 1;
        if (PyErr_Occurred()) core_lose(core_state_of(Py_TYPE(span)), true);
        Py_XDECREF(answer);
        if (PyErr_Occurred() && PyErr_ExceptionMatches(PyExc_KeyboardInterrupt)) PyErr_SetInterrupt();
        PyErr_Clear();
    }
    span->review = NULL;         /* from here attributes go to librespan */
    PyObject *mask = span->mask; /* it has seen them */
    span->mask = NULL;
    if (keep && set_all(span, review->attributes) < 0) PyErr_Clear();
    core_review_free(review);
    Py_XDECREF(mask);
    if (!keep) {
        respan_span_discard(span->span);
        span->span = NULL;
    }
    if (raised != NULL) core_raised_restore(raised);
    return keep;
}

span_object *core_span_new(core_state *state, respan_text name, const span_object *parent, PyObject *review,
                           uint64_t start_ns) {
    respan_span *opened = NULL;
    PyObject *of_client = NULL, *mask = NULL;
    bool is_on, content = false;
    CORE_LOCK(state);
    is_on = state->client != NULL;
    if (is_on) {
        opened = respan_span_start(state->client->handle, name.p, name.n,
                                   parent == NULL ? NULL : &parent->context, start_ns);
        of_client = Py_XNewRef(state->client->review);
        mask = Py_XNewRef(state->client->mask);
        content = state->client->content && !__atomic_load_n(&state->content_vetoed, __ATOMIC_RELAXED);
        /* Its reviewers see it before a file does. */
        if (review != NULL || of_client != NULL) respan_span_withhold(opened);
    }
    CORE_UNLOCK(state);
    span_review *reviewed = NULL;
    span_object *self = NULL;
    if (opened != NULL &&
        ((review == NULL && of_client == NULL) ||
         (reviewed = core_review_new(name, parent, start_ns, respan_span_masks_secrets(opened), review,
                                     of_client)) != NULL))
        self = PyObject_GC_New(span_object, state->span_type);
    Py_XDECREF(of_client);
    if (self == NULL) {
        PyErr_Clear();
        core_review_free(reviewed);
        Py_XDECREF(mask);
        respan_span_discard(opened);
        if (is_on) core_lose(state, opened != NULL);
        return NULL;
    }
    self->base.stale = false;
    self->base.instead = NULL;
    self->span = opened;
    self->review = reviewed;
    self->context = respan_span_get_context(opened);
    self->path = parent == NULL ? NULL : Py_XNewRef(parent->path);
    self->workflow = parent == NULL ? NULL : Py_XNewRef(parent->workflow);
    self->processors = NULL;
    if (parent != NULL) {
        Py_BEGIN_CRITICAL_SECTION(parent);
        self->processors = Py_XNewRef(parent->processors);
        Py_END_CRITICAL_SECTION();
    }
    self->previous = NULL;
    self->end_ns = 0;
    self->active = false;
    self->remote = false;
    self->content = content;
    self->mask = mask;
    PyObject_GC_Track(self);
    return self;
}

PyObject *core_span_push(core_state *state, span_object *span) {
    span_object *previous = core_span_current(state);
    PyObject *token = NULL;
    Py_BEGIN_CRITICAL_SECTION(span);
    if (!span->active && !core_is_stale(&span->base) &&
        core_set_current(state->current_span, (PyObject *)span, &token)) {
        Py_XSETREF(span->previous, previous);
        previous = NULL;
        span->active = true;
    }
    Py_END_CRITICAL_SECTION();
    Py_XDECREF((PyObject *)previous);
    return token;
}

/* Resetting is half the work of setting, but needs the token and its context: a generator may be closed in another than
 * the one that advanced it. No span keeps a token: it keeps the context, which keeps the span. */
void core_span_pop(core_state *state, span_object *span, PyObject *token) {
    PyObject *previous;
    bool active;
    Py_BEGIN_CRITICAL_SECTION(span);
    active = span->active;
    previous = (PyObject *)span->previous;
    span->active = false;
    span->previous = NULL;
    Py_END_CRITICAL_SECTION();
    span_object *current = active ? core_span_current(state) : NULL;
    if (active && current == span) {
        bool gone = token != NULL && PyContextVar_Reset(state->current_span, token) == 0;
        if (!gone) {
            PyErr_Clear();
            gone = core_put_current(state->current_span, previous != NULL ? previous : Py_None);
        }
        if (!gone) core_leave_behind(state, &span->base, previous);
    }
    Py_XDECREF((PyObject *)current);
    Py_XDECREF(previous);
    Py_XDECREF(token);
}

void core_span_enter(core_state *state, span_object *span) {
    PyObject *token = core_span_push(state, span);
    Py_XDECREF(token);
}

void core_span_leave(core_state *state, span_object *span) { core_span_pop(state, span, NULL); }

PyObject *core_span_finish(core_state *state, span_object *span, PyObject *token, PyObject *result) {
    PyObject *raised = NULL;
    if (result == NULL) {
        raised = core_raised_take();
        if (raised != NULL) core_span_fail(span, raised, 0);
    }
    core_span_pop(state, span, token);
    core_span_end(span);
    Py_DECREF(span);
    if (raised != NULL) core_raised_restore(raised);
    return result;
}

void core_span_end(span_object *span) {
    Py_BEGIN_CRITICAL_SECTION(span);
    if (span->review == NULL || (!span->review->running && finish_review(span))) {
        respan_span *opened = span->span;
        span->span = NULL;
        respan_span_end(opened, span->end_ns);
    }
    Py_END_CRITICAL_SECTION();
}

int core_span_take_json(span_object *span, const char *key, size_t key_len, struct json_writer *json,
                        int rc) {
    respan_attribute attribute = {.key = {key, key_len}, .type = RESPAN_TYPE_STRING};
    attribute.value.string = (respan_text){json->p, json->size};
    if (rc == 0 && !json->failed) {
        if (__builtin_expect(span->mask != NULL, 0) && core_is_content(attribute.key))
            core_put_masked(span, attribute.key, attribute.value.string);
        else core_span_put(span, &attribute, 1);
    }
    json_free(json);
    return rc;
}

__attribute__((noinline)) int core_span_output(span_object *span, PyObject *value) {
    if (!span->content || !core_span_recording(span)) return 0;
    json_writer json;
    json_init(&json);
    return core_span_take_json(span, RESPAN_TEXT("traceloop.entity.output"), &json,
                               json_write_value(&json, value));
}

/* Forgotten: what it knows is worth more than nothing. */
static void span_finalize(PyObject *op) {
    PyObject *raised = core_raised_take();
    core_span_end((span_object *)op);
    if (raised != NULL) core_raised_restore(raised);
}

static int span_traverse(PyObject *op, visitproc visit, void *arg) {
    span_object *self = (span_object *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->previous);
    Py_VISIT(self->base.instead);
    Py_VISIT(self->path); /* of a subclass of str, which may lead anywhere */
    Py_VISIT(self->workflow);
    Py_VISIT(self->processors);
    Py_VISIT(self->mask);
    return core_review_traverse(self->review, visit, arg);
}

/* After span_finalize, which took the review. */
static int span_clear(PyObject *op) {
    Py_CLEAR(((span_object *)op)->previous);
    Py_CLEAR(((span_object *)op)->base.instead);
    Py_CLEAR(((span_object *)op)->mask);
    return 0;
}

static void span_dealloc(PyObject *op) {
    span_object *self = (span_object *)op;
    PyTypeObject *type = Py_TYPE(op);
    if (self->review == NULL) core_span_end(self);
    else if (PyObject_CallFinalizerFromDealloc(op) < 0) return; /* a reviewer kept it */
    PyObject_GC_UnTrack(op);
    Py_TRASHCAN_BEGIN(op, span_dealloc) /* each may be the last to know its previous one */
        core_review_free(self->review);
    Py_XDECREF(self->path);
    Py_XDECREF(self->workflow);
    Py_XDECREF(self->processors);
    Py_XDECREF(self->mask);
    Py_XDECREF((PyObject *)self->previous);
    Py_XDECREF(self->base.instead);
    PyObject_GC_Del(op);
    Py_DECREF(type);
    Py_TRASHCAN_END
}

static bool set_sequence(span_object *span, respan_text key, PyObject *sequence) {
    respan_attribute attribute = {.key = key};
    void *items;
    PyObject *tuple = PySequence_Tuple(sequence);
    if (tuple == NULL) PyErr_Clear();
    bool good = tuple != NULL && core_sequence_value(tuple, &attribute, &items);
    if (good) {
        core_span_put(span, &attribute, 1);
        PyMem_Free(items);
    }
    Py_XDECREF(tuple);
    return good;
}

/* str, bool, int, float and lists of one of them as they are; None is left out; all else as JSON. */
static int set_value(span_object *self, PyObject *key, PyObject *value) {
    respan_attribute attribute;
    if (value == Py_None || !core_span_recording(self) || !core_text(key, &attribute.key)) return 0;
    bool is_masked = (!self->content || self->mask != NULL) && core_is_content(attribute.key);
    if (is_masked && !self->content) return 0;
    if (is_masked && PyUnicode_Check(value)) {
        PyObject *masked = core_masked(self, value);
        core_span_put_text(self, attribute.key.p, attribute.key.n, masked);
        Py_XDECREF(masked);
        return 0;
    }
    if (!is_masked && core_attribute_value(value, &attribute)) {
        core_span_put(self, &attribute, 1);
        return 0;
    }
    if (!is_masked && (PyList_Check(value) || PyTuple_Check(value)) &&
        set_sequence(self, attribute.key, value))
        return 0;
    json_writer json;
    json_init(&json);
    int rc = PyUnicode_Check(value) ? json_write_text(&json, value) : json_write_value(&json, value);
    return core_span_take_json(self, attribute.key.p, attribute.key.n, &json, rc);
}

static PyObject *span_set(PyObject *op, PyObject *const *args, Py_ssize_t nargs) {
    if (nargs != 2 || !PyUnicode_Check(args[0]))
        return PyErr_Format(PyExc_TypeError, "set_attribute() takes a str and a value");
    if (set_value((span_object *)op, args[0], args[1]) < 0) return NULL;
    Py_RETURN_NONE;
}

static int set_all(span_object *self, PyObject *dict) {
    PyObject *key, *value;
    Py_ssize_t at = 0;
    int rc = 0;
    Py_BEGIN_CRITICAL_SECTION(dict);
    while (rc == 0 && PyDict_Next(dict, &at, &key, &value)) {
        if (!PyUnicode_Check(key)) continue;
        Py_INCREF(key);
        Py_INCREF(value);
        rc = set_value(self, key, value);
        Py_DECREF(key);
        Py_DECREF(value);
    }
    Py_END_CRITICAL_SECTION();
    return rc;
}

static PyObject *span_update(PyObject *op, PyObject *dict) {
    if (!PyDict_Check(dict)) return PyErr_Format(PyExc_TypeError, "set_attributes() takes a dict");
    if (set_all((span_object *)op, dict) < 0) return NULL;
    Py_RETURN_NONE;
}

static PyObject *span_rename(PyObject *op, PyObject *name) {
    respan_text text;
    if (!PyUnicode_Check(name)) return PyErr_Format(PyExc_TypeError, "update_name() takes a str");
    span_object *self = (span_object *)op;
    if (!core_text(name, &text)) Py_RETURN_NONE;
    Py_BEGIN_CRITICAL_SECTION(self);
    respan_span_set_name(self->span, text.p, text.n);
    core_review_name(self->review, text);
    Py_END_CRITICAL_SECTION();
    Py_RETURN_NONE;
}

static PyObject *span_status(PyObject *op, PyObject *args) {
    int code;
    const char *message = "";
    Py_ssize_t n = 0;
    if (!PyArg_ParseTuple(args, "i|s#:status", &code, &message, &n)) return NULL;
    if (code < RESPAN_STATUS_UNSET || code > RESPAN_STATUS_ERROR)
        return PyErr_Format(PyExc_ValueError, "status must be 0 (unset), 1 (ok) or 2 (error), not %d", code);
    span_object *self = (span_object *)op;
    respan_text text = {message, (size_t)n};
    PyObject *masked = NULL;
    if (self->mask != NULL && n > 0) {
        PyObject *given = PyUnicode_DecodeUTF8(message, n, "replace");
        masked = given == NULL ? NULL : core_masked(self, given);
        Py_XDECREF(given);
        PyErr_Clear();
        if (masked == NULL || !core_text(masked, &text)) text = (respan_text){"", 0};
    }
    core_span_status(self, (respan_status_code)code, text);
    Py_XDECREF(masked);
    Py_RETURN_NONE;
}

void core_span_status(span_object *span, respan_status_code code, respan_text message) {
    Py_BEGIN_CRITICAL_SECTION(span);
    respan_span_set_status(span->span, code, message.p, message.n);
    core_review_status(span->review, code, message);
    Py_END_CRITICAL_SECTION();
}

void core_span_event(span_object *span, respan_text name, uint64_t time_ns,
                     const respan_attribute *attributes, size_t count) {
    Py_BEGIN_CRITICAL_SECTION(span);
    respan_span_add_event(span->span, name.p, name.n, time_ns, attributes, count);
    core_review_event(span->review, name, time_ns, attributes, count);
    Py_END_CRITICAL_SECTION();
}

static PyObject *span_event(PyObject *op, PyObject *args) {
    PyObject *name, *scope = NULL;
    unsigned long long time_ns = 0;
    core_state *state = core_state_of(Py_TYPE(op));
    if (!PyArg_ParseTuple(args, "U|O!K:event", &name, state->scope_type, &scope, &time_ns)) return NULL;
    respan_text text;
    scope_object *attributes = (scope_object *)scope;
    if (core_text(name, &text))
        core_span_event((span_object *)op, text, time_ns, attributes == NULL ? NULL : attributes->attributes,
                        attributes == NULL ? 0 : attributes->count);
    Py_RETURN_NONE;
}

static PyObject *span_link(PyObject *op, PyObject *args) {
    PyObject *trace_id, *span_id, *scope = NULL;
    core_state *state = core_state_of(Py_TYPE(op));
    if (!PyArg_ParseTuple(args, "UU|O!:link", &trace_id, &span_id, state->scope_type, &scope)) return NULL;
    respan_span_context to;
    const scope_object *attributes = (scope_object *)scope;
    if (!core_read_ids(trace_id, span_id, &to)) return NULL;
    span_object *self = (span_object *)op;
    const respan_attribute *list = attributes == NULL ? NULL : attributes->attributes;
    size_t count = attributes == NULL ? 0 : attributes->count;
    Py_BEGIN_CRITICAL_SECTION(self);
    respan_span_add_link(self->span, &to, list, count);
    core_review_link(self->review, trace_id, span_id, list, count);
    Py_END_CRITICAL_SECTION();
    Py_RETURN_NONE;
}

static PyObject *span_route(PyObject *op, PyObject *processors) {
    if (!PyUnicode_Check(processors)) return PyErr_Format(PyExc_TypeError, "route() takes a str");
    span_object *self = (span_object *)op;
    Py_BEGIN_CRITICAL_SECTION(self);
    Py_XSETREF(self->processors, Py_NewRef(processors));
    Py_END_CRITICAL_SECTION();
    core_span_put_text(self, RESPAN_TEXT("respan.processors"), processors);
    Py_RETURN_NONE;
}

static PyObject *span_adopt(PyObject *op, PyObject *args) {
    PyObject *trace_id, *span_id;
    span_object *self = (span_object *)op;
    respan_span_context own;
    if (!PyArg_ParseTuple(args, "UU:adopt", &trace_id, &span_id) || !core_read_ids(trace_id, span_id, &own))
        return NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    if (self->span != NULL) {
        respan_span_set_context(self->span, &own);
        self->context = respan_span_get_context(self->span);
    }
    Py_END_CRITICAL_SECTION();
    Py_RETURN_NONE;
}

static PyObject *span_fail(PyObject *op, PyObject *args) {
    PyObject *error;
    unsigned long long time_ns = 0;
    if (!PyArg_ParseTuple(args, "O|K:fail", &error, &time_ns)) return NULL;
    core_span_fail((span_object *)op, error, time_ns);
    Py_RETURN_NONE;
}

static PyObject *span_output(PyObject *op, PyObject *value) {
    if (core_span_output((span_object *)op, value) < 0) return NULL;
    Py_RETURN_NONE;
}

static PyObject *span_enter(PyObject *op, PyObject *Py_UNUSED(ignored)) {
    core_span_enter(core_state_of(Py_TYPE(op)), (span_object *)op);
    return Py_NewRef(op);
}

static PyObject *span_leave(PyObject *op, PyObject *Py_UNUSED(ignored)) {
    core_span_leave(core_state_of(Py_TYPE(op)), (span_object *)op);
    Py_RETURN_NONE;
}

static void set_end(span_object *span, uint64_t end_ns) {
    Py_BEGIN_CRITICAL_SECTION(span);
    span->end_ns = end_ns;
    Py_END_CRITICAL_SECTION();
}

static PyObject *span_stop(PyObject *op, PyObject *Py_UNUSED(ignored)) {
    set_end((span_object *)op, core_review_now());
    Py_RETURN_NONE;
}

static PyObject *span_end(PyObject *op, PyObject *const *args, Py_ssize_t nargs) {
    if (nargs > 0) {
        unsigned long long end_ns = PyLong_AsUnsignedLongLong(args[0]);
        if (PyErr_Occurred()) return NULL;
        set_end((span_object *)op, end_ns);
    }
    core_span_leave(core_state_of(Py_TYPE(op)), (span_object *)op);
    core_span_end((span_object *)op);
    Py_RETURN_NONE;
}

static PyObject *span_discard(PyObject *op, PyObject *Py_UNUSED(ignored)) {
    span_object *self = (span_object *)op;
    core_span_leave(core_state_of(Py_TYPE(op)), self);
    span_review *review = NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    if (self->review == NULL || !self->review->running) {
        review = self->review;
        self->review = NULL;
        respan_span_discard(self->span);
        self->span = NULL;
    }
    Py_END_CRITICAL_SECTION();
    core_review_free(review);
    Py_RETURN_NONE;
}

static PyObject *span_exit(PyObject *op, PyObject *const *args, Py_ssize_t nargs) {
    if (nargs == 3 && args[1] != Py_None) core_span_fail((span_object *)op, args[1], 0);
    return span_end(op, NULL, 0);
}

static PyObject *span_masked(PyObject *op, PyObject *text) {
    span_object *self = (span_object *)op;
    if (!PyUnicode_Check(text)) return PyErr_Format(PyExc_TypeError, "masked() takes a str");
    if (self->mask == NULL) return Py_NewRef(text);
    PyObject *masked = core_masked(self, text);
    return masked != NULL ? masked : Py_NewRef(Py_None);
}

#define FASTCALL(f) ((PyCFunction)(void (*)(void))(f))

static PyMethodDef span_methods[] = {
    {"set_attribute", FASTCALL(span_set), METH_FASTCALL,
     PyDoc_STR("set_attribute($self, key, value, /)\n--\n\nNone is left out.")},
    {"set_attributes", span_update, METH_O,
     PyDoc_STR("set_attributes($self, attributes, /)\n--\n\nSets each item.")},
    {"update_name", span_rename, METH_O, PyDoc_STR("update_name($self, name, /)\n--\n\n")},
    {"status", span_status, METH_VARARGS, PyDoc_STR("0 unset, 1 ok, 2 error; and a message.")},
    {"event", span_event, METH_VARARGS,
     PyDoc_STR("A name, and optionally a Scope and a time in nanoseconds.")},
    {"fail", span_fail, METH_VARARGS,
     PyDoc_STR("fail($self, error, time_ns=0, /)\n--\n\nRecords an exception; the span stays open.")},
    {"output", span_output, METH_O,
     PyDoc_STR("output($self, value, /)\n--\n\nWhat the traced function returned.")},
    {"enter", span_enter, METH_NOARGS, PyDoc_STR("enter($self, /)\n--\n\nMakes it the current span.")},
    {"leave", span_leave, METH_NOARGS, PyDoc_STR("leave($self, /)\n--\n\nMakes current what was before.")},
    {"discard", span_discard, METH_NOARGS,
     PyDoc_STR("discard($self, /)\n--\n\nEnds it unrecorded, as if it had never started.")},
    {"stop", span_stop, METH_NOARGS,
     PyDoc_STR("stop($self, /)\n--\n\nThe traced work ends now; end() comes later.")},
    {"link", span_link, METH_VARARGS, PyDoc_STR("To a trace id and span id (hex), and optionally a Scope.")},
    {"route", span_route, METH_O,
     PyDoc_STR("route($self, processors, /)\n--\n\nNames, with commas, of where it and its children go.")},
    {"adopt", span_adopt, METH_VARARGS,
     PyDoc_STR("Takes the trace id and span id (hex) that another tracer gave this span.")},
    {"masked", span_masked, METH_O,
     PyDoc_STR("masked($self, text, /)\n--\n\nWhat the span's mask, if it has one, makes of content; None: "
               "nothing.")},
    {"end", FASTCALL(span_end), METH_FASTCALL,
     PyDoc_STR("end($self, time_ns=0, /)\n--\n\nLeaves and records; later calls do nothing.")},
    {"__enter__", span_enter, METH_NOARGS, NULL},
    {"__exit__", FASTCALL(span_exit), METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot span_slots[] = {
    {Py_tp_dealloc, span_dealloc},
    {Py_tp_traverse, span_traverse},
    {Py_tp_clear, span_clear},
    {Py_tp_finalize, span_finalize},
    {Py_tp_methods, span_methods},
    {Py_tp_getset, core_span_properties},
    {Py_tp_doc, (void *)PyDoc_STR("An open span, made by start_span().")},
    {0, NULL},
};

PyType_Spec span_spec = {
    .name = "respan._core.Span",
    .basicsize = sizeof(span_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = span_slots,
};
