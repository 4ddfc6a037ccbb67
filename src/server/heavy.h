/* rs_heavy: threads for requests that take long to handle, so that no HTTP thread, which has other connections, is held up by one.
 *
 * Jobs are done in order of arrival, two at a time, at a lower priority than the HTTP threads have: who asks does not wait for what is
 * taken in. The queue needs no limit of its own: each job is a request in flight, whose body
 * is counted (http.h). Any thread pushes. */
#ifndef RS_SERVER_HEAVY_H
#define RS_SERVER_HEAVY_H

#include "base/status.h"
#include <stdbool.h>

typedef struct rs_heavy rs_heavy;

typedef struct rs_heavy_job {
    /* On one of its threads, once; is_ending: there is no time to do it any more. The job may be gone when it returns. */
    void (*run)(struct rs_heavy_job *job, bool is_ending);
    struct rs_heavy_job *next;
} rs_heavy_job;

RS_MUST_CHECK rs_status rs_heavy_start(rs_heavy **out, rs_err *err);
void rs_heavy_push(rs_heavy *h, rs_heavy_job *job);
/* Those at work are finished, the others told that it ends; nobody pushes any more. */
void rs_heavy_stop(rs_heavy *h);

#endif
