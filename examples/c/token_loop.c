/* Traces the loop that every llama.cpp program has: tokenize, decode the prompt, then sample and decode token by token.
 *
 *     cc token_loop.c toy_llama.c $(pkg-config --cflags --libs respan) -pthread -o token_loop && ./token_loop
 *
 * It asks twice: on its own thread, and on another one in a context that is too small, which is an error in the trace.
 * Start the server first with `respan serve`; then `respan traces get latest` shows both under one workflow. */
#include "toy_llama.h"
#include <pthread.h>
#include <respan.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define MODEL "toy-135m-q4"
enum { PROMPT_MAX = 256, ANSWER_MAX = 64 /* tokens */ };

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void set_text(respan_span *span, const char *key, const char *value) {
    respan_span_set_string(span, key, strlen(key), value, strlen(value));
}

/* What one call to the model came to. */
typedef struct answer {
    char text[512];
    size_t length;
    int32_t prompt_tokens, tokens;
    double began, prefilled, first, ended; /* seconds; first: 0 until there is a token */
    double gaps[ANSWER_MAX];               /* between one token and the next, seconds */
    const char *finish_reason, *error;     /* error: NULL if there was none */
} answer;

/* ---- the loop, as a program without tracing has it; the span is told of the first token ---------------- */

static void note_token(answer *a, respan_span *span) {
    double now = seconds();
    if (a->tokens == 0) {
        a->first = now;
        respan_span_add_event(span, RESPAN_TEXT("first token"), 0, NULL, 0);
    } else {
        a->gaps[a->tokens - 1] = now - a->ended;
    }
    a->ended = now;
    a->tokens++;
}

static void generate(toy_context *ctx, const char *prompt, int32_t max_tokens, answer *a, respan_span *span) {
    toy_token tokens[PROMPT_MAX];
    a->began = seconds();
    a->finish_reason = "error";
    a->prompt_tokens = toy_tokenize(prompt, (int32_t)strlen(prompt), tokens, PROMPT_MAX);
    if (a->prompt_tokens <= 0) {
        a->error = "the prompt has no tokens, or too many";
        return;
    }
    int32_t decoded = toy_decode(ctx, tokens, a->prompt_tokens);
    a->prefilled = a->ended = seconds();
    while (decoded == 0 && a->tokens < max_tokens) {
        toy_token token = toy_sample(ctx);
        if (toy_is_end(token)) {
            a->finish_reason = "stop";
            return;
        }
        note_token(a, span);
        a->length +=
            (size_t)toy_token_to_piece(token, a->text + a->length, (int32_t)(sizeof a->text - a->length));
        decoded = toy_decode(ctx, &token, 1);
    }
    if (decoded == 0) a->finish_reason = "length";
    else a->error = "no room is left in the context";
}

/* ---- one call as a span -------------------------------------------------------------------------------- */

static void describe_request(respan_span *span, const char *question, int32_t max_tokens) {
    set_text(span, "respan.entity.log_type", "chat");
    set_text(span, "gen_ai.operation.name", "chat");
    set_text(span, "gen_ai.system", "llama.cpp");
    set_text(span, "gen_ai.request.model", MODEL);
    set_text(span, "respan.model.quantization", "Q4_K_M");
    respan_span_set_int(span, RESPAN_TEXT("gen_ai.request.max_tokens"), max_tokens);
    respan_span_set_double(span, RESPAN_TEXT("gen_ai.request.temperature"), 0.2);
    respan_span_set_int(span, RESPAN_TEXT("gen_ai.request.top_k"), 40);
    respan_span_set_int(span, RESPAN_TEXT("gen_ai.request.seed"), 7);
    set_text(span, "gen_ai.prompt.0.role", "system");
    set_text(span, "gen_ai.prompt.0.content", "You answer in one short sentence.");
    set_text(span, "gen_ai.prompt.1.role", "user");
    set_text(span, "gen_ai.prompt.1.content", question);
}

static void describe_answer(respan_span *span, const answer *a) {
    set_text(span, "gen_ai.completion.0.role", "assistant");
    respan_span_set_string(span, RESPAN_TEXT("gen_ai.completion.0.content"), a->text, a->length);
    set_text(span, "gen_ai.completion.0.finish_reason", a->finish_reason);
    set_text(span, "gen_ai.response.model", MODEL);
    respan_span_set_int(span, RESPAN_TEXT("gen_ai.usage.input_tokens"), a->prompt_tokens);
    respan_span_set_int(span, RESPAN_TEXT("gen_ai.usage.output_tokens"), a->tokens);
    set_text(span, "respan.usage.source", "measured");
    if (a->tokens > 0) {
        double decode = a->ended - a->prefilled;
        respan_span_set_double(span, RESPAN_TEXT("respan.generation.prefill"), a->prefilled - a->began);
        respan_span_set_double(span, RESPAN_TEXT("respan.generation.decode"), decode);
        respan_span_set_double(span, RESPAN_TEXT("respan.generation.time_to_first_token"),
                               a->first - a->began);
        if (a->tokens > 1)
            respan_span_set_double(span, RESPAN_TEXT("respan.generation.tokens_per_second"),
                                   (a->tokens - 1) / decode);
        respan_attribute gaps = {.key = {RESPAN_TEXT("respan.generation.token_gaps")},
                                 .type = RESPAN_TYPE_DOUBLE_ARRAY};
        gaps.value.reals.items = a->gaps;
        gaps.value.reals.count = (size_t)a->tokens - 1;
        respan_span_set(span, &gaps, 1);
    }
    if (!a->error) return;
    respan_attribute message = {.key = {RESPAN_TEXT("exception.message")}, .type = RESPAN_TYPE_STRING};
    message.value.string = (respan_text){a->error, strlen(a->error)};
    respan_span_add_event(span, RESPAN_TEXT("exception"), 0, &message, 1);
    respan_span_set_status(span, RESPAN_STATUS_ERROR, a->error, strlen(a->error));
}

static void chat(respan_client *client, const respan_span_context *parent, const char *question,
                 uint32_t n_ctx) {
    enum { MAX_TOKENS = 32 };
    respan_span *span = respan_span_start(client, RESPAN_TEXT("chat " MODEL), parent, 0);
    describe_request(span, question, MAX_TOKENS);
    answer a = {.finish_reason = "error", .error = "no memory for a context"};
    toy_context *ctx = toy_init(n_ctx);
    if (ctx) {
        a.error = NULL;
        generate(ctx, question, MAX_TOKENS, &a, span);
        toy_free(ctx);
    }
    describe_answer(span, &a);
    respan_span_end(span, 0);
    printf("%.*s%s%s\n", (int)a.length, a.text, a.error ? " … " : "", a.error ? a.error : "");
}

/* ---- a workflow, and a thread in it -------------------------------------------------------------------- */

/* A thread is given the parent's context, which is plain data, not the span: that is its owner's. */
typedef struct job {
    respan_client *client;
    respan_span_context parent;
} job;

static void *ask_on_thread(void *context) {
    const job *j = context;
    respan_span *task = respan_span_start(j->client, RESPAN_TEXT("ask_again.task"), &j->parent, 0);
    set_text(task, "respan.entity.log_type", "task");
    set_text(task, "traceloop.entity.name", "ask_again");
    respan_span_context own = respan_span_get_context(task);
    chat(j->client, &own, "What is the capital of France?", 10);
    respan_span_end(task, 0);
    return NULL;
}

int main(void) {
    respan_config config;
    respan_config_init(&config);
    config.app_name = "token-loop";
    respan_client *client;
    respan_error error;
    if (respan_client_open(&config, &client, &error) != RESPAN_OK)
        fprintf(stderr, "tracing is off: %s\n",
                error.message); /* client is NULL: every call below does nothing */

    respan_span *workflow = respan_span_start(client, RESPAN_TEXT("geography.workflow"), NULL, 0);
    set_text(workflow, "respan.entity.log_type", "workflow");
    set_text(workflow, "traceloop.entity.name", "geography");
    set_text(workflow, "traceloop.workflow.name", "geography");
    respan_span_context context = respan_span_get_context(workflow);

    chat(client, &context, "What is the capital of France?", 512);

    job again = {client, context};
    pthread_t thread;
    if (pthread_create(&thread, NULL, ask_on_thread, &again) == 0) pthread_join(thread, NULL);

    char id[33];
    respan_trace_id_hex(&context, id);
    respan_span_end(workflow, 0);
    if (respan_client_close(client, 5000, NULL) == RESPAN_OK && client) printf("respan traces get %s\n", id);
    return 0;
}
