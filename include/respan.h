/* librespan: spans from a C or C++ program to an OTLP/HTTP server, at next to no cost for the caller.
 *
 *     respan_config config;
 *     respan_config_init(&config);
 *     config.app_name = "my-app";
 *     respan_client *client;
 *     if (respan_client_open(&config, &client, NULL) != RESPAN_OK) ...
 *
 *     respan_span *span = respan_span_start(client, RESPAN_TEXT("chat smollm2"), NULL, 0);
 *     respan_span_set_string(span, RESPAN_TEXT("gen_ai.request.model"), RESPAN_TEXT("smollm2"));
 *     respan_span_end(span, 0);
 *
 *     respan_client_close(client, 5000, NULL);
 *
 * A span is one piece of work with a start and an end: a call to a model, a step, a request. Spans with one trace id
 * are a trace; each but the first names its parent, so that they form a tree. Attributes say what the work was: the
 * server reads OpenTelemetry's gen_ai.* names and a few more (docs/c-api.md), and keeps all others as they are.
 *
 * Threads: a client may be used from any number of threads at once, but nobody may use it during or after its
 * respan_client_close, of which a program calls one. A span belongs to one thread at a time: hand it over, do not
 * share it; a thread that works under another one's span is given its respan_span_context, which is plain data. One
 * background thread per client exports, with all signals blocked; it never calls back into the program.
 *
 * Errors: tracing never breaks what it traces. Every function takes a NULL span or client and then does nothing, so a
 * program needs no `if` around its tracing. A span that cannot be had is NULL; an attribute that cannot be had is left
 * out and counted in the span. No function sets errno on purpose, exits, or raises a signal. Only flush and close wait
 * for the network.
 *
 * Fork: after fork() the child's client starts with an empty queue, a spool of its own and its own exporter thread at
 * its first span; spans that were unsent in the parent, or open at the fork, are sent by the parent alone: the child's
 * copies go nowhere. A child that calls exec or _exit at once needs to do nothing.
 *
 * Text is UTF-8, given as pointer and length in bytes, and copied before the call returns; bytes that are not UTF-8
 * are replaced by U+FFFD; NULL is an empty text, whatever length comes with it. Text in respan_config ends with a NUL
 * instead. Times are nanoseconds since the Unix epoch (UTC); 0 means now. Ids are big-endian bytes as in W3C Trace
 * Context; all zero is "none". */
#ifndef RESPAN_H
#define RESPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define RESPAN_API __attribute__((visibility("default")))
#else
#define RESPAN_API
#endif

/* A string literal, and nothing else, as the (pointer, length) pair that the functions below take; of a variable write
 * text, strlen(text). */
#define RESPAN_TEXT(literal) (literal), (sizeof(literal) - 1)

/* What the functions hand out; the caller sees pointers alone. */
typedef struct respan_client respan_client;         /* one destination, one queue, one exporter thread */
typedef struct respan_span respan_span;             /* one open span */
typedef struct respan_attributes respan_attributes; /* attributes that many spans share */

/* What a function came to; errors are negative. */
typedef enum respan_status {
    RESPAN_OK = 0,
    RESPAN_ERR_MEMORY = -1,   /* an allocation failed */
    RESPAN_ERR_INVALID = -2,  /* an argument is malformed; the message names it */
    RESPAN_ERR_SYSTEM = -6,   /* a thread or file could not be had */
    RESPAN_ERR_REFUSED = -10, /* the server refused spans (respan_stats.last_error says why) */
    RESPAN_ERR_TIMEOUT = -11  /* the deadline passed with spans unacknowledged */
} respan_status;

/* More about it, in the caller's storage. */
typedef struct respan_error {
    respan_status code;
    char message[240]; /* names the thing and the remedy; NUL-terminated */
} respan_error;

/* The version of the library that runs, "0.1.0"; static storage. */
RESPAN_API const char *respan_version(void);

/* ---- configuration ------------------------------------------------------------------------------------- */

typedef struct respan_attribute respan_attribute;

typedef struct respan_header {
    const char *name, *value;
} respan_header;

/* Read once by respan_client_open; everything in it is borrowed for that call only. */
typedef struct respan_config {
    size_t size; /* sizeof(respan_config), set by respan_config_init: lets later versions add fields */

    /* NULL: $RESPAN_BASE_URL, else RESPAN_BASE_URL of the credentials file, else $OTEL_EXPORTER_OTLP_ENDPOINT where
     * there is no API key either, else http://127.0.0.1:8460/api. Spans go to {base_url}/v2/traces, or to base_url
     * itself if it ends in /v1/traces or /v2/traces. */
    const char *base_url;
    /* NULL: $RESPAN_API_KEY, else, if the base URL is a loopback address, RESPAN_API_KEY of
     * $XDG_CONFIG_HOME/respan/credentials (read again while missing, so that a server started later is found). */
    const char *api_key;
    const char *app_name;    /* resource service.name; NULL: $OTEL_SERVICE_NAME, else "unknown_service" */
    const char *environment; /* resource deployment.environment.name and, on each span, respan.environment */

    /* Added to those of the SDK and of $OTEL_RESOURCE_ATTRIBUTES, and over them. */
    const respan_attribute *resource_attributes;
    size_t resource_attribute_count;
    const respan_header *headers; /* added to each request */
    size_t header_count;
    /* Instrumentation scope; NULL: "respan" and the library's version. */
    const char *scope_name, *scope_version;

    /* Ended spans waiting for export in memory, encoded (default 64 MiB), where there is no spool. Full: the newest is
     * dropped and counted. Memory is taken as it is needed, not up front. */
    size_t ring_bytes;
    /* 0, here and in what follows: what OpenTelemetry's variable says (docs/environment.md), else the default. */
    uint32_t batch_spans;        /* a batch goes out at this many spans (default 512) … */
    size_t batch_bytes;          /* … or bytes (default 2 MiB) … */
    uint32_t batch_interval_ms;  /* … or this long after its first span (default 500) */
    uint32_t request_timeout_ms; /* one HTTP attempt (default 10,000) */
    /* A longer string is cut on a UTF-8 boundary (default 4 MiB), and its length in bytes set as the integer
     * attribute "<key>.full_length". */
    size_t max_content_bytes;
    bool quiet; /* true: nothing on standard error, ever (default false) */
    /* Spans stand in a file of $XDG_STATE_HOME/respan/spool until the server has them, open ones included, so that none
     * is lost with the process: this many bytes at most (default 64 MiB, at most 2 GiB). Full: the oldest are dropped
     * and counted. 0, or $RESPAN_SPOOL=off, or a file cannot be had: they wait in memory, see ring_bytes. */
    uint64_t spool_bytes;
    /* Credentials in texts (tokens by their shape, passwords of URLs, values of names such as `password`: docs/privacy.md)
     * are replaced by *** as they are set, and stand in no file. True, or $RESPAN_MASK_SECRETS=off: they are kept. */
    bool keep_secrets;
} respan_config;

/* Fills in the defaults. Call it before setting fields; a number that is 0 means its default, but for spool_bytes. */
RESPAN_API void respan_config_init(respan_config *config);

/* ---- client -------------------------------------------------------------------------------------------- */

/* Makes a client, to be closed with respan_client_close. config NULL: the defaults. No network yet and no thread, no
 * HTTP library loaded: that is the exporter's, at the first export. It does not fail because no server is there.
 * RESPAN_ERR_INVALID: a base URL that is not http(s), a key or header that no request can hold, a config that
 * respan_config_init has not seen; RESPAN_ERR_MEMORY. On failure *out is NULL and *err, which may be NULL, says why.
 * With $OTEL_SDK_DISABLED=true *out is NULL on RESPAN_OK too: nothing is traced, as every function takes NULL. */
RESPAN_API respan_status respan_client_open(const respan_config *config, respan_client **out,
                                            respan_error *err);

/* Counts of spans since the client was opened (in a child of fork: since the fork).
 * ended = acknowledged + rejected + dropped + pending + kept, at every moment. */
typedef struct respan_stats {
    uint64_t started;
    uint64_t ended;        /* includes the dropped */
    uint64_t acknowledged; /* the server said that it has them */
    uint64_t rejected;     /* the server refused them (401, 400, partial success) */
    uint64_t dropped;      /* no room, or unsent at close without a spool */
    uint64_t pending;      /* waiting or on the wire now */
    char last_error[240];  /* why the last export failed; "" if it did not */
    uint64_t kept;         /* unsent at close, and in the spool for the next process to send */
} respan_stats;

/* Any thread; waits for no network. */
RESPAN_API void respan_client_stats(const respan_client *client, respan_stats *out);

/* Sends what ended before the call and waits until all of it is acknowledged or refused, at most timeout_ms, and no
 * more than a second where nobody listens at the address. A program need not call it: spans go out by themselves.
 * RESPAN_OK: the server has every span. RESPAN_ERR_REFUSED: it has decided, and refused some, or there was no room for
 * some since the last flush. RESPAN_ERR_TIMEOUT: not so yet; what is unsent stays queued. Retrying goes on in the background with jittered backoff.
 * RESPAN_ERR_SYSTEM: no thread could be had to send them. */
RESPAN_API respan_status respan_client_flush(respan_client *client, uint32_t timeout_ms);
/* The same for a caller that can be interrupted: asks go_on, on this thread, some twenty times a second, and returns
 * RESPAN_ERR_TIMEOUT once it says false. */
RESPAN_API respan_status respan_client_flush_while(respan_client *client, uint32_t timeout_ms,
                                                   bool (*go_on)(void *context), void *context);

/* Flushes, stops the exporter and frees the client, which must not be used again; returns within timeout_ms plus
 * half a second at most whatever the network does. The result is the flush's. What could not be sent stays in the
 * spool for the next client, or is dropped where there is none; it is counted in *stats (may be NULL), and said in
 * one line on standard error unless the configuration is quiet. Spans that are still open stay in
 * the spool as interrupted ones; they may be ended or discarded afterwards, which adds nothing to them. */
RESPAN_API respan_status respan_client_close(respan_client *client, uint32_t timeout_ms, respan_stats *stats);

/* ---- spans --------------------------------------------------------------------------------------------- */

/* Which span it is. Plain data: copy it to another thread, or write it into a header for another process. */
typedef struct respan_span_context {
    uint8_t trace_id[16];
    uint8_t span_id[8];
} respan_span_context;

typedef enum respan_span_kind {
    RESPAN_KIND_INTERNAL = 1,
    RESPAN_KIND_SERVER = 2,
    RESPAN_KIND_CLIENT = 3,
    RESPAN_KIND_PRODUCER = 4,
    RESPAN_KIND_CONSUMER = 5
} respan_span_kind;

typedef enum respan_status_code {
    RESPAN_STATUS_UNSET = 0,
    RESPAN_STATUS_OK = 1,
    RESPAN_STATUS_ERROR = 2
} respan_status_code;

/* Opens a span. parent NULL or with a zero trace id: the root of a new trace. The parent may have ended, or be of
 * another client or process. NULL if memory is exhausted. Owned by the caller until respan_span_end or
 * respan_span_discard. */
RESPAN_API respan_span *respan_span_start(respan_client *client, const char *name, size_t name_len,
                                          const respan_span_context *parent, uint64_t start_ns);

/* The span's own ids; all zero for NULL. */
RESPAN_API respan_span_context respan_span_get_context(const respan_span *span);

/* Setting a key again replaces its value and type. An empty key is ignored; one over 512 bytes is cut. */
RESPAN_API void respan_span_set_string(respan_span *span, const char *key, size_t key_len, const char *value,
                                       size_t value_len);
RESPAN_API void respan_span_set_int(respan_span *span, const char *key, size_t key_len, int64_t value);
RESPAN_API void respan_span_set_double(respan_span *span, const char *key, size_t key_len, double value);
RESPAN_API void respan_span_set_bool(respan_span *span, const char *key, size_t key_len, bool value);

/* Replaces the name given at the start. */
RESPAN_API void respan_span_set_name(respan_span *span, const char *name, size_t name_len);
/* RESPAN_KIND_INTERNAL unless set. */
RESPAN_API void respan_span_set_kind(respan_span *span, respan_span_kind kind);
/* RESPAN_STATUS_UNSET unless set: an error is one only if it is said to be. The message is of an error alone. */
RESPAN_API void respan_span_set_status(respan_span *span, respan_status_code code, const char *message,
                                       size_t message_len);

/* An event now, or at time_ns, with attributes (may be NULL when count is 0). */
RESPAN_API void respan_span_add_event(respan_span *span, const char *name, size_t name_len, uint64_t time_ns,
                                      const respan_attribute *attributes, size_t count);

/* A link to the span `to`, of this trace or another, with attributes (may be NULL when count is 0). Ignored if `to` has
 * no ids. */
RESPAN_API void respan_span_add_link(respan_span *span, const respan_span_context *to,
                                     const respan_attribute *attributes, size_t count);
/* For a span that another tracer made: it keeps the ids it has there. Ignored if one of them is all zero. */
RESPAN_API void respan_span_set_context(respan_span *span, const respan_span_context *own);

/* While it is open a span stands in the spool too, as it is so far: should the process die, it arrives as an
 * interrupted one (respan.span.interrupted), and one that takes long the server is told of meanwhile. After this call
 * this one does not, until it ends: for a span that may
 * yet be discarded or changed, say by a callback that masks what is in it. Call it right after the start. */
RESPAN_API void respan_span_withhold(respan_span *span);

/* Ends the span: it goes to the exporter, as OTLP protobuf, and the pointer must not be used again. Waits only
 * where the spool is nearly full and a server is taking what is in it, for some 20 us: so a burst is slowed down rather
 * than lost. Any thread, also after its client was closed. end_ns 0: now, and not before its start. */
RESPAN_API void respan_span_end(respan_span *span, uint64_t end_ns);
/* Frees the span without recording it; the pointer must not be used again. */
RESPAN_API void respan_span_discard(respan_span *span);

/* What a span holds of a text, each credential in it replaced by ***: for what is shown elsewhere. Returns 0 if there is
 * none; else the length of what takes the text's place, of which at most `size` bytes are written to out (may be NULL
 * when size is 0). */
RESPAN_API size_t respan_mask_secrets(const char *text, size_t text_len, char *out, size_t size);
/* Whether that is done to the span's texts: not where its client keeps them (respan_config.keep_secrets). */
RESPAN_API bool respan_span_masks_secrets(const respan_span *span);

/* ---- attributes in bulk -------------------------------------------------------------------------------- */

/* Which member of respan_attribute.value counts. */
typedef enum respan_type {
    RESPAN_TYPE_STRING = 1,
    RESPAN_TYPE_BOOL = 2,
    RESPAN_TYPE_INT = 3,
    RESPAN_TYPE_DOUBLE = 4,
    RESPAN_TYPE_STRING_ARRAY = 5,
    RESPAN_TYPE_BOOL_ARRAY = 6,
    RESPAN_TYPE_INT_ARRAY = 7,
    RESPAN_TYPE_DOUBLE_ARRAY = 8
} respan_type;

/* Bytes of a text; no NUL is needed. */
typedef struct respan_text {
    const char *p;
    size_t n; /* bytes */
} respan_text;

/* A key and a value of any type:
 *
 *     respan_attribute a = {{RESPAN_TEXT("gen_ai.request.seed")}, RESPAN_TYPE_INT, {.integer = 7}};
 *
 * Everything in it is borrowed for the call. In C++ before C++20 set the member of `value` after the rest. */
struct respan_attribute {
    respan_text key;
    respan_type type;
    union {
        respan_text string;
        bool boolean;
        int64_t integer;
        double real;
        struct {
            const respan_text *items;
            size_t count;
        } strings;
        struct {
            const bool *items;
            size_t count;
        } booleans;
        struct {
            const int64_t *items;
            size_t count;
        } integers;
        struct {
            const double *items;
            size_t count;
        } reals;
    } value;
};

/* Sets `count` attributes, in order. */
RESPAN_API void respan_span_set(respan_span *span, const respan_attribute *attributes, size_t count);

/* A set encoded once and shared by many spans (a user, a session). Immutable and reference-counted; any thread. NULL
 * if memory is exhausted. respan_span_use keeps it alive as long as the span needs it; an attribute of the span with
 * the same key wins. A second set used on the same span replaces the first; NULL takes it away. */
RESPAN_API respan_attributes *respan_attributes_new(const respan_attribute *attributes, size_t count);
RESPAN_API void respan_attributes_free(respan_attributes *set); /* drops the caller's reference */
RESPAN_API void respan_span_use(respan_span *span, respan_attributes *set);

/* ---- ids ----------------------------------------------------------------------------------------------- */

/* Lower-case hex with a NUL: 33 and 17 bytes. */
RESPAN_API void respan_trace_id_hex(const respan_span_context *context, char out[33]);
RESPAN_API void respan_span_id_hex(const respan_span_context *context, char out[17]);

#ifdef __cplusplus
}
#endif
#endif
