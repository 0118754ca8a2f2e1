/* A session for a request: what whole runs, streams and WebSockets share. */
#ifndef TRANSPORT_HTTP_HTTP_SESSION_H
#define TRANSPORT_HTTP_HTTP_SESSION_H

#include "transport/http/http_listener.h"

/* Opens a session for the connection's pipeline, or for `manifest` where it has none (consumed). A failure has been answered
 * (by `refuse`), and false is returned. The listener's thread. */
RM_MUST_CHECK bool rmi_http_open(rmi_http_connection *connection, rm_manifest *manifest, bool generate,
                                 const rmi_client *client,
                                 void (*refuse)(rmi_http_connection *connection, int status,
                                                const rm_error *error));
/* Gives a result to the exchange, which `put` makes of it there, under its lock; what a failure has put is taken back. RM_AGAIN:
 * too much waits, and the session is woken once there is room. The session's task. */
RM_MUST_CHECK int rmi_http_give(rmi_http_connection *connection, const rmi_session *session, size_t sink,
                                rm_packet *packet,
                                int (*put)(rmi_http_connection *connection, const char *sink,
                                           const rm_packet *packet, rm_error *err),
                                rm_error *err);
/* The begin of a result's JSON: the sink and the item. And the end of the last message's: the counts. */
void rmi_http_put_place(rmi_text *text, const char *sink, const rm_packet *packet);
void rmi_http_put_counts(rmi_text *text, const rmi_http_connection *connection);
/* Called by a client when results are given out: the counts of the status page go on. The session's task. */
void rmi_http_progressed(rmi_http_connection *connection, const rm_pipeline *pipeline);
/* The last call of a client's `ended`: frees the session, and tells the listener's thread. */
void rmi_http_session_done(rmi_http_connection *connection, rmi_session *session, int code);
/* The status for a run that failed; `opened`: its nodes had been opened. */
int rmi_http_status_of(const rmi_http_connection *connection, const rm_error *error, bool opened);
/* Gives the next item of a list, or of a map from source id to list: the first of each, the second of each, and so on.
 * *at and *turn begin with 0. RM_OK or RM_DONE. */
int rmi_http_next_of(rm_value inputs, size_t *at, size_t *turn, const char **source, rm_value *item);

#endif
