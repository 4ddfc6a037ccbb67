#include "content.h"

#include <string.h>

#define TEXT(literal) ((respan_text){literal, sizeof(literal) - 1})

static const respan_text exact[] = {
    TEXT("traceloop.entity.input"),
    TEXT("traceloop.entity.output"),
    TEXT("gen_ai.prompt"),
    TEXT("gen_ai.completion"),
    TEXT("gen_ai.input.messages"),
    TEXT("gen_ai.output.messages"),
    TEXT("gen_ai.system_instructions"),
    TEXT("gen_ai.event.content"),
    TEXT("gen_ai.tool.definitions"),
    TEXT("gen_ai.tool.description"),
    TEXT("gen_ai.tool.call.arguments"),
    TEXT("gen_ai.tool.call.result"),
    TEXT("gen_ai.retrieval.documents"),
    TEXT("gen_ai.retrieval.query.text"),
    TEXT("gen_ai.request.stop_sequences"),
    TEXT("gen_ai.request.tool_prompt"),
    TEXT("gen_ai.request.negative_prompt"),
    TEXT("gen_ai.request.response_format"),
    TEXT("gen_ai.request.grammar"),
    TEXT("gen_ai.request.extra_body"),
    TEXT("exception.message"),
    TEXT("exception.stacktrace"),
    TEXT("error.message"),
    TEXT("input.value"),
    TEXT("output.value"),
    TEXT("llm.tools"),
    TEXT("llm.prompts"),
    TEXT("llm.completions"),
};

/* Of messages; their roles and why they ended are none. */
static const respan_text prefixes[] = {
    TEXT("gen_ai.prompt."),         TEXT("gen_ai.completion."),    TEXT("llm.prompts."),
    TEXT("llm.completions."),       TEXT("llm.input_messages."),   TEXT("llm.output_messages."),
    TEXT("llm.request.functions."), TEXT("embedding.embeddings."), TEXT("retrieval.documents."),
};
static const respan_text harmless[] = {TEXT(".role"), TEXT(".finish_reason")};

static bool starts(respan_text text, respan_text with) {
    return text.n >= with.n && memcmp(text.p, with.p, with.n) == 0;
}

static bool ends(respan_text text, respan_text with) {
    return text.n >= with.n && memcmp(text.p + text.n - with.n, with.p, with.n) == 0;
}

bool core_is_content(respan_text key) {
    for (size_t i = 0; i < sizeof exact / sizeof *exact; i++)
        if (key.n == exact[i].n && starts(key, exact[i])) return true;
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        if (starts(key, prefixes[i])) return !ends(key, harmless[0]) && !ends(key, harmless[1]);
    return false;
}

/* ---- masks --------------------------------------------------------------------------------------------- */

static PyObject *call_mask(PyObject *mask, PyObject *text) {
    PyObject *answer = PyObject_CallOneArg(mask, text);
    if (answer == NULL && PyErr_ExceptionMatches(PyExc_KeyboardInterrupt)) PyErr_SetInterrupt();
    if (answer == NULL) PyErr_Clear();
    else if (!PyUnicode_Check(answer)) Py_CLEAR(answer);
    return answer;
}

PyObject *core_masked(span_object *span, PyObject *text) {
    PyObject *mask, *thread = PyThreadState_GetDict(), *inside, *answer = NULL;
    Py_BEGIN_CRITICAL_SECTION(span);
    mask = Py_XNewRef(span->mask);
    Py_END_CRITICAL_SECTION();
    PyObject *raised = core_raised_take();
    inside = PyUnicode_InternFromString("respan.mask");
    if (mask != NULL && inside != NULL && thread != NULL && PyDict_GetItemWithError(thread, inside) == NULL &&
        PyDict_SetItem(thread, inside, Py_True) == 0) {
        answer = call_mask(mask, text);
        if (PyDict_DelItem(thread, inside) < 0) PyErr_Clear();
    }
    PyErr_Clear();
    Py_XDECREF(inside);
    Py_XDECREF(mask);
    if (raised != NULL) core_raised_restore(raised);
    return answer;
}

void core_put_masked(span_object *span, respan_text key, respan_text text) {
    PyObject *string = PyUnicode_DecodeUTF8(text.p, (Py_ssize_t)text.n, "replace");
    PyObject *masked = string == NULL ? NULL : core_masked(span, string);
    if (string == NULL) PyErr_Clear();
    core_span_put_text(span, key.p, key.n, masked);
    Py_XDECREF(masked);
    Py_XDECREF(string);
}

PyObject *core_without_secrets(respan_text text) {
    size_t n = respan_mask_secrets(text.p, text.n, NULL, 0);
    if (n == 0) return PyUnicode_DecodeUTF8(text.p == NULL ? "" : text.p, (Py_ssize_t)text.n, "replace");
    char *masked = PyMem_Malloc(n);
    if (masked == NULL) return PyErr_NoMemory();
    respan_mask_secrets(text.p, text.n, masked, n);
    PyObject *string = PyUnicode_DecodeUTF8(masked, (Py_ssize_t)n, "replace");
    PyMem_Free(masked);
    return string;
}
