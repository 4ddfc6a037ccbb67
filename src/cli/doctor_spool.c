/* Doctor: the spool, and the room on its disk. */
#include "cli/doctor.h"

#include "cli/doctor_files.h"
#include "cli/spool_row.h"
#include "sdk/config.h"
#include "sdk/spool_dir.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SHOWN_MAX = 20 /* one by one */ };

/* The files of one application and server. */
typedef struct group {
    char *app, *url;
    uint64_t waiting_files, other_key_files, waiting_spans, interrupted, dropped, bytes;
} group;

typedef struct census {
    const rs_config *config;
    group *groups;
    size_t n;
    uint64_t files, bytes, in_use, damaged_files, damaged_spans, others, foreign;
} census;

static group *group_of(census *c, rs_str app, rs_str url) {
    for (size_t i = 0; i < c->n; i++)
        if (rs_str_eq(rs_str_of(c->groups[i].app), app) && rs_str_eq(rs_str_of(c->groups[i].url), url))
            return &c->groups[i];
    group *more = realloc(c->groups, (c->n + 1) * sizeof *more);
    if (!more) return NULL;
    c->groups = more;
    group *g = &more[c->n];
    *g = (group){.app = strndup(app.n ? app.p : "", app.n), .url = strndup(url.n ? url.p : "", url.n)};
    if (g->app && g->url) return c->n++, g;
    free(g->app);
    free(g->url);
    return NULL;
}

static void say_damaged(rs_doctor *d, const char *dir, const char *name) {
    rs_buf path, command;
    rs_buf_init(&path);
    rs_buf_init(&command);
    rs_buf_printf(&path, "%s/%s", dir, name);
    const char *text = rs_buf_cstr(&path);
    rs_buf_text(&command, "rm ");
    rs_doctor_quote(&command, text ? text : "");
    rs_doctor_find(d, RS_WARNING, "spool", "%s is damaged, or not a spool file: nothing in it can be sent",
                   name);
    rs_doctor_remedy(d, text ? rs_buf_cstr(&command) : NULL, "Remove it:");
    rs_buf_deinit(&path);
    rs_buf_deinit(&command);
}

static void count_file(rs_doctor *d, census *c, const char *dir, const struct rs_spool_item *item) {
    rs_spool_row row;
    rs_spool_row_read(dir, item->name, &row);
    if (strcmp(row.state, "gone") != 0) c->files++, c->bytes += item->bytes;
    if (strcmp(row.state, "damaged") == 0 && c->damaged_files++ < SHOWN_MAX) say_damaged(d, dir, item->name);
    if (strcmp(row.state, "other version") == 0) c->others++;
    if (strcmp(row.state, "not ours") == 0) c->foreign++;
    if (strcmp(row.state, "in use") == 0) c->in_use++;
    c->damaged_spans += row.damaged;
    bool waiting = strcmp(row.state, "waiting") == 0;
    group *g = waiting || strcmp(row.state, "in use") == 0 ? group_of(c, row.file.app, row.file.url) : NULL;
    if (g) g->bytes += item->bytes, g->dropped += row.file.dropped;
    if (g && waiting && row.spans + row.open) {
        g->waiting_files++;
        g->other_key_files += rs_spool_row_is_for_other_key(&row, c->config);
        g->waiting_spans += row.spans + row.open;
        g->interrupted += row.open;
    }
    rs_spool_read_close(&row.file);
}

static void census_deinit(census *c) {
    for (size_t i = 0; i < c->n; i++) {
        free(c->groups[i].app);
        free(c->groups[i].url);
    }
    free(c->groups);
}

/* ---- findings ------------------------------------------------------------------------------------------ */

static void say_waiting(rs_doctor *d, const group *g, const rs_config *config) {
    rs_buf arguments;
    char interrupted[60] = "";
    if (g->interrupted)
        snprintf(interrupted, sizeof interrupted, " (%" PRIu64 " interrupted)", g->interrupted);
    bool same = config->base_url && strcmp(g->url, config->base_url) == 0;
    rs_doctor_find(d, RS_WARNING, "waiting",
                   "%" PRIu64 " span%s%s of \"%s\" wait%s in %" PRIu64 " file%s for %s", g->waiting_spans,
                   g->waiting_spans == 1 ? "" : "s", interrupted, g->app, g->waiting_spans == 1 ? "s" : "",
                   g->waiting_files, g->waiting_files == 1 ? "" : "s", g->url);
    rs_buf_init(&arguments);
    rs_buf_text(&arguments, "spool send");
    if (!same) {
        rs_buf_text(&arguments, " --base-url ");
        rs_doctor_quote(&arguments, g->url);
    }
    const char *text = rs_buf_cstr(&arguments);
    rs_doctor_remedy(
        d, text ? rs_doctor_command(text) : NULL,
        g->other_key_files
            ? "The program's next run with the same API key sends them, or, once the server answers:"
            : "The program's next run sends them, or, once the server answers:");
    rs_buf_deinit(&arguments);
}

static void say_groups(rs_doctor *d, const census *c, const rs_config *config) {
    size_t shown = 0, left = 0;
    for (size_t i = 0; i < c->n; i++) {
        if (c->groups[i].waiting_spans == 0) continue;
        if (shown++ < SHOWN_MAX) say_waiting(d, &c->groups[i], config);
        else left++;
    }
    if (!left) return;
    rs_doctor_find(d, RS_WARNING, "waiting", "spans of %zu more programs and servers wait", left);
    rs_doctor_remedy(d, rs_doctor_command("spool list"), "All of them:");
}

static void say_dropped(rs_doctor *d, const census *c) {
    for (size_t i = 0; i < c->n; i++) {
        const group *g = &c->groups[i];
        if (g->dropped == 0) continue;
        rs_doctor_find(d, RS_WARNING, "dropped",
                       "%" PRIu64 " span%s of \"%s\" for %s found no room in the spool", g->dropped,
                       g->dropped == 1 ? "" : "s", g->app, g->url);
        rs_doctor_remedy(d, NULL,
                         "See to it that its server answers; `spool_bytes` is how much the spool holds.");
    }
}

static void say_files(rs_doctor *d, const char *dir, const census *c) {
    if (c->others) {
        rs_doctor_find(d, RS_WARNING, "spool", "%" PRIu64 " file%s of another version of respan", c->others,
                       c->others == 1 ? " is" : "s are");
        rs_doctor_remedy(d, NULL, "That version sends what is in %s.", c->others == 1 ? "it" : "them");
    }
    if (c->damaged_spans) {
        rs_doctor_find(d, RS_WARNING, "spool", "%" PRIu64 " span%s damaged and lost", c->damaged_spans,
                       c->damaged_spans == 1 ? " is" : "s are");
        rs_doctor_remedy(d, NULL, "The machine lost power, or something else wrote to %s.", dir);
    }
    if (c->foreign) {
        rs_doctor_find(d, RS_PROBLEM, "spool", "%" PRIu64 " file%s in %s not this user's", c->foreign,
                       c->foreign == 1 ? " is" : "s are", dir);
        rs_doctor_own(d, dir);
    }
}

static void say_room(rs_doctor *d, const char *dir, const census *c, uint64_t bound) {
    rs_buf used, most;
    rs_buf_init(&used);
    rs_buf_init(&most);
    rs_doctor_put_bytes(&most, bound);
    for (size_t i = 0; i < c->n; i++) {
        const group *g = &c->groups[i];
        if (!bound || g->bytes < bound / 10 * 9) continue;
        rs_buf_clear(&used);
        rs_doctor_put_bytes(&used, g->bytes);
        rs_doctor_find(d, RS_WARNING, "spool",
                       "\"%s\" for %s has %.*s of the %.*s that it may: the oldest spans are dropped", g->app,
                       g->url, RS_STR_ARG(rs_buf_slice(&used)), RS_STR_ARG(rs_buf_slice(&most)));
        rs_doctor_remedy(d, rs_doctor_command("spool send"), "See to it that its server answers, then:");
    }
    rs_buf_clear(&used);
    rs_doctor_put_bytes(&used, c->bytes);
    rs_doctor_find(d, RS_FINE, "spool", "%s: %" PRIu64 " file%s, %" PRIu64 " in use, %.*s%s%.*s%s", dir,
                   c->files, c->files == 1 ? "" : "s", c->in_use, RS_STR_ARG(rs_buf_slice(&used)),
                   bound ? " (of " : "", bound ? (int)most.n : 0, most.p, bound ? " for each program)" : "");
    rs_buf_deinit(&used);
    rs_buf_deinit(&most);
}

static void look_into(rs_doctor *d, const char *dir, const rs_config *config) {
    rs_spool_names names;
    rs_err err = {0};
    census c = {.config = config};
    if (rs_spool_list(dir, NULL, NULL, 0, &names, &err) != RS_OK) {
        rs_doctor_find(d, RS_PROBLEM, "spool", "%s", err.message);
        return;
    }
    for (size_t i = 0; i < names.n; i++) count_file(d, &c, dir, &names.items[i]);
    rs_spool_names_deinit(&names);
    say_room(d, dir, &c, config->spool_bytes);
    say_groups(d, &c, config);
    say_dropped(d, &c);
    say_files(d, dir, &c);
    census_deinit(&c);
}

void rs_doctor_spool(rs_doctor *d) {
    char dir[RS_PATH_MAX];
    rs_config config;
    rs_err err = {0};
    if (rs_spool_dir(dir, &err) != RS_OK) {
        rs_doctor_find(d, RS_PROBLEM, "spool", "%s", err.message);
        rs_doctor_remedy(d, NULL,
                         "Without a folder for it, spans wait in memory, and die with their program.");
        return;
    }
    respan_config quiet; /* the settings' check says what is wrong with variables */
    respan_config_init(&quiet);
    quiet.quiet = true;
    if (rs_config_resolve(&config, &quiet, NULL) != RS_OK)
        config.spool_bytes = 0; /* said by the server's check */
    if (rs_doctor_folder(d, "spool", dir, "spans wait in memory, and die with their program"))
        look_into(d, dir, &config);
    rs_doctor_disk(d, "spool", dir);
    rs_config_deinit(&config);
}
