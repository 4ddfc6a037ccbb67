/* Traces as rows in aligned columns: time, name, model, tokens, latency, status, output, id. */
#ifndef RS_CLI_TABLE_H
#define RS_CLI_TABLE_H

#include "cli/term.h"
#include <jansson.h>

/* traces: the results of GET /api/traces/list/. On a narrow terminal outputs, names and models are cut, then ids. */
void rs_table_print(const rs_term *t, const json_t *traces, rs_buf *out);

#endif
