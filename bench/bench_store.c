/* bench_store [SPANS] [DIR]: commits 10-span traces (a workflow, three tasks, six model calls; prompts and completions drawn from 1,000
 * texts) in groups of 1,000 spans, as one writer does, and prints its pace, its size on disk and what reading costs. */
#include "base/clock.h"
#include "base/ids.h"
#include "store/store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { TEXTS = 1000, GROUP = 1000, PER_TRACE = 10, ROUNDS = 50, ATTRS = 12 };

static rs_str texts[2][TEXTS];

static void make_texts(rs_arena *arena) {
    static const char *const words[] = {"the",     "model",  "answers", "question", "context", "of",
                                        "invoice", "policy", "when",    "token",    "summary", "customer",
                                        "region",  "Berlin", "dosage",  "flight",   "because", "vector",
                                        "returns", "a",      "schema",  "and",      "document"};
    for (int kind = 0; kind < 2; kind++) {
        for (int i = 0; i < TEXTS; i++) {
            size_t length = (kind ? 300 : 200) + rs_id_random() % (kind ? 600 : 400), n = 0;
            char *text = rs_arena_alloc(arena, length + 16);
            if (!text) exit(1);
            while (n < length)
                n += (size_t)snprintf(text + n, 16, "%s ", words[rs_id_random() % RS_ARRAY_LEN(words)]);
            texts[kind][i] = (rs_str){text, n};
        }
    }
}

static rs_attr string(const char *key, rs_str value) {
    return (rs_attr){rs_str_of(key), {.type = RS_VALUE_STRING, .s = value}};
}
static rs_attr integer(const char *key, int64_t value) {
    return (rs_attr){rs_str_of(key), {.type = RS_VALUE_INT, .i = value}};
}

static void fill_call(rs_span *s, rs_attr *a) {
    rs_str prompt = texts[0][rs_id_random() % TEXTS], completion = texts[1][rs_id_random() % TEXTS];
    int64_t in = (int64_t)prompt.n / 4, out = (int64_t)completion.n / 4;
    uint32_t n = 0;
    a[n++] = string("respan.entity.log_type", RS_STR("chat"));
    a[n++] = string("gen_ai.request.model", RS_STR("HuggingFaceTB/SmolLM2-135M-Instruct"));
    a[n++] = string("gen_ai.system", RS_STR("huggingface"));
    a[n++] = string("gen_ai.prompt.0.role", RS_STR("user"));
    a[n++] = string("gen_ai.prompt.0.content", prompt);
    a[n++] = string("gen_ai.completion.0.role", RS_STR("assistant"));
    a[n++] = string("gen_ai.completion.0.content", completion);
    a[n++] = integer("gen_ai.usage.input_tokens", in);
    a[n++] = integer("gen_ai.usage.output_tokens", out);
    a[n++] = (rs_attr){RS_STR("gen_ai.request.temperature"), {.type = RS_VALUE_DOUBLE, .d = 0.35}};
    s->attrs = (rs_attrs){a, n, 0};
    s->name = RS_STR("chat HuggingFaceTB/SmolLM2-135M-Instruct");
    s->facts.log_type = RS_LOG_CHAT;
    s->facts.model = RS_STR("HuggingFaceTB/SmolLM2-135M-Instruct");
    s->facts.provider = RS_STR("huggingface");
    s->facts.prompt_tokens = in;
    s->facts.completion_tokens = out;
    s->facts.input_preview = rs_str_cut_utf8(prompt, RS_PREVIEW_MAX);
    s->facts.output_preview = rs_str_cut_utf8(completion, RS_PREVIEW_MAX);
}

static void make_trace(rs_span spans[PER_TRACE], rs_attr attrs[][ATTRS], uint64_t start) {
    static const rs_scope scope = {.name = RS_STR("bench")};
    static rs_attr service = {RS_STR("service.name"), {.type = RS_VALUE_STRING, .s = RS_STR("bench")}};
    static const rs_resource resource = {.attrs = {&service, 1, 0}};
    static const rs_str customers[] = {RS_STR("ann"), RS_STR("bob"), RS_STR("eve"), RS_STR("mallory")};
    uint8_t trace_id[16];
    rs_id_trace(trace_id);
    for (int i = 0; i < PER_TRACE; i++) {
        rs_span *s = &spans[i];
        *s = (rs_span){.resource = &resource, .scope = &scope, .kind = 1, .name = RS_STR("story.workflow")};
        memcpy(s->trace_id, trace_id, 16);
        rs_id_span(s->span_id);
        s->start_ns = start + (uint64_t)i * 1000000;
        s->end_ns = s->start_ns + rs_id_random() % 100000000;
        s->facts = (rs_facts){.log_type = i ? RS_LOG_TASK : RS_LOG_WORKFLOW,
                              .prompt_tokens = -1,
                              .completion_tokens = -1,
                              .cost = NAN,
                              .ttft = NAN,
                              .tokens_per_second = NAN,
                              .workflow = RS_STR("story"),
                              .customer = customers[trace_id[0] % RS_ARRAY_LEN(customers)],
                              .environment = RS_STR("production")};
        if (i == 0) continue;
        s->has_parent = true;
        memcpy(s->parent_id, spans[i < 4 ? 0 : 1 + (i - 4) / 2].span_id, 8);
        s->name = RS_STR("step.task");
        if (i >= 4) fill_call(s, attrs[i]);
    }
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

typedef struct newest {
    uint8_t ids[50][16];
    int n;
} newest;

static bool take_row(void *ctx, const rs_trace_row *row) {
    newest *list = ctx;
    memcpy(list->ids[list->n++], row->trace_id, 16);
    return list->n < 50;
}

static void fail(const rs_err *err) {
    fprintf(stderr, "bench_store: %s\n", err->message);
    exit(1);
}

static double commit_all(rs_store *store, size_t total) {
    static rs_span spans[GROUP];
    static rs_attr attrs[GROUP][ATTRS];
    rs_err err = {0};
    size_t commits = total / GROUP;
    double *ms = calloc(commits, sizeof *ms), sum = 0;
    uint64_t start = rs_clock_wall_ns();
    for (size_t c = 0; ms && c < commits; c++) {
        for (int t = 0; t < GROUP / PER_TRACE; t++, start += 10000000)
            make_trace(spans + t * PER_TRACE, attrs + t * PER_TRACE, start);
        rs_store_batch batch = {1, spans, GROUP};
        uint64_t before = rs_clock_mono_ns();
        if (rs_store_commit(store, &batch, 1, NULL, &err) != RS_OK) fail(&err);
        sum += ms[c] = (double)(rs_clock_mono_ns() - before) / 1e6;
    }
    if (ms) qsort(ms, commits, sizeof *ms, by_value);
    if (ms && commits)
        printf("commit p50 / p99     %.1f / %.1f ms\n", ms[commits / 2], ms[commits * 99 / 100]);
    free(ms);
    return sum / 1e3;
}

static void read_back(rs_store *store) {
    newest list;
    rs_err err = {0};
    double list_us = 0, trace_us = 0, heads_us = 0;
    for (int i = 0; i < ROUNDS; i++) {
        rs_arena arena;
        rs_spans spans;
        list.n = 0;
        uint64_t before = rs_clock_mono_ns();
        if (rs_store_scan_traces(store, 1, &(rs_trace_scan){0}, take_row, &list, &err) != RS_OK) fail(&err);
        uint64_t listed = rs_clock_mono_ns();
        rs_arena_init(&arena, 0);
        if (rs_store_read_trace(store, 1, list.ids[i % list.n], RS_READ_HEADS, &arena, &spans, &err) != RS_OK)
            fail(&err);
        uint64_t heads = rs_clock_mono_ns();
        if (rs_store_read_trace(store, 1, list.ids[(i + 25) % list.n], RS_READ_FULL, &arena, &spans, &err) !=
            RS_OK)
            fail(&err);
        trace_us += (double)(rs_clock_mono_ns() - heads) / 1e3;
        heads_us += (double)(heads - listed) / 1e3;
        list_us += (double)(listed - before) / 1e3;
        rs_arena_deinit(&arena);
    }
    printf("newest 50            %.3f ms\n", list_us / ROUNDS / 1e3);
    printf("trace of 10, heads   %.3f ms\n", heads_us / ROUNDS / 1e3);
    printf("trace of 10, full    %.3f ms\n", trace_us / ROUNDS / 1e3);
}

int main(int argc, char **argv) {
    size_t total = argc > 1 ? strtoul(argv[1], NULL, 10) : 200000;
    char made[] = "/tmp/bench_store.XXXXXX";
    const char *dir = argc > 2 ? argv[2] : mkdtemp(made);
    rs_store *store = NULL;
    rs_arena arena;
    rs_err err = {0};
    rs_arena_init(&arena, 0);
    make_texts(&arena);
    if (!dir || rs_store_open(dir, &store, &err) != RS_OK) fail(&err);
    double seconds = commit_all(store, total);
    rs_store_stats stats;
    if (rs_store_get_stats(store, 1, &stats, &err) != RS_OK) fail(&err);
    read_back(store);
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    printf("spans/s              %.0f\nbytes/span           %.0f\nmax RSS              %ld MB\nleft in       "
           "       %s\n",
           (double)total / seconds, (double)stats.bytes / (double)stats.spans, use.ru_maxrss / 1024, dir);
    rs_store_close(store);
    rs_arena_deinit(&arena);
    return 0;
}
