/* A server for tests: plain sockets, one thread per connection, answers by script, keeps what it was sent. */
#ifndef RS_TEST_FAKE_HTTP_H
#define RS_TEST_FAKE_HTTP_H

#include "base/buf.h"
#include "base/str.h"
#include <stdint.h>

typedef enum fake_kind {
    FAKE_ANSWER,          /* status, headers, body */
    FAKE_HANG,            /* reads the request and says nothing */
    FAKE_TRICKLE,         /* a byte of a 200 answer every 50 ms */
    FAKE_GARBAGE,         /* bytes that are not HTTP */
    FAKE_CLOSE,           /* closes the connection without an answer */
    FAKE_RESET,           /* the same, rudely */
    FAKE_ENDLESS_HEADERS, /* a 200 whose headers do not end */
    FAKE_GIGABYTE         /* a 200 with a body of 1 GiB */
} fake_kind;

typedef struct fake_answer {
    fake_kind kind;
    int status;
    const char *headers; /* lines with \r\n, or NULL */
    rs_str body;
} fake_answer;

typedef struct fake_request {
    char *head; /* request line and headers, NUL-terminated */
    rs_buf body;
    double at;                 /* seconds, monotonic */
    const fake_answer *answer; /* that it is given */
} fake_request;

typedef struct fake_http fake_http;

/* Answers the i-th request by script[i], those past the end by the last. The script is borrowed. Never NULL. */
fake_http *fake_http_start(const fake_answer *script, size_t n);
void fake_http_stop(fake_http *f);
int fake_http_port(const fake_http *f);
/* "http://127.0.0.1:PORT/api"; lives as long as f. */
const char *fake_http_url(const fake_http *f);
size_t fake_http_count(fake_http *f);
/* Goes on with answer n of the script, unless it is further already. */
void fake_http_skip(fake_http *f, size_t n);
size_t fake_http_connections(fake_http *f); /* that were made so far */
uint64_t fake_http_sent(fake_http *f);      /* bytes of endless answers that were taken so far */
/* Request i < count; lives as long as f. */
const fake_request *fake_http_request(fake_http *f, size_t i);

#endif
