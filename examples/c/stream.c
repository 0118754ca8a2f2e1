/* Runs a pipeline item by item: lines of standard input go in as strings, results come out as soon as they are there.
 * Ctrl-C cancels. The memory is this program's own, so that it can say how much was in use at most; log messages go
 * to standard error.
 *
 *   stream PIPELINE.json < lines.txt */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <remotemedia/remotemedia.h>

/* ---- Memory and messages: what a host may bring along ------------------------------------------------------- */

struct memory {
    size_t used, most;
};

/* The library tells the old size, so counting needs no table. */
static void *resize(void *context, void *block, size_t old_size, size_t new_size)
{
    struct memory *memory = context;
    void *moved = NULL;
    if (new_size == 0)
        free(block);
    else if ((moved = realloc(block, new_size)) == NULL)
        return NULL;
    memory->used += new_size - old_size;
    memory->most = memory->used > memory->most ? memory->used : memory->most;
    return moved;
}

static void show_log(void *context, rm_log_level level, const char *node, const char *text)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};
    (void)context;
    fprintf(stderr, "%s: %s%s%s\n", names[level], node ? node : "", node ? ": " : "", text);
}

/* ---- Cancelling from a signal handler ------------------------------------------------------------------------ */

static rm_pipeline *volatile running; /* for the handler; NULL while there is nothing to cancel */

static void on_interrupt(int number)
{
    (void)number;
    if (running != NULL)
        rm_pipeline_cancel(running);
}

/* ---- The stream --------------------------------------------------------------------------------------------- */

/* Prints what has come out so far. */
static int pull_all(rm_pipeline *pipeline, const rm_allocator *allocator, rm_error *err)
{
    rm_packet packet;
    size_t sink = 0;
    int rc;
    while ((rc = rm_pipeline_pull(pipeline, &sink, &packet, err)) == RM_OK) {
        char *text = NULL;
        size_t length = 0;
        rc = rm_json_write(allocator, packet.value, 0, &text, &length, NULL, err);
        if (rc == RM_OK)
            printf("%s: %s\n", rm_pipeline_sink_id(pipeline, sink), text);
        rm_text_free(allocator, text, length);
        rm_packet_clear(&packet);
        if (rc != RM_OK)
            return rc;
    }
    fflush(stdout);
    return rc == RM_AGAIN || rc == RM_DONE ? RM_OK : rc;
}

/* Steps until the pipeline needs input (RM_AGAIN), is done (RM_DONE) or has failed. */
static int work(rm_pipeline *pipeline, const rm_allocator *allocator, rm_error *err)
{
    int rc;
    do {
        rc = rm_run_step(pipeline, err);
        if (rc == RM_PENDING) { /* a node waits for time or for the outside */
            rm_pipeline_wait(pipeline, NULL, 0);
            rc = RM_OK;
        }
        const int pulled = pull_all(pipeline, allocator, rc < 0 ? NULL : err);
        rc = rc >= 0 && pulled != RM_OK ? pulled : rc;
    } while (rc == RM_OK);
    return rc;
}

/* Standard input, read only when there is something, so that a cancelled run does not wait for a line. */
struct lines {
    char buffer[4096];
    size_t start, end; /* what was read and not given away */
    bool ended;
};

/* Waits for input, or for a reason to look at the pipeline again. */
static void read_some(rm_pipeline *pipeline, struct lines *lines)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    rm_pipeline_wait(pipeline, &input.fd, 1);
    if (poll(&input, 1, 0) <= 0)
        return;
    memmove(lines->buffer, lines->buffer + lines->start, lines->end - lines->start);
    lines->end -= lines->start;
    lines->start = 0;
    const ssize_t got = read(STDIN_FILENO, lines->buffer + lines->end, sizeof lines->buffer - lines->end);
    lines->ended = got == 0 || (got < 0 && errno != EINTR);
    lines->end += got > 0 ? (size_t)got : 0;
}

/* The next line without its end (a longer one than the buffer comes in parts); false when none is complete. */
static bool next_line(struct lines *lines, const char **line, size_t *length)
{
    const size_t there = lines->end - lines->start;
    const char *start = lines->buffer + lines->start, *end = memchr(start, '\n', there);
    if (end == NULL && !(there == sizeof lines->buffer || (lines->ended && there > 0)))
        return false;
    *line = start;
    *length = end != NULL ? (size_t)(end - start) : there;
    lines->start += *length + (end != NULL);
    return true;
}

/* Gives `item`, consumed, to the pipeline. RM_DONE: it wants no more. */
static int push(rm_pipeline *pipeline, const rm_allocator *allocator, rm_value item, rm_error *err)
{
    int rc;
    while ((rc = rm_pipeline_push(pipeline, NULL, item, err)) ==
           RM_AGAIN) { /* full; the item is still ours */
        rc = work(pipeline, allocator, err);
        if (rc != RM_AGAIN)
            break;
    }
    if (rc != RM_OK)
        rm_value_clear(&item);
    return rc;
}

/* Gives every line to the pipeline. RM_AGAIN: that was all; RM_DONE: it wants no more. */
static int push_lines(rm_pipeline *pipeline, const rm_allocator *allocator, rm_error *err)
{
    struct lines lines = {.start = 0};
    const char *line;
    size_t length;
    int rc = work(pipeline, allocator, err);
    while (rc == RM_AGAIN && !(lines.ended && lines.start == lines.end)) {
        rm_value item = rm_null();
        if (!next_line(&lines, &line, &length)) {
            read_some(pipeline, &lines);
        } else {
            rc = rm_string_new(allocator, line, length, &item, err);
            if (rc == RM_OK)
                rc = push(pipeline, allocator, item, err);
        }
        if (rc == RM_OK || rc == RM_AGAIN)
            rc = work(pipeline, allocator, err);
    }
    return rc;
}

static int run(const char *path, const rm_config *config, rm_error *err)
{
    rm_runtime *runtime = NULL;
    rm_manifest *manifest = NULL;
    rm_pipeline *pipeline = NULL;
    int rc = rm_runtime_new(config, &runtime, err);
    if (rc == RM_OK)
        rc = rm_manifest_load(runtime, path, &manifest, err);
    if (rc == RM_OK)
        rc = rm_pipeline_open(manifest, NULL, &pipeline, err);
    if (rc == RM_OK) {
        running = pipeline;
        rc = push_lines(pipeline, config->allocator, err);
        if (rc >= 0)
            rc = rm_pipeline_finish(pipeline, err);
        if (rc == RM_OK)
            rc = work(pipeline, config->allocator, err);
        running = NULL;
    }
    rm_pipeline_free(pipeline);
    rm_manifest_free(manifest);
    rm_runtime_free(runtime);
    return rc == RM_DONE ? RM_OK : rc;
}

int main(int argc, char **argv)
{
    struct memory memory = {0};
    const rm_allocator allocator = {.context = &memory, .resize = resize};
    const rm_config config = {.size = sizeof config, .allocator = &allocator, .log = show_log};
    rm_error err = {0};
    if (argc != 2) {
        fprintf(stderr, "usage: %s PIPELINE.json < LINES\n", argv[0]);
        return 2;
    }
    const struct sigaction action = {.sa_handler = on_interrupt};
    sigaction(SIGINT, &action, NULL);
    const int rc = run(argv[1], &config, &err);
    if (rc != RM_OK)
        fprintf(stderr, "%s: %s\n", rm_code_name(rc), err.message);
    rm_error_clear(&err);
    fprintf(stderr, "memory: %zu bytes in use, at most %zu\n", memory.used, memory.most);
    return rc == RM_OK ? 0 : rc == RM_E_CANCELLED ? 130 : 1;
}
