#include <stdlib.h>
#include <string.h>

#include "data/builder.h"
#include "transport/grpc/messages.h"

static Remotemedia__V1__ErrorType type_of(const rm_error *failure, bool validating)
{
    switch (failure->code) {
    case RM_E_OUT_OF_MEMORY:
    case RM_E_LIMIT:
    case RM_E_TIMEOUT:
        return REMOTEMEDIA__V1__ERROR_TYPE__ERROR_TYPE_RESOURCE_LIMIT;
    case RM_E_INTERNAL:
        return REMOTEMEDIA__V1__ERROR_TYPE__ERROR_TYPE_INTERNAL;
    case RM_E_TYPE:
        return validating ? REMOTEMEDIA__V1__ERROR_TYPE__ERROR_TYPE_VALIDATION
                          : REMOTEMEDIA__V1__ERROR_TYPE__ERROR_TYPE_TYPE_VALIDATION;
    default:
        return validating ? REMOTEMEDIA__V1__ERROR_TYPE__ERROR_TYPE_VALIDATION
                          : REMOTEMEDIA__V1__ERROR_TYPE__ERROR_TYPE_NODE_EXECUTION;
    }
}

/* The whole failure as an error document, with the sequence of the chunk. *text is owned. */
static int context_text(const rm_error *failure, int64_t sequence, char **text, size_t *length)
{
    rm_value document = rm_null();
    int rc = rm_error_to_value(NULL, failure, &document, NULL);
    if (rc == RM_OK && sequence >= 0)
        rc = rm_map_set(&document, "sequence", strlen("sequence"), rm_int(sequence), NULL);
    if (rc == RM_OK)
        rc = rm_json_write(NULL, document, 0, text, length, NULL, NULL);
    rm_value_clear(&document);
    return rc;
}

rmi_error_response *rmi_error_message(const rm_error *failure, bool validating, int64_t sequence)
{
    rmi_error_response *message = malloc(sizeof *message);
    char *context = NULL;
    size_t length = 0;
    if (message == NULL)
        return NULL;
    remotemedia__v1__error_response__init(message);
    message->error_type = type_of(failure, validating);
    const char *trace = rm_string_text(failure->detail, NULL);
    bool done = context_text(failure, sequence, &context, &length) == RM_OK &&
                rmi_set_text(&message->context, context) &&
                rmi_set_text(&message->message, failure->message) &&
                rmi_set_text(&message->failing_node_id, failure->node) &&
                (trace == NULL || rmi_set_text(&message->stack_trace, trace));
    rm_text_free(NULL, context, length);
    if (!done) {
        protobuf_c_message_free_unpacked(&message->base, NULL);
        message = NULL;
    }
    return message;
}
