#include "content.h"
#include "context.h"
#include "core.h"
#include "json.h"
#include "measure.h"
#include "run.h"

core_state *core_state_of(PyTypeObject *type) { return PyType_GetModuleState(type); }

static core_state *state_of(PyObject *module) { return PyModule_GetState(module); }

/* ---- functions ----------------------------------------------------------------------------------------- */

static PyObject *start_span(PyObject *module, PyObject *args) {
    core_state *state = state_of(module);
    PyObject *name, *parent = NULL;
    int kind = RESPAN_KIND_INTERNAL;
    unsigned long long start_ns = 0;
    if (!PyArg_ParseTuple(args, "U|iOK:start_span", &name, &kind, &parent, &start_ns)) return NULL;
    if (parent != NULL && parent != Py_None && !Py_IS_TYPE(parent, state->span_type))
        return PyErr_Format(PyExc_TypeError, "a span's parent is a Span or None");
    if (kind < RESPAN_KIND_INTERNAL || kind > RESPAN_KIND_CONSUMER)
        return PyErr_Format(PyExc_ValueError, "a span's kind is 1 (internal) to 5 (consumer), not %d", kind);
    respan_text text;
    if (!core_text(name, &text)) text = (respan_text){"", 0};
    span_object *above = parent == NULL      ? core_span_current(state)
                         : parent == Py_None ? NULL
                                             : (span_object *)Py_NewRef(parent);
    span_object *span = core_span_new(state, text, above, NULL, start_ns);
    Py_XDECREF((PyObject *)above);
    if (span == NULL) Py_RETURN_NONE;
    if (span->review != NULL) span->review->kind = kind;
    if (kind != RESPAN_KIND_INTERNAL) respan_span_set_kind(span->span, (respan_span_kind)kind);
    scope_object *scope = core_scope_current(state);
    if (scope != NULL && span->review == NULL) respan_span_use(span->span, scope->set);
    else if (scope != NULL) core_span_put(span, scope->attributes, scope->count);
    Py_XDECREF((PyObject *)scope);
    core_span_put_text(span, RESPAN_TEXT("traceloop.entity.path"), span->path);
    core_span_put_text(span, RESPAN_TEXT("traceloop.workflow.name"), span->workflow);
    core_span_put_text(span, RESPAN_TEXT("respan.processors"), span->processors);
    return (PyObject *)span;
}

static PyObject *is_content(PyObject *Py_UNUSED(module), PyObject *key) {
    respan_text text;
    if (!PyUnicode_Check(key)) return PyErr_Format(PyExc_TypeError, "is_content() takes a str");
    return PyBool_FromLong(core_text(key, &text) && core_is_content(text));
}

static PyObject *mask_secrets(PyObject *Py_UNUSED(module), PyObject *string) {
    respan_text text;
    if (!PyUnicode_Check(string)) return PyErr_Format(PyExc_TypeError, "mask_secrets() takes a str");
    return core_text(string, &text) ? core_without_secrets(text) : PyUnicode_FromString("");
}

static PyObject *veto_content(PyObject *module, PyObject *vetoed) {
    int is_vetoed = PyObject_IsTrue(vetoed);
    if (is_vetoed < 0) return NULL;
    __atomic_store_n(&state_of(module)->content_vetoed, is_vetoed != 0, __ATOMIC_RELAXED);
    Py_RETURN_NONE;
}

static PyObject *current_span(PyObject *module, PyObject *Py_UNUSED(ignored)) {
    PyObject *span = (PyObject *)core_span_current(state_of(module));
    return span != NULL ? span : Py_NewRef(Py_None);
}

static PyObject *current_scope(PyObject *module, PyObject *Py_UNUSED(ignored)) {
    PyObject *scope = (PyObject *)core_scope_current(state_of(module));
    return scope != NULL ? scope : Py_NewRef(Py_None);
}

static PyObject *current_client(PyObject *module, PyObject *Py_UNUSED(ignored)) {
    core_state *state = state_of(module);
    CORE_LOCK(state);
    PyObject *client = Py_NewRef(state->client != NULL ? (PyObject *)state->client : Py_None);
    CORE_UNLOCK(state);
    return client;
}

static PyObject *lose(PyObject *module, PyObject *Py_UNUSED(ignored)) {
    core_lose(state_of(module), false);
    Py_RETURN_NONE;
}

static PyObject *to_json(PyObject *Py_UNUSED(module), PyObject *value) {
    json_writer json;
    json_init(&json);
    PyObject *text = NULL;
    if (json_write_value(&json, value) == 0)
        text =
            json.failed ? PyErr_NoMemory() : PyUnicode_DecodeUTF8(json.p, (Py_ssize_t)json.size, "replace");
    json_free(&json);
    return text;
}

static PyMethodDef functions[] = {
    {"start_span", start_span, METH_VARARGS,
     PyDoc_STR(
         "A Span under the current one (or under `parent`; None: a root), not current itself, or None if "
         "tracing is off: start_span(name, kind=1, parent=..., start_ns=0).")},
    {"is_content", is_content, METH_O,
     PyDoc_STR("is_content(key, /)\n--\n\nWhether an attribute of that name is content: see content.h.")},
    {"mask_secrets", mask_secrets, METH_O,
     PyDoc_STR("mask_secrets(text, /)\n--\n\nA text with each credential in it replaced by ***.")},
    {"veto_content", veto_content, METH_O,
     PyDoc_STR("veto_content(vetoed, /)\n--\n\nTrue: spans that begin from now on have no content.")},
    {"swap_span", core_swap_span, METH_O,
     PyDoc_STR(
         "swap_span($module, span, /)\n--\n\nMakes a Span, or none, the current one; what was current, or "
         "None.")},
    {"current_span", current_span, METH_NOARGS,
     PyDoc_STR("current_span($module, /)\n--\n\nThe current Span or None.")},
    {"current_scope", current_scope, METH_NOARGS,
     PyDoc_STR(
         "current_scope($module, /)\n--\n\nThe Scope in force (the client's defaults if no other) or None.")},
    {"swap_scope", core_swap_scope, METH_O,
     PyDoc_STR(
         "swap_scope($module, scope, /)\n--\n\nMakes a Scope the current one; what was current, or None.")},
    {"surroundings", core_surroundings, METH_NOARGS,
     PyDoc_STR("surroundings($module, /)\n--\n\nWhat is current here, as (Span or None, Scope or None); None "
               "if nothing is.")},
    {"swap_surroundings", core_swap_surroundings, METH_VARARGS,
     PyDoc_STR("swap_surroundings($module, span, scope, /)\n--\n\nMakes both current; the pair that was.")},
    {"restore_span", core_restore_span, METH_O,
     PyDoc_STR("restore_span($module, span, /)\n--\n\nswap_span() without an answer, which never fails.")},
    {"restore_scope", core_restore_scope, METH_O,
     PyDoc_STR("restore_scope($module, scope, /)\n--\n\nswap_scope() without an answer, which never fails.")},
    {"remote_span", core_remote_span, METH_VARARGS,
     PyDoc_STR("A Span that is recorded elsewhere, to be a parent: remote_span(trace_id, span_id, path=None, "
               "workflow=None).")},
    {"current_client", current_client, METH_NOARGS,
     PyDoc_STR("current_client($module, /)\n--\n\nThe Client that new spans go to, or None.")},
    {"lose", lose, METH_NOARGS, PyDoc_STR("lose($module, /)\n--\n\nCounts a span that could not be made.")},
    {"to_json", to_json, METH_O,
     PyDoc_STR("to_json($module, value, /)\n--\n\nAny value as bounded JSON text; unknown types are "
               "\"<TypeName>\".")},
    {"count_prompts", core_count_prompts, METH_VARARGS,
     PyDoc_STR(
         "count_prompts(ids, mask, special, /)\n--\n\n(tokens, special ones, padding, [tokens of each]) of a "
         "batch: buffers of integers, [prompt, token]; mask may be None; special: array(\"q\"), ascending.")},
    {"count_completions", core_count_completions, METH_VARARGS,
     PyDoc_STR("count_completions(made, prefix, ends, pads, special, /)\n--\n\n(tokens, special ones, "
               "padding, [tokens "
               "of each], [whether it ended of itself]) of made[…, prefix:], [(prompt,) sequence, token]; up "
               "to and "
               "with the first of `ends`, else without `pads` at its end.")},
    {"highest_memory", core_highest_memory, METH_NOARGS,
     PyDoc_STR("highest_memory($module, /)\n--\n\nThe most bytes of memory that the process ever had; 0: not "
               "known.")},
    {"resident_memory", core_resident_memory, METH_NOARGS,
     PyDoc_STR("resident_memory($module, /)\n--\n\nBytes of memory that the process has now; 0: not known.")},
    {NULL, NULL, 0, NULL},
};

/* ---- the module ---------------------------------------------------------------------------------------- */

static int add_type(PyObject *module, PyType_Spec *spec, PyTypeObject **out) {
    *out = (PyTypeObject *)PyType_FromModuleAndSpec(module, spec, NULL);
    return *out == NULL ? -1 : PyModule_AddType(module, *out);
}

static int module_exec(PyObject *module) {
    core_state *state = state_of(module);
    state->statm.fd = -1;
    state->current_span = PyContextVar_New("respan.span", NULL);
    state->current_scope = PyContextVar_New("respan.scope", NULL);
    if (state->current_span == NULL || state->current_scope == NULL) return -1;
    if (add_type(module, &client_spec, &state->client_type) < 0 ||
        add_type(module, &span_spec, &state->span_type) < 0 ||
        add_type(module, &scope_spec, &state->scope_type) < 0 ||
        add_type(module, &entity_spec, &state->entity_type) < 0 ||
        add_type(module, &run_spec, &state->run_type) < 0)
        return -1;
    return PyModule_AddStringConstant(module, "version", respan_version());
}

static int module_traverse(PyObject *module, visitproc visit, void *arg) {
    core_state *state = state_of(module);
    Py_VISIT(state->client_type);
    Py_VISIT(state->span_type);
    Py_VISIT(state->scope_type);
    Py_VISIT(state->entity_type);
    Py_VISIT(state->run_type);
    Py_VISIT(state->current_span);
    Py_VISIT(state->current_scope);
    Py_VISIT(state->client);
    return 0;
}

static int module_clear(PyObject *module) {
    core_state *state = state_of(module);
    Py_CLEAR(state->client);
    Py_CLEAR(state->current_span);
    Py_CLEAR(state->current_scope);
    Py_CLEAR(state->client_type);
    Py_CLEAR(state->span_type);
    Py_CLEAR(state->scope_type);
    Py_CLEAR(state->entity_type);
    Py_CLEAR(state->run_type);
    return 0;
}

static void module_free(void *module) {
    core_state *state = state_of(module);
    if (state != NULL) core_statm_close(&state->statm);
    (void)module_clear(module);
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, module_exec},
#ifdef Py_mod_multiple_interpreters
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
#ifdef Py_mod_gil
    {Py_mod_gil, Py_MOD_GIL_NOT_USED}, /* see core.h for what guards what */
#endif
    {0, NULL},
};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "respan._core",
    .m_doc = PyDoc_STR("librespan for Python; respan's own modules are the interface."),
    .m_size = sizeof(core_state),
    .m_methods = functions,
    .m_slots = slots,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
    .m_free = module_free,
};

PyMODINIT_FUNC PyInit__core(void);

PyMODINIT_FUNC PyInit__core(void) { return PyModuleDef_Init(&definition); }
