/* Frames of WebSocket, as the server sends them; wslay reads those of the client. */
#ifndef TRANSPORT_HTTP_WEBSOCKET_H
#define TRANSPORT_HTTP_WEBSOCKET_H

#include "base/text.h"

typedef enum rmi_ws_kind { RMI_WS_TEXT = 1, RMI_WS_BINARY = 2 } rmi_ws_kind;

/* Appends the head of a message's only frame; the content follows it. */
void rmi_ws_put_head(rmi_text *out, rmi_ws_kind kind, size_t length);
/* Appends the answer to the client's key ("Sec-WebSocket-Accept"). false: out of memory. */
RM_MUST_CHECK bool rmi_ws_put_accept(rmi_text *out, const char *key);

/* What a client says first: {"sample_rate": 16000, "channels": 1, "format": "f32", "source": "mic"}. */
typedef struct rmi_ws_greeting {
    int32_t sample_rate; /* 0: there is no audio */
    int32_t channels;
    rm_dtype format;
    char source[128]; /* ""; every source */
} rmi_ws_greeting;
RM_MUST_CHECK int rmi_ws_read_greeting(const char *text, size_t length, rmi_ws_greeting *out, rm_error *err);
/* "f32" and the like; NULL: the dtype is none of samples. */
const char *rmi_ws_format_name(rm_dtype dtype);

#endif
