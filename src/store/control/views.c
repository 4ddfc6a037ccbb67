#include "base/clock.h"
#include "store/control/internal.h"

const char *const rs_saved_view_page_names[RS_SAVED_VIEW_PAGES] = {"traces", "dashboard"};

/* ?1 the project, ?2 who looks */
#define SEEN                                                                                                 \
    "SELECT v.id, coalesce(v.user, 0), v.page, v.shared, v.is_default, v.name, v.q, v.starts, v.ends, "      \
    "v.sort,"                                                                                                \
    "  v.options, v.columns, coalesce(u.name, ''), v.created, v.changed"                                     \
    " FROM saved_view v LEFT JOIN user u ON u.id = v.user"                                                   \
    " WHERE v.project = ?1 AND (v.shared OR v.user = ?2)"

static const char one[] = SEEN " AND v.id = ?3", all[] = SEEN " ORDER BY v.page, v.position, v.id",
                  of_page[] = SEEN " AND v.page = ?3 ORDER BY v.position, v.id";

static void read_row(sqlite3_stmt *stmt, rs_saved_view *out) {
    *out = (rs_saved_view){.id = (uint64_t)sqlite3_column_int64(stmt, 0),
                           .user = (uint64_t)sqlite3_column_int64(stmt, 1),
                           .page = sqlite3_column_int(stmt, 2) == RS_SAVED_VIEW_OF_DASHBOARD
                                       ? RS_SAVED_VIEW_OF_DASHBOARD
                                       : RS_SAVED_VIEW_OF_TRACES,
                           .is_shared = sqlite3_column_int(stmt, 3) != 0,
                           .is_default = sqlite3_column_int(stmt, 4) != 0,
                           .name = rs_db_column_str(stmt, 5),
                           .q = rs_db_column_str(stmt, 6),
                           .from = rs_db_column_str(stmt, 7),
                           .to = rs_db_column_str(stmt, 8),
                           .sort = rs_db_column_str(stmt, 9),
                           .options = rs_db_column_str(stmt, 10),
                           .columns = rs_db_column_str(stmt, 11),
                           .created_by = rs_db_column_str(stmt, 12),
                           .created_ns = (uint64_t)sqlite3_column_int64(stmt, 13),
                           .changed_ns = (uint64_t)sqlite3_column_int64(stmt, 14)};
}

rs_status rs_control_list_views(rs_control *c, uint64_t project, uint64_t user, rs_saved_view_fn fn,
                                void *ctx, rs_err *err) {
    sqlite3_stmt *stmt;
    bool row = false;
    pthread_mutex_lock(&c->lock);
    rs_status st = rs_control_ask(c, all, RS_SQL(rs_sql_int(project), rs_sql_int(user)), &stmt, err);
    while (st == RS_OK && (st = rs_db_step(stmt, &row, err)) == RS_OK && row) {
        rs_saved_view view;
        read_row(stmt, &view);
        if (!fn(ctx, &view)) break;
    }
    rs_control_done(stmt);
    pthread_mutex_unlock(&c->lock);
    return st;
}

/* *out is to be done if RS_OK: the view's texts are in it. */
static rs_status find(rs_control *c, uint64_t project, uint64_t user, uint64_t id, sqlite3_stmt **out,
                      rs_saved_view *view, rs_err *err) {
    rs_status st = rs_control_first(c, one, RS_SQL(rs_sql_int(project), rs_sql_int(user), rs_sql_int(id)),
                                    "there is no such view", out, err);
    if (st == RS_OK) read_row(*out, view);
    return st;
}

rs_status rs_control_get_view(rs_control *c, uint64_t project, uint64_t user, uint64_t id,
                              rs_saved_view_fn fn, void *ctx, rs_err *err) {
    sqlite3_stmt *stmt;
    rs_saved_view view;
    pthread_mutex_lock(&c->lock);
    rs_status st = find(c, project, user, id, &stmt, &view, err);
    if (st == RS_OK) fn(ctx, &view);
    rs_control_done(stmt);
    pthread_mutex_unlock(&c->lock);
    return st;
}

/* ---- what is wished for -------------------------------------------------------------------------------- */

static rs_status check_text(const char *what, const char *text, size_t size, rs_err *err) {
    rs_str s = rs_str_of(text ? text : "");
    if (s.n >= size) return rs_fail(err, RS_ERR_TOO_LARGE, 0, "%s is longer than %zu bytes", what, size - 1);
    if (!rs_str_is_utf8(s)) return rs_fail(err, RS_ERR_INVALID, 0, "%s is not UTF-8", what);
    return RS_OK;
}

static rs_status check_texts(const rs_saved_view_wish *w, rs_err *err) {
    rs_status st =
        w->name ? rs_control_check_name("the view's name", w->name, RS_SAVED_VIEW_NAME, err) : RS_OK;
    if (st == RS_OK) st = check_text("the filter", w->q, RS_SAVED_VIEW_TEXT, err);
    if (st == RS_OK) st = check_text("'from'", w->from, RS_SAVED_VIEW_TIME, err);
    if (st == RS_OK) st = check_text("'to'", w->to, RS_SAVED_VIEW_TIME, err);
    if (st == RS_OK) st = check_text("'sort'", w->sort, RS_SAVED_VIEW_TIME, err);
    if (st == RS_OK) st = check_text("'options'", w->options, RS_SAVED_VIEW_TEXT, err);
    if (st == RS_OK) st = check_text("'columns'", w->columns, RS_SAVED_VIEW_COLUMNS, err);
    return st;
}

static rs_sql_value text_of(const char *wished, rs_str is) {
    return wished ? rs_sql_text(wished) : rs_sql_str(is);
}

/* In the transaction, once the view is as wished: what has to hold among all of them. */
static rs_status check_together(rs_control *c, uint64_t project, uint64_t id, rs_err *err) {
    static const char alike[] = "SELECT count(*), sum(a.page = b.page AND a.name = b.name)"
                                " FROM saved_view a, saved_view b"
                                " WHERE b.id = ?2 AND a.project = ?1 AND a.shared = b.shared"
                                " AND (a.shared OR a.user = b.user)";
    sqlite3_stmt *stmt;
    rs_status st = rs_control_first(c, alike, RS_SQL(rs_sql_int(project), rs_sql_int(id)),
                                    "there is no such view", &stmt, err);
    if (st != RS_OK) return st;
    if (sqlite3_column_int64(stmt, 0) > RS_SAVED_VIEWS_MAX)
        st = rs_fail(err, RS_ERR_INVALID, 0, "there are %d views already: delete one first",
                     RS_SAVED_VIEWS_MAX);
    else if (sqlite3_column_int64(stmt, 1) > 1)
        st = rs_fail(err, RS_ERR_INVALID, 0, "a view of this name exists already");
    rs_control_done(stmt);
    return st;
}

static rs_status make_only_default(rs_control *c, uint64_t project, rs_saved_view_page page, uint64_t id,
                                   rs_err *err) {
    return rs_control_run(c,
                          "UPDATE saved_view SET is_default = (id = ?3)"
                          " WHERE project = ?1 AND page = ?2 AND (is_default OR id = ?3)",
                          RS_SQL(rs_sql_int(project), rs_sql_int(page), rs_sql_int(id)), err);
}

/* Those that he sees are numbered anew, with that one at its place. The others' own stand where they stood. */
static rs_status move(rs_control *c, uint64_t project, uint64_t user, rs_saved_view_page page, uint64_t id,
                      uint64_t position, rs_err *err) {
    uint64_t ids[2 * RS_SAVED_VIEWS_MAX + 1], n = 0;
    sqlite3_stmt *stmt;
    bool row = false;
    rs_status st = rs_control_ask(c, of_page, RS_SQL(rs_sql_int(project), rs_sql_int(user), rs_sql_int(page)),
                                  &stmt, err);
    while (st == RS_OK && n < 2 * RS_SAVED_VIEWS_MAX && (st = rs_db_step(stmt, &row, err)) == RS_OK && row) {
        uint64_t other = (uint64_t)sqlite3_column_int64(stmt, 0);
        if (other != id) ids[n++] = other;
    }
    rs_control_done(stmt);
    uint64_t at = position - 1 < n ? position - 1 : n;
    memmove(&ids[at + 1], &ids[at], (n - at) * sizeof *ids);
    ids[at] = id;
    for (uint64_t i = 0; i <= n && st == RS_OK; i++)
        st = rs_control_run(c, "UPDATE saved_view SET position = ?2 WHERE id = ?1",
                            RS_SQL(rs_sql_int(ids[i]), rs_sql_int(i + 1)), err);
    return st;
}

/* ---- changes ------------------------------------------------------------------------------------------- */

rs_status rs_control_create_view(rs_control *c, uint64_t project, rs_saved_view_page page,
                                 const rs_saved_view_wish *w, const rs_actor *by, uint64_t *id, rs_err *err) {
    static const char insert[] =
        "INSERT INTO saved_view(project, user, page, shared, is_default, position, name, q, starts, ends,"
        "  sort, options, columns, created, changed)"
        " SELECT ?1, nullif(?2, 0), ?3, ?4, 0, coalesce(max(position), 0) + 1, ?5, ?6, ?7, ?8, ?9, ?10, ?11,"
        "  ?12, ?12 FROM saved_view WHERE project = ?1";
    uint64_t user = by ? by->user : 0;
    bool shared = w->is_shared == 1;
    rs_str none = {"", 0};
    rs_status st = check_texts(w, err);
    if (st == RS_OK && !w->name) st = rs_fail(err, RS_ERR_INVALID, 0, "a view has a name");
    if (st == RS_OK && !shared && user == 0)
        st = rs_fail(err, RS_ERR_INVALID, 0, "a key has no views of its own: share it");
    if (st == RS_OK && !shared && w->is_default == 1)
        st = rs_fail(err, RS_ERR_INVALID, 0, "a project's default view is a shared one");
    if (st != RS_OK || (st = rs_control_begin(c, err)) != RS_OK) return st;
    st = rs_control_run(c, insert,
                        RS_SQL(rs_sql_int(project), rs_sql_int(user), rs_sql_int(page), rs_sql_int(shared),
                               rs_sql_text(w->name), text_of(w->q, none), text_of(w->from, none),
                               text_of(w->to, none), text_of(w->sort, none), text_of(w->options, none),
                               text_of(w->columns, none), rs_sql_int(rs_clock_wall_ns())),
                        err);
    *id = (uint64_t)sqlite3_last_insert_rowid(c->db);
    if (st == RS_OK) st = check_together(c, project, *id, err);
    if (st == RS_OK && w->is_default == 1) st = make_only_default(c, project, page, *id, err);
    if (st == RS_OK && w->position) st = move(c, project, user, page, *id, w->position, err);
    if (st == RS_OK) st = rs_control_log(c, by, "view.create", rs_str_of(w->name), project, err);
    return rs_control_finish(c, st, err);
}

static rs_status update(rs_control *c, const rs_saved_view *is, const rs_saved_view_wish *w, bool shared,
                        bool is_default, rs_err *err) {
    return rs_control_run(c,
                          "UPDATE saved_view SET name = ?2, q = ?3, starts = ?4, ends = ?5, sort = ?6,"
                          "  options = ?7, columns = ?8, shared = ?9, is_default = ?10, changed = ?11"
                          " WHERE id = ?1",
                          RS_SQL(rs_sql_int(is->id), text_of(w->name, is->name), text_of(w->q, is->q),
                                 text_of(w->from, is->from), text_of(w->to, is->to),
                                 text_of(w->sort, is->sort), text_of(w->options, is->options),
                                 text_of(w->columns, is->columns), rs_sql_int(shared), rs_sql_int(is_default),
                                 rs_sql_int(rs_clock_wall_ns())),
                          err);
}

rs_status rs_control_change_view(rs_control *c, uint64_t project, uint64_t id, const rs_saved_view_wish *w,
                                 const rs_actor *by, rs_err *err) {
    uint64_t user = by ? by->user : 0;
    char name[RS_SAVED_VIEW_NAME];
    sqlite3_stmt *stmt = NULL;
    rs_saved_view is = {0};
    rs_status st = check_texts(w, err);
    if (st != RS_OK || (st = rs_control_begin(c, err)) != RS_OK) return st;
    st = find(c, project, user, id, &stmt, &is, err);
    bool shared = w->is_shared < 0 ? is.is_shared : w->is_shared == 1;
    bool is_default = shared && (w->is_default < 0 ? is.is_default : w->is_default == 1);
    if (st == RS_OK && !shared && (is.user == 0 || is.user != user))
        st = rs_fail(err, RS_ERR_DENIED, 0, "only who made this view can take it back from the project");
    if (st == RS_OK && !shared && w->is_default == 1)
        st = rs_fail(err, RS_ERR_INVALID, 0, "a project's default view is a shared one");
    rs_control_copy(name, sizeof name, w->name ? rs_str_of(w->name) : is.name);
    if (st == RS_OK) st = update(c, &is, w, shared, is_default, err);
    rs_control_done(stmt);
    if (st == RS_OK) st = check_together(c, project, id, err);
    if (st == RS_OK && is_default) st = make_only_default(c, project, is.page, id, err);
    if (st == RS_OK && w->position) st = move(c, project, user, is.page, id, w->position, err);
    if (st == RS_OK) st = rs_control_log(c, by, "view.change", rs_str_of(name), project, err);
    return rs_control_finish(c, st, err);
}

rs_status rs_control_delete_view(rs_control *c, uint64_t project, uint64_t id, const rs_actor *by,
                                 rs_err *err) {
    char name[RS_SAVED_VIEW_NAME] = "";
    sqlite3_stmt *stmt = NULL;
    rs_saved_view is = {0};
    rs_status st = rs_control_begin(c, err);
    if (st != RS_OK) return st;
    st = find(c, project, by ? by->user : 0, id, &stmt, &is, err);
    rs_control_copy(name, sizeof name, is.name);
    rs_control_done(stmt);
    if (st == RS_OK)
        st = rs_control_run(c, "DELETE FROM saved_view WHERE id = ?1", RS_SQL(rs_sql_int(id)), err);
    if (st == RS_OK) st = rs_control_log(c, by, "view.delete", rs_str_of(name), project, err);
    return rs_control_finish(c, st, err);
}
