#include "core.h"

#include <unistd.h>

/* respan_config's strings are borrowed until respan_client_open returns: they live in the arguments' str
 * objects. */
static bool optional_text(PyObject *value, const char **out, const char *name) {
    *out = NULL;
    if (value == NULL || value == Py_None) return true;
    if (!PyUnicode_Check(value)) {
        PyErr_Format(PyExc_TypeError, "%s must be str or None, not %.100s", name, Py_TYPE(value)->tp_name);
        return false;
    }
    Py_ssize_t n;
    *out = PyUnicode_AsUTF8AndSize(value, &n);
    if (*out == NULL) return false;
    if (strlen(*out) == (size_t)n) return true;
    PyErr_Format(PyExc_ValueError, "%s must not contain a NUL character", name);
    return false;
}

/* {name: value} -> headers; *out is to be freed with PyMem_Free. The texts are borrowed from *kept, a new reference to a
 * copy of the dict. */
static bool read_headers(PyObject *headers, PyObject **kept, respan_header **out, size_t *count) {
    if (headers == NULL || headers == Py_None) return true;
    if (!PyDict_Check(headers)) {
        PyErr_SetString(PyExc_TypeError, "headers must be a dict of str to str");
        return false;
    }
    PyObject *dict = *kept = PyDict_Copy(headers);
    if (dict == NULL) return false;
    *out = PyMem_New(respan_header, (size_t)PyDict_Size(dict) + 1);
    if (*out == NULL) return PyErr_NoMemory(), false;
    PyObject *key, *value;
    Py_ssize_t at = 0;
    while (PyDict_Next(dict, &at, &key, &value)) {
        respan_header *header = &(*out)[*count];
        if (!optional_text(key, &header->name, "a header's name") ||
            !optional_text(value, &header->value, "a header"))
            return false;
        if (header->name != NULL && header->value != NULL) (*count)++;
    }
    return true;
}

static int client_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((client_object *)self)->defaults);
    Py_VISIT(((client_object *)self)->review);
    Py_VISIT(((client_object *)self)->mask);
    return 0;
}

static int client_clear(PyObject *self) {
    Py_CLEAR(((client_object *)self)->defaults);
    Py_CLEAR(((client_object *)self)->review);
    Py_CLEAR(((client_object *)self)->mask);
    return 0;
}

static PyObject *client_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"base_url", "api_key",  "app_name",          "environment", "headers",
                            "resource", "defaults", "content",           "quiet",       "batch_spans",
                            "review",   "spool",    "max_content_bytes", "mask",        NULL};
    core_state *state = core_state_of(type);
    PyObject *base_url = NULL, *api_key = NULL, *app_name = NULL, *environment = NULL, *headers = NULL;
    PyObject *resource = NULL, *defaults = NULL, *review = Py_None, *mask = Py_None;
    int content = 1, quiet = 0, spool = 1;
    Py_ssize_t max_content_bytes = 0;
    respan_config config;
    respan_config_init(&config);
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|$OOOOOOOppIOpnO:Client", names, &base_url, &api_key,
                                     &app_name, &environment, &headers, &resource, &defaults, &content,
                                     &quiet, &config.batch_spans, &review, &spool, &max_content_bytes, &mask))
        return NULL;
    if (mask != Py_None && !PyCallable_Check(mask))
        return PyErr_Format(PyExc_TypeError, "mask must be a function of a str, or None");
    if ((defaults != NULL && defaults != Py_None && !Py_IS_TYPE(defaults, state->scope_type)) ||
        (resource != NULL && resource != Py_None && !Py_IS_TYPE(resource, state->scope_type)))
        return PyErr_Format(PyExc_TypeError, "defaults and resource must be Scope or None");

    if (max_content_bytes < 0)
        return PyErr_Format(PyExc_ValueError, "max_content_bytes must be a number of bytes, not %zd",
                            max_content_bytes);
    config.quiet = quiet;
    config.max_content_bytes = (size_t)max_content_bytes;
    if (!spool) config.spool_bytes = 0;
    respan_header *header_list = NULL;
    PyObject *header_texts = NULL;
    client_object *self = NULL;
    respan_error error = {.code = RESPAN_OK};
    if (!optional_text(base_url, &config.base_url, "base_url") ||
        !optional_text(api_key, &config.api_key, "api_key") ||
        !optional_text(app_name, &config.app_name, "app_name") ||
        !optional_text(environment, &config.environment, "environment") ||
        !read_headers(headers, &header_texts, &header_list, &config.header_count))
        goto out;
    config.headers = header_list;
    if (resource != NULL && resource != Py_None) {
        config.resource_attributes = ((scope_object *)resource)->attributes;
        config.resource_attribute_count = ((scope_object *)resource)->count;
    }
    self = (client_object *)type->tp_alloc(type, 0);
    if (self == NULL) goto out;
    self->pid = getpid();
    self->content = content;
    self->review = review == Py_None ? NULL : Py_NewRef(review);
    self->mask = mask == Py_None ? NULL : Py_NewRef(mask);
    if (defaults != NULL && defaults != Py_None) self->defaults = (scope_object *)Py_NewRef(defaults);
    if (respan_client_open(&config, &self->handle, &error) != RESPAN_OK) {
        PyObject *kind = error.code == RESPAN_ERR_INVALID  ? PyExc_ValueError
                         : error.code == RESPAN_ERR_MEMORY ? PyExc_MemoryError
                                                           : PyExc_OSError;
        PyErr_SetString(kind, error.message);
        Py_CLEAR(self);
    }
out:
    PyMem_Free(header_list);
    Py_XDECREF(header_texts);
    return (PyObject *)self;
}

static bool timeout_argument(PyObject *arg, uint32_t *out) {
    unsigned long ms = PyLong_AsUnsignedLong(arg);
    if (ms == (unsigned long)-1 && PyErr_Occurred()) return false;
    *out = ms > UINT32_MAX ? UINT32_MAX : (uint32_t)ms;
    return true;
}

typedef struct flush_wait {
    client_object *client; /* whose close ends the wait; NULL: it is the close that waits */
    PyThreadState *thread; /* saved: detached from the interpreter */
    bool raised;
} flush_wait;

static bool is_client_open(client_object *self) {
    core_state *state = core_state_of(Py_TYPE(self));
    CORE_LOCK(state);
    bool open = self->handle != NULL;
    CORE_UNLOCK(state);
    return open;
}

/* So that Ctrl-C works, and a close need not wait for a flush. */
static bool may_wait(void *context) {
    flush_wait *wait = context;
    PyEval_RestoreThread(wait->thread);
    wait->raised = PyErr_CheckSignals() < 0;
    bool go_on = !wait->raised && (wait->client == NULL || is_client_open(wait->client));
    wait->thread = PyEval_SaveThread();
    return go_on;
}

/* Under the lock. Forked: the parent's flushing threads are not here, and its counts are its own. */
static void notice_fork(client_object *self) {
    if (self->pid == getpid()) return;
    self->pid = getpid();
    self->flushing = 0;
    self->unmade = self->lost = 0;
}

void core_lose(core_state *state, bool was_started) {
    CORE_LOCK(state);
    if (state->client != NULL) {
        notice_fork(state->client);
        if (was_started) state->client->lost++;
        else state->client->unmade++;
    }
    CORE_UNLOCK(state);
}

/* The handle, which stays until end_flush; NULL if it is closed. */
static respan_client *begin_flush(core_state *state, client_object *self) {
    CORE_LOCK(state);
    respan_client *handle = self->handle;
    notice_fork(self);
    if (handle != NULL) self->flushing++;
    CORE_UNLOCK(state);
    return handle;
}

static void end_flush(core_state *state, client_object *self) {
    CORE_LOCK(state);
    self->flushing--;
    CORE_UNLOCK(state);
}

static bool is_flushing(core_state *state, client_object *self) {
    CORE_LOCK(state);
    bool flushing = self->flushing > 0 && self->pid == getpid();
    CORE_UNLOCK(state);
    return flushing;
}

static PyObject *client_flush(PyObject *op, PyObject *arg) {
    client_object *self = (client_object *)op;
    core_state *state = core_state_of(Py_TYPE(op));
    uint32_t timeout_ms;
    if (!timeout_argument(arg, &timeout_ms)) return NULL;
    respan_client *handle = begin_flush(state, self);
    if (handle == NULL) Py_RETURN_TRUE;
    flush_wait wait = {.client = self, .thread = PyEval_SaveThread()};
    respan_status status = respan_client_flush_while(handle, timeout_ms, may_wait, &wait);
    PyEval_RestoreThread(wait.thread);
    end_flush(state, self);
    return wait.raised ? NULL : PyBool_FromLong(status == RESPAN_OK);
}

/* Under the lock: adds what librespan does not know of. */
static void add_lost(client_object *self, respan_stats *stats) {
    notice_fork(self);
    stats->started += self->unmade;
    stats->ended += self->unmade + self->lost;
    stats->dropped += self->unmade + self->lost;
}

static PyObject *stats_dict(const respan_stats *stats) {
    return Py_BuildValue("{sK sK sK sK sK sK sK ss}", "started", stats->started, "ended", stats->ended,
                         "acknowledged", stats->acknowledged, "rejected", stats->rejected, "dropped",
                         stats->dropped, "pending", stats->pending, "kept", stats->kept, "last_error",
                         stats->last_error);
}

/* Under the lock: makes `client` (NULL: none) the one that new spans go to; the one that was, for the caller to release
 * once the lock is let go. */
static client_object *set_used(core_state *state, client_object *client) {
    client_object *used = state->client;
    __atomic_store_n(&state->client, client, __ATOMIC_RELAXED); /* core_is_on() reads it without the lock */
    return used;
}

static PyObject *client_close(PyObject *op, PyObject *arg) {
    client_object *self = (client_object *)op;
    core_state *state = core_state_of(Py_TYPE(op));
    uint32_t timeout_ms;
    if (!timeout_argument(arg, &timeout_ms)) return NULL;
    CORE_LOCK(state);
    respan_client *handle = self->handle;
    self->handle = NULL; /* from here no new span and no new flush */
    client_object *used = state->client == self ? set_used(state, NULL) : NULL;
    CORE_UNLOCK(state);
    Py_XDECREF((PyObject *)used);
    if (handle == NULL) Py_RETURN_NONE;
    uint32_t waited = 0;
    while (is_flushing(state, self) && waited < timeout_ms) {
        PyThreadState *thread = PyEval_SaveThread();
        usleep(1000);
        PyEval_RestoreThread(thread);
        waited++;
    }
    /* A flush that outlasts the deadline still uses the client: then it is left to the process's end. */
    if (is_flushing(state, self)) Py_RETURN_NONE;
    respan_stats stats;
    flush_wait wait = {.thread = PyEval_SaveThread()};
    (void)respan_client_flush_while(handle, timeout_ms - waited, may_wait, &wait);
    respan_client_close(handle, 0, &stats);
    PyEval_RestoreThread(wait.thread);
    CORE_LOCK(state);
    add_lost(self, &stats);
    CORE_UNLOCK(state);
    return wait.raised ? NULL : stats_dict(&stats);
}

static PyObject *client_stats(PyObject *op, PyObject *Py_UNUSED(ignored)) {
    client_object *self = (client_object *)op;
    core_state *state = core_state_of(Py_TYPE(op));
    respan_stats stats;
    CORE_LOCK(state);
    bool open = self->handle != NULL;
    if (open) {
        respan_client_stats(self->handle, &stats);
        add_lost(self, &stats);
    }
    CORE_UNLOCK(state);
    return open ? stats_dict(&stats) : Py_NewRef(Py_None);
}

static PyObject *client_use(PyObject *op, PyObject *Py_UNUSED(ignored)) {
    core_state *state = core_state_of(Py_TYPE(op));
    client_object *self = (client_object *)op, *used = NULL;
    CORE_LOCK(state);
    if (self->handle != NULL) used = set_used(state, (client_object *)Py_NewRef(op));
    CORE_UNLOCK(state);
    Py_XDECREF((PyObject *)used);
    Py_RETURN_NONE;
}

static PyObject *client_get_closed(PyObject *op, void *Py_UNUSED(closure)) {
    return PyBool_FromLong(!is_client_open((client_object *)op));
}

static PyObject *client_get_content(PyObject *op, void *Py_UNUSED(closure)) {
    const core_state *state = core_state_of(Py_TYPE(op));
    return PyBool_FromLong(((client_object *)op)->content &&
                           !__atomic_load_n(&state->content_vetoed, __ATOMIC_RELAXED));
}

static PyObject *client_get_defaults(PyObject *op, void *Py_UNUSED(closure)) {
    PyObject *defaults = (PyObject *)((client_object *)op)->defaults;
    return Py_NewRef(defaults != NULL ? defaults : Py_None);
}

static PyObject *client_get_review(PyObject *op, void *Py_UNUSED(closure)) {
    core_state *state = core_state_of(Py_TYPE(op));
    CORE_LOCK(state);
    PyObject *review = Py_XNewRef(((client_object *)op)->review);
    CORE_UNLOCK(state);
    return review != NULL ? review : Py_NewRef(Py_None);
}

static int client_set_review(PyObject *op, PyObject *review, void *Py_UNUSED(closure)) {
    client_object *self = (client_object *)op;
    core_state *state = core_state_of(Py_TYPE(op));
    CORE_LOCK(state);
    PyObject *old = self->review;
    self->review = review == Py_None ? NULL : Py_XNewRef(review);
    CORE_UNLOCK(state);
    Py_XDECREF(old);
    return 0;
}

static void client_dealloc(PyObject *op) {
    client_object *self = (client_object *)op;
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    respan_client *handle = self->handle;
    if (handle != NULL) { /* dropped without close: nobody is left to wait for it */
        self->handle = NULL;
        PyThreadState *thread = PyEval_SaveThread();
        respan_client_close(handle, 0, NULL);
        PyEval_RestoreThread(thread);
    }
    (void)client_clear(op);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyMethodDef client_methods[] = {
    {"flush", client_flush, METH_O,
     PyDoc_STR(
         "flush($self, timeout_ms, /)\n--\n\nTrue if the server has every span that ended before the call.")},
    {"close", client_close, METH_O,
     PyDoc_STR(
         "close($self, timeout_ms, /)\n--\n\nFlushes and stops; the last stats, or None if already closed.")},
    {"stats", client_stats, METH_NOARGS, PyDoc_STR("stats($self, /)\n--\n\nCounters, or None once closed.")},
    {"use", client_use, METH_NOARGS, PyDoc_STR("use($self, /)\n--\n\nNew spans go here from now on.")},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef client_properties[] = {
    {"closed", client_get_closed, NULL, NULL, NULL},
    {"content", client_get_content, NULL, NULL, NULL},
    {"defaults", client_get_defaults, NULL, NULL, NULL},
    {"review", client_get_review, client_set_review, PyDoc_STR("Of the spans that start from now on."), NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot client_slots[] = {
    {Py_tp_new, client_new},
    {Py_tp_dealloc, client_dealloc},
    {Py_tp_traverse, client_traverse},
    {Py_tp_clear, client_clear},
    {Py_tp_methods, client_methods},
    {Py_tp_getset, client_properties},
    {Py_tp_doc, (void *)PyDoc_STR("One destination of spans.")},
    {0, NULL},
};

PyType_Spec client_spec = {
    .name = "respan._core.Client",
    .basicsize = sizeof(client_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = client_slots,
};
