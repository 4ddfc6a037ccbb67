/* Where browsers find the server, for the links that commands print. */
#ifndef RS_CLI_SERVER_URL_H
#define RS_CLI_SERVER_URL_H

enum { RS_SERVER_URL_MAX = 1024 };

/* `option` (--url) if given, else the local server of the credentials, else the default; without /api. */
void rs_server_url(const char *option, char out[RS_SERVER_URL_MAX]);

#endif
