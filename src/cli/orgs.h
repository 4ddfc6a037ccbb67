/* Organizations as the commands that open the control plane themselves name them. */
#ifndef RS_CLI_ORGS_H
#define RS_CLI_ORGS_H

#include "store/control.h"

/* Some of them, or all; by id. */
typedef struct rs_orgs {
    rs_organization *items;
    size_t n;
} rs_orgs;

/* Those that a user is in (0: all). */
RS_MUST_CHECK rs_status rs_orgs_read(rs_control *control, uint64_t user, rs_orgs *out, rs_err *err);
void rs_orgs_free(rs_orgs *orgs);
/* "" if there is none such. */
const char *rs_orgs_name(const rs_orgs *orgs, uint64_t id);

/* The one that --org names; without it (NULL) the server's own. */
RS_MUST_CHECK rs_status rs_orgs_find(rs_control *control, const char *name, rs_organization *out,
                                     rs_err *err);
/* The same of a user: without it the only one that he is in. RS_ERR_INVALID: he is in several. */
RS_MUST_CHECK rs_status rs_orgs_find_of(rs_control *control, const char *name, const rs_user *user,
                                        rs_organization *out, rs_err *err);

#endif
