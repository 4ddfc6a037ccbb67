/* A browser in which somebody signed in has a cookie that says in which account, for a year. It opens nothing: but tries from it are
 * counted apart, so that strangers who try an account's password do not keep out whoever has it. */
#ifndef RS_SERVER_DEVICE_H
#define RS_SERVER_DEVICE_H

#include "server/http.h"

#define RS_DEVICE_COOKIE "respan_device"

/* What tries of this account from this browser are counted by; borrowed from the request; p NULL: it is a stranger. */
rs_str rs_device_known(const rs_server *server, const rs_request *req, const char *email);
/* The answer makes the browser one that is known. */
void rs_device_remember(const rs_server *server, rs_request *req, rs_response *res, const char *email);

#endif
