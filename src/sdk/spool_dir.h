/* The folder of spool files, $XDG_STATE_HOME/respan/spool: what lies there, and which of it has no owner.
 *
 * A name is "HASH-PID-RANDOM.spool"; HASH, 16 hex digits, is that of the application's name, the base URL and
 * the fingerprint of the key that the program gave (0: none), so that a client finds the files that are its to send without opening others. Any thread; no state. */
#ifndef RS_SDK_SPOOL_DIR_H
#define RS_SDK_SPOOL_DIR_H

#include "base/paths.h"
#include <stdbool.h>
#include <stdint.h>

#define RS_SPOOL_SUFFIX     ".spool"
#define RS_SPOOL_UNFINISHED ".new" /* behind the name of a file that has no header yet */
enum { RS_SPOOL_NAME_MAX = 64, RS_SPOOL_HASH_N = 16 };

/* $XDG_STATE_HOME/respan/spool; it need not exist. */
RS_MUST_CHECK rs_status rs_spool_dir(char out[RS_PATH_MAX], rs_err *err);
/* A new name. */
void rs_spool_name(char out[RS_SPOOL_NAME_MAX], const char *app, const char *url, uint64_t fingerprint);

typedef struct rs_spool_names {
    struct rs_spool_item {
        char name[RS_SPOOL_NAME_MAX];
        uint64_t changed_ns, bytes; /* of disk */
    } * items;                      /* the longest unchanged first */
    size_t n;
} rs_spool_names;

/* The spool files of the folder: all, or those of one application, base URL and key (both texts or neither NULL). A folder
 * that does not exist has none. What a process left that died while it made a file is removed on the way. */
RS_MUST_CHECK rs_status rs_spool_list(const char *dir, const char *app, const char *url, uint64_t fingerprint,
                                      rs_spool_names *out, rs_err *err);
void rs_spool_names_deinit(rs_spool_names *names);

/* Opens the file for reading and writing and takes its lock, so that nobody else sends or removes it until the fd
 * is closed. -1: it has an owner, is gone, or is not a plain file of this user (errno says which: EWOULDBLOCK is
 * an owner). */
RS_MUST_CHECK int rs_spool_lock(const char *dir, const char *name);

/* Removes ownerless files, the longest unchanged first, until those of `names` hold at most `most` bytes together.
 * Gives how many were removed. */
size_t rs_spool_prune(const char *dir, const rs_spool_names *names, uint64_t most);

#endif
