#include "transport/http/http_session.h"

#include <inttypes.h>
#include <string.h>

static int open_session(rmi_http_connection *connection, rm_manifest *manifest,
                        const rmi_session_options *options, const rmi_client *client, rm_error *err)
{
    rmi_http_exchange *exchange = &connection->exchange;
    rmi_session *session = NULL;
    const int rc = rmi_service_open(rmi_http_service(connection->listener), manifest, options, client,
                                    connection, &session, err);
    if (rc != RM_OK)
        return rc;
    connection->in_session = true;
    if (connection->pipeline != SIZE_MAX)
        rmi_http_rates_begin(rmi_http_rates_of(connection->listener), connection->pipeline);
    pthread_mutex_lock(&exchange->lock);
    exchange->session = session;
    rmi_session_wake(session);
    pthread_mutex_unlock(&exchange->lock);
    rmi_http_count(&rmi_http_counters_of(connection->listener)->sessions, 1);
    return RM_OK;
}

bool rmi_http_open(rmi_http_connection *connection, rm_manifest *manifest, bool generate,
                   const rmi_client *client,
                   void (*refuse)(rmi_http_connection *connection, int status, const rm_error *error))
{
    const rmi_pipelines *pipelines = rmi_http_options(connection->listener)->pipelines;
    const bool own = connection->pipeline != SIZE_MAX;
    const char *header = rmi_http_value(&connection->request, RMI_HTTP_AUTHORIZATION);
    const rmi_session_options options = {
        .generate = generate,
        .own = own,
        .measure = true,
        .identity = rmi_service_identity(rmi_http_service(connection->listener), header,
                                         header != NULL ? strlen(header) : 0),
    };
    rm_error err = {0};
    const int rc =
        open_session(connection, own ? rmi_pipelines_manifest(pipelines, connection->pipeline) : manifest,
                     &options, client, &err);
    if (rc != RM_OK) {
        const bool draining = rmi_service_draining(rmi_http_service(connection->listener));
        refuse(connection, rc != RM_E_LIMIT ? 500 : draining ? 503 : 429, &err);
    }
    rm_error_clear(&err);
    return rc == RM_OK;
}

void rmi_http_progressed(rmi_http_connection *connection, const rm_pipeline *pipeline)
{
    if (connection->pipeline != SIZE_MAX)
        rmi_http_rates_add(rmi_http_rates_of(connection->listener), connection->pipeline,
                           &connection->progress_of, pipeline, false);
}

int rmi_http_give(rmi_http_connection *connection, const rmi_session *session, size_t sink, rm_packet *packet,
                  int (*put)(rmi_http_connection *connection, const char *sink, const rm_packet *packet,
                             rm_error *err),
                  rm_error *err)
{
    rmi_http_exchange *exchange = &connection->exchange;
    int rc = RM_AGAIN;
    pthread_mutex_lock(&exchange->lock);
    const size_t before = exchange->produced.length;
    if (before < RMI_HTTP_MOST_WAITING)
        rc = put(connection, rm_pipeline_sink_id(rmi_session_pipeline(session), sink), packet, err);
    else
        exchange->starved = true;
    if (rc < 0)
        exchange->produced.length = before;
    pthread_mutex_unlock(&exchange->lock);
    if (rc == RM_OK) {
        connection->progress_of.results++;
        rm_packet_clear(packet);
        rmi_http_progressed(connection, rmi_session_pipeline(session));
    }
    if (before == 0)
        rmi_http_post(connection, false);
    return rc;
}

void rmi_http_put_place(rmi_text *text, const char *sink, const rm_packet *packet)
{
    rmi_text_printf(text, "{\"sink\":\"%s\",", sink);
    if (packet->seq >= 0 && packet->seq < RM_SEQ_END)
        rmi_text_printf(text, "\"item\":%" PRId64 ",", packet->seq);
}

void rmi_http_put_counts(rmi_text *text, const rmi_http_connection *connection)
{
    rmi_text_printf(text, ",\"items\":%" PRIu64 ",\"results\":%" PRIu64 "}", connection->progress_of.items,
                    connection->progress_of.results);
}

void rmi_http_session_done(rmi_http_connection *connection, rmi_session *session, int code)
{
    rmi_http_exchange *exchange = &connection->exchange;
    rmi_service *service = rmi_http_service(connection->listener);
    rmi_http_counters *counters = rmi_http_counters_of(connection->listener);
    rmi_http_count(&counters->failures, code != RM_OK);
    rmi_http_count(&counters->items, connection->progress_of.items);
    rmi_http_count(&counters->results, connection->progress_of.results);
    if (connection->pipeline != SIZE_MAX) {
        rmi_http_rates *rates = rmi_http_rates_of(connection->listener);
        rmi_http_rates_add(rates, connection->pipeline, &connection->progress_of,
                           rmi_session_pipeline(session), true);
        rmi_http_rates_end(rates, connection->pipeline, code != RM_OK);
    }
    pthread_mutex_lock(&exchange->lock);
    exchange->session = NULL; /* nobody wakes or cancels it any more */
    exchange->finished = true;
    pthread_mutex_unlock(&exchange->lock);
    rmi_service_close(service, session);
    rmi_http_post(connection, true);
}

int rmi_http_status_of(const rmi_http_connection *connection, const rm_error *error, bool opened)
{
    const bool theirs = connection->pipeline == SIZE_MAX; /* the client's manifest */
    if (error->code == RM_E_TIMEOUT)
        return 504;
    if (error->code == RM_E_OUT_OF_MEMORY)
        return 503;
    if (error->code == RM_E_CANCELLED)
        return 503;
    return !opened && theirs && error->code != RM_E_INTERNAL ? 400 : 500;
}

int rmi_http_next_of(rm_value inputs, size_t *at, size_t *turn, const char **source, rm_value *item)
{
    rm_value key, items;
    if (inputs.kind == RM_LIST) {
        if (*turn >= rm_list_length(inputs))
            return RM_DONE;
        *item = rm_value_retain(rm_list_get(inputs, (*turn)++));
        return RM_OK;
    }
    for (bool any = true; any; *at = 0, (*turn)++) {
        any = false;
        for (size_t i = 0; rm_map_at(inputs, i, &key, &items); i++)
            any |= *turn < rm_list_length(items);
        while (any && rm_map_at(inputs, *at, &key, &items)) {
            (*at)++;
            if (*turn >= rm_list_length(items))
                continue;
            *source = rm_string_text(key, NULL);
            *item = rm_value_retain(rm_list_get(items, *turn));
            return RM_OK;
        }
    }
    return RM_DONE;
}
