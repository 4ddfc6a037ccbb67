#include "server/api_auth.h"

#include "base/clock.h"
#include "base/json_write.h"
#include "base/log.h"
#include "server/api_body.h"
#include "server/auth.h"
#include "server/device.h"
#include "server/server.h"
#include "server/signin.h"
#include "server/signin_limit.h"

#include <stdio.h>

/* No session is needed to ask; nothing is said of who there is. */
void rs_api_auth(rs_server *server, rs_request *req, rs_response *res) {
    rs_identity who;
    rs_err err = {0};
    rs_status st = rs_guard_signed_in(server->guard, req, &who, &err);
    if (st != RS_OK && st != RS_ERR_DENIED) {
        rs_response_from_err(res, &err);
        return;
    }
    rs_json j = rs_json_on(&res->body);
    rs_json_object(&j);
    rs_json_put_bool(&j, "signup_allowed", server->allow_signup);
    rs_json_put_bool(&j, "signed_in", st == RS_OK);
    rs_json_object_end(&j);
}

/* ---- in and out ---------------------------------------------------------------------------------------- */

/* False: too many tried, and it is answered. */
static bool may_try(rs_server *server, rs_request *req, const char *email, rs_response *res) {
    uint64_t now = rs_clock_mono_ns();
    rs_str device = rs_device_known(server, req, email);
    unsigned wait = device.p ? rs_signin_limit_begin_known(server->signin_limit, device, now)
                             : rs_signin_limit_begin(server->signin_limit, rs_str_of(rs_request_address(req)),
                                                     rs_str_of(email), now);
    char seconds[16];
    if (!wait) return true;
    int n = snprintf(seconds, sizeof seconds, "%u", wait);
    rs_response_error(res, 429, "too_many", NULL, "too many tries: wait %u seconds", wait);
    rs_response_header(res, "Retry-After",
                       rs_arena_copy(&req->arena, (rs_str){seconds, n > 0 ? (size_t)n : 0}).p);
    return false;
}

/* Who has shown a password is forgiven what he tried before. */
static void know(rs_server *server, rs_request *req, rs_response *res, const char *email) {
    rs_str device = rs_device_known(server, req, email);
    if (device.p) rs_signin_limit_forgive_known(server->signin_limit, device);
    else rs_signin_limit_forgive(server->signin_limit, rs_str_of(rs_request_address(req)), rs_str_of(email));
    rs_device_remember(server, req, res, email);
}

/* Not to have it in the log is no reason to let somebody in, or to keep him out. */
static void note_failure(rs_server *server, rs_request *req, const char *email) {
    rs_err err = {0};
    rs_actor by = {.address = rs_request_address(req)};
    if (rs_control_note(server->control, &by, "signin.failed", rs_str_of(email), 0, &err) != RS_OK)
        rs_log("%s", err.message);
}

/* A session with a new secret for a user who has shown who he is. */
static void let_in(rs_server *server, rs_request *req, rs_response *res, uint64_t user) {
    char secret[RS_SECRET_MAX];
    rs_err err = {0};
    rs_signin_from from = rs_signin_origin(req);
    if (rs_control_start_session(server->control, user, &from, secret, &err) != RS_OK) {
        rs_api_refuse(res, NULL, &err);
        return;
    }
    const char *old = rs_request_cookie(req, RS_COOKIE);
    if (old && rs_control_end_session(server->control, rs_str_of(old), &err) == RS_OK)
        rs_guard_forget(server->guard);
    rs_api_done(res);
    rs_signin_set_cookie(server, req, res, secret, RS_SESSION_LIFETIME_S);
}

/* Whether there is no such user, he has no password or it is another one, takes as long and is the same answer. */
void rs_api_signin(rs_server *server, rs_request *req, rs_response *res) {
    const char *email = NULL, *password = NULL;
    char hash[RS_PASSWORD_HASH] = "";
    rs_user user = {0};
    rs_err err = {0};
    const rs_member members[] = {{.name = "email", .text = &email, .required = true},
                                 {.name = "password", .text = &password, .required = true}};
    if (!rs_api_read_body(req, res, members, RS_ARRAY_LEN(members))) return;
    if (!may_try(server, req, email, res)) return;
    rs_status st = rs_control_find_user(server->control, email, &user, &err);
    if (st == RS_OK) st = rs_control_get_password(server->control, user.id, hash, &err);
    if (st != RS_OK && st != RS_ERR_NOT_FOUND) {
        rs_api_refuse(res, NULL, &err);
        return;
    }
    if (strlen(password) > RS_PASSWORD_MOST || !rs_password_is(hash, rs_str_of(password))) {
        note_failure(server, req, email);
        rs_response_error(res, 401, "unauthorized", NULL, "the e-mail address or the password is wrong");
        return;
    }
    let_in(server, req, res, user.id);
    know(server, req, res, email);
}

static bool hash_new(const char *password, const char *field, char hash[RS_PASSWORD_HASH], rs_response *res) {
    rs_err err = {0};
    rs_status st = rs_password_check(rs_str_of(password), &err);
    if (st == RS_OK) st = rs_password_hash(rs_str_of(password), hash, &err);
    if (st != RS_OK) rs_api_refuse(res, field, &err);
    return st == RS_OK;
}

/* An invite for somebody who has an account: his password shows who he is. */
static void join_known(rs_server *server, rs_request *req, rs_response *res, rs_str invite,
                       const rs_user *user, const char *password) {
    char hash[RS_PASSWORD_HASH] = "";
    rs_err err = {0};
    rs_status st = rs_control_get_password(server->control, user->id, hash, &err);
    if (st == RS_OK && (strlen(password) > RS_PASSWORD_MOST || !rs_password_is(hash, rs_str_of(password)))) {
        note_failure(server, req, user->email);
        rs_response_error(res, 400, "invalid", "email",
                          "there is a user with this e-mail address, and this is not his password");
        return;
    }
    if (st == RS_OK)
        st = rs_control_join_by_invite(server->control, invite, user->id, rs_request_address(req), &err);
    if (st == RS_OK) let_in(server, req, res, user->id), know(server, req, res, user->email);
    else rs_api_refuse(res, st == RS_ERR_DENIED ? "invite" : "email", &err);
}

/* What is answered before anybody looks whether there is such an account: who has an invite for one address, or would not be let in
 * with what he says, does not learn it. False: it is answered. */
static bool is_for_him(rs_response *res, const rs_invite *invite, const char *email, const char *name,
                       const char *password) {
    rs_err err = {0};
    if (invite->email[0] && !rs_str_eq_nocase(rs_str_of(invite->email), rs_str_of(email))) {
        rs_response_error(res, 403, "forbidden", "invite", "this invite is for another e-mail address");
        return false;
    }
    const char *field = "name";
    rs_status st = rs_control_check_user_name(name, &err);
    if (st == RS_OK) field = "password", st = rs_password_check(rs_str_of(password), &err);
    if (st != RS_OK) rs_api_refuse(res, field, &err);
    return st == RS_OK;
}

void rs_api_signup(rs_server *server, rs_request *req, rs_response *res) {
    const char *email = NULL, *password = NULL, *name = NULL, *invite = NULL;
    char hash[RS_PASSWORD_HASH];
    rs_user user;
    rs_invite found;
    rs_err err = {0};
    rs_status st = RS_OK;
    const rs_member members[] = {{.name = "email", .text = &email, .required = true},
                                 {.name = "password", .text = &password, .required = true},
                                 {.name = "name", .text = &name, .required = true},
                                 {.name = "invite", .text = &invite}};
    if (!rs_api_read_body(req, res, members, RS_ARRAY_LEN(members))) return;
    if (!may_try(server, req, email, res)) return;
    if (invite) st = rs_control_find_invite(server->control, rs_str_of(invite), &found, &err);
    else if (!server->allow_signup)
        st = rs_fail(&err, RS_ERR_DENIED, 0, "one signs up here by invite: ask an owner for a link");
    if (st == RS_OK) st = rs_control_check_email(email, &err);
    if (st != RS_OK) {
        rs_api_refuse(res, invite && st == RS_ERR_DENIED ? "invite" : "email", &err);
        return;
    }
    if (invite && !is_for_him(res, &found, email, name, password)) return;
    if (invite && rs_control_find_user(server->control, email, &user, NULL) == RS_OK) {
        join_known(server, req, res, rs_str_of(invite), &user, password);
        return;
    }
    if (!hash_new(password, "password", hash, res)) return;
    const char *address = rs_request_address(req);
    rs_actor by = {.name = email, .address = address};
    st = invite ? rs_control_accept_invite(server->control, rs_str_of(invite), email, name, hash, address,
                                           &user, &err)
                : rs_control_add_user(server->control, RS_SERVER_ORGANIZATION, email, name, RS_ROLE_MEMBER,
                                      hash, &by, &user, &err);
    if (st == RS_OK) let_in(server, req, res, user.id), know(server, req, res, email);
    else rs_api_refuse(res, invite && st == RS_ERR_DENIED ? "invite" : NULL, &err);
}

void rs_api_join(rs_server *server, rs_request *req, rs_response *res) {
    const char *invite = NULL;
    rs_err err = {0};
    const rs_member members[] = {{.name = "invite", .text = &invite, .required = true}};
    if (!rs_api_read_body(req, res, members, 1)) return;
    if (rs_control_join_by_invite(server->control, rs_str_of(invite), req->who.user, rs_request_address(req),
                                  &err) != RS_OK) {
        rs_api_refuse(res, "invite", &err);
        return;
    }
    rs_guard_forget(server->guard);
    rs_api_done(res);
}

void rs_api_signout(rs_server *server, rs_request *req, rs_response *res) {
    rs_err err = {0};
    rs_str session = rs_str_of(rs_request_cookie(req, RS_COOKIE));
    if (rs_control_end_session(server->control, session, &err) != RS_OK) {
        rs_response_from_err(res, &err);
        return;
    }
    rs_guard_forget(server->guard);
    rs_api_done(res);
    rs_signin_set_cookie(server, req, res, "", 0);
}

/* ---- what is his own ----------------------------------------------------------------------------------- */

/* Who came by link and has none yet sets his first; his other sessions end. */
void rs_api_set_password(rs_server *server, rs_request *req, rs_response *res) {
    const char *current = NULL, *fresh = NULL;
    char hash[RS_PASSWORD_HASH];
    rs_user user;
    rs_err err = {0};
    rs_str session = rs_str_of(rs_request_cookie(req, RS_COOKIE));
    const rs_member members[] = {{.name = "current", .text = &current},
                                 {.name = "new", .text = &fresh, .required = true}};
    if (!rs_api_read_body(req, res, members, RS_ARRAY_LEN(members))) return;
    rs_status st = rs_control_get_user(server->control, req->who.user, &user, &err);
    if (st == RS_OK) st = rs_control_get_password(server->control, user.id, hash, &err);
    if (st != RS_OK) {
        rs_api_refuse(res, NULL, &err);
        return;
    }
    if (hash[0] && !may_try(server, req, user.email, res)) return;
    if (hash[0] &&
        (!current || strlen(current) > RS_PASSWORD_MOST || !rs_password_is(hash, rs_str_of(current)))) {
        rs_response_error(res, 403, "forbidden", "current", "this is not your password");
        return;
    }
    if (!hash_new(fresh, "new", hash, res)) return;
    rs_actor by = rs_guard_actor(req);
    if (rs_control_set_password(server->control, user.id, hash, session, &by, &err) != RS_OK) {
        rs_api_refuse(res, NULL, &err);
        return;
    }
    know(server, req, res, user.email);
    rs_guard_forget(server->guard);
    rs_api_done(res);
}

void rs_api_set_account(rs_server *server, rs_request *req, rs_response *res) {
    const char *email = NULL, *name = NULL;
    rs_user user;
    rs_err err = {0};
    const rs_member members[] = {{.name = "email", .text = &email}, {.name = "name", .text = &name}};
    if (!rs_api_read_body(req, res, members, RS_ARRAY_LEN(members))) return;
    rs_actor by = rs_guard_actor(req);
    rs_status st = rs_control_get_user(server->control, req->who.user, &user, &err);
    if (st == RS_OK)
        st = rs_control_set_account(server->control, user.id, email ? email : user.email,
                                    name ? name : user.name, &by, &err);
    if (st == RS_OK) rs_api_done(res);
    else rs_api_refuse(res, NULL, &err);
}
