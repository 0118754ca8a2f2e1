/* Files that are in the listener: the OpenAPI document and the status page. */
#ifndef TRANSPORT_HTTP_HTTP_FILES_H
#define TRANSPORT_HTTP_HTTP_FILES_H

#include <stddef.h>

extern const unsigned char rmi_http_openapi[], rmi_http_status[];
extern const size_t rmi_http_openapi_size, rmi_http_status_size;

#endif
