/* GET /api/session/: whose data this is and who asks (docs/http-api.md). On an HTTP thread; re-entrant. */
#ifndef RS_SERVER_API_SESSION_H
#define RS_SERVER_API_SESSION_H

#include "server/http.h"

void rs_api_get_session(rs_server *server, rs_request *req, rs_response *res);

#endif
