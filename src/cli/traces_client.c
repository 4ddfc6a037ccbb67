#include "cli/traces_client.h"

#include "cli/cmd.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PAGE_MAX = 1000, PREFIX_MIN = 6, ID_LEN = 32 };

void rs_trace_query_add(rs_trace_query *q, const char *name, const char *value) {
    if (q->parameters.n) rs_buf_byte(&q->parameters, '&');
    rs_buf_url(&q->parameters, rs_str_of(name));
    rs_buf_byte(&q->parameters, '=');
    rs_buf_url(&q->parameters, rs_str_of(value));
}

/* Requests and parses; *out is a new object on success. */
static int fetch_json(rs_client *c, const char *path, const char *body, json_t **out) {
    rs_buf answer;
    rs_buf_init(&answer);
    int status = path ? rs_client_request(c, path, body, &answer) : RS_EXIT_NOT_FOUND;
    if (status == RS_EXIT_DONE) {
        *out = json_loadb(answer.p, answer.n, JSON_ALLOW_NUL, NULL);
        if (!json_is_object(*out)) {
            json_decref(*out);
            *out = NULL;
            fprintf(stderr, "respan: %s does not answer as a Respan server does\n", c->to.base_url);
            status = RS_EXIT_UNREACHABLE;
        }
    }
    rs_buf_deinit(&answer);
    return status;
}

/* The path of the next page: `next` is a path on the server, of which the parameters are what counts. */
static bool set_next(rs_buf *path, const json_t *page) {
    const char *next = json_string_value(json_object_get(page, "next")),
               *parameters = next ? strchr(next, '?') : NULL;
    rs_buf_clear(path);
    if (parameters) rs_buf_printf(path, "/traces/list/%s", parameters);
    return parameters != NULL;
}

int rs_traces_fetch_list(rs_client *c, const rs_trace_query *q, size_t limit, json_t **out, long long *count,
                         rs_buf *hint) {
    rs_buf path;
    rs_buf_init(&path);
    size_t size = limit < PAGE_MAX ? limit : PAGE_MAX;
    rs_buf_printf(&path, "/traces/list/?page_size=%zu%s", size, q->parameters.n ? "&" : "");
    rs_buf_str(&path, rs_buf_slice(&q->parameters));
    *out = json_array();
    *count = -1;
    int status = RS_EXIT_DONE;
    bool more = *out != NULL;
    while (status == RS_EXIT_DONE && more) {
        json_t *page = NULL;
        status = fetch_json(c, rs_buf_cstr(&path), NULL, &page);
        if (status != RS_EXIT_DONE) break;
        const json_t *counted = json_object_get(page, "count");
        if (json_is_integer(counted)) *count = json_integer_value(counted);
        const char *said = json_string_value(json_object_get(page, "hint"));
        if (hint && said && hint->n == 0) rs_buf_text(hint, said);
        json_array_extend(*out, json_object_get(page, "results"));
        more = json_array_size(*out) < limit && set_next(&path, page);
        json_decref(page);
    }
    while (json_array_size(*out) > limit) json_array_remove(*out, json_array_size(*out) - 1);
    rs_buf_deinit(&path);
    if (status == RS_EXIT_DONE && *out) return status;
    json_decref(*out);
    *out = NULL;
    return status != RS_EXIT_DONE ? status : RS_EXIT_NOT_FOUND;
}

/* ---- saved views --------------------------------------------------------------------------------------- */

/* "-24h" is a time from now. */
static void add_time(rs_trace_query *q, const char *parameter, const char *text) {
    static const struct {
        char unit;
        double seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
    char *end = NULL, at[32];
    double amount = text[0] == '-' ? strtod(text + 1, &end) : 0;
    for (size_t i = 0; end && i < RS_ARRAY_LEN(units); i++)
        if (*end == units[i].unit) {
            snprintf(at, sizeof at, "%.0f", (double)time(NULL) - amount * units[i].seconds);
            text = at;
            break;
        }
    if (text[0]) rs_trace_query_add(q, parameter, text);
}

static const char *text_of(const json_t *view, const char *member) {
    const char *text = json_string_value(json_object_get(view, member));
    return text ? text : "";
}

int rs_traces_add_view(rs_client *c, const char *name, rs_trace_query *q) {
    json_t *views = NULL, *view, *found = NULL;
    size_t i;
    int status = fetch_json(c, "/views/", NULL, &views);
    if (status != RS_EXIT_DONE) return status;
    json_array_foreach(json_object_get(views, "results"), i, view) {
        if (strcmp(text_of(view, "page"), "traces") == 0 && strcmp(text_of(view, "name"), name) == 0)
            found = view;
    }
    if (!found) {
        fprintf(stderr, "respan: no view of the list is called '%s'; a key sees those that are shared:\n",
                name);
        json_array_foreach(json_object_get(views, "results"), i,
                           view) if (strcmp(text_of(view, "page"), "traces") == 0)
            fprintf(stderr, "  %s\n", text_of(view, "name"));
        status = RS_EXIT_NOT_FOUND;
    } else {
        if (text_of(found, "q")[0]) rs_trace_query_add(q, "q", text_of(found, "q"));
        if (text_of(found, "sort")[0]) rs_trace_query_add(q, "sort_by", text_of(found, "sort"));
        add_time(q, "start_time", text_of(found, "from"));
        add_time(q, "end_time", text_of(found, "to"));
    }
    json_decref(views);
    return status;
}

/* ---- naming one trace ---------------------------------------------------------------------------------- */

static int resolve_latest(rs_client *c, char id[ID_LEN + 1]) {
    json_t *page = NULL;
    int status = fetch_json(c, "/traces/list/?page_size=1", NULL, &page);
    if (status != RS_EXIT_DONE) return status;
    const json_t *first = json_array_get(json_object_get(page, "results"), 0);
    const char *found = json_string_value(json_object_get(first, "trace_unique_id"));
    if (found) snprintf(id, ID_LEN + 1, "%s", found);
    else fprintf(stderr, "respan: there are no traces yet\n");
    json_decref(page);
    return found ? RS_EXIT_DONE : RS_EXIT_NOT_FOUND;
}

static int choose(const json_t *results, const char *wanted, char id[ID_LEN + 1]) {
    size_t n = json_array_size(results), i;
    json_t *trace;
    if (n == 1) {
        snprintf(id, ID_LEN + 1, "%s",
                 json_string_value(json_object_get(json_array_get(results, 0), "trace_unique_id")));
        return RS_EXIT_DONE;
    }
    if (n == 0) {
        fprintf(stderr, "respan: there is no trace %s\n", wanted);
        return RS_EXIT_NOT_FOUND;
    }
    fprintf(stderr, "respan: %s fits more than one trace:\n", wanted);
    json_array_foreach(results, i, trace)
        fprintf(stderr, "  %s\n", json_string_value(json_object_get(trace, "trace_unique_id")));
    return RS_EXIT_NOT_FOUND;
}

static int resolve_prefix(rs_client *c, const char *prefix, char id[ID_LEN + 1]) {
    char body[160];
    snprintf(body, sizeof body,
             "{\"page_size\":5,\"filters\":{\"trace_unique_id\":{\"operator\":\"startswith\",\"value\":[\"%"
             "s\"]}}}",
             prefix);
    json_t *page = NULL;
    int status = fetch_json(c, "/traces/list/", body, &page);
    if (status == RS_EXIT_DONE) status = choose(json_object_get(page, "results"), prefix, id);
    json_decref(page);
    return status;
}

int rs_traces_resolve(rs_client *c, const char *wanted, char id[ID_LEN + 1]) {
    if (strcmp(wanted, "latest") == 0) return resolve_latest(c, id);
    size_t n = strspn(wanted, "0123456789abcdefABCDEF");
    if (wanted[n] || n < PREFIX_MIN || n > ID_LEN) {
        fprintf(stderr, "respan: '%s' is not a trace's id: 'latest', or 6 to 32 hex digits\n", wanted);
        return RS_EXIT_USAGE;
    }
    char lower[ID_LEN + 1] = "";
    for (size_t i = 0; i < n; i++)
        lower[i] = (char)(wanted[i] >= 'A' && wanted[i] <= 'F' ? wanted[i] + 32 : wanted[i]);
    if (n < ID_LEN) return resolve_prefix(c, lower, id);
    memcpy(id, lower, ID_LEN + 1);
    return RS_EXIT_DONE;
}

int rs_traces_fetch(rs_client *c, const char *id, bool flat, rs_buf *out) {
    char path[80];
    snprintf(path, sizeof path, "/traces/%s/%s", id, flat ? "?flat=true" : "");
    return rs_client_request(c, path, NULL, out);
}
