/* The group commit: spans of several requests -> one transaction a partition, which is one a project, but for late spans.
 *
 * Spans are grouped by trace and a span sent twice within the commit is stored once, as it came last. Blocks
 * are appended to the segment first, then the index names them: until its commit they do not exist. The
 * writer thread only. */
#ifndef RS_STORE_SQLITE_COMMIT_H
#define RS_STORE_SQLITE_COMMIT_H

#include "store/sqlite/sqlite_store.h"

RS_MUST_CHECK rs_status rs_commit_new(rs_commit **out, rs_err *err);
void rs_commit_free(rs_commit *c);

/* Stores the spans of those batches that are of the project: each partition's all or nothing. */
RS_MUST_CHECK rs_status rs_commit_project(rs_commit *c, rs_project_data *p, const rs_partition_limits *limits,
                                          const rs_store_batch *batches, size_t n, rs_err *err);

#endif
