/* What the server counts, and GET /metrics and /readyz, which tell it: to Prometheus in its text format
 * (https://prometheus.io/docs/instrumenting/exposition_formats/), and to whoever wants to know whether to send.
 *
 * Counters only grow. Any thread, without locks. Nothing of any project is in them: no names, no content. */
#ifndef RS_SERVER_METRICS_H
#define RS_SERVER_METRICS_H

#include "server/http.h"

enum { RS_STATUS_CLASSES = 6 /* 1xx … 5xx by the first digit */ };

typedef struct rs_metrics {
    uint64_t answers[RS_STATUS_CLASSES];
    uint64_t spans, rejected_spans; /* stored; refused by themselves */
    uint64_t events;                /* of GenAI, taken from logs */
    uint64_t body_bytes;            /* of ingest, as sent */
} rs_metrics;

static inline void rs_metrics_add(uint64_t *counter, uint64_t n) {
    __atomic_fetch_add(counter, n, __ATOMIC_RELAXED);
}
void rs_metrics_count_answer(rs_metrics *m, int status);

/* Handlers. /metrics is for this machine alone, or for who has an API key. */
void rs_metrics_show(rs_server *server, rs_request *req, rs_response *res);
void rs_metrics_ready(rs_server *server, rs_request *req, rs_response *res);

#endif
