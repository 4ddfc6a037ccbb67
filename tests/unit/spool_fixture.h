/* A spool folder of its own, clients that write to it, and what of their spans arrives. Aborts where a step fails. */
#ifndef RS_TEST_SPOOL_FIXTURE_H
#define RS_TEST_SPOOL_FIXTURE_H

#include "fake_http.h"
#include "respan.h"
#include "sdk/backlog.h"
#include "sdk/spool_dir.h"

extern char spool_root[], spool_dir[RS_PATH_MAX]; /* $XDG_STATE_HOME and $XDG_CONFIG_HOME, and the folder */

/* Before the first test and after the last. */
void spool_begin(void);
void spool_end(void);
int spool_remove_files(void **state); /* a teardown for cmocka */

#define SPOOL_KEY "a-secret-key"
/* A client of the application "spooled" and that key, with batches of 32 that go out after spool_interval_ms. */
extern uint32_t spool_interval_ms;
respan_client *spool_client(const char *url, uint64_t spool_bytes);
/* A span with the attribute number. */
void spool_end_number(respan_client *c, int number);
/* Sends what was left for `url` to f. */
rs_backlog_counts spool_deliver(const char *url, fake_http *f);
/* The same with another key. */
rs_backlog_counts spool_deliver_as(const char *key, bool any_key, const char *url, fake_http *f);

size_t spool_count_files(void);
void spool_first_file(char path[RS_PATH_MAX]);
/* n bytes of the first file. */
void spool_overwrite(uint64_t at, size_t n, uint8_t with);

enum { SPOOL_NUMBERS = 60000 };
typedef struct spool_arrival {
    uint8_t span_id[8], parent_id[8]; /* span_id zero: it did not arrive */
    bool interrupted;
    uint64_t start_ns, end_ns;
    uint32_t attributes;
    char name[32], text[32]; /* its name, and the beginning of its attribute `text` */
} spool_arrival;
extern spool_arrival spool_arrived[SPOOL_NUMBERS];

/* Reads all that f received; gives how many numbers are there, and of spans without one how many (may be NULL): those
 * must be interrupted. A number that comes twice must be the same span both times: then it is one on the page. */
size_t spool_collect(fake_http *f, size_t *without);
bool spool_is_there(int number);

#endif
