/* Saved views of the control plane (control.h, which includes this): how a project's list of traces, or its dashboard, is looked at, kept
 * under a name. Each is somebody's own or shared with the project. What its texts mean is not looked at here. */
#ifndef RS_STORE_CONTROL_VIEWS_H
#define RS_STORE_CONTROL_VIEWS_H

#include "store/control.h"

enum {
    RS_SAVED_VIEWS_MAX = 200, /* shared ones of a project, and so many of each user's own in it */
    RS_SAVED_VIEW_NAME = 101, /* with its NUL */
    RS_SAVED_VIEW_TEXT = 4097,
    RS_SAVED_VIEW_TIME = 65,
    RS_SAVED_VIEW_COLUMNS = 32769,
};

typedef enum rs_saved_view_page { RS_SAVED_VIEW_OF_TRACES, RS_SAVED_VIEW_OF_DASHBOARD } rs_saved_view_page;
enum { RS_SAVED_VIEW_PAGES = 2 };
extern const char *const rs_saved_view_page_names[RS_SAVED_VIEW_PAGES]; /* "traces", "dashboard" */

typedef struct rs_saved_view {
    uint64_t id, user; /* who made it; 0: a key, or somebody who is gone */
    rs_saved_view_page page;
    bool is_shared, is_default;
    rs_str name, q, from, to, sort, options, columns, created_by;
    uint64_t created_ns, changed_ns;
} rs_saved_view;

/* What somebody wishes to be so; NULL, -1 and 0 leave it as it is, in a new one empty, not so, and last. */
typedef struct rs_saved_view_wish {
    const char *name, *q, *from, *to, *sort, *options, *columns;
    int is_shared, is_default; /* -1, 0, 1; a default one, of which a page has one in a project, is shared */
    uint64_t position;         /* from 1, among those of its page that he sees */
} rs_saved_view_wish;

typedef bool (*rs_saved_view_fn)(void *ctx, const rs_saved_view *view);
/* What a user (0: a key) sees of a project: what is shared, and his own. By page, in their order. The view is borrowed during the call. */
RS_MUST_CHECK rs_status rs_control_list_views(rs_control *c, uint64_t project, uint64_t user,
                                              rs_saved_view_fn fn, void *ctx, rs_err *err);
/* That one of them; RS_ERR_NOT_FOUND. */
RS_MUST_CHECK rs_status rs_control_get_view(rs_control *c, uint64_t project, uint64_t user, uint64_t id,
                                            rs_saved_view_fn fn, void *ctx, rs_err *err);
/* RS_ERR_INVALID: the name is taken among what is shared, or among his own; there are RS_SAVED_VIEWS_MAX. RS_ERR_TOO_LARGE: a text is. */
RS_MUST_CHECK rs_status rs_control_create_view(rs_control *c, uint64_t project, rs_saved_view_page page,
                                               const rs_saved_view_wish *wish, const rs_actor *by,
                                               uint64_t *id, rs_err *err);
/* The same, and RS_ERR_DENIED: only who made a view takes it back from the project. */
RS_MUST_CHECK rs_status rs_control_change_view(rs_control *c, uint64_t project, uint64_t id,
                                               const rs_saved_view_wish *wish, const rs_actor *by,
                                               rs_err *err);
RS_MUST_CHECK rs_status rs_control_delete_view(rs_control *c, uint64_t project, uint64_t id,
                                               const rs_actor *by, rs_err *err);

#endif
