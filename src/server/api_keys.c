#include "server/api_keys.h"

#include "base/clock.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "server/api_body.h"
#include "server/auth.h"
#include "server/server.h"

/* `secret`: only when it was just made. */
static void write_key(rs_json *j, const rs_api_key *key, const char *secret) {
    rs_json_object(j);
    rs_json_put_int(j, "id", (int64_t)key->id);
    rs_json_put_str(j, "name", rs_str_of(key->name));
    rs_json_put_str(j, "hint", rs_str_of(key->hint));
    rs_json_key(j, RS_STR("scopes"));
    rs_json_array(j);
    for (unsigned i = 0; i < RS_SCOPE_COUNT; i++)
        if (key->scopes & 1u << i) rs_json_str(j, rs_str_of(rs_scope_names[i]));
    rs_json_array_end(j);
    rs_json_put_str_or_null(j, "environment", rs_str_of(key->environment));
    rs_json_put_time(j, "created_at", key->created_ns);
    rs_json_put_time(j, "expires_at", key->expires_ns);
    rs_json_put_time(j, "last_used_at", key->last_used_ns);
    rs_json_put_time(j, "revoked_at", key->revoked_ns);
    if (secret) rs_json_put_str(j, "key", rs_str_of(secret));
    rs_json_object_end(j);
}

static bool write_row(void *ctx, const rs_api_key *key) {
    write_key(ctx, key, NULL);
    return true;
}

void rs_api_list_keys(rs_server *server, rs_request *req, rs_response *res) {
    rs_err err = {0};
    rs_json j = rs_api_begin_results(res);
    rs_status st = rs_control_list_keys(server->control, req->project, write_row, &j, &err);
    rs_api_end_results(res, &j, st, &err);
}

/* ["ingest", …]; at least one. */
static bool read_scopes(rs_str raw, rs_arena *arena, unsigned *out) {
    rs_json_reader r;
    rs_json_token token;
    rs_json_read_init(&r, raw, arena);
    *out = 0;
    if (rs_json_read(&r) != RS_JSON_ARRAY) return false;
    while ((token = rs_json_read(&r)) == RS_JSON_STRING) {
        unsigned scope = rs_scope_of(r.text);
        if (!scope) return false;
        *out |= scope;
    }
    return token == RS_JSON_ARRAY_END && *out;
}

void rs_api_create_key(rs_server *server, rs_request *req, rs_response *res) {
    const char *expires = NULL;
    rs_key_wish wish = {0};
    rs_str scopes = {0};
    rs_api_key key;
    char secret[RS_SECRET_MAX];
    rs_err err = {0};
    const rs_member members[] = {{.name = "name", .text = &wish.name, .required = true},
                                 {.name = "scopes", .raw = &scopes},
                                 {.name = "environment", .text = &wish.environment},
                                 {.name = "expires_at", .text = &expires}};
    if (!rs_api_read_body(req, res, members, RS_ARRAY_LEN(members))) return;
    if (wish.environment && !wish.environment[0]) wish.environment = NULL;
    if (scopes.n && !rs_str_eq(scopes, RS_STR("null")) && !read_scopes(scopes, &req->arena, &wish.scopes)) {
        rs_response_error(res, 400, "invalid", "scopes",
                          "'scopes' is some of [\"ingest\", \"read\", \"gateway\"]");
        return;
    }
    if (expires && !rs_clock_parse(rs_str_of(expires), &wish.expires_ns)) {
        rs_response_error(res, 400, "invalid", "expires_at", "'expires_at' is a time in RFC 3339");
        return;
    }
    rs_actor by = rs_guard_actor(req);
    if (rs_control_create_key(server->control, req->project, &wish, &by, secret, &key, &err) != RS_OK) {
        rs_api_refuse(res, NULL, &err);
        return;
    }
    rs_json j = rs_json_on(&res->body);
    write_key(&j, &key, secret);
}

void rs_api_revoke_key(rs_server *server, rs_request *req, rs_response *res) {
    uint64_t id;
    rs_err err = {0};
    if (!rs_api_read_id(req, &id, res)) return;
    rs_actor by = rs_guard_actor(req);
    if (rs_control_revoke_key(server->control, req->project, id, &by, &err) != RS_OK) {
        rs_api_refuse(res, "id", &err);
        return;
    }
    rs_guard_forget(server->guard);
    rs_api_done(res);
}
