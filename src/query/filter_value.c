#include "query/filter_value.h"

#include "base/clock.h"
#include "base/json_read.h"
#include <math.h>
#include <stdlib.h>

/* ---- operands ------------------------------------------------------------------------------------------ */

static bool parse_bool(rs_str s, int64_t *out) {
    bool yes = rs_str_eq_nocase(s, RS_STR("true")) || rs_str_eq(s, RS_STR("1"));
    if (!yes && !rs_str_eq_nocase(s, RS_STR("false")) && !rs_str_eq(s, RS_STR("0"))) return false;
    *out = yes;
    return true;
}

const rs_str *rs_truth_spellings(rs_str s) {
    static const rs_str all[2][RS_TRUTH_SPELLINGS] = {{RS_STR("true"), RS_STR("True"), RS_STR("TRUE")},
                                                      {RS_STR("false"), RS_STR("False"), RS_STR("FALSE")}};
    for (size_t t = 0; t < 2; t++)
        for (size_t i = 0; i < RS_TRUTH_SPELLINGS; i++)
            if (rs_str_eq(all[t][i], s)) return all[t];
    return NULL;
}

/* A number and a unit of time behind it, in seconds. */
static bool parse_seconds(rs_str s, double *out) {
    static const struct {
        rs_str unit;
        double seconds;
    } units[] = {{RS_STR("ns"), 1e-9}, {RS_STR("us"), 1e-6}, {RS_STR("ms"), 1e-3}, {RS_STR("s"), 1},
                 {RS_STR("m"), 60},    {RS_STR("h"), 3600},  {RS_STR("d"), 86400}, {RS_STR("w"), 604800}};
    for (size_t i = 0; i < RS_ARRAY_LEN(units); i++) {
        rs_str number = {s.p, s.n - units[i].unit.n};
        if (!rs_str_ends(s, units[i].unit) || !rs_str_to_double(number, out)) continue;
        *out *= units[i].seconds;
        return isfinite(*out);
    }
    return false;
}

/* "now", "-15m", "now-1h": from this moment on; else a time of its own. */
static bool parse_time(rs_str s, int64_t *out) {
    uint64_t ns;
    double seconds = 0;
    rs_str rest = rs_str_starts(s, RS_STR("now")) ? rs_str_from(s, 3) : s;
    bool relative = rest.n > 0 && (rest.p[0] == '-' || rest.p[0] == '+');
    if (!relative && rest.n != s.n && rest.n > 0) return false;
    if (!relative && rest.n == s.n) {
        if (!rs_clock_parse_bound(s, &ns)) return false;
        *out = (int64_t)ns;
        return true;
    }
    if (relative && !parse_seconds(rest.p[0] == '+' ? rs_str_from(rest, 1) : rest, &seconds)) return false;
    seconds += (double)rs_clock_wall_ns() / 1e9;
    ns = seconds < 0 ? 0 : seconds > 1.8e10 ? UINT64_MAX : (uint64_t)(seconds * 1e9);
    *out = (int64_t)ns;
    return true;
}

bool rs_operand_parse(const rs_field *field, rs_field_type type, rs_str s, rs_field_value *out) {
    switch (type) {
    case RS_FIELD_INT:
    case RS_FIELD_REAL:
        if (field && (field->flags & RS_FIELD_SECONDS) && parse_seconds(s, &out->real)) return true;
        return rs_str_to_double(s, &out->real) && isfinite(out->real);
    case RS_FIELD_BOOL:
        return parse_bool(s, &out->integer);
    case RS_FIELD_TIME:
        return parse_time(s, &out->integer);
    case RS_FIELD_TEXT:
    case RS_FIELD_JSON:
        break;
    }
    return true;
}

const char *rs_field_type_phrase(rs_field_type type) {
    switch (type) {
    case RS_FIELD_INT:
    case RS_FIELD_REAL:
        return "a number";
    case RS_FIELD_BOOL:
        return "true or false";
    case RS_FIELD_TIME:
        return "an RFC 3339 time, Unix seconds (not milliseconds) or a time from now as '-1h'";
    case RS_FIELD_TEXT:
    case RS_FIELD_JSON:
        break;
    }
    return "text";
}

/* ---- comparing ----------------------------------------------------------------------------------------- */

static unsigned char fold(char c) { return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c); }

bool rs_text_has(rs_str s, rs_str word) {
    return word.n == 0 || (s.n >= word.n && memmem(s.p, s.n, word.p, word.n) != NULL);
}

static char *put_folded(char *out, rs_str s) {
    for (size_t i = 0; i < s.n; i++) out[i] = (char)fold(s.p[i]);
    return out + s.n;
}

/* Looking at each place takes as long as both are, if much of the word is at many places: "aaa…b". */
static bool has_long_nocase(rs_str s, rs_str word, bool *has) {
    char *folded = s.n >= word.n ? malloc(s.n + word.n) : NULL;
    if (!folded) return false;
    put_folded(put_folded(folded, s), word);
    *has = memmem(folded, s.n, folded + s.n, word.n) != NULL;
    free(folded);
    return true;
}

bool rs_text_has_nocase(rs_str s, rs_str word) {
    enum { SHORT = 16 };
    bool has;
    if (word.n > SHORT && has_long_nocase(s, word, &has)) return has;
    if (word.n == 0) return true;
    unsigned char low = fold(word.p[0]),
                  up = (unsigned char)(low >= 'a' && low <= 'z' ? low - ('a' - 'A') : low);
    for (size_t at = 0; at + word.n <= s.n; at++) {
        size_t i = 1;
        if ((unsigned char)s.p[at] != low && (unsigned char)s.p[at] != up) continue;
        while (i < word.n && fold(s.p[at + i]) == fold(word.p[i])) i++;
        if (i == word.n) return true;
    }
    return false;
}

static bool in_order(rs_filter_op op, int order) {
    switch (op) {
    case RS_OP_LT:
        return order < 0;
    case RS_OP_LTE:
        return order <= 0;
    case RS_OP_GT:
        return order > 0;
    case RS_OP_GTE:
        return order >= 0;
    default:
        return order == 0;
    }
}

static int order_of(rs_str a, rs_str b) {
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n ? memcmp(a.p, b.p, n) : 0;
    return order ? order : (a.n > b.n) - (a.n < b.n);
}

static bool compare_text(rs_filter_op op, rs_str v, rs_str operand) {
    switch (op) {
    case RS_OP_IEXACT:
        return rs_str_eq_nocase(v, operand);
    case RS_OP_CONTAINS:
        return rs_text_has(v, operand);
    case RS_OP_ICONTAINS:
        return rs_text_has_nocase(v, operand);
    case RS_OP_STARTSWITH:
        return rs_str_starts(v, operand);
    case RS_OP_ENDSWITH:
        return rs_str_ends(v, operand);
    default:
        return rs_op_is_order(op) ? in_order(op, order_of(v, operand)) : rs_str_eq(v, operand);
    }
}

/* One value against one operand. */
static bool compare(rs_field_type type, rs_filter_op op, const rs_field_value *v,
                    const rs_field_value *operand) {
    double d = type == RS_FIELD_INT ? (double)v->integer : v->real;
    switch (type) {
    case RS_FIELD_INT:
    case RS_FIELD_REAL:
        return in_order(op, (d > operand->real) - (d < operand->real));
    case RS_FIELD_TIME: /* a span may say that it was past 2262 */
        return in_order(op, ((uint64_t)v->integer > (uint64_t)operand->integer) -
                                ((uint64_t)v->integer < (uint64_t)operand->integer));
    case RS_FIELD_BOOL:
        return in_order(op, (v->integer > operand->integer) - (v->integer < operand->integer));
    case RS_FIELD_TEXT:
    case RS_FIELD_JSON:
        break;
    }
    return compare_text(op, v->text, operand->text);
}

/* The operand may also be what is behind the last slash of a value, or begin it. */
static bool may_be_part(const rs_condition *c, const rs_field_value *operand) {
    bool may = (c->op == RS_OP_EQUAL || c->op == RS_OP_STARTSWITH) && !c->as_text && c->field &&
               (c->field->flags & RS_FIELD_LAST_PART);
    return may && operand->text.n > 0 && !memchr(operand->text.p, '/', operand->text.n);
}

bool rs_condition_decide(const rs_condition *c, bool known, const rs_field_value *v) {
    if (c->op == RS_OP_ISNULL) return known != (c->values[0].integer != 0);
    bool any = false;
    rs_field_type type = c->field ? c->field->type : c->type;
    for (size_t i = 0; i < c->nvalues && !any; i++) {
        if (known)
            any = compare(type, c->op, v, &c->values[i]) ||
                  (may_be_part(c, &c->values[i]) &&
                   compare_text(c->op, rs_str_behind_slash(v->text), c->values[i].text));
        else
            any = type == RS_FIELD_TEXT && c->op == RS_OP_EQUAL &&
                  c->values[i].text.n == 0; /* "" is what is not there */
    }
    return any;
}

/* ---- values that have no type of their own -------------------------------------------------------------- */

/* What a value was before it is read as text. */
typedef enum sent_as { SENT_TEXT, SENT_NUMBER, SENT_BOOL, SENT_OTHER } sent_as;

static sent_as sent_as_json(rs_str raw) {
    char first = raw.n > 0 ? raw.p[0] : '{';
    if (first == '"') return SENT_TEXT;
    if (first == '-' || (first >= '0' && first <= '9')) return SENT_NUMBER;
    return first == 't' || first == 'f' ? SENT_BOOL : SENT_OTHER;
}

static sent_as sent_as_attr(rs_value_type type) {
    if (type == RS_VALUE_STRING) return SENT_TEXT;
    if (type == RS_VALUE_INT || type == RS_VALUE_DOUBLE) return SENT_NUMBER;
    return type == RS_VALUE_BOOL ? SENT_BOOL : SENT_OTHER;
}

/* Text; and a number where it is compared as one, which a number that was sent is by equality too: 7.0 is 7. What is equal to true is so
 * however it is spelled. */
static bool decide_loose(const rs_condition *c, bool known, rs_str text, sent_as sent) {
    rs_field_value v = {.text = text, .real = NAN};
    if (known && c->as_text && (sent == SENT_NUMBER || sent == SENT_BOOL)) return false;
    if (known && c->type == RS_FIELD_REAL) known = rs_str_to_double(text, &v.real);
    if (rs_condition_decide(c, known, &v)) return true;
    const rs_str *truth = known && c->op == RS_OP_EQUAL && !c->as_text ? rs_truth_spellings(text) : NULL;
    for (size_t i = 0; i < c->nvalues && truth; i++)
        if (rs_truth_spellings(c->values[i].text) == truth) return true;
    double number, operand;
    if (!known || sent != SENT_NUMBER || c->op != RS_OP_EQUAL || !rs_str_to_double(text, &number))
        return false;
    for (size_t i = 0; i < c->nvalues; i++)
        if (rs_str_to_double(c->values[i].text, &operand) && operand == number) return true;
    return false;
}

bool rs_condition_decide_json(const rs_condition *c, rs_str object) {
    rs_arena arena;
    rs_json_reader r;
    rs_str text = {0}, raw;
    bool known = false;
    sent_as sent = SENT_OTHER;
    rs_arena_init(&arena, 1 << 20);
    rs_json_read_init(&r, object, &arena);
    bool whole = rs_json_read(&r) == RS_JSON_OBJECT;
    while (whole && !known && rs_json_read(&r) == RS_JSON_KEY) {
        bool wanted = rs_str_eq(r.text, c->key);
        if (!rs_json_read_skip(&r, &raw)) break;
        if (!wanted) continue;
        known = !rs_str_eq(raw, RS_STR("null"));
        text = raw;
        sent = sent_as_json(raw);
        if (sent == SENT_TEXT) { /* a string's characters, else the JSON as it stands */
            rs_json_reader value;
            rs_json_read_init(&value, raw, &arena);
            known = rs_json_read(&value) == RS_JSON_STRING;
            text = value.text;
        }
        break;
    }
    bool holds = decide_loose(c, known, text, sent);
    rs_arena_deinit(&arena);
    return holds;
}

/* Where dialects keep metadata; what is an object there is looked into. */
static const rs_attr *find_metadata(const rs_attrs *attrs, rs_str key, rs_str *object) {
    static const rs_str prefixes[] = {RS_STR("respan.metadata."), RS_STR("traceloop.association.properties."),
                                      RS_STR("langfuse.trace.metadata."), RS_STR("metadata.")};
    static const rs_str objects[] = {RS_STR("respan.metadata"), RS_STR("metadata")};
    for (size_t p = 0; p < RS_ARRAY_LEN(prefixes); p++)
        for (uint32_t i = attrs->n; i-- > 0;) {
            const rs_attr *a = &attrs->items[i];
            if (a->key.n == prefixes[p].n + key.n && rs_str_starts(a->key, prefixes[p]) &&
                rs_str_ends(a->key, key))
                return a;
        }
    for (size_t o = 0; o < RS_ARRAY_LEN(objects) && !object->n; o++) {
        const rs_attr *a = rs_attrs_find(attrs, objects[o]);
        if (a && a->value.type == RS_VALUE_STRING) *object = a->value.s;
    }
    return NULL;
}

bool rs_condition_decide_attrs(const rs_condition *c, const rs_attrs *attrs) {
    rs_str object = {0}, text = {0};
    const rs_attr *a = c->of_model ? rs_attrs_find(attrs, c->key) : find_metadata(attrs, c->key, &object);
    if (!a && object.n) return rs_condition_decide_json(c, object);
    if (!a) return decide_loose(c, false, text, SENT_OTHER);
    if (a->value.type == RS_VALUE_STRING) return decide_loose(c, true, a->value.s, SENT_TEXT);
    rs_buf buf;
    rs_buf_init(&buf);
    rs_json j = rs_json_on(&buf);
    rs_value_write_json(&j, &a->value);
    bool known = rs_buf_status(&buf) == RS_OK;
    bool holds = decide_loose(c, known, rs_buf_slice(&buf), sent_as_attr(a->value.type));
    rs_buf_deinit(&buf);
    return holds;
}

/* A string's characters, else the JSON as written; p NULL: there is no such key, or null. */
rs_str rs_metadata_of_json(rs_str object, rs_str key, rs_arena *arena) {
    rs_json_reader r;
    rs_str raw;
    rs_json_read_init(&r, object, arena);
    if (rs_json_read(&r) != RS_JSON_OBJECT) return (rs_str){0};
    while (rs_json_read(&r) == RS_JSON_KEY) {
        bool wanted = rs_str_eq(r.text, key);
        if (!rs_json_read_skip(&r, &raw)) break;
        if (!wanted) continue;
        rs_json_reader value;
        rs_json_read_init(&value, raw, arena);
        if (raw.n > 0 && raw.p[0] == '"')
            return rs_json_read(&value) == RS_JSON_STRING ? value.text : (rs_str){0};
        return rs_str_eq(raw, RS_STR("null")) ? (rs_str){0} : raw;
    }
    return (rs_str){0};
}

rs_str rs_metadata_of_attrs(const rs_attrs *attrs, rs_str key, rs_arena *arena) {
    rs_str object = {0}, text = {0};
    const rs_attr *a = find_metadata(attrs, key, &object);
    if (!a) return object.n ? rs_metadata_of_json(object, key, arena) : text;
    if (a->value.type == RS_VALUE_STRING) return a->value.s;
    if (a->value.type == RS_VALUE_EMPTY) return text;
    rs_buf buf;
    rs_buf_init(&buf);
    rs_json j = rs_json_on(&buf);
    rs_value_write_json(&j, &a->value);
    if (rs_buf_status(&buf) == RS_OK) text = rs_arena_copy(arena, rs_buf_slice(&buf));
    rs_buf_deinit(&buf);
    return text;
}
