/* Small JSON bodies of what changes something: one object, whose members the handler names; and the answers that such lists have.
 * No state, any thread. */
#ifndef RS_SERVER_API_BODY_H
#define RS_SERVER_API_BODY_H

#include "base/json_write.h"
#include "server/http.h"

typedef struct rs_member {
    const char *name;
    const char **text; /* a string without NUL; null, and a member that is not there, leave it alone */
    rs_str *raw;       /* or any value, as JSON; the same */
    bool required;
} rs_member;

/* Reads the body into the members, all in the request's arena. False: it is answered, with a 400 that names the member. No body is
 * an empty object. */
bool rs_api_read_body(rs_request *req, rs_response *res, const rs_member *members, size_t n);

/* A whole number from 0, or null, which is 0; of a raw member. False: it is answered. */
bool rs_api_read_amount(rs_str raw, const char *name, uint64_t *out, rs_response *res);

/* The {id} of the path as a number; false: it is answered with a 404. */
bool rs_api_read_id(const rs_request *req, uint64_t *out, rs_response *res);

/* What the control plane says, with the member at fault (or NULL). RS_ERR_DENIED is a 403 here: who asks is known. */
void rs_api_refuse(rs_response *res, const char *field, const rs_err *err);

/* {"ok":true} */
void rs_api_done(rs_response *res);

/* {"results":[ on the response's body: the rows come next. */
rs_json rs_api_begin_results(rs_response *res);
/* ]} after the last one; or, if st is not RS_OK, what went wrong in place of all of it. */
void rs_api_end_results(rs_response *res, rs_json *j, rs_status st, const rs_err *err);

#endif
