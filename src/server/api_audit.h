/* GET /api/audit/: who changed what, newest first, by pages (docs/http-api.md). On an HTTP thread; re-entrant. */
#ifndef RS_SERVER_API_AUDIT_H
#define RS_SERVER_API_AUDIT_H

#include "server/http.h"

void rs_api_list_audit(rs_server *server, rs_request *req, rs_response *res);

#endif
