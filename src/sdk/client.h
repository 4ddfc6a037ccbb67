/* The client: configuration, ring and exporter under one reference count.
 *
 * References: one of the caller (until close), one of the exporter's thread while it runs, one of all open spans
 * together (until close, and as long as there are any), and one each of those that a fork left open in the child.
 * Whoever drops the last one frees the client, so a span may be ended after close, and an exporter that a
 * stuck network holds past the deadline of close finds its memory where it was. Fork: all open clients are in
 * one list of the process; see fork.c. */
#ifndef RS_SDK_CLIENT_H
#define RS_SDK_CLIENT_H

#include "sdk/config.h"
#include "sdk/exporter.h"
#include "sdk/ring.h"

struct respan_client {
    rs_config config;
    rs_spool_setup spool; /* slices of config */
    rs_ring ring;
    rs_exporter exporter;
    uint64_t references;     /* atomic */
    uint64_t dropped_before; /* atomic: spans, when a flush last said so */
    bool closed;  /* atomic: spans that end now go nowhere, and nothing but the references is touched */
    bool running; /* atomic; written under start_lock: the exporter's thread exists, or existed */
    bool ended;   /* atomic: it has come to its end, and its reference is gone or going */
    bool watched; /* under fork.c's lock: in its list */
    unsigned generation; /* forks between the process that opened the client and this one */
    pthread_mutex_t start_lock;
    pthread_t thread;
    respan_client *next, *previous; /* list of fork.c */
};

void rs_client_retain(respan_client *c);
void rs_client_release(respan_client *c);
/* Starts the exporter's thread if it does not run. RS_ERR_IO if a thread cannot be had: a later call tries
 * again. */
RS_MUST_CHECK rs_status rs_client_start(respan_client *c);

/* fork.c: the list of clients, by which a child of fork sets them right; closed ones too, while spans of them are open. */
RS_MUST_CHECK rs_status rs_fork_watch(respan_client *c);
void rs_fork_unwatch(respan_client *c);

#endif
