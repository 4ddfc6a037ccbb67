/* Doctor: variables of the environment that switch something off, or send requests another way. */
#include "cli/doctor.h"

#include "sdk/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

static const char *value_of(const char *name) {
    const char *v = getenv(name);
    return v && *v ? v : NULL;
}

static bool is_off(const char *name) {
    const char *v = value_of(name);
    return v && (strcasecmp(v, "false") == 0 || strcmp(v, "0") == 0 || strcasecmp(v, "no") == 0 ||
                 strcasecmp(v, "off") == 0);
}

static void say_unset(rs_doctor *d, const char *name) {
    char command[80];
    snprintf(command, sizeof command, "unset %s", name);
    rs_doctor_remedy(d, command, "If that is not meant:");
}

/* ---- switches ------------------------------------------------------------------------------------------ */

static bool check_content(rs_doctor *d) {
    static const char *const names[] = {"TRACELOOP_TRACE_CONTENT", "RESPAN_TRACE_CONTENT"};
    bool found = false;
    for (size_t i = 0; i < RS_ARRAY_LEN(names); i++) {
        if (!is_off(names[i])) continue;
        rs_doctor_find(d, RS_WARNING, "settings", "%s=%s: spans have no prompts and completions", names[i],
                       getenv(names[i]));
        say_unset(d, names[i]);
        found = true;
    }
    return found;
}

static bool check_spool(rs_doctor *d, const rs_config *config) {
    const char *spool = value_of("RESPAN_SPOOL");
    if (!spool || config->spool_bytes) return false;
    rs_doctor_find(d, RS_WARNING, "settings",
                   "RESPAN_SPOOL=%s: spans that were not sent die with their program", spool);
    say_unset(d, "RESPAN_SPOOL");
    return true;
}

/* OpenTelemetry's own switch, which ours heeds. */
static bool check_opentelemetry(rs_doctor *d) {
    if (!rs_config_is_disabled(NULL)) return false;
    rs_doctor_find(d, RS_WARNING, "settings", "OTEL_SDK_DISABLED=%s: nothing is traced",
                   value_of("OTEL_SDK_DISABLED"));
    say_unset(d, "OTEL_SDK_DISABLED");
    return true;
}

/* ---- proxies ------------------------------------------------------------------------------------------- */

/* As libcurl chooses: the scheme's own, then the one for all; of http_proxy the lower-case name alone. */
static const char *proxy_variable(bool https) {
    static const char *const of_https[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
    static const char *const of_http[] = {"http_proxy", "all_proxy", "ALL_PROXY"};
    const char *const *names = https ? of_https : of_http;
    size_t n = https ? RS_ARRAY_LEN(of_https) : RS_ARRAY_LEN(of_http);
    for (size_t i = 0; i < n; i++)
        if (value_of(names[i])) return names[i];
    return NULL;
}

/* no_proxy: names apart by commas or spaces, each with all that end in it; "*" is everything. */
static bool is_exempt(rs_str host) {
    const char *list = value_of("no_proxy");
    if (!list) list = value_of("NO_PROXY");
    for (const char *at = list; at && *at;) {
        size_t n = strcspn(at, ", ");
        rs_str name = {at, n};
        at += n + (at[n] != 0);
        if (rs_str_eq(name, RS_STR("*"))) return true;
        if (name.n && name.p[0] == '.') name = rs_str_from(name, 1);
        if (name.n == 0 || name.n > host.n) continue;
        rs_str end = rs_str_from(host, host.n - name.n);
        if (rs_str_eq_nocase(end, name) && (end.p == host.p || end.p[-1] == '.')) return true;
    }
    return false;
}

static rs_str host_of(const char *url) {
    const char *start = strstr(url, "://");
    rs_str host = rs_str_of(start ? start + 3 : url);
    host.n = strcspn(host.p, "/?#");
    const char *end = host.n && host.p[0] == '[' ? memchr(host.p, ']', host.n) : NULL;
    const char *colon = end ? NULL : memchr(host.p, ':', host.n);
    if (end) host = (rs_str){host.p + 1, (size_t)(end - host.p - 1)};
    else if (colon) host.n = (size_t)(colon - host.p);
    return host;
}

static bool check_proxy(rs_doctor *d, const rs_config *config) {
    if (!config->base_url || config->is_loopback) return false;
    const char *name = proxy_variable(strncasecmp(config->base_url, "https://", 8) == 0);
    rs_str host = host_of(config->base_url);
    if (!name || is_exempt(host)) return false;
    char command[400];
    snprintf(command, sizeof command, "export no_proxy=\"$no_proxy,%.*s\"",
             (int)(host.n < 300 ? host.n : 300), host.p);
    rs_doctor_find(d, RS_WARNING, "settings", "%s: spans for %.*s go through a proxy", name,
                   RS_STR_ARG(host));
    rs_doctor_remedy(d, command, "If that is not meant:");
    return true;
}

/* ---- what makes no sense ------------------------------------------------------------------------------- */

/* Each line that the SDK would print is a finding: "respan: OTEL_…=x is not a number". */
static bool say_lines(rs_doctor *d, FILE *said) {
    char line[600];
    bool found = false;
    rewind(said);
    while (fgets(line, sizeof line, said)) {
        line[strcspn(line, "\n")] = 0;
        rs_doctor_find(d, RS_WARNING, "settings", "%s", strncmp(line, "respan: ", 8) == 0 ? line + 8 : line);
        found = true;
    }
    return found;
}

/* Resolves the configuration as a program would, and reports what it says of it on standard error, which is this process's
 * alone. *valid: it can be used (if not, the server's check says so). */
static bool check_values(rs_doctor *d, rs_config *config, bool *valid) {
    int file = memfd_create("said", MFD_CLOEXEC);
    FILE *said = file >= 0 ? fdopen(file, "w+") : NULL;
    int own = dup(STDERR_FILENO);
    bool caught = said && own >= 0 && dup2(fileno(said), STDERR_FILENO) >= 0;
    respan_config given;
    respan_config_init(&given);
    given.quiet = !caught;
    *valid = rs_config_resolve(config, &given, NULL) == RS_OK;
    if (caught) dup2(own, STDERR_FILENO);
    if (own >= 0) close(own);
    bool found = caught && say_lines(d, said);
    if (said) fclose(said);
    return found;
}

void rs_doctor_environment(rs_doctor *d) {
    rs_config config;
    bool valid, found = check_values(d, &config, &valid);
    found = check_content(d) || found;
    found = (valid && check_spool(d, &config)) || found;
    found = check_opentelemetry(d) || found;
    found = (valid && check_proxy(d, &config)) || found;
    if (!found)
        rs_doctor_find(d, RS_FINE, "settings", "no variable of the environment switches anything off");
    rs_config_deinit(&config);
}
