/* `remotemedia serve`: pipelines for clients on other machines, until it is told to end. */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "cli/report.h"
#include "cli/setup.h"
#include "platform/platform.h"
#include "transport/listener.h"

/* In the order in which they are announced. */
enum { GRPC, HTTP, LISTENERS };
static const struct {
    const char *option, *library, *entry;
} listeners[LISTENERS] = {
    [GRPC] = {"grpc", "libremotemedia_grpc.so", "rmi_grpc_listener_api"},
    [HTTP] = {"http", "libremotemedia_http.so", "rmi_http_listener_api"},
};

enum { MOST_MESSAGE = 10 << 20, MOST_TOKENS = 1000, LONGEST_PATH = 4096 };
/* last_words: ns for clients to be told that their runs were stopped. */
static const int64_t default_drain_ms = 30000, default_patience_ms = 10000, last_words = 2000000000;

typedef struct serve_options {
    rmi_setup setup; /* first, as rmi_runtime_options needs */
    rmi_texts operands;
    const char *addresses[LISTENERS], *pipelines, *cors, *access_log;
    const char *files, *token_file, *certificate_file, *key_file, *client_ca_file;
    uint64_t most_sessions, most_message;
    int64_t session_ms, drain_ms, patience_ms;
    bool trust_code, sandbox;
} serve_options;

#define AT(member) offsetof(serve_options, member)
static const rmi_option options_table[] = {
    {.name = "grpc",
     .argument = "HOST:PORT",
     .kind = RMI_OPTION_TEXT,
     .offset = AT(addresses[GRPC]),
     .text = "serve gRPC there; port 0: any that is free"},
    {.name = "http",
     .argument = "HOST:PORT",
     .kind = RMI_OPTION_TEXT,
     .offset = AT(addresses[HTTP]),
     .text = "serve HTTP there"},
    {.name = "pipelines",
     .argument = "DIR",
     .kind = RMI_OPTION_TEXT,
     .offset = AT(pipelines),
     .text = "serve the manifests NAME.json of DIR by their names; they are trusted"},
    {.name = "token-file",
     .argument = "FILE",
     .kind = RMI_OPTION_TEXT,
     .offset = AT(token_file),
     .text = "clients need a token of FILE, which has one a line"},
    {.name = "tls-cert",
     .argument = "FILE",
     .kind = RMI_OPTION_TEXT,
     .offset = AT(certificate_file),
     .text = "TLS with the certificates of FILE (PEM, the server's first)"},
    {.name = "tls-key",
     .argument = "FILE",
     .kind = RMI_OPTION_TEXT,
     .offset = AT(key_file),
     .text = "their private key"},
    {.name = "tls-client-ca",
     .argument = "FILE",
     .kind = RMI_OPTION_TEXT,
     .offset = AT(client_ca_file),
     .text = "clients need a certificate of an authority in FILE"},
    {.name = "trust-code",
     .kind = RMI_OPTION_FLAG,
     .offset = AT(trust_code),
     .text = "clients' manifests may run Python and use files of this machine"},
    {.name = "sandbox",
     .kind = RMI_OPTION_FLAG,
     .offset = AT(sandbox),
     .text = "clients' manifests may run Python, in sandboxes"},
    {.name = "files",
     .argument = "DIR",
     .kind = RMI_OPTION_TEXT,
     .offset = AT(files),
     .text = "clients may send the names of files below DIR as items"},
    {.name = "max-sessions",
     .argument = "N",
     .kind = RMI_OPTION_SIZE,
     .offset = AT(most_sessions),
     .text = "runs and streams at once (preset: no limit)"},
    {.name = "max-message",
     .argument = "SIZE",
     .kind = RMI_OPTION_SIZE,
     .offset = AT(most_message),
     .text = "the largest message of a client (preset: 10M)"},
    {.name = "session-timeout",
     .argument = "TIME",
     .kind = RMI_OPTION_DURATION,
     .offset = AT(session_ms),
     .text = "end a run or stream after TIME (preset: never)"},
    {.name = "client-timeout",
     .argument = "TIME",
     .kind = RMI_OPTION_DURATION,
     .offset = AT(patience_ms),
     .text = "how long a client of HTTP may take for a request (preset: 10)"},
    {.name = "cors",
     .argument = "ORIGIN",
     .kind = RMI_OPTION_TEXT,
     .offset = AT(cors),
     .text = "pages from ORIGIN may call by HTTP; '*': all pages"},
    {.name = "access-log",
     .argument = "FILE",
     .kind = RMI_OPTION_TEXT,
     .offset = AT(access_log),
     .text = "append a line of JSON for each request of HTTP to FILE"},
    {.name = "drain-timeout",
     .argument = "TIME",
     .kind = RMI_OPTION_DURATION,
     .offset = AT(drain_ms),
     .text = "at the end wait for what is in progress (preset: 30)"},
    {0},
};
#undef AT

static const rmi_command description = {
    .name = "serve",
    .synopsis = "serve [--grpc HOST:PORT] [--http HOST:PORT] [options]",
    .summary =
        "Runs pipelines for clients. Ctrl-C or SIGTERM ends it: no client is taken any more, and what is\n"
        "in progress ends first.",
    .tables = {options_table, rmi_sandbox_options, rmi_runtime_options},
    .operands = offsetof(serve_options, operands),
    .notes = "Without --token-file only this machine is served: 127.0.0.1, [::1] or localhost.\n"
             "Exit codes: 0 ended as told, 1 work was cut off, 2 usage, 4 it cannot listen.\n",
};

/* A file that was named by an option; owned. NULL: none was. */
typedef struct option_file {
    char *text;
    size_t length;
} option_file;

/* A listener that was asked for. */
typedef struct entrance {
    rmi_library *library;
    const rmi_listener_api *api;
    rmi_listener *listener;
    int port;
} entrance;

typedef struct server {
    serve_options *options;
    rmi_log_limit log_limit;
    rmi_guard guard;
    rm_runtime *runtime;
    rmi_setup own_setup;
    rm_runtime *own_runtime; /* of the operator's pipelines, where strangers have another one; owned */
    rmi_pipelines *pipelines;
    rmi_service *service;
    entrance entrances[LISTENERS];
    option_file token_file, certificates, key, client_ca;
    const char *tokens[MOST_TOKENS + 1];
} server;

/* ---- Who may call */

static bool is_loopback(const char *address)
{
    static const char *const hosts[] = {"127.0.0.1:", "localhost:", "[::1]:", "unix:", NULL};
    for (const char *const *host = hosts; *host != NULL; host++)
        if (strncmp(address, *host, strlen(*host)) == 0)
            return true;
    return false;
}

static int check_listener(const serve_options *options, size_t i, rm_error *err)
{
    const char *address = options->addresses[i];
    if (address == NULL)
        return RM_OK;
    if (strchr(address, ':') == NULL)
        return rm_error_set(err, RM_E_USAGE, "--%s takes HOST:PORT, not '%s'", listeners[i].option, address);
    if (!is_loopback(address) && options->token_file == NULL && options->client_ca_file == NULL)
        return rm_error_set(
            err, RM_E_USAGE,
            "'%s' may be reached from other machines: that needs --token-file or --tls-client-ca", address);
    return RM_OK;
}

static int check_options(const serve_options *options, rm_error *err)
{
    int rc = RM_OK;
    if (options->addresses[GRPC] == NULL && options->addresses[HTTP] == NULL)
        return rm_error_set(err, RM_E_USAGE, "serve needs --grpc HOST:PORT or --http HOST:PORT");
    if ((options->certificate_file == NULL) != (options->key_file == NULL))
        return rm_error_set(err, RM_E_USAGE, "--tls-cert and --tls-key go together");
    if (options->client_ca_file != NULL && options->certificate_file == NULL)
        return rm_error_set(err, RM_E_USAGE, "--tls-client-ca needs --tls-cert and --tls-key");
    if (options->sandbox && options->trust_code)
        return rm_error_set(err, RM_E_USAGE, "--sandbox and --trust-code exclude each other");
    if (options->addresses[HTTP] == NULL && (options->cors != NULL || options->access_log != NULL))
        return rm_error_set(err, RM_E_USAGE, "--cors and --access-log need --http");
    for (size_t i = 0; rc == RM_OK && i < LISTENERS; i++)
        rc = check_listener(options, i, err);
    return rc;
}

static int read_file(const char *path, option_file *out, rm_error *err)
{
    return path == NULL ? RM_OK : rmi_platform_read_file(NULL, path, 1 << 20, &out->text, &out->length, err);
}

/* Removes blanks at both ends. */
static char *trim(char *line)
{
    line += strspn(line, " \t");
    size_t length = strlen(line);
    while (length > 0 && (line[length - 1] == ' ' || line[length - 1] == '\t'))
        line[--length] = '\0';
    return line;
}

/* Cuts the file into lines; empty ones and those with '#' are left out. */
static int read_tokens(server *s, rm_error *err)
{
    const char *path = s->options->token_file;
    size_t count = 0;
    const int rc = read_file(path, &s->token_file, err);
    if (rc != RM_OK || path == NULL)
        return rc;
    if (strlen(s->token_file.text) != s->token_file.length)
        return rm_error_set(err, RM_E_VALUE, "'%s' has a NUL, which no token can have", path);
    char *rest = s->token_file.text;
    for (char *line; (line = strsep(&rest, "\r\n")) != NULL;) {
        line = trim(line);
        if (line[0] == '\0' || line[0] == '#')
            continue;
        if (count == MOST_TOKENS)
            return rm_error_set(err, RM_E_LIMIT, "'%s' has more than %d tokens", path, (int)MOST_TOKENS);
        s->tokens[count++] = line;
    }
    return count > 0 ? RM_OK : rm_error_set(err, RM_E_VALUE, "'%s' has no token", path);
}

/* ---- Listening */

static int load_listener(size_t i, entrance *to, rm_error *err)
{
    static const char *const near[] = {".", "../lib", "remotemedia/lib", NULL};
    char path[LONGEST_PATH];
    rmi_listener_entry *entry = NULL;
    if (!rmi_find_beside("", near, listeners[i].library, path, sizeof path))
        return rm_error_set(err, RM_E_MISSING_FEATURE,
                            "--%s needs a build with RM_SERVE, whose %s is not beside the program",
                            listeners[i].option, listeners[i].library);
    const int rc = rmi_library_open(NULL, path, &to->library, err);
    if (rc != RM_OK)
        return rc;
    if (!rmi_library_function(to->library, listeners[i].entry, &entry, sizeof entry) ||
        entry()->size != sizeof(rmi_listener_api))
        return rm_error_set(err, RM_E_UNSUPPORTED_VERSION, "'%s' is of another version", path);
    to->api = entry();
    return RM_OK;
}

/* The first sandbox compiles its module, which takes long: no client shall wait for that. */
static int warm_sandbox(const server *s, rm_error *err)
{
    static const char text[] =
        "{\"version\":\"v1\",\"metadata\":{\"name\":\"warm\"},\"connections\":[],"
        "\"nodes\":[{\"id\":\"p\",\"node_type\":\"Python\",\"runtime_hint\":\"cpython_wasm\","
        "\"params\":{\"code\":\"def process(x): return x\"}}]}";
    rm_manifest *manifest = NULL;
    rm_pipeline *pipeline = NULL;
    if (!s->options->sandbox)
        return RM_OK;
    int rc = rm_manifest_parse(s->runtime, text, sizeof text - 1, &manifest, err);
    if (rc == RM_OK)
        rc = rm_pipeline_open(manifest, NULL, &pipeline, err);
    rm_pipeline_free(pipeline);
    rm_manifest_free(manifest);
    return rc;
}

static int listen_at(server *s, size_t i, rm_error *err)
{
    const serve_options *options = s->options;
    entrance *to = &s->entrances[i];
    const rmi_listener_options given = {
        .address = options->addresses[i],
        .most_message = options->most_message > 0 ? options->most_message : MOST_MESSAGE,
        .certificates = s->certificates.text,
        .key = s->key.text,
        .client_ca = s->client_ca.text,
        .pipelines = s->pipelines,
        .cors_origin = options->cors,
        .access_log = options->access_log,
        .patience_ms = options->patience_ms > 0 ? options->patience_ms : default_patience_ms,
    };
    if (options->addresses[i] == NULL)
        return RM_OK;
    const int rc = load_listener(i, to, err);
    return rc == RM_OK ? to->api->start(s->service, &given, &to->listener, &to->port, err) : rc;
}

/* The operator's pipelines may run Python, whatever strangers may do. */
static int load_pipelines(server *s, rm_error *err)
{
    int rc = RM_OK;
    if (s->options->pipelines == NULL)
        return RM_OK;
    if (!s->options->trust_code) {
        s->own_setup = s->options->setup;
        s->own_setup.without_python = false;
        s->own_setup.made = NULL;
        rc = rmi_setup_runtime(&s->own_setup, &s->own_runtime, err);
    }
    return rc == RM_OK ? rmi_pipelines_load(s->own_runtime != NULL ? s->own_runtime : s->runtime,
                                            s->options->pipelines, &s->pipelines, err)
                       : rc;
}

static int listen(server *s, rm_error *err)
{
    const serve_options *options = s->options;
    const rmi_service_options service = {
        .most_sessions = options->most_sessions,
        .session_timeout_ms = options->session_ms,
        .untrusted = !options->trust_code,
        .sandbox = options->sandbox,
        .files = options->files,
        .tokens = options->token_file != NULL ? s->tokens : NULL,
    };
    int rc = rmi_service_new(s->runtime, &service, &s->service, err);
    for (size_t i = 0; rc == RM_OK && i < LISTENERS; i++)
        rc = listen_at(s, i, err);
    return rc;
}

/* Says where, for programs that have asked for any port. */
static int announce(const server *s, rm_error *err)
{
    rmi_program *program = s->options->setup.program;
    rmi_text text;
    rmi_text_init(&text, NULL);
    rmi_text_append_c(&text, "{\"status\":\"serving\"");
    for (size_t i = 0; i < LISTENERS; i++) {
        const char *address = s->options->addresses[i];
        if (address != NULL)
            rmi_text_printf(&text, ",\"%s\":\"%.*s:%d\"", listeners[i].option,
                            (int)(strrchr(address, ':') - address), address, s->entrances[i].port);
    }
    rmi_text_append_c(&text, "}\n");
    int rc =
        text.failed ? rmi_out_of_memory(err) : rmi_writer_put(&program->out, text.data, text.length, err);
    rmi_text_clear(&text);
    return rc == RM_OK ? rmi_writer_flush(&program->out, err) : rc;
}

/* ---- From begin to end */

static void wait_for_signal(server *s)
{
    while (!rmi_guard_stopping())
        (void)rmi_wake_wait(s->guard.wake, NULL, 0, INT64_MAX);
}

static bool wait_for_end(server *s, int64_t deadline)
{
    bool ended = rmi_service_wait(s->service, deadline);
    for (size_t i = 0; ended && i < LISTENERS; i++)
        if (s->entrances[i].listener != NULL)
            ended = s->entrances[i].api->wait(s->entrances[i].listener, deadline);
    return ended;
}

/* Returns whether all that was in progress has ended by itself. What has not is stopped, so that its clients are told. */
static bool drain(server *s, size_t *left)
{
    rmi_service_drain(s->service);
    for (size_t i = 0; i < LISTENERS; i++)
        if (s->entrances[i].listener != NULL)
            s->entrances[i].api->drain(s->entrances[i].listener);
    const bool ended = wait_for_end(s, rmi_platform_now() + s->options->drain_ms * 1000000);
    *left = rmi_service_sessions(s->service);
    if (!ended) {
        rmi_service_stop_sessions(s->service);
        (void)wait_for_end(s, rmi_platform_now() + last_words);
    }
    return ended;
}

static int perform(server *s, rmi_exit *code, rm_error *err)
{
    serve_options *options = s->options;
    *code = RMI_EXIT_USAGE;
    int rc = check_options(options, err);
    if (rc != RM_OK)
        return rc;
    *code = RMI_EXIT_IO;
    rc = read_tokens(s, err);
    if (rc == RM_OK)
        rc = read_file(options->certificate_file, &s->certificates, err);
    if (rc == RM_OK)
        rc = read_file(options->key_file, &s->key, err);
    if (rc == RM_OK)
        rc = read_file(options->client_ca_file, &s->client_ca, err);
    if (rc == RM_OK)
        rc = rmi_guard_start(&s->guard, 0, err);
    s->guard.grace_ms = options->drain_ms;
    if (rc == RM_OK) {
        options->setup.without_python = !options->trust_code;
        options->setup.log_limit = &s->log_limit;
        rc = rmi_setup_runtime(&options->setup, &s->runtime, err);
    }
    if (rc == RM_OK) {
        rc = load_pipelines(s, err);
        if (rc != RM_OK)
            *code = rmi_exit_for_manifest(rc);
    }
    if (rc == RM_OK)
        rc = warm_sandbox(s, err);
    if (rc == RM_OK)
        rc = listen(s, err);
    if (rc == RM_OK)
        rc = announce(s, err);
    if (rc != RM_OK)
        return rc;
    wait_for_signal(s);
    *code = RMI_EXIT_RUN;
    size_t left = 0;
    return drain(s, &left)
               ? RM_OK
               : rm_error_set(err, RM_E_TIMEOUT, "%zu sessions did not end within the drain timeout", left);
}

static void close_server(server *s)
{
    for (size_t i = 0; i < LISTENERS; i++)
        if (s->entrances[i].listener != NULL)
            s->entrances[i].api->stop(s->entrances[i].listener);
    if (s->service != NULL) /* sessions that were cut off */
        (void)rmi_service_wait(s->service, rmi_platform_now() + default_drain_ms * 1000000);
    rmi_service_free(s->service);
    rmi_pipelines_free(s->pipelines);
    rmi_setup_end(&s->own_setup, s->own_runtime);
    for (size_t i = 0; i < LISTENERS; i++)
        if (s->entrances[i].library != NULL)
            rmi_library_close(s->entrances[i].library);
    rmi_setup_end(&s->options->setup, s->runtime);
    const uint64_t left_out = rmi_log_limit_left_out(&s->log_limit);
    if (left_out > 0)
        rmi_report_line(s->options->setup.program, "warning",
                        "%" PRIu64 " more lines were left out of the log", left_out);
    rmi_guard_stop(&s->guard);
    option_file *const files[] = {&s->token_file, &s->certificates, &s->key, &s->client_ca};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        rm_text_free(NULL, files[i]->text, files[i]->length);
}

rmi_exit rmi_command_serve(rmi_program *program, int argc, char **argv)
{
    serve_options options = {.setup = {.program = program}};
    server s = {.options = &options, .log_limit = {.lock = PTHREAD_MUTEX_INITIALIZER}};
    rm_error err = {0};
    rmi_exit code = RMI_EXIT_OK;
    if (rmi_options_parse(&description, program, argc, argv, &options, &code)) {
        if (options.drain_ms == 0)
            options.drain_ms = default_drain_ms;
        const int rc = perform(&s, &code, &err);
        code = rc == RM_OK ? RMI_EXIT_OK : rmi_report_failure(program, &err, code);
        close_server(&s);
    }
    rm_error_clear(&err);
    rmi_options_free(&description, &options);
    return code;
}
