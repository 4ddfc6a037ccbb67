/* rs_exporter: the one background thread of a client, from the ring to the server.
 *
 * It takes a batch, posts it, and tries again until the server has decided: 2xx is acknowledged (less what a
 * partial success rejects); no answer, 408, 429 and 5xx are tried again with jittered exponential backoff,
 * not before Retry-After (backoff.h); all else is a refusal: the batch is counted as rejected. Bodies are compressed where
 * that is configured (config.h) until the server says that it cannot read them. It holds what it needs
 * (ring, configuration) by reference and ends when the ring is stopped. The thread blocks all signals and
 * never calls into the program.
 *
 * Between batches it tells the server of spans that are open (open_tell.h), at an address of its own, so that no other OTLP
 * server sees them: the first time with nothing, and only an answer of 202 says that they are understood. Any other answer that is not
 * for later ends that for the client's life; it is never a reason for ended spans, a flush or a close to wait. */
#ifndef RS_SDK_EXPORTER_H
#define RS_SDK_EXPORTER_H

#include "sdk/compress.h"
#include "sdk/config.h"
#include "sdk/http_client.h"
#include "sdk/open_tell.h"
#include "sdk/ring.h"
#include <pthread.h>

typedef struct rs_exporter {
    rs_ring *ring;
    const rs_config *config;
    rs_http_client *http;
    rs_buf opening, answer;   /* of the request under way; the thread's */
    char key[256];            /* the credentials file's; the thread's */
    rs_compressor compressor; /* the thread's, as what follows */
    rs_coding coding;         /* of bodies: as configured, until the server refuses it */
    bool coding_accepted;     /* the server has taken a body in it */
    rs_open_teller teller;

    pthread_mutex_t lock;   /* for these two */
    char last_error[240];   /* of the last export; "" if it succeeded */
    char last_refusal[240]; /* why spans were refused, the last time that some were */
    uint64_t
        refused_since_ns; /* atomic, monotonic: since when every attempt found nobody listening; 0: not so */
} rs_exporter;

/* How many bytes rs_exporter puts before the frames of a request at most. */
size_t rs_exporter_headroom(rs_str resource, rs_str scope);

RS_MUST_CHECK rs_status rs_exporter_init(rs_exporter *e, rs_ring *ring, const rs_config *config);
void rs_exporter_deinit(rs_exporter *e);

/* The thread's work: what processes before this one left (backlog.h), then batch after batch; returns when the ring is
 * stopped. */
void rs_exporter_run(rs_exporter *e);

typedef struct rs_sent {
    uint32_t acknowledged, rejected, left; /* left: not decided */
} rs_sent;
typedef enum rs_send_how {
    RS_SEND_UNTIL_DECIDED, /* or until the ring is stopped */
    RS_SEND_ONCE /* what is not decided at once is left, and a key that is not valid decides nothing */
} rs_send_how;

/* The thread's: posts a batch under a resource and scope, in one request or, after a 413, in several. */
void rs_exporter_send(rs_exporter *e, rs_str resource, rs_str scope, rs_batch *b, rs_send_how how,
                      rs_sent *out);

/* Any thread. */
void rs_exporter_cancel(rs_exporter *e); /* ends a transfer under way; after rs_ring_stop */
void rs_exporter_last_error(rs_exporter *e, char out[240]);
void rs_exporter_last_refusal(rs_exporter *e, char out[240]);
/* True if for wait_ns, counted from since_ns at the earliest, nobody listened at the address. */
bool rs_exporter_is_refused(const rs_exporter *e, uint64_t since_ns, uint64_t wait_ns);

/* Around fork. Reset: in the child, alone; false if memory is exhausted. */
void rs_exporter_lock(rs_exporter *e);
void rs_exporter_unlock(rs_exporter *e);
bool rs_exporter_reset(rs_exporter *e);

#endif
