#include "toy_llama.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* One answer; a prompt's words are tokens that it does not know. */
static const char *const pieces[] = {"The", " capital", " of", " France", " is", " Paris", "."};
enum { PIECES = sizeof pieces / sizeof *pieces, END = PIECES, UNKNOWN };

struct toy_context {
    uint32_t n_ctx, used;
    toy_token next;
};

toy_context *toy_init(uint32_t n_ctx) {
    toy_context *ctx = calloc(1, sizeof *ctx);
    if (ctx) ctx->n_ctx = n_ctx;
    return ctx;
}

void toy_free(toy_context *ctx) { free(ctx); }

int32_t toy_tokenize(const char *text, int32_t length, toy_token *tokens, int32_t max) {
    int32_t n = 0;
    for (int32_t i = 0; i < length; i++) {
        if (i > 0 && text[i] != ' ') continue; /* a word */
        if (n == max) return -1;
        tokens[n++] = UNKNOWN;
    }
    return n;
}

int32_t toy_decode(toy_context *ctx, const toy_token *tokens, int32_t n) {
    if (ctx->used + (uint32_t)n > ctx->n_ctx) return 1;
    ctx->used += (uint32_t)n;
    struct timespec work = {.tv_nsec = 2000000};
    nanosleep(&work, NULL);
    toy_token last = tokens[n - 1];
    ctx->next = last == UNKNOWN ? 0 : last + 1;
    return 0;
}

toy_token toy_sample(toy_context *ctx) { return ctx->next; }

bool toy_is_end(toy_token token) { return token == END; }

int32_t toy_token_to_piece(toy_token token, char *out, int32_t size) {
    if (token < 0 || token >= PIECES || (int32_t)strlen(pieces[token]) > size) return 0;
    memcpy(out, pieces[token], strlen(pieces[token]));
    return (int32_t)strlen(pieces[token]);
}
