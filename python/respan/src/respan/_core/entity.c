#include "core.h"
#include "json.h"
#include "run.h"

#include <stddef.h>
#include <string.h>
#include <structmember.h>

/* A path grows with each nested task; recursion must not make it grow without bound. */
enum { PATH_MAX_CHARS = 1000 };

/* ---- what an entity's spans have in common ------------------------------------------------------------- */

static void put_text(respan_attribute *list, size_t *n, const char *key, size_t key_len, PyObject *text) {
    list[*n].key = (respan_text){key, key_len};
    list[*n].type = RESPAN_TYPE_STRING;
    if (core_text(text, &list[*n].value.string)) (*n)++;
}

/* The attributes that every call under such a parent and scope has; *n of them, to be freed with PyMem_Free; or NULL. */
static respan_attribute *common_attributes(const entity_object *self, const scope_object *scope,
                                           PyObject *path, PyObject *workflow, size_t *out_n) {
    size_t inherited = scope == NULL ? 0 : scope->count, n = 0;
    respan_attribute *list = PyMem_New(respan_attribute, inherited + 6);
    if (list == NULL) return NULL;
    put_text(list, &n, RESPAN_TEXT("traceloop.span.kind"), self->kind);
    put_text(list, &n, RESPAN_TEXT("respan.entity.log_type"), self->kind);
    put_text(list, &n, RESPAN_TEXT("traceloop.entity.name"), self->name);
    if (path != NULL) put_text(list, &n, RESPAN_TEXT("traceloop.entity.path"), path);
    if (workflow != NULL) put_text(list, &n, RESPAN_TEXT("traceloop.workflow.name"), workflow);
    if (self->version != NULL && core_attribute_value(self->version, &list[n])) {
        list[n].key = (respan_text){RESPAN_TEXT("traceloop.entity.version")};
        n++;
    }
    if (inherited > 0) memcpy(list + n, scope->attributes, inherited * sizeof *list);
    *out_n = n + inherited;
    return list;
}

static respan_attributes *encode_common(const entity_object *self, const scope_object *scope, PyObject *path,
                                        PyObject *workflow) {
    size_t n;
    respan_attribute *list = common_attributes(self, scope, path, workflow, &n);
    if (list == NULL) return NULL;
    respan_attributes *set = respan_attributes_new(list, n);
    PyMem_Free(list);
    return set;
}

static void put_common(const entity_object *self, span_object *span, const scope_object *scope) {
    size_t n;
    respan_attribute *list = common_attributes(self, scope, self->last.path, self->last.workflow, &n);
    if (list != NULL) core_span_put(span, list, n);
    PyMem_Free(list);
}

static PyObject *extend_path(PyObject *parent, PyObject *name) {
    if (parent == NULL) return Py_NewRef(name);
    if (PyUnicode_GET_LENGTH(parent) + PyUnicode_GET_LENGTH(name) >= PATH_MAX_CHARS) return Py_NewRef(parent);
    PyObject *path = PyUnicode_FromFormat("%U.%U", parent, name);
    if (path == NULL) PyErr_Clear();
    return path != NULL ? path : Py_NewRef(parent);
}

/* Makes `last` the surroundings of a call under `parent` and `scope`: mostly it has them. What it had is to be released
 * by the caller once it has used `last`: that may run code that calls this entity. */
static surroundings prepare(entity_object *self, const span_object *parent, scope_object *scope) {
    surroundings *last = &self->last, old = {0};
    PyObject *parent_path = parent == NULL ? NULL : parent->path;
    PyObject *parent_workflow = parent == NULL ? NULL : parent->workflow;
    if (last->set != NULL && last->scope == scope && last->parent_path == parent_path &&
        last->parent_workflow == parent_workflow)
        return old;
    old = *last;
    last->path = self->names_workflow ? Py_XNewRef(parent_path) : extend_path(parent_path, self->name);
    last->workflow = self->names_workflow ? Py_NewRef(self->name) : Py_XNewRef(parent_workflow);
    last->scope = (scope_object *)Py_XNewRef((PyObject *)scope);
    last->parent_path = Py_XNewRef(parent_path);
    last->parent_workflow = Py_XNewRef(parent_workflow);
    last->set = encode_common(self, scope, last->path, last->workflow);
    return old;
}

static void release(surroundings *old) {
    respan_attributes_free(old->set);
    Py_XDECREF((PyObject *)old->scope);
    Py_XDECREF(old->parent_path);
    Py_XDECREF(old->parent_workflow);
    Py_XDECREF(old->path);
    Py_XDECREF(old->workflow);
}

/* False: an exception that is no Exception is raised. */
static bool tell(PyObject *opened, span_object *span) {
    PyObject *answer = PyObject_CallOneArg(opened, (PyObject *)span);
    Py_XDECREF(answer);
    return answer != NULL || core_swallow();
}

static span_object *start(core_state *state, entity_object *self) {
    span_object *parent = core_span_current(state);
    respan_text name;
    if (!core_text(self->span_name, &name)) name = (respan_text){"", 0};
    span_object *span = core_span_new(state, name, parent, self->review, 0);
    if (span != NULL) {
        scope_object *scope = core_scope_current(state);
        surroundings old;
        Py_BEGIN_CRITICAL_SECTION(self);
        old = prepare(self, parent, scope);
        if (span->review == NULL) respan_span_use(span->span, self->last.set);
        else put_common(self, span, scope);
        Py_XSETREF(span->path, Py_XNewRef(self->last.path));
        Py_XSETREF(span->workflow, Py_XNewRef(self->last.workflow));
        Py_END_CRITICAL_SECTION();
        release(&old);
        Py_XDECREF((PyObject *)scope);
        core_span_put_text(span, RESPAN_TEXT("respan.processors"), span->processors);
        if (self->opened != NULL && !tell(self->opened, span)) Py_CLEAR(span);
    }
    Py_XDECREF((PyObject *)parent);
    return span;
}

/* ---- the call ------------------------------------------------------------------------------------------ */

/* Not inlined: their buffers must not lie on the stack while the function, which may recurse, runs. */
static __attribute__((noinline)) int record_input(span_object *span, PyObject *const *args, Py_ssize_t nargs,
                                                  PyObject *kwnames) {
    json_writer json;
    json_init(&json);
    return core_span_take_json(span, RESPAN_TEXT("traceloop.entity.input"), &json,
                               json_write_call(&json, args, nargs, kwnames));
}

static PyObject *entity_vectorcall(PyObject *op, PyObject *const *args, size_t nargsf, PyObject *kwnames) {
    entity_object *self = (entity_object *)op;
    core_state *state = core_state_of(Py_TYPE(op));
    if (self->function == NULL) /* it was garbage: a destructor still calls it */
        return PyErr_Format(PyExc_ReferenceError, "the traced function is gone");
    if (!core_is_on(state)) return PyObject_Vectorcall(self->function, args, nargsf, kwnames);
    if (self->through != NULL) return PyObject_Vectorcall(self->through, args, nargsf, kwnames);
    span_object *span = start(state, self);
    if (span == NULL)
        return PyErr_Occurred() ? NULL : PyObject_Vectorcall(self->function, args, nargsf, kwnames);
    PyObject *result = NULL, *token = core_span_push(state, span);
    if (!span->content || record_input(span, args, PyVectorcall_NARGS(nargsf), kwnames) == 0)
        result = PyObject_Vectorcall(self->function, args, nargsf, kwnames);
    if (result != NULL && core_span_output(span, result) < 0) Py_CLEAR(result);
    return core_span_finish(state, span, token, result);
}

static bool are_arguments(PyObject *const *args, Py_ssize_t nargs) {
    if (nargs == 2 && PyTuple_Check(args[0]) && PyDict_Check(args[1])) return true;
    PyErr_SetString(PyExc_TypeError, "it takes a tuple and a dict");
    return false;
}

/* A span with its input that is not current yet, or NULL: with an error set, or because there is none to be had. */
static span_object *start_with(core_state *state, entity_object *self, PyObject *args, PyObject *kwargs) {
    span_object *span = core_is_on(state) ? start(state, self) : NULL;
    if (span == NULL || !span->content) return span;
    json_writer json;
    json_init(&json);
    int rc = core_span_take_json(span, RESPAN_TEXT("traceloop.entity.input"), &json,
                                 json_write_arguments(&json, args, kwargs));
    if (rc < 0) Py_CLEAR(span);
    return span;
}

static PyObject *entity_start(PyObject *op, PyObject *const *args, Py_ssize_t nargs) {
    entity_object *self = (entity_object *)op;
    core_state *state = core_state_of(Py_TYPE(op));
    span_object *span;
    if (nargs == 0) span = core_is_on(state) ? start(state, self) : NULL;
    else span = are_arguments(args, nargs) ? start_with(state, self, args[0], args[1]) : NULL;
    if (span == NULL && PyErr_Occurred()) return NULL;
    return span != NULL ? (PyObject *)span : Py_NewRef(Py_None);
}

static PyObject *run(PyObject *op, run_kind kind, PyObject *const *args, Py_ssize_t nargs) {
    entity_object *self = (entity_object *)op;
    core_state *state = core_state_of(Py_TYPE(op));
    if (!are_arguments(args, nargs)) return NULL;
    if (self->function == NULL) return PyErr_Format(PyExc_ReferenceError, "the traced function is gone");
    span_object *span = start_with(state, self, args[0], args[1]);
    if (span != NULL) return core_run_new(state, kind, span, self->function, args[0], args[1]);
    return PyErr_Occurred() ? NULL : PyObject_Call(self->function, args[0], args[1]);
}

static PyObject *entity_coroutine(PyObject *op, PyObject *const *args, Py_ssize_t nargs) {
    return run(op, RUN_COROUTINE, args, nargs);
}

static PyObject *entity_generator(PyObject *op, PyObject *const *args, Py_ssize_t nargs) {
    return run(op, RUN_GENERATOR, args, nargs);
}

/* ---- a callable that looks like its function ----------------------------------------------------------- */

static PyObject *entity_get(PyObject *op, PyObject *instance, PyObject *Py_UNUSED(owner)) {
    if (instance == NULL || instance == Py_None) return Py_NewRef(op);
    return PyMethod_New(op, instance);
}

/* What the entity has not, its function has: __code__, __defaults__, __annotations__, … */
static PyObject *entity_getattro(PyObject *op, PyObject *name) {
    PyObject *value = PyObject_GenericGetAttr(op, name);
    entity_object *self = (entity_object *)op;
    if (value != NULL || self->function == NULL || !PyErr_ExceptionMatches(PyExc_AttributeError))
        return value;
    PyErr_Clear();
    return PyObject_GetAttr(self->function, name);
}

/* isinstance() goes by it: an entity of a function is one for inspect.isfunction() and those that ask it, as
 * transformers does of tools. type() says what it is. */
static PyObject *entity_class(PyObject *op, void *Py_UNUSED(closure)) {
    PyObject *function = ((entity_object *)op)->function;
    return Py_NewRef(
        (PyObject *)(function != NULL && PyFunction_Check(function) ? &PyFunction_Type : Py_TYPE(op)));
}

static PyObject *entity_repr(PyObject *op) {
    entity_object *self = (entity_object *)op;
    return PyUnicode_FromFormat("<%U of %R>", self->kind, self->function);
}

/* Pickled by name, as functions are. */
static PyObject *entity_reduce(PyObject *op, PyObject *Py_UNUSED(ignored)) {
    return PyObject_GetAttrString(op, "__qualname__");
}

static PyObject *entity_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"function", "name", "kind", "version", "review", "opened", NULL};
    PyObject *function, *name, *kind, *version = Py_None, *review = Py_None, *opened = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OUU|OOO:Entity", names, &function, &name, &kind, &version,
                                     &review, &opened))
        return NULL;
    if (!PyCallable_Check(function))
        return PyErr_Format(PyExc_TypeError, "a %U must be callable, not %.100s", kind,
                            Py_TYPE(function)->tp_name);
    entity_object *self = (entity_object *)type->tp_alloc(type, 0);
    if (self == NULL) return NULL;
    self->vectorcall = entity_vectorcall;
    self->function = Py_NewRef(function);
    self->name = PyUnicode_FromObject(name); /* a subclass of str might lead back here */
    self->kind = PyUnicode_FromObject(kind);
    self->version = version == Py_None ? NULL : Py_NewRef(version);
    self->review = review == Py_None ? NULL : Py_NewRef(review);
    self->opened = opened == Py_None ? NULL : Py_NewRef(opened);
    self->names_workflow = PyUnicode_CompareWithASCIIString(kind, "workflow") == 0 ||
                           PyUnicode_CompareWithASCIIString(kind, "agent") == 0;
    self->span_name = PyUnicode_FromFormat("%U.%U", name, kind);
    self->dict = PyDict_New();
    if (self->name == NULL || self->kind == NULL || self->span_name == NULL || self->dict == NULL)
        Py_CLEAR(self);
    return (PyObject *)self;
}

static int entity_traverse(PyObject *op, visitproc visit, void *arg) {
    entity_object *self = (entity_object *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->function);
    Py_VISIT(self->through);
    Py_VISIT(self->dict);
    Py_VISIT(self->version);
    Py_VISIT(self->review);
    Py_VISIT(self->opened);
    Py_VISIT(self->last.scope);
    Py_VISIT(self->last.parent_path);
    Py_VISIT(self->last.parent_workflow);
    return 0;
}

static int entity_clear(PyObject *op) {
    entity_object *self = (entity_object *)op;
    Py_CLEAR(self->through);
    Py_CLEAR(self->dict);
    Py_CLEAR(self->version);
    Py_CLEAR(self->review);
    Py_CLEAR(self->opened);
    surroundings old = self->last;
    self->last = (surroundings){0};
    release(&old);
    Py_CLEAR(self->function);
    return 0;
}

static void entity_dealloc(PyObject *op) {
    entity_object *self = (entity_object *)op;
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    if (self->weakrefs != NULL) PyObject_ClearWeakRefs(op);
    (void)entity_clear(op);
    Py_XDECREF(self->name);
    Py_XDECREF(self->kind);
    Py_XDECREF(self->span_name);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyMethodDef entity_methods[] = {
    {"start", (PyCFunction)(void (*)(void))entity_start, METH_FASTCALL,
     PyDoc_STR("start($self, args=..., kwargs=..., /)\n--\n\nA Span that is not current yet, or None if "
               "tracing is off.")},
    {"coroutine", (PyCFunction)(void (*)(void))entity_coroutine, METH_FASTCALL,
     PyDoc_STR("coroutine($self, args, kwargs, /)\n--\n\nWhat a coroutine function's call awaits: see Run.")},
    {"generator", (PyCFunction)(void (*)(void))entity_generator, METH_FASTCALL,
     PyDoc_STR("generator($self, args, kwargs, /)\n--\n\nWhat a generator function's call yields from.")},
    {"__reduce__", entity_reduce, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef entity_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(entity_object, vectorcall), READONLY, NULL},
    {"__dictoffset__", T_PYSSIZET, offsetof(entity_object, dict), READONLY, NULL},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(entity_object, weakrefs), READONLY, NULL},
    {"_through", T_OBJECT, offsetof(entity_object, through), 0,
     PyDoc_STR("What is called while tracing is on, if that is not the function itself.")},
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef entity_properties[] = {
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {"__class__", entity_class, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot entity_slots[] = {
    {Py_tp_new, entity_new},
    {Py_tp_dealloc, entity_dealloc},
    {Py_tp_traverse, entity_traverse},
    {Py_tp_clear, entity_clear},
    {Py_tp_call, PyVectorcall_Call},
    {Py_tp_descr_get, entity_get},
    {Py_tp_getattro, entity_getattro},
    {Py_tp_setattro, PyObject_GenericSetAttr},
    {Py_tp_repr, entity_repr},
    {Py_tp_methods, entity_methods},
    {Py_tp_members, entity_members},
    {Py_tp_getset, entity_properties},
    {Py_tp_doc, (void *)PyDoc_STR("A function that is called inside a span.")},
    {0, NULL},
};

PyType_Spec entity_spec = {
    .name = "respan._core.Entity",
    .basicsize = sizeof(entity_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_HAVE_VECTORCALL |
             Py_TPFLAGS_METHOD_DESCRIPTOR,
    .slots = entity_slots,
};
