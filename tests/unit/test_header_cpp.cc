// respan.h is C++ too: it compiles without warnings and links with C linkage.
#include "respan.h"

int main() {
    respan_config config;
    respan_config_init(&config);
    config.base_url = "http://127.0.0.1:1/api";
    config.quiet = true;
    respan_client *client = nullptr;
    respan_error error;
    if (respan_client_open(&config, &client, &error) != RESPAN_OK) return 1;
    respan_span *span = respan_span_start(client, RESPAN_TEXT("span"), nullptr, 0);
    respan_span_set_string(span, RESPAN_TEXT("key"), RESPAN_TEXT("value"));
    respan_span_context context = respan_span_get_context(span);
    char hex[33];
    respan_trace_id_hex(&context, hex);
    respan_span_discard(span);
    return respan_client_close(client, 0, nullptr) == RESPAN_OK && hex[32] == 0 ? 0 : 1;
}
