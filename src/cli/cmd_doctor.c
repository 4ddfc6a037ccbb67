/* respan doctor: says what is wrong with the tracing on this machine, and how to mend it. */
#include "cli/cmd.h"

#include "base/clock.h"
#include "cli/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LIMIT_S = 8, RECORDS_MAX = 1 << 20 };

typedef struct check {
    const char *name;
    void (*run)(rs_doctor *d);
} check;

static const check checks[] = {
    {"server", rs_doctor_server}, {"spool", rs_doctor_spool},          {"data", rs_doctor_data},
    {"python", rs_doctor_python}, {"settings", rs_doctor_environment},
};
enum { CHECK_COUNT = RS_ARRAY_LEN(checks) };

typedef struct running {
    pid_t pid;
    int from; /* its findings; -1: it could not be started */
} running;

/* ---- checks in processes of their own ------------------------------------------------------------------ */

static running start(const check *c, const rs_doctor *options) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return (running){.from = -1};
    pid_t pid = fork();
    if (pid == 0) {
        rs_doctor d = *options;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        signal(SIGPIPE, SIG_IGN);
        close(ends[0]);
        d.out = ends[1];
        c->run(&d);
        _exit(0);
    }
    close(ends[1]);
    if (pid > 0) return (running){.pid = pid, .from = ends[0]};
    close(ends[0]);
    return (running){.from = -1};
}

/* Appends what it finds until it ends; false if it does not by then. */
static bool listen_to(const running *r, uint64_t until_ns, rs_buf *records) {
    char piece[4096];
    for (;;) {
        uint64_t now = rs_clock_mono_ns();
        struct pollfd fd = {.fd = r->from, .events = POLLIN};
        int left_ms = now < until_ns ? (int)((until_ns - now) / 1000000) + 1 : 0;
        int ready = poll(&fd, 1, left_ms);
        if (ready < 0 && errno == EINTR) continue;
        if (ready <= 0) return false;
        ssize_t n = read(r->from, piece, sizeof piece);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return true;
        rs_buf_put(records, piece, (size_t)n);
    }
}

static void add(json_t *all, const check *c, const char *message) {
    json_t *one = json_pack("{s:s, s:s, s:s, s:n, s:n}", "check", c->name, "status", "problem", "message",
                            message, "remedy", "command");
    if (one) json_array_append_new(all, one);
}

/* Gathers what one check finds; it has ended, or is left to its fate, when this returns. */
static void gather(const check *c, const running *r, uint64_t until_ns, json_t *all) {
    char message[80];
    int status = 0;
    rs_buf records;
    if (r->from < 0) {
        add(all, c, "this could not be looked at: no more processes or memory");
        return;
    }
    rs_buf_init(&records);
    records.limit = RECORDS_MAX;
    bool ended = listen_to(r, until_ns, &records);
    close(r->from);
    if (!ended) kill(r->pid, SIGKILL); /* one that waits for a disk dies when that answers: not waited for */
    waitpid(r->pid, &status, ended ? 0 : WNOHANG);
    json_t *found = rs_doctor_findings(rs_buf_slice(&records));
    if (found) json_array_extend(all, found);
    json_decref(found);
    rs_buf_deinit(&records);
    if (!ended) {
        snprintf(message, sizeof message, "this did not come to an end within %d s", LIMIT_S);
        add(all, c, message);
    } else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        add(all, c, "the check itself failed: what it found may not be all");
    }
}

static json_t *run_checks(const rs_doctor *options) {
    running all[CHECK_COUNT];
    json_t *findings = json_array();
    if (!findings) return NULL;
    uint64_t until_ns = rs_clock_mono_ns() + LIMIT_S * 1000000000ull;
    fflush(NULL);
    for (int i = 0; i < CHECK_COUNT; i++) all[i] = start(&checks[i], options);
    for (int i = 0; i < CHECK_COUNT; i++) gather(&checks[i], &all[i], until_ns, findings);
    return findings;
}

/* ---- the answer ---------------------------------------------------------------------------------------- */

static size_t count(const json_t *findings, const char *status) {
    size_t n = 0, i;
    json_t *finding;
    json_array_foreach(findings, i, finding) n +=
        strcmp(json_string_value(json_object_get(finding, "status")), status) == 0;
    return n;
}

static void put_summary(rs_buf *out, size_t problems, size_t warnings) {
    rs_buf_byte(out, '\n');
    if (problems) rs_buf_printf(out, "%zu problem%s", problems, problems == 1 ? "" : "s");
    else rs_buf_text(out, "No problems");
    if (warnings) rs_buf_printf(out, ", %zu warning%s", warnings, warnings == 1 ? "" : "s");
    rs_buf_text(out, ".\n");
}

static bool put_json(rs_buf *out, json_t *findings, size_t problems, size_t warnings) {
    json_t *all = json_pack("{s:s, s:s, s:I, s:I, s:O}", "status",
                            problems   ? "problem"
                            : warnings ? "warning"
                                       : "ok",
                            "version", RS_VERSION, "problems", (json_int_t)problems, "warnings",
                            (json_int_t)warnings, "checks", findings);
    char *text = all ? json_dumps(all, JSON_INDENT(2)) : NULL;
    if (text) rs_buf_printf(out, "%s\n", text);
    free(text);
    json_decref(all);
    return text != NULL;
}

static int examine(const rs_doctor *options, bool json) {
    rs_buf out;
    rs_buf_init(&out);
    json_t *findings = run_checks(options);
    size_t problems = count(findings, "problem"), warnings = count(findings, "warning");
    bool ok = findings != NULL;
    if (ok && json) {
        ok = put_json(&out, findings, problems, warnings);
    } else if (ok) {
        rs_doctor_print(findings, &out);
        put_summary(&out, problems, warnings);
    }
    ok = ok && rs_buf_status(&out) == RS_OK;
    if (ok) fwrite(out.p, 1, out.n, stdout);
    else fputs("respan: out of memory\n", stderr);
    rs_buf_deinit(&out);
    json_decref(findings);
    return ok && problems == 0 ? RS_EXIT_DONE : RS_EXIT_NOT_FOUND;
}

static int run(int argc, char **argv) {
    static const struct option longs[] = {{"data", required_argument, NULL, 'd'},
                                          {"python", required_argument, NULL, 'p'},
                                          {"send", no_argument, NULL, 's'},
                                          {"json", no_argument, NULL, 'j'},
                                          {0}};
    rs_doctor options = {.out = -1};
    bool json = false;
    opterr = 0;
    for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        if (c == 'd') options.data = optarg;
        else if (c == 'p') options.python = optarg;
        else if (c == 's') options.send = true;
        else if (c == 'j') json = true;
        else
            return rs_cmd_usage(&rs_cmd_doctor, "there is no option '%s', or its value is missing",
                                argv[optind - 1]);
    }
    if (optind < argc) return rs_cmd_usage(&rs_cmd_doctor, "doctor takes no argument '%s'", argv[optind]);
    return examine(&options, json);
}

const rs_cmd rs_cmd_doctor = {
    .name = "doctor",
    .summary = "what is wrong with the tracing here, and how to mend it",
    .help =
        "usage: respan doctor [--send] [--json]\n\n"
        "Looks at the server that a program would send to, its key, clock and version, at the spool, the\n"
        "data, Python's packages and the environment, as they are where it is called. A line each: ok,\n"
        "warning or problem, with the remedy. It changes nothing, and ends within a few seconds whatever\n"
        "hangs. Exit status: 0, or 1 if there is a problem.\n\n"
        "  --send           send a span and read it back too; it stays, as a trace named \"respan doctor\"\n"
        "  --python PYTHON  whose packages (default that of $VIRTUAL_ENV, else python3 of $PATH)\n"
        "  --data DIR       the server's data (default $XDG_DATA_HOME/respan)\n"
        "  --json           print JSON\n",
    .run = run,
};
