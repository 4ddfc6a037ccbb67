/* What cutting words and finding phrases have in common: how single bytes and characters are read. */
#ifndef RS_STORE_WORD_BYTES_H
#define RS_STORE_WORD_BYTES_H

#include "store/words.h"

/* What parts words; letters and digits of ASCII; bytes of UTF-8 beyond it. */
enum { RS_BYTE_PART, RS_BYTE_ASCII, RS_BYTE_OTHER };
extern const uint8_t rs_byte_classes[256];

/* What is left of a Turkish capital's dot behind an i, where it was made small by Unicode's rules. */
enum { RS_DOT_ABOVE = 0x307 };

typedef uint8_t rs_bytes16 __attribute__((vector_size(16)));

/* The code point at p, of at least one byte; *n: its bytes. What is not UTF-8 is a code point of one byte that parts words. */
uint32_t rs_word_decode(const uint8_t *p, size_t left, size_t *n);
/* \uXXXX at p. */
bool rs_word_take_unit(const char *p, size_t left, uint32_t *out);

#endif
