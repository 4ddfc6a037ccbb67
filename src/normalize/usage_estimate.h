/* Token counts for model calls that report none, from the text alone: marked RS_USAGE_ESTIMATED, never to be taken for measured.
 * Internal to normalize/. */
#ifndef RS_NORMALIZE_USAGE_ESTIMATE_H
#define RS_NORMALIZE_USAGE_ESTIMATE_H

#include "otlp/span.h"

/* Fills prompt_tokens, completion_tokens and usage_source from input and output; leaves them alone where there are no words:
 * of a transcription's input, a vector, or speech. */
void rs_usage_estimate(rs_facts *f);

#endif
