/* Texts in which secrets are looked for: what is found lies in the text, in order; a plain text has none; and a text without
 * stays as it is. */
#include "sdk/redact.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds) {
    if (!holds) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *copy = malloc(size); /* of its very size, so that a byte behind it is seen */
    if (!copy && size) return 0;
    if (size) memcpy(copy, data, size);
    rs_str text = {copy, size};
    rs_secret found;
    size_t done = 0, n = 0;
    for (; rs_redact_find(text, done, &found); done = found.end, n++)
        require(found.at >= done && found.at < found.end && found.end <= size);
    if (rs_redact_is_plain(text)) require(n == 0);
    rs_buf once;
    rs_buf_init(&once);
    rs_redact(&once, text);
    if (n == 0) require(rs_str_eq(rs_buf_slice(&once), text));
    rs_buf_deinit(&once);
    free(copy);
    return 0;
}
