#include "json.h"

#include <math.h>
#include <string.h>

/* Room kept for closing brackets and marks once the limit is reached. */
enum { CLOSING_ROOM = 4096 };

static int write_value(json_writer *w, PyObject *value);

void json_init(json_writer *w) {
    w->p = w->inline_buffer;
    w->size = 0;
    w->capacity = JSON_INLINE;
    w->limit = JSON_LIMIT;
    w->failed = false;
    w->depth = 0;
}

void json_free(json_writer *w) {
    if (w->p != w->inline_buffer) PyMem_Free(w->p);
}

static __attribute__((noinline)) bool grow(json_writer *w, size_t n) {
    if (w->failed) return false;
    size_t wanted = w->capacity * 2;
    while (wanted - w->size < n) wanted *= 2;
    char *old = w->p == w->inline_buffer ? NULL : w->p;
    char *grown = PyMem_Realloc(old, wanted);
    if (grown == NULL) {
        w->failed = true;
        return false;
    }
    if (old == NULL) memcpy(grown, w->inline_buffer, w->size);
    w->p = grown;
    w->capacity = wanted;
    return true;
}

static inline bool reserve(json_writer *w, size_t n) { return n <= w->capacity - w->size || grow(w, n); }

static inline __attribute__((always_inline)) void put(json_writer *w, const char *text, size_t n) {
    if (!reserve(w, n)) return;
    memcpy(w->p + w->size, text, n);
    w->size += n;
}

#define PUT(w, literal) put((w), (literal), sizeof(literal) - 1)

static bool full(const json_writer *w) { return w->failed || w->size + CLOSING_ROOM >= w->limit; }

enum { BLOCK = 16 };
typedef uint8_t block __attribute__((vector_size(BLOCK)));

/* Where the first of BLOCK bytes is that needs an escape; BLOCK if none does. */
static inline size_t first_to_escape(const char *text) {
    block bytes, found;
    memcpy(&bytes, text, BLOCK);
    found = (block)(bytes < 0x20) | (block)(bytes == '"') | (block)(bytes == '\\');
    uint64_t half[2];
    memcpy(half, &found, BLOCK);
    if ((half[0] | half[1]) == 0) return BLOCK;
    bool second = half[0] == 0;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    unsigned bit = (unsigned)__builtin_ctzll(half[second]);
#else
    unsigned bit = (unsigned)__builtin_clzll(half[second]);
#endif
    return bit / 8 + (second ? sizeof *half : 0);
}

/* Bytes of text, at most n, before the first that needs an escape. */
static size_t plain_run(const char *text, size_t n) {
    size_t i = 0, at;
    for (; n - i >= BLOCK; i += BLOCK)
        if ((at = first_to_escape(text + i)) < BLOCK) return i + at;
    if (i == n) return n;
    if (i > 0) { /* the last whole block, part of which was looked at */
        at = first_to_escape(text + n - BLOCK);
        return n - BLOCK + at;
    }
    char padded[BLOCK] = "aaaaaaaaaaaaaaa";
    memcpy(padded, text, n);
    at = first_to_escape(padded);
    return at < n ? at : n;
}

static void put_escape(json_writer *w, unsigned char c) {
    static const char hex[] = "0123456789abcdef";
    char escape[6] = {'\\', (char)c, '0', '0', hex[c >> 4], hex[c & 15]};
    if (c == '\n') escape[1] = 'n';
    else if (c == '\r') escape[1] = 'r';
    else if (c == '\t') escape[1] = 't';
    else if (c < 0x20) escape[1] = 'u';
    if (escape[1] == 'u') put(w, escape, 6);
    else put(w, escape, 2);
}

/* The inside of a JSON string. Only the ASCII that must be escaped is; returns false where it had to be cut. */
static bool put_escaped(json_writer *w, const char *text, size_t n) {
    bool whole = true;
    size_t left = full(w) ? 0 : w->limit - CLOSING_ROOM - w->size;
    if (n > left) {
        for (n = left; n > 0 && ((unsigned char)text[n] & 0xC0) == 0x80;) n--;
        whole = false;
    }
    if (!reserve(w, n)) return whole; /* all of it at once, but for what escapes add */
    for (size_t i = 0; i < n; i++) {
        size_t run = plain_run(text + i, n - i);
        put(w, text + i, run);
        i += run;
        if (i < n) put_escape(w, (unsigned char)text[i]);
    }
    return whole;
}

/* A str's UTF-8 with each lone surrogate replaced; *owner is to be released after use. False: no memory. */
static bool text_of(PyObject *string, respan_text *out, PyObject **owner) {
    *owner = NULL;
    if (core_text(string, out)) return true;
    *owner = PyUnicode_AsEncodedString(string, "utf-8", "replace");
    if (*owner == NULL) return PyErr_Clear(), false;
    *out = (respan_text){PyBytes_AS_STRING(*owner), (size_t)PyBytes_GET_SIZE(*owner)};
    return true;
}

static int write_str(json_writer *w, PyObject *string) {
    respan_text text;
    PyObject *owner;
    if (!text_of(string, &text, &owner)) return PUT(w, "null"), 0;
    PUT(w, "\"");
    if (!put_escaped(w, text.p, text.n)) PUT(w, "…");
    PUT(w, "\"");
    Py_XDECREF(owner);
    return 0;
}

int json_write_text(json_writer *w, PyObject *string) {
    respan_text text;
    PyObject *owner;
    if (!text_of(string, &text, &owner)) return 0;
    put(w, text.p, text.n);
    Py_XDECREF(owner);
    return 0;
}

static int write_mark(json_writer *w, const char *name) {
    PUT(w, "\"<");
    put_escaped(w, name, strlen(name));
    PUT(w, ">\"");
    return 0;
}

static const char *short_name(PyObject *value) {
    const char *dot = strrchr(Py_TYPE(value)->tp_name, '.');
    return dot ? dot + 1 : Py_TYPE(value)->tp_name;
}

static int write_int(json_writer *w, PyObject *value) {
    int overflow = 0;
    long long number = PyLong_AsLongLongAndOverflow(value, &overflow);
    if (overflow) { /* Python itself refuses past 4,300 digits */
        PyObject *text = PyLong_Type.tp_repr(value);
        if (text == NULL) return core_swallow() ? write_mark(w, "int") : -1;
        Py_ssize_t n = 0;
        const char *digits = PyUnicode_AsUTF8AndSize(text, &n);
        if (digits != NULL) put(w, digits, (size_t)n);
        else PyErr_Clear(), write_mark(w, "int");
        Py_DECREF(text);
        return 0;
    }
    if (number == -1 && PyErr_Occurred()) PyErr_Clear();
    char digits[24];
    int n = PyOS_snprintf(digits, sizeof digits, "%lld", number);
    put(w, digits, (size_t)n);
    return 0;
}

static int write_float(json_writer *w, double number) {
    if (isnan(number)) return write_mark(w, "NaN");
    if (isinf(number)) return write_mark(w, number > 0 ? "Infinity" : "-Infinity");
    char *text = PyOS_double_to_string(number, 'r', 0, Py_DTSF_ADD_DOT_0, NULL);
    if (text == NULL) {
        PyErr_Clear();
        return write_mark(w, "float");
    }
    put(w, text, strlen(text));
    PyMem_Free(text);
    return 0;
}

static bool is_open(const json_writer *w, PyObject *container) {
    for (int i = 0; i < w->depth; i++)
        if (w->path[i] == container) return true;
    return false;
}

/* A new reference; NULL, without an error, past the end: a list may shrink while its items are written. */
static PyObject *item_at(PyObject *sequence, Py_ssize_t i) {
#ifdef Py_GIL_DISABLED
    if (PyList_Check(sequence)) {
        PyObject *item = PyList_GetItemRef(sequence, i);
        if (item == NULL) PyErr_Clear();
        return item;
    }
#endif
    return i < PySequence_Fast_GET_SIZE(sequence) ? Py_NewRef(PySequence_Fast_GET_ITEM(sequence, i)) : NULL;
}

static int write_items(json_writer *w, PyObject *sequence) {
    PUT(w, "[");
    int rc = 0;
    PyObject *item;
    for (Py_ssize_t i = 0; rc == 0 && (item = item_at(sequence, i)) != NULL; i++) {
        if (i > 0) PUT(w, ",");
        if (full(w)) {
            PUT(w, "\"…\"");
            Py_DECREF(item);
            break;
        }
        rc = write_value(w, item);
        Py_DECREF(item);
    }
    PUT(w, "]");
    return rc;
}

static int write_key(json_writer *w, PyObject *key) {
    if (PyUnicode_Check(key)) return write_str(w, key);
    if (!PyLong_Check(key) && !PyFloat_Check(key) && key != Py_None) return write_mark(w, short_name(key));
    PyObject *text = PyObject_Str(key);
    if (text == NULL) return core_swallow() ? write_mark(w, short_name(key)) : -1;
    int rc = write_str(w, text);
    Py_DECREF(text);
    return rc;
}

static int write_dict(json_writer *w, PyObject *dict) {
    PyObject *key, *value;
    Py_ssize_t at = 0;
    bool first = true;
    int rc = 0;
    PUT(w, "{");
    Py_BEGIN_CRITICAL_SECTION(dict);
    while (rc == 0 && PyDict_Next(dict, &at, &key, &value)) {
        if (!first) PUT(w, ",");
        first = false;
        if (full(w)) {
            PUT(w, "\"…\":\"…\"");
            break;
        }
        Py_INCREF(key);
        Py_INCREF(value);
        rc = write_key(w, key);
        if (rc == 0) {
            PUT(w, ":");
            rc = write_value(w, value);
        }
        Py_DECREF(key);
        Py_DECREF(value);
    }
    Py_END_CRITICAL_SECTION();
    PUT(w, "}");
    return rc;
}

static int write_set(json_writer *w, PyObject *set) {
    PyObject *items = PySequence_List(set);
    if (items == NULL) return core_swallow() ? write_mark(w, short_name(set)) : -1;
    int rc = write_items(w, items);
    Py_DECREF(items);
    return rc;
}

static int write_dataclass(json_writer *w, PyObject *value, PyObject *fields) {
    PyObject *name, *field;
    Py_ssize_t at = 0;
    bool first = true;
    int rc = 0;
    PUT(w, "{");
    Py_BEGIN_CRITICAL_SECTION(fields);
    while (rc == 0 && PyDict_Next(fields, &at, &name, &field)) {
        if (!PyUnicode_Check(name)) continue;
        if (!first) PUT(w, ",");
        first = false;
        if (full(w)) {
            PUT(w, "\"…\":\"…\"");
            break;
        }
        Py_INCREF(name);
        rc = write_str(w, name);
        if (rc == 0) {
            PUT(w, ":");
            PyObject *content = PyObject_GetAttr(value, name);
            if (content != NULL) rc = write_value(w, content);
            else if (core_swallow()) PUT(w, "null");
            else rc = -1;
            Py_XDECREF(content);
        }
        Py_DECREF(name);
    }
    Py_END_CRITICAL_SECTION();
    PUT(w, "}");
    return rc;
}

/* Standard types whose str() is short and says all. */
static bool prints_well(PyObject *value) {
    static const char *const modules[] = {"datetime.", "decimal.Decimal", "uuid.UUID", "pathlib.",
                                          "fractions."};
    PyTypeObject *type = Py_TYPE(value);
    if (!(type->tp_flags & Py_TPFLAGS_HEAPTYPE)) {
        for (size_t i = 0; i < sizeof modules / sizeof *modules; i++)
            if (strncmp(type->tp_name, modules[i], strlen(modules[i])) == 0) return true;
        return false;
    }
    PyObject *module = PyObject_GetAttrString((PyObject *)type, "__module__");
    bool found = false;
    respan_text name;
    if (module != NULL && PyUnicode_Check(module) && core_text(module, &name))
        for (size_t i = 0; i < sizeof modules / sizeof *modules && !found; i++) {
            size_t n = strcspn(modules[i], ".");
            found = name.n >= n && memcmp(name.p, modules[i], n) == 0 && (name.n == n || name.p[n] == '.');
        }
    Py_XDECREF(module);
    if (PyErr_Occurred()) PyErr_Clear();
    return found;
}

static int write_object(json_writer *w, PyObject *value) {
    if (PyType_Check(value)) return write_mark(w, ((PyTypeObject *)value)->tp_name);
    if (prints_well(value)) {
        PyObject *text = PyObject_Str(value);
        if (text == NULL) return core_swallow() ? write_mark(w, short_name(value)) : -1;
        int rc = write_str(w, text);
        Py_DECREF(text);
        return rc;
    }
    /* Looked up on the type: an instance may answer any name (mocks, lazy modules, remote proxies). */
    PyObject *fields = PyObject_GetAttrString((PyObject *)Py_TYPE(value), "__dataclass_fields__");
    if (fields != NULL && PyDict_Check(fields)) {
        int rc = write_dataclass(w, value, fields);
        Py_DECREF(fields);
        return rc;
    }
    Py_XDECREF(fields);
    if (fields == NULL && !core_swallow()) return -1;
    PyObject *dump = PyObject_GetAttrString((PyObject *)Py_TYPE(value), "model_dump");
    if (dump == NULL) return core_swallow() ? write_mark(w, short_name(value)) : -1;
    PyObject *dumped = PyObject_CallOneArg(dump, value);
    Py_DECREF(dump);
    if (dumped == NULL) return core_swallow() ? write_mark(w, short_name(value)) : -1;
    int rc = write_value(w, dumped);
    Py_DECREF(dumped);
    return rc;
}

static int write_container(json_writer *w, PyObject *value) {
    if (is_open(w, value)) return write_mark(w, "circular");
    if (w->depth == JSON_DEPTH_MAX) return write_mark(w, short_name(value));
    w->path[w->depth++] = value;
    int rc;
    if (PyDict_Check(value)) rc = write_dict(w, value);
    else if (PyList_Check(value) || PyTuple_Check(value)) rc = write_items(w, value);
    else if (PyAnySet_Check(value)) rc = write_set(w, value);
    else rc = write_object(w, value);
    w->depth--;
    return rc;
}

static int write_value(json_writer *w, PyObject *value) {
    if (PyUnicode_Check(value)) return write_str(w, value);
    if (value == Py_None) return PUT(w, "null"), 0;
    if (value == Py_True) return PUT(w, "true"), 0;
    if (value == Py_False) return PUT(w, "false"), 0;
    if (PyLong_Check(value)) return write_int(w, value);
    if (PyFloat_Check(value)) return write_float(w, PyFloat_AS_DOUBLE(value));
    return write_container(w, value);
}

int json_write_value(json_writer *w, PyObject *value) { return write_value(w, value); }

int json_write_call(json_writer *w, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames) {
    Py_ssize_t nkw = kwnames == NULL ? 0 : PyTuple_GET_SIZE(kwnames);
    PUT(w, "{\"args\":[");
    for (Py_ssize_t i = 0; i < nargs; i++) {
        if (i > 0) PUT(w, ",");
        if (full(w)) {
            PUT(w, "\"…\"");
            break;
        }
        if (write_value(w, args[i]) < 0) return -1;
    }
    PUT(w, "],\"kwargs\":{");
    for (Py_ssize_t i = 0; i < nkw; i++) {
        if (i > 0) PUT(w, ",");
        if (full(w)) {
            PUT(w, "\"…\":\"…\"");
            break;
        }
        if (write_key(w, PyTuple_GET_ITEM(kwnames, i)) < 0) return -1;
        PUT(w, ":");
        if (write_value(w, args[nargs + i]) < 0) return -1;
    }
    PUT(w, "}}");
    return 0;
}

int json_write_arguments(json_writer *w, PyObject *args, PyObject *kwargs) {
    PUT(w, "{\"args\":");
    if (write_container(w, args) < 0) return -1;
    PUT(w, ",\"kwargs\":");
    if (write_container(w, kwargs) < 0) return -1;
    PUT(w, "}");
    return 0;
}
