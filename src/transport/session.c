#include "transport/session.h"

#include "base/alloc.h"
#include "platform/platform.h"
#include "transport/trust.h"

/* A session that has worked for so long lets others work. */
static const int64_t longest_turn = 2000000;

struct rmi_session {
    rmi_task task;
    const rm_allocator *allocator;
    rm_manifest *manifest; /* owned */
    rm_pipeline *pipeline; /* owned; NULL before the first turn */
    const rmi_client *client;
    void *context;
    rmi_session_options options;
    int64_t deadline; /* monotonic ns of the whole run; INT64_MAX: none */
    bool timed_out;
    atomic_bool cancelled;

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

static int open(rmi_session *session, rm_error *err)
{
    const rm_pipeline_options options = {
        .size = sizeof options,
        .generate = session->options.generate,
        .measure = session->options.measure,
        .standard_input = -1,
        .woken = woken,
        .woken_context = session,
    };
    int rc = session->options.own ? RM_OK : rm_manifest_validate(session->manifest, err);
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
    session->deadline = INT64_MAX;
    if (options->timeout_ms > 0)
        session->deadline = rmi_platform_now() + options->timeout_ms * 1000000;
    return RM_OK;
}

void rmi_session_free(rmi_session *session)
{
    if (session == NULL)
        return;
    rm_pipeline_free(session->pipeline);
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

void rmi_session_cancel(rmi_session *session)
{
    atomic_store(&session->cancelled, true);
    rmi_task_wake(&session->task);
}

/* ---- A turn */

/* Ends the run with a failure that did not come from the pipeline; its own failure, if any, is discarded. */
static void give_up(rmi_session *session, int code, rm_error *err)
{
    if (session->stepped_out)
        return;
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

static void check_limits(rmi_session *session)
{
    rm_error err = {0};
    if (atomic_load(&session->cancelled)) {
        give_up(session, rm_error_set(&err, RM_E_CANCELLED, "the client cancelled the run"), &err);
        session->output_ended = true; /* nobody wants the rest */
    } else if (session->deadline != INT64_MAX && rmi_platform_now() >= session->deadline)
        give_up(session,
                rm_error_set(&err, RM_E_TIMEOUT, "the run did not end within its limit of %lld ms",
                             (long long)session->options.timeout_ms),
                &err);
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
    if (rc < 0) {
        give_up(session, rc, &err);
        session->output_ended = true; /* the client takes no more */
    }
    rm_error_clear(&err);
    return moved;
}

static int step(rmi_session *session)
{
    const int rc = rm_run_step(session->pipeline, &session->failure);
    if (rc < 0 || rc == RM_DONE) {
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
        check_limits(session);
        bool moved = give_results(session);
        if (session->stepped_out)
            return true;
        moved |= take_input(session);
        if (session->stepped_out)
            continue;
        const int rc = step(session);
        if (!moved && (rc == RM_AGAIN || rc == RM_PENDING) && !give_results(session))
            return true;
        if (rmi_platform_now() - begun > longest_turn)
            return false;
    }
}

/* Tells the client, who may free the session. */
static bool end(rmi_session *session)
{
    rm_error failure = {0};
    rm_error_move(&failure, &session->failure);
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
        if (rc != RM_OK)
            give_up(session, rc, &err);
    }
    if (session->pipeline == NULL) /* it could not be opened */
        return end(session);
    const bool rests = work(session);
    if (session->stepped_out && session->output_ended)
        return end(session);
    if (rests && !session->stepped_out)
        rest(session);
    else if (!rests)
        rmi_task_wake(&session->task);
    return true;
}
