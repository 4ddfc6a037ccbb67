#include "server/metrics.h"

#include "server/auth.h"
#include "server/live.h"
#include "server/open_table.h"
#include "server/server.h"
#include "server/writer.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

void rs_metrics_count_answer(rs_metrics *m, int status) {
    int class = status / 100;
    if (class > 0 && class < RS_STATUS_CLASSES) rs_metrics_add(&m->answers[class], 1);
}

static void __attribute__((format(printf, 2, 3))) put(rs_buf *out, const char *fmt, ...) {
    char line[512];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    if (n > 0) rs_buf_put(out, line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1);
}

static void put_head(rs_buf *out, const char *name, const char *type, const char *help) {
    put(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put_count(rs_buf *out, const char *name, const char *type, const char *help, uint64_t value) {
    put_head(out, name, type, help);
    put(out, "%s %" PRIu64 "\n", name, value);
}

static void put_seconds(rs_buf *out, const char *name, const char *type, const char *help, double value) {
    put_head(out, name, type, help);
    put(out, "%s %.6f\n", name, value);
}

static uint64_t now_of(const uint64_t *counter) { return __atomic_load_n(counter, __ATOMIC_RELAXED); }

static void put_answers(rs_buf *out, const rs_metrics *m) {
    put_head(out, "respan_http_responses_total", "counter", "Answers by class of status.");
    for (int class = 2; class < RS_STATUS_CLASSES; class ++)
        put(out, "respan_http_responses_total{status=\"%dxx\"} %" PRIu64 "\n", class,
            now_of(&m->answers[class]));
}

static void put_connections(rs_buf *out, const rs_request *req) {
    rs_connection_counts c;
    rs_request_count_connections(req, &c);
    put_count(out, "respan_connections", "gauge", "Connections that are open.", c.open);
    put_count(out, "respan_idle_connections", "gauge", "Of them, those without a request in progress.",
              c.idle);
    put_count(out, "respan_connections_limit", "gauge", "How many there may be.", c.limit);
    put_count(out, "respan_evicted_connections_total", "counter",
              "Closed, as the longest idle, for another one.", c.evicted);
    put_count(out, "respan_late_connections_total", "counter", "Closed for sending or reading too slowly.",
              c.late);
    put_count(out, "respan_refused_connections_total", "counter", "Not let in.", c.refused);
}

static void put_writer(rs_buf *out, const rs_writer_stats *w) {
    put_count(out, "respan_queue_bytes", "gauge", "Spans taken in and not yet committed, in bytes of memory.",
              w->queued_bytes);
    put_count(out, "respan_queue_limit_bytes", "gauge", "What the queue may hold before senders get 503.",
              w->queue_bytes);
    put_head(out, "respan_commit_seconds", "summary", "Group commits.");
    put(out, "respan_commit_seconds_sum %.6f\nrespan_commit_seconds_count %" PRIu64 "\n",
        (double)w->commit_ns / 1e9, w->commits);
    put_count(out, "respan_commit_failures_total", "counter",
              "Group commits of which something could not be stored.", w->failures);
}

static void put_process(rs_buf *out) {
    struct rusage usage;
    unsigned long long pages = 0;
    FILE *statm = fopen("/proc/self/statm", "re");
    if (statm && fscanf(statm, "%*u %llu", &pages) != 1) pages = 0;
    if (statm) fclose(statm);
    if (pages)
        put_count(out, "process_resident_memory_bytes", "gauge", "Resident memory.",
                  pages * (uint64_t)sysconf(_SC_PAGESIZE));
    if (getrusage(RUSAGE_SELF, &usage) != 0) return;
    double seconds = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                     (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    put_seconds(out, "process_cpu_seconds_total", "counter", "User and system time.", seconds);
}

void rs_metrics_show(rs_server *server, rs_request *req, rs_response *res) {
    rs_writer_stats writer;
    if (!server->is_loopback && !rs_guard_admit(server->guard, req, RS_AUTH_SERVER, res)) return;
    rs_writer_get_stats(server->writer, &writer);
    res->content_type = "text/plain; version=0.0.4; charset=utf-8";
    rs_buf *out = &res->body;
    put_head(out, "respan_build_info", "gauge", "1, with the version.");
    put(out, "respan_build_info{version=\"%s\"} 1\n", RS_VERSION);
    put_count(out, "respan_survives_power_loss", "gauge",
              "1 if what is acknowledged is on the disk (--durability=power), else 0.",
              server->durability == RS_DURABLE_POWER);
    put_answers(out, &server->metrics);
    put_count(out, "respan_spans_total", "counter", "Spans stored.", now_of(&server->metrics.spans));
    rs_live_expire(server->live);
    put_count(out, "respan_open_spans", "gauge", "Spans that have not ended, as programs tell of them.",
              rs_open_table_count(server->open));
    put_count(out, "respan_events_total", "counter", "GenAI events taken from logs and stored.",
              now_of(&server->metrics.events));
    put_count(out, "respan_rejected_spans_total", "counter", "Spans that were refused by themselves.",
              now_of(&server->metrics.rejected_spans));
    put_count(out, "respan_ingest_body_bytes_total", "counter", "Bodies of spans, as sent.",
              now_of(&server->metrics.body_bytes));
    put_connections(out, req);
    put_writer(out, &writer);
    put_process(out);
}

void rs_metrics_ready(rs_server *server, rs_request *req, rs_response *res) {
    rs_writer_stats writer;
    (void)req;
    rs_writer_get_stats(server->writer, &writer);
    if (writer.is_stopping) {
        rs_response_error(res, 503, "unavailable", NULL, "the server is shutting down");
    } else if (writer.last == RS_ERR_FULL) {
        rs_response_error(res, 503, "unavailable", NULL,
                          "the disk is full: make room, nothing else is needed");
    } else {
        res->content_type = "text/plain; charset=utf-8";
        res->static_body = RS_STR("ready\n");
    }
}
