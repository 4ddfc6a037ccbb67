/* respan auth link: a new one-time sign-in link for the browser. */
#include "cli/cmd.h"

#include "base/buf.h"
#include "cli/data_dir.h"
#include "cli/report.h"
#include "cli/server_url.h"

#include <getopt.h>
#include <stdio.h>

typedef struct options {
    const char *data, *project, *user, *url, *next; /* NULL: not said */
} options;

/* The link to `token`, and where the browser goes then. */
static int print_link(const options *o, const char *token, const rs_project *project) {
    char url[RS_SERVER_URL_MAX], of_project[48];
    const char *next = o->next;
    rs_server_url(o->url, url);
    if (!next && o->project) {
        snprintf(of_project, sizeof of_project, "/?project=%llu", (unsigned long long)project->id);
        next = of_project;
    }
    rs_buf link;
    rs_buf_init(&link);
    rs_buf_printf(&link, "%s/login?token=%s", url, token);
    if (next) {
        rs_buf_text(&link, "&next=");
        rs_buf_url(&link, rs_str_of(next));
    }
    bool ok = rs_buf_status(&link) == RS_OK;
    if (ok) printf("%.*s\n", RS_STR_ARG(rs_buf_slice(&link)));
    else fprintf(stderr, "respan: out of memory\n");
    rs_buf_deinit(&link);
    return ok ? RS_EXIT_DONE : RS_EXIT_NOT_FOUND;
}

static int link_command(const options *o) {
    rs_err err = {0};
    rs_control *control = NULL;
    rs_project project = {0};
    rs_user user;
    char token[RS_SECRET_MAX];
    rs_status st = rs_data_open_control(o->data, &control, &err);
    if (st == RS_OK && o->project) st = rs_control_find_project(control, o->project, &project, &err);
    if (st == RS_OK)
        st = o->user ? rs_control_find_user(control, o->user, &user, &err)
                     : rs_control_first_owner(control, &user, &err);
    if (st == RS_OK) st = rs_control_create_link(control, user.id, token, &err);
    rs_control_close(control);
    return st == RS_OK ? print_link(o, token, &project) : rs_report_failure(&err);
}

static int run(int argc, char **argv) {
    static const struct option longs[] = {
        {"data", required_argument, NULL, 'd'}, {"project", required_argument, NULL, 'p'},
        {"user", required_argument, NULL, 'w'}, {"url", required_argument, NULL, 'u'},
        {"next", required_argument, NULL, 'n'}, {0}};
    options o = {0};
    opterr = 0;
    for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        if (c == 'd') o.data = optarg;
        else if (c == 'p') o.project = optarg;
        else if (c == 'w') o.user = optarg;
        else if (c == 'u') o.url = optarg;
        else if (c == 'n') o.next = optarg;
        else
            return rs_cmd_usage(&rs_cmd_auth, "there is no option '%s', or its value is missing",
                                argv[optind - 1]);
    }
    if (argc - optind != 1 || strcmp(argv[optind], "link") != 0)
        return rs_cmd_usage(&rs_cmd_auth, "say link");
    return link_command(&o);
}

const rs_cmd rs_cmd_auth = {
    .name = "auth",
    .summary = "a new one-time link that signs a browser in",
    .help = "usage: respan auth link [--user EMAIL] [--url URL] [--next PATH]\n\n"
            "Prints a link that signs a browser in: it works once, and for a day.\n\n"
            "  --url URL        the server's address as the browser sees it (default: that of the "
            "credentials file)\n"
            "  --next PATH      where the browser goes then, such as /traces/ID (default /)\n"
            "  --data DIR       the server's data (default $XDG_DATA_HOME/respan)\n"
            "  --user EMAIL     whom (default: the first owner)\n"
            "  --project NAME   which project's traces he sees first: NAME or ORG/NAME\n",
    .run = run,
};
