/* A file with a line of JSON for each request. */
#ifndef TRANSPORT_HTTP_ACCESS_LOG_H
#define TRANSPORT_HTTP_ACCESS_LOG_H

#include "remotemedia/remotemedia.h"

typedef struct rmi_access_log rmi_access_log;

typedef struct rmi_access_line {
    const char *protocol, *client, *method, *target;
    int status; /* 0: the client went away before */
    uint64_t bytes_in, bytes_out;
    int64_t ns; /* that it took */
} rmi_access_line;

/* Opens the file to append. *out is owned: rmi_access_log_close (NULL is fine). */
RM_MUST_CHECK int rmi_access_log_open(const char *path, rmi_access_log **out, rm_error *err);
void rmi_access_log_close(rmi_access_log *log);
/* Writes a line as a whole. false: it is lost, for lack of memory or room. Any thread. */
bool rmi_access_log_put(rmi_access_log *log, const rmi_access_line *line);

#endif
