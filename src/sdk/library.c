#include "sdk/library.h"

#include <dlfcn.h>
#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void rs_library_lock(void) { pthread_mutex_lock(&lock); }
void rs_library_unlock(void) { pthread_mutex_unlock(&lock); }

bool rs_library_open(const char *const names[], const rs_library_function functions[], size_t count,
                     const char **lacks) {
    void *handle = NULL;
    *lacks = NULL;
    for (; !handle && *names; names++) handle = dlopen(*names, RTLD_NOW | RTLD_LOCAL);
    if (!handle) return false;
    for (size_t i = 0; i < count; i++)
        if (!(*functions[i].address = dlsym(handle, functions[i].name))) {
            *lacks = functions[i].name;
            dlclose(handle);
            return false;
        }
    return true;
}
