/* What respan_config, the environment and the credentials file say together: made once by respan_client_open,
 * immutable afterwards, owned by the client. */
#ifndef RS_SDK_CONFIG_H
#define RS_SDK_CONFIG_H

#include "base/buf.h"
#include "respan.h"
#include "sdk/compress.h"

typedef struct rs_config {
    char *base_url; /* without a slash at the end; never with user:password */
    /* Where spans are posted: {base_url}/v2/traces, or base_url if it is such an address itself. It follows from
     * base_url alone, which is what the spool keeps. */
    char *traces_url;
    char *open_url;                        /* where open spans are told of; NULL: nowhere */
    char *api_key;                         /* NULL: none was given */
    char *ca_file;                         /* certificates to trust instead of the system's; NULL: those */
    char *client_certificate, *client_key; /* PEM files; NULL: none */
    bool is_loopback;
    bool key_from_file; /* no key was given and the server is local: that of the credentials file, when it is
                           there */
    bool is_otel_endpoint; /* $OTEL_EXPORTER_OTLP_ENDPOINT is where spans go, and its headers with them */
    bool quiet;
    bool keeps_secrets; /* in texts: see redact.h */
    /* Of request bodies; none for a loopback address, where bytes cost less than making them fewer. */
    rs_coding coding;
    bool is_coding_given; /* by the environment; else a server that offers a better one is sent that */
    char **headers;       /* "name: value" */
    size_t header_count;
    uint64_t fingerprint;           /* of the key that was given, be it in a header; 0: none was */
    rs_buf resource, scope;         /* message bodies, encoded */
    respan_attributes *environment; /* respan.environment for every span, or NULL */
    size_t ring_bytes, batch_bytes, max_content_bytes;
    char *app_name;       /* service.name, as far as it names the spool's files */
    char *spool_dir;      /* NULL if spool_bytes is 0 */
    uint64_t spool_bytes; /* 0: no spool */
    uint32_t batch_spans, batch_interval_ms, request_timeout_ms;
    uint64_t sampled_below; /* traces whose id's last 8 bytes are below that are recorded; UINT64_MAX: all */
} rs_config;

/* On failure *out is to be deinitialised all the same. */
RS_MUST_CHECK rs_status rs_config_resolve(rs_config *out, const respan_config *given, rs_err *err);
/* $OTEL_SDK_DISABLED is true: there is to be no client. */
bool rs_config_is_disabled(const respan_config *given);
void rs_config_deinit(rs_config *c);

#endif
