/* How often somebody may try a password: by the address he comes from and by the account that he tries, or by the browser that he was
 * signed in with before. A fixed table of keyed hashes
 * behind a mutex; where it is full the entry that is done soonest gives way. Any thread. */
#ifndef RS_SERVER_SIGNIN_LIMIT_H
#define RS_SERVER_SIGNIN_LIMIT_H

#include "base/status.h"
#include "base/str.h"
#include <stdint.h>

typedef struct rs_signin_limit rs_signin_limit;

enum {
    RS_SIGNIN_WINDOW_S = 300, /* tries that failed are counted so long … */
    RS_SIGNIN_ACCOUNT = 10,   /* … of one account, … */
    RS_SIGNIN_ADDRESS = 30,   /* … and from one address (of IPv6: its /64) */
};

RS_MUST_CHECK rs_status rs_signin_limit_new(rs_signin_limit **out, rs_err *err);
void rs_signin_limit_free(rs_signin_limit *l);

/* Counts a try that begins at `now_ns` (monotonic). 0: it may be made; else so many seconds are to be waited. */
unsigned rs_signin_limit_begin(rs_signin_limit *l, rs_str address, rs_str account, uint64_t now_ns);
/* The same for a browser that is known to the account (device.h), which strangers' tries do not count for. */
unsigned rs_signin_limit_begin_known(rs_signin_limit *l, rs_str device, uint64_t now_ns);
/* It was the right password: what was tried before is forgiven the account, and this try the address. */
void rs_signin_limit_forgive(rs_signin_limit *l, rs_str address, rs_str account);
void rs_signin_limit_forgive_known(rs_signin_limit *l, rs_str device);

#endif
