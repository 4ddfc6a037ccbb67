/* Saved views of a project: /api/views/ (docs/http-api.md). Handlers on HTTP threads; re-entrant. */
#ifndef RS_SERVER_API_VIEWS_H
#define RS_SERVER_API_VIEWS_H

#include "server/http.h"

void rs_api_list_views(rs_server *server, rs_request *req, rs_response *res);
void rs_api_create_view(rs_server *server, rs_request *req, rs_response *res);
void rs_api_change_view(rs_server *server, rs_request *req, rs_response *res);
void rs_api_delete_view(rs_server *server, rs_request *req, rs_response *res);

#endif
