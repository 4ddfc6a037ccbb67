/* Text for a terminal: its width, its colours, and stored text made safe and fitted into columns.
 *
 * Whoever sends spans writes their text: control characters (C0, C1, DEL), bidirectional overrides and line separators never reach
 * the terminal raw; they are shown as \n, \t, \x1b, \u202e. Widths count columns (wide characters two, combining ones none).
 * One thread; rs_term_init sets LC_CTYPE. */
#ifndef RS_CLI_TERM_H
#define RS_CLI_TERM_H

#include "base/buf.h"
#include <stdbool.h>

typedef struct rs_term {
    int width;   /* columns: COLUMNS, else the terminal's, else 100 */
    bool narrow; /* somebody set that width: a table must fit it (in a pipe it need not) */
    bool colour; /* standard output is a terminal, and neither NO_COLOR nor TERM=dumb says no */
    bool ascii;  /* the terminal is not known to show box drawing */
} rs_term;

void rs_term_init(rs_term *t);

/* Columns that s takes when shown. */
size_t rs_term_columns(rs_str s);

/* Appends s on one line in at most `columns` columns, with an ellipsis where it was cut; returns the columns used. */
size_t rs_term_put(const rs_term *t, rs_buf *out, rs_str s, size_t columns);

/* The same, filled up with spaces on the right or (right = true) on the left to exactly that many columns. */
void rs_term_put_cell(const rs_term *t, rs_buf *out, rs_str s, size_t columns, bool right);

/* Takes the next line of at most `columns` columns off *text (at a line break, else at a space, else anywhere) and
 * appends it, escaped. False when nothing is left. */
bool rs_term_put_line(rs_buf *out, rs_str *text, size_t columns);

typedef enum rs_colour { RS_PLAIN, RS_BOLD, RS_DIM, RS_RED, RS_GREEN, RS_YELLOW, RS_BLUE, RS_CYAN } rs_colour;
/* Ends a line, without the spaces that hang at its end. */
void rs_term_end_line(rs_buf *out);

/* Switches to a colour; RS_PLAIN ends it. Nothing without colours. */
void rs_term_colour(const rs_term *t, rs_buf *out, rs_colour c);

#endif
