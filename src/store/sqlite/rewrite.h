/* Rewriting a partition into a folder of its own (folders.h), which then takes its place: its blocks (reblock.h), what an index
 * has of deleted traces, and the index itself, in order and without gaps. It takes seconds; commits and readers go on meanwhile.
 *
 * Killed at any point there is the old folder or the new one, whole. A thread of its own, one partition of a project at a time. */
#ifndef RS_STORE_SQLITE_REWRITE_H
#define RS_STORE_SQLITE_REWRITE_H

#include "store/sqlite/project_data.h"
#include "store/sqlite/turns.h"

/* It takes no new traces from now on. *stop (atomic, may be NULL) makes it give up: RS_ERR_CLOSED. RS_ERR_FULL: it takes as much
 * room again as the partition has. On an error all is as it was. */
RS_MUST_CHECK rs_status rs_rewrite(rs_turns *writing, rs_project_data *p, rs_partition *old, const bool *stop,
                                   rs_err *err);

#endif
