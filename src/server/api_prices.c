#include "server/api_prices.h"

#include "base/json_write.h"
#include "server/api_body.h"
#include "server/auth.h"
#include "server/price_table.h"
#include "server/server.h"

#include <math.h>

enum { PAGE_SIZE = 100, PAGE_SIZE_MAX = 1000, PAGES_MAX = 1000000 };

/* ---- showing them -------------------------------------------------------------------------------------- */

static const char *const origins[] = {
    [RS_PRICE_OWN] = "own", [RS_PRICE_FILE] = "file", [RS_PRICE_BUILTIN] = "built-in"};

static void write_row(rs_json *j, const rs_price_row *row) {
    char model[RS_PRICE_NAME_MAX + 1];
    size_t n = row->price.model.n;
    if (n) memcpy(model, row->price.model.p, n);
    if (row->is_beginning) model[n++] = '*';
    rs_json_object(j);
    if (row->origin == RS_PRICE_OWN) rs_json_put_int(j, "id", (int64_t)row->price.id);
    else rs_json_put_null(j, "id");
    rs_json_put_str(j, "model", (rs_str){model, n});
    rs_json_put_str_or_null(j, "provider", row->price.provider);
    rs_json_key(j, RS_STR("providers"));
    rs_json_array(j);
    for (size_t i = 0; i < row->nproviders; i++) rs_json_str(j, row->providers[i]);
    rs_json_array_end(j);
    rs_json_put_double(j, "input", row->price.input);
    rs_json_put_double(j, "output", row->price.output);
    rs_json_put_double(j, "cached", row->price.cached);
    rs_json_put_double(j, "reasoning", row->price.reasoning);
    if (row->price.limit) rs_json_put_int(j, "limit", row->price.limit);
    else rs_json_put_null(j, "limit");
    rs_json_put_str(j, "origin", rs_str_of(origins[row->origin]));
    rs_json_put_bool(j, "in_force", row->in_force);
    rs_json_object_end(j);
}

/* Rows that are looked for, and the page of them that is shown. */
typedef struct page {
    rs_json json;
    rs_str q;
    bool has_origin;
    rs_price_origin origin;
    uint64_t count, first, behind;
} page;

static bool has(rs_str text, rs_str part) {
    for (size_t i = 0; i + part.n <= text.n; i++)
        if (rs_str_eq_nocase((rs_str){text.p + i, part.n}, part)) return true;
    return false;
}

static bool is_looked_for(const rs_price_row *row, const page *p) {
    if (p->has_origin && row->origin != p->origin) return false;
    if (!p->q.n || has(row->price.model, p->q)) return true;
    for (size_t i = 0; i < row->nproviders; i++)
        if (has(row->providers[i], p->q)) return true;
    return false;
}

static bool take_row(void *ctx, const rs_price_row *row) {
    page *p = ctx;
    if (!is_looked_for(row, p)) return true;
    if (p->count >= p->first && p->count < p->behind) write_row(&p->json, row);
    p->count++;
    return true;
}

static void write_time_price(rs_json *j, const rs_set_time_price *p) {
    rs_json_object(j);
    rs_json_put_int(j, "id", (int64_t)p->id);
    rs_json_put_str(j, "device", rs_str_of(p->device));
    rs_json_put_double(j, "per_hour", rs_set_time_price_dollars(p));
    rs_json_put_double(j, "watts", p->watts);
    rs_json_put_double(j, "per_kwh", p->per_kwh);
    rs_json_object_end(j);
}

static bool take_time_price(void *ctx, const rs_set_time_price *p) {
    write_time_price(ctx, p);
    return true;
}

/* False: it is answered. */
static bool read_page(rs_request *req, rs_response *res, page *p) {
    const struct {
        const char *name;
        uint64_t most, *to;
    } numbers[] = {{"page", PAGES_MAX, &p->first}, {"page_size", PAGE_SIZE_MAX, &p->behind}};
    const char *q = rs_request_query(req, "q");
    *p = (page){.json = rs_json_on(&res->body), .q = rs_str_of(q), .first = 1, .behind = PAGE_SIZE};
    for (size_t i = 0; i < RS_ARRAY_LEN(numbers); i++) {
        unsigned long long v;
        const char *given = rs_request_query(req, numbers[i].name);
        if (!given) continue;
        if (!rs_str_to_u64(rs_str_of(given), &v) || v < 1 || v > numbers[i].most) {
            rs_response_error(res, 400, "invalid", numbers[i].name, "'%s' is a whole number from 1 to %llu",
                              numbers[i].name, (unsigned long long)numbers[i].most);
            return false;
        }
        *numbers[i].to = v;
    }
    const char *origin = rs_request_query(req, "origin");
    while (origin && !p->has_origin && p->origin < RS_ARRAY_LEN(origins)) {
        p->has_origin = strcmp(origin, origins[p->origin]) == 0;
        if (!p->has_origin) p->origin++;
    }
    if (origin && !p->has_origin) {
        rs_response_error(res, 400, "invalid", "origin", "'origin' is own, file or built-in");
        return false;
    }
    p->first = (p->first - 1) * p->behind;
    p->behind += p->first;
    return true;
}

void rs_api_list_prices(rs_server *server, rs_request *req, rs_response *res) {
    page p;
    rs_err err = {0};
    rs_price_row found;
    if (!read_page(req, res, &p)) return;
    const char *model = rs_request_query(req, "model"), *provider = rs_request_query(req, "provider");
    if (provider && !model) {
        rs_response_error(res, 400, "invalid", "provider", "'provider' goes with 'model'");
        return;
    }
    const rs_prices *prices = rs_price_table_take(server->prices);
    rs_json_object(&p.json);
    rs_json_key(&p.json, RS_STR("results"));
    rs_json_array(&p.json);
    rs_prices_each(prices, take_row, &p);
    rs_json_array_end(&p.json);
    rs_json_put_int(&p.json, "count", (int64_t)p.count);
    rs_json_key(&p.json, RS_STR("match"));
    if (model && rs_prices_find(prices, rs_str_of(provider), rs_str_of(model), &found))
        write_row(&p.json, &found);
    else rs_json_null(&p.json);
    rs_price_table_give(server->prices, prices);
    rs_json_key(&p.json, RS_STR("time"));
    rs_json_array(&p.json);
    rs_status st = rs_control_list_time_prices(server->control, take_time_price, &p.json, &err);
    rs_json_array_end(&p.json);
    rs_json_object_end(&p.json);
    if (st != RS_OK) rs_response_from_err(res, &err);
}

/* ---- setting them -------------------------------------------------------------------------------------- */

/* A number, or null, which is not said. False: it is answered. */
static bool read_real(rs_str raw, const char *name, double *out, rs_response *res) {
    *out = NAN;
    if (!raw.n || rs_str_eq(raw, RS_STR("null")) || rs_str_to_double(raw, out)) return true;
    rs_response_error(res, 400, "invalid", name, "'%s' is a number, or null", name);
    return false;
}

/* Into a text of the control plane, which checks it. False: it is answered. */
static bool copy_text(char *out, size_t size, const char *text, const char *name, rs_response *res) {
    size_t n = text ? strlen(text) : 0;
    if (n >= size) {
        rs_response_error(res, 400, "invalid", name, "'%s' is longer than %zu bytes", name, size - 1);
        return false;
    }
    if (n) memcpy(out, text, n);
    out[n] = 0;
    return true;
}

/* In force before it is answered. */
static bool changed(rs_server *server, rs_response *res, rs_status st, const char *field, rs_err *err) {
    if (st == RS_OK) st = rs_price_table_refresh(server->prices, err);
    if (st != RS_OK) rs_api_refuse(res, field, err);
    return st == RS_OK;
}

void rs_api_set_price(rs_server *server, rs_request *req, rs_response *res) {
    const char *model = NULL, *provider = NULL, *field = NULL;
    rs_str input = {0}, output = {0}, cached = {0}, reasoning = {0}, limit = {0};
    rs_set_price wish = {0}, set;
    rs_err err = {0};
    const rs_member members[] = {{.name = "model", .text = &model, .required = true},
                                 {.name = "provider", .text = &provider},
                                 {.name = "input", .raw = &input, .required = true},
                                 {.name = "output", .raw = &output},
                                 {.name = "cached", .raw = &cached},
                                 {.name = "reasoning", .raw = &reasoning},
                                 {.name = "limit", .raw = &limit}};
    if (!rs_api_read_body(req, res, members, RS_ARRAY_LEN(members)) ||
        !copy_text(wish.model, sizeof wish.model, model, "model", res) ||
        !copy_text(wish.provider, sizeof wish.provider, provider, "provider", res) ||
        !read_real(input, "input", &wish.input, res) || !read_real(output, "output", &wish.output, res) ||
        !read_real(cached, "cached", &wish.cached, res) ||
        !read_real(reasoning, "reasoning", &wish.reasoning, res) ||
        (limit.n && !rs_api_read_amount(limit, "limit", &wish.limit, res)))
        return;
    rs_actor by = rs_guard_actor(req);
    rs_status st = rs_control_set_price(server->control, &wish, &by, &set, &field, &err);
    if (!changed(server, res, st, field, &err)) return;
    rs_json j = rs_json_on(&res->body);
    rs_json_object(&j);
    rs_json_put_int(&j, "id", (int64_t)set.id);
    rs_json_put_str(&j, "model", rs_str_of(set.model));
    rs_json_put_str_or_null(&j, "provider", rs_str_of(set.provider));
    rs_json_put_double(&j, "input", set.input);
    rs_json_put_double(&j, "output", set.output);
    rs_json_put_double(&j, "cached", set.cached);
    rs_json_put_double(&j, "reasoning", set.reasoning);
    if (set.limit) rs_json_put_int(&j, "limit", (int64_t)set.limit);
    else rs_json_put_null(&j, "limit");
    rs_json_object_end(&j);
}

void rs_api_set_time_price(rs_server *server, rs_request *req, rs_response *res) {
    const char *device = NULL, *field = NULL;
    rs_str per_hour = {0}, watts = {0}, per_kwh = {0};
    rs_set_time_price wish = {0}, set;
    rs_err err = {0};
    const rs_member members[] = {{.name = "device", .text = &device, .required = true},
                                 {.name = "per_hour", .raw = &per_hour},
                                 {.name = "watts", .raw = &watts},
                                 {.name = "per_kwh", .raw = &per_kwh}};
    if (!rs_api_read_body(req, res, members, RS_ARRAY_LEN(members)) ||
        !copy_text(wish.device, sizeof wish.device, device, "device", res) ||
        !read_real(per_hour, "per_hour", &wish.per_hour, res) ||
        !read_real(watts, "watts", &wish.watts, res) || !read_real(per_kwh, "per_kwh", &wish.per_kwh, res))
        return;
    rs_actor by = rs_guard_actor(req);
    rs_status st = rs_control_set_time_price(server->control, &wish, &by, &set, &field, &err);
    if (!changed(server, res, st, field, &err)) return;
    rs_json j = rs_json_on(&res->body);
    write_time_price(&j, &set);
}

static void unset(rs_server *server, rs_request *req, rs_response *res,
                  rs_status (*fn)(rs_control *, uint64_t, const rs_actor *, rs_err *)) {
    uint64_t id;
    rs_err err = {0};
    if (!rs_api_read_id(req, &id, res)) return;
    rs_actor by = rs_guard_actor(req);
    if (changed(server, res, fn(server->control, id, &by, &err), "id", &err)) rs_api_done(res);
}

void rs_api_unset_price(rs_server *server, rs_request *req, rs_response *res) {
    unset(server, req, res, rs_control_unset_price);
}

void rs_api_unset_time_price(rs_server *server, rs_request *req, rs_response *res) {
    unset(server, req, res, rs_control_unset_time_price);
}
