/* Runs pipelines as an embedding application does, for the random graphs of tests/e2e: a job a line on
 * standard input, an answer a line on standard output. Usage: graph_driver PREFIX, where
 * PREFIX/lib/python3.13 is.
 *
 * A job: {"manifest": TEXT, "input": list, {source: list} or null, "mode": "run", "push", "feed" or "cancel",
 * "seed": n, "queue": queue_packets, "may_block": bool}. The mode "push" pushes items with a random number of
 * steps and pulls in between; in "feed" the pipeline asks for them; "run" is rm_run; "cancel" repeats "feed"
 * (or "push", with "push": true) and cancels it at its first, second, ... call until a run reaches its
 * end.
 *
 * An answer: {"status", "error", "outputs", "lines": [[sink, value], ...], "failed", "order", "steps",
 * "live": number of blocks of memory that were not freed}, or {"trouble": TEXT}. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "remotemedia/remotemedia.h"
#include "tests/support/heap.h"

enum { SPINNING = 20000, STUCK = 200, PULLS = 8, MAX_CANCELS = 400, CANCEL_SECONDS = 5 };

struct source {
    const char *id; /* NULL: every source */
    rm_value items; /* borrowed */
    size_t given;
    bool refused; /* it wants no more */
};

struct run {
    rm_pipeline *pipeline;
    const rm_allocator *allocator;
    uint64_t random;
    struct source *sources;
    size_t source_count;
    rm_value lines;
    size_t events;    /* calls so far: steps and callbacks */
    size_t cancel_at; /* the call before which the run is cancelled */
    size_t pulled;
    char trouble[256];
};

static unsigned next_random(struct run *run, unsigned below)
{
    run->random = run->random * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(run->random >> 33) % below;
}

static void count_event(struct run *run)
{
    if (run->events++ == run->cancel_at && run->pipeline != NULL)
        rm_pipeline_cancel(run->pipeline);
}

static int add_line(struct run *run, size_t sink, rm_value value, rm_error *err)
{
    rm_value pair = rm_null(), plain = rm_null();
    int rc = rm_value_to_plain(run->allocator, value, &plain, err);
    if (rc == RM_OK)
        rc = rm_list_new(run->allocator, 2, &pair, err);
    if (rc == RM_OK)
        rc = rm_list_append(&pair, rm_int((int64_t)sink), err);
    if (rc == RM_OK)
        rc = rm_list_append(&pair, rm_value_move(&plain), err);
    if (rc == RM_OK)
        rc = rm_list_append(&run->lines, rm_value_move(&pair), err);
    rm_value_clear(&plain);
    rm_value_clear(&pair);
    return rc;
}

/* Takes up to `most` results; returns the last code. */
static int pull(struct run *run, size_t most, rm_error *err)
{
    int rc = RM_OK;
    for (size_t i = 0; i < most && rc == RM_OK; i++) {
        size_t sink = 0;
        rm_packet packet = rm_packet_of(rm_null());
        rc = rm_pipeline_pull(run->pipeline, &sink, &packet, err);
        if (rc == RM_OK) {
            run->pulled++;
            rc = add_line(run, sink, packet.value, err);
        }
        rm_packet_clear(&packet);
    }
    return rc;
}

/* A source that has items left, chosen at random; NULL when none has. */
static struct source *choose_source(struct run *run)
{
    size_t left = 0;
    for (size_t i = 0; i < run->source_count; i++)
        left += !run->sources[i].refused && run->sources[i].given < rm_list_length(run->sources[i].items);
    unsigned chosen = left > 0 ? next_random(run, (unsigned)left) : 0;
    for (size_t i = 0; i < run->source_count && left > 0; i++) {
        struct source *source = &run->sources[i];
        if (!source->refused && source->given < rm_list_length(source->items) && chosen-- == 0)
            return source;
    }
    return NULL;
}

static int give_input(void *context, const char **source, rm_value *item, rm_error *err)
{
    struct run *run = context;
    (void)err;
    count_event(run);
    struct source *chosen = choose_source(run);
    if (chosen == NULL)
        return RM_DONE;
    if (next_random(run, 4) == 0)
        return RM_AGAIN;
    if (chosen->id != NULL)
        *source = chosen->id;
    *item = rm_value_retain(rm_list_get(chosen->items, chosen->given++));
    return RM_OK;
}

static int wait_for_more(void *context, rm_pipeline *pipeline, rm_error *err)
{
    struct run *run = context;
    run->pipeline = pipeline;
    count_event(run);
    const int rc = pull(run, SIZE_MAX, err);
    if (rc < 0)
        return rc;
    if (choose_source(run) == NULL)
        rm_pipeline_wait(pipeline, NULL, 0);
    return RM_OK;
}

/* Pushes an item. Returns RM_DONE when there is none, RM_AGAIN when the queue is full. */
static int push(struct run *run, rm_error *err)
{
    struct source *source = choose_source(run);
    if (source == NULL)
        return RM_DONE;
    rm_value item = rm_value_retain(rm_list_get(source->items, source->given));
    const int rc = rm_pipeline_push(run->pipeline, source->id, item, err);
    if (rc == RM_AGAIN || rc == RM_DONE)
        rm_value_clear(&item);
    if (rc == RM_OK)
        source->given++;
    source->refused = rc == RM_DONE;
    return rc == RM_DONE ? RM_OK : rc;
}

/* A text that changes when a step has done something. *text is owned. */
static int progress(struct run *run, char **text, size_t *length)
{
    rm_value metrics = rm_null();
    int rc = rm_pipeline_metrics(run->pipeline, &metrics, NULL);
    if (rc == RM_OK)
        rc = rm_json_write(run->allocator, metrics, 0, text, length, NULL, NULL);
    rm_value_clear(&metrics);
    return rc;
}

static bool spins(struct run *run, char **before, size_t *before_length, size_t *pulled_before)
{
    char *now = NULL;
    size_t length = 0;
    if (progress(run, &now, &length) != RM_OK)
        return false;
    const bool same = *before != NULL && length == *before_length && memcmp(now, *before, length) == 0 &&
                      run->pulled == *pulled_before;
    if (*before != NULL)
        rm_text_free(run->allocator, *before, *before_length);
    *before = now;
    *before_length = length;
    *pulled_before = run->pulled;
    return same;
}

/* Pushes (unless `pushes` is false), steps and pulls until the run ends or gets no further. */
static int drive(struct run *run, bool pushes, rm_error *err)
{
    char *before = NULL;
    size_t length = 0, pulled_before = 0, steps = 0, idle = 0, pulled = 0;
    bool finished = false;
    int rc = RM_OK;
    while (rc >= 0 && rc != RM_DONE && run->trouble[0] == '\0') {
        bool moved = false;
        while (pushes && !finished && rc >= 0 && next_random(run, 3) != 0) {
            rc = push(run, err);
            moved = moved || rc == RM_OK;
            if (rc == RM_DONE) {
                rc = rm_pipeline_finish(run->pipeline, err);
                finished = moved = true;
            }
            if (rc == RM_AGAIN)
                break;
        }
        for (unsigned n = next_random(run, 4); rc >= 0 && n < 4 && rc != RM_DONE; n++) {
            count_event(run);
            rc = rm_run_step(run->pipeline, err);
            if (rc == RM_PENDING && (!pushes || finished || next_random(run, 2) == 0))
                rm_pipeline_wait(run->pipeline, NULL, 0);
            if (rc == RM_OK && ++steps % SPINNING == 0 && spins(run, &before, &length, &pulled_before))
                (void)snprintf(run->trouble, sizeof run->trouble, "%d steps have done nothing", SPINNING);
            if (rc != RM_OK)
                break;
        }
        moved = moved || rc == RM_OK || rc == RM_PENDING;
        const int step = rc;
        if (rc == RM_AGAIN || next_random(run, 2) == 0) {
            rm_error ignored = {0};
            const int got = pull(run, rc == RM_AGAIN ? SIZE_MAX : PULLS, &ignored);
            if (got < 0 && rc >= 0) {
                rc = got;
                rm_error_move(err, &ignored);
            }
            rm_error_clear(&ignored);
        }
        moved = moved || run->pulled != pulled;
        pulled = run->pulled;
        idle = moved ? 0 : idle + 1;
        if (idle == STUCK)
            (void)snprintf(run->trouble, sizeof run->trouble,
                           "steps answer %d with nothing to push or pull%s", step,
                           finished ? ", after rm_pipeline_finish" : "");
    }
    if (before != NULL)
        rm_text_free(run->allocator, before, length);
    return rc;
}

/* ---- Answers ----------------------------------------------------------------------------------------------- */

static int set(rm_value *map, const char *key, rm_value item)
{
    return rm_map_set(map, key, strlen(key), item, NULL);
}

/* Makes {sink: [values]} of the lines. */
static int outputs_of(struct run *run, rm_value *outputs)
{
    int rc = rm_map_new(run->allocator, 4, outputs, NULL);
    for (size_t sink = 0; sink < rm_pipeline_sink_count(run->pipeline) && rc == RM_OK; sink++) {
        rm_value list = rm_null();
        rc = rm_list_new(run->allocator, 4, &list, NULL);
        for (size_t i = 0; i < rm_list_length(run->lines) && rc == RM_OK; i++) {
            rm_value line = rm_list_get(run->lines, i);
            if (rm_list_get(line, 0).i == (int64_t)sink)
                rc = rm_list_append(&list, rm_value_retain(rm_list_get(line, 1)), NULL);
        }
        rc = set(outputs, rm_pipeline_sink_id(run->pipeline, sink), list);
    }
    return rc;
}

static void answer_with_error(rm_value *answer, const rm_allocator *allocator, int rc, const rm_error *err)
{
    rm_value error = rm_null(), text = rm_null();
    const char *status = rc < 0 ? "error" : "success";
    if (rm_string_new(allocator, status, strlen(status), &text, NULL) == RM_OK)
        (void)set(answer, "status", text);
    if (rc < 0 && rm_error_to_value(allocator, err, &error, NULL) == RM_OK)
        (void)set(answer, "error", error);
}

static void answer_trouble(rm_value *answer, const rm_allocator *allocator, const char *trouble)
{
    rm_value text = rm_null();
    if (rm_string_new(allocator, trouble, strlen(trouble), &text, NULL) == RM_OK)
        (void)set(answer, "trouble", text);
}

static void answer_with_run(rm_value *answer, struct run *run)
{
    rm_value outputs = rm_null(), failed = rm_null(), info = rm_null(), order = rm_null();
    if (outputs_of(run, &outputs) == RM_OK)
        (void)set(answer, "outputs", outputs);
    (void)set(answer, "lines", rm_value_retain(run->lines));
    if (rm_pipeline_failures(run->pipeline, &failed, NULL) == RM_OK)
        (void)set(answer, "failed", failed);
    if (rm_pipeline_graph_info(run->pipeline, &info, NULL) == RM_OK &&
        rm_map_get(info, "execution_order", strlen("execution_order"), &order))
        (void)set(answer, "order", rm_value_retain(order));
    rm_value_clear(&info);
    (void)set(answer, "steps", rm_int((int64_t)run->events));
    if (run->trouble[0] != '\0')
        answer_trouble(answer, run->allocator, run->trouble);
}

/* ---- Jobs -------------------------------------------------------------------------------------------------- */

struct job {
    rm_manifest *manifest;
    rm_value input;
    char mode[16];
    bool pushes;
    rm_pipeline_options options;
    uint64_t seed;
};

static void collect_sources(struct run *run, rm_value input)
{
    if (input.kind == RM_MAP) {
        for (size_t i = 0; i < rm_map_length(input); i++) {
            rm_value key = rm_null();
            (void)rm_map_at(input, i, &key, &run->sources[i].items);
            run->sources[i].id = rm_string_text(key, NULL);
        }
        run->source_count = rm_map_length(input);
    } else if (input.kind == RM_LIST) {
        run->sources[0].items = input;
        run->source_count = 1;
    }
}

static void give_pipeline(void *context, rm_pipeline *pipeline)
{
    ((struct run *)context)->pipeline = pipeline;
}

/* One run, cancelled before its call `cancel_at`. Returns its code. */
static int run_once(const struct job *job, const rm_allocator *allocator, size_t cancel_at, rm_value *answer,
                    size_t *events, rm_error *err)
{
    struct source sources[64] = {{0}};
    struct run run = {
        .allocator = allocator, .random = job->seed, .sources = sources, .cancel_at = cancel_at};
    rm_pipeline_options options = job->options;
    options.opening = give_pipeline;
    options.opening_context = &run;
    if (!job->pushes) {
        options.input = give_input;
        options.wait = wait_for_more;
        options.input_context = options.wait_context = &run;
    }
    collect_sources(&run, job->input);
    int rc = rm_list_new(allocator, 16, &run.lines, err);
    if (rc == RM_OK)
        rc = rm_pipeline_open(job->manifest, &options, &run.pipeline, err);
    const bool opened = rc == RM_OK;
    if (opened)
        rc = drive(&run, job->pushes, err);
    if (opened && run.trouble[0] == '\0') {
        const int last = pull(&run, SIZE_MAX, NULL);
        if (last != RM_DONE && rc == RM_DONE)
            (void)snprintf(run.trouble, sizeof run.trouble, "pull answers %d at the end", last);
    }
    if (answer != NULL) {
        answer_with_error(answer, allocator, rc, err);
        if (opened)
            answer_with_run(answer, &run);
    }
    if (run.trouble[0] != '\0')
        rc = rm_error_set(err, RM_E_INTERNAL, "%s", run.trouble);
    *events = run.events;
    if (opened)
        rm_pipeline_free(run.pipeline);
    rm_value_clear(&run.lines);
    return rc;
}

/* Cancels at each call in turn, until a run ends before it is cancelled. */
static void cancel_everywhere(const struct job *job, const rm_allocator *allocator, rm_value *answer)
{
    char trouble[600] = "";
    size_t at = 0, cancelled = 0;
    const time_t end = time(NULL) + CANCEL_SECONDS;
    for (bool ends = false; !ends && trouble[0] == '\0' && cancelled < MAX_CANCELS && time(NULL) < end;
         at += 1 + at / 64) {
        rm_error err = {0};
        size_t events = 0;
        const int rc = run_once(job, allocator, at, NULL, &events, &err);
        ends = events <= at;
        cancelled += rc == RM_E_CANCELLED;
        /* A run may end with the call before which it is cancelled. */
        if (!ends && rc != RM_E_CANCELLED && events > at + 1)
            (void)snprintf(trouble, sizeof trouble, "cancelled before call %zu of %zu, it ended with %s: %s",
                           at, events, rm_code_name(rc), err.message);
        rm_error_clear(&err);
    }
    (void)set(answer, "cancelled", rm_int((int64_t)cancelled));
    if (trouble[0] != '\0')
        answer_trouble(answer, allocator, trouble);
}

static void run_whole(const struct job *job, const rm_allocator *allocator, rm_value *answer)
{
    rm_value outputs = rm_null();
    rm_error err = {0};
    const int rc = rm_run(job->manifest, &job->options, job->input, &outputs, &err);
    answer_with_error(answer, allocator, rc, &err);
    (void)set(answer, "outputs", outputs);
    rm_error_clear(&err);
}

static rm_value member(rm_value map, const char *key)
{
    rm_value item = rm_null();
    (void)rm_map_get(map, key, strlen(key), &item);
    return item;
}

static void work(const rm_value document, rm_runtime *runtime, const rm_allocator *allocator,
                 rm_value *answer)
{
    struct job job = {.input = member(document, "input")};
    rm_error err = {0};
    size_t length = 0, events = 0;
    const char *text = rm_string_text(member(document, "manifest"), &length);
    job.seed = (uint64_t)member(document, "seed").i;
    job.pushes =
        strcmp(rm_string_text(member(document, "mode"), NULL), "push") == 0 || member(document, "push").b;
    (void)snprintf(job.mode, sizeof job.mode, "%s", rm_string_text(member(document, "mode"), NULL));
    job.options = (rm_pipeline_options){
        .size = sizeof job.options,
        .queue_packets = (size_t)member(document, "queue").i,
        .may_block = member(document, "may_block").b,
        .generate = job.input.kind == RM_NULL,
    };
    int rc = rm_manifest_parse(runtime, text, length, &job.manifest, &err);
    if (rc != RM_OK) {
        answer_with_error(answer, allocator, rc, &err);
        rm_error_clear(&err);
        return;
    }
    if (strcmp(job.mode, "run") == 0)
        run_whole(&job, allocator, answer);
    else if (strcmp(job.mode, "cancel") == 0)
        cancel_everywhere(&job, allocator, answer);
    else
        (void)run_once(&job, allocator, SIZE_MAX, answer, &events, &err);
    rm_error_clear(&err);
    rm_manifest_free(job.manifest);
}

static bool print(rm_value answer)
{
    char *text = NULL;
    size_t length = 0;
    rm_error err = {0};
    const bool written = rm_json_write(NULL, answer, 0, &text, &length, NULL, &err) == RM_OK;
    if (written) {
        (void)fwrite(text, 1, length, stdout);
        rm_text_free(NULL, text, length);
    } else {
        (void)printf("{\"trouble\": \"the answer cannot be written\"}");
    }
    rm_error_clear(&err);
    return fputc('\n', stdout) != EOF && fflush(stdout) == 0;
}

/* Each job has a runtime of its own, so that the memory left belongs to the job. */
static int answer_job(const char *line, size_t length, const char *home)
{
    rmt_heap heap;
    rmt_heap_init(&heap, 0);
    const rm_config config = {.size = sizeof config, .allocator = &heap.allocator};
    const rm_python_config python = {.size = sizeof python, .home = home};
    rm_runtime *runtime = NULL;
    rm_value document = rm_null(), answer = rm_null(), copy = rm_null();
    rm_error err = {0};
    char *text = NULL;
    size_t size = 0;
    int rc = rm_json_parse(NULL, line, length, 0, &document, &err);
    if (rc == RM_OK)
        rc = rm_map_new(&heap.allocator, 8, &answer, &err);
    if (rc == RM_OK)
        rc = rm_runtime_new(&config, &runtime, &err);
    if (rc == RM_OK)
        rc = rm_python_attach(runtime, &python, &err);
    if (rc == RM_OK) {
        work(document, runtime, &heap.allocator, &answer);
        rc = rm_json_write(NULL, answer, 0, &text, &size, NULL, &err);
    }
    if (rc == RM_OK)
        rc = rm_json_parse(NULL, text, size, 0, &copy, &err);
    rm_value_clear(&answer);
    if (runtime != NULL)
        rm_runtime_free(runtime);
    if (rc == RM_OK)
        (void)set(&copy, "live", rm_int((int64_t)atomic_load(&heap.live_blocks)));
    else
        (void)fprintf(stderr, "graph_driver: %s\n", err.message);
    const bool printed = rc == RM_OK && print(copy);
    if (text != NULL)
        rm_text_free(NULL, text, size);
    rm_value_clear(&copy);
    rm_value_clear(&document);
    rm_error_clear(&err);
    return printed ? RM_OK : RM_E_IO;
}

int main(int count, char **words)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t length = 0;
    int rc = count == 2 ? RM_OK : RM_E_USAGE;
    while (rc == RM_OK && (length = getline(&line, &room, stdin)) > 0)
        rc = answer_job(line, (size_t)length, words[1]);
    free(line);
    return rc == RM_OK ? 0 : 1;
}
