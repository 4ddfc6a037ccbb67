#include "spool_fixture.h"

#include "otlp/decode.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

char spool_root[] = "/tmp/respan-spool-XXXXXX", spool_dir[RS_PATH_MAX];
uint32_t spool_interval_ms = 5;
spool_arrival spool_arrived[SPOOL_NUMBERS];

static void must(bool ok, const char *what) {
    if (ok) return;
    fprintf(stderr, "%s\n", what);
    abort();
}

void spool_begin(void) {
    must(mkdtemp(spool_root) && setenv("XDG_STATE_HOME", spool_root, 1) == 0 &&
             setenv("XDG_CONFIG_HOME", spool_root, 1) == 0 && rs_spool_dir(spool_dir, NULL) == RS_OK,
         "no folder for the spool");
    unsetenv("RESPAN_SPOOL");
    unsetenv("RESPAN_API_KEY");
}

void spool_end(void) {
    char path[RS_PATH_MAX];
    rmdir(spool_dir);
    if (rs_path_join(path, spool_root, "respan", NULL) == RS_OK) rmdir(path);
    rmdir(spool_root);
}

/* ---- clients and files --------------------------------------------------------------------------------- */

respan_client *spool_client(const char *url, uint64_t spool_bytes) {
    respan_config config;
    respan_client *c;
    respan_config_init(&config);
    config.base_url = url;
    config.api_key = SPOOL_KEY;
    config.app_name = "spooled";
    config.quiet = true;
    config.spool_bytes = spool_bytes;
    config.batch_spans = 32;
    config.batch_interval_ms = spool_interval_ms;
    must(respan_client_open(&config, &c, NULL) == RESPAN_OK, "open failed");
    return c;
}

void spool_end_number(respan_client *c, int number) {
    respan_span *s = respan_span_start(c, RESPAN_TEXT("numbered"), NULL, 0);
    respan_span_set_int(s, RESPAN_TEXT("number"), number);
    respan_span_end(s, 0);
}

size_t spool_count_files(void) {
    rs_spool_names names;
    must(rs_spool_list(spool_dir, NULL, NULL, 0, &names, NULL) == RS_OK, "the folder cannot be read");
    size_t n = names.n;
    rs_spool_names_deinit(&names);
    return n;
}

void spool_first_file(char path[RS_PATH_MAX]) {
    rs_spool_names names;
    must(rs_spool_list(spool_dir, NULL, NULL, 0, &names, NULL) == RS_OK && names.n > 0,
         "no file in the spool");
    must(rs_path_join(path, spool_dir, names.items[0].name, NULL) == RS_OK, "path");
    rs_spool_names_deinit(&names);
}

int spool_remove_files(void **state) {
    (void)state;
    for (char path[RS_PATH_MAX]; spool_count_files();) spool_first_file(path), unlink(path);
    return 0;
}

void spool_overwrite(uint64_t at, size_t n, uint8_t with) {
    char path[RS_PATH_MAX], bytes[4096];
    memset(bytes, with, sizeof bytes);
    spool_first_file(path);
    int fd = open(path, O_WRONLY);
    for (; n; n -= n < sizeof bytes ? n : sizeof bytes, at += sizeof bytes)
        must(pwrite(fd, bytes, n < sizeof bytes ? n : sizeof bytes, (off_t)at) > 0, "pwrite");
    close(fd);
}

rs_backlog_counts spool_deliver(const char *url, fake_http *f) {
    return spool_deliver_as(SPOOL_KEY, false, url, f);
}

rs_backlog_counts spool_deliver_as(const char *key, bool any_key, const char *url, fake_http *f) {
    respan_config given;
    rs_config config;
    rs_backlog_counts counts;
    char why[240];
    respan_config_init(&given);
    given.base_url = url;
    given.api_key = key;
    must(rs_config_resolve(&config, &given, NULL) == RS_OK, "configuration");
    free(config.traces_url);
    must(asprintf(&config.traces_url, "%s/v2/traces", fake_http_url(f)) > 0, "memory");
    must(rs_backlog_send_alone(&config, spool_dir, any_key, &counts, why) == RS_OK,
         "the backlog could not be sent");
    rs_config_deinit(&config);
    return counts;
}

/* ---- what arrived -------------------------------------------------------------------------------------- */

bool spool_is_there(int number) {
    static const uint8_t none[8];
    return memcmp(spool_arrived[number].span_id, none, 8) != 0;
}

static void keep_text(char out[32], rs_str text) {
    size_t n = text.n < 31 ? text.n : 31;
    memcpy(out, text.p, n);
    out[n] = 0;
}

static void note(const rs_span *s, size_t *without) {
    const rs_attr *number = rs_attrs_find(&s->attrs, RS_STR("number")),
                  *mark = rs_attrs_find(&s->attrs, RS_STR("respan.span.interrupted")),
                  *text = rs_attrs_find(&s->attrs, RS_STR("text")),
                  *app = rs_attrs_find(&s->resource->attrs, RS_STR("service.name"));
    must(app && rs_str_eq(app->value.s, RS_STR("spooled")), "a span of another application");
    must(number || mark, "an ended span without a number");
    if (!number) {
        must(without != NULL, "a span without a number");
        ++*without;
        return;
    }
    must(number->value.i >= 0 && number->value.i < SPOOL_NUMBERS, "a span that nobody made");
    spool_arrival made = {.interrupted = mark && mark->value.b,
                          .start_ns = s->start_ns,
                          .end_ns = s->end_ns,
                          .attributes = s->attrs.n};
    memcpy(made.span_id, s->span_id, 8);
    memcpy(made.parent_id, s->parent_id, 8);
    keep_text(made.name, s->name);
    if (text) keep_text(made.text, text->value.s);
    spool_arrival *old = &spool_arrived[number->value.i];
    if (spool_is_there((int)number->value.i))
        must(memcmp(old, &made, sizeof made) == 0, "one number came as two different spans");
    *old = made;
}

size_t spool_collect(fake_http *f, size_t *without) {
    memset(spool_arrived, 0, sizeof spool_arrived);
    if (without) *without = 0;
    for (size_t r = 0; r < fake_http_count(f); r++) {
        rs_arena arena;
        rs_spans spans;
        rs_arena_init(&arena, 0);
        rs_str body = rs_buf_slice(&fake_http_request(f, r)->body);
        must(rs_otlp_decode_protobuf(body, &arena, &spans, NULL) == RS_OK && spans.rejected == 0,
             "malformed body");
        for (size_t i = 0; i < spans.n; i++) note(&spans.items[i], without);
        rs_arena_deinit(&arena);
    }
    size_t n = 0;
    for (int i = 0; i < SPOOL_NUMBERS; i++) n += spool_is_there(i);
    return n;
}
