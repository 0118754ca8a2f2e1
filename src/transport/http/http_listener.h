/* What the files of the HTTP listener need of it. */
#ifndef TRANSPORT_HTTP_HTTP_LISTENER_H
#define TRANSPORT_HTTP_HTTP_LISTENER_H

#include "transport/http/http_connection.h"
#include "transport/http/http_counters.h"

rmi_service *rmi_http_service(const rmi_http_listener *listener);
const rmi_listener_options *rmi_http_options(const rmi_http_listener *listener);
rmi_http_counters *rmi_http_counters_of(rmi_http_listener *listener);
rmi_http_rates *rmi_http_rates_of(rmi_http_listener *listener);
bool rmi_http_draining(const rmi_http_listener *listener);
/* Whether only this machine can reach the listener. */
bool rmi_http_is_local(const rmi_http_listener *listener);

/* Makes the listener's thread look at the connection; `ended`: its session has ended, and this is the last that is done with
 * it. Any thread. */
void rmi_http_post(rmi_http_connection *connection, bool ended);

/* The rest for connections; the listener's thread. */
void rmi_http_list(rmi_http_connection *connection);
void rmi_http_unlist(rmi_http_connection *connection);
/* A connection that was listed is freed. */
void rmi_http_freed(rmi_http_listener *listener);
/* Waits for EPOLLIN and EPOLLOUT as `interest` says. */
void rmi_http_watch(rmi_http_connection *connection, uint32_t interest);
/* The connection's deadline is at `deadline` (monotonic ns), INT64_MAX: has none. */
void rmi_http_set_deadline(rmi_http_connection *connection, int64_t deadline);
/* Writes the line of the request that has ended. */
void rmi_http_log(rmi_http_connection *connection);

#endif
