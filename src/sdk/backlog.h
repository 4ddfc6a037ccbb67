/* rs_backlog: the spool files that processes left behind, delivered by whoever comes next: the exporter of the same
 * application, before it sends anything of its own, or `respan spool send`.
 *
 * A file's spans are sent region by region, as the requests that the dead process would have made, and each region is
 * marked once the server has it; a file that has none left is removed. What is sent and not yet marked when this
 * process dies too is sent again: the store knows a span by its id. A file with spans that the server does not take
 * for want of a valid key (401, 403) stays, one that it refuses otherwise does not. One thread: the exporter's. */
#ifndef RS_SDK_BACKLOG_H
#define RS_SDK_BACKLOG_H

#include "sdk/exporter.h"
#include "sdk/spool_read.h"

typedef struct rs_backlog_counts {
    uint64_t acknowledged, rejected, damaged; /* spans; damaged: did not match their checksum */
    uint64_t interrupted;                     /* of those that were sent: had not ended */
    uint64_t kept;                            /* files that stay */
    uint64_t foreign;                         /* files for another base URL, which were left alone */
    uint64_t other_key; /* files of programs with another API key, which were left alone */
    uint64_t pruned;    /* files removed because all together were over `most` */
} rs_backlog_counts;

/* The file's spans are the configuration's to send: its program gave the same key, or one of the two gave none and the other
 * that of the credentials file. */
bool rs_backlog_is_own(const rs_config *config, const rs_spool_file *file);

/* Sends what lies in `dir` for e->config's base URL and of its key: that of one application, or all (app NULL), then also files of
 * versions that did not say whose key they are for. any_key: whatever key they were for. Files without an
 * owner may hold `most` bytes together; beyond that the oldest are removed unsent (0: no limit). True if nothing
 * to send is left; false if the server is away or does not take it, or the exporter was stopped. */
bool rs_backlog_send(rs_exporter *e, const char *dir, const char *app, uint64_t most, bool any_key,
                     rs_backlog_counts *counts);

/* The same, all applications, for a program that has no client. `why` says what stood in the way; "" if nothing did. */
RS_MUST_CHECK rs_status rs_backlog_send_alone(const rs_config *config, const char *dir, bool any_key,
                                              rs_backlog_counts *counts, char why[240]);

#endif
