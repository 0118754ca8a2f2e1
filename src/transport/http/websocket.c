/* WebSocket on /v1/pipelines/NAME. */
#include "transport/http/http_session.h"

static void begin(rmi_http_connection *connection)
{
    rmi_http_refuse(connection, 426, RM_E_USAGE, "this path is for WebSocket");
}

const rmi_http_handler rmi_http_websocket = {.state_size = 1, .begin = begin};
