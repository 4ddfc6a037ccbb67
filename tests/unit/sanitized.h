/* Whether this program is built with a sanitizer that cannot follow a fork: in the child of a process with threads
 * ThreadSanitizer starts no thread, and AddressSanitizer's allocator may stay locked for ever. And whether it is ThreadSanitizer. */
#ifndef RS_TEST_SANITIZED_H
#define RS_TEST_SANITIZED_H

#if defined(__SANITIZE_THREAD__)
#define IS_SANITIZED        true
#define IS_THREAD_SANITIZED true
#elif defined(__SANITIZE_ADDRESS__)
#define IS_SANITIZED        true
#define IS_THREAD_SANITIZED false
#elif defined(__has_feature)
#define IS_SANITIZED        (__has_feature(thread_sanitizer) || __has_feature(address_sanitizer))
#define IS_THREAD_SANITIZED __has_feature(thread_sanitizer)
#else
#define IS_SANITIZED        false
#define IS_THREAD_SANITIZED false
#endif

#endif
