/* TLS of the HTTP listener, by OpenSSL. */
#ifndef TRANSPORT_HTTP_TLS_H
#define TRANSPORT_HTTP_TLS_H

#include <openssl/ssl.h>

#include "transport/listener.h"

/* Makes the context of the certificates in the options. *out is owned: SSL_CTX_free. */
RM_MUST_CHECK int rmi_tls_context(const rmi_listener_options *options, SSL_CTX **out, rm_error *err);
/* The server's side of a connection, which has not shaken hands yet; owned: SSL_free. NULL without memory. */
SSL *rmi_tls_accept(SSL_CTX *context, int descriptor);

#endif
