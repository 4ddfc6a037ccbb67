/* Organizations over HTTP: list, create, rename, delete (docs/http-api.md). Handlers on HTTP threads; re-entrant. */
#ifndef RS_SERVER_API_ORGANIZATIONS_H
#define RS_SERVER_API_ORGANIZATIONS_H

#include "server/http.h"

void rs_api_list_organizations(rs_server *server, rs_request *req, rs_response *res);
void rs_api_create_organization(rs_server *server, rs_request *req, rs_response *res);
void rs_api_rename_organization(rs_server *server, rs_request *req, rs_response *res);
void rs_api_delete_organization(rs_server *server, rs_request *req, rs_response *res);

#endif
