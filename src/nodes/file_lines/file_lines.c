/* FileLines: the lines of a text file, one an item, in constant memory. */
#include "nodes/open_file.h"
#include "nodes/process_many.h"

#include <string.h>

enum { A_CALL = 64, ROOM_AT_FIRST = 64 * 1024 };

struct file_lines {
    const char *path;       /* parameter */
    bool crlf;              /* parameter */
    int64_t max_line_bytes; /* parameter */
    rmi_open_file file;
    char *buffer; /* [start, end) has been read and not emitted, [start, scanned) holds no newline */
    size_t capacity, start, scanned, end;
    int64_t line; /* number of the last line emitted */
    bool ended;
};

static int file_lines_open(rm_node *node, void *state, rm_error *err)
{
    struct file_lines *f = state;
    int rc = rmi_file_open_to_read(node, f->path, &f->file, err);
    if (rc != RM_OK)
        return rc;
    f->buffer = rmi_node_resize(node, NULL, 0, ROOM_AT_FIRST, err);
    f->capacity = ROOM_AT_FIRST;
    if (f->buffer != NULL)
        return RM_OK;
    (void)rmi_file_close(&f->file);
    return RM_E_OUT_OF_MEMORY;
}

/* Makes room behind the unread bytes: moves them to the front, or doubles the buffer. */
static int make_room(rm_node *node, struct file_lines *f, rm_error *err)
{
    if (f->start > 0) {
        memmove(f->buffer, f->buffer + f->start, f->end - f->start);
        f->end -= f->start;
        f->scanned -= f->start;
        f->start = 0;
    }
    if (f->end < f->capacity)
        return RM_OK;
    char *grown = rmi_node_resize(node, f->buffer, f->capacity, f->capacity * 2, err);
    if (grown == NULL)
        return RM_E_OUT_OF_MEMORY;
    f->buffer = grown;
    f->capacity *= 2;
    return RM_OK;
}

static int fill(rm_node *node, struct file_lines *f, rm_error *err)
{
    int rc = make_room(node, f, err);
    size_t got = 0;
    if (rc == RM_OK)
        rc = rmi_file_read(node, &f->file, f->path, f->buffer + f->end, f->capacity - f->end, &got, err);
    if (rc != RM_OK)
        return rc;
    f->end += got;
    f->ended = got == 0;
    return RM_OK;
}

/* The rest cannot be read: the next call ends the stream, if this failure does not end the run. */
static void give_up(struct file_lines *f)
{
    f->ended = true;
    f->start = f->scanned = f->end;
}

static int too_long(const struct file_lines *f, rm_error *err)
{
    return rm_error_set(err, RM_E_LIMIT, "line %lld of '%s' is longer than %lld bytes; raise max_line_bytes",
                        (long long)f->line + 1, f->path, (long long)f->max_line_bytes);
}

/* Emits the `length` bytes at `start` as the next line. */
static int emit_line(rm_node *node, struct file_lines *f, size_t length, rm_error *err)
{
    const char *text = f->buffer + f->start;
    rm_error cause = {0};
    rm_value value = rm_null();
    if (f->crlf && length > 0 && text[length - 1] == '\r')
        length--;
    if (length > (size_t)f->max_line_bytes)
        return too_long(f, err);
    f->line++;
    int rc = rm_string_new(rm_node_allocator(node), text, length, &value, &cause);
    if (rc == RM_E_PARSE)
        rc = rm_error_set(err, rc, "line %lld of '%s': %s", (long long)f->line, f->path, cause.message);
    else if (rc != RM_OK)
        rm_error_move(err, &cause);
    else
        rc = rm_emit(node, 0, rm_packet_of(value));
    rm_error_clear(&cause);
    return rc;
}

/* Emits whole lines that have been read before it reads more, so that a slow writer's lines do not wait. */
static int file_lines_generate(rm_node *node, void *state, rm_error *err)
{
    struct file_lines *f = state;
    int rc = RM_OK;
    for (int lines = 0; lines < A_CALL && rc == RM_OK; lines++) {
        const char *newline = memchr(f->buffer + f->scanned, '\n', f->end - f->scanned);
        if (newline != NULL || (f->ended && f->start < f->end)) {
            const size_t stop = newline != NULL ? (size_t)(newline - f->buffer) : f->end;
            rc = emit_line(node, f, stop - f->start, err);
            f->start = f->scanned = newline != NULL ? stop + 1 : stop;
        } else if (f->ended) {
            return RM_DONE;
        } else if (lines > 0) {
            return RM_OK;
        } else {
            f->scanned = f->end;
            rc = f->end - f->start > (size_t)f->max_line_bytes + 1 ? too_long(f, err) : fill(node, f, err);
            if (rc != RM_OK)
                give_up(f);
        }
    }
    return rc;
}

static int file_lines_close(rm_node *node, void *state, rm_error *err)
{
    struct file_lines *f = state;
    (void)err;
    (void)rmi_file_close(&f->file); /* only read: nothing can be lost */
    rmi_node_free(node, f->buffer, f->capacity);
    return RM_OK;
}

static const rm_port file_lines_ports[] = {
    {.name = "out", .direction = RM_OUTPUT, .kinds = RM_KIND_STRING, .text = "A line without its end"},
    {0},
};

static const rm_param file_lines_params[] = {
    {.name = "path",
     .text = "The file to read, UTF-8; \"-\": standard input",
     .type = RM_PARAM_STRING,
     .flags = RM_PARAM_REQUIRED | RM_PARAM_PATH,
     .offset = offsetof(struct file_lines, path)},
    {.name = "crlf",
     .text = "A carriage return before the newline belongs to the line's end",
     .type = RM_PARAM_BOOL,
     .offset = offsetof(struct file_lines, crlf),
     .flag = {.fallback = true}},
    {.name = "max_line_bytes",
     .text = "Longest line in bytes; a longer one is an error",
     .type = RM_PARAM_INT64,
     .offset = offsetof(struct file_lines, max_line_bytes),
     .i64 = {.fallback = 16 * 1024 * 1024, .min = 1, .max = 1024 * 1024 * 1024}},
    {0},
};

const rm_node_type rmi_node_file_lines = {
    .abi_version = RM_NODE_ABI_VERSION,
    .size = sizeof(rm_node_type),
    .name = "FileLines",
    .summary = "Generates the lines of a text file",
    .description =
        "One string a line, without the newline; a last line without a newline counts. The file must be "
        "UTF-8: anything else is an error that names the line. Memory does not grow with the file. The "
        "path is relative to the folder the program runs in; a pipe and standard input can be read too.",
    .ports = file_lines_ports,
    .params = file_lines_params,
    .state_size = sizeof(struct file_lines),
    .flags = RM_NODE_LIVE,
    .open = file_lines_open,
    .generate = file_lines_generate,
    .close = file_lines_close,
};
