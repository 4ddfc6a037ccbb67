/* Between HTTP and query: a request's parameters and body -> rs_list, and a list's neighbours -> paths. Any
 * thread. */
#ifndef RS_SERVER_API_PARAMS_H
#define RS_SERVER_API_PARAMS_H

#include "base/json_write.h"
#include "query/list.h"
#include "server/http.h"

/* False: the response is an error that names what is at fault. The query's parameters win over the body's. */
bool rs_api_read_list(rs_request *req, const rs_field_table *table, rs_list *out, rs_response *res);

/* The same for an endpoint that has parameters of its own beside a list's. */
bool rs_api_read_question(rs_request *req, const rs_field_table *table, rs_list_extra *extras, size_t nextras,
                          rs_list *out, rs_response *res);

/* The response to a list that failed: names the field, if one is to blame. */
void rs_api_list_error(rs_response *res, const rs_list *list, const rs_err *err);

/* A parameter that is true or false; *out keeps its default if it is not given. False: an error response. */
bool rs_api_read_flag(const rs_request *req, const char *name, bool *out, rs_response *res);

/* "key": the request's path and parameters with another cursor, or null. */
void rs_api_put_neighbour(rs_json *j, const char *key, const rs_request *req, const rs_list *list, bool has,
                          const rs_cursor *cursor);
/* The same of a cursor as text; NULL: there is none. */
void rs_api_put_neighbour_at(rs_json *j, const char *key, const rs_request *req, const char *cursor);

#endif
