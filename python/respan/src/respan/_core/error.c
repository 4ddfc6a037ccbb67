#include "content.h"
#include "core.h"

enum { TRACEBACK_MAX = 32 << 10, TRACEBACK_FRAMES = 100 };

PyObject *core_raised_take(void) {
#if PY_VERSION_HEX >= 0x030C0000
    return PyErr_GetRaisedException();
#else
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    if (type == NULL) return NULL;
    PyErr_NormalizeException(&type, &value, &traceback);
    if (traceback != NULL && value != NULL) (void)PyException_SetTraceback(value, traceback);
    Py_XDECREF(type);
    Py_XDECREF(traceback);
    return value;
#endif
}

void core_raised_restore(PyObject *error) {
#if PY_VERSION_HEX >= 0x030C0000
    PyErr_SetRaisedException(error);
#else
    PyObject *type = Py_NewRef(Py_TYPE(error));
    PyErr_Restore(type, error, PyException_GetTraceback(error));
#endif
}

bool core_swallow(void) {
    if (PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_Exception)) return false;
    PyErr_Clear();
    return true;
}

/* The last frames of the error's traceback, or None. All of them would be formatted once a level where each call of a deep
 * recursion is traced. */
static PyObject *last_frames(PyObject *error) {
    PyObject *whole = PyException_GetTraceback(error);
    if (whole == NULL) return Py_NewRef(Py_None);
    PyTracebackObject *from = (PyTracebackObject *)whole, *at = from;
    for (int n = 0; at != NULL; at = at->tb_next)
        if (n++ >= TRACEBACK_FRAMES) from = from->tb_next;
    PyObject *last = Py_NewRef((PyObject *)from);
    Py_DECREF(whole);
    return last;
}

/* The traceback as Python prints it; NULL if it cannot be had. Only a failing call pays for the import. */
static PyObject *format_traceback(PyObject *error) {
    PyObject *module = PyImport_ImportModule("traceback");
    PyObject *lines = NULL, *text = NULL, *empty = NULL, *frames = last_frames(error);
    if (module != NULL)
        lines = PyObject_CallMethod(module, "format_exception", "OOO", Py_TYPE(error), error, frames);
    if (lines != NULL) empty = PyUnicode_FromString("");
    if (empty != NULL) text = PyUnicode_Join(empty, lines);
    if (text != NULL && PyUnicode_GET_LENGTH(text) > TRACEBACK_MAX) { /* the end says what happened */
        Py_ssize_t n = PyUnicode_GET_LENGTH(text);
        Py_SETREF(text, PyUnicode_Substring(text, n - TRACEBACK_MAX, n));
    }
    Py_DECREF(frames);
    Py_XDECREF(empty);
    Py_XDECREF(lines);
    Py_XDECREF(module);
    PyErr_Clear();
    return text;
}

/* "module.Type", without the module for builtins. */
static PyObject *type_name(PyObject *error) {
    PyObject *type = (PyObject *)Py_TYPE(error);
    PyObject *module = PyObject_GetAttrString(type, "__module__");
    PyObject *name = module == NULL ? NULL : PyObject_GetAttrString(type, "__qualname__");
    PyObject *full = NULL;
    if (module != NULL && name != NULL && PyUnicode_Check(module) && PyUnicode_Check(name)) {
        if (PyUnicode_CompareWithASCIIString(module, "builtins") == 0) full = Py_NewRef(name);
        else full = PyUnicode_FromFormat("%U.%U", module, name);
    }
    Py_XDECREF(module);
    Py_XDECREF(name);
    PyErr_Clear();
    return full;
}

static void add_text(respan_attribute *list, size_t *count, const char *key, size_t key_len, PyObject *text) {
    respan_attribute *attribute = &list[*count];
    if (text == NULL || !core_text(text, &attribute->value.string)) return;
    attribute->key = (respan_text){key, key_len};
    attribute->type = RESPAN_TYPE_STRING;
    (*count)++;
}

/* The consumer of a generator stopped, or the program ends with status 0. */
static bool is_no_failure(PyObject *error) {
    if (PyErr_GivenExceptionMatches(error, PyExc_GeneratorExit)) return true;
    if (!Py_IS_TYPE(error, (PyTypeObject *)PyExc_SystemExit)) return false;
    PyObject *code = ((PySystemExitObject *)error)->code;
    return code == NULL || code == Py_None || (PyLong_CheckExact(code) && PyObject_Not(code) == 1);
}

void core_span_fail(span_object *span, PyObject *error, uint64_t time_ns) {
    if (!core_span_recording(span) || !PyExceptionInstance_Check(error) || is_no_failure(error)) return;
    PyObject *raised = core_raised_take(); /* what follows may run Python code */
    PyObject *type = type_name(error), *message = NULL, *traceback = NULL;
    if (span->content) {
        message = PyObject_Str(error);
        PyErr_Clear();
        traceback = format_traceback(error);
        if (span->mask != NULL && message != NULL) Py_SETREF(message, core_masked(span, message));
        if (span->mask != NULL && traceback != NULL) Py_SETREF(traceback, core_masked(span, traceback));
    }
    respan_text text = {NULL, 0};
    if (message == NULL || !core_text(message, &text) || text.n == 0)
        if (type == NULL || !core_text(type, &text)) text = (respan_text){"error", 5};
    core_span_status(span, RESPAN_STATUS_ERROR, text);
    respan_attribute attributes[3];
    size_t count = 0;
    add_text(attributes, &count, RESPAN_TEXT("exception.type"), type);
    add_text(attributes, &count, RESPAN_TEXT("exception.message"), message);
    add_text(attributes, &count, RESPAN_TEXT("exception.stacktrace"), traceback);
    core_span_event(span, (respan_text){RESPAN_TEXT("exception")}, time_ns, attributes, count);
    Py_XDECREF(type);
    Py_XDECREF(message);
    Py_XDECREF(traceback);
    if (raised != NULL) core_raised_restore(raised);
}
