#include "numbered_spans.h"

#include "otlp/decode.h"
#include <stdio.h>
#include <stdlib.h>

static void must(bool ok, const char *what) {
    if (ok) return;
    fprintf(stderr, "%s\n", what);
    abort();
}

respan_client *numbered_open(fake_http *f, respan_config *config) {
    config->base_url = fake_http_url(f);
    config->api_key = "k";
    config->quiet = true;
    respan_client *c;
    must(respan_client_open(config, &c, NULL) == RESPAN_OK, "open failed");
    return c;
}

void *numbered_make(void *context) {
    const numbered_job *j = context;
    for (int i = j->first; i < j->first + j->count; i++) {
        respan_span *s = respan_span_start(j->client, RESPAN_TEXT("numbered"), NULL, 0);
        respan_span_set_int(s, RESPAN_TEXT("number"), i);
        respan_span_end(s, 0);
    }
    return NULL;
}

static int by_value(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

size_t numbered_count(fake_http *f, unsigned *times, int total) {
    size_t n = 0, max = (size_t)total + 1;
    uint64_t *ids = calloc(max, sizeof *ids);
    must(ids != NULL, "memory");
    for (size_t r = 0; r < fake_http_count(f); r++) {
        rs_arena arena;
        rs_spans spans;
        rs_arena_init(&arena, 0);
        rs_str body = rs_buf_slice(&fake_http_request(f, r)->body);
        must(rs_otlp_decode_protobuf(body, &arena, &spans, NULL) == RS_OK && spans.rejected == 0,
             "malformed body");
        for (size_t i = 0; i < spans.n; i++) {
            const rs_attr *a = rs_attrs_find(&spans.items[i].attrs, RS_STR("number"));
            must(a && a->value.i >= 0 && a->value.i < total && n < max, "a span that nobody made");
            times[a->value.i]++;
            memcpy(&ids[n++], spans.items[i].span_id, 8);
        }
        rs_arena_deinit(&arena);
    }
    qsort(ids, n, sizeof *ids, by_value);
    for (size_t i = 1; i < n; i++) must(ids[i] != ids[i - 1], "two spans with one id");
    free(ids);
    return n;
}
