/* The command line: one file per command, one row per command in main.c.
 *
 * A command gets argv from its own name on, parses it with getopt_long, prints results to standard output and
 * everything else to standard error, and returns its exit status. Single-threaded but for `serve`. */
#ifndef RS_CLI_CMD_H
#define RS_CLI_CMD_H

enum {
    RS_EXIT_DONE = 0,
    RS_EXIT_NOT_FOUND = 1, /* not there, an assertion failed, or the command could not do its work */
    RS_EXIT_USAGE = 2,
    RS_EXIT_UNREACHABLE = 3, /* no server answers, or it refuses the key */
};

typedef struct rs_cmd {
    const char *name;    /* "traces" */
    const char *summary; /* one line for `respan --help` */
    const char *help;    /* all of `respan NAME --help`; begins with "usage: " */
    int (*run)(int argc, char **argv);
} rs_cmd;

extern const rs_cmd rs_cmd_serve, rs_cmd_traces, rs_cmd_keys, rs_cmd_spool, rs_cmd_doctor, rs_cmd_auth,
    rs_cmd_orgs, rs_cmd_users, rs_cmd_audit, rs_cmd_check, rs_cmd_backup, rs_cmd_restore, rs_cmd_compact,
    rs_cmd_projects, rs_cmd_prices;

/* "respan: message", then where help is; returns RS_EXIT_USAGE. */
int rs_cmd_usage(const rs_cmd *cmd, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
