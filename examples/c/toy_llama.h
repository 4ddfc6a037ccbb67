/* In place of llama.h, so that token_loop.c needs no model: the few functions of its loop, in their shape. What it says is
 * always the same. Your program includes llama.h and leaves this out. */
#ifndef TOY_LLAMA_H
#define TOY_LLAMA_H

#include <stdbool.h>
#include <stdint.h>

typedef int32_t toy_token;
typedef struct toy_context toy_context;

/* Room for n_ctx tokens, prompt and answer together. NULL: no memory. */
toy_context *toy_init(uint32_t n_ctx);
void toy_free(toy_context *ctx);

/* Writes the text's tokens and returns their number; negative: `max` is too few. */
int32_t toy_tokenize(const char *text, int32_t length, toy_token *tokens, int32_t max);
/* Runs the model over n tokens. 0: done; 1: no room is left in the context. */
int32_t toy_decode(toy_context *ctx, const toy_token *tokens, int32_t n);
/* The next token, as the last decode has it. */
toy_token toy_sample(toy_context *ctx);
bool toy_is_end(toy_token token);
/* Writes the token's text, without a NUL, and returns its length. */
int32_t toy_token_to_piece(toy_token token, char *out, int32_t size);

#endif
