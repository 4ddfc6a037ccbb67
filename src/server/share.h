/* One trace for whoever has its link (docs/sharing.md): made, looked at and ended by the project; read without credentials, and
 * nothing else of the project with it. A link may leave out content: what was asked, answered and attached, what errors said, and
 * whose it was. Handlers on HTTP threads; re-entrant. */
#ifndef RS_SERVER_SHARE_H
#define RS_SERVER_SHARE_H

#include "server/http.h"

void rs_share_manage(rs_server *server, rs_request *req, rs_response *res); /* GET, POST, DELETE */
void rs_share_get_trace(rs_server *server, rs_request *req, rs_response *res);
void rs_share_get_span(rs_server *server, rs_request *req, rs_response *res);
/* The page that shows it. */
void rs_share_page(rs_server *server, rs_request *req, rs_response *res);

#endif
