/* GET /api/audit/: who changed what, newest first, by pages (docs/http-api.md). On an HTTP thread; re-entrant. */
#ifndef RS_SERVER_API_AUDIT_H
#define RS_SERVER_API_AUDIT_H

#include "base/json_write.h"
#include "server/http.h"
#include "store/control/audit.h"

/* Appends an entry as the API and `respan audit --json` tell it. Any thread; re-entrant. */
void rs_api_put_audit_row(rs_json *j, const rs_audit_row *row);
void rs_api_list_audit(rs_server *server, rs_request *req, rs_response *res);

#endif
