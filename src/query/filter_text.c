/* The text form of a filter (docs/filter-language.md) -> the tree. By recursive descent; depth is the builder's to bound, and each
 * byte is looked at a bounded number of times. */
#include "base/ids.h"
#include "query/filter.h"

#include <stdio.h>

typedef struct parser {
    rs_filter_builder build;
    rs_str in;
    size_t at;
    rs_err *err;
    bool failed;
    rs_status status;
} parser;

static rs_filter_node *parse_any(parser *p);

/* ---- errors -------------------------------------------------------------------------------------------- */

static rs_filter_node *fail_at(parser *p, size_t at, rs_status st, const char *fmt, rs_str what) {
    if (p->failed) return NULL;
    p->failed = true;
    p->status = st;
    rs_str shown = rs_str_cut_utf8(what, 60);
    char message[200];
    snprintf(message, sizeof message, fmt, RS_STR_ARG(shown));
    (void)!rs_fail(p->err, st, at, "%s", message);
    return NULL;
}

/* What the tree's functions said, with the place. */
static rs_filter_node *pass_on(parser *p, size_t at, rs_status st, const rs_err *why) {
    p->failed = true;
    p->status = rs_fail(p->err, st, at, "%s", why->message[0] ? why->message : rs_status_text(st));
    return NULL;
}

static rs_filter_node *check(parser *p, rs_filter_node *node) {
    return node || p->failed ? node : fail_at(p, p->at, RS_ERR_MEMORY, "out of memory%.*s", (rs_str){0});
}

/* What is text to us, but was likely meant otherwise; the first such is told. */
static void hint_no_field(parser *p, rs_str what, rs_str name) {
    rs_filter *f = p->build.filter;
    what = rs_str_cut_utf8(what, 40), name = rs_str_cut_utf8(name, 40);
    if (!f->hint[0])
        snprintf(f->hint, sizeof f->hint, "'%.*s' was looked for as text: a %s has no field '%.*s'",
                 RS_STR_ARG(what), p->build.table->what, RS_STR_ARG(name));
}

static void hint_not(parser *p, rs_str word) {
    rs_filter *f = p->build.filter;
    word = rs_str_cut_utf8(word, 40);
    if (!f->hint[0])
        snprintf(f->hint, sizeof f->hint, "'-%.*s' was looked for as text: without it is NOT %.*s",
                 RS_STR_ARG(word), RS_STR_ARG(word));
}

/* ---- bytes --------------------------------------------------------------------------------------------- */

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

static void skip_spaces(parser *p) {
    while (p->at < p->in.n && is_space(p->in.p[p->at])) p->at++;
}

static char peek(const parser *p) { return p->at < p->in.n ? p->in.p[p->at] : 0; }

static rs_str rest(const parser *p) { return rs_str_from(p->in, p->at); }

static bool is_end_of_word(rs_str s) {
    return s.n == 0 || is_space(s.p[0]) || strchr("()\"", s.p[0]) != NULL;
}

/* AND, OR, NOT, in: a word of its own. */
static bool take_word(parser *p, rs_str word) {
    if (!rs_str_starts(rest(p), word) || !is_end_of_word(rs_str_from(rest(p), word.n))) return false;
    p->at += word.n;
    return true;
}

static bool has_word(const parser *p, rs_str word) {
    parser copy = *p;
    return take_word(&copy, word);
}

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

static bool is_name_byte(char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
}

static rs_str name_at(const parser *p) {
    size_t end = p->at;
    while (end < p->in.n && is_name_byte(p->in.p[end])) end++;
    return (rs_str){p->in.p + p->at, end - p->at};
}

/* \uXXXX of a character that cannot be seen, or that reorders what stands around it: so it can be written, and is shown as what it is. Of
 * any other it is text as it stands. Bytes read, 0 if it is none such; *n bytes are in out. */
static size_t take_unseen(rs_str s, char out[3], size_t *n) {
    uint8_t bytes[2];
    if (s.n < 6 || s.p[0] != '\\' || s.p[1] != 'u' || !rs_unhex((rs_str){s.p + 2, 4}, bytes, 2)) return 0;
    unsigned c = (unsigned)bytes[0] << 8 | bytes[1];
    bool is_unseen = c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x61c || (c >= 0x200b && c <= 0x200f) ||
                     (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff;
    if (!is_unseen) return 0;
    *n = c < 0x80 ? 1 : c < 0x800 ? 2 : 3;
    out[*n - 1] = (char)(*n == 1 ? c : 0x80 | (c & 0x3f));
    if (*n == 2) out[0] = (char)(0xc0 | c >> 6);
    if (*n == 3) out[0] = (char)(0xe0 | c >> 12), out[1] = (char)(0x80 | (c >> 6 & 0x3f));
    return 6;
}

/* "…" with \" and \\; the quote is read. */
static bool take_quoted(parser *p, rs_str *out) {
    size_t start = p->at++, n = 0;
    char *to = rs_arena_alloc(p->build.arena, p->in.n - start);
    if (!to) return check(p, NULL), false;
    for (; p->at < p->in.n; p->at++) {
        char c = p->in.p[p->at];
        if (c == '"') {
            p->at++;
            *out = (rs_str){to, n};
            return true;
        }
        size_t bytes, read = take_unseen(rest(p), to + n, &bytes);
        if (read) {
            p->at += read - 1, n += bytes;
            continue;
        }
        bool escapes = c == '\\' && p->at + 1 < p->in.n;
        if (escapes && (p->in.p[p->at + 1] == '"' || p->in.p[p->at + 1] == '\\')) c = p->in.p[++p->at];
        to[n++] = c;
    }
    fail_at(p, start, RS_ERR_INVALID, "this quote is not closed: end it with \", or write \\\" for one%.*s",
            (rs_str){0});
    return false;
}

static rs_str with_unseen(parser *p, rs_str word) {
    size_t n = 0;
    if (!memmem(word.p ? word.p : "", word.n, "\\u", 2)) return word;
    char *to = rs_arena_alloc(p->build.arena, word.n + 3);
    if (!to) return check(p, NULL), word;
    for (size_t at = 0; at < word.n;) {
        size_t bytes, read = take_unseen(rs_str_from(word, at), to + n, &bytes);
        if (!read) to[n] = word.p[at], read = bytes = 1;
        at += read, n += bytes;
    }
    return (rs_str){to, n};
}

/* Up to a space, a quote, or the parenthesis that closes one from before; in a list up to a comma too. */
static rs_str take_plain(parser *p, bool in_list) {
    size_t start = p->at, open = 0;
    for (; p->at < p->in.n; p->at++) {
        char c = p->in.p[p->at];
        if (is_space(c) || c == '"' || (in_list && c == ',') || (c == ')' && open == 0)) break;
        if (c == '(') open++;
        if (c == ')') open--;
    }
    return with_unseen(p, (rs_str){p->in.p + start, p->at - start});
}

/* Behind a name that ends where a key of metadata begins, the key may be in quotes: metadata."my key". False: it is refused. */
static bool take_quoted_key(parser *p, rs_str *name) {
    static const rs_str prefix = RS_STR("metadata.");
    rs_str key;
    if (peek(p) != '"' || !(rs_str_eq(*name, prefix) || rs_str_eq(*name, RS_STR("metadata__")))) return true;
    if (!take_quoted(p, &key)) return false;
    char *whole = rs_arena_alloc(p->build.arena, prefix.n + key.n);
    if (!whole) return check(p, NULL), false;
    memcpy(whole, prefix.p, prefix.n);
    memcpy(whole + prefix.n, key.p, key.n);
    *name = (rs_str){whole, prefix.n + key.n};
    return true;
}

/* ---- conditions ---------------------------------------------------------------------------------------- */

typedef enum sign {
    SIGN_NONE,
    SIGN_HAS,
    SIGN_EQUAL,
    SIGN_NOT,
    SIGN_LT,
    SIGN_LTE,
    SIGN_GT,
    SIGN_GTE,
    SIGN_IN_TEXT
} sign;

static sign take_sign(parser *p) {
    static const struct {
        rs_str text;
        sign sign;
    } signs[] = {{RS_STR("!="), SIGN_NOT},    {RS_STR(">="), SIGN_GTE}, {RS_STR("<="), SIGN_LTE},
                 {RS_STR(">"), SIGN_GT},      {RS_STR("<"), SIGN_LT},   {RS_STR("="), SIGN_EQUAL},
                 {RS_STR("~"), SIGN_IN_TEXT}, {RS_STR(":"), SIGN_HAS}};
    for (size_t i = 0; i < RS_ARRAY_LEN(signs); i++) {
        if (!rs_str_starts(rest(p), signs[i].text)) continue;
        p->at += signs[i].text.n;
        return signs[i].sign;
    }
    return SIGN_NONE;
}

static rs_filter_op op_of(sign s) {
    static const rs_filter_op ops[] = {
        [SIGN_HAS] = RS_OP_EQUAL, [SIGN_EQUAL] = RS_OP_EQUAL,      [SIGN_NOT] = RS_OP_NOT,
        [SIGN_LT] = RS_OP_LT,     [SIGN_LTE] = RS_OP_LTE,          [SIGN_GT] = RS_OP_GT,
        [SIGN_GTE] = RS_OP_GTE,   [SIGN_IN_TEXT] = RS_OP_ICONTAINS};
    return ops[s];
}

static rs_filter_node *condition(parser *p, size_t at, rs_str name, rs_filter_op op, const rs_str *values,
                                 size_t n) {
    rs_err why = {0};
    rs_filter_node *node = NULL;
    if (p->failed) return NULL;
    rs_status st = rs_filter_condition(&p->build, name, op, values, n, &node, &why);
    return st == RS_OK ? node : pass_on(p, at, st, &why);
}

/* What is equal to a value in quotes was sent as that text, or is that whole name. */
static rs_filter_node *as_text(rs_filter_node *node) {
    rs_filter_node *of = node && node->kind == RS_FILTER_NOT ? node->child : node;
    if (!of || of->kind != RS_FILTER_CONDITION) return node;
    rs_condition *c = &of->condition;
    bool may_mean_more = c->field ? (c->field->flags & RS_FIELD_LAST_PART) != 0 : !c->of_model;
    c->as_text = may_mean_more && c->op == RS_OP_EQUAL;
    return node;
}

/* "a*", "*a", "*a*" and "*" alone; *value loses the stars. */
static bool take_stars(rs_str *value, rs_filter_op *op) {
    bool before = value->n > 0 && value->p[0] == '*', after = value->n > 1 && value->p[value->n - 1] == '*';
    if (!before && !after) return false;
    *op = before && after ? RS_OP_CONTAINS : before ? RS_OP_ENDSWITH : RS_OP_STARTSWITH;
    if (after) value->n--;
    if (before) *value = rs_str_from(*value, 1);
    if (value->n == 0) *op = RS_OP_ISNULL, *value = RS_STR("false");
    return true;
}

static rs_filter_node *parse_list(parser *p, rs_str name, size_t at) {
    void *values = NULL;
    size_t n = 0, cap = 0;
    bool all_quoted = true;
    do {
        rs_str value;
        p->at++; /* the parenthesis, or a comma */
        skip_spaces(p);
        bool quoted = peek(p) == '"';
        if (quoted && !take_quoted(p, &value)) return NULL;
        if (!quoted) value = take_plain(p, true);
        if (!quoted && value.n == 0)
            return fail_at(p, p->at, RS_ERR_INVALID, "a value is missing in the list of '%.*s'", name);
        if (!rs_arena_grow(p->build.arena, &values, n, &cap, sizeof(rs_str))) return check(p, NULL);
        ((rs_str *)values)[n++] = value;
        all_quoted = all_quoted && quoted;
        skip_spaces(p);
    } while (peek(p) == ',' && n <= RS_FILTER_MAX_VALUES);
    if (peek(p) != ')')
        return fail_at(p, p->at, RS_ERR_INVALID, "the list of '%.*s' goes on with , or ends with )", name);
    p->at++;
    rs_filter_node *node = condition(p, at, name, RS_OP_IN, values, n);
    return all_quoted ? as_text(node) : node;
}

/* What follows the name and its sign. */
static rs_filter_node *parse_value(parser *p, rs_str name, sign s, size_t at) {
    rs_filter_op op = op_of(s);
    rs_str value;
    if (s != SIGN_HAS) skip_spaces(p);
    if (s == SIGN_HAS && strchr("<>=!~", peek(p)) && peek(p)) { /* duration:>2 */
        sign inner = take_sign(p);
        if (inner != SIGN_NONE) return parse_value(p, name, inner, at);
    }
    size_t value_at = p->at;
    if (peek(p) == '"')
        return take_quoted(p, &value) ? as_text(condition(p, value_at, name, op, &value, 1)) : NULL;
    value = take_plain(p, false);
    if (value.n == 0)
        return fail_at(
            p, value_at, RS_ERR_INVALID,
            "a value is missing behind '%.*s': write one, \"\" for what is not there, * for what is", name);
    if (s == SIGN_HAS) take_stars(&value, &op);
    return condition(p, value_at, name, op, &value, 1);
}

/* How many letters have to be changed, added or left out to make b of a; 3: more than two. */
static unsigned distance(rs_str a, rs_str b) {
    enum { LETTERS = 32 };
    unsigned row[LETTERS + 1];
    if (a.n > LETTERS || b.n > LETTERS) return 3;
    for (size_t j = 0; j <= b.n; j++) row[j] = (unsigned)j;
    for (size_t i = 1; i <= a.n; i++) {
        unsigned corner = row[0];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b.n; j++) {
            unsigned change = corner + (a.p[i - 1] != b.p[j - 1]);
            corner = row[j];
            row[j] = row[j] + 1 < row[j - 1] + 1 ? row[j] + 1 : row[j - 1] + 1;
            if (change < row[j]) row[j] = change;
        }
    }
    return row[b.n] < 3 ? row[b.n] : 3;
}

/* A field's name, or another of its names, that somebody who wrote that one may have meant; empty: none. Of a short name the first letter
 * has to be right: a host is no cost. */
static rs_str similar(const rs_field_table *table, rs_str name) {
    rs_str best = {0};
    unsigned least = name.n < 5 ? 2 : 3;
    for (size_t i = 0; i < table->n; i++) {
        const char *at = table->fields[i].name, *aliases = table->fields[i].aliases;
        for (size_t n; at && *at; at = at == table->fields[i].name ? aliases : at + n + (at[n] == ' ')) {
            n = strcspn(at, " ");
            if (n < 3 || (name.n < 5 && name.p[0] != *at)) continue;
            unsigned d = distance(name, (rs_str){at, n});
            if (d < least) least = d, best = (rs_str){at, n};
        }
    }
    return best;
}

/* What a span is shown with, but not filtered by: it is not among what lists read. */
static bool is_in_full_only(const rs_field_table *table, rs_str name) {
    static const char *const names[] = {"input",  "output", "metadata", "parameters", "tools",   "attributes",
                                        "events", "links",  "resource", "scope",      "children"};
    for (size_t i = 0; table == &rs_span_fields && i < RS_ARRAY_LEN(names); i++)
        if (rs_str_eq(name, rs_str_of(names[i]))) return true;
    return false;
}

/* span(…), or span.FIELD, in a list of spans. */
static rs_filter_node *refuse_span(parser *p, size_t at) {
    return fail_at(p, at, RS_ERR_INVALID, "span(…) is for lists of traces: here all is about one span%.*s",
                   (rs_str){0});
}

/* A name that no field has, with a sign behind it: likely a field misspelt, or else text, such as http://… */
static rs_filter_node *refuse_name(parser *p, rs_str name, sign s) {
    rs_str meant = similar(p->build.table, name);
    char fmt[160];
    if (is_in_full_only(p->build.table, name))
        return fail_at(
            p, p->at, RS_ERR_INVALID,
            rs_str_eq(name, RS_STR("metadata"))
                ? "spans are filtered by the keys of their %.*s: metadata.KEY"
                : "spans are not filtered by their %.*s: look for words in what they say by text:WORD",
            name);
    if (!meant.n && (s == SIGN_HAS || s == SIGN_EQUAL)) return NULL;
    snprintf(fmt, sizeof fmt, "a %s has no field '%%.*s'%s%.*s%s put it in quotes to look for it as text",
             p->build.table->what, meant.n ? ": did you mean '" : "", RS_STR_ARG(meant),
             meant.n ? "'? Or" : ";");
    return fail_at(p, p->at, RS_ERR_INVALID, fmt, name);
}

/* has:FIELD, the same as FIELD:*; what stands behind the colon comes next. */
static rs_filter_node *parse_has(parser *p) {
    size_t at = p->at;
    rs_str name, known = RS_STR("false");
    if (peek(p) != '"') name = take_plain(p, false);
    else if (!take_quoted(p, &name)) return NULL;
    if (!take_quoted_key(p, &name)) return NULL;
    if (rs_filter_knows(p->build.table, name)) return condition(p, at, name, RS_OP_ISNULL, &known, 1);
    p->at = at;
    return refuse_name(p, name, SIGN_NONE);
}

static bool parse_condition(parser *p, rs_filter_node **out);

/* span.FIELD and what follows, the same as span(FIELD …); the name's other part comes next. */
static rs_filter_node *parse_of_span(parser *p, size_t at) {
    const rs_field_table *outer = p->build.table;
    rs_filter_node *node;
    p->build.table = &rs_span_fields;
    bool is_condition = parse_condition(p, &node);
    p->build.table = outer;
    if (!is_condition) return NULL;
    if (outer == &rs_span_fields) return refuse_span(p, at);
    return node ? check(p, rs_filter_make(&p->build, RS_FILTER_SPAN, node)) : NULL;
}

/* field:value and the like. False, with nothing read, if that is not what comes next. */
static bool parse_condition(parser *p, rs_filter_node **out) {
    static const rs_str of_span = RS_STR("span."), has = RS_STR("has:");
    size_t start = p->at;
    rs_str name = name_at(p);
    *out = NULL;
    if (name.n == 0 || name.p[0] == '-' || name.p[0] == '.') return false;
    if (rs_str_starts(name, of_span)) {
        p->at += of_span.n;
        *out = parse_of_span(p, start);
        if (!*out && !p->failed) p->at = start;
        return *out || p->failed;
    }
    if (rs_str_starts(rest(p), has) &&
        (!is_end_of_word(rs_str_from(rest(p), has.n)) || rs_str_starts(rest(p), RS_STR("has:\"")))) {
        p->at += has.n;
        *out = parse_has(p);
        return true;
    }
    p->at += name.n;
    if (!take_quoted_key(p, &name)) return true;
    size_t behind = p->at;
    bool known = rs_filter_knows(p->build.table, name);
    sign s = take_sign(p);
    if (s == SIGN_NONE && known) { /* behind spaces: all but the colon */
        skip_spaces(p);
        if (take_word(p, RS_STR("in")) && (skip_spaces(p), peek(p) == '(')) {
            *out = parse_list(p, name, start);
            return true;
        }
        p->at = behind;
        skip_spaces(p);
        if (peek(p) != ':') s = take_sign(p);
    }
    if (s != SIGN_NONE && known) {
        *out = parse_value(p, name, s, start);
        return true;
    }
    bool has_value = s != SIGN_NONE && !is_end_of_word(rest(p)) && !rs_str_starts(rest(p), RS_STR("//"));
    bool is_like_a_name = name.n > 1 && is_letter(name.p[0]) && peek(p) != ':';
    p->at = start;
    if (has_value) refuse_name(p, name, s);
    if (has_value && is_like_a_name && !p->failed) {
        parser copy = *p;
        hint_no_field(p, take_plain(&copy, false), name);
    }
    return p->failed;
}

/* ---- words, groups, operators -------------------------------------------------------------------------- */

static rs_filter_node *parse_words(parser *p) {
    rs_str word;
    size_t at = p->at;
    rs_err why = {0};
    rs_filter_node *node = NULL;
    bool quoted = peek(p) == '"';
    if (quoted && !take_quoted(p, &word)) return NULL;
    if (quoted && word.n == 0)
        return fail_at(p, at, RS_ERR_INVALID, "there is nothing in these quotes%.*s", word);
    if (!quoted) word = take_plain(p, false);
    rs_status st = rs_filter_word(&p->build, word, false, &node, &why);
    return st == RS_OK ? node : pass_on(p, at, st, &why);
}

/* What is in parentheses; the opening one is read. */
static rs_filter_node *parse_group(parser *p) {
    size_t at = p->at++;
    rs_err why = {0};
    rs_status st = rs_filter_enter(&p->build, &why);
    if (st != RS_OK) return pass_on(p, at, st, &why);
    rs_filter_node *node = parse_any(p);
    p->build.depth--;
    if (!node) return NULL;
    skip_spaces(p);
    if (peek(p) != ')')
        return fail_at(p, at, RS_ERR_INVALID,
                       "this parenthesis is not closed: end it with ), or quote it%.*s", (rs_str){0});
    p->at++;
    return node;
}

static rs_filter_node *parse_span(parser *p) {
    const rs_field_table *outer = p->build.table;
    size_t at = p->at;
    p->at += 4;
    if (outer == &rs_span_fields) return refuse_span(p, at);
    p->build.table = &rs_span_fields;
    rs_filter_node *child = parse_group(p);
    p->build.table = outer;
    return child ? check(p, rs_filter_make(&p->build, RS_FILTER_SPAN, child)) : NULL;
}

/* Behind a minus: a condition, a phrase or a group, all of which it negates. What begins like a number or an option of a command is text. */
static bool is_negated(const parser *p) {
    static const rs_str keys = RS_STR("metadata.\""), of_span = RS_STR("span.");
    parser copy = *p;
    copy.at++;
    if (peek(&copy) == '"' || peek(&copy) == '(' || rs_str_starts(rest(&copy), RS_STR("span("))) return true;
    if (rs_str_starts(rest(&copy), of_span)) copy.at += of_span.n;
    if (rs_str_starts(rest(&copy), keys)) return true;
    rs_str name = name_at(&copy);
    if (name.n == 0 || !is_letter(name.p[0])) return false;
    copy.at += name.n;
    bool known = rs_str_eq(name, RS_STR("has")) || rs_filter_knows(p->build.table, name) ||
                 rs_filter_knows(&rs_span_fields, name) || similar(p->build.table, name).n > 0;
    if (known && take_sign(&copy) != SIGN_NONE) return peek(&copy) == '"' || !is_end_of_word(rest(&copy));
    skip_spaces(&copy);
    return known && take_word(&copy, RS_STR("in")) && (skip_spaces(&copy), peek(&copy) == '(');
}

static bool take_not(parser *p) {
    if (take_word(p, RS_STR("NOT"))) return true;
    if (peek(p) != '-') return false;
    if (is_negated(p)) return p->at++, true;
    parser copy = *p;
    copy.at++;
    rs_str word = take_plain(&copy, false);
    if (word.n > 1 && is_letter(word.p[0])) hint_not(p, word);
    return false;
}

static rs_filter_node *parse_one(parser *p) {
    rs_filter_node *node;
    skip_spaces(p);
    size_t at = p->at;
    if (take_not(p)) {
        rs_err why = {0};
        rs_status st = rs_filter_enter(&p->build, &why);
        if (st != RS_OK) return pass_on(p, at, st, &why);
        node = parse_one(p);
        p->build.depth--;
        return node ? check(p, rs_filter_make(&p->build, RS_FILTER_NOT, node)) : NULL;
    }
    if (p->at == p->in.n || peek(p) == ')' || has_word(p, RS_STR("AND")) || has_word(p, RS_STR("OR")))
        return fail_at(p, p->at, RS_ERR_INVALID,
                       "a condition or a word is missing here; quote AND, OR, NOT and "
                       "parentheses that are meant as text%.*s",
                       (rs_str){0});
    if (peek(p) == '(') return parse_group(p);
    if (rs_str_starts(rest(p), RS_STR("span("))) return parse_span(p);
    return parse_condition(p, &node) ? node : parse_words(p);
}

/* One side of an OR: all of it. */
static rs_filter_node *parse_all(parser *p) {
    rs_filter_node *first = parse_one(p), *all = NULL, *next;
    while (first) {
        skip_spaces(p);
        if (p->at == p->in.n || peek(p) == ')' || has_word(p, RS_STR("OR"))) break;
        take_word(p, RS_STR("AND"));
        if (!all && !(all = check(p, rs_filter_make(&p->build, RS_FILTER_AND, first)))) return NULL;
        if (!(next = parse_one(p))) return NULL;
        rs_filter_append(all, next);
    }
    return all ? all : first;
}

static rs_filter_node *parse_any(parser *p) {
    rs_filter_node *first = parse_all(p), *any = NULL, *next;
    while (first && (skip_spaces(p), take_word(p, RS_STR("OR")))) {
        if (!any && !(any = check(p, rs_filter_make(&p->build, RS_FILTER_OR, first)))) return NULL;
        if (!(next = parse_all(p))) return NULL;
        rs_filter_append(any, next);
    }
    return any ? any : first;
}

rs_status rs_filter_add_text(rs_filter *f, rs_str text, rs_arena *arena, rs_err *err) {
    parser p = {.build = rs_filter_build(f, arena), .in = text, .err = err};
    skip_spaces(&p);
    if (p.at == text.n) return RS_OK;
    rs_filter_node *node = parse_any(&p);
    if (node && p.at < text.n)
        fail_at(&p, p.at, RS_ERR_INVALID, "this parenthesis closes none: quote it if it is meant as text%.*s",
                (rs_str){0});
    if (p.failed) return p.status;
    return node ? rs_filter_require(&p.build, node, err) : RS_ERR_MEMORY;
}
