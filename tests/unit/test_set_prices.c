/* Prices that an owner sets, in the control plane: kept, replaced, refused with the field at fault. */
#include "control_fixture.h"
#include "run_sql.h"
#include "store/control/internal.h"

#include <math.h>

static int setup(void **state) {
    (void)open_control(state);
    return 0;
}

typedef struct listed {
    size_t n;
    rs_set_price last;
    rs_set_time_price last_time;
} listed;

static bool take_price(void *ctx, const rs_set_price *price) {
    listed *l = ctx;
    l->n++;
    l->last = *price;
    return true;
}

static bool take_time_price(void *ctx, const rs_set_time_price *price) {
    listed *l = ctx;
    l->n++;
    l->last_time = *price;
    return true;
}

static listed prices_of(fixture *f) {
    listed l = {0};
    assert_int_equal(rs_control_list_prices(f->c, take_price, &l, NULL), RS_OK);
    return l;
}

static void prices(void **state) {
    fixture *f = *state;
    rs_set_price p = {.model = "gpt-4o*",
                      .provider = "openai",
                      .input = 2.5,
                      .output = 10,
                      .cached = NAN,
                      .reasoning = NAN,
                      .limit = 128000},
                 set;
    rs_prices_mark before, after;
    rs_err err = {0};
    const char *field;
    assert_int_equal(rs_control_get_prices_mark(f->c, &before, NULL), RS_OK);
    assert_int_equal(rs_control_set_price(f->c, &p, NULL, &set, &field, NULL), RS_OK);
    uint64_t first = set.id;
    strcpy(p.model, "GPT-4o*"), p.input = 3; /* the same one */
    assert_int_equal(rs_control_set_price(f->c, &p, NULL, &set, &field, NULL), RS_OK);
    assert_true(set.id != first);
    listed l = prices_of(f);
    assert_int_equal(l.n, 1);
    assert_true(l.last.id == set.id && l.last.input == 3 && l.last.output == 10 && isnan(l.last.cached) &&
                isnan(l.last.reasoning) && l.last.limit == 128000);
    assert_string_equal(l.last.provider, "openai");
    assert_int_equal(rs_control_get_prices_mark(f->c, &after, NULL), RS_OK);
    assert_memory_not_equal(&before, &after, sizeof before);
    static const struct {
        const char *model, *provider, *field;
        double input, output;
        uint64_t limit;
    } wrong[] = {
        {"", "", "model", 1, 1, 0},          {"a*b", "", "model", 1, 1, 0},
        {"a\nb", "", "model", 1, 1, 0},      {"m", "*", "provider", 1, 1, 0},
        {"m", "a\x01", "provider", 1, 1, 0}, {"m", "", "input", NAN, 1, 0},
        {"m", "", "input", -1, 1, 0},        {"m", "", "output", 1, INFINITY, 0},
        {"m", "", "output", 1, 1e9, 0},      {"m", "", "limit", 1, 1, UINT64_MAX},
    };
    for (size_t i = 0; i < RS_ARRAY_LEN(wrong); i++) {
        rs_set_price w = {.input = wrong[i].input,
                          .output = wrong[i].output,
                          .cached = NAN,
                          .reasoning = NAN,
                          .limit = wrong[i].limit};
        strcpy(w.model, wrong[i].model), strcpy(w.provider, wrong[i].provider);
        assert_int_equal(rs_control_set_price(f->c, &w, NULL, &set, &field, &err), RS_ERR_INVALID);
        assert_string_equal(field, wrong[i].field);
        assert_true(err.message[0]);
    }
    assert_int_equal(prices_of(f).n, 1);
    assert_int_equal(rs_control_unset_price(f->c, first, NULL, NULL), RS_ERR_NOT_FOUND);
    assert_int_equal(rs_control_unset_price(f->c, l.last.id, NULL, NULL), RS_OK);
    assert_int_equal(prices_of(f).n, 0);
}

static void as_many_prices_as_there_is_room_for(void **state) {
    fixture *f = *state;
    rs_set_price p = {.input = 1, .output = NAN, .cached = NAN, .reasoning = NAN}, set;
    const char *field;
    rs_err err = {0};
    assert_int_equal(sqlite3_exec(f->c->db, "PRAGMA synchronous=OFF", NULL, NULL, NULL), SQLITE_OK);
    for (int i = 0; i < RS_SET_PRICES_MAX; i++) {
        snprintf(p.model, sizeof p.model, "m%d", i);
        assert_int_equal(rs_control_set_price(f->c, &p, NULL, &set, &field, &err), RS_OK);
    }
    assert_int_equal(rs_control_set_price(f->c, &p, NULL, &set, &field, &err), RS_OK); /* in its own place */
    strcpy(p.model, "one more");
    assert_int_equal(rs_control_set_price(f->c, &p, NULL, &set, &field, &err), RS_ERR_TOO_LARGE);
    assert_non_null(strstr(err.message, "--prices"));
    assert_int_equal(prices_of(f).n, RS_SET_PRICES_MAX);
}

static void prices_of_time(void **state) {
    fixture *f = *state;
    rs_set_time_price p = {.device = "cuda", .per_hour = 2.1, .watts = NAN, .per_kwh = NAN}, set;
    const char *field;
    rs_err err = {0};
    listed l = {0};
    assert_int_equal(rs_control_set_time_price(f->c, &p, NULL, &set, &field, NULL), RS_OK);
    p.per_hour = NAN, p.watts = 350, p.per_kwh = 0.3;
    assert_int_equal(rs_control_set_time_price(f->c, &p, NULL, &set, &field, NULL), RS_OK);
    assert_int_equal(rs_control_list_time_prices(f->c, take_time_price, &l, NULL), RS_OK);
    assert_int_equal(l.n, 1);
    assert_true(l.last_time.watts == 350 && isnan(l.last_time.per_hour) &&
                fabs(rs_set_time_price_dollars(&l.last_time) - 0.105) < 1e-12);
    static const struct {
        const char *device, *field;
        double per_hour, watts, per_kwh;
    } wrong[] = {
        {"", "device", 1, NAN, NAN},         {"CUDA 0", "device", 1, NAN, NAN},
        {"cuda", "per_hour", NAN, NAN, NAN}, {"cuda", "per_hour", 1, 350, 1},
        {"cuda", "watts", NAN, NAN, 1},      {"cuda", "per_kwh", NAN, 1, NAN},
        {"cuda", "per_hour", -1, NAN, NAN},
    };
    for (size_t i = 0; i < RS_ARRAY_LEN(wrong); i++) {
        rs_set_time_price w = {
            .per_hour = wrong[i].per_hour, .watts = wrong[i].watts, .per_kwh = wrong[i].per_kwh};
        strcpy(w.device, wrong[i].device);
        assert_int_equal(rs_control_set_time_price(f->c, &w, NULL, &set, &field, &err), RS_ERR_INVALID);
        assert_string_equal(field, wrong[i].field);
    }
    assert_int_equal(rs_control_unset_time_price(f->c, l.last_time.id, NULL, NULL), RS_OK);
    assert_int_equal(rs_control_unset_time_price(f->c, l.last_time.id, NULL, NULL), RS_ERR_NOT_FOUND);
}

/* What version 4, the one before prices could be set, has. */
static void one_of_version_4_goes_on(void **state) {
    fixture *f = *state;
    rs_set_price p = {.model = "m", .input = 1, .output = NAN, .cached = NAN, .reasoning = NAN}, set;
    rs_err err = {0};
    rs_control_close(f->c);
    run_sql(f->path, WITHOUT_ORGANIZATIONS WITHOUT_SIGNED_IN
            "DROP TABLE price; DROP TABLE time_price; PRAGMA user_version=4");
    if (rs_control_open(f->dir, &f->c, &err) != RS_OK) fail_msg("%s", err.message);
    assert_int_equal(rs_control_set_price(f->c, &p, NULL, &set, NULL, NULL), RS_OK);
    assert_int_equal(prices_of(f).n, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(prices, setup, close_control),
        cmocka_unit_test_setup_teardown(as_many_prices_as_there_is_room_for, setup, close_control),
        cmocka_unit_test_setup_teardown(prices_of_time, setup, close_control),
        cmocka_unit_test_setup_teardown(one_of_version_4_goes_on, setup, close_control),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
