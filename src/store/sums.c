#include "store/sums.h"
#include "store/store.h"

#include <math.h>

#define NS_PER_S       1e9
#define SPEED_PER_UNIT 1000.0 /* tokens per second are kept in thousandths */

static void add_count(int64_t *sum, int64_t v, int sign) {
    int64_t more;
    if (v > 0 && !__builtin_add_overflow(*sum, sign * v, &more)) *sum = more;
}

static rs_status add_real(rs_histogram *h, double v, double unit, int sign, rs_arena *arena) {
    double scaled = v * unit;
    if (!(scaled >= 0 && scaled < 9e18)) return RS_OK; /* not known, or nonsense */
    return rs_histogram_add(h, (uint64_t)scaled, sign, arena);
}

static rs_status add_times(rs_sums *s, uint64_t start, uint64_t end, double ttft, double speed, int sign,
                           rs_arena *arena) {
    if (!arena) return RS_OK;
    rs_status st = rs_histogram_add(&s->latency, rs_lasted_ns(start, end), sign, arena);
    if (st == RS_OK) st = add_real(&s->ttft, ttft, NS_PER_S, sign, arena);
    if (st == RS_OK) st = add_real(&s->speed, speed, SPEED_PER_UNIT, sign, arena);
    return st;
}

rs_status rs_sums_add_span(rs_sums *s, const rs_span *head, int sign, rs_arena *arena) {
    const rs_facts *f = &head->facts;
    s->n += sign;
    if (head->status == RS_STATUS_ERROR) s->errors += sign;
    if (rs_log_type_is_model_call(f->log_type)) {
        s->calls += sign;
        add_count(&s->prompt_tokens, f->prompt_tokens, sign);
        add_count(&s->completion_tokens, f->completion_tokens, sign);
        add_count(&s->cached_tokens, f->cached_tokens, sign);
        add_count(&s->reasoning_tokens, f->reasoning_tokens, sign);
    }
    if (isfinite(f->cost) && rs_facts_own_cost(f)) s->cost += sign * f->cost;
    return add_times(s, head->start_ns, head->end_ns, f->ttft, f->tokens_per_second, sign, arena);
}

rs_status rs_sums_add_trace(rs_sums *s, const rs_trace_row *row, int sign, rs_arena *arena) {
    s->n += sign;
    if (row->error_count > 0) s->errors += sign;
    add_count(&s->calls, row->llm_call_count, sign);
    add_count(&s->prompt_tokens, row->prompt_tokens, sign);
    add_count(&s->completion_tokens, row->completion_tokens, sign);
    if (isfinite(row->cost)) s->cost += sign * row->cost;
    return add_times(s, row->start_ns, row->end_ns, row->ttft, row->tokens_per_second, sign, arena);
}

static void merge_count(int64_t *sum, int64_t v, double scale) {
    int64_t more, scaled = scale == 1 ? v : llround((double)v * scale);
    if (!__builtin_add_overflow(*sum, scaled, &more)) *sum = more;
}

rs_status rs_sums_merge(rs_sums *s, const rs_sums *o, double scale, rs_arena *arena) {
    merge_count(&s->n, o->n, scale);
    merge_count(&s->calls, o->calls, scale);
    merge_count(&s->errors, o->errors, scale);
    merge_count(&s->prompt_tokens, o->prompt_tokens, scale);
    merge_count(&s->completion_tokens, o->completion_tokens, scale);
    merge_count(&s->cached_tokens, o->cached_tokens, scale);
    merge_count(&s->reasoning_tokens, o->reasoning_tokens, scale);
    s->cost += o->cost * scale;
    rs_status st = rs_histogram_merge(&s->latency, &o->latency, scale, arena);
    if (st == RS_OK) st = rs_histogram_merge(&s->ttft, &o->ttft, scale, arena);
    if (st == RS_OK) st = rs_histogram_merge(&s->speed, &o->speed, scale, arena);
    return st;
}
