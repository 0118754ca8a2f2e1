#include "transport/http/http_session.h"

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
