#!/bin/sh
# A libwebsockets server that is sent a body in chunks hands on the chunks' sizes and line ends as if they were the body.
#
# libwebsockets 4.1.6 (Debian 12: 4.1.6-3), Python's http.client as the client. "Transfer-Encoding: chunked" (RFC 9112,
# section 7.1) puts the size of each part, in hexadecimal, in front of it. The server below adds up what it gets by
# LWS_CALLBACK_HTTP_BODY. With a Content-Length that is the body; in chunks it is "5", "hello", "5", "world" and "0"
# with their line ends; the server below stops at what it knows to be the last chunk.
. "$(dirname "$0")/support"
command -v cc >/dev/null || skip "there is no C compiler"
command -v python3 >/dev/null || skip "there is no python3"
debian_packages libwebsockets-dev=4.1.6-3 libwebsockets17=4.1.6-3 libcap-dev libssl-dev # of the latter, headers that its own include
libraries=$(dirname "$(find debian -name 'libwebsockets.so.17')")

cat >server.c <<'END'
#include <libwebsockets.h>
#include <stdio.h>
#include <string.h>

static char body[1000];
static int over;

static void show(void)
{
    for (const char *at = body; *at != '\0'; at++)
        printf(*at == '\r' ? "\\r" : *at == '\n' ? "\\n" : "%c", *at);
    printf("\n");
    fflush(stdout);
    over = 1;
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t size)
{
    (void)wsi, (void)user;
    if (reason == LWS_CALLBACK_HTTP_BODY)
        strncat(body, in, size);
    if (reason == LWS_CALLBACK_HTTP_BODY_COMPLETION || (reason == LWS_CALLBACK_HTTP_BODY && strstr(body, "0\r\n\r\n") != NULL))
        show();
    return 0;
}

int main(void)
{
    static const struct lws_protocols protocols[] = {{"http", on_event, 0, 0, 0, NULL, 0}, {NULL, NULL, 0, 0, 0, NULL, 0}};
    struct lws_context_creation_info info;
    memset(&info, 0, sizeof info);
    info.port = 0;
    info.iface = "127.0.0.1";
    info.protocols = protocols;
    lws_set_log_level(0, NULL);
    struct lws_context *context = lws_create_context(&info);
    struct lws_vhost *host = lws_get_vhost_by_name(context, "default");
    printf("%d\n", lws_get_vhost_listen_port(host));
    fflush(stdout);
    while (!over && lws_service(context, 0) >= 0)
        ;
    lws_context_destroy(context);
    return 0;
}
END
cc -Idebian/usr/include -Idebian/usr/include/x86_64-linux-gnu server.c -o server -L"$libraries" -l:libwebsockets.so.17 -Wl,--allow-shlib-undefined >build.log 2>&1 || { cat build.log; skip "the server does not compile here"; }

cat >client.py <<'END'
import http.client
import subprocess
import sys

for chunked in (False, True):
    with subprocess.Popen(["./server"], stdout=subprocess.PIPE, text=True) as server:
        connection = http.client.HTTPConnection("127.0.0.1", int(server.stdout.readline()), timeout=20)
        parts = [b"hello", b"world"]
        if chunked:
            connection.request("POST", "/", iter(parts), encode_chunked=True)
        else:
            connection.request("POST", "/", b"".join(parts))
        print("chunked:" if chunked else "with its length:", server.stdout.readline().strip())
        server.kill()
END
LD_LIBRARY_PATH="$libraries" python3 client.py >seen
expect <<'END'
with its length: helloworld
chunked: 5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n
END
