/* Who is in the organization, and who is invited, over HTTP (docs/http-api.md). Handlers on HTTP threads; re-entrant. */
#ifndef RS_SERVER_API_MEMBERS_H
#define RS_SERVER_API_MEMBERS_H

#include "server/http.h"

void rs_api_list_members(rs_server *server, rs_request *req, rs_response *res);
void rs_api_set_role(rs_server *server, rs_request *req, rs_response *res);
void rs_api_remove_member(rs_server *server, rs_request *req, rs_response *res);
void rs_api_list_invites(rs_server *server, rs_request *req, rs_response *res);
void rs_api_create_invite(rs_server *server, rs_request *req, rs_response *res);
void rs_api_delete_invite(rs_server *server, rs_request *req, rs_response *res);

#endif
