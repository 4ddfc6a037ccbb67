#include "server/auth.h"

#include "base/clock.h"
#include "server/headers.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>

enum { SLOTS = 256, HASH = 32 };
/* Shorter than the second within which a revocation must hold. */
#define LIFETIME_NS 900000000ULL

typedef enum secret_kind { KEY = 1, SESSION = 2 } secret_kind;

typedef struct slot {
    uint8_t hash[HASH];
    uint64_t project, until_ns; /* 0: empty */
} slot;

struct rs_guard {
    rs_control *control;
    uint8_t hash_key[32]; /* this process's own, so that nobody can aim at a slot */
    pthread_mutex_t lock; /* slots */
    slot slots[SLOTS];
};

rs_status rs_guard_new(rs_control *control, rs_guard **out, rs_err *err) {
    *out = NULL;
    if (sodium_init() < 0) return rs_fail(err, RS_ERR_IO, 0, "libsodium cannot start");
    rs_guard *g = calloc(1, sizeof *g);
    if (!g) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory");
    if (pthread_mutex_init(&g->lock, NULL) != 0) {
        free(g);
        return rs_fail(err, RS_ERR_MEMORY, 0, "cannot make a mutex");
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

static void hash_secret(const rs_guard *g, secret_kind kind, rs_str secret, uint8_t out[HASH]) {
    crypto_generichash_state state;
    uint8_t tag = (uint8_t)kind;
    crypto_generichash_init(&state, g->hash_key, sizeof g->hash_key, HASH);
    crypto_generichash_update(&state, &tag, 1);
    crypto_generichash_update(&state, (const unsigned char *)secret.p, secret.n);
    crypto_generichash_final(&state, out, HASH);
}

static bool recall(rs_guard *g, const uint8_t hash[HASH], uint64_t *project) {
    pthread_mutex_lock(&g->lock);
    const slot *s = &g->slots[hash[0] % SLOTS];
    bool known = s->until_ns > rs_clock_mono_ns() && sodium_memcmp(s->hash, hash, HASH) == 0;
    if (known) *project = s->project;
    pthread_mutex_unlock(&g->lock);
    return known;
}

/* `checked_ns` is when the question was asked, so that a slow answer does not outlive the promise. */
static void remember(rs_guard *g, const uint8_t hash[HASH], uint64_t project, uint64_t checked_ns) {
    pthread_mutex_lock(&g->lock);
    slot *s = &g->slots[hash[0] % SLOTS];
    memcpy(s->hash, hash, HASH);
    s->project = project;
    s->until_ns = checked_ns + LIFETIME_NS;
    pthread_mutex_unlock(&g->lock);
}

static rs_status check(rs_guard *g, secret_kind kind, rs_str secret, uint64_t *project, rs_err *err) {
    if (secret.n == 0 || secret.n >= RS_SECRET_MAX)
        return rs_fail(err, RS_ERR_DENIED, 0,
                       kind == KEY ? "this is not an API key" : "this is not a session");
    uint8_t hash[HASH];
    hash_secret(g, kind, secret, hash);
    if (recall(g, hash, project)) return RS_OK;
    uint64_t now = rs_clock_mono_ns();
    rs_status st;
    if (kind == KEY) {
        rs_api_key key;
        st = rs_control_check_key(g->control, secret, &key, err);
        if (st == RS_OK) *project = key.project;
    } else {
        st = rs_control_check_session(g->control, secret, project, err);
    }
    if (st == RS_OK) remember(g, hash, *project, now);
    return st;
}

rs_status rs_guard_check_key(rs_guard *g, rs_str key, uint64_t *project, rs_err *err) {
    return check(g, KEY, key, project, err);
}

rs_status rs_guard_check_session(rs_guard *g, rs_str session, uint64_t *project, rs_err *err) {
    return check(g, SESSION, session, project, err);
}

rs_status rs_guard_end_session(rs_guard *g, rs_str session, rs_err *err) {
    rs_status st = rs_control_end_session(g->control, session, err);
    uint8_t hash[HASH];
    hash_secret(g, SESSION, session, hash);
    pthread_mutex_lock(&g->lock);
    slot *s = &g->slots[hash[0] % SLOTS];
    if (sodium_memcmp(s->hash, hash, HASH) == 0) s->until_ns = 0;
    pthread_mutex_unlock(&g->lock);
    return st;
}

/* SameSite lets pages of other ports of this host send the cookie along; a browser says so in Sec-Fetch-Site. */
bool rs_guard_sent_from_elsewhere(const rs_request *r) {
    const char *site = rs_request_header(r, "Sec-Fetch-Site");
    return site && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0;
}

/* Going to a page is harmless (nobody else can read it), so navigation is let through. */
static bool read_from_elsewhere(const rs_request *r) {
    const char *mode = rs_request_header(r, "Sec-Fetch-Mode");
    return rs_guard_sent_from_elsewhere(r) && !(mode && strcmp(mode, "navigate") == 0);
}

/* Langfuse's SDKs know no other way: PUBLIC:SECRET, of which either may be the key. A browser sends by itself what it was
 * once told, to whatever page asks. */
static bool is_basic(const rs_request *r, rs_str authorization, char *storage, size_t size, rs_str *user,
                     rs_str *password) {
    return rs_header_basic(authorization, storage, size, user, password) && !rs_guard_sent_from_elsewhere(r);
}

static rs_status check_authorization(rs_guard *g, const rs_request *r, rs_str authorization,
                                     uint64_t *project, rs_err *err) {
    char storage[2 * RS_SECRET_MAX];
    rs_str user, password;
    if (!is_basic(r, authorization, storage, sizeof storage, &user, &password))
        return rs_guard_check_key(g, rs_header_bearer(authorization), project, err);
    rs_status st = rs_guard_check_key(g, password, project, err);
    return st == RS_ERR_DENIED ? rs_guard_check_key(g, user, project, err) : st;
}

rs_status rs_guard_admit(rs_guard *g, const rs_request *r, rs_auth auth, uint64_t *project, rs_err *err) {
    if (auth == RS_AUTH_NONE) return RS_OK;
    const char *authorization = rs_request_header(r, "Authorization");
    const char *api_key = rs_request_header(r, "x-api-key");
    if (authorization) return check_authorization(g, r, rs_str_of(authorization), project, err);
    if (api_key) return rs_guard_check_key(g, rs_str_of(api_key), project, err);
    const char *session = auth == RS_AUTH_ANY ? rs_request_cookie(r, RS_COOKIE) : NULL;
    if (session && !read_from_elsewhere(r))
        return rs_guard_check_session(g, rs_str_of(session), project, err);
    return rs_fail(err, RS_ERR_DENIED, 0,
                   auth == RS_AUTH_ANY ? "send an API key (Authorization: Bearer KEY) or sign in"
                                       : "send an API key: Authorization: Bearer KEY, or x-api-key: KEY");
}
