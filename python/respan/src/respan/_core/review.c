#include "review.h"
#include "content.h"

#include <string.h>
#include <time.h>

uint64_t core_review_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static PyObject *to_str(respan_text text, bool masks) {
    return masks ? core_without_secrets(text)
                 : PyUnicode_DecodeUTF8(text.p == NULL ? "" : text.p, (Py_ssize_t)text.n, "replace");
}

void core_review_free(span_review *review) {
    if (review == NULL) return;
    Py_XDECREF(review->attributes);
    Py_XDECREF(review->name);
    Py_XDECREF(review->events);
    Py_XDECREF(review->links);
    Py_XDECREF(review->message);
    for (size_t i = 0; i < 2; i++) Py_XDECREF(review->reviewers[i]);
    PyMem_Free(review);
}

int core_review_traverse(const span_review *review, visitproc visit, void *arg) {
    if (review == NULL) return 0;
    Py_VISIT(review->attributes);
    Py_VISIT(review->name);
    Py_VISIT(review->events);
    Py_VISIT(review->links);
    for (size_t i = 0; i < 2; i++) Py_VISIT(review->reviewers[i]);
    return 0;
}

span_review *core_review_new(respan_text name, const span_object *parent, uint64_t start_ns, bool masks,
                             PyObject *of_entity, PyObject *of_client) {
    span_review *review = PyMem_Calloc(1, sizeof *review);
    if (review == NULL) return NULL;
    review->attributes = PyDict_New();
    review->masks = masks;
    review->name = to_str(name, masks);
    review->events = PyList_New(0);
    review->links = PyList_New(0);
    review->message = PyUnicode_FromString("");
    review->kind = RESPAN_KIND_INTERNAL;
    review->start_ns = start_ns != 0 ? start_ns : core_review_now();
    if (parent != NULL) review->parent = parent->context;
    review->local_root = parent == NULL || parent->remote;
    review->reviewers[0] = Py_XNewRef(of_entity);
    review->reviewers[1] = Py_XNewRef(of_client);
    if (review->attributes != NULL && review->name != NULL && review->events != NULL &&
        review->links != NULL && review->message != NULL)
        return review;
    PyErr_Clear();
    core_review_free(review);
    return NULL;
}

static PyObject *item_object(const respan_attribute *a, size_t i, bool masks) {
    if (a->type == RESPAN_TYPE_BOOL_ARRAY) return PyBool_FromLong(a->value.booleans.items[i]);
    if (a->type == RESPAN_TYPE_INT_ARRAY) return PyLong_FromLongLong(a->value.integers.items[i]);
    if (a->type == RESPAN_TYPE_DOUBLE_ARRAY) return PyFloat_FromDouble(a->value.reals.items[i]);
    return to_str(a->value.strings.items[i], masks);
}

static PyObject *to_object(const respan_attribute *a, bool masks) {
    if (a->type == RESPAN_TYPE_STRING) return to_str(a->value.string, masks);
    if (a->type == RESPAN_TYPE_BOOL) return PyBool_FromLong(a->value.boolean);
    if (a->type == RESPAN_TYPE_INT) return PyLong_FromLongLong(a->value.integer);
    if (a->type == RESPAN_TYPE_DOUBLE) return PyFloat_FromDouble(a->value.real);
    PyObject *list = PyList_New((Py_ssize_t)a->value.strings.count); /* `count` lies alike in all four */
    for (size_t i = 0; list != NULL && i < a->value.strings.count; i++) {
        PyObject *item = item_object(a, i, masks);
        if (item == NULL) Py_CLEAR(list);
        else PyList_SET_ITEM(list, (Py_ssize_t)i, item);
    }
    return list;
}

void core_review_put(PyObject *dict, const respan_attribute *attributes, size_t count, bool masks) {
    for (size_t i = 0; i < count; i++) {
        PyObject *key = to_str(attributes[i].key, masks);
        PyObject *value = key == NULL ? NULL : to_object(&attributes[i], masks);
        if (value == NULL || PyDict_SetItem(dict, key, value) < 0) PyErr_Clear();
        Py_XDECREF(value);
        Py_XDECREF(key);
    }
}

void core_review_status(span_review *review, respan_status_code code, respan_text message) {
    if (review == NULL) return;
    PyObject *text = to_str(message, review->masks);
    review->status = code;
    if (text != NULL) Py_XSETREF(review->message, text);
    else PyErr_Clear();
}

void core_review_name(span_review *review, respan_text name) {
    if (review == NULL) return;
    PyObject *text = to_str(name, review->masks);
    if (text != NULL) Py_XSETREF(review->name, text);
    else PyErr_Clear();
}

void core_review_event(span_review *review, respan_text name, uint64_t time_ns,
                       const respan_attribute *attributes, size_t count) {
    if (review == NULL) return;
    bool masks = review->masks;
    PyObject *events = Py_NewRef(review->events); /* making the dict may run code that ends the span */
    PyObject *dict = PyDict_New(), *text = to_str(name, masks), *event = NULL;
    if (dict != NULL && text != NULL) {
        core_review_put(dict, attributes, count, masks);
        unsigned long long time = time_ns != 0 ? time_ns : core_review_now();
        event = Py_BuildValue("{sOsKsO}", "name", text, "time_ns", time, "attributes", dict);
    }
    if (event == NULL || PyList_Append(events, event) < 0) PyErr_Clear();
    Py_DECREF(events);
    Py_XDECREF(event);
    Py_XDECREF(text);
    Py_XDECREF(dict);
}

void core_review_link(span_review *review, PyObject *trace_id, PyObject *span_id,
                      const respan_attribute *attributes, size_t count) {
    if (review == NULL) return;
    bool masks = review->masks;
    PyObject *links = Py_NewRef(review->links);
    PyObject *dict = PyDict_New(), *link = NULL;
    if (dict != NULL) {
        core_review_put(dict, attributes, count, masks);
        link = Py_BuildValue("{sOsOsO}", "trace_id", trace_id, "span_id", span_id, "attributes", dict);
    }
    if (link == NULL || PyList_Append(links, link) < 0) PyErr_Clear();
    Py_DECREF(links);
    Py_XDECREF(link);
    Py_XDECREF(dict);
}

PyObject *core_review_facts(const span_object *span) {
    const span_review *review = span->review;
    char trace_id[33], span_id[17], parent_id[17];
    respan_trace_id_hex(&span->context, trace_id);
    respan_span_id_hex(&span->context, span_id);
    respan_span_id_hex(&review->parent, parent_id);
    static const uint8_t none[sizeof review->parent.span_id];
    if (memcmp(review->parent.span_id, none, sizeof none) == 0) parent_id[0] = '\0';
    unsigned long long start = review->start_ns, end = span->end_ns != 0 ? span->end_ns : core_review_now();
    return Py_BuildValue("{sssssssNsisKsKsisNsNsNsNsO}", "trace_id", trace_id, "span_id", span_id,
                         "parent_id", parent_id, "name", Py_NewRef(review->name), "kind", review->kind,
                         "start_ns", start, "end_ns", end, "status", review->status, "status_message",
                         Py_NewRef(review->message), "attributes", Py_NewRef(review->attributes), "events",
                         Py_NewRef(review->events), "links", Py_NewRef(review->links), "is_local_root",
                         review->local_root ? Py_True : Py_False);
}
