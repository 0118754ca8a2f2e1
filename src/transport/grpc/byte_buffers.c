#include "transport/grpc/byte_buffers.h"

#include <grpc/byte_buffer_reader.h>

#include "transport/grpc/messages.h"

grpc_byte_buffer *rmi_pack_message(const ProtobufCMessage *message)
{
    grpc_slice bytes = grpc_slice_malloc(protobuf_c_message_get_packed_size(message));
    protobuf_c_message_pack(message, GRPC_SLICE_START_PTR(bytes));
    grpc_byte_buffer *buffer = grpc_raw_byte_buffer_create(&bytes, 1);
    grpc_slice_unref(bytes);
    return buffer;
}

ProtobufCMessage *rmi_unpack_message(grpc_byte_buffer *bytes, const ProtobufCMessageDescriptor *type)
{
    grpc_byte_buffer_reader reader;
    if (!grpc_byte_buffer_reader_init(&reader, bytes))
        return NULL;
    grpc_slice whole = grpc_byte_buffer_reader_readall(&reader);
    const uint8_t *data = GRPC_SLICE_START_PTR(whole);
    const size_t length = GRPC_SLICE_LENGTH(whole);
    ProtobufCMessage *message = rmi_message_texts_are_good(type, data, length)
                                    ? protobuf_c_message_unpack(type, NULL, length, data)
                                    : NULL;
    grpc_slice_unref(whole);
    grpc_byte_buffer_reader_destroy(&reader);
    return message;
}
