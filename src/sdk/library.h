/* rs_library: shared libraries that are loaded when they are first needed, so that librespan links without them and a
 * program that never exports maps none of them. What is loaded stays for the life of the process: libcurl and the TLS
 * libraries behind it do not like to be unloaded.
 *
 * One lock for the process, since a loaded library belongs to it: who loads holds it, and so does fork, which must not
 * copy a process while a thread is inside a library's initialisation. */
#ifndef RS_SDK_LIBRARY_H
#define RS_SDK_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>

void rs_library_lock(void);
void rs_library_unlock(void);

typedef struct rs_library_function {
    const char *name;
    void **address;
} rs_library_function;

/* With the lock held. Opens the first of `names` (ends with NULL) that is there and finds every function. False: none is
 * there (*lacks is NULL), or it lacks the function *lacks. */
bool rs_library_open(const char *const names[], const rs_library_function functions[], size_t count,
                     const char **lacks);

#endif
