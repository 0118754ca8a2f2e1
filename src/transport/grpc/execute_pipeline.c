/* ExecutePipeline: a whole run in one call. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "platform/platform.h"
#include "transport/grpc/grpc_listener.h"
#include "transport/grpc/open_run.h"

typedef Remotemedia__V1__ExecuteRequest execute_request;
typedef Remotemedia__V1__ExecuteResponse execute_response;
typedef Remotemedia__V1__ExecutionResult execution_result;
typedef Remotemedia__V1__ExecutionResult__DataOutputsEntry output_entry;

/* What an output node has given. */
typedef struct output {
    rm_packet first;
    rm_value rest; /* a list of all values, once there are several */
    size_t count;
} output;

/* Once the session is awake, only its task uses the rest. */
typedef struct execution {
    execute_request *request; /* owned */
    rmi_session *session;     /* owned until it has ended; under the call's lock */
    bool gone;                /* the call is over; under the lock */
    size_t next_input;
    output *outputs; /* owned: one for each output node */
    size_t output_count;
    int64_t begun;
} execution;

/* ---- Answers */

static void answer(rmi_grpc_call *call, execute_response *response)
{
    rmi_grpc_finish(call, GRPC_STATUS_OK, NULL, &response->base);
}

static void answer_failure(rmi_grpc_call *call, const rm_error *failure, bool validating)
{
    execute_response response = REMOTEMEDIA__V1__EXECUTE_RESPONSE__INIT;
    response.outcome_case = REMOTEMEDIA__V1__EXECUTE_RESPONSE__OUTCOME_ERROR;
    response.error = rmi_error_message(failure, validating, -1);
    if (response.error == NULL) {
        rmi_grpc_finish(call, GRPC_STATUS_RESOURCE_EXHAUSTED, "out of memory", NULL);
        return;
    }
    answer(call, &response);
    protobuf_c_message_free_unpacked(&response.error->base, NULL);
}

static int add_output(execution_result *result, const char *key, output *from, rm_error *err)
{
    output_entry *entry = malloc(sizeof *entry);
    if (entry == NULL)
        return rmi_out_of_memory(err);
    remotemedia__v1__execution_result__data_outputs_entry__init(entry);
    result->data_outputs[result->n_data_outputs++] = entry;
    if (from->count > 1) {
        rm_value_clear(&from->first.value);
        from->first.value = rm_value_move(&from->rest);
    }
    if (!rmi_set_text(&entry->key, key))
        return rmi_out_of_memory(err);
    return rmi_buffer_of_packet(&from->first, &entry->value, err);
}

static int add_outputs(const rmi_grpc_call *call, execution_result *result, rm_error *err)
{
    execution *run = call->state;
    const rm_pipeline *pipeline = rmi_session_pipeline(run->session);
    int rc = RM_OK;
    result->data_outputs = malloc((run->output_count + 1) * sizeof *result->data_outputs);
    if (result->data_outputs == NULL)
        return rmi_out_of_memory(err);
    for (size_t i = 0; rc == RM_OK && i < run->output_count; i++)
        if (run->outputs[i].count > 0)
            rc = add_output(result, run->output_count == 1 ? "output" : rm_pipeline_sink_id(pipeline, i),
                            &run->outputs[i], err);
    return rc;
}

static void answer_result(rmi_grpc_call *call)
{
    const execution *run = call->state;
    const rm_pipeline *pipeline = rmi_session_pipeline(run->session);
    rm_error err = {0};
    execution_result *result = malloc(sizeof *result);
    execute_response response = REMOTEMEDIA__V1__EXECUTE_RESPONSE__INIT;
    if (result == NULL) {
        (void)rmi_out_of_memory(&err);
        answer_failure(call, &err, false);
        return;
    }
    remotemedia__v1__execution_result__init(result);
    int rc = add_outputs(call, result, &err);
    if (rc == RM_OK)
        rc = rmi_node_results_of(pipeline, result, &err);
    if (rc == RM_OK)
        rc =
            rmi_metrics_of(pipeline, (double)(rmi_platform_now() - run->begun) / 1e6, &result->metrics, &err);
    response.outcome_case = REMOTEMEDIA__V1__EXECUTE_RESPONSE__OUTCOME_RESULT;
    response.result = result;
    if (rc == RM_OK)
        answer(call, &response);
    else
        answer_failure(call, &err, false);
    protobuf_c_message_free_unpacked(&result->base, NULL);
    rm_error_clear(&err);
}

/* ---- The session's client */

/* A single input that names no source goes to every source, as "input" does. */
static bool names_source(const execution *run, const char *key)
{
    const Remotemedia__V1__PipelineManifest *manifest = run->request->manifest;
    for (size_t i = 0; i < manifest->n_nodes; i++)
        if (strcmp(manifest->nodes[i]->id, key) == 0)
            return true;
    return false;
}

static int input(void *context, const char **source, rm_packet *packet, rm_error *err)
{
    execution *run = ((rmi_grpc_call *)context)->state;
    if (run->next_input == run->request->n_data_inputs)
        return RM_DONE;
    Remotemedia__V1__ExecuteRequest__DataInputsEntry *entry = run->request->data_inputs[run->next_input++];
    if (run->request->n_data_inputs > 1 || names_source(run, entry->key))
        *source = entry->key;
    if (entry->value == NULL)
        return rm_error_set(err, RM_E_VALUE, "data_inputs['%s'] has no data", entry->key);
    const rmi_buffer_rules rules = rmi_grpc_rules(context, run->request->resource_limits);
    return rmi_packet_of_buffer(&rules, entry->value, packet, err);
}

static int keep_result(output *to, rm_packet *packet, rm_error *err)
{
    int rc = RM_OK;
    if (to->count == 1) {
        rc = rm_list_new(NULL, 2, &to->rest, err);
        if (rc == RM_OK)
            rc = rm_list_append(&to->rest, rm_value_retain(to->first.value), err);
    }
    if (rc == RM_OK && to->count == 0)
        to->first = rm_packet_move(packet);
    else if (rc == RM_OK)
        rc = rm_list_append(&to->rest, rm_value_move(&packet->value), err);
    to->count++;
    return rc;
}

static int take_result(void *context, const rmi_session *session, size_t sink, rm_packet *packet,
                       rm_error *err)
{
    execution *run = ((rmi_grpc_call *)context)->state;
    if (run->outputs == NULL) {
        const size_t count = rm_pipeline_sink_count(rmi_session_pipeline(session));
        if ((run->outputs = calloc(count, sizeof *run->outputs)) == NULL)
            return rmi_out_of_memory(err);
        run->output_count = count;
    }
    return keep_result(&run->outputs[sink], packet, err);
}

static void ended(void *context, rmi_session *session, int code, rm_error *err)
{
    rmi_grpc_call *call = context;
    const bool opened = rmi_session_pipeline(session) != NULL;
    if (code == RM_OK)
        answer_result(call);
    else
        answer_failure(call, err, !opened);
    pthread_mutex_lock(&call->lock);
    ((execution *)call->state)->session = NULL; /* `closed` finds none to cancel */
    pthread_mutex_unlock(&call->lock);
    rmi_service_close(rmi_grpc_listener_service(call->listener), session);
    rmi_grpc_drop(call);
}

static const rmi_client client = {input, take_result, ended};

/* ---- The call */

static void begin(rmi_grpc_call *call)
{
    ((execution *)call->state)->begun = rmi_platform_now();
    rmi_grpc_read(call);
}

static void received(rmi_grpc_call *call)
{
    execution *run = call->state;
    rm_error err = {0};
    run->request = (execute_request *)rmi_grpc_request(call, &remotemedia__v1__execute_request__descriptor);
    if (run->request == NULL)
        return;
    const execute_request *request = run->request;
    pthread_mutex_lock(&call->lock);
    const int rc = rmi_grpc_open(call, request->manifest, request->resource_limits, request->client_version,
                                 request->n_data_inputs == 0, &client, &run->session, &err);
    if (rc == RM_OK) {
        rmi_grpc_hold(call);
        rmi_session_wake(run->session);
        if (run->gone)
            rmi_session_cancel(run->session);
    }
    pthread_mutex_unlock(&call->lock);
    if (rc != RM_OK)
        answer_failure(call, &err, true);
    rm_error_clear(&err);
}

static void closed(rmi_grpc_call *call)
{
    execution *run = call->state;
    pthread_mutex_lock(&call->lock);
    run->gone = true;
    if (run->session != NULL)
        rmi_session_cancel(run->session);
    pthread_mutex_unlock(&call->lock);
}

static void release(rmi_grpc_call *call)
{
    execution *run = call->state;
    for (size_t i = 0; i < run->output_count; i++) {
        rm_packet_clear(&run->outputs[i].first);
        rm_value_clear(&run->outputs[i].rest);
    }
    free(run->outputs);
    if (run->request != NULL)
        protobuf_c_message_free_unpacked(&run->request->base, NULL);
}

const rmi_grpc_method rmi_grpc_execute = {
    .path = "/remotemedia.v1.PipelineExecutionService/ExecutePipeline",
    .state_size = sizeof(execution),
    .begin = begin,
    .received = received,
    .closed = closed,
    .free = release,
};
