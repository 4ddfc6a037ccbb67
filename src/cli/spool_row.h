/* What one spool file holds, as it is shown: read without its lock, so that whoever is to send it does not find it
 * locked, and believed as far as its checksums go. One thread. */
#ifndef RS_CLI_SPOOL_ROW_H
#define RS_CLI_SPOOL_ROW_H

#include "sdk/config.h"
#include "sdk/spool_read.h"

typedef struct rs_spool_row {
    const char
        *state; /* "waiting", "in use" (its program runs), "damaged", "other version", "not ours", "gone" */
    rs_spool_file file;
    uint64_t spans; /* ended ones that the server does not have yet */
    uint64_t open;  /* that had not ended when the program died, and go out as interrupted; or are open now */
    uint64_t damaged; /* that are lost; 0 while it is in use */
} rs_spool_row;

/* Reads file `name` of folder `dir`; close r->file afterwards, whatever the state. */
void rs_spool_row_read(const char *dir, const char *name, rs_spool_row *r);

/* `respan spool send` with that configuration leaves it alone for its key's sake. False also where its server is another. */
bool rs_spool_row_is_for_other_key(const rs_spool_row *r, const rs_config *config);

#endif
