/* Projects over HTTP: list, create, rename, how much is kept, delete (docs/http-api.md). Handlers on HTTP threads; re-entrant. */
#ifndef RS_SERVER_API_PROJECTS_H
#define RS_SERVER_API_PROJECTS_H

#include "server/http.h"

void rs_api_list_projects(rs_server *server, rs_request *req, rs_response *res);
void rs_api_create_project(rs_server *server, rs_request *req, rs_response *res);
void rs_api_change_project(rs_server *server, rs_request *req, rs_response *res);
void rs_api_delete_project(rs_server *server, rs_request *req, rs_response *res);

/* What is left of a project that the control plane has no more: spans that have not ended, and all on the disk. */
RS_MUST_CHECK rs_status rs_api_drop_project(rs_server *server, uint64_t id, rs_err *err);

#endif
