#include "cli/orgs.h"

#include <stdlib.h>

typedef struct reading {
    rs_orgs *orgs;
    bool failed;
} reading;

static bool take(void *ctx, const rs_organization *organization) {
    reading *r = ctx;
    rs_organization *grown = realloc(r->orgs->items, (r->orgs->n + 1) * sizeof *grown);
    r->failed = !grown;
    if (!grown) return false;
    r->orgs->items = grown;
    grown[r->orgs->n++] = *organization;
    return true;
}

rs_status rs_orgs_read(rs_control *control, uint64_t user, rs_orgs *out, rs_err *err) {
    *out = (rs_orgs){0};
    reading r = {.orgs = out};
    rs_status st = rs_control_list_organizations(control, user, take, &r, err);
    if (st == RS_OK && r.failed) st = rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    if (st != RS_OK) rs_orgs_free(out);
    return st;
}

void rs_orgs_free(rs_orgs *orgs) {
    free(orgs->items);
    *orgs = (rs_orgs){0};
}

const char *rs_orgs_name(const rs_orgs *orgs, uint64_t id) {
    for (size_t i = 0; i < orgs->n; i++)
        if (orgs->items[i].id == id) return orgs->items[i].name;
    return "";
}

rs_status rs_orgs_find(rs_control *control, const char *name, rs_organization *out, rs_err *err) {
    return rs_control_find_organization(control, name, out, err);
}

rs_status rs_orgs_find_of(rs_control *control, const char *name, const rs_user *user, rs_organization *out,
                          rs_err *err) {
    rs_orgs his;
    if (name) return rs_orgs_find(control, name, out, err);
    rs_status st = rs_orgs_read(control, user->id, &his, err);
    if (st == RS_OK && his.n == 1) *out = his.items[0];
    else if (st == RS_OK)
        st = rs_fail(err, RS_ERR_INVALID, 0, "%s is in several organizations: say which, with --org",
                     user->email);
    rs_orgs_free(&his);
    return st;
}
