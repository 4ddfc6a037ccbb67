#include "sdk/redact.h"

static const rs_str stars = {"***", 3};

/* ---- characters ---------------------------------------------------------------------------------------- */

static inline bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
static inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
static inline char lower(char c) { return is_upper(c) ? (char)(c | 0x20) : c; }
static inline bool is_alnum(char c) { return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z'); }
static inline bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
static inline bool is_quote(char c) { return c == '"' || c == '\''; }

typedef bool (*is_kind)(char c);
static bool is_base64url(char c) { return is_alnum(c) || c == '_' || c == '-'; }
static bool is_word(char c) { return is_alnum(c) || c == '_'; }
static bool is_dashed(char c) { return is_alnum(c) || c == '-'; }
static bool is_capital(char c) { return is_upper(c) || is_digit(c); }
static bool is_plain(char c) { return is_alnum(c); }
static bool is_token68(char c) {
    return is_base64url(c) || c == '.' || c == '~' || c == '+' || c == '/' || c == '=';
}

static size_t run(rs_str s, size_t at, is_kind kind) {
    while (at < s.n && kind(s.p[at])) at++;
    return at;
}
static size_t run_of(rs_str s, size_t at, is_kind kind, size_t most) {
    return run((rs_str){s.p, s.n - at > most ? at + most : s.n}, at, kind);
}

static bool has_at(rs_str s, size_t at, rs_str what) {
    return at <= s.n && rs_str_starts((rs_str){s.p + at, s.n - at}, what);
}

/* Whether a word may begin at `at`: also behind an escape of JSON or of a URL, as in "\nsk-…", %3Dsk-… */
static bool begins_word(rs_str s, size_t at) {
    if (at == 0 || !is_alnum(s.p[at - 1])) return true;
    char c = s.p[at - 1];
    return (at >= 2 && s.p[at - 2] == '\\' && (c == 'n' || c == 't' || c == 'r')) ||
           (at >= 3 && s.p[at - 3] == '%');
}

/* Has a digit, or 20 letters in a row: no text of words and hyphens. Decided by the first DECIDE_MAX bytes, so that no
 * text is gone through once for each of its anchors. */
enum { DECIDE_MAX = 256 };
static bool is_random(rs_str s, size_t at, size_t end) {
    size_t letters = 0;
    if (end - at > DECIDE_MAX) end = at + DECIDE_MAX;
    for (; at < end; at++) {
        if (is_digit(s.p[at])) return true;
        letters = is_alnum(s.p[at]) ? letters + 1 : 0;
        if (letters >= 20) return true;
    }
    return false;
}

/* The two bytes before `at`, by which most anchors are told to be none of a pattern. */
#define PAIR(a, b) ((unsigned)(a) << 8 | (unsigned)(b))
static inline unsigned pair_before(rs_str s, size_t from, size_t at) {
    return at < from + 2 ? 0 : PAIR((unsigned char)s.p[at - 2], (unsigned char)s.p[at - 1]);
}

/* Not what was replaced before. */
static bool is_found(rs_str s, rs_secret *out, size_t at, size_t end) {
    *out = (rs_secret){at, end, stars};
    return end > at && !rs_str_eq((rs_str){s.p + at, end - at}, stars);
}

/* ---- tokens that a prefix tells ------------------------------------------------------------------------ */

typedef struct token {
    rs_str prefix; /* ends with the anchor */
    is_kind kind;  /* of what follows … */
    size_t least;  /* … and how many at least */
    bool strict;   /* a word begins with it, and what follows looks random */
} token;

static const token underscored[] = {
    {RS_STR("hf_"), is_plain, 16, false},      /* Hugging Face: a user's … */
    {RS_STR("api_org_"), is_plain, 16, false}, /* … an organisation's */
    {RS_STR("rsp_"), is_base64url, 32, false}, /* Respan */
    {RS_STR("ghp_"), is_plain, 20, false},     /* GitHub, five kinds … */
    {RS_STR("gho_"), is_plain, 20, false},       {RS_STR("ghu_"), is_plain, 20, false},
    {RS_STR("ghs_"), is_plain, 20, false},       {RS_STR("ghr_"), is_plain, 20, false},
    {RS_STR("github_pat_"), is_word, 20, false}, /* … and fine-grained */
    {RS_STR("sk_live_"), is_plain, 16, false},   /* Stripe */
    {RS_STR("sk_test_"), is_plain, 16, false},   {RS_STR("rk_live_"), is_plain, 16, false},
    {RS_STR("gsk_"), is_plain, 20, true}, /* Groq */
    {RS_STR("r8_"), is_plain, 20, true},  /* Replicate */
    {RS_STR("npm_"), is_plain, 30, true},
};
static const token dashed[] = {
    {RS_STR("sk-"), is_base64url, 16, true}, /* OpenAI, Anthropic and those who do as they do */
    {RS_STR("xoxa-"), is_dashed, 10, true},  /* Slack */
    {RS_STR("xoxb-"), is_dashed, 10, true},     {RS_STR("xoxe-"), is_dashed, 10, true},
    {RS_STR("xoxp-"), is_dashed, 10, true},     {RS_STR("xoxr-"), is_dashed, 10, true},
    {RS_STR("xoxs-"), is_dashed, 10, true},     {RS_STR("xapp-"), is_dashed, 10, true},
    {RS_STR("glpat-"), is_base64url, 20, true}, /* GitLab */
    {RS_STR("nvapi-"), is_base64url, 20, true}, /* NVIDIA */
    {RS_STR("xai-"), is_plain, 20, true},       {RS_STR("pypi-"), is_base64url, 40, true},
};
static const token amazon[] = {{RS_STR("AKIA"), is_capital, 16, false},
                               {RS_STR("ASIA"), is_capital, 16, false}};
static const token google[] = {{RS_STR("AIza"), is_base64url, 35, false}};

static bool may_be_underscored(unsigned pair) {
    switch (pair) {
    case PAIR('h', 'f'):
    case PAIR('r', 'g'):
    case PAIR('s', 'p'):
    case PAIR('h', 'p'):
    case PAIR('h', 'o'):
    case PAIR('h', 'u'):
    case PAIR('h', 's'):
    case PAIR('h', 'r'):
    case PAIR('a', 't'):
    case PAIR('v', 'e'):
    case PAIR('s', 't'):
    case PAIR('s', 'k'):
    case PAIR('r', '8'):
    case PAIR('p', 'm'):
        return true;
    default:
        return false;
    }
}

static bool may_be_dashed(unsigned pair) {
    switch (pair) {
    case PAIR('s', 'k'):
    case PAIR('x', 'a'):
    case PAIR('x', 'b'):
    case PAIR('x', 'e'):
    case PAIR('x', 'p'):
    case PAIR('x', 'r'):
    case PAIR('x', 's'):
    case PAIR('p', 'p'):
    case PAIR('a', 't'):
    case PAIR('p', 'i'):
    case PAIR('a', 'i'):
        return true;
    default:
        return false;
    }
}

/* One of the tokens, whose prefix ends with the byte at `last`. */
static bool find_token(rs_str s, size_t from, size_t last, const token *tokens, size_t n, rs_secret *out) {
    if (last == 0 || last >= s.n) return false;
    for (size_t i = 0; i < n; i++) {
        rs_str prefix = tokens[i].prefix;
        if (prefix.p[prefix.n - 2] != s.p[last - 1] || last + 1 - from < prefix.n) continue;
        size_t at = last + 1 - prefix.n;
        if (memcmp(s.p + at, prefix.p, prefix.n) != 0 || (tokens[i].strict && !begins_word(s, at))) continue;
        size_t end = run_of(s, last + 1, tokens[i].kind, DECIDE_MAX);
        if (end - last - 1 < tokens[i].least || (tokens[i].strict && !is_random(s, last + 1, end))) continue;
        return is_found(s, out, last + 1, run(s, end, tokens[i].kind));
    }
    return false;
}

/* header.payload.signature, in base64url; the header is {"… */
static bool find_jwt(rs_str s, size_t from, size_t j, rs_secret *out) {
    enum { JWT_HEADER_MAX = 1024 };
    if (j < from + 2 || s.p[j - 1] != 'y' || s.p[j - 2] != 'e') return false;
    size_t header = run_of(s, j + 1, is_base64url, JWT_HEADER_MAX);
    if (header - j < 8 || header == s.n || s.p[header] != '.') return false;
    size_t end = run(s, header + 1, is_base64url);
    if (end - header < 8) return false;
    if (end < s.n && s.p[end] == '.') end = run(s, end + 1, is_base64url);
    return is_found(s, out, j + 1, end);
}

static bool find_bearer(rs_str s, size_t b, rs_secret *out) {
    static const rs_str bearer = RS_STR("Bearer ");
    if (!has_at(s, b, bearer)) return false;
    size_t at = b + bearer.n, end = run(s, at, is_token68);
    return end - at >= 8 && is_random(s, at, end) && is_found(s, out, at, end);
}

/* -----BEGIN … PRIVATE KEY----- … -----END; what is behind it to the text's end if that is missing. */
static bool find_private_key(rs_str s, size_t from, size_t dash, rs_secret *out) {
    static const rs_str begin = RS_STR("-----BEGIN "), key = RS_STR("PRIVATE KEY"), last = RS_STR("-----END");
    enum { LABEL_MAX = 64 };
    if (dash + 1 >= s.n || s.p[dash + 1] != '-' || (dash > from && s.p[dash - 1] == '-') ||
        !has_at(s, dash, begin))
        return false;
    size_t label = dash + begin.n, n = s.n - label < LABEL_MAX ? s.n - label : LABEL_MAX;
    const char *found = memmem(s.p + label, n, key.p, key.n);
    if (!found) return false;
    size_t at = (size_t)(found - s.p) + key.n;
    at = at + 5 <= s.n && memcmp(s.p + at, "-----", 5) == 0 ? at + 5 : at;
    const char *end = memmem(s.p + at, s.n - at, last.p, last.n);
    return is_found(s, out, at, end ? (size_t)(end - s.p) : s.n);
}

/* ---- URLs ---------------------------------------------------------------------------------------------- */

static bool is_authority(char c) {
    return (unsigned char)c > ' ' && c != '/' && c != '?' && c != '#' && c != '"' && c != '\'' && c != '<' &&
           c != '>' && c != '\\';
}

/* scheme://user:SECRET@host, scheme://SECRET@host: a short name alone is none. */
static bool find_userinfo(rs_str s, size_t colon, rs_secret *out) {
    enum { NAME_MAX_BYTES = 16 };
    if (colon + 3 >= s.n || s.p[colon + 1] != '/' || s.p[colon + 2] != '/') return false;
    size_t at = colon + 3, end = run(s, at, is_authority);
    const char *host = end > at ? memrchr(s.p + at, '@', end - at) : NULL;
    if (!host) return false;
    end = (size_t)(host - s.p);
    const char *separator = memchr(s.p + at, ':', end - at);
    size_t name = separator ? (size_t)(separator - s.p) - at : end - at;
    if (name >= NAME_MAX_BYTES) return is_found(s, out, at, end);
    return separator && is_found(s, out, at + name + 1, end);
}

/* ---- values of names ----------------------------------------------------------------------------------- */

/* How a name that is a secret's ends, in lower case. */
static const rs_str names[] = {
    RS_STR("password"),      RS_STR("passwd"),      RS_STR("passphrase"),    RS_STR("secret"),
    RS_STR("api_key"),       RS_STR("api-key"),     RS_STR("apikey"),        RS_STR("secret_key"),
    RS_STR("access_key"),    RS_STR("private_key"), RS_STR("access_token"),  RS_STR("accesstoken"),
    RS_STR("auth_token"),    RS_STR("authtoken"),   RS_STR("refresh_token"), RS_STR("refreshtoken"),
    RS_STR("hf_token"),      RS_STR("api_token"),   RS_STR("secretkey"),     RS_STR("bearer_token"),
    RS_STR("session_token"),
};
static const rs_str authorization = RS_STR("authorization");
enum { SECRET_NAME_MAX = 64 };

static bool ends_with(rs_str name, rs_str what) {
    if (name.n < what.n) return false;
    for (size_t i = 0; i < what.n; i++)
        if (lower(name.p[name.n - what.n + i]) != what.p[i]) return false;
    return true;
}

typedef enum name_kind { NAME_ASSIGNED, NAME_QUOTED, NAME_BARE } name_kind;

/* `token` alone is one of a model's, but in name=value. */
static bool is_secret_name(rs_str name, name_kind kind) {
    for (size_t i = 0; i < RS_ARRAY_LEN(names); i++)
        if (ends_with(name, names[i])) return true;
    return (kind == NAME_ASSIGNED && rs_str_eq_nocase(name, RS_STR("token"))) ||
           rs_str_eq_nocase(name, RS_STR("pwd")) || ends_with(name, authorization);
}

/* How those end. */
static bool may_be_secret_name(unsigned pair) {
    switch (pair | 0x2020) {
    case PAIR('r', 'd'):
    case PAIR('w', 'd'):
    case PAIR('s', 'e'):
    case PAIR('e', 't'):
    case PAIR('e', 'y'):
    case PAIR('e', 'n'):
    case PAIR('o', 'n'):
        return true;
    default:
        return false;
    }
}

/* The name that ends before `end`. */
static rs_str name_before(rs_str s, size_t from, size_t end) {
    size_t at = end;
    while (at > from && end - at < SECRET_NAME_MAX && is_base64url(s.p[at - 1])) at--;
    return (rs_str){s.p + at, end - at};
}

static bool is_nothing(rs_str value) {
    static const rs_str words[] = {RS_STR("None"),  RS_STR("null"), RS_STR("true"),
                                   RS_STR("false"), RS_STR("True"), RS_STR("False")};
    for (size_t i = 0; i < RS_ARRAY_LEN(words); i++)
        if (rs_str_eq(value, words[i])) return true;
    return value.n == 0;
}

/* The end of what began behind a quote with `escapes` backslashes before it: where it is closed by the same, or by that of
 * a string around it. Within, a backslash is 2 (escapes + 1) of them, and a quote has escapes + 1 more. */
static size_t quoted_end(rs_str s, size_t at, char quote, size_t escapes) {
    for (size_t before = 0; at < s.n; at++) {
        if (s.p[at] == '\\') {
            before++;
            continue;
        }
        if (s.p[at] == quote && before < escapes) return at - before;
        if (s.p[at] == quote && (before - escapes) % (2 * (escapes + 1)) == 0) return at - escapes;
        before = 0;
    }
    return s.n;
}

static bool ends_value(char c) {
    return is_space(c) || is_quote(c) || c == '&' || c == ';' || c == ',' || c == ')' || c == ']' ||
           c == '}' || c == '<' || c == '>';
}

/* The end of a value without quotes, in text or in a string of JSON, where a line ends with \n. */
static size_t bare_end(rs_str s, size_t at, size_t most) {
    if (s.n - at > most) s.n = at + most;
    for (; at < s.n && !ends_value(s.p[at]); at++) {
        if (s.p[at] != '\\' || at + 1 == s.n) continue;
        char next = s.p[at + 1];
        if (next == 'n' || next == 'r' || next == 't' || next == '"') return at;
        at++;
    }
    return at < s.n ? at : s.n;
}

/* "Basic …", "Bearer …": the word says how, and stays. */
static size_t skip_auth_scheme(rs_str s, size_t at) {
    static const rs_str schemes[] = {RS_STR("basic"), RS_STR("bearer"), RS_STR("digest"), RS_STR("token")};
    size_t end = run_of(s, at, is_plain, DECIDE_MAX);
    if (end == s.n || s.p[end] != ' ') return at;
    for (size_t i = 0; i < RS_ARRAY_LEN(schemes); i++)
        if (rs_str_eq_nocase((rs_str){s.p + at, end - at}, schemes[i])) return end + 1;
    return at;
}

/* A value without quotes, which begins at `at`. */
static bool find_bare_value(rs_str s, size_t at, rs_str name, name_kind kind, rs_secret *out) {
    char first = at < s.n ? s.p[at] : '=';
    if (first == '=' || first == '{' || first == '[' || first == '(') return false;
    if (rs_str_eq_nocase(name, RS_STR("pwd")) && (first == '/' || first == '~')) return false; /* a folder */
    size_t begin = ends_with(name, authorization) ? skip_auth_scheme(s, at) : at;
    if (kind == NAME_BARE && begin == at) { /* prose, unless it looks random */
        size_t end = bare_end(s, at, DECIDE_MAX);
        if (end - at < 6 || !is_random(s, at, end)) return false;
    }
    size_t end = bare_end(s, begin, s.n);
    if (is_nothing((rs_str){s.p + begin, end - begin}) || !is_found(s, out, begin, end)) return false;
    if (kind == NAME_QUOTED) { /* a number: what comes out is to stay JSON */
        bool is_escaped = name.p[name.n] == '\\';
        out->by = is_escaped ? RS_STR("\\\"***\\\"") : RS_STR("\"***\"");
    }
    return true;
}

/* The value behind `at`, which is behind the separator. */
static bool find_value(rs_str s, size_t at, rs_str name, name_kind kind, rs_secret *out) {
    size_t escapes = 0;
    while (at < s.n && (s.p[at] == ' ' || s.p[at] == '\t')) at++;
    while (at + escapes < s.n && s.p[at + escapes] == '\\') escapes++;
    size_t quote = at + escapes;
    if (quote == s.n || !is_quote(s.p[quote])) return find_bare_value(s, at, name, kind, out);
    size_t begin = quote + 1, end = quoted_end(s, begin, s.p[quote], escapes);
    if (ends_with(name, authorization)) begin = skip_auth_scheme(s, begin);
    return begin < end && is_found(s, out, begin, end);
}

/* name=VALUE, name = "VALUE" */
static bool find_assigned(rs_str s, size_t from, size_t equals, rs_secret *out) {
    size_t end = equals;
    while (end > from && equals - end < 2 && s.p[end - 1] == ' ') end--;
    if (!may_be_secret_name(pair_before(s, from, end))) return false;
    rs_str name = name_before(s, from, end);
    return is_secret_name(name, NAME_ASSIGNED) && find_value(s, equals + 1, name, NAME_ASSIGNED, out);
}

/* "name": "VALUE", also within a string of JSON (\"name\": \"VALUE\"); name: VALUE, where that is none of prose. */
static bool find_member(rs_str s, size_t from, size_t colon, rs_secret *out) {
    size_t end = colon;
    bool is_quoted = end > from && is_quote(s.p[end - 1]);
    if (is_quoted) end--;
    while (is_quoted && end > from && s.p[end - 1] == '\\') end--;
    if (!may_be_secret_name(pair_before(s, from, end))) return false;
    rs_str name = name_before(s, from, end);
    name_kind kind = is_quoted ? NAME_QUOTED : NAME_BARE;
    return is_secret_name(name, kind) && find_value(s, colon + 1, name, kind, out);
}

/* ---- the pass ------------------------------------------------------------------------------------------ */

/* What stands around the anchor at `at`; nothing of it before `from`. */
static bool look(rs_str s, size_t from, size_t at, rs_secret *out) {
    switch (s.p[at]) {
    case '_':
        return may_be_underscored(pair_before(s, from, at)) &&
               find_token(s, from, at, underscored, RS_ARRAY_LEN(underscored), out);
    case '-':
        return (may_be_dashed(pair_before(s, from, at)) &&
                find_token(s, from, at, dashed, RS_ARRAY_LEN(dashed), out)) ||
               find_private_key(s, from, at, out);
    case '=':
        return find_assigned(s, from, at, out);
    case ':':
        return find_userinfo(s, at, out) || find_member(s, from, at, out);
    case 'J':
        return find_jwt(s, from, at, out);
    case 'I':
        if (at + 2 >= s.n || at < from + 1) return false;
        return find_token(s, from, at + 1, amazon, RS_ARRAY_LEN(amazon), out) ||
               find_token(s, from, at + 2, google, RS_ARRAY_LEN(google), out);
    case 'B':
        return find_bearer(s, at, out);
    default:
        return false;
    }
}

/* Bits that stand for the anchors of up to 16 bytes, the first the lowest. */
static unsigned anchors_at(const char *p, size_t n) {
    char padded[16] = {0};
    rs_bytes16 v;
    if (n < sizeof v) {
        memcpy(padded, p, n);
        p = padded;
    }
    memcpy(&v, p, sizeof v);
    rs_bytes16 found = rs_redact_anchors(v);
#if defined(__SSE2__)
    typedef char signed_bytes __attribute__((vector_size(16)));
    return (unsigned)__builtin_ia32_pmovmskb128((signed_bytes)found);
#else
    unsigned bits = 0;
    for (unsigned i = 0; i < sizeof v; i++) bits |= (unsigned)(found[i] & 1) << i;
    return bits;
#endif
}

bool rs_redact_find(rs_str text, size_t from, rs_secret *out) {
    for (size_t at = from; at < text.n; at += sizeof(rs_bytes16)) {
        for (unsigned bits = anchors_at(text.p + at, text.n - at); bits; bits &= bits - 1)
            if (look(text, from, at + (unsigned)__builtin_ctz(bits), out)) return true;
    }
    return false;
}

void rs_redact(rs_buf *out, rs_str text) {
    size_t done = 0;
    for (rs_secret secret; rs_redact_find(text, done, &secret); done = secret.end) {
        rs_buf_put(out, text.p + done, secret.at - done);
        rs_buf_str(out, secret.by);
    }
    rs_buf_put(out, text.p + done, text.n - done);
}
