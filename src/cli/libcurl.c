#include "cli/libcurl.h"

#include <dlfcn.h>
#include <stddef.h>

bool rs_libcurl_load(rs_libcurl *out) {
    void *handle = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    if (!handle) handle = dlopen("libcurl-gnutls.so.4", RTLD_NOW | RTLD_LOCAL);
    if (!handle) return false;
#define X(name)                                                                                              \
    if (!(out->name = (__typeof__(out->name))dlsym(handle, #name))) return false;
    RS_LIBCURL_FUNCTIONS(X)
#undef X
    return true;
}
