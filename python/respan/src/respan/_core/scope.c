#include "context.h"
#include "core.h"

#include <string.h>

bool core_text_of_any(PyObject *string, respan_text *out) {
    Py_ssize_t n;
    const char *p = PyUnicode_AsUTF8AndSize(string, &n);
    if (p == NULL) {
        PyErr_Clear();
        return false;
    }
    *out = (respan_text){p, (size_t)n};
    return true;
}

bool core_attribute_value(PyObject *value, respan_attribute *out) {
    if (PyUnicode_Check(value)) {
        out->type = RESPAN_TYPE_STRING;
        return core_text(value, &out->value.string);
    }
    if (PyBool_Check(value)) {
        out->type = RESPAN_TYPE_BOOL;
        out->value.boolean = value == Py_True;
        return true;
    }
    if (PyLong_Check(value)) {
        int overflow = 0;
        out->type = RESPAN_TYPE_INT;
        out->value.integer = PyLong_AsLongLongAndOverflow(value, &overflow);
        if (PyErr_Occurred()) PyErr_Clear();
        return overflow == 0;
    }
    if (PyFloat_Check(value)) {
        out->type = RESPAN_TYPE_DOUBLE;
        out->value.real = PyFloat_AS_DOUBLE(value);
        return true;
    }
    return false;
}

enum { SEQUENCE_MAX = 1 << 16 };

static bool all_of(PyObject *tuple, PyTypeObject *type) {
    for (Py_ssize_t i = 0, n = PyTuple_GET_SIZE(tuple); i < n; i++)
        if (!Py_IS_TYPE(PyTuple_GET_ITEM(tuple, i), type)) return false;
    return true;
}

static bool read_texts(PyObject *tuple, respan_attribute *out, void **items) {
    size_t n = (size_t)PyTuple_GET_SIZE(tuple);
    respan_text *texts = *items = PyMem_New(respan_text, n + 1);
    bool good = texts != NULL;
    for (size_t i = 0; good && i < n; i++) {
        PyObject *item = PyTuple_GET_ITEM(tuple, i);
        good = PyUnicode_Check(item) && core_text(item, &texts[i]);
    }
    out->type = RESPAN_TYPE_STRING_ARRAY;
    out->value.strings.items = texts;
    out->value.strings.count = n;
    return good;
}

static bool read_numbers(PyObject *tuple, respan_type type, size_t size, respan_attribute *out,
                         void **items) {
    size_t n = (size_t)PyTuple_GET_SIZE(tuple);
    char *numbers = *items = PyMem_Malloc((n + 1) * size);
    if (numbers == NULL) return false;
    for (size_t i = 0; i < n; i++) {
        respan_attribute item;
        if (!core_attribute_value(PyTuple_GET_ITEM(tuple, i), &item)) return false;
        memcpy(numbers + i * size, &item.value, size);
    }
    out->type = type;
    out->value.integers.items = (const int64_t *)(void *)numbers; /* the three lie alike */
    out->value.integers.count = n;
    return true;
}

bool core_sequence_value(PyObject *tuple, respan_attribute *out, void **items) {
    *items = NULL;
    bool good = false;
    if (PyTuple_GET_SIZE(tuple) <= SEQUENCE_MAX) {
        if (PyTuple_GET_SIZE(tuple) == 0 || PyUnicode_Check(PyTuple_GET_ITEM(tuple, 0)))
            good = read_texts(tuple, out, items);
        else if (all_of(tuple, &PyBool_Type))
            good = read_numbers(tuple, RESPAN_TYPE_BOOL_ARRAY, sizeof(bool), out, items);
        else if (all_of(tuple, &PyLong_Type))
            good = read_numbers(tuple, RESPAN_TYPE_INT_ARRAY, sizeof(int64_t), out, items);
        else if (all_of(tuple, &PyFloat_Type))
            good = read_numbers(tuple, RESPAN_TYPE_DOUBLE_ARRAY, sizeof(double), out, items);
    }
    if (!good) {
        PyMem_Free(*items);
        *items = NULL;
    }
    return good;
}

scope_object *core_scope_current(core_state *state) {
    scope_object *scope = core_scope_in_context(state);
    if (scope != NULL) return scope;
    CORE_LOCK(state);
    if (state->client != NULL) scope = (scope_object *)Py_XNewRef((PyObject *)state->client->defaults);
    CORE_UNLOCK(state);
    return scope;
}

static int scope_traverse(PyObject *op, visitproc visit, void *arg) {
    scope_object *self = (scope_object *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->values);
    Py_VISIT(self->items);
    Py_VISIT(self->base.instead);
    return 0;
}

/* `items` stays: the attributes point into it, and it holds strings and numbers only. */
static int scope_clear(PyObject *op) {
    Py_CLEAR(((scope_object *)op)->values);
    Py_CLEAR(((scope_object *)op)->base.instead);
    return 0;
}

static void scope_dealloc(PyObject *op) {
    scope_object *self = (scope_object *)op;
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    (void)scope_clear(op);
    respan_attributes_free(self->set);
    for (size_t i = 0; self->arrays != NULL && i < self->count; i++) PyMem_Free(self->arrays[i]);
    PyMem_Free(self->arrays);
    PyMem_Free(self->attributes);
    Py_CLEAR(self->items);
    type->tp_free(op);
    Py_DECREF(type);
}

/* The attribute's value and what keeps it alive: a new reference to `value`, or to a tuple of its items; or NULL. */
static PyObject *scope_value(PyObject *value, respan_attribute *out, void **items) {
    *items = NULL;
    if (core_attribute_value(value, out)) return Py_NewRef(value);
    if (!PyList_Check(value) && !PyTuple_Check(value)) return NULL;
    PyObject *tuple = PySequence_Tuple(value);
    if (tuple == NULL) PyErr_Clear();
    else if (!core_sequence_value(tuple, out, items)) Py_CLEAR(tuple);
    return tuple;
}

static PyObject *scope_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"values", "attributes", NULL};
    PyObject *values, *attributes;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!O!:Scope", names, &PyDict_Type, &values, &PyDict_Type,
                                     &attributes))
        return NULL;
    scope_object *self = (scope_object *)type->tp_alloc(type, 0);
    if (self == NULL) return NULL;
    Py_ssize_t size = PyDict_Size(attributes); /* reading a list may run code that makes it more */
    self->values = PyDict_Copy(values);
    self->items = PyTuple_New(2 * size);
    self->attributes = PyMem_New(respan_attribute, (size_t)size + 1);
    self->arrays = PyMem_New(void *, (size_t)size + 1);
    if (self->values == NULL || self->items == NULL || self->attributes == NULL || self->arrays == NULL) {
        Py_DECREF(self);
        return PyErr_Occurred() ? NULL : PyErr_NoMemory();
    }
    PyObject *key, *value;
    Py_ssize_t at = 0, item = 0;
    Py_BEGIN_CRITICAL_SECTION(attributes);
    while (item < 2 * size && PyDict_Next(attributes, &at, &key, &value)) {
        respan_attribute *attribute = &self->attributes[self->count];
        if (!PyUnicode_Check(key) || !core_text(key, &attribute->key)) continue;
        Py_INCREF(key);
        Py_INCREF(value);
        PyObject *kept = scope_value(value, attribute, &self->arrays[self->count]);
        Py_DECREF(value);
        if (kept == NULL) {
            Py_DECREF(key);
            continue;
        }
        PyTuple_SET_ITEM(self->items, item++, key);
        PyTuple_SET_ITEM(self->items, item++, kept);
        self->count++;
    }
    Py_END_CRITICAL_SECTION();
    while (item < PyTuple_GET_SIZE(self->items)) PyTuple_SET_ITEM(self->items, item++, Py_NewRef(Py_None));
    self->set = respan_attributes_new(self->attributes, self->count);
    return (PyObject *)self;
}

static PyObject *scope_get_values(PyObject *op, void *Py_UNUSED(closure)) {
    PyObject *values = ((scope_object *)op)->values;
    return values == NULL ? PyDict_New() : PyDict_Copy(values);
}

static PyGetSetDef scope_properties[] = {
    {"values", scope_get_values, NULL, PyDoc_STR("A copy of the values as they were given."), NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot scope_slots[] = {
    {Py_tp_new, scope_new},
    {Py_tp_dealloc, scope_dealloc},
    {Py_tp_traverse, scope_traverse},
    {Py_tp_clear, scope_clear},
    {Py_tp_getset, scope_properties},
    {Py_tp_doc, (void *)PyDoc_STR("Attributes that many spans share.")},
    {0, NULL},
};

PyType_Spec scope_spec = {
    .name = "respan._core.Scope",
    .basicsize = sizeof(scope_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = scope_slots,
};
