/* POST ...:run and /v1/run: a whole run in one request. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "data/json/json.h"
#include "transport/http/http_session.h"

/* Once the session is awake, only its task uses it. */
typedef struct run {
    rmi_text body;
    rm_value inputs; /* a list, a map of lists, or null: sources generate */
    size_t at, turn;
    rmi_text *outputs; /* owned: the results of each output node, with commas */
    size_t output_count;
    rmi_json_style style;
    bool of_client; /* the failure is in what the client has sent */
} run;

/* ---- The answer */

static void put_outputs(rmi_text *text, const run *r, const rm_pipeline *pipeline)
{
    rmi_text_append_c(text, "{");
    for (size_t i = 0; i < r->output_count; i++) {
        rmi_text_printf(text, "%s\"%s\":[", i > 0 ? "," : "", rm_pipeline_sink_id(pipeline, i));
        rmi_text_append(text, r->outputs[i].data, r->outputs[i].length);
        rmi_text_append_c(text, "]");
        text->failed |= r->outputs[i].failed;
    }
    rmi_text_append_c(text, "}");
}

static int put_success(rmi_text *text, const run *r, const rm_pipeline *pipeline, rm_error *err)
{
    const rmi_json_style style = {0};
    rm_value info = rm_null(), failures = rm_null();
    int rc = rm_pipeline_graph_info(pipeline, &info, err);
    if (rc == RM_OK)
        rc = rm_pipeline_failures(pipeline, &failures, err);
    rmi_text_append_c(text, "{\"status\":\"success\",\"outputs\":");
    put_outputs(text, r, pipeline);
    rmi_text_append_c(text, ",\"graph_info\":");
    if (rc == RM_OK)
        rc = rmi_json_append(text, info, &style, NULL, err);
    if (rc == RM_OK && rm_list_length(failures) > 0) {
        rmi_text_append_c(text, ",\"failed\":");
        rc = rmi_json_append(text, failures, &style, NULL, err);
    }
    rmi_text_append_c(text, "}\n");
    rm_value_clear(&info);
    rm_value_clear(&failures);
    return rc == RM_OK && text->failed ? rmi_out_of_memory(err) : rc;
}

static int put_failure(rmi_text *text, const run *r, const rm_pipeline *pipeline, const rm_error *error)
{
    const int rc = rmi_http_append_error(text, error, NULL);
    if (pipeline != NULL) {
        rmi_text_append_c(text, ",\"outputs\":");
        put_outputs(text, r, pipeline);
    }
    rmi_text_append_c(text, "}\n");
    return rc;
}

/* ---- The session's client */

static int make_outputs(run *r, const rm_pipeline *pipeline, rm_error *err)
{
    const size_t count = rm_pipeline_sink_count(pipeline);
    if (r->outputs != NULL || count == 0)
        return RM_OK;
    r->outputs = calloc(count, sizeof *r->outputs);
    if (r->outputs == NULL)
        return rmi_out_of_memory(err);
    r->output_count = count;
    for (size_t i = 0; i < count; i++)
        rmi_text_init(&r->outputs[i], NULL);
    return RM_OK;
}

static int input(void *context, const char **source, rm_packet *packet, rm_error *err)
{
    rmi_http_connection *connection = context;
    run *r = connection->state;
    (void)err;
    const int rc = rmi_http_next_of(r->inputs, &r->at, &r->turn, source, &packet->value);
    connection->progress_of.items += rc == RM_OK;
    return rc;
}

static int take_result(void *context, const rmi_session *session, size_t sink, rm_packet *packet,
                       rm_error *err)
{
    rmi_http_connection *connection = context;
    run *r = connection->state;
    int rc = make_outputs(r, rmi_session_pipeline(session), err);
    if (rc != RM_OK)
        return rc;
    rmi_text *text = &r->outputs[sink];
    const size_t before = text->length;
    if (before > 0)
        rmi_text_append(text, ",", 1);
    rc = rmi_json_append(text, packet->value, &r->style, NULL, err);
    if (rc == RM_OK && text->failed)
        rc = rmi_out_of_memory(err);
    if (rc != RM_OK)
        text->length = before; /* no part of a result stands in the answer */
    else
        rm_packet_clear(packet);
    connection->progress_of.results += rc == RM_OK;
    rmi_http_progressed(connection, rmi_session_pipeline(session));
    return rc;
}

static void ended(void *context, rmi_session *session, int code, rm_error *err)
{
    rmi_http_connection *connection = context;
    run *r = connection->state;
    const rm_pipeline *pipeline = rmi_session_pipeline(session);
    rmi_text text;
    rmi_text_init(&text, NULL);
    int rc = pipeline != NULL ? make_outputs(r, pipeline, NULL) : RM_OK;
    int status = 200;
    if (code == RM_OK && rc == RM_OK)
        rc = code = put_success(&text, r, pipeline, err);
    if (code != RM_OK) {
        text.length = 0;
        status = rmi_http_status_of(connection, err, pipeline != NULL);
        rc = put_failure(&text, r, pipeline, err);
    }
    text.failed |= rc != RM_OK && code == RM_OK;
    rmi_http_answer(connection, status, "application/json", &text);
    rmi_http_session_done(connection, session, code);
}

static const rmi_client client = {input, take_result, ended};

/* ---- The request */

static void begin(rmi_http_connection *connection)
{
    run *r = connection->state;
    const rmi_listener_options *options = rmi_http_options(connection->listener);
    const uint64_t length = connection->request.parser.content_length;
    rmi_text_init(&r->body, NULL);
    if (rmi_http_query_has(&connection->request, "arrays=list"))
        r->style.flags = RM_JSON_ARRAYS_AS_LISTS;
    if ((connection->request.parser.flags & F_CONTENT_LENGTH) != 0 && length > options->most_message)
        rmi_http_refuse(connection, 413, RM_E_LIMIT,
                        "the request has %llu bytes; the server takes at most %zu",
                        (unsigned long long)length, options->most_message);
}

static void body(rmi_http_connection *connection, const char *data, size_t length)
{
    run *r = connection->state;
    const size_t most = rmi_http_options(connection->listener)->most_message;
    rmi_text_append(&r->body, data, length);
    if (r->body.failed)
        rmi_http_refuse(connection, 503, RM_E_OUT_OF_MEMORY, "out of memory");
    else if (r->body.length > most)
        rmi_http_refuse(connection, 413, RM_E_LIMIT,
                        "the request is longer than %zu bytes, which the server takes", most);
}

/* Whether every member of the map is a list. */
static bool is_by_source(rm_value map)
{
    rm_value key, items;
    for (size_t i = 0; rm_map_at(map, i, &key, &items); i++)
        if (items.kind != RM_LIST)
            return false;
    return map.kind == RM_MAP;
}

static int read_inputs(run *r, yyjson_val *value, rm_error *err)
{
    int rc = rmi_json_to_value(NULL, value, 0, "/inputs", &r->inputs, err);
    if (rc == RM_OK && r->inputs.kind != RM_NULL && r->inputs.kind != RM_LIST && !is_by_source(r->inputs)) {
        rc = rm_error_set(err, RM_E_TYPE,
                          "\"inputs\" is a list of items, or an object with a list for each source");
        rm_error_pointer(err, "/inputs");
    }
    return rc;
}

static int read_manifest(rmi_http_connection *connection, yyjson_val *value, rm_manifest **out, rm_error *err)
{
    size_t length = 0;
    char *text = yyjson_val_write(value, 0, &length);
    if (text == NULL)
        return rmi_out_of_memory(err);
    const int rc = rm_manifest_parse(rmi_service_runtime(rmi_http_service(connection->listener)), text,
                                     length, out, err);
    free(text);
    return rc;
}

/* Reads {"manifest": ..., "inputs": ...}; every other member is refused. */
static int read_members(rmi_http_connection *connection, yyjson_val *root, rm_manifest **manifest,
                        rm_error *err)
{
    run *r = connection->state;
    yyjson_obj_iter members;
    int rc = RM_OK;
    const bool needs = connection->pipeline == SIZE_MAX;
    if (!yyjson_is_obj(root))
        return rm_error_set(err, RM_E_TYPE, "the request is a JSON object: {%s\"inputs\": [...]}",
                            needs ? "\"manifest\": {...}, " : "");
    yyjson_obj_iter_init(root, &members);
    for (yyjson_val *key; rc == RM_OK && (key = yyjson_obj_iter_next(&members)) != NULL;) {
        const char *name = yyjson_get_str(key);
        yyjson_val *value = yyjson_obj_iter_get_val(key);
        if (strcmp(name, "inputs") == 0 && r->inputs.kind == RM_NULL)
            rc = read_inputs(r, value, err);
        else if (needs && strcmp(name, "manifest") == 0 && *manifest == NULL)
            rc = read_manifest(connection, value, manifest, err);
        else
            rc = rm_error_set(err, RM_E_UNKNOWN_FIELD,
                              "'%.100s' is no member of the request, or is there twice", name);
    }
    if (rc == RM_OK && needs && *manifest == NULL)
        rc = rm_error_set(err, RM_E_MISSING_FIELD, "\"manifest\" is missing");
    return rc;
}

static int read_body(rmi_http_connection *connection, rm_manifest **manifest, rm_error *err)
{
    run *r = connection->state;
    rmi_json_document *document = NULL;
    int rc = rmi_json_read(NULL, r->body.data != NULL ? r->body.data : "", r->body.length, "request",
                           &document, err);
    if (rc == RM_OK)
        rc = read_members(connection, rmi_json_root(document), manifest, err);
    rmi_json_document_free(document);
    rmi_text_clear(&r->body);
    const rmi_pipelines *pipelines = rmi_http_options(connection->listener)->pipelines;
    const rm_manifest *runs = connection->pipeline != SIZE_MAX
                                  ? rmi_pipelines_manifest(pipelines, connection->pipeline)
                                  : *manifest;
    return rc == RM_OK ? rm_manifest_check_input(runs, r->inputs, err) : rc;
}

static void complete(rmi_http_connection *connection)
{
    run *r = connection->state;
    rm_manifest *manifest = NULL;
    rm_error err = {0};
    const int rc = read_body(connection, &manifest, &err);
    if (rc == RM_OK)
        (void)!rmi_http_open(connection, manifest, r->inputs.kind == RM_NULL, &client, rmi_http_fail);
    else {
        rm_manifest_free(manifest);
        rmi_http_fail(connection, rc == RM_E_OUT_OF_MEMORY ? 503 : 400, &err);
    }
    rm_error_clear(&err);
}

static void release(rmi_http_connection *connection)
{
    run *r = connection->state;
    if (r == NULL)
        return;
    rmi_text_clear(&r->body);
    rm_value_clear(&r->inputs);
    for (size_t i = 0; i < r->output_count; i++)
        rmi_text_clear(&r->outputs[i]);
    free(r->outputs);
}

const rmi_http_handler rmi_http_run = {
    .state_size = sizeof(run),
    .begin = begin,
    .body = body,
    .complete = complete,
    .free = release,
};
