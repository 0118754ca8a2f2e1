#include "transport/session.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/alloc.h"
#include "exec/waiting_bytes.h"
#include "manifest/manifest.h"
#include "remotemedia/node.h"
#include "transport/control.h"
#include "transport/trust.h"

/* ns: a session that has worked for so long lets others work; how long a client may take the rest of the results after a
 * session was stopped; the time between two requests to stop. */
static const int64_t longest_turn = 2000000, last_words = 1000000000, again = 10000000;

struct rmi_session {
    rmi_task task;
    rmi_session_link place;
    _Atomic(rmi_control *) control; /* shared; NULL: nobody looks into the session */
    const rm_allocator *allocator;
    rm_manifest *manifest; /* owned */
    rm_pipeline *pipeline; /* owned; NULL before the first turn */
    const rmi_client *client;
    void *context;
    rmi_session_options options;
    int64_t deadline; /* monotonic ns of the whole run; INT64_MAX: none */
    atomic_bool cancelled;
    _Atomic(const char *) stopped; /* by the server: why */
    int64_t
        gives_up; /* monotonic ns: until then a client may take what there is; INT64_MAX: as long as it wants */

    /* What others see of the run, to stop it. */
    pthread_mutex_t lock;
    rm_pipeline *stoppable; /* borrowed; NULL: none is open */
    bool loads;

    /* What could not be handed on. */
    rm_packet item, result;
    const char *source; /* of `item` */
    size_t sink;        /* of `result` */
    bool has_item, has_result;

    bool input_ended, output_ended;
    int code; /* of the run, once the last step was taken */
    bool stepped_out;
    rm_error failure;
};

rmi_session_link *rmi_session_place(rmi_session *session)
{
    return &session->place;
}

rmi_control *rmi_session_control(rmi_session *session)
{
    return atomic_load(&session->control);
}

void rmi_session_set_control(rmi_session *session, rmi_control *control)
{
    atomic_store(&session->control, control);
}

size_t rmi_session_identity(const rmi_session *session)
{
    return session->options.identity;
}

uint64_t rmi_session_number(const rmi_session *session)
{
    return session->options.number;
}

rm_pipeline *rmi_session_pipeline(const rmi_session *session)
{
    return session->pipeline;
}

/* ---- Begin and end */

static void woken(void *context)
{
    rmi_session *session = context;
    rmi_task_wake(&session->task);
}

/* The pipeline's nodes are being opened; NULL: that has failed. */
static void opening(void *context, rm_pipeline *pipeline)
{
    rmi_session *session = context;
    pthread_mutex_lock(&session->lock);
    session->stoppable = pipeline;
    pthread_mutex_unlock(&session->lock);
}

static bool loads_code(const rmi_session *session)
{
    const rm_manifest *manifest = session->manifest;
    for (size_t i = 0; i < manifest->node_count; i++)
        if (rm_runtime_find_type(manifest->runtime, manifest->nodes[i].node_type) == NULL)
            return true;
    return false;
}

static void set_loads(rmi_session *session, bool loads)
{
    pthread_mutex_lock(&session->lock);
    session->loads = loads;
    pthread_mutex_unlock(&session->lock);
}

bool rmi_session_has_to_stop(rmi_session *session)
{
    return atomic_load(&session->cancelled) || atomic_load(&session->stopped) != NULL ||
           rmi_platform_now() >= session->deadline;
}

static int validate(rmi_session *session, rm_error *err)
{
    pthread_mutex_t *loading = session->options.loading;
    int rc = RM_OK;
    if (loading == NULL || !loads_code(session))
        return rm_manifest_validate(session->manifest, err);
    pthread_mutex_lock(loading);
    set_loads(session, true);
    rc = rmi_session_has_to_stop(session) ? rm_error_set(err, RM_E_CANCELLED, "the run was stopped")
                                          : rm_manifest_validate(session->manifest, err);
    set_loads(session, false);
    pthread_mutex_unlock(loading);
    return rc;
}

static int open(rmi_session *session, rm_error *err)
{
    const rm_pipeline_options options = {
        .size = sizeof options,
        .generate = session->options.generate,
        .measure = session->options.measure,
        .standard_input = -1,
        .woken = woken,
        .woken_context = session,
        .opening = opening,
        .opening_context = session,
    };
    int rc =
        session->options.untrusted ? rmi_check_code(session->manifest, session->options.sandbox, err) : RM_OK;
    if (session->options.sandbox)
        rmi_force_sandbox(session->manifest);
    if (rc == RM_OK && !session->options.own)
        rc = validate(session, err);
    if (rc == RM_OK && session->options.untrusted)
        rc = rmi_check_untrusted(session->manifest, err);
    if (rc == RM_OK)
        rc = rm_pipeline_open(session->manifest, &options, &session->pipeline, err);
    if (rc == RM_OK && session->options.generate) {
        session->input_ended = true;
        rc = rm_pipeline_finish(session->pipeline, err);
    }
    return rc;
}

static bool turn(rmi_task *task);

int rmi_session_new(rmi_executor *executor, rm_runtime *runtime, rm_manifest *manifest,
                    const rmi_session_options *options, const rmi_client *client, void *context,
                    rmi_session **out, rm_error *err)
{
    const rm_allocator *allocator = rm_runtime_allocator(runtime);
    rmi_session *session = rmi_alloc_zeroed(allocator, sizeof *session);
    *out = session;
    if (session == NULL) {
        if (!options->own)
            rm_manifest_free(manifest);
        return rmi_out_of_memory(err);
    }
    session->task.executor = executor;
    session->task.run = turn;
    session->allocator = allocator;
    session->manifest = manifest;
    session->client = client;
    session->context = context;
    session->options = *options;
    session->item = session->result = rm_packet_of(rm_null());
    session->deadline = session->gives_up = INT64_MAX;
    pthread_mutex_init(&session->lock, NULL);
    if (options->timeout_ms > 0)
        session->deadline = rmi_platform_now() + options->timeout_ms * 1000000;
    return RM_OK;
}

void rmi_session_free(rmi_session *session)
{
    if (session == NULL)
        return;
    rm_pipeline_free(session->pipeline);
    pthread_mutex_destroy(&session->lock);
    if (!session->options.own)
        rm_manifest_free(session->manifest);
    rm_packet_clear(&session->item);
    rm_packet_clear(&session->result);
    rm_error_clear(&session->failure);
    rmi_free(session->allocator, session, sizeof *session);
}

void rmi_session_wake(rmi_session *session)
{
    rmi_task_wake(&session->task);
}

/* Stops the call in progress, if any, and makes the task see why. */
static void stop_run(rmi_session *session)
{
    pthread_mutex_lock(&session->lock);
    if (session->stoppable != NULL)
        rm_pipeline_cancel(session->stoppable);
    pthread_mutex_unlock(&session->lock);
    rmi_task_wake(&session->task);
    if (session->options.watchdog != NULL)
        rmi_watchdog_poke(session->options.watchdog);
}

void rmi_session_cancel(rmi_session *session)
{
    atomic_store(&session->cancelled, true);
    stop_run(session);
}

void rmi_session_stop(rmi_session *session, const char *why)
{
    atomic_store(&session->stopped, why);
    stop_run(session);
}

int64_t rmi_session_look(rmi_session *session, int64_t now, bool *loading)
{
    if (!rmi_session_has_to_stop(session))
        return session->deadline;
    pthread_mutex_lock(&session->lock);
    const bool loads = session->loads;
    if (session->stoppable != NULL)
        rm_pipeline_cancel(session->stoppable); /* it has a watchdog of its own, which repeats that */
    pthread_mutex_unlock(&session->lock);
    *loading |= loads;
    return loads ? now + again : INT64_MAX;
}

/* ---- A turn */

/* Ends the run with a failure that did not come from the pipeline; its own failure, if any, is discarded. */
static void give_up(rmi_session *session, int code, rm_error *err)
{
    if (session->stepped_out)
        return;
    rm_error_clear(&session->failure);
    rm_error_move(&session->failure, err);
    session->code = code;
    session->stepped_out = true;
    if (session->pipeline == NULL)
        return;
    rm_pipeline_cancel(session->pipeline);
    int rc = RM_OK;
    while (rc >= 0 && rc != RM_DONE) /* closes the nodes */
        rc = rm_run_step(session->pipeline, NULL);
}

/* Ends the run where somebody has stopped it: whatever the pipeline says, this is the reason. */
static void check_limits(rmi_session *session)
{
    rm_error err = {0};
    const char *stopped = atomic_load(&session->stopped);
    if (session->stepped_out)
        return;
    if (atomic_load(&session->cancelled)) {
        give_up(session, rm_error_set(&err, RM_E_CANCELLED, "the client cancelled the run"), &err);
        session->output_ended = true; /* nobody wants the rest */
    } else if (stopped != NULL) {
        give_up(session, rm_error_set(&err, RM_E_TIMEOUT, "%s", stopped), &err);
    } else if (session->deadline != INT64_MAX && rmi_platform_now() >= session->deadline) {
        give_up(session,
                rm_error_set(&err, RM_E_TIMEOUT, "the run did not end within its limit of %lld ms",
                             (long long)session->options.timeout_ms),
                &err);
    }
    if (session->stepped_out)
        session->gives_up = rmi_platform_now() + last_words;
}

/* Whether there is room for the item; otherwise input waits. RM_E_LIMIT where there never is. */
static int check_room(rmi_session *session, rm_error *err)
{
    const uint64_t most = session->options.most_memory;
    const uint64_t item = most > 0 ? rmi_value_waiting_bytes(session->item.value) : 0;
    if (item > most)
        return rm_error_set(err, RM_E_LIMIT, "an item has %" PRIu64 " bytes; max_memory_bytes is %" PRIu64,
                            item, most);
    return most > 0 && rmi_pipeline_waiting_bytes(session->pipeline) + item > most ? RM_AGAIN : RM_OK;
}

/* What nodes make of items is limited as well. */
static int check_memory(const rmi_session *session, rm_error *err)
{
    const uint64_t most = session->options.most_memory;
    const uint64_t waiting = most > 0 ? rmi_pipeline_waiting_bytes(session->pipeline) : 0;
    return waiting <= most
               ? RM_OK
               : rm_error_set(err, RM_E_LIMIT,
                              "items of %" PRIu64 " bytes wait; max_memory_bytes is %" PRIu64, waiting, most);
}

/* Ends a run in which nodes need the next item before they let go of others, and there is no room for it. */
static bool needs_more_memory(rmi_session *session)
{
    rm_error err = {0};
    if (session->has_result || !session->has_item || check_room(session, &err) != RM_AGAIN)
        return false;
    give_up(session,
            rm_error_set(&err, RM_E_LIMIT,
                         "nodes wait for an item for which max_memory_bytes %" PRIu64 " leaves no room",
                         session->options.most_memory),
            &err);
    return true;
}

/* Moves items from the client to the pipeline; returns whether any has moved. */
static bool take_input(rmi_session *session)
{
    rm_error err = {0};
    bool moved = false;
    int rc = RM_OK;
    while (rc == RM_OK && !session->input_ended && !session->stepped_out) {
        if (!session->has_item) {
            session->source = NULL;
            session->item = rm_packet_of(rm_null());
            rc = session->client->input(session->context, &session->source, &session->item, &err);
            session->has_item = rc == RM_OK;
        }
        if (session->has_item)
            rc = check_room(session, &err);
        if (session->has_item && rc == RM_OK)
            rc = rm_pipeline_push_packet(session->pipeline, session->source, &session->item, &err);
        if (rc == RM_AGAIN)
            break;
        moved = true;
        session->has_item = false;
        if (rc == RM_DONE) { /* no more items, or no source wants any */
            rm_packet_clear(&session->item);
            session->input_ended = true;
            rc = rm_pipeline_finish(session->pipeline, &err);
        }
    }
    if (rc < 0)
        give_up(session, rc, &err);
    rm_error_clear(&err);
    return moved;
}

/* A result that the client cannot be given is the run's failure, also when the pipeline has come to its end before. */
static void refuse_result(rmi_session *session, int code, rm_error *err)
{
    if (err->node[0] == '\0')
        (void)snprintf(err->node, sizeof err->node, "%s", rm_pipeline_sink_id(session->pipeline, session->sink));
    if (session->stepped_out && session->code == RM_OK) {
        rm_error_clear(&session->failure);
        rm_error_move(&session->failure, err);
        session->code = code;
    } else {
        give_up(session, code, err);
    }
    session->output_ended = true; /* the client takes no more */
}

/* Moves results from the pipeline to the client; returns whether any has moved. */
static bool give_results(rmi_session *session)
{
    rm_error err = {0};
    bool moved = false;
    int rc = RM_OK;
    while (rc == RM_OK && !session->output_ended) {
        if (!session->has_result) {
            rc = rm_pipeline_pull(session->pipeline, &session->sink, &session->result, &err);
            session->has_result = rc == RM_OK;
            session->output_ended = rc == RM_DONE;
        }
        if (session->has_result)
            rc = session->client->result(session->context, session, session->sink, &session->result, &err);
        if (session->has_result && rc != RM_AGAIN) {
            rm_packet_clear(&session->result);
            session->has_result = false;
            moved = true;
        }
    }
    if (rc < 0)
        refuse_result(session, rc, &err);
    rm_error_clear(&err);
    return moved;
}

static int step(rmi_session *session)
{
    rm_error err = {0};
    const int rc = rm_run_step(session->pipeline, &session->failure);
    const int limit = rc >= 0 && rc != RM_DONE ? check_memory(session, &err) : RM_OK;
    if (limit != RM_OK)
        give_up(session, limit, &err);
    if (rc == RM_E_CANCELLED)
        check_limits(session);
    if (!session->stepped_out && (rc < 0 || rc == RM_DONE)) {
        session->stepped_out = session->input_ended = true;
        session->code = rc < 0 ? rc : RM_OK;
    }
    return rc;
}

/* Registers what ends the rest of the session. */
static void rest(rmi_session *session)
{
    int descriptors[RMI_TASK_DESCRIPTORS];
    const int64_t due = rm_pipeline_next_deadline(session->pipeline);
    const size_t count = rm_pipeline_descriptors(session->pipeline, descriptors, RMI_TASK_DESCRIPTORS);
    const int64_t deadline = due < session->deadline ? due : session->deadline;
    if (count > 0 || deadline != INT64_MAX)
        rmi_task_rest(&session->task, deadline, descriptors, count);
}

/* Works until nothing can be done; returns false when the turn was too long, and more remains. */
static bool work(rmi_session *session)
{
    const int64_t begun = rmi_platform_now();
    rm_pipeline_poll(session->pipeline); /* what has woken the session is not told */
    for (;;) {
        rmi_control *control = atomic_load(&session->control);
        check_limits(session);
        if (control != NULL && !session->stepped_out)
            rmi_control_work(control, session->pipeline);
        bool moved = give_results(session);
        if (session->stepped_out)
            return true;
        moved |= take_input(session);
        if (session->stepped_out)
            continue;
        const int rc = step(session);
        if (!moved && (rc == RM_AGAIN || rc == RM_PENDING) && !give_results(session)) {
            if (rc != RM_AGAIN || !needs_more_memory(session))
                return true;
        }
        if (rmi_platform_now() - begun > longest_turn)
            return false;
    }
}

/* Tells the client, who may free the session. */
static bool end(rmi_session *session)
{
    rm_error failure = {0};
    rm_error_move(&failure, &session->failure);
    opening(session, NULL);
    if (session->options.leave != NULL) /* nobody finds it any more */
        session->options.leave(session->options.leave_context, session);
    rmi_control_end(atomic_exchange(&session->control, NULL), session->code, &failure);
    session->client->ended(session->context, session, session->code, &failure);
    rm_error_clear(&failure);
    return false;
}

static bool turn(rmi_task *task)
{
    rmi_session *session = (rmi_session *)task;
    rm_error err = {0};
    int rc = RM_OK;
    if (session->pipeline == NULL && !session->stepped_out) {
        check_limits(session);
        rc = session->stepped_out ? RM_OK : open(session, &err);
        if (rc == RM_E_CANCELLED)
            check_limits(session);
        if (rc != RM_OK)
            give_up(session, rc, &err);
        rm_error_clear(&err);
    }
    if (session->pipeline == NULL) /* it could not be opened */
        return end(session);
    const bool rests = work(session);
    if (session->stepped_out && (session->output_ended || rmi_platform_now() >= session->gives_up))
        return end(session);
    if (rests && !session->stepped_out)
        rest(session);
    else if (rests && session->gives_up != INT64_MAX)
        rmi_task_rest(&session->task, session->gives_up, NULL, 0);
    else if (!rests)
        rmi_task_wake(&session->task);
    return true;
}
