/* grpc.reflection.v1 and v1alpha, whose messages are the same: which services there are, and the files that define them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grpc/reflection/v1/reflection.pb-c.h"
#include "transport/grpc/grpc_listener.h"
#include "transport/grpc/proto_files.h"

typedef Grpc__Reflection__V1__ServerReflectionRequest reflection_request;
typedef Grpc__Reflection__V1__ServerReflectionResponse reflection_response;
typedef Grpc__Reflection__V1__FileDescriptorResponse files_response;
typedef Grpc__Reflection__V1__ServiceResponse service_response;

enum { MOST_FILES = 16, MOST_SERVICES = 16, LONGEST_NAME = 128 };

/* An answer, in the room that it needs. */
typedef struct reply {
    reflection_response response;
    Grpc__Reflection__V1__ErrorResponse error;
    Grpc__Reflection__V1__ExtensionNumberResponse numbers;
    files_response files;
    ProtobufCBinaryData file[MOST_FILES];
    Grpc__Reflection__V1__ListServiceResponse list;
    service_response services[MOST_SERVICES], *service[MOST_SERVICES];
    char names[MOST_SERVICES][LONGEST_NAME];
    rmi_bytes package; /* of the file whose services are being listed */
} reply;

static void refuse(reply *r, grpc_status_code code, const char *text)
{
    grpc__reflection__v1__error_response__init(&r->error);
    r->error.error_code = (int32_t)code;
    r->error.error_message = (char *)text;
    r->response.message_response_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_ERROR_RESPONSE;
    r->response.error_response = &r->error;
}

/* ---- Services */

static bool add_service(void *context, rmi_bytes name)
{
    reply *r = context;
    const size_t at = r->list.n_service;
    if (at == MOST_SERVICES)
        return false;
    grpc__reflection__v1__service_response__init(&r->services[at]);
    (void)snprintf(r->names[at], LONGEST_NAME, "%.*s.%.*s", (int)r->package.length,
                   (const char *)r->package.data, (int)name.length, (const char *)name.data);
    r->services[at].name = r->names[at];
    r->service[at] = &r->services[at];
    r->list.n_service++;
    return true;
}

static bool add_services(void *context, rmi_bytes file)
{
    reply *r = context;
    r->package = rmi_proto_package(file);
    rmi_proto_each_service(file, add_service, r);
    return true;
}

static void list_services(reply *r)
{
    grpc__reflection__v1__list_service_response__init(&r->list);
    r->list.service = r->service;
    rmi_proto_each_file(add_services, r);
    r->response.message_response_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_LIST_SERVICES_RESPONSE;
    r->response.list_services_response = &r->list;
}

/* ---- Files */

static bool add_import(void *context, rmi_bytes name);

/* A file comes before those that it imports, each once. */
static void add_file(reply *r, rmi_bytes file)
{
    for (size_t i = 0; i < r->files.n_file_descriptor_proto; i++)
        if (r->file[i].data == file.data)
            return;
    if (file.data == NULL || r->files.n_file_descriptor_proto == MOST_FILES)
        return;
    r->file[r->files.n_file_descriptor_proto++] = (ProtobufCBinaryData){file.length, (uint8_t *)file.data};
    rmi_proto_each_import(file, add_import, r);
}

static bool add_import(void *context, rmi_bytes name)
{
    add_file(context, rmi_proto_file((const char *)name.data, name.length));
    return true;
}

static void give_file(reply *r, rmi_bytes file)
{
    if (file.data == NULL) {
        refuse(r, GRPC_STATUS_NOT_FOUND, "there is no such file or symbol");
        return;
    }
    grpc__reflection__v1__file_descriptor_response__init(&r->files);
    r->files.file_descriptor_proto = r->file;
    add_file(r, file);
    r->response.message_response_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_FILE_DESCRIPTOR_RESPONSE;
    r->response.file_descriptor_response = &r->files;
}

/* Our messages have no extensions. */
static void give_numbers(reply *r, char *type)
{
    if (rmi_proto_file_of_symbol(type).data == NULL) {
        refuse(r, GRPC_STATUS_NOT_FOUND, "there is no such file or symbol");
        return;
    }
    grpc__reflection__v1__extension_number_response__init(&r->numbers);
    r->numbers.base_type_name = type;
    r->response.message_response_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_ALL_EXTENSION_NUMBERS_RESPONSE;
    r->response.all_extension_numbers_response = &r->numbers;
}

/* ---- The call */

static void answer(reply *r, reflection_request *request)
{
    grpc__reflection__v1__server_reflection_response__init(&r->response);
    r->response.valid_host = request->host;
    r->response.original_request = request;
    switch (request->message_request_case) {
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_LIST_SERVICES:
        list_services(r);
        return;
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_BY_FILENAME:
        give_file(r, rmi_proto_file(request->file_by_filename, strlen(request->file_by_filename)));
        return;
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_CONTAINING_SYMBOL:
        give_file(r, rmi_proto_file_of_symbol(request->file_containing_symbol));
        return;
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_ALL_EXTENSION_NUMBERS_OF_TYPE:
        give_numbers(r, request->all_extension_numbers_of_type);
        return;
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_CONTAINING_EXTENSION:
        refuse(r, GRPC_STATUS_NOT_FOUND, "there are no extensions");
        return;
    default:
        refuse(r, GRPC_STATUS_INVALID_ARGUMENT, "the request asks for nothing that is known");
    }
}

static void received(rmi_grpc_call *call)
{
    if (call->message == NULL) {
        rmi_grpc_finish(call, GRPC_STATUS_OK, NULL, NULL);
        return;
    }
    reply *r = calloc(1, sizeof *r);
    ProtobufCMessage *request =
        r != NULL ? rmi_grpc_request(call, &grpc__reflection__v1__server_reflection_request__descriptor)
                  : NULL;
    if (r == NULL)
        rmi_grpc_finish(call, GRPC_STATUS_RESOURCE_EXHAUSTED, "out of memory", NULL);
    if (request != NULL) {
        answer(r, (reflection_request *)request);
        rmi_grpc_send(call, &r->response.base);
        protobuf_c_message_free_unpacked(request, NULL);
    }
    free(r);
}

static void sent(rmi_grpc_call *call, bool ok)
{
    if (ok)
        rmi_grpc_read(call);
    else
        rmi_grpc_finish(call, GRPC_STATUS_CANCELLED, NULL, NULL);
}

const rmi_grpc_method rmi_grpc_reflection = {
    .path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    .begin = rmi_grpc_read,
    .received = received,
    .sent = sent,
};

const rmi_grpc_method rmi_grpc_reflection_alpha = {
    .path = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    .begin = rmi_grpc_read,
    .received = received,
    .sent = sent,
};
