/* /api/metrics/…: sums, percentiles, series, facets of what a list's parameters fit (docs/http-api.md). Handlers; any HTTP
 * thread. */
#ifndef RS_SERVER_API_METRICS_H
#define RS_SERVER_API_METRICS_H

#include "server/http.h"

void rs_api_metrics_totals(rs_server *server, rs_request *req, rs_response *res);
void rs_api_metrics_series(rs_server *server, rs_request *req, rs_response *res);
void rs_api_metrics_histogram(rs_server *server, rs_request *req, rs_response *res);
void rs_api_metrics_facets(rs_server *server, rs_request *req, rs_response *res);

#endif
