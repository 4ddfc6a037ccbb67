/* respan auth link: a new one-time sign-in link for the browser. */
#include "cli/cmd.h"

#include "base/buf.h"
#include "base/credentials.h"
#include "cli/data_dir.h"

#include <getopt.h>
#include <stdio.h>

/* Where the server is, for the link: --url, else the local server of the credentials, else the default. */
static void find_url(const char *option, char out[1024]) {
    rs_credentials c;
    snprintf(out, 1024, "%s", option ? option : "http://127.0.0.1:8460");
    if (!option && rs_credentials_read(&c, NULL) == RS_OK && rs_url_is_loopback(c.base_url))
        snprintf(out, 1024, "%s", c.base_url);
    rs_str url = rs_str_of(out);
    while (url.n && url.p[url.n - 1] == '/') url.n--;
    if (rs_str_ends(url, RS_STR("/api"))) url.n -= 4;
    out[url.n] = 0;
}

static int link_command(const char *data, const char *project_name, const char *url_option,
                        const char *next) {
    rs_err err = {0};
    rs_control *control = NULL;
    rs_project project;
    rs_user owner;
    char token[RS_SECRET_MAX], url[1024];
    rs_status st = rs_data_open_control(data, &control, &err);
    if (st == RS_OK) st = rs_control_find_project(control, project_name, &project, &err);
    if (st == RS_OK) st = rs_control_first_owner(control, &owner, &err);
    if (st == RS_OK) st = rs_control_create_link(control, owner.id, token, &err);
    rs_control_close(control);
    if (st != RS_OK) {
        fprintf(stderr, "respan: %s\n", err.message);
        return RS_EXIT_NOT_FOUND;
    }
    find_url(url_option, url);
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

static int run(int argc, char **argv) {
    static const struct option longs[] = {{"data", required_argument, NULL, 'd'},
                                          {"project", required_argument, NULL, 'p'},
                                          {"url", required_argument, NULL, 'u'},
                                          {"next", required_argument, NULL, 'n'},
                                          {0}};
    const char *data = NULL, *project = "default", *url = NULL, *next = NULL;
    opterr = 0;
    for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        if (c == 'd') data = optarg;
        else if (c == 'p') project = optarg;
        else if (c == 'u') url = optarg;
        else if (c == 'n') next = optarg;
        else
            return rs_cmd_usage(&rs_cmd_auth, "there is no option '%s', or its value is missing",
                                argv[optind - 1]);
    }
    if (argc - optind != 1 || strcmp(argv[optind], "link") != 0)
        return rs_cmd_usage(&rs_cmd_auth, "say link");
    return link_command(data, project, url, next);
}

const rs_cmd rs_cmd_auth = {
    .name = "auth",
    .summary = "a new one-time link that signs a browser in",
    .help = "usage: respan auth link [--url URL] [--next PATH]\n\n"
            "Prints a link that signs a browser in: it works once, and for a day.\n\n"
            "  --url URL        the server's address as the browser sees it (default: that of the "
            "credentials file)\n"
            "  --next PATH      where the browser goes then, such as /traces/ID (default /)\n"
            "  --data DIR       the server's data (default $XDG_DATA_HOME/respan)\n"
            "  --project NAME   whose traces (default \"default\")\n",
    .run = run,
};
