#include "server/auth.h"

#include "base/clock.h"
#include "server/headers.h"

#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

enum { SLOTS = 256, HASH = 32 };
/* Shorter than the second within which a revocation must hold. */
#define LIFETIME_NS 900000000ULL

typedef enum secret_kind { KEY = 1, SESSION = 2 } secret_kind;

/* What rs_auth demands. */
typedef struct demand {
    unsigned scopes; /* of a key: all of these; 0: no key will do */
    rs_role role;    /* of a session's user: at least this; RS_ROLE_NONE: no session will do */
    bool changes;    /* something, so that a session needs its token */
} demand;

static const demand demands[RS_AUTH_COUNT] = {
    [RS_AUTH_KEY] = {RS_SCOPE_INGEST, RS_ROLE_NONE, true},
    [RS_AUTH_ANY] = {RS_SCOPE_READ, RS_ROLE_VIEWER, false},
    [RS_AUTH_CHANGE] = {RS_SCOPE_INGEST | RS_SCOPE_READ, RS_ROLE_MEMBER, true},
    [RS_AUTH_USER] = {0, RS_ROLE_VIEWER, false},
    [RS_AUTH_USER_CHANGE] = {0, RS_ROLE_VIEWER, true},
    [RS_AUTH_MEMBER_CHANGE] = {0, RS_ROLE_MEMBER, true},
    [RS_AUTH_OWNER] = {0, RS_ROLE_OWNER, false},
    [RS_AUTH_OWNER_CHANGE] = {0, RS_ROLE_OWNER, true},
};

typedef struct slot {
    uint8_t hash[HASH];
    uint64_t until_ns; /* 0: empty */
    uint64_t project;
    rs_identity who;
} slot;

struct rs_guard {
    rs_control *control;
    uint8_t hash_key[32]; /* this process's own, so that nobody can aim at a slot */
    uint8_t csrf_key[RS_SERVER_KEY];
    pthread_mutex_t lock; /* the following */
    slot slots[SLOTS];
    uint64_t forgotten; /* how often: what was asked before is not remembered after */
};

rs_status rs_guard_new(rs_control *control, rs_guard **out, rs_err *err) {
    *out = NULL;
    if (sodium_init() < 0) return rs_fail(err, RS_ERR_IO, 0, "libsodium cannot start");
    rs_guard *g = calloc(1, sizeof *g);
    if (!g) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    rs_status st = rs_control_get_server_key(control, g->csrf_key, err);
    if (st == RS_OK && pthread_mutex_init(&g->lock, NULL) != 0)
        st = rs_fail(err, RS_ERR_MEMORY, 0, "cannot make a mutex");
    if (st != RS_OK) {
        free(g);
        return st;
    }
    g->control = control;
    randombytes_buf(g->hash_key, sizeof g->hash_key);
    *out = g;
    return RS_OK;
}

void rs_guard_free(rs_guard *g) {
    if (!g) return;
    pthread_mutex_destroy(&g->lock);
    sodium_memzero(g, sizeof *g);
    free(g);
}

/* ---- what is known ------------------------------------------------------------------------------------- */

/* A session is remembered apart for each project that it asks for. */
static void hash_secret(const rs_guard *g, secret_kind kind, rs_str secret, rs_str project,
                        uint8_t out[HASH]) {
    crypto_generichash_state state;
    uint8_t tag[2] = {(uint8_t)kind, (uint8_t)secret.n};
    crypto_generichash_init(&state, g->hash_key, sizeof g->hash_key, HASH);
    crypto_generichash_update(&state, tag, sizeof tag);
    crypto_generichash_update(&state, (const unsigned char *)secret.p, secret.n);
    crypto_generichash_update(&state, (const unsigned char *)project.p, project.n);
    crypto_generichash_final(&state, out, HASH);
}

static bool recall(rs_guard *g, const uint8_t hash[HASH], uint64_t *project, rs_identity *who,
                   uint64_t *forgotten) {
    pthread_mutex_lock(&g->lock);
    const slot *s = &g->slots[hash[0] % SLOTS];
    bool known = s->until_ns > rs_clock_mono_ns() && sodium_memcmp(s->hash, hash, HASH) == 0;
    if (known) *project = s->project, *who = s->who;
    *forgotten = g->forgotten;
    pthread_mutex_unlock(&g->lock);
    return known;
}

/* `checked_ns` is when the question was asked, so that a slow answer does not outlive the promise. */
static void remember(rs_guard *g, const slot *made, uint64_t checked_ns, uint64_t forgotten) {
    pthread_mutex_lock(&g->lock);
    if (forgotten == g->forgotten) {
        slot *s = &g->slots[made->hash[0] % SLOTS];
        *s = *made;
        s->until_ns = checked_ns + LIFETIME_NS;
    }
    pthread_mutex_unlock(&g->lock);
}

void rs_guard_forget(rs_guard *g) {
    pthread_mutex_lock(&g->lock);
    g->forgotten++;
    for (size_t i = 0; i < SLOTS; i++) g->slots[i].until_ns = 0;
    pthread_mutex_unlock(&g->lock);
}

/* ---- keys and sessions --------------------------------------------------------------------------------- */

static rs_status ask_key(rs_guard *g, rs_str secret, slot *out, rs_err *err) {
    rs_api_key key;
    rs_status st = rs_control_check_key(g->control, secret, &key, err);
    if (st != RS_OK) return st;
    out->project = key.project;
    out->who = (rs_identity){.key = key.id, .scopes = key.scopes};
    memcpy(out->who.environment, key.environment, sizeof out->who.environment);
    return RS_OK;
}

/* `project`: the id that the request names, or empty. */
static rs_status ask_session(rs_guard *g, rs_str secret, rs_str project, slot *out, rs_err *err) {
    rs_session session;
    rs_project found;
    unsigned long long id;
    rs_status st = rs_control_check_session(g->control, secret, &session, err);
    if (st != RS_OK) return st;
    if (project.n == 0) st = rs_control_first_project(g->control, &found, err);
    else if (rs_str_to_u64(project, &id)) st = rs_control_get_project(g->control, id, &found, err);
    else st = rs_fail(err, RS_ERR_INVALID, 0, "'project' is the number of a project");
    if (st != RS_OK) return st;
    out->project = found.id;
    out->who = (rs_identity){.user = session.user, .role = session.role};
    return RS_OK;
}

static rs_status check(rs_guard *g, secret_kind kind, rs_str secret, rs_str project_text, uint64_t *project,
                       rs_identity *who, rs_err *err) {
    if (secret.n == 0 || secret.n >= RS_SECRET_MAX)
        return rs_fail(err, RS_ERR_DENIED, 0,
                       kind == KEY ? "this is not an API key" : "this is not a session");
    slot made = {0};
    uint64_t forgotten;
    hash_secret(g, kind, secret, project_text, made.hash);
    if (recall(g, made.hash, project, who, &forgotten)) return RS_OK;
    uint64_t now = rs_clock_mono_ns();
    rs_status st =
        kind == KEY ? ask_key(g, secret, &made, err) : ask_session(g, secret, project_text, &made, err);
    if (st != RS_OK) return st;
    remember(g, &made, now, forgotten);
    *project = made.project;
    *who = made.who;
    return RS_OK;
}

static rs_status check_key(rs_guard *g, rs_str key, rs_request *r, rs_err *err) {
    return check(g, KEY, key, (rs_str){0}, &r->project, &r->who, err);
}

rs_status rs_guard_signed_in(rs_guard *g, const rs_request *r, rs_identity *out, rs_err *err) {
    uint64_t project;
    return check(g, SESSION, rs_str_of(rs_request_cookie(r, RS_COOKIE)), (rs_str){0}, &project, out, err);
}

rs_actor rs_guard_actor(rs_request *r) {
    rs_actor by = {.user = r->who.user, .address = rs_request_address(r)};
    char key[32];
    int n = snprintf(key, sizeof key, "key %llu", (unsigned long long)r->who.key);
    if (r->who.key && n > 0) by.name = rs_arena_copy(&r->arena, (rs_str){key, (size_t)n}).p;
    return by;
}

/* ---- what other sites' pages may not do ---------------------------------------------------------------- */

void rs_guard_csrf_token(const rs_guard *g, rs_str session, char out[RS_CSRF_TOKEN]) {
    uint8_t hash[HASH];
    crypto_generichash(hash, HASH, (const unsigned char *)session.p, session.n, g->csrf_key,
                       sizeof g->csrf_key);
    sodium_bin2base64(out, RS_CSRF_TOKEN, hash, HASH, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

static bool has_csrf_token(const rs_guard *g, const rs_request *r, rs_str session) {
    char token[RS_CSRF_TOKEN];
    const char *sent = rs_request_header(r, "X-CSRF-Token");
    rs_guard_csrf_token(g, session, token);
    return sent && strlen(sent) == RS_CSRF_TOKEN - 1 && sodium_memcmp(sent, token, RS_CSRF_TOKEN - 1) == 0;
}

/* SameSite lets pages of other ports of this host send the cookie along; a browser says so in Sec-Fetch-Site. To another machine over
 * plain HTTP it does not, but whatever may change something has its Origin. */
static bool sent_from_elsewhere(const rs_request *r) {
    const char *site = rs_request_header(r, "Sec-Fetch-Site");
    if (site) return strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0;
    const char *origin = rs_request_header(r, "Origin"), *host = rs_request_header(r, "Host");
    const char *of = origin ? strstr(origin, "://") : NULL;
    return origin && !(of && host && strcasecmp(of + 3, host) == 0);
}

static bool forbid(rs_response *res, const char *code, const char *field, const char *why) {
    rs_response_error(res, 403, code, field, "%s", why);
    return false;
}

static bool is_own_page(const rs_request *r, rs_response *res) {
    return !sent_from_elsewhere(r) ||
           forbid(res, "forbidden", "Sec-Fetch-Site", "only this server's own page does that");
}

/* Going to a page is harmless (nobody else can read it), so navigation is let through. */
static bool read_from_elsewhere(const rs_request *r) {
    const char *mode = rs_request_header(r, "Sec-Fetch-Mode");
    return sent_from_elsewhere(r) && !(mode && strcmp(mode, "navigate") == 0);
}

/* ---- the ways in --------------------------------------------------------------------------------------- */

/* Langfuse's SDKs know no other way: PUBLIC:SECRET, of which either may be the key. A browser sends by itself what it was
 * once told, to whatever page asks. */
static bool is_basic(const rs_request *r, rs_str authorization, char *storage, size_t size, rs_str *user,
                     rs_str *password) {
    return rs_header_basic(authorization, storage, size, user, password) && !sent_from_elsewhere(r);
}

static rs_status check_authorization(rs_guard *g, rs_request *r, rs_str authorization, rs_err *err) {
    char storage[2 * RS_SECRET_MAX];
    rs_str user, password;
    if (!is_basic(r, authorization, storage, sizeof storage, &user, &password))
        return check_key(g, rs_header_bearer(authorization), r, err);
    rs_status st = check_key(g, password, r, err);
    return st == RS_ERR_DENIED ? check_key(g, user, r, err) : st;
}

static bool fail(rs_response *res, const rs_err *err) {
    rs_response_from_err(res, err);
    return false;
}

static bool admit_key(rs_guard *g, rs_request *r, const demand *d, const char *authorization,
                      const char *api_key, rs_response *res) {
    rs_err err = {0};
    unsigned long long id;
    const char *project = rs_request_query(r, "project");
    rs_status st = authorization ? check_authorization(g, r, rs_str_of(authorization), &err)
                                 : check_key(g, rs_str_of(api_key), r, &err);
    if (st != RS_OK) return fail(res, &err);
    if (d->scopes == 0) return forbid(res, "forbidden", NULL, "no key may do this: sign in");
    if ((r->who.scopes & d->scopes) != d->scopes)
        return forbid(res, "forbidden", "scopes", "this key lacks the scope for that");
    if (project && (!rs_str_to_u64(rs_str_of(project), &id) || id != r->project))
        return forbid(res, "forbidden", "project", "this key is of another project");
    return true;
}

static bool admit_session(rs_guard *g, rs_request *r, const demand *d, rs_response *res) {
    rs_err err = {0};
    const char *cookie = rs_request_cookie(r, RS_COOKIE);
    if (d->changes && cookie && !is_own_page(r, res)) return false;
    if (!cookie || read_from_elsewhere(r)) {
        rs_fail(&err, RS_ERR_DENIED, 0, "%s",
                d->scopes ? "send an API key (Authorization: Bearer KEY) or sign in" : "sign in");
        return fail(res, &err);
    }
    rs_str session = rs_str_of(cookie), project = rs_str_of(rs_request_query(r, "project"));
    if (check(g, SESSION, session, project, &r->project, &r->who, &err) != RS_OK) return fail(res, &err);
    if (d->changes && !has_csrf_token(g, r, session))
        return forbid(res, "csrf", "X-CSRF-Token",
                      "what changes something has the csrf_token of /api/session/ in X-CSRF-Token");
    if (r->who.role < d->role)
        return forbid(res, "forbidden", NULL,
                      d->role == RS_ROLE_OWNER ? "only an owner may do this" : "a viewer may not do this");
    return true;
}

bool rs_guard_admit(rs_guard *g, rs_request *r, rs_auth auth, rs_response *res) {
    if (auth == RS_AUTH_NONE) return true;
    if (auth == RS_AUTH_OWN_PAGE) return is_own_page(r, res);
    const demand *d = &demands[auth];
    const char *authorization = rs_request_header(r, "Authorization");
    const char *api_key = rs_request_header(r, "x-api-key");
    if (authorization || api_key) return admit_key(g, r, d, authorization, api_key, res);
    if (d->role != RS_ROLE_NONE) return admit_session(g, r, d, res);
    rs_response_error(res, 401, "unauthorized", NULL,
                      "send an API key: Authorization: Bearer KEY, or x-api-key: KEY");
    return false;
}
