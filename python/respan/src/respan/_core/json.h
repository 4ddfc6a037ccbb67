/* Python values as JSON text, for inputs and outputs of decorated functions.
 *
 * Bounded and safe: at most `limit` bytes, 48 levels; a value that contains itself is "<circular>", what does
 * not fit is cut and marked, and the text stays valid JSON. Objects of unknown types are "<TypeName>":
 * neither their repr nor their attributes are read, except for dataclasses and what offers model_dump(). */
#ifndef RESPAN_CORE_JSON_H
#define RESPAN_CORE_JSON_H

#include "core.h"

enum { JSON_DEPTH_MAX = 48, JSON_INLINE = 1000, JSON_LIMIT = 1 << 20 };

typedef struct json_writer {
    char *p;
    size_t size, capacity, limit;
    bool failed; /* memory: the text is incomplete */
    int depth;
    PyObject *path[JSON_DEPTH_MAX]; /* the containers that are open, borrowed */
    char inline_buffer[JSON_INLINE];
} json_writer;

void json_init(json_writer *w);
void json_free(json_writer *w);
/* Each returns -1 with an error set only for an exception that is no Exception. */
int json_write_value(json_writer *w, PyObject *value);
/* A str as plain text, not quoted; what is not Unicode is replaced. */
int json_write_text(json_writer *w, PyObject *string);
/* {"args":[…],"kwargs":{…}} of a vectorcall. */
int json_write_call(json_writer *w, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames);

/* The same of a tuple and a dict. */
int json_write_arguments(json_writer *w, PyObject *args, PyObject *kwargs);

#endif
