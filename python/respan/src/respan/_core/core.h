/* respan._core: the CPython extension over librespan (respan.h is all it knows of it).
 *
 * Who owns what:
 *   Client  one respan_client. The module's state points at the one that new spans go to.
 *   Span    one open respan_span, and what its children inherit: its ids, entity path and workflow name.
 *   Scope   immutable attributes for every span below it: defaults of a Client, or one
 * propagate_attributes(). Entity  a decorated function: calls it inside a span. Run, in run.h: its coroutine or generator.
 *
 * Two context variables carry the current Span and the current Scope, so asyncio tasks and to_thread keep
 * theirs. Nothing here raises for a span's sake: a span that cannot be had is None, an attribute that cannot
 * be read is left out. The exception is a BaseException that is no Exception (Ctrl-C while an argument is
 * being serialised).
 *
 * Every function runs attached to the interpreter; it detaches only around flush and close. The exporter thread
 * belongs to librespan and never touches Python. There is no static mutable state: all of it hangs off the
 * module, so each interpreter has its own.
 *
 * Where there is no GIL (free-threaded CPython), the locks below guard what changes; with a GIL they are nothing. A Span
 * and an Entity have each the critical section of its object. It is let go, like the GIL, where Python code runs: who
 * holds it keeps references to what he uses on both sides of that, and reads again what may have changed. The
 * module's lock guards `client`, each Client's handle, reviewer and counters, and what is stale; no Python code runs under
 * it. The rest does not change once it is made.
 *
 * Making something current needs memory, and so does making current again what was before. Where that fails, what should
 * be gone is marked stale, for good: whoever finds it current takes what is to be current instead, or nothing. */
#ifndef RESPAN_CORE_H
#define RESPAN_CORE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "respan.h"
#include <sys/types.h>

typedef struct client_object client_object;
typedef struct span_object span_object;
typedef struct scope_object scope_object;
typedef struct entity_object entity_object;

struct json_writer;

#if PY_VERSION_HEX < 0x030D0000
#define Py_BEGIN_CRITICAL_SECTION(object) {
#define Py_END_CRITICAL_SECTION()         }
#endif
#ifdef Py_GIL_DISABLED
#define CORE_LOCK(state)   PyMutex_Lock(&(state)->lock)
#define CORE_UNLOCK(state) PyMutex_Unlock(&(state)->lock)
#else
#define CORE_LOCK(state)   ((void)(state))
#define CORE_UNLOCK(state) ((void)(state))
#endif

/* /proc/self/statm, kept open: see memory.c. */
typedef struct core_statm {
    int fd; /* -1: it is not open */
    pid_t pid;
    dev_t device;
    ino_t inode;
} core_statm;

typedef struct core_state {
    PyTypeObject *client_type, *span_type, *scope_type, *entity_type, *run_type;
    PyObject *current_span;  /* ContextVar: Span or None */
    PyObject *current_scope; /* ContextVar: Scope or None */
    client_object *client;   /* where new spans go; NULL: tracing is off */
    core_statm statm;        /* guarded as the client is */
    bool content_vetoed;     /* atomic: spans that begin now have no content, whatever their client says */
#ifdef Py_GIL_DISABLED
    PyMutex lock;
#endif
} core_state;

struct client_object {
    PyObject_HEAD respan_client *handle; /* NULL once closed */
    scope_object *defaults;              /* or NULL */
    bool content;                        /* inputs, outputs, exception messages may be recorded */
    PyObject *mask;                      /* see content.h, or NULL */
    PyObject *review;                    /* see span_review, or NULL */
    int flushing;                        /* threads inside respan_client_flush now, of process `pid` */
    uint64_t unmade;                     /* its spans that could not be had */
    uint64_t lost;                       /* those that were started, and could not be kept or reviewed */
    long pid;
};

/* What a Span and a Scope begin with. */
typedef struct current_object {
    PyObject_HEAD bool stale; /* it was left, but a context still holds it */
    PyObject *instead;        /* while stale: what is current in its place, of the same type; or NULL */
} current_object;

/* A span that is looked at before it is recorded: its attributes wait in a dict, and at its end each reviewer is called
 * with the Span. One that says false (or raises) drops the span; else what the dict then holds is encoded. */
typedef struct span_review {
    PyObject *attributes; /* dict */
    PyObject *name;       /* str */
    PyObject *events;     /* list of {"name", "time_ns", "attributes"} */
    PyObject *links;      /* list of {"trace_id", "span_id", "attributes"} */
    PyObject *message;    /* str: of the status */
    int status, kind;
    uint64_t start_ns;
    respan_span_context parent;
    bool local_root;        /* without a parent, or with one of another process */
    bool masks;             /* credentials */
    PyObject *reviewers[2]; /* the entity's, the client's; or NULL */
    bool running;           /* they are being called: what ends the span meanwhile does nothing */
} span_review;

struct span_object {
    current_object base;
    respan_span *span; /* NULL once ended */
    respan_span_context context;
    PyObject *path;        /* str or NULL: the entity path that children inherit */
    PyObject *workflow;    /* str or NULL: the workflow that children belong to */
    PyObject *processors;  /* str or NULL: names of the processors that it and its children are routed to */
    span_object *previous; /* while current: what was current before, or NULL */
    uint64_t end_ns;       /* set by stop(); 0: the end is when it ends */
    bool active;           /* it is the current span of the context that entered it */
    bool content;          /* see content.h … */
    PyObject *mask;        /* … or NULL */
    bool remote;           /* it is recorded elsewhere: a parent only */
    span_review *review;   /* or NULL: attributes go to librespan as they are set */
};

struct scope_object {
    current_object base;
    PyObject *values; /* the dict as its user gave it: what a nested scope merges over */
    PyObject *items;  /* tuple of (str, value): keeps alive what `attributes` points into */
    respan_attribute *attributes;
    void **arrays; /* what sequences among them point at; `count` pointers, NULL for others */
    size_t count;
    respan_attributes *set; /* the same, encoded */
};

/* What decides an entity's attributes beside itself, and those attributes, encoded. All may be NULL. */
typedef struct surroundings {
    respan_attributes *set;
    scope_object *scope;
    PyObject *parent_path, *parent_workflow;
    PyObject *path, *workflow; /* what its spans' children inherit */
} surroundings;

struct entity_object {
    PyObject_HEAD PyObject *function;
    PyObject *through; /* called in place of it while tracing is on: see _wrappers.py; or NULL */
    PyObject *dict;
    PyObject *weakrefs;
    vectorcallfunc vectorcall;
    PyObject *name;      /* str */
    PyObject *kind;      /* str: workflow, task, agent, tool */
    PyObject *version;   /* int, str or NULL */
    PyObject *review;    /* see span_review, or NULL */
    PyObject *opened;    /* called with each of its Spans at the start, or NULL */
    PyObject *span_name; /* "NAME.kind" */
    bool names_workflow; /* workflow, agent: children belong to it; task, tool: children extend its path */
    surroundings last;   /* those of the last call: encoded once for all that have the same */
};

core_state *core_state_of(PyTypeObject *type);
/* Whether new spans go anywhere; what follows may find that they do no more. */
static inline bool core_is_on(const core_state *state) {
    return __atomic_load_n(&state->client, __ATOMIC_RELAXED) != NULL;
}

/* Client */
extern PyType_Spec client_spec;
/* Counts a span of the client in use that will not be recorded, for want of memory or because its reviewer failed. */
void core_lose(core_state *state, bool was_started);

/* Scope */
extern PyType_Spec scope_spec;
/* The scope in force: the context's, else the client's defaults; a new reference; or NULL. */
scope_object *core_scope_current(core_state *state);

/* One Python value as an attribute's value; false if it has no such form (the error is cleared). Text is
 * borrowed. */
bool core_attribute_value(PyObject *value, respan_attribute *out);
/* The same for a tuple whose items are all str, bool, int or float: *items, to be freed with PyMem_Free, is what `out`
 * points at. Texts are borrowed from the tuple. */
bool core_sequence_value(PyObject *tuple, respan_attribute *out, void **items);
/* A str's UTF-8, cached in it, or false for one with surrogates (no error is set). */
bool core_text_of_any(PyObject *string, respan_text *out);
static inline bool core_text(PyObject *string, respan_text *out) {
    if (!PyUnicode_IS_COMPACT_ASCII(string)) return core_text_of_any(string, out);
    *out = (respan_text){PyUnicode_DATA(string), (size_t)PyUnicode_GET_LENGTH(string)};
    return true;
}

/* Span */
extern PyType_Spec span_spec;
extern PyGetSetDef core_span_properties[]; /* span_properties.c */
/* Sets an attribute of text, which may be NULL: then nothing. */
void core_span_put_text(span_object *span, const char *key, size_t key_len, PyObject *text);
/* The current span; a new reference; NULL if there is none. */
span_object *core_span_current(core_state *state);
/* A span under `parent`; NULL without an error set if it cannot be had. `parent` and `review` may be NULL; start_ns 0 is
 * now. */
span_object *core_span_new(core_state *state, respan_text name, const span_object *parent, PyObject *review,
                           uint64_t start_ns);
/* It has not ended, and is not recorded elsewhere. */
bool core_span_recording(span_object *span);
void core_span_put(span_object *span, const respan_attribute *attributes, size_t count);
void core_span_status(span_object *span, respan_status_code code, respan_text message);
/* time_ns 0: now. */
void core_span_event(span_object *span, respan_text name, uint64_t time_ns,
                     const respan_attribute *attributes, size_t count);
/* Without memory it does not become current: its children lie beside it. No error is set. */
void core_span_enter(core_state *state, span_object *span);
void core_span_leave(core_state *state, span_object *span);
/* The same where both are the same stack frame's: pop takes what push gave, which may be NULL. */
PyObject *core_span_push(core_state *state, span_object *span);
void core_span_pop(core_state *state, span_object *span, PyObject *token);
/* The end of a traced call: takes the span, the token (or NULL) and the result, NULL with the error set if it raised. */
PyObject *core_span_finish(core_state *state, span_object *span, PyObject *token, PyObject *result);
/* Records `error` as status and event; time_ns 0: now. */
void core_span_fail(span_object *span, PyObject *error, uint64_t time_ns);
void core_span_end(span_object *span);
/* Sets what `json` holds as an attribute and frees it, unless writing it gave rc < 0; returns rc. Writing may have run
 * Python code that ended the span: then nothing is set. */
int core_span_take_json(span_object *span, const char *key, size_t key_len, struct json_writer *json, int rc);
/* What the traced function returned; nothing if content is to be kept out. -1 as in json.h. */
int core_span_output(span_object *span, PyObject *value);

/* Entity */
extern PyType_Spec entity_spec;

/* The raised exception, taken out of the thread's state, and put back as the same object. */
PyObject *core_raised_take(void);
void core_raised_restore(PyObject *error);
/* Clears the raised exception if it is an Exception. False: it is not, and stays raised. */
bool core_swallow(void);

#endif
