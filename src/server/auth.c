#include "server/auth.h"

#include "base/clock.h"
#include "server/headers.h"

#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

enum { SLOTS = 256, HASH = 32 };
/* Shorter, with what a stream goes on unasked (http.c), than the second within which a revocation must hold. */
#define LIFETIME_NS 900000000ULL

typedef enum secret_kind { KEY = 1, SESSION = 2 } secret_kind;

/* What says whose data a request is about. */
typedef enum subject {
    OF_QUERY, /* 'project', 'organization', or else the first project that he sees */
    OF_PATH_PROJECT,
    OF_PATH_ORGANIZATION,
    OF_SERVER, /* as OF_QUERY, but what is asked for is of all */
    OF_USER,   /* nobody else's */
} subject;

/* What rs_auth demands. */
typedef struct demand {
    unsigned scopes; /* of a key: all of these; 0: no key will do */
    rs_role role;    /* of a session's user: at least this; RS_ROLE_NONE: no session will do */
    bool changes;    /* something, so that a session needs its token */
    subject of;
    bool or_himself; /* or, of whatever role, the user that {id} is */
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
    [RS_AUTH_LEAVE_CHANGE] = {0, RS_ROLE_OWNER, true, .or_himself = true},
    [RS_AUTH_PROJECT_CHANGE] = {0, RS_ROLE_OWNER, true, OF_PATH_PROJECT},
    [RS_AUTH_ORG_CHANGE] = {0, RS_ROLE_OWNER, true, OF_PATH_ORGANIZATION},
    [RS_AUTH_SERVER] = {RS_SCOPE_READ, RS_ROLE_OWNER, false, OF_SERVER},
    [RS_AUTH_SERVER_CHANGE] = {0, RS_ROLE_OWNER, true, OF_SERVER},
    [RS_AUTH_SELF] = {0, RS_ROLE_VIEWER, false, OF_USER},
    [RS_AUTH_SELF_CHANGE] = {0, RS_ROLE_VIEWER, true, OF_USER},
};

typedef struct slot {
    uint8_t hash[HASH];
    uint64_t until_ns; /* 0: empty */
    uint64_t project, organization;
    rs_identity who;
} slot;

/* What a request is about, as it says it: numbers, or empty. */
typedef struct target {
    bool none; /* of the user alone */
    rs_str project, organization;
} target;

struct rs_guard {
    rs_control *control;
    uint8_t hash_key[32]; /* this process's own, so that nobody can aim at a slot */
    uint8_t csrf_key[RS_SERVER_KEY];
    pthread_mutex_t lock; /* the following */
    slot slots[SLOTS];
    uint64_t
        forgotten; /* atomic to whoever reads it without the lock; how often: what was asked before is not remembered after */
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

static void hash_text(crypto_generichash_state *state, rs_str s) {
    crypto_generichash_update(state, (const unsigned char *)&s.n, sizeof s.n);
    crypto_generichash_update(state, (const unsigned char *)s.p, s.n);
}

/* A session is remembered apart for each thing that it asks for. */
static void hash_secret(const rs_guard *g, secret_kind kind, rs_str secret, const target *t,
                        uint8_t out[HASH]) {
    crypto_generichash_state state;
    uint8_t tag[2] = {(uint8_t)kind, t->none};
    crypto_generichash_init(&state, g->hash_key, sizeof g->hash_key, HASH);
    crypto_generichash_update(&state, tag, sizeof tag);
    hash_text(&state, secret);
    hash_text(&state, t->project);
    hash_text(&state, t->organization);
    crypto_generichash_final(&state, out, HASH);
}

/* Into *out, but for its hash. */
static bool recall(rs_guard *g, const uint8_t hash[HASH], slot *out, uint64_t *forgotten) {
    pthread_mutex_lock(&g->lock);
    const slot *s = &g->slots[hash[0] % SLOTS];
    bool known = s->until_ns > rs_clock_mono_ns() && sodium_memcmp(s->hash, hash, HASH) == 0;
    if (known) *out = *s;
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
    __atomic_fetch_add(&g->forgotten, 1, __ATOMIC_RELEASE);
    for (size_t i = 0; i < SLOTS; i++) g->slots[i].until_ns = 0;
    pthread_mutex_unlock(&g->lock);
}

uint64_t rs_guard_forgotten(const rs_guard *g) { return __atomic_load_n(&g->forgotten, __ATOMIC_ACQUIRE); }

/* ---- keys and sessions --------------------------------------------------------------------------------- */

static rs_status ask_key(rs_guard *g, rs_str secret, slot *out, rs_err *err) {
    rs_api_key key;
    rs_project project;
    rs_status st = rs_control_check_key(g->control, secret, &key, err);
    if (st == RS_OK) st = rs_control_get_project(g->control, key.project, &project, err);
    if (st == RS_ERR_NOT_FOUND) /* it was deleted a moment ago */
        return rs_fail(err, RS_ERR_DENIED, 0, "unknown or revoked API key");
    if (st != RS_OK) return st;
    out->project = key.project;
    out->organization = project.organization;
    out->who = (rs_identity){.key = key.id, .scopes = key.scopes};
    memcpy(out->who.environment, key.environment, sizeof out->who.environment);
    return RS_OK;
}

static rs_status read_number(rs_str text, const char *what, uint64_t *out, rs_err *err) {
    unsigned long long id;
    if (!rs_str_to_u64(text, &id))
        return rs_fail(err, RS_ERR_INVALID, 0, "'%s' is the number of a%s %s", what,
                       what[0] == 'o' ? "n" : "", what);
    *out = id;
    return RS_OK;
}

/* The project that a user asks for, in an organization that he is in. What he is not in is as if there were none. */
static rs_status find_project(rs_guard *g, uint64_t user, const target *t, rs_project *out, rs_err *err) {
    rs_organization organization = {0};
    uint64_t id = 0;
    rs_status st = RS_OK;
    if (t->organization.n) {
        st = read_number(t->organization, "organization", &id, err);
        if (st == RS_OK) st = rs_control_see_organization(g->control, user, id, &organization, err);
    }
    if (st != RS_OK) return st;
    if (t->project.n) {
        st = read_number(t->project, "project", &id, err);
        if (st == RS_OK) st = rs_control_see_project(g->control, user, id, out, err);
        if (st == RS_OK && organization.id && out->organization != organization.id)
            st = rs_fail(err, RS_ERR_NOT_FOUND, 0, "no such project");
        return st;
    }
    if (!organization.id) return rs_control_first_project_of_user(g->control, user, out, err);
    st = rs_control_first_project(g->control, organization.id, out, err);
    out->role = organization.role;
    return st;
}

static rs_status ask_session(rs_guard *g, rs_str secret, const target *t, slot *out, rs_err *err) {
    rs_session session;
    rs_project found = {0};
    rs_status st = rs_control_check_session(g->control, secret, &session, err);
    if (st == RS_OK && !t->none) st = find_project(g, session.user, t, &found, err);
    if (st != RS_OK) return st;
    out->project = found.id;
    out->organization = found.organization;
    out->who = (rs_identity){.user = session.user,
                             .role = t->none ? RS_ROLE_VIEWER : found.role,
                             .is_server_owner = session.is_server_owner};
    return RS_OK;
}

static rs_status check(rs_guard *g, secret_kind kind, rs_str secret, const target *t, slot *out,
                       rs_err *err) {
    if (secret.n == 0 || secret.n >= RS_SECRET_MAX)
        return rs_fail(err, RS_ERR_DENIED, 0,
                       kind == KEY ? "this is not an API key" : "this is not a session");
    slot made = {0};
    uint64_t forgotten;
    hash_secret(g, kind, secret, t, made.hash);
    if (recall(g, made.hash, out, &forgotten)) return RS_OK;
    uint64_t now = rs_clock_mono_ns();
    rs_status st = kind == KEY ? ask_key(g, secret, &made, err) : ask_session(g, secret, t, &made, err);
    if (st != RS_OK) return st;
    remember(g, &made, now, forgotten);
    *out = made;
    return RS_OK;
}

static rs_status check_for(rs_guard *g, secret_kind kind, rs_str secret, const target *t, rs_request *r,
                           rs_err *err) {
    slot found;
    rs_status st = check(g, kind, secret, t, &found, err);
    if (st == RS_OK) r->project = found.project, r->organization = found.organization, r->who = found.who;
    return st;
}

static rs_status check_key(rs_guard *g, rs_str key, rs_request *r, rs_err *err) {
    return check_for(g, KEY, key, &(target){0}, r, err);
}

rs_status rs_guard_signed_in(rs_guard *g, const rs_request *r, rs_identity *out, rs_err *err) {
    slot found;
    rs_status st =
        check(g, SESSION, rs_str_of(rs_request_cookie(r, RS_COOKIE)), &(target){.none = true}, &found, err);
    if (st == RS_OK) *out = found.who;
    return st;
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

/* A query that names another one than the key's. */
static bool is_other(const rs_request *r, const char *name, uint64_t own) {
    unsigned long long id;
    const char *named = rs_request_query(r, name);
    return named && (!rs_str_to_u64(rs_str_of(named), &id) || id != own);
}

static bool admit_key(rs_guard *g, rs_request *r, const demand *d, const char *authorization,
                      const char *api_key, rs_response *res) {
    rs_err err = {0};
    rs_status st = authorization ? check_authorization(g, r, rs_str_of(authorization), &err)
                                 : check_key(g, rs_str_of(api_key), r, &err);
    if (st != RS_OK) return fail(res, &err);
    if (d->scopes == 0) return forbid(res, "forbidden", NULL, "no key may do this: sign in");
    if ((r->who.scopes & d->scopes) != d->scopes)
        return forbid(res, "forbidden", "scopes", "this key lacks the scope for that");
    if (is_other(r, "project", r->project))
        return forbid(res, "forbidden", "project", "this key is of another project");
    if (is_other(r, "organization", r->organization))
        return forbid(res, "forbidden", "organization", "this key is of another organization");
    if (d->of == OF_SERVER && r->organization != RS_SERVER_ORGANIZATION)
        return forbid(res, "forbidden", NULL, "only a key of the server's own organization may do this");
    return true;
}

/* False: its {id} is no number, so that there is none such; it is answered. */
static bool read_target(const rs_request *r, const demand *d, target *out, rs_response *res) {
    unsigned long long id;
    *out = (target){.none = d->of == OF_USER};
    if (d->of == OF_PATH_PROJECT || d->of == OF_PATH_ORGANIZATION) {
        *(d->of == OF_PATH_PROJECT ? &out->project : &out->organization) = r->id;
        if (rs_str_to_u64(r->id, &id)) return true;
        rs_response_error(res, 404, "not_found", "id", "its id is a number");
        return false;
    }
    if (d->of == OF_USER) return true;
    out->project = rs_str_of(rs_request_query(r, "project"));
    out->organization = rs_str_of(rs_request_query(r, "organization"));
    return true;
}

/* For his role in the organization that it is about; for what is of all, in the server's. */
static bool may(const rs_request *r, const demand *d, rs_response *res) {
    if (d->of == OF_SERVER)
        return r->who.is_server_owner ||
               forbid(res, "forbidden", NULL, "only an owner of the server's own organization may do this");
    unsigned long long id;
    if (d->or_himself && rs_str_to_u64(r->id, &id) && id == r->who.user) return true;
    return r->who.role >= d->role ||
           forbid(res, "forbidden", NULL,
                  d->role == RS_ROLE_OWNER ? "only an owner may do this" : "a viewer may not do this");
}

static bool admit_session(rs_guard *g, rs_request *r, const demand *d, rs_response *res) {
    rs_err err = {0};
    target t;
    rs_identity who;
    const char *cookie = rs_request_cookie(r, RS_COOKIE);
    if (d->changes && cookie && !is_own_page(r, res)) return false;
    if (!cookie || read_from_elsewhere(r)) {
        rs_fail(&err, RS_ERR_DENIED, 0, "%s",
                d->scopes ? "send an API key (Authorization: Bearer KEY) or sign in" : "sign in");
        return fail(res, &err);
    }
    rs_str session = rs_str_of(cookie);
    if (rs_guard_signed_in(g, r, &who, &err) != RS_OK) return fail(res, &err);
    if (d->changes && !has_csrf_token(g, r, session))
        return forbid(res, "csrf", "X-CSRF-Token",
                      "what changes something has the csrf_token of /api/session/ in X-CSRF-Token");
    if (!read_target(r, d, &t, res)) return false;
    if (check_for(g, SESSION, session, &t, r, &err) != RS_OK) return fail(res, &err);
    return may(r, d, res);
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
