/* A user's price file: read or refused with a line, and what is read is found again. */
#include "normalize/price_file.h"
#include <math.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void hold(bool what) {
    if (!what) abort();
}

/* What is in force is what is found. */
static bool is_priced(void *ctx, const rs_price_row *row) {
    rs_price_row found;
    const rs_prices *prices = ctx;
    if (row->in_force && !row->is_beginning && row->price.model.n)
        hold(rs_prices_find(prices, row->price.provider, row->price.model, &found) &&
             found.price.input == row->price.input);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    rs_prices prices = {0};
    rs_err err = {0};
    rs_status st = rs_price_file_read((rs_str){(const char *)data, size}, "fuzz", &prices.users, &err);
    hold(st == RS_OK || (st == RS_ERR_INVALID && err.message[0]));
    rs_price_memo memo = {0};
    for (size_t i = 0; st == RS_OK && i < prices.users.n; i++) {
        const rs_price *price = &prices.users.items[i];
        hold(price->input >= 0 && price->provider < prices.users.nproviders);
        const rs_price_provider *provider = &prices.users.providers[price->provider];
        rs_span span = {.facts = {.log_type = RS_LOG_CHAT,
                                  .usage_source = RS_USAGE_REPORTED,
                                  .model = price->pattern,
                                  .provider = provider->n ? provider->names[0] : (rs_str){0},
                                  .prompt_tokens = 1,
                                  .reasoning_tokens = 1,
                                  .completion_tokens = 2,
                                  .cost = NAN}};
        rs_prices_apply(&prices, &span, &memo);
        hold(isnan(span.facts.cost) || span.facts.cost >= 0);
    }
    rs_prices_each(&prices, is_priced, &prices);
    rs_price_list_deinit(&prices.users);
    rs_price_list_deinit(&prices.builtin);
    return 0;
}
