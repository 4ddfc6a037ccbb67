/* What a user of the traced programs may ask for: that all there is of him goes (docs/http-api.md). On HTTP threads; re-entrant. */
#ifndef RS_SERVER_API_USERS_H
#define RS_SERVER_API_USERS_H

#include "server/http.h"

void rs_api_delete_user(rs_server *server, rs_request *req, rs_response *res);

#endif
