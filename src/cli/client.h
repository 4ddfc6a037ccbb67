/* The command line's way to a server: HTTP by libcurl, with the address and key of the environment or the credentials file.
 *
 * RESPAN_BASE_URL, else that of the credentials file, else http://127.0.0.1:8460/api. RESPAN_API_KEY, else that of the
 * file, which goes only to the address it was written for and to this machine. One thread. */
#ifndef RS_CLI_CLIENT_H
#define RS_CLI_CLIENT_H

#include "base/buf.h"
#include "base/credentials.h"
#include <stdio.h>

typedef struct rs_client {
    rs_credentials to;      /* base_url without a last slash; api_key may be empty */
    struct rs_libcurl *lib; /* what curl came from */
    void *curl;
    const char *const *headers; /* further ones, "name: value"; the caller's, and so are the files */
    size_t header_count;
    const char *ca_file, *certificate, *certificate_key; /* PEM; NULL: the system's, none, none */
    bool quiet;        /* a server that cannot be reached is not complained about (wait) */
    char message[640]; /* what went wrong with the last request */
} rs_client;

/* Loads libcurl for a client whose `to` the caller has set; false if it is not there. To be closed either way. */
bool rs_client_load(rs_client *c);

/* What a server answered, whatever it is. */
typedef struct rs_client_answer {
    long status; /* HTTP status; 0: none came */
    int failure; /* CURLE_… if none came, and `why` says more */
    char why[256];
    long long date; /* of the Date header, Unix seconds; -1: none */
    rs_buf body;    /* the caller's */
    FILE *to;       /* where the body of a 200 goes instead; NULL: nowhere */
    bool unwritten; /* … and it could not */
} rs_client_answer;

/* GET {base_url}{path}, or POST with a JSON body if body is not NULL; says nothing. `body` of *out is appended to. */
void rs_client_exchange(rs_client *c, const char *path, const char *body, unsigned timeout_s,
                        rs_client_answer *out);

/* Whether what answered is the page at the server's root, beside the API: the base URL lacks its /api. */
bool rs_client_is_beside_api(const rs_client *c, const rs_buf *answer);

/* An exit status of cmd.h; complains itself. Close whatever it returns. */
int rs_client_open(rs_client *c);
void rs_client_close(rs_client *c);

/* GET {base_url}{path}, or POST with a JSON body if body is not NULL; the answer's body is appended to *out. An exit status:
 * 0; 1 the server has no such thing; 2 it did not understand; 3 it cannot be reached or refuses the key. Complains
 * itself on standard error, with the remedy. */
int rs_client_request(rs_client *c, const char *path, const char *body, rs_buf *out);

/* The same of an answer of any size, which goes to a file as it comes. 1 also if it could not be written. */
int rs_client_download(rs_client *c, const char *path, FILE *to);

#endif
