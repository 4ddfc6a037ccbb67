#include "server/framing.h"

#include <microhttpd.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

typedef struct head {
    unsigned hosts, lengths, codings;
    bool is_chunked; /* the last of the codings */
    bool is_odd;     /* a name that is none, or a value with a control character */
} head;

/* "Content-Length : 5" is no length to us, and one to others. */
static bool is_name(const char *name) {
    static const char marks[] = "!#$%&'*+-.^_`|~";
    const char *p = name;
    for (; *p; p++) {
        bool is_letter = (*p | 32) >= 'a' && (*p | 32) <= 'z', is_digit = *p >= '0' && *p <= '9';
        if (!is_letter && !is_digit && !strchr(marks, *p)) return false;
    }
    return p > name;
}

/* A lone CR ends a line to some; a NUL ends a text here. */
static bool is_value(const char *value, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (((unsigned char)value[i] < 0x20 && value[i] != '\t') || value[i] == 0x7f) return false;
    return true;
}

static enum MHD_Result look(void *cls, enum MHD_ValueKind kind, const char *name, size_t name_n,
                            const char *value, size_t value_n) {
    (void)kind;
    head *h = cls;
    h->is_odd |= strlen(name) != name_n || !is_name(name) || (value && !is_value(value, value_n));
    h->hosts += strcasecmp(name, MHD_HTTP_HEADER_HOST) == 0;
    h->lengths += strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0;
    if (strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0) {
        h->codings++;
        h->is_chunked = value && strcasecmp(value, "chunked") == 0;
    }
    return MHD_YES;
}

const char *rs_framing_fault(struct MHD_Connection *connection) {
    head h = {0};
    MHD_get_connection_values_n(connection, MHD_HEADER_KIND, look, &h);
    if (h.is_odd) return "headers";
    if (h.hosts > 1) return MHD_HTTP_HEADER_HOST;
    if (h.lengths > 1 || (h.lengths && h.codings)) return MHD_HTTP_HEADER_CONTENT_LENGTH;
    if (h.codings > 1 || (h.codings && !h.is_chunked)) return MHD_HTTP_HEADER_TRANSFER_ENCODING;
    return NULL;
}
