/* /api/prices/: what model calls cost, where each price is from, and what the owner has set of it (docs/http-api.md). On HTTP threads;
 * re-entrant. */
#ifndef RS_SERVER_API_PRICES_H
#define RS_SERVER_API_PRICES_H

#include "server/http.h"

void rs_api_list_prices(rs_server *server, rs_request *req, rs_response *res);
void rs_api_set_price(rs_server *server, rs_request *req, rs_response *res);
void rs_api_unset_price(rs_server *server, rs_request *req, rs_response *res);
void rs_api_set_time_price(rs_server *server, rs_request *req, rs_response *res);
void rs_api_unset_time_price(rs_server *server, rs_request *req, rs_response *res);

#endif
