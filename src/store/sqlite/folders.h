/* The folders of a project's partitions: pNNNNNN, and pNNNNNN.G once it was rewritten: G is 2, 3, … Of several of one number
 * the one with the greatest G counts. The others, and names with a word behind (.new: being written, .old: being removed), are
 * what a process that died left behind.
 *
 * Any process may list them; the one that has the store open removes. */
#ifndef RS_STORE_SQLITE_FOLDERS_H
#define RS_STORE_SQLITE_FOLDERS_H

#include "base/paths.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct rs_folder {
    uint32_t number, generation; /* both from 1 */
} rs_folder;

/* Those that count, by number; none if there is no such directory. *out is the caller's to free. */
RS_MUST_CHECK rs_status rs_folders_list(const char *project, rs_folder **out, size_t *n, rs_err *err);
/* The one of that number; RS_ERR_NOT_FOUND. */
RS_MUST_CHECK rs_status rs_folders_find(const char *project, uint32_t number, rs_folder *out, rs_err *err);
RS_MUST_CHECK rs_status rs_folder_path(const char *project, const rs_folder *folder, char out[RS_PATH_MAX],
                                       rs_err *err);

/* Removes all that does not count. What cannot be removed stays, with a line in the log. */
void rs_folders_clean(const char *project);
/* Removes a folder and the files in it: from the first step on it does not count. */
void rs_folder_remove(const char *path);

#endif
