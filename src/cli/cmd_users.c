/* respan users list|add|role|remove|password|invite|sessions: who may sign in and what he may, straight in the data directory (the server
 * may be running). */
#include "cli/cmd.h"

#include "base/clock.h"
#include "base/json_write.h"
#include "cli/data_dir.h"
#include "cli/orgs.h"
#include "cli/report.h"
#include "cli/server_url.h"

#include <getopt.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

typedef struct options {
    const char *data, *url, *name, *org;
    rs_role role; /* RS_ROLE_NONE: it was not said */
    bool json;
} options;

/* ---- showing them -------------------------------------------------------------------------------------- */

typedef struct printing {
    rs_json json;
    const rs_organization *of;
    bool several; /* organizations are shown */
} printing;

static bool print_row(void *ctx, const rs_user *user) {
    const printing *p = ctx;
    printf("%-4llu %-32s %-8s %s%s%s%s\n", (unsigned long long)user->id, user->email,
           rs_role_name(user->role), user->name, user->has_password ? "" : "  (no password)",
           p->several ? "  in " : "", p->several ? p->of->name : "");
    return true;
}

static bool write_row(void *ctx, const rs_user *user) {
    printing *p = ctx;
    rs_json *j = &p->json;
    rs_json_object(j);
    rs_json_put_int(j, "id", (int64_t)user->id);
    rs_json_put_str(j, "email", rs_str_of(user->email));
    rs_json_put_str(j, "name", rs_str_of(user->name));
    rs_json_put_str(j, "organization", rs_str_of(p->of->name));
    rs_json_put_str(j, "role", rs_str_of(rs_role_name(user->role)));
    rs_json_put_bool(j, "has_password", user->has_password);
    rs_json_put_time(j, "created", user->created_ns);
    rs_json_put_time(j, "seen", user->seen_ns);
    rs_json_object_end(j);
    return true;
}

/* Whoever is in several organizations is there once for each. */
static int list(rs_control *control, const char *const words[], const options *o) {
    rs_err err = {0};
    rs_buf out;
    rs_orgs orgs = {0};
    rs_organization only = {0};
    (void)words;
    rs_buf_init(&out);
    rs_status st = o->org ? rs_orgs_find(control, o->org, &only, &err) : RS_OK;
    if (st == RS_OK) st = rs_orgs_read(control, 0, &orgs, &err);
    printing p = {.json = rs_json_on(&out), .several = orgs.n > 1 && !o->org};
    if (o->json) rs_json_array(&p.json);
    for (size_t i = 0; i < orgs.n && st == RS_OK; i++) {
        p.of = &orgs.items[i];
        if (o->org && p.of->id != only.id) continue;
        st = rs_control_list_members(control, p.of->id, o->json ? write_row : print_row, &p, &err);
    }
    if (o->json) rs_json_array_end(&p.json);
    rs_orgs_free(&orgs);
    if (o->json && st == RS_OK) return rs_report_json(&out);
    rs_buf_deinit(&out);
    return st == RS_OK ? RS_EXIT_DONE : rs_report_failure(&err);
}

/* A link, as {"url", "expires"} or alone. */
static int show_link(const char *path, const char *token, uint64_t expires_ns, const options *o) {
    char base[RS_SERVER_URL_MAX], url[RS_SERVER_URL_MAX + 128];
    rs_server_url(o->url, base);
    snprintf(url, sizeof url, "%s%s%s", base, path, token);
    if (!o->json) {
        puts(url);
        return RS_EXIT_DONE;
    }
    rs_buf out;
    rs_buf_init(&out);
    rs_json j = rs_json_on(&out);
    rs_json_object(&j);
    rs_json_put_str(&j, "url", rs_str_of(url));
    rs_json_put_time(&j, "expires", expires_ns);
    rs_json_object_end(&j);
    return rs_report_json(&out);
}

static bool print_session(void *ctx, const rs_session_row *row) {
    char begun[RS_RFC3339_LEN + 1], used[RS_RFC3339_LEN + 1];
    (void)ctx;
    rs_clock_format(row->created_ns, begun);
    rs_clock_format(row->used_ns, used);
    printf("%-4llu %.19sZ  used %.19sZ  %s  %s\n", (unsigned long long)row->id, begun, used, row->address,
           row->agent);
    return true;
}

static bool write_session(void *ctx, const rs_session_row *row) {
    rs_json *j = ctx;
    rs_json_object(j);
    rs_json_put_int(j, "id", (int64_t)row->id);
    rs_json_put_time(j, "created", row->created_ns);
    rs_json_put_time(j, "used", row->used_ns);
    rs_json_put_time(j, "expires", row->expires_ns);
    rs_json_put_str_or_null(j, "address", rs_str_of(row->address));
    rs_json_put_str_or_null(j, "agent", rs_str_of(row->agent));
    rs_json_object_end(j);
    return true;
}

static int list_sessions(rs_control *control, const char *const words[], const options *o) {
    rs_err err = {0};
    rs_user user;
    rs_buf out;
    if (rs_control_find_user(control, words[0], &user, &err) != RS_OK) return rs_report_failure(&err);
    rs_buf_init(&out);
    rs_json j = rs_json_on(&out);
    if (o->json) rs_json_array(&j);
    rs_status st = rs_control_list_sessions(control, user.id, (rs_str){0},
                                            o->json ? write_session : print_session, &j, &err);
    if (o->json) rs_json_array_end(&j);
    if (o->json && st == RS_OK) return rs_report_json(&out);
    rs_buf_deinit(&out);
    return st == RS_OK ? RS_EXIT_DONE : rs_report_failure(&err);
}

/* ---- changing them ------------------------------------------------------------------------------------- */

/* One who has an account is let into the organization with it. */
static int add(rs_control *control, const char *const words[], const options *o) {
    rs_err err = {0};
    rs_user user;
    rs_organization of;
    char token[RS_SECRET_MAX];
    rs_role role = o->role ? o->role : RS_ROLE_MEMBER;
    rs_status st = rs_orgs_find(control, o->org, &of, &err);
    if (st != RS_OK) return rs_report_failure(&err);
    if (rs_control_find_user(control, words[0], &user, NULL) == RS_OK)
        st = rs_control_add_member(control, of.id, user.id, role, NULL, &err);
    else
        st = rs_control_add_user(control, of.id, words[0], o->name ? o->name : words[0], role, "", NULL,
                                 &user, &err);
    if (st == RS_OK) st = rs_control_create_link(control, user.id, token, &err);
    uint64_t expires = rs_clock_wall_ns() + RS_LINK_LIFETIME_S * 1000000000ull;
    return st == RS_OK ? show_link("/login?token=", token, expires, o) : rs_report_failure(&err);
}

static int invite(rs_control *control, const char *const words[], const options *o) {
    rs_err err = {0};
    rs_invite made;
    rs_organization of;
    char token[RS_SECRET_MAX];
    rs_status st = rs_orgs_find(control, o->org, &of, &err);
    if (st == RS_OK)
        st = rs_control_create_invite(control, of.id, o->role ? o->role : RS_ROLE_MEMBER,
                                      words[0] ? words[0] : "", NULL, token, &made, &err);
    return st == RS_OK ? show_link("/invite/", token, made.expires_ns, o) : rs_report_failure(&err);
}

static int set_role(rs_control *control, const char *const words[], const options *o) {
    rs_err err = {0};
    rs_user user;
    rs_organization of;
    rs_role role = rs_role_of(rs_str_of(words[1]));
    if (role == RS_ROLE_NONE) return rs_cmd_usage(&rs_cmd_users, "a role is viewer, member or owner");
    rs_status st = rs_control_find_user(control, words[0], &user, &err);
    if (st == RS_OK) st = rs_orgs_find_of(control, o->org, &user, &of, &err);
    if (st == RS_OK) st = rs_control_set_role(control, of.id, user.id, role, NULL, &err);
    return st == RS_OK ? RS_EXIT_DONE : rs_report_failure(&err);
}

static int remove_one(rs_control *control, const char *const words[], const options *o) {
    rs_err err = {0};
    rs_user user;
    rs_organization of;
    rs_status st = rs_control_find_user(control, words[0], &user, &err);
    if (st == RS_OK) st = rs_orgs_find_of(control, o->org, &user, &of, &err);
    if (st == RS_OK) st = rs_control_remove_member(control, of.id, user.id, NULL, NULL, &err);
    return st == RS_OK ? RS_EXIT_DONE : rs_report_failure(&err);
}

/* A line of standard input, which a terminal does not show. */
static bool read_password(char *out, int size) {
    struct termios shown, hidden;
    bool is_terminal = tcgetattr(STDIN_FILENO, &shown) == 0;
    if (is_terminal) {
        fputs("New password: ", stderr);
        hidden = shown;
        hidden.c_lflag &= ~(tcflag_t)ECHO;
        (void)!tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
    }
    bool ok = fgets(out, size, stdin) != NULL;
    if (is_terminal) {
        (void)!tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
        fputc('\n', stderr);
    }
    if (ok) out[strcspn(out, "\r\n")] = 0;
    return ok;
}

static int password(rs_control *control, const char *const words[], const options *o) {
    rs_err err = {0};
    rs_user user;
    char text[RS_PASSWORD_MOST + 8], hash[RS_PASSWORD_HASH];
    (void)o;
    rs_status st = rs_control_find_user(control, words[0], &user, &err);
    if (st != RS_OK) return rs_report_failure(&err);
    if (!read_password(text, sizeof text))
        return rs_cmd_usage(&rs_cmd_users, "the password is read from standard input");
    st = rs_password_check(rs_str_of(text), &err);
    if (st == RS_OK) st = rs_password_hash(rs_str_of(text), hash, &err);
    explicit_bzero(text, sizeof text);
    if (st == RS_OK) st = rs_control_set_password(control, user.id, hash, (rs_str){0}, NULL, &err);
    return st == RS_OK ? RS_EXIT_DONE : rs_report_failure(&err);
}

static const struct {
    const char *name, *usage;
    int least, most; /* words behind it */
    int (*run)(rs_control *control, const char *const words[], const options *o);
} verbs[] = {
    {"list", "list takes no argument", 0, 0, list},
    {"add", "say who: add EMAIL", 1, 1, add},
    {"role", "say who and what: role EMAIL ROLE", 2, 2, set_role},
    {"remove", "say who: remove EMAIL", 1, 1, remove_one},
    {"password", "say whose: password EMAIL", 1, 1, password},
    {"invite", "invite takes one e-mail address, or none", 0, 1, invite},
    {"sessions", "say whose: sessions EMAIL", 1, 1, list_sessions},
};

static int run(int argc, char **argv) {
    static const struct option longs[] = {{"data", required_argument, NULL, 'd'},
                                          {"url", required_argument, NULL, 'u'},
                                          {"name", required_argument, NULL, 'n'},
                                          {"role", required_argument, NULL, 'r'},
                                          {"org", required_argument, NULL, 'o'},
                                          {"json", no_argument, NULL, 'j'},
                                          {0}};
    options o = {0};
    opterr = 0;
    for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        if (c == 'd') o.data = optarg;
        else if (c == 'u') o.url = optarg;
        else if (c == 'n') o.name = optarg;
        else if (c == 'o') o.org = optarg;
        else if (c == 'j') o.json = true;
        else if (c == 'r' && (o.role = rs_role_of(rs_str_of(optarg))) != RS_ROLE_NONE) continue;
        else if (c == 'r') return rs_cmd_usage(&rs_cmd_users, "--role takes viewer, member or owner");
        else
            return rs_cmd_usage(&rs_cmd_users, "there is no option '%s', or its value is missing",
                                argv[optind - 1]);
    }
    const char *verb = optind < argc ? argv[optind++] : "";
    size_t i = 0;
    while (i < RS_ARRAY_LEN(verbs) && strcmp(verb, verbs[i].name) != 0) i++;
    if (i == RS_ARRAY_LEN(verbs))
        return rs_cmd_usage(&rs_cmd_users, "say list, add, role, remove, password, invite or sessions");
    if (argc - optind < verbs[i].least || argc - optind > verbs[i].most)
        return rs_cmd_usage(&rs_cmd_users, "%s", verbs[i].usage);
    rs_err err = {0};
    rs_control *control;
    if (rs_data_open_control(o.data, &control, &err) != RS_OK) return rs_report_failure(&err);
    int status = verbs[i].run(control, (const char *const *)argv + optind, &o); /* argv[argc] is NULL */
    rs_control_close(control);
    return status;
}

const rs_cmd rs_cmd_users = {
    .name = "users",
    .summary = "who may sign in: list, add, role, remove, password, invite, sessions",
    .help =
        "usage: respan users list [--org ORG]\n"
        "       respan users invite [EMAIL] [--role ROLE] [--org ORG]\n"
        "                                                      prints a link that works once, for a week\n"
        "       respan users add EMAIL [--name NAME] [--role ROLE] [--org ORG]\n"
        "                                                      prints a link that signs him in, once\n"
        "       respan users role EMAIL ROLE [--org ORG]\n"
        "       respan users password EMAIL                    reads it from standard input\n"
        "       respan users remove EMAIL [--org ORG]\n"
        "       respan users sessions EMAIL                    where he is signed in\n\n"
        "  --role ROLE      viewer (reads), member (also makes keys, deletes and shares; the default) or "
        "owner (all)\n"
        "  --org ORG        in which organization (default: the first one; of role and remove: the only one "
        "he "
        "is in; of list: all)\n"
        "  --url URL        the server's address as browsers see it (default: that of the credentials "
        "file)\n"
        "  --data DIR       the server's data (default $XDG_DATA_HOME/respan)\n"
        "  --json           print JSON\n\n"
        "No mail is sent: hand a link over as you like. Works while the server runs, which follows within "
        "a second. An account is gone\n"
        "once it is removed from the last organization that it was in.\n",
    .run = run,
};
