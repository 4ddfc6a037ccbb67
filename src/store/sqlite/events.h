/* Table event: what was sent apart from its span (store.h, rs_store_event). It lies with its trace, or in the last partition if that
 * is not known yet, and stays there.
 *
 * A row without a record says that the span has the event: a copy of the span that comes again does not, and is given it. */
#ifndef RS_STORE_SQLITE_EVENTS_H
#define RS_STORE_SQLITE_EVENTS_H

#include "store/sqlite/sqlite_store.h"

/* The writer, after the spans of the same batches. Each partition's all or nothing. */
RS_MUST_CHECK rs_status rs_events_write(rs_project_data *p, const rs_partition_limits *limits,
                                        const rs_store_batch *batches, size_t n, rs_err *err);

#endif
