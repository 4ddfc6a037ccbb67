/* Tags of the last parts of models' names, by which `model:tiny-gpt2` finds sshleifer/tiny-gpt2, for a partition of a version that had
 * none: each model with a slash in its name is looked up, and its traces get the tag as well. */
#ifndef RS_STORE_SQLITE_MODEL_PARTS_H
#define RS_STORE_SQLITE_MODEL_PARTS_H

#include "store/sqlite/partition.h"

/* In the caller's transaction; the rollups are made. *spread: see tag_index.h. The writer thread only. */
RS_MUST_CHECK rs_status rs_model_parts_make(rs_index *x, int64_t *spread, rs_err *err);

#endif
