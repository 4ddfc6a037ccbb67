/* libcurl, loaded when the first command needs it: `respan serve` never does, and linked in it would cost the server
 * 3 MB of memory and a good part of its start-up time. One thread. */
#ifndef RS_CLI_LIBCURL_H
#define RS_CLI_LIBCURL_H

#define CURL_DISABLE_TYPECHECK /* its checking macros do not take pointers to functions */
#include <curl/curl.h>
#include <stdbool.h>

#define RS_LIBCURL_FUNCTIONS(X)                                                                              \
    X(curl_global_init)                                                                                      \
    X(curl_global_cleanup)                                                                                   \
    X(curl_easy_init)                                                                                        \
    X(curl_easy_cleanup)                                                                                     \
    X(curl_easy_reset)                                                                                       \
    X(curl_easy_setopt)                                                                                      \
    X(curl_easy_getinfo)                                                                                     \
    X(curl_easy_perform)                                                                                     \
    X(curl_easy_strerror)                                                                                    \
    X(curl_slist_append)                                                                                     \
    X(curl_slist_free_all)

typedef struct rs_libcurl {
#define X(name) __typeof__(&name) name;
    RS_LIBCURL_FUNCTIONS(X)
#undef X
} rs_libcurl;

/* Fills *out; false if there is no libcurl, or too old a one. It stays loaded. */
bool rs_libcurl_load(rs_libcurl *out);

#endif
