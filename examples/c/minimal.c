/* Traces a C program that runs a language model: a workflow with one chat span in it, as a llama.cpp program would.
 *
 *     cc minimal.c $(pkg-config --cflags --libs respan) -o minimal && ./minimal
 *
 * Start the server first with `respan serve`; then `respan traces list` shows the trace. */
#include <respan.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* In place of llama_decode and llama_sampler_sample: the next token's text, NULL at the end. */
static const char *next_token(int n) {
    static const char *const tokens[] = {"The", " capital", " of", " France", " is", " Paris", "."};
    struct timespec decoding = {.tv_nsec = 8000000};
    nanosleep(&decoding, NULL);
    return n < (int)(sizeof tokens / sizeof *tokens) ? tokens[n] : NULL;
}

static void set_text(respan_span *span, const char *key, const char *value) {
    respan_span_set_string(span, key, strlen(key), value, strlen(value));
}

static void chat(respan_client *client, const respan_span_context *parent, const char *question) {
    respan_span *span = respan_span_start(client, RESPAN_TEXT("chat smollm2"), parent, 0);
    set_text(span, "respan.entity.log_type", "chat");
    set_text(span, "gen_ai.request.model", "smollm2-135m-instruct");
    respan_span_set_double(span, RESPAN_TEXT("gen_ai.request.temperature"), 0.2);
    set_text(span, "gen_ai.prompt.0.role", "user");
    set_text(span, "gen_ai.prompt.0.content", question);

    char answer[512] = "";
    size_t length = 0;
    int count = 0;
    double began = seconds(), first = 0;
    for (const char *token; (token = next_token(count)); count++) {
        if (count == 0) first = seconds() - began;
        length += (size_t)snprintf(answer + length, sizeof answer - length, "%s", token);
        if (length >= sizeof answer) break;
    }

    set_text(span, "gen_ai.completion.0.role", "assistant");
    set_text(span, "gen_ai.completion.0.content", answer);
    set_text(span, "gen_ai.completion.0.finish_reason", "stop");
    respan_span_set_int(span, RESPAN_TEXT("gen_ai.usage.input_tokens"), 7);
    respan_span_set_int(span, RESPAN_TEXT("gen_ai.usage.output_tokens"), count);
    set_text(span, "respan.usage.source", "measured");
    respan_span_set_double(span, RESPAN_TEXT("respan.generation.time_to_first_token"), first);
    respan_span_set_double(span, RESPAN_TEXT("respan.generation.tokens_per_second"),
                           count / (seconds() - began));
    respan_span_end(span, 0);
    printf("%s\n", answer);
}

int main(void) {
    respan_config config;
    respan_config_init(&config);
    config.app_name = "minimal";
    respan_client *client;
    respan_error error;
    if (respan_client_open(&config, &client, &error) != RESPAN_OK) {
        fprintf(stderr, "tracing is off: %s\n", error.message);
        client = NULL; /* every call below then does nothing */
    }

    respan_span *workflow = respan_span_start(client, RESPAN_TEXT("geography.workflow"), NULL, 0);
    set_text(workflow, "respan.entity.log_type", "workflow");
    set_text(workflow, "traceloop.entity.name", "geography");
    set_text(workflow, "traceloop.workflow.name", "geography");
    respan_span_context context = respan_span_get_context(workflow);
    chat(client, &context, "What is the capital of France?");
    respan_span_end(workflow, 0);

    respan_client_close(client, 5000, NULL);
    return 0;
}
