/* A log record under construction, for both decoders; its attributes are on the stack of the rs_build. Private to otlp/. */
#ifndef RS_OTLP_LOG_RECORD_H
#define RS_OTLP_LOG_RECORD_H

#include "otlp/build.h"

typedef struct rs_log_record {
    rs_loose_event of; /* ids, and of the event: name, time, dropped attributes */
    uint64_t observed_ns;
    rs_value body; /* checked */
    rs_build_ids ids;
} rs_log_record;

/* Completes it and puts it with the others, or rejects it; empties the stack. False with b->status set. */
bool rs_build_finish_log(rs_build *b, rs_log_record *r);

/* Leaves it out, wherever reading it stopped; empties the stack. */
void rs_build_reject_log(rs_build *b, const char *why);

#endif
