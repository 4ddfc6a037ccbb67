/* rs_intern: byte strings -> small numbers in order of first sight. For the dictionaries of a block and for
 * grouping a commit.
 *
 * All zero is an empty table. Borrows the strings: they outlive the table or its next clear. Failure is sticky
 * (RS_ERR_MEMORY) and checked once. Owned by one thread at a time. */
#ifndef RS_STORE_SQLITE_INTERN_H
#define RS_STORE_SQLITE_INTERN_H

#include "base/status.h"
#include "base/str.h"
#include <stdint.h>

typedef struct rs_intern {
    rs_str *items; /* by number */
    uint32_t n, cap;
    struct rs_intern_slot {
        uint32_t hash, number; /* number + 1; 0: free */
    } * slots;
    uint32_t mask; /* slots - 1; 0: none yet */
    rs_status failed;
} rs_intern;

void rs_intern_deinit(rs_intern *t);
/* Forgets the strings; keeps the table's memory unless it is unusually large. */
void rs_intern_clear(rs_intern *t);

/* The number of s, new if it was not seen; 0 after a failure. */
uint32_t rs_intern_put(rs_intern *t, rs_str s);
/* The same where it is likely the string of that number (of any, to begin with): *likely is then the one that was given. */
static inline uint32_t rs_intern_put_likely(rs_intern *t, rs_str s, uint32_t *likely) {
    if (*likely >= t->n || !rs_str_eq(t->items[*likely], s)) *likely = rs_intern_put(t, s);
    return *likely;
}
/* The number of s, or UINT32_MAX if it was not seen. */
uint32_t rs_intern_find(const rs_intern *t, rs_str s);

#endif
