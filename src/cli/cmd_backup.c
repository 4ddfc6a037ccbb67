/* respan backup | restore: a copy of all that is stored, and back. */
#include "cli/cmd.h"

#include "cli/data_dir.h"
#include "store/store.h"

#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

static int fail(const rs_err *err) {
    fprintf(stderr, "respan: %s\n", err->message);
    return RS_EXIT_NOT_FOUND;
}

static void tell(void *ctx, const char *text) {
    (void)ctx;
    fprintf(stderr, "respan: %s\n", text);
}

/* Copies, then reads all of the copy. */
static int copy(const char *from, const char *to) {
    rs_store_report r;
    rs_err err = {0};
    if (rs_store_copy(from, to, &err) != RS_OK) return fail(&err);
    if (rs_store_check(to, tell, NULL, &r, &err) != RS_OK) return fail(&err);
    printf("%llu spans in %llu traces are in %s: %s\n", (unsigned long long)r.spans,
           (unsigned long long)r.traces, to, r.problems ? "not all of it is whole" : "read again, all whole");
    return r.problems ? RS_EXIT_NOT_FOUND : RS_EXIT_DONE;
}

/* The folder that is the argument, and the data's. */
static int read_arguments(const rs_cmd *cmd, int argc, char **argv, const char **folder,
                          char data[RS_PATH_MAX]) {
    static const struct option longs[] = {{"data", required_argument, NULL, 'd'}, {0}};
    const char *option = NULL;
    rs_err err = {0};
    opterr = 0;
    for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        if (c != 'd')
            return rs_cmd_usage(cmd, "there is no option '%s', or its value is missing", argv[optind - 1]);
        option = optarg;
    }
    if (argc - optind != 1) return rs_cmd_usage(cmd, "%s wants one folder", cmd->name);
    *folder = argv[optind];
    return rs_data_dir(option, data, &err) == RS_OK ? RS_EXIT_DONE : fail(&err);
}

static int run_backup(int argc, char **argv) {
    const char *to;
    char data[RS_PATH_MAX];
    int status = read_arguments(&rs_cmd_backup, argc, argv, &to, data);
    return status == RS_EXIT_DONE ? copy(data, to) : status;
}

static int run_restore(int argc, char **argv) {
    const char *from;
    char data[RS_PATH_MAX], projects[RS_PATH_MAX];
    int status = read_arguments(&rs_cmd_restore, argc, argv, &from, data);
    if (status != RS_EXIT_DONE) return status;
    if (rs_path_join(projects, from, "projects", NULL) == RS_OK && access(projects, F_OK) == 0)
        return copy(from, data);
    fprintf(stderr, "respan: %s is no whole backup: it has no projects\n", from);
    return RS_EXIT_NOT_FOUND;
}

const rs_cmd rs_cmd_backup = {
    .name = "backup",
    .summary = "copy all that is stored to a folder, while the server runs or not",
    .help = "usage: respan backup DIR [--data DIR]\n"
            "\n"
            "Copies the traces, projects and keys to DIR, which must be empty or not there. The server may "
            "be running: "
            "every\n"
            "span that it acknowledged before is in the copy. Then reads all of the copy. It is a data "
            "folder like any\n"
            "other: `respan check --data DIR` and `respan serve --data DIR` take it.\n"
            "\n"
            "  --data DIR   the folder that `respan serve` keeps its data in\n"
            "\n"
            "Exit status: 0 all of it is there and whole, 1 not, 2 usage.\n",
    .run = run_backup,
};

const rs_cmd rs_cmd_restore = {
    .name = "restore",
    .summary = "bring a backup to where the server keeps its data",
    .help = "usage: respan restore DIR [--data DIR]\n"
            "\n"
            "Copies what `respan backup` wrote to DIR to the data folder, which must be empty or not there: "
            "nothing is "
            "written\n"
            "over. Then reads all of it.\n"
            "\n"
            "  --data DIR   the folder that `respan serve` keeps its data in\n"
            "\n"
            "Exit status: 0 all of it is there and whole, 1 not, 2 usage.\n",
    .run = run_restore,
};
