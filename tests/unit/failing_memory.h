/* Memory that runs out on purpose: a test linked with dep_failing_memory has its malloc, calloc and realloc here
 * (the linker's --wrap). Per thread, so that threads beside the test go on undisturbed. */
#ifndef RS_TESTS_FAILING_MEMORY_H
#define RS_TESTS_FAILING_MEMORY_H

#include <stdbool.h>

/* The nth allocation (from 1) of this thread from now on fails, and all behind it too if `from_then_on`. */
void fail_at(long nth, bool from_then_on);

/* None fails any more; has_failed stays as it is. */
void fail_none(void);

/* Whether one has failed since fail_at. */
bool has_failed(void);

#endif
