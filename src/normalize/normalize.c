#include "normalize/normalize.h"
#include "base/clock.h"
#include "normalize/gather.h"
#include "normalize/messages.h"
#include "normalize/usage_estimate.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

/* ---- values of the right type -------------------------------------------------------------------------- */

static rs_status text_of(const rs_gather *g, rs_field field, rs_str *out) {
    const rs_value *v = g->best[field];
    *out = (rs_str){0};
    if (!v) return RS_OK;
    if (v->type == RS_VALUE_STRING) return *out = v->s, RS_OK;
    char digits[24]; /* an identifier sent as a number */
    int n = snprintf(digits, sizeof digits, "%" PRId64, v->i);
    *out = rs_arena_copy(g->arena, (rs_str){digits, (size_t)n});
    return out->p ? RS_OK : RS_ERR_MEMORY;
}

static double number_of(const rs_gather *g, rs_field field) {
    const rs_value *v = g->best[field];
    double d = NAN;
    if (!v) return d;
    if (v->type == RS_VALUE_INT) d = (double)v->i;
    else if (v->type == RS_VALUE_DOUBLE) d = v->d;
    else rs_str_to_double(v->s, &d);
    return isfinite(d) && d >= 0 ? d : NAN;
}

static int64_t count_of(const rs_gather *g, rs_field field) {
    double d = number_of(g, field);
    return isnan(d) || d > RS_SUMMED_MOST ? -1 : (int64_t)d;
}

static double cost_of(const rs_gather *g) {
    double d = number_of(g, RS_FIELD_COST);
    return d > RS_SUMMED_MOST ? NAN : d;
}

/* OpenInference's event. */
static double first_token_event(const rs_span *span) {
    for (uint32_t i = 0; i < span->nevents; i++)
        if (rs_str_eq(span->events[i].name, RS_STR("First Token Stream Event")))
            return span->events[i].time_ns >= span->start_ns
                       ? (double)(span->events[i].time_ns - span->start_ns) / 1e9
                       : NAN;
    return NAN;
}

static double seconds_of(const rs_gather *g, const rs_span *span) {
    double seconds = number_of(g, RS_FIELD_TTFT), ms = number_of(g, RS_FIELD_TTFT_MS);
    const rs_value *v = g->best[RS_FIELD_FIRST_TOKEN_TIME];
    uint64_t at;
    if (!isnan(seconds)) return seconds;
    if (!isnan(ms)) return ms / 1e3;
    if (!v || v->type != RS_VALUE_STRING) return first_token_event(span);
    bool quoted = v->s.n > 2 && v->s.p[0] == '"';
    rs_str time = quoted ? (rs_str){v->s.p + 1, v->s.n - 2} : v->s;
    return rs_clock_parse(time, &at) && at >= span->start_ns ? (double)(at - span->start_ns) / 1e9 : NAN;
}

static bool truth_of(const rs_gather *g, rs_field field) {
    const rs_value *v = g->best[field];
    if (!v) return false;
    return v->type == RS_VALUE_BOOL ? v->b : rs_str_eq_nocase(v->s, RS_STR("true"));
}

/* ---- one group of facts each --------------------------------------------------------------------------- */

static rs_usage_source usage_source(const rs_gather *g) {
    const rs_value *v = g->best[RS_FIELD_USAGE_SOURCE];
    for (int s = RS_USAGE_MEASURED; v && v->type == RS_VALUE_STRING && s <= RS_USAGE_ESTIMATED; s++)
        if (rs_str_eq_nocase(v->s, rs_usage_source_name((rs_usage_source)s))) return (rs_usage_source)s;
    return RS_USAGE_REPORTED;
}

static void fill_usage(const rs_gather *g, const rs_span *span, rs_facts *f) {
    f->prompt_tokens = count_of(g, RS_FIELD_PROMPT_TOKENS);
    f->completion_tokens = count_of(g, RS_FIELD_COMPLETION_TOKENS);
    int64_t total = count_of(g, RS_FIELD_TOTAL_TOKENS);
    if (f->prompt_tokens < 0 && f->completion_tokens >= 0 && total >= f->completion_tokens)
        f->prompt_tokens = total - f->completion_tokens;
    if (f->completion_tokens < 0 && f->prompt_tokens >= 0 && total >= f->prompt_tokens)
        f->completion_tokens = total - f->prompt_tokens;
    f->cached_tokens = count_of(g, RS_FIELD_CACHED_TOKENS);
    f->reasoning_tokens = count_of(g, RS_FIELD_REASONING_TOKENS);
    if (f->prompt_tokens >= 0 && f->cached_tokens > f->prompt_tokens)
        f->prompt_tokens += f->cached_tokens; /* a count of what was new alone */
    f->usage_source = f->prompt_tokens < 0 && f->completion_tokens < 0 ? RS_USAGE_NONE : usage_source(g);
    if (f->usage_source == RS_USAGE_NONE) f->cached_tokens = f->reasoning_tokens = -1; /* parts of nothing */
    f->cost = cost_of(g);
    if (!isnan(f->cost)) f->cost_source = RS_COST_SENT;
    f->ttft = seconds_of(g, span);
    f->tokens_per_second = number_of(g, RS_FIELD_TOKENS_PER_SECOND);
}

/* "NAME.workflow" -> NAME: how OpenLLMetry names the spans of decorated functions. */
static rs_str entity_of_span_name(rs_str name) {
    static const rs_str marks[] = {RS_STR(".workflow"), RS_STR(".task"), RS_STR(".agent"), RS_STR(".tool")};
    for (size_t i = 0; i < RS_ARRAY_LEN(marks); i++)
        if (name.n > marks[i].n && rs_str_ends(name, marks[i])) return (rs_str){name.p, name.n - marks[i].n};
    return (rs_str){0};
}

/* "openai.chat" -> "openai": the Vercel AI SDK names which of a provider's APIs it was. */
static rs_str without_api(rs_str provider) {
    static const rs_str apis[] = {RS_STR(".chat"),      RS_STR(".responses"), RS_STR(".completion"),
                                  RS_STR(".embedding"), RS_STR(".messages"),  RS_STR(".generative-ai")};
    for (size_t i = 0; i < RS_ARRAY_LEN(apis); i++)
        if (provider.n > apis[i].n && rs_str_ends(provider, apis[i])) provider.n -= apis[i].n;
    return provider;
}

static rs_status fill_names(const rs_gather *g, const rs_span *span, rs_facts *f) {
    rs_field entity = RS_FIELD_ENTITY_NAME;
    if (!g->best[entity] && f->log_type == RS_LOG_AGENT) entity = RS_FIELD_AGENT_NAME;
    if (!g->best[entity] && f->log_type == RS_LOG_TOOL) entity = RS_FIELD_TOOL_NAME;
    const struct {
        rs_field field;
        rs_str *to;
    } texts[] = {
        {entity, &f->entity_name},         {RS_FIELD_MODEL, &f->model},
        {RS_FIELD_PROVIDER, &f->provider}, {RS_FIELD_WORKFLOW, &f->workflow},
        {RS_FIELD_PATH, &f->path},         {RS_FIELD_CUSTOMER, &f->customer},
        {RS_FIELD_THREAD, &f->thread},     {RS_FIELD_ENVIRONMENT, &f->environment},
    };
    for (size_t i = 0; i < RS_ARRAY_LEN(texts); i++) {
        rs_status st = text_of(g, texts[i].field, texts[i].to);
        if (st != RS_OK) return st;
    }
    f->provider = without_api(f->provider);
    if (!f->entity_name.n) f->entity_name = entity_of_span_name(span->name);
    if (!f->entity_name.n) {
        rs_status st = text_of(g, RS_FIELD_TITLE, &f->entity_name);
        if (st != RS_OK) return st;
    }
    if (f->log_type == RS_LOG_WORKFLOW && !f->workflow.n) f->workflow = f->entity_name;
    if (f->log_type == RS_LOG_WORKFLOW && !f->entity_name.n) f->entity_name = f->workflow;
    return RS_OK;
}

static rs_str attr_text(const rs_attrs *attrs, rs_str key) {
    const rs_attr *a = rs_attrs_find(attrs, key);
    return a && a->value.type == RS_VALUE_STRING ? a->value.s : (rs_str){0};
}

/* What the whole process says of itself. */
static void fill_from_resource(const rs_resource *resource, rs_facts *f) {
    static const rs_str names[] = {RS_STR("respan.environment"), RS_STR("deployment.environment.name"),
                                   RS_STR("deployment.environment"), RS_STR("langfuse.environment")};
    for (size_t i = 0; resource && !f->environment.n && i < RS_ARRAY_LEN(names); i++)
        f->environment = attr_text(&resource->attrs, names[i]);
}

/* The status says it, else the exception that was recorded, else error.* attributes; not on spans that ended well. */
static rs_status fill_error(const rs_gather *g, const rs_span *span, rs_facts *f) {
    f->error_message = span->status_message;
    if (f->error_message.n || span->status == RS_STATUS_OK) return RS_OK;
    for (uint32_t i = span->nevents; !f->error_message.n && i-- > 0;) {
        const rs_event *e = &span->events[i];
        if (!rs_str_eq(e->name, RS_STR("exception"))) continue;
        f->error_message = attr_text(&e->attrs, RS_STR("exception.message"));
        if (!f->error_message.n) f->error_message = attr_text(&e->attrs, RS_STR("exception.type"));
    }
    return f->error_message.n ? RS_OK : text_of(g, RS_FIELD_ERROR, &f->error_message);
}

static bool has_answer(const rs_gather *g) {
    return g->output.n || g->best[RS_FIELD_OUTPUT_MESSAGES] || g->best[RS_FIELD_RESPONSE] ||
           g->best[RS_FIELD_OUTPUT];
}

/* Logfire has two spans for a stream: this one ends before the first word, and says nothing of the answer; what was read
 * is a record of its own beside it (logfire.span_type: log), with the counts. */
static bool opens_logfire_stream(const rs_gather *g, const rs_span *span, const rs_facts *f) {
    return g->log_type == RS_LOG_CHAT && f->usage_source == RS_USAGE_NONE &&
           span->status != RS_STATUS_ERROR && !has_answer(g) &&
           rs_str_starts(span->scope->name, RS_STR("logfire."));
}

/* A span that names a model and holds messages or counts is a model call, whatever it forgot to say. */
static rs_log_type log_type_of(const rs_gather *g, const rs_span *span, const rs_facts *f) {
    if (opens_logfire_stream(g, span, f)) return RS_LOG_TASK; /* so that one call does not count twice */
    if (g->log_type != RS_LOG_UNKNOWN || !g->best[RS_FIELD_MODEL]) return g->log_type;
    bool content =
        g->input.n || g->output.n || g->best[RS_FIELD_INPUT_MESSAGES] || g->best[RS_FIELD_OUTPUT_MESSAGES];
    return content || f->usage_source != RS_USAGE_NONE ? RS_LOG_GENERATION : RS_LOG_UNKNOWN;
}

/* A host or a URL of this machine. */
static bool is_loopback(rs_str server) {
    static const rs_str hosts[] = {RS_STR("127.0.0.1"), RS_STR("localhost"), RS_STR("[::1]"), RS_STR("::1")};
    const char *scheme = memmem(server.p, server.n, "://", 3);
    if (scheme) server = rs_str_from(server, (size_t)(scheme - server.p) + 3);
    for (size_t i = 0; i < RS_ARRAY_LEN(hosts); i++) {
        if (!rs_str_starts(server, hosts[i])) continue;
        rs_str rest = rs_str_from(server, hosts[i].n);
        if (rest.n == 0 || rest.p[0] == '/' || rest.p[0] == ':') return true;
    }
    return false;
}

static rs_local local_of(const rs_gather *g, const rs_span *span) {
    const rs_value *v = g->best[RS_FIELD_SERVER];
    if (rs_str_eq(span->scope->name, RS_STR("opentelemetry.instrumentation.transformers")))
        return RS_LOCAL_PROCESS;
    for (size_t i = 0; i < g->model_facts.n; i++)
        if (rs_str_eq(g->model_facts.items[i].key, RS_STR("device"))) return RS_LOCAL_PROCESS;
    return v && v->type == RS_VALUE_STRING && is_loopback(v->s) ? RS_LOCAL_SERVER : RS_LOCAL_NO;
}

static rs_status fill_tools(rs_gather *g, rs_facts *f) {
    const rs_value *v = g->best[RS_FIELD_TOOLS];
    if (v && !(g->tools.n && g->tools.rank < g->rank[RS_FIELD_TOOLS]))
        return rs_tools_from_value(v, g->arena, &f->tools);
    return g->tools.n ? rs_tools_from_parts(&g->tools, g->arena, &f->tools) : RS_OK;
}

/* Parts and messages in one JSON are two ways to say the same: the better ranked wins; a function's arguments come last. */
static rs_status content_of(const rs_gather *g, bool output, const rs_content_style *style, rs_content *out) {
    rs_parts parts = output ? g->output : g->input;
    rs_field messages = output ? RS_FIELD_OUTPUT_MESSAGES : RS_FIELD_INPUT_MESSAGES;
    const rs_value *value = g->best[output ? RS_FIELD_OUTPUT : RS_FIELD_INPUT];
    if (parts.n && !(g->best[messages] && g->rank[messages] < parts.rank))
        return rs_content_from_parts(&parts, style, g->arena, out);
    if (g->best[messages])
        return rs_content_from_messages(g->best[messages], output ? NULL : g->best[RS_FIELD_SYSTEM_MESSAGE],
                                        style, g->arena, out);
    *out = (rs_content){0};
    return value ? rs_content_from_value(value, g->arena, out) : RS_OK;
}

/* Messages without any text are previewed by what they call, which is read from their JSON. */
static rs_status gist_of(const rs_gather *g, bool output, rs_content_style style, rs_content *out) {
    style.gist_only = true;
    rs_status st = content_of(g, output, &style, out);
    if (st != RS_OK || out->gist.n) return st;
    style.gist_only = false;
    return content_of(g, output, &style, out);
}

typedef enum content_kind { BOTH, PREVIEWS, CONTENT } content_kind; /* of input and output */

static rs_status fill_content(const rs_gather *g, content_kind what, rs_facts *f) {
    bool previews_only = what == PREVIEWS;
    bool completion = f->log_type == RS_LOG_TEXT || f->log_type == RS_LOG_COMPLETION ||
                      f->log_type == RS_LOG_EMBEDDING || f->log_type == RS_LOG_TRANSCRIPTION ||
                      f->log_type == RS_LOG_SPEECH;
    const rs_content_style in_style = {RS_STR("user"), completion, !completion, false};
    const rs_content_style out_style = {RS_STR("assistant"), completion, false, false};
    rs_content in, out;
    rs_status st = previews_only ? gist_of(g, false, in_style, &in) : content_of(g, false, &in_style, &in);
    if (st == RS_OK)
        st = previews_only ? gist_of(g, true, out_style, &out) : content_of(g, true, &out_style, &out);
    if (st == RS_OK && what != CONTENT) st = rs_content_preview(in.gist, g->arena, &f->input_preview);
    if (st == RS_OK && what != CONTENT) st = rs_content_preview(out.gist, g->arena, &f->output_preview);
    if (st != RS_OK || previews_only) return st;
    f->input = in.text, f->input_is_json = in.is_json;
    f->output = out.text, f->output_is_json = out.is_json;
    return RS_OK;
}

static rs_attrs list_of(const rs_gathered_list *list) {
    return (rs_attrs){.items = list->items, .n = (uint32_t)list->n};
}

static rs_status normalize(rs_span *span, content_kind what, rs_arena *arena) {
    rs_gather g;
    rs_gather_init(&g, arena);
    rs_status st = rs_gather_attrs(&g, &span->attrs, 0);
    for (uint32_t i = 0; st == RS_OK && i < span->nevents; i++) st = rs_gather_event(&g, &span->events[i], i);
    if (st == RS_OK) st = rs_gather_bodies(&g);
    if (st == RS_OK && !rs_log_type_is_model_call(g.log_type)) st = rs_gather_listed(&g, &span->attrs);
    if (st != RS_OK) return st;

    rs_facts *f = &span->facts;
    *f = (rs_facts){.interrupted = truth_of(&g, RS_FIELD_INTERRUPTED),
                    .is_nested = truth_of(&g, RS_FIELD_NESTED),
                    .local = local_of(&g, span)};
    fill_usage(&g, span, f);
    f->log_type = log_type_of(&g, span, f);
    st = fill_names(&g, span, f);
    if (st == RS_OK) st = fill_error(&g, span, f);
    /* Where nobody counted them, tokens are estimated by the texts. */
    bool estimates = f->usage_source == RS_USAGE_NONE && rs_log_type_is_model_call(f->log_type);
    if (st == RS_OK) st = fill_content(&g, what == PREVIEWS && estimates ? BOTH : what, f);
    if (st == RS_OK && what != PREVIEWS) st = fill_tools(&g, f);
    fill_from_resource(span->resource, f);
    f->parameters = list_of(&g.parameters);
    f->metadata = list_of(&g.metadata);
    f->model_facts = list_of(&g.model_facts);
    if (st == RS_OK && estimates) rs_usage_estimate(f);
    return st;
}

rs_status rs_normalize_span(rs_span *span, rs_arena *arena) { return normalize(span, BOTH, arena); }

rs_status rs_normalize_for_store(rs_span *span, rs_arena *arena) {
    rs_status st = normalize(span, PREVIEWS, arena);
    span->facts.input = span->facts.output = (rs_str){0};
    span->facts.input_is_json = span->facts.output_is_json = false;
    return st;
}

/* What came from elsewhere: the prices, and the key that it was sent with. */
static rs_status keep_given(rs_span *span, rs_arena *arena, rs_status (*make)(rs_span *, rs_arena *)) {
    double cost = span->facts.cost;
    rs_cost_source source = span->facts.cost_source;
    rs_str environment = span->facts.environment;
    rs_status st = make(span, arena);
    if (isnan(span->facts.cost)) span->facts.cost = cost, span->facts.cost_source = source;
    if (!span->facts.environment.n) span->facts.environment = environment;
    return st;
}

static rs_status normalize_content(rs_span *span, rs_arena *arena) { return normalize(span, CONTENT, arena); }

rs_status rs_normalize_stored(rs_span *span, rs_arena *arena) {
    return keep_given(span, arena, normalize_content);
}

rs_status rs_normalize_again_for_store(rs_span *span, rs_arena *arena) {
    return keep_given(span, arena, rs_normalize_for_store);
}
