/* respan prices list|set|unset: what model calls cost, straight in the data directory (the server may be running). */
#include "cli/cmd.h"

#include "base/json_write.h"
#include "cli/data_dir.h"
#include "cli/report.h"

#include <getopt.h>
#include <math.h>
#include <stdio.h>

typedef struct options {
    const char *data, *provider, *device;
    rs_set_price price;
    rs_set_time_price time;
    bool json;
} options;

/* ---- showing them -------------------------------------------------------------------------------------- */

/* "-" where it is not said. */
static const char *text_of(double v, char out[32]) {
    if (isnan(v)) return "-";
    snprintf(out, 32, "%.10g", v);
    return out;
}

static bool print_price(void *ctx, const rs_set_price *p) {
    char in[32], out[32], cached[32], reasoning[32];
    (void)ctx;
    printf("%-32s %-16s in %s  out %s  cached %s  reasoning %s", p->model, p->provider[0] ? p->provider : "*",
           text_of(p->input, in), text_of(p->output, out), text_of(p->cached, cached),
           text_of(p->reasoning, reasoning));
    if (p->limit) printf("  up to %llu prompt tokens", (unsigned long long)p->limit);
    putchar('\n');
    return true;
}

static bool print_time_price(void *ctx, const rs_set_time_price *p) {
    char a[32], b[32], c[32];
    (void)ctx;
    printf("%-32s %-16s %s an hour", p->device, "(time)", text_of(rs_set_time_price_dollars(p), a));
    if (isnan(p->per_hour)) printf("  (%s W at %s a kWh)", text_of(p->watts, b), text_of(p->per_kwh, c));
    putchar('\n');
    return true;
}

static bool write_price(void *ctx, const rs_set_price *p) {
    rs_json *j = ctx;
    rs_json_object(j);
    rs_json_put_int(j, "id", (int64_t)p->id);
    rs_json_put_str(j, "model", rs_str_of(p->model));
    rs_json_put_str_or_null(j, "provider", rs_str_of(p->provider));
    rs_json_put_double(j, "input", p->input);
    rs_json_put_double(j, "output", p->output);
    rs_json_put_double(j, "cached", p->cached);
    rs_json_put_double(j, "reasoning", p->reasoning);
    if (p->limit) rs_json_put_int(j, "limit", (int64_t)p->limit);
    else rs_json_put_null(j, "limit");
    rs_json_object_end(j);
    return true;
}

static bool write_time_price(void *ctx, const rs_set_time_price *p) {
    rs_json *j = ctx;
    rs_json_object(j);
    rs_json_put_int(j, "id", (int64_t)p->id);
    rs_json_put_str(j, "device", rs_str_of(p->device));
    rs_json_put_double(j, "per_hour", rs_set_time_price_dollars(p));
    rs_json_put_double(j, "watts", p->watts);
    rs_json_put_double(j, "per_kwh", p->per_kwh);
    rs_json_object_end(j);
    return true;
}

static int list(rs_control *control, const options *o) {
    rs_err err = {0};
    rs_buf out;
    rs_buf_init(&out);
    rs_json j = rs_json_on(&out);
    if (o->json) rs_json_object(&j), rs_json_key(&j, RS_STR("tokens")), rs_json_array(&j);
    rs_status st = rs_control_list_prices(control, o->json ? write_price : print_price, &j, &err);
    if (o->json) rs_json_array_end(&j), rs_json_key(&j, RS_STR("time")), rs_json_array(&j);
    if (st == RS_OK)
        st = rs_control_list_time_prices(control, o->json ? write_time_price : print_time_price, &j, &err);
    if (o->json) rs_json_array_end(&j), rs_json_object_end(&j);
    if (o->json && st == RS_OK) return rs_report_json(&out);
    rs_buf_deinit(&out);
    return st == RS_OK ? RS_EXIT_DONE : rs_report_failure(&err);
}

/* ---- changing them ------------------------------------------------------------------------------------- */

static int done(rs_status st, const rs_err *err) {
    if (st != RS_OK) return rs_report_failure(err);
    fputs("respan: servers charge by it within a second; what is stored keeps its cost\n", stderr);
    return RS_EXIT_DONE;
}

static int set(rs_control *control, const options *o) {
    rs_err err = {0};
    rs_set_price price;
    rs_set_time_price time;
    rs_status st = o->device ? rs_control_set_time_price(control, &o->time, NULL, &time, NULL, &err)
                             : rs_control_set_price(control, &o->price, NULL, &price, NULL, &err);
    return done(st, &err);
}

typedef struct wanted {
    const options *o;
    uint64_t id; /* 0: it is not there */
} wanted;

static bool is_price(void *ctx, const rs_set_price *p) {
    wanted *w = ctx;
    if (rs_str_eq_nocase(rs_str_of(p->model), rs_str_of(w->o->price.model)) &&
        rs_str_eq_nocase(rs_str_of(p->provider), rs_str_of(w->o->price.provider)))
        w->id = p->id;
    return !w->id;
}

static bool is_time_price(void *ctx, const rs_set_time_price *p) {
    wanted *w = ctx;
    if (strcmp(p->device, w->o->time.device) == 0) w->id = p->id;
    return !w->id;
}

static int unset(rs_control *control, const options *o) {
    rs_err err = {0};
    wanted w = {.o = o};
    rs_status st = o->device ? rs_control_list_time_prices(control, is_time_price, &w, &err)
                             : rs_control_list_prices(control, is_price, &w, &err);
    if (st == RS_OK)
        st = o->device ? rs_control_unset_time_price(control, w.id, NULL, &err)
                       : rs_control_unset_price(control, w.id, NULL, &err);
    return done(st, &err);
}

/* ---- options ------------------------------------------------------------------------------------------- */

static bool copy(char *out, size_t size, const char *text) {
    size_t n = strlen(text);
    if (n >= size) return false;
    memcpy(out, text, n + 1);
    return true;
}

static int run(int argc, char **argv) {
    static const struct option longs[] = {{"data", required_argument, NULL, 'd'},
                                          {"provider", required_argument, NULL, 'p'},
                                          {"device", required_argument, NULL, 'v'},
                                          {"input", required_argument, NULL, 'i'},
                                          {"output", required_argument, NULL, 'o'},
                                          {"cached", required_argument, NULL, 'c'},
                                          {"reasoning", required_argument, NULL, 'r'},
                                          {"limit", required_argument, NULL, 'l'},
                                          {"per-hour", required_argument, NULL, 'h'},
                                          {"watts", required_argument, NULL, 'w'},
                                          {"per-kwh", required_argument, NULL, 'k'},
                                          {"json", no_argument, NULL, 'j'},
                                          {0}};
    options o = {.price = {.input = NAN, .output = NAN, .cached = NAN, .reasoning = NAN},
                 .time = {.per_hour = NAN, .watts = NAN, .per_kwh = NAN}};
    const struct {
        int c;
        double *to;
    } amounts[] = {{'i', &o.price.input},     {'o', &o.price.output},  {'c', &o.price.cached},
                   {'r', &o.price.reasoning}, {'h', &o.time.per_hour}, {'w', &o.time.watts},
                   {'k', &o.time.per_kwh}};
    unsigned long long limit;
    bool priced = false, timed = false;
    opterr = 0;
    for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        size_t i = 0;
        while (i < RS_ARRAY_LEN(amounts) && amounts[i].c != c) i++;
        if (i < RS_ARRAY_LEN(amounts)) {
            if (!rs_str_to_double(rs_str_of(optarg), amounts[i].to))
                return rs_cmd_usage(&rs_cmd_prices, "'%s' is no number", optarg);
            *(i < 4 ? &priced : &timed) = true;
        } else if (c == 'd') o.data = optarg;
        else if (c == 'p' && copy(o.price.provider, sizeof o.price.provider, optarg)) o.provider = optarg;
        else if (c == 'v' && copy(o.time.device, sizeof o.time.device, optarg)) o.device = optarg;
        else if (c == 'p' || c == 'v') return rs_cmd_usage(&rs_cmd_prices, "'%s' is too long", optarg);
        else if (c == 'l' && rs_str_to_u64(rs_str_of(optarg), &limit)) o.price.limit = limit, priced = true;
        else if (c == 'l')
            return rs_cmd_usage(&rs_cmd_prices, "--limit takes a number of prompt tokens, not '%s'", optarg);
        else if (c == 'j') o.json = true;
        else
            return rs_cmd_usage(&rs_cmd_prices, "there is no option '%s', or its value is missing",
                                argv[optind - 1]);
    }
    const char *verb = optind < argc ? argv[optind++] : "";
    const char *model = optind < argc ? argv[optind++] : NULL;
    int (*fn)(rs_control *, const options *) = strcmp(verb, "list") == 0    ? list
                                               : strcmp(verb, "set") == 0   ? set
                                               : strcmp(verb, "unset") == 0 ? unset
                                                                            : NULL;
    if (!fn) return rs_cmd_usage(&rs_cmd_prices, "say list, set or unset");
    if (optind < argc || (fn == list && model))
        return rs_cmd_usage(&rs_cmd_prices, "%s takes no argument '%s'", verb, argv[optind - 1]);
    if (fn != list && !model == !o.device)
        return rs_cmd_usage(&rs_cmd_prices, "say which: %s MODEL, or %s --device DEVICE", verb, verb);
    if (fn == set && (o.device ? priced || o.provider : timed))
        return rs_cmd_usage(&rs_cmd_prices, "a model costs --input and --output, a device --per-hour, or "
                                            "--watts and --per-kwh");
    if (model && !copy(o.price.model, sizeof o.price.model, model))
        return rs_cmd_usage(&rs_cmd_prices, "the model's name is too long");
    rs_err err = {0};
    rs_control *control;
    if (rs_data_open_control(o.data, &control, &err) != RS_OK) return rs_report_failure(&err);
    int status = fn(control, &o);
    rs_control_close(control);
    return status;
}

const rs_cmd rs_cmd_prices = {
    .name = "prices",
    .summary = "prices of models and of time that go before the built-in ones: list, set, unset",
    .help =
        "usage: respan prices list [--json]\n"
        "       respan prices set MODEL --input 2.5 [--output 10] [--cached 1.25] [--reasoning 10]\n"
        "                         [--limit TOKENS] [--provider NAME]\n"
        "       respan prices set --device cuda --per-hour 2.10\n"
        "       respan prices set --device cuda --watts 350 --per-kwh 0.30\n"
        "       respan prices unset MODEL [--provider NAME]\n"
        "       respan prices unset --device DEVICE\n\n"
        "  MODEL            a model's name; a * at its end: whatever begins so\n"
        "  --provider NAME  whom it is a price of (default: whoever is asked)\n"
        "  --input, --output, --cached, --reasoning\n"
        "                   dollars for a million tokens of the prompt, of the completion, of the prompt "
        "from a cache,\n"
        "                   of the completion's reasoning (default: as other tokens of the same side)\n"
        "  --limit TOKENS   it holds up to so many prompt tokens; a longer call has no cost then\n"
        "  --device DEVICE  an hour of a model that runs here: cuda, cuda:1, cpu, mps, … as spans tell it;\n"
        "                   server: a server of this machine (Ollama, vLLM); *: where nothing nearer is set\n"
        "  --data DIR       the server's data (default $XDG_DATA_HOME/respan)\n"
        "  --json           print JSON\n\n"
        "They are of the server, for all its projects. What is stored keeps the cost that it had when it "
        "came "
        "in.\nWorks while the server runs.\n",
    .run = run,
};
