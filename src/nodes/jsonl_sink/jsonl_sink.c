/* JsonlSink: writes each item as one line of JSON. */
#include "nodes/open_file.h"
#include "nodes/process_many.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

enum { ROOM_AT_FIRST = 16 * 1024 };

struct jsonl_sink {
    const char *path; /* parameter */
    bool append;      /* parameter */
    rmi_open_file file;
    char *buffer; /* lines to write, in order; after a failure only the rest of the cut line */
    size_t length, capacity;
    bool warned; /* about NaN */
};

static int jsonl_sink_open(rm_node *node, void *state, rm_error *err)
{
    struct jsonl_sink *s = state;
    s->buffer = rmi_node_resize(node, NULL, 0, ROOM_AT_FIRST, err);
    if (s->buffer == NULL)
        return RM_E_OUT_OF_MEMORY;
    s->capacity = ROOM_AT_FIRST;
    const int rc = rmi_file_open_to_write(node, s->path, s->append ? O_APPEND : O_TRUNC, &s->file, err);
    if (rc != RM_OK)
        rmi_node_free(node, s->buffer, s->capacity);
    return rc;
}

static int add_text(rm_node *node, struct jsonl_sink *s, const char *text, size_t length, rm_error *err)
{
    if (length > s->capacity - s->length) {
        size_t wanted = s->capacity;
        while (wanted - s->length < length)
            wanted *= 2;
        char *grown = rmi_node_resize(node, s->buffer, s->capacity, wanted, err);
        if (grown == NULL)
            return RM_E_OUT_OF_MEMORY;
        s->buffer = grown;
        s->capacity = wanted;
    }
    memcpy(s->buffer + s->length, text, length);
    s->length += length;
    return RM_OK;
}

/* Adds a whole line to the buffer, or nothing. */
static int add_line(rm_node *node, struct jsonl_sink *s, rm_value value, rm_error *err)
{
    const rm_allocator *allocator = rm_node_allocator(node);
    const size_t before = s->length;
    char *text = NULL;
    size_t length = 0;
    bool had_nan = false;
    int rc = rm_json_write(allocator, value, 0, &text, &length, &had_nan, err);
    if (rc == RM_OK)
        rc = add_text(node, s, text, length, err);
    if (rc == RM_OK)
        rc = add_text(node, s, "\n", 1, err);
    if (rc != RM_OK)
        s->length = before;
    if (rc == RM_OK && had_nan && !s->warned) {
        s->warned = true;
        rm_node_log(node, RM_LOG_WARNING, "NaN or infinity written as null to '%s'", s->path);
    }
    rm_text_free(allocator, text, length);
    return rc;
}

/* Writes the buffer. RM_DONE when nobody reads the pipe; after a failure, *written is the number of bytes
 * written. */
static int write_out(rm_node *node, struct jsonl_sink *s, size_t *written, rm_error *err)
{
    *written = 0;
    while (*written < s->length) {
        size_t n = 0;
        const int rc = rmi_file_write(node, &s->file, s->buffer + *written, s->length - *written, &n, err);
        *written += n;
        if (rc == RM_E_IO)
            return errno == EPIPE ? RM_DONE : rmi_file_not_written(s->path, errno, err);
        if (rc != RM_OK)
            return rc;
    }
    s->length = 0;
    return RM_OK;
}

static size_t count_lines(const char *text, size_t length)
{
    size_t lines = 0;
    for (const char *end = text + length; (text = memchr(text, '\n', (size_t)(end - text))) != NULL; text++)
        lines++;
    return lines;
}

/* After a failed write: keeps the rest of the cut line, so that a later write completes it, and drops the
 * lines behind it, whose items the runtime still owns. */
static void keep_cut_line(struct jsonl_sink *s, size_t written, bool begins_cut)
{
    const bool cut = written > 0 ? s->buffer[written - 1] != '\n' : begins_cut;
    const char *rest = s->buffer + written;
    s->length = cut ? (size_t)((const char *)memchr(rest, '\n', s->length - written) + 1 - rest) : 0;
    memmove(s->buffer, rest, s->length);
}

/* Writes the lines of a batch before the call returns: no line waits for later items. */
static int jsonl_sink_process_many(rm_node *node, void *state, unsigned port, rm_packet *batch, size_t n,
                                   size_t *done, rm_error *err)
{
    struct jsonl_sink *s = state;
    const bool begins_cut = s->length > 0; /* with the rest of an earlier call's line */
    size_t ready = 0, written = 0;
    int rc = RM_OK;
    (void)port;
    while (ready < n && (rc = add_line(node, s, batch[ready].value, err)) == RM_OK)
        ready++;
    const int write_rc = write_out(node, s, &written, err);
    if (write_rc != RM_OK) { /* the item fails whose line was cut, or is the first that was not written */
        const size_t lines = count_lines(s->buffer, written);
        ready = lines - (begins_cut && lines > 0);
        keep_cut_line(s, written, begins_cut);
        rc = write_rc;
    }
    for (size_t i = 0; i < ready; i++)
        rm_packet_clear(&batch[i]);
    return rmi_batch_end(node, batch, 0, ready, done, rc, err);
}

static int jsonl_sink_flush(rm_node *node, void *state, rm_error *err)
{
    size_t written = 0;
    int rc = write_out(node, state, &written, err);
    return rc == RM_DONE ? RM_OK : rc;
}

static int jsonl_sink_close(rm_node *node, void *state, rm_error *err)
{
    struct jsonl_sink *s = state;
    rmi_node_free(node, s->buffer, s->capacity);
    return rmi_file_close(&s->file) == 0 ? RM_OK : rmi_file_not_written(s->path, errno, err);
}

static const rm_port jsonl_sink_ports[] = {
    {.name = "in", .direction = RM_INPUT, .kinds = RM_KIND_PLAIN, .text = "Any item that JSON can express"},
    {0},
};

static const rm_param jsonl_sink_params[] = {
    {.name = "path",
     .text = "The file to write; \"-\": standard output, where the results have a file of their own",
     .type = RM_PARAM_STRING,
     .flags = RM_PARAM_REQUIRED | RM_PARAM_PATH | RM_PARAM_WRITES,
     .offset = offsetof(struct jsonl_sink, path)},
    {.name = "append",
     .text = "Write behind what the file holds instead of replacing it",
     .type = RM_PARAM_BOOL,
     .offset = offsetof(struct jsonl_sink, append),
     .flag = {.fallback = false}},
    {0},
};

const rm_node_type rmi_node_jsonl_sink = {
    .abi_version = RM_NODE_ABI_VERSION,
    .size = sizeof(rm_node_type),
    .name = "JsonlSink",
    .summary = "Writes each item as a line of JSON to a file",
    .description =
        "The file is created, or emptied unless `append` is set, when the run starts; its folder must "
        "exist. Lines are written as items come, none is held back. JsonlSink emits nothing; connect the "
        "node before it to others as well to go on with its items. NaN and infinities become null.",
    .ports = jsonl_sink_ports,
    .params = jsonl_sink_params,
    .state_size = sizeof(struct jsonl_sink),
    .flags = RM_NODE_SIDE_EFFECT,
    .open = jsonl_sink_open,
    .process_many = jsonl_sink_process_many,
    .flush = jsonl_sink_flush,
    .close = jsonl_sink_close,
};
