/* Questions about traces, asked of the server. Exit statuses of cmd.h; complaints go to standard error. One thread. */
#ifndef RS_CLI_TRACES_CLIENT_H
#define RS_CLI_TRACES_CLIENT_H

#include "cli/client.h"
#include <jansson.h>

/* A list's conditions: query parameters, percent-encoded, joined by '&'. */
typedef struct rs_trace_query {
    rs_buf parameters;
} rs_trace_query;

void rs_trace_query_add(rs_trace_query *q, const char *name, const char *value);

/* The newest `limit` traces that match, over as many pages as that takes. *count: how many match in all, -1 if that is not
 * known. *out is a new array. hint (may be NULL) gets what the
 * server says of a question that likely was meant otherwise. */
int rs_traces_fetch_list(rs_client *c, const rs_trace_query *q, size_t limit, json_t **out, long long *count,
                         rs_buf *hint);

/* Adds what a saved view of the list asks, by its name: its filter, window and order. A key sees what is shared. */
int rs_traces_add_view(rs_client *c, const char *name, rs_trace_query *q);

/* "latest", a whole id, or an unambiguous prefix of at least 6 hex digits -> 32 hex digits. */
int rs_traces_resolve(rs_client *c, const char *wanted, char id[33]);

/* The answer of GET /api/traces/{id}/ with spans in a row (flat) or as a tree, as it came. */
int rs_traces_fetch(rs_client *c, const char *id, bool flat, rs_buf *out);

#endif
