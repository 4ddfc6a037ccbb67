/* respan serve: the server in the foreground, until SIGTERM or SIGINT. */
#include "cli/cmd.h"

#include "base/log.h"
#include "cli/data_dir.h"
#include "cli/local_key.h"
#include "cli/spool_watch.h"
#include "server/server.h"

#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

enum { LAST_WORD_S = 10 }; /* after a stop signal the process ends within this, whatever hangs */

/* Few threads, short-lived memory: two arenas are enough, and what is freed goes back to the system. */
static void tune_memory(void) {
    mallopt(M_ARENA_MAX, 2);
    mallopt(M_TRIM_THRESHOLD, 1 << 20);
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
}

static void allow_many_files(void) {
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == files.rlim_max) return;
    files.rlim_cur = files.rlim_max;
    (void)!setrlimit(RLIMIT_NOFILE, &files); /* without it fewer connections fit, no more */
}

/* Blocked in every thread, taken here by sigwait. */
static void block_stop_signals(sigset_t *stop) {
    sigemptyset(stop);
    sigaddset(stop, SIGINT);
    sigaddset(stop, SIGTERM);
    pthread_sigmask(SIG_BLOCK, stop, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static rs_status greet(rs_server *server, const char *data, rs_project *project, rs_err *err) {
    char token[RS_SECRET_MAX];
    rs_user owner;
    rs_status st = rs_local_key_ensure(server->control, server->url, data, project, err);
    if (st == RS_OK) st = rs_control_first_owner(server->control, &owner, err);
    if (st == RS_OK) st = rs_control_create_link(server->control, owner.id, token, err);
    if (st != RS_OK) return st;
    if (!server->is_loopback && !server->is_https)
        rs_log("listening on a network address without TLS: keys and traces travel in the clear");
    printf("Respan is at %s\nSign in (works once): %s/login?token=%s\n", server->url,
           server->outside_url[0] ? server->outside_url : server->url, token);
    fflush(stdout);
    return RS_OK;
}

/* Without it all else works, and clients send what they find: no reason not to serve. */
static rs_spool_watch *watch_spool(rs_server *server, uint64_t project) {
    rs_spool_watch *watch;
    rs_err err = {0};
    if (rs_spool_watch_start(server, project, &watch, &err) != RS_OK)
        rs_log("the spool is not watched: %s", err.message);
    return watch;
}

/* A prices.txt in the configuration folder is read without being named. */
static bool has_own_prices(char path[RS_PATH_MAX]) {
    char config[RS_PATH_MAX];
    return rs_path_config(config, NULL) == RS_OK && rs_path_join(path, config, "prices.txt", NULL) == RS_OK &&
           access(path, F_OK) == 0;
}

static int serve(const rs_server_config *config, const char *data, bool spool) {
    rs_err err = {0};
    rs_server *server;
    rs_project project;
    rs_spool_watch *watch = NULL;
    sigset_t stop;
    int signal_number;
    tune_memory();
    allow_many_files();
    block_stop_signals(&stop);
    if (rs_server_open(config, &server, &err) != RS_OK) {
        rs_log("%s", err.message);
        return err.code == RS_ERR_INVALID ? RS_EXIT_USAGE : RS_EXIT_NOT_FOUND;
    }
    rs_status st = greet(server, data, &project, &err);
    if (st != RS_OK) rs_log("%s", err.message);
    else if (spool) watch = watch_spool(server, project.id);
    while (st == RS_OK && sigwait(&stop, &signal_number) == EINTR) {
    }
    alarm(LAST_WORD_S);
    rs_spool_watch_stop(watch);
    rs_server_close(server);
    return st == RS_OK ? RS_EXIT_DONE : RS_EXIT_NOT_FOUND;
}

static int run(int argc, char **argv) {
    static const struct option longs[] = {{"listen", required_argument, NULL, 'l'},
                                          {"data", required_argument, NULL, 'd'},
                                          {"otlp", no_argument, NULL, 'o'},
                                          {"host", required_argument, NULL, 'h'},
                                          {"max-body", required_argument, NULL, 'm'},
                                          {"connections", required_argument, NULL, 'c'},
                                          {"cors-origin", required_argument, NULL, 'r'},
                                          {"log-format", required_argument, NULL, 'f'},
                                          {"no-spool", no_argument, NULL, 's'},
                                          {"durability", required_argument, NULL, 'y'},
                                          {"prices", required_argument, NULL, 'p'},
                                          {"allow-signup", no_argument, NULL, 'a'},
                                          {0}};
    rs_server_config config = {.listen = "127.0.0.1:8460"};
    const char *data = NULL;
    bool spool = true;
    unsigned long long mib, n;
    const char *origins[32];
    config.cors.origins = origins;
    opterr = 0;
    for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        if (c == 'l') config.listen = optarg;
        else if (c == 'd') data = optarg;
        else if (c == 'o') config.otlp_listen = "127.0.0.1:4318";
        else if (c == 'h') config.host = optarg;
        else if (c == 's') spool = false;
        else if (c == 'a') config.allow_signup = true;
        else if (c == 'p') config.prices = optarg;
        else if (c == 'y' && strcmp(optarg, "process") == 0) config.durability = RS_DURABLE_PROCESS;
        else if (c == 'y' && strcmp(optarg, "power") == 0) config.durability = RS_DURABLE_POWER;
        else if (c == 'y') return rs_cmd_usage(&rs_cmd_serve, "--durability takes process or power");
        else if (c == 'm' && rs_str_to_u64(rs_str_of(optarg), &mib) && mib >= 1 && mib <= 256)
            config.max_body = (size_t)mib << 20;
        else if (c == 'c' && rs_str_to_u64(rs_str_of(optarg), &n) && n >= 16 && n <= 1000000)
            config.connections = (unsigned)n;
        else if (c == 'c') return rs_cmd_usage(&rs_cmd_serve, "--connections takes 16 to 1000000");
        else if (c == 'r' && rs_cors_is_origin(optarg) && config.cors.n < RS_ARRAY_LEN(origins))
            origins[config.cors.n++] = optarg;
        else if (c == 'r')
            return rs_cmd_usage(&rs_cmd_serve,
                                "--cors-origin takes https://HOST[:PORT] without a path, or *; at most %zu",
                                RS_ARRAY_LEN(origins));
        else if (c == 'f' && strcmp(optarg, "json") == 0) rs_log_set_format(RS_LOG_JSON_LINES);
        else if (c == 'f' && strcmp(optarg, "text") == 0) rs_log_set_format(RS_LOG_TEXT_LINES);
        else if (c == 'f') return rs_cmd_usage(&rs_cmd_serve, "--log-format takes text or json");
        else if (c == 'm') return rs_cmd_usage(&rs_cmd_serve, "--max-body takes 1 to 256 (MiB)");
        else
            return rs_cmd_usage(&rs_cmd_serve, "there is no option '%s', or its value is missing",
                                argv[optind - 1]);
    }
    if (optind < argc) return rs_cmd_usage(&rs_cmd_serve, "serve takes no argument '%s'", argv[optind]);
    char dir[RS_PATH_MAX];
    rs_err err = {0};
    if (rs_data_dir(data, dir, &err) != RS_OK) {
        rs_log("%s", err.message);
        return RS_EXIT_USAGE;
    }
    config.data_dir = dir;
    char prices[RS_PATH_MAX];
    if (!config.prices && has_own_prices(prices)) config.prices = prices;
    return serve(&config, data, spool);
}

const rs_cmd rs_cmd_serve = {
    .name = "serve",
    .summary = "the server: takes in spans, keeps them, shows them",
    .help =
        "usage: respan serve [--listen ADDR:PORT] [--data DIR] [--otlp] [--durability process|power]\n\n"
        "  --listen ADDR:PORT   where to listen (default 127.0.0.1:8460; port 0: any free one)\n"
        "  --data DIR           where the traces are (default $XDG_DATA_HOME/respan)\n"
        "  --otlp               listen on 127.0.0.1:4318 too, where OpenTelemetry sends by default\n"
        "  --host NAME          a further name that clients call this server by; https://NAME: browsers "
        "reach it so,\n"
        "                       through a proxy that speaks TLS (cookies and links are then for https)\n"
        "  --allow-signup       whoever comes may sign up, as a member (else by invite)\n"
        "  --max-body MIB       longest request body, compressed or not (default 64)\n"
        "  --durability WHAT    what an acknowledged span outlives: process (default): the server, however "
        "it dies;\n"
        "                       power: the machine, too, each commit waiting for the disk\n"
        "  --prices FILE        what model calls cost, before the built-in prices (default: prices.txt in "
        "$XDG_CONFIG_HOME/respan, if\n"
        "                       it is there)\n"
        "  --connections N      at a time (default 10240, or what the limit of open files allows); at the "
        "limit\n"
        "                       the longest idle one is closed\n"
        "  --cors-origin ORIGIN pages of this origin (https://app.example, or * for all) may send spans with "
        "a\n"
        "                       key; may be given several times\n"
        "  --log-format FORMAT  text (default) or json: how lines on standard error are written\n"
        "  --no-spool           leave the spans that killed programs wrote to the spool to others\n\n"
        "Prints its address and a link that signs a browser in. The first start makes an API key and "
        "writes it to\n"
        "$XDG_CONFIG_HOME/respan/credentials, where the SDK and this command find it. Stops at SIGTERM "
        "or SIGINT.\n",
    .run = run,
};
