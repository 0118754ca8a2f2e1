/* What is answered without a session. */
#ifndef TRANSPORT_HTTP_HTTP_PAGES_H
#define TRANSPORT_HTTP_HTTP_PAGES_H

#include "transport/http/http_listener.h"

/* Makes the body of an answer; *type is "application/json" as preset. Returns the status. */
typedef int rmi_http_page(rmi_http_listener *listener, rmi_text *body, const char **type);

rmi_http_page rmi_http_healthz, rmi_http_readyz, rmi_http_version_page, rmi_http_pipelines_page,
    rmi_http_status_page, rmi_http_metrics_page, rmi_http_openapi_page, rmi_http_front_page;

#endif
