/* What instrumentations measure of a model's call, where Python would take longer than the rest of tracing it: token ids
 * in tensors (tokens.c) and the process's memory (memory.c). Functions of the module. */
#ifndef RESPAN_CORE_MEASURE_H
#define RESPAN_CORE_MEASURE_H

#include "core.h"

PyObject *core_count_prompts(PyObject *module, PyObject *args);
PyObject *core_count_completions(PyObject *module, PyObject *args);
PyObject *core_highest_memory(PyObject *module, PyObject *ignored);
PyObject *core_resident_memory(PyObject *module, PyObject *ignored);
void core_statm_close(core_statm *statm);

#endif
