/* What of a request's head two readers could take for different requests: what request smuggling lives on (RFC 9112, 2.2, 3.2, 5.1 and
 * 6.1). */
#ifndef RS_SERVER_FRAMING_H
#define RS_SERVER_FRAMING_H

struct MHD_Connection;

/* The header that is at fault, as it is to be named; NULL: none is. */
const char *rs_framing_fault(struct MHD_Connection *connection);

#endif
