/* Where the fuzzer's clients live: a directory of its own for spools and credentials, and no server outside. */
#ifndef RS_FUZZ_C_API_HOME_H
#define RS_FUZZ_C_API_HOME_H

#define DEAD_URL "http://127.0.0.1:1/api" /* nobody listens there */

/* Makes the directory, once, and sets the environment; it is removed when the process ends. */
void home_settle(void);
/* What clients that are opened from here on compress with: nothing, gzip, zstd. No client may be open. */
void home_set_compression(unsigned which);
/* Removes the spool files. */
void home_clear(void);

#endif
