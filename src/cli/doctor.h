/* respan doctor: what its checks share.
 *
 * A check looks at one matter and reports findings, each on one line: all well, a warning, or a problem, with the remedy
 * and, where there is one, the command that can be copied. Checks run in processes of their own (cmd_doctor.c), side by
 * side and for a limited time: one that hangs (a dead network file system, a name server) or dies takes
 * no other along, and what it found until then stands. A check changes nothing it looks at, and never reports a key. */
#ifndef RS_CLI_DOCTOR_H
#define RS_CLI_DOCTOR_H

#include "base/buf.h"
#include <jansson.h>

typedef enum rs_level { RS_FINE, RS_WARNING, RS_PROBLEM } rs_level;

typedef struct rs_doctor {
    const char *data, *python; /* --data, --python; NULL: not given */
    bool send;                 /* --send */
    int out;                   /* of a check's process: where findings go */
} rs_doctor;

/* Reports a finding of `check` ("server"). What it quotes may be anybody's text: it is made safe when it is shown. */
void rs_doctor_find(rs_doctor *d, rs_level level, const char *check, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* What to do about the last finding: a sentence, and a command for a shell (NULL: none). Once a finding. */
void rs_doctor_remedy(rs_doctor *d, const char *command, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* "PROGRAM ARGUMENTS", as this program was called, for a command; valid until the next call. */
const char *rs_doctor_command(const char *arguments);
/* One word for a shell, quoted if it has to be. */
void rs_doctor_quote(rs_buf *out, const char *word);

/* The checks. */
void rs_doctor_server(rs_doctor *d);
void rs_doctor_spool(rs_doctor *d);
void rs_doctor_data(rs_doctor *d);
void rs_doctor_python(rs_doctor *d);
void rs_doctor_environment(rs_doctor *d);

/* What the checks' processes wrote, as [{"check","status","message","remedy","command"}]; NULL: out of memory. */
json_t *rs_doctor_findings(rs_str records);

/* "ok       server   …" and so on, for people. */
void rs_doctor_print(const json_t *findings, rs_buf *out);

/* Bytes in a unit that people read: "1.2 MB". */
void rs_doctor_put_bytes(rs_buf *out, uint64_t bytes);

#endif
