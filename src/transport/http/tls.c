#include "transport/http/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

static BIO *reader_of(const char *text)
{
    return BIO_new_mem_buf(text, (int)strlen(text));
}

/* The server's certificate comes first, its chain behind. */
static bool use_certificates(SSL_CTX *context, const char *text)
{
    BIO *reader = reader_of(text);
    X509 *certificate = reader != NULL ? PEM_read_bio_X509_AUX(reader, NULL, NULL, NULL) : NULL;
    bool good = certificate != NULL && SSL_CTX_use_certificate(context, certificate) == 1;
    X509_free(certificate);
    while (good && (certificate = PEM_read_bio_X509(reader, NULL, NULL, NULL)) != NULL)
        if (SSL_CTX_add0_chain_cert(context, certificate) != 1) {
            X509_free(certificate);
            good = false;
        }
    BIO_free(reader);
    return good;
}

static bool use_key(SSL_CTX *context, const char *text)
{
    BIO *reader = reader_of(text);
    EVP_PKEY *key = reader != NULL ? PEM_read_bio_PrivateKey(reader, NULL, NULL, NULL) : NULL;
    const bool good =
        key != NULL && SSL_CTX_use_PrivateKey(context, key) == 1 && SSL_CTX_check_private_key(context) == 1;
    EVP_PKEY_free(key);
    BIO_free(reader);
    return good;
}

static bool ask_clients(SSL_CTX *context, const char *text)
{
    BIO *reader = reader_of(text);
    bool any = false;
    for (X509 *authority;
         reader != NULL && (authority = PEM_read_bio_X509(reader, NULL, NULL, NULL)) != NULL;) {
        any |= X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority) == 1 &&
               SSL_CTX_add_client_CA(context, authority) == 1;
        X509_free(authority);
    }
    BIO_free(reader);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    return any;
}

/* Of the protocols that a client offers there is one for this listener. */
static int choose_protocol(SSL *tls, const unsigned char **out, unsigned char *length,
                           const unsigned char *offered, unsigned int offered_length, void *context)
{
    static const unsigned char ours[] = "\x08http/1.1";
    unsigned char *chosen = NULL;
    (void)tls, (void)context;
    const int found = SSL_select_next_proto(&chosen, length, ours, sizeof ours - 1, offered, offered_length);
    *out = chosen;
    return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

int rmi_tls_context(const rmi_listener_options *options, SSL_CTX **out, rm_error *err)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    *out = context;
    bool good = context != NULL && SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1;
    if (good) {
        (void)SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                            SSL_MODE_RELEASE_BUFFERS);
        (void)SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
        (void)SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
        SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
        good = use_certificates(context, options->certificates) && use_key(context, options->key) &&
               (options->client_ca == NULL || ask_clients(context, options->client_ca));
    }
    ERR_clear_error();
    if (good)
        return RM_OK;
    SSL_CTX_free(context);
    *out = NULL;
    return rm_error_set(
        err, RM_E_VALUE,
        "cannot use TLS: the key or one of the certificates is wrong, or they do not belong together");
}

SSL *rmi_tls_accept(SSL_CTX *context, int descriptor)
{
    SSL *tls = SSL_new(context);
    if (tls == NULL || SSL_set_fd(tls, descriptor) != 1) {
        SSL_free(tls);
        return NULL;
    }
    SSL_set_accept_state(tls);
    return tls;
}
