/* Doctor: the packages of the Python that programs here would run with. */
#include "cli/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ANSWER_MAX = 64 << 10, CANNOT_RUN = 127 };

/* Prints one line of JSON. Nothing is imported from where it is called, nothing is written, and of packages only our own
 * is loaded, since its extension may have been built for another Python. */
static const char script[] =
    "import sys\n"
    "sys.path[:] = [p for p in sys.path if p]\n"
    "import importlib.metadata, importlib.util, json, os\n"
    "def version(name):\n"
    "    try:\n"
    "        return importlib.metadata.version(name)\n"
    "    except Exception:\n"
    "        return None\n"
    "def place(name):\n"
    "    spec = importlib.util.find_spec(name)\n"
    "    return spec and (list(spec.submodule_search_locations or []) or [None])[0]\n"
    "found = {'python': '%d.%d.%d' % sys.version_info[:3], 'executable': sys.executable, 'error': None,\n"
    "    'old': sys.version_info < (3, 11),\n"
    "    'place': place('respan'), 'respan': version('respan-ai'),\n"
    "    'instrumentor': place('respan_instrumentation_huggingface') and\n"
    "        (version('respan-instrumentation-huggingface') or 'of no known version'),\n"
    "    'transformers': version('transformers')}\n"
    "found['ours'] = bool(found['place']) and any(n.startswith('_core') for n in "
    "os.listdir(found['place']))\n"
    "if found['ours']:\n"
    "    try:\n"
    "        import respan._core\n"
    "    except BaseException as e:\n"
    "        found['error'] = '%s: %s' % (type(e).__name__, e)\n"
    "print(json.dumps(found))\n";

/* ---- asking it ----------------------------------------------------------------------------------------- */

static void find_python(const rs_doctor *d, char out[4096]) {
    const char *environment = getenv("VIRTUAL_ENV");
    if (d->python) snprintf(out, 4096, "%s", d->python);
    else if (environment && *environment) snprintf(out, 4096, "%s/bin/python3", environment);
    else snprintf(out, 4096, "python3");
}

static void become_python(const char *python, int out) {
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    char *const arguments[] = {(char *)python, "-c", (char *)script, NULL};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setenv("PYTHONDONTWRITEBYTECODE", "1", 1);
    if (null >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 &&
        dup2(null, STDERR_FILENO) >= 0)
        execvp(python, arguments);
    _exit(CANNOT_RUN);
}

/* Its exit status, or -1. */
static int ask(const char *python, rs_buf *answer) {
    int ends[2], status = 0;
    char piece[4096];
    if (pipe2(ends, O_CLOEXEC) != 0) return -1;
    pid_t pid = fork();
    if (pid == 0) become_python(python, ends[1]);
    close(ends[1]);
    for (ssize_t n; pid > 0 && (n = read(ends[0], piece, sizeof piece)) != 0;) {
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) break;
        rs_buf_put(answer, piece, (size_t)n);
    }
    close(ends[0]);
    if (pid < 0 || waitpid(pid, &status, 0) != pid) return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The last line: what runs at Python's start may print too. */
static json_t *parse(const rs_buf *answer) {
    rs_str text = rs_buf_slice(answer);
    while (text.n && text.p[text.n - 1] == '\n') text.n--;
    const char *line = text.n ? memrchr(text.p, '\n', text.n) : NULL;
    if (line) text = rs_str_from(text, (size_t)(line + 1 - text.p));
    json_t *found = json_loadb(text.n ? text.p : "", text.n, 0, NULL);
    if (json_is_object(found)) return found;
    json_decref(found);
    return NULL;
}

/* ---- findings ------------------------------------------------------------------------------------------ */

static const char *text_of(const json_t *found, const char *key) {
    return json_string_value(json_object_get(found, key));
}

static void advise_install(rs_doctor *d, const char *python, const char *packages, const char *sentence) {
    rs_buf command;
    rs_buf_init(&command);
    rs_doctor_quote(&command, python);
    rs_buf_printf(&command, " -m pip install %s", packages);
    rs_doctor_remedy(d, rs_buf_cstr(&command), "%s", sentence);
    rs_buf_deinit(&command);
}

#define OUR_PACKAGES "./python/respan ./python/respan-instrumentation-huggingface"

static bool check_respan(rs_doctor *d, const char *python, const json_t *found) {
    const char *version = text_of(found, "respan"), *error = text_of(found, "error");
    if (!text_of(found, "place")) {
        rs_doctor_find(d, RS_WARNING, "respan-ai", "this Python cannot import respan");
        advise_install(d, python, OUR_PACKAGES, "In the folder of Respan's source:");
        return false;
    }
    if (error) {
        rs_doctor_find(d, RS_PROBLEM, "respan-ai", "`import respan` fails: %s", error);
        advise_install(d, python, "--force-reinstall --no-deps " OUR_PACKAGES,
                       "It was built for another Python or machine. In the folder of Respan's source:");
        return false;
    }
    if (!json_is_true(json_object_get(found, "ours"))) {
        rs_doctor_find(d, RS_FINE, "respan-ai",
                       "%s, the package of PyPI: it sends to Respan too, but has no spool",
                       version ? version : "of no known version");
    } else if (version && strcmp(version, RS_VERSION) != 0) {
        rs_doctor_find(d, RS_WARNING, "respan-ai", "%s, while this command is " RS_VERSION, version);
        advise_install(d, python, OUR_PACKAGES, "In the folder of Respan's source:");
    } else {
        rs_doctor_find(d, RS_FINE, "respan-ai", "%s", version ? version : "of no known version");
    }
    return true;
}

static void check_huggingface(rs_doctor *d, const char *python, const json_t *found) {
    const char *instrumentor = text_of(found, "instrumentor"), *transformers = text_of(found, "transformers");
    if (instrumentor) {
        rs_doctor_find(d, RS_FINE, "instrumentation", "respan-instrumentation-huggingface %s", instrumentor);
    } else {
        rs_doctor_find(d, RS_WARNING, "instrumentation",
                       "respan-instrumentation-huggingface is not installed: pipelines have no spans");
        advise_install(d, python, "./python/respan-instrumentation-huggingface",
                       "In the folder of Respan's source:");
    }
    if (transformers) {
        rs_doctor_find(d, RS_FINE, "transformers", "%s", transformers);
    } else if (instrumentor) {
        rs_doctor_find(d, RS_WARNING, "transformers", "not installed: there are no pipelines to trace");
        advise_install(d, python, "transformers", "Install it:");
    }
}

void rs_doctor_python(rs_doctor *d) {
    char python[4096];
    rs_buf answer;
    rs_buf_init(&answer);
    answer.limit = ANSWER_MAX;
    find_python(d, python);
    int status = ask(python, &answer);
    json_t *found = status == 0 ? parse(&answer) : NULL;
    if (found) {
        const char *executable = text_of(found, "executable"), *version = text_of(found, "python");
        bool old = json_is_true(json_object_get(found, "old"));
        rs_doctor_find(d, old ? RS_WARNING : RS_FINE, "python", "%s, %s%s", executable ? executable : python,
                       version ? version : "", old ? ": Respan's packages need 3.11 or later" : "");
        if (check_respan(d, python, found)) check_huggingface(d, python, found);
    } else if (status == CANNOT_RUN && !d->python && !getenv("VIRTUAL_ENV")) {
        rs_doctor_find(d, RS_WARNING, "python",
                       "there is no python3 on $PATH: only C programs can be traced");
    } else {
        rs_doctor_find(d, RS_PROBLEM, "python", "%s does not run, or is older than 3.8", python);
        rs_doctor_remedy(d, NULL, "Say which to look at with --python%s.",
                         getenv("VIRTUAL_ENV") ? ", or unset VIRTUAL_ENV" : "");
    }
    json_decref(found);
    rs_buf_deinit(&answer);
}
