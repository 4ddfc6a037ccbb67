/* Token counts and costs that come as one JSON object. */
#include "base/json_read.h"
#include "normalize/gather.h"

static const struct count_name {
    rs_str name;
    rs_field field;
} count_names[] = {
    {RS_STR("prompt_tokens"), RS_FIELD_PROMPT_TOKENS},
    {RS_STR("input_tokens"), RS_FIELD_PROMPT_TOKENS},
    {RS_STR("promptTokens"), RS_FIELD_PROMPT_TOKENS},
    {RS_STR("inputTokens"), RS_FIELD_PROMPT_TOKENS},
    {RS_STR("input"), RS_FIELD_PROMPT_TOKENS},
    {RS_STR("completion_tokens"), RS_FIELD_COMPLETION_TOKENS},
    {RS_STR("output_tokens"), RS_FIELD_COMPLETION_TOKENS},
    {RS_STR("completionTokens"), RS_FIELD_COMPLETION_TOKENS},
    {RS_STR("outputTokens"), RS_FIELD_COMPLETION_TOKENS},
    {RS_STR("output"), RS_FIELD_COMPLETION_TOKENS},
    {RS_STR("total_tokens"), RS_FIELD_TOTAL_TOKENS},
    {RS_STR("totalTokens"), RS_FIELD_TOTAL_TOKENS},
    {RS_STR("total"), RS_FIELD_TOTAL_TOKENS},
    {RS_STR("cached_tokens"), RS_FIELD_CACHED_TOKENS},
    {RS_STR("cache_read_tokens"), RS_FIELD_CACHED_TOKENS},
    {RS_STR("cache_read_input_tokens"), RS_FIELD_CACHED_TOKENS},
    {RS_STR("input_cached_tokens"), RS_FIELD_CACHED_TOKENS},
    {RS_STR("input_cache_read"), RS_FIELD_CACHED_TOKENS},
    {RS_STR("reasoning_tokens"), RS_FIELD_REASONING_TOKENS},
    {RS_STR("output_reasoning_tokens"), RS_FIELD_REASONING_TOKENS},
    {RS_STR("output_reasoning"), RS_FIELD_REASONING_TOKENS},
};

/* The counts among RS_FIELD_PROMPT_TOKENS … RS_FIELD_TOTAL_TOKENS, -1 where there is none. */
typedef struct counts {
    long long of[RS_FIELD_TOTAL_TOKENS - RS_FIELD_PROMPT_TOKENS + 1];
} counts;

#define COUNT(counts, field) ((counts)->of[(field)-RS_FIELD_PROMPT_TOKENS])

/* Objects in the object (prompt_tokens_details) say what their counts are by the same names. */
static bool read_counts(rs_str json, counts *out) {
    rs_json_reader r;
    const struct count_name *name = NULL;
    for (size_t i = 0; i < RS_ARRAY_LEN(out->of); i++) out->of[i] = -1;
    rs_json_read_init(&r, json, NULL);
    if (rs_json_read(&r) != RS_JSON_OBJECT) return false;
    for (rs_json_token t; (t = rs_json_read(&r)) != RS_JSON_END;) {
        if (t == RS_JSON_ERROR) return false;
        long long n;
        bool counted = t == RS_JSON_NUMBER && name && rs_str_to_i64(r.text, &n) && n >= 0;
        if (counted && COUNT(out, name->field) < 0) COUNT(out, name->field) = n;
        name = NULL;
        for (size_t i = 0; t == RS_JSON_KEY && !name && i < RS_ARRAY_LEN(count_names); i++)
            if (rs_str_eq(r.text, count_names[i].name)) name = &count_names[i];
    }
    return true;
}

rs_status rs_gather_usage(rs_gather *g, unsigned rank, const rs_value *v) {
    counts c;
    if (v->type != RS_VALUE_STRING || !read_counts(v->s, &c)) return RS_OK;
    /* Where kinds of tokens are listed side by side, the prompt's count leaves those out that came from a cache: the total tells. */
    long long *prompt = &COUNT(&c, RS_FIELD_PROMPT_TOKENS);
    long long rest = COUNT(&c, RS_FIELD_TOTAL_TOKENS) - COUNT(&c, RS_FIELD_COMPLETION_TOKENS);
    if (*prompt >= 0 && COUNT(&c, RS_FIELD_COMPLETION_TOKENS) >= 0 && COUNT(&c, RS_FIELD_CACHED_TOKENS) > 0 &&
        rest > *prompt)
        *prompt = rest;
    rs_status st = RS_OK;
    for (size_t i = 0; st == RS_OK && i < RS_ARRAY_LEN(c.of); i++)
        if (c.of[i] >= 0)
            st = rs_gather_put_copy(g, (rs_field)(RS_FIELD_PROMPT_TOKENS + i), rank,
                                    (rs_value){.type = RS_VALUE_INT, .i = c.of[i]});
    return st;
}

/* {"input": 0.001, "output": 0.002, "total": 0.003}; without a total, what is listed is summed. */
rs_status rs_gather_cost(rs_gather *g, unsigned rank, const rs_value *v) {
    rs_json_reader r;
    double sum = 0, total = -1, d;
    bool any = false, is_total = false;
    if (v->type != RS_VALUE_STRING) return RS_OK;
    rs_json_read_init(&r, v->s, NULL);
    if (rs_json_read(&r) != RS_JSON_OBJECT) return RS_OK;
    for (rs_json_token t; (t = rs_json_read(&r)) != RS_JSON_END;) {
        if (t == RS_JSON_ERROR) return RS_OK;
        if (t == RS_JSON_NUMBER && rs_str_to_double(r.text, &d)) {
            any = true;
            if (is_total) total = d;
            else sum += d;
        }
        is_total = t == RS_JSON_KEY &&
                   (rs_str_eq(r.text, RS_STR("total")) || rs_str_eq(r.text, RS_STR("total_cost")));
    }
    if (!any) return RS_OK;
    return rs_gather_put_copy(g, RS_FIELD_COST, rank,
                              (rs_value){.type = RS_VALUE_DOUBLE, .d = total >= 0 ? total : sum});
}
