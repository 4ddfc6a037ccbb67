/* respan: one binary, one row per command. */
#include "cli/cmd.h"

#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const rs_cmd *const commands[] = {
    &rs_cmd_serve,  &rs_cmd_traces, &rs_cmd_keys,    &rs_cmd_projects, &rs_cmd_spool,
    &rs_cmd_doctor, &rs_cmd_check,  &rs_cmd_compact, &rs_cmd_backup,   &rs_cmd_restore,
    &rs_cmd_auth,   &rs_cmd_orgs,   &rs_cmd_users,   &rs_cmd_audit,    &rs_cmd_prices,
};

int rs_cmd_usage(const rs_cmd *cmd, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    fputs("respan: ", stderr);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fprintf(stderr, "\nTry: respan %s%s--help\n", cmd ? cmd->name : "", cmd ? " " : "");
    return RS_EXIT_USAGE;
}

static void print_help(FILE *to) {
    fputs("usage: respan COMMAND [OPTION]...\n\nTracing for people who run Hugging Face models.\n\n", to);
    for (size_t i = 0; i < RS_ARRAY_LEN(commands); i++)
        fprintf(to, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
    fputs("\n`respan COMMAND --help` says more. Exit status: 0 done, 1 not found or failed, 2 usage, 3 "
          "cannot reach.\n",
          to);
}

static bool asks_for_help(int argc, char **argv) {
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) return true;
    return false;
}

/* What was printed must have arrived: a full disk or a closed pipe is not success. */
static int flushed(int status) {
    return fflush(stdout) == 0 || status != RS_EXIT_DONE ? status : RS_EXIT_NOT_FOUND;
}

int main(int argc, char **argv) {
    if (argc < 2) {
        print_help(stderr);
        return RS_EXIT_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        print_help(stdout);
        return flushed(RS_EXIT_DONE);
    }
    if (strcmp(name, "--version") == 0) {
        puts("respan " RS_VERSION);
        return flushed(RS_EXIT_DONE);
    }
    for (size_t i = 0; i < RS_ARRAY_LEN(commands); i++) {
        if (strcmp(name, commands[i]->name) != 0) continue;
        if (asks_for_help(argc - 1, argv + 1)) {
            fputs(commands[i]->help, stdout);
            return flushed(RS_EXIT_DONE);
        }
        return flushed(commands[i]->run(argc - 1, argv + 1));
    }
    return rs_cmd_usage(NULL, "there is no command '%s'", name);
}
