/* Messages as the bytes that C-core carries, for both sides of a call. */
#ifndef TRANSPORT_GRPC_BYTE_BUFFERS_H
#define TRANSPORT_GRPC_BYTE_BUFFERS_H

#include <grpc/grpc.h>
#include <protobuf-c/protobuf-c.h>

/* Owned: grpc_byte_buffer_destroy. */
grpc_byte_buffer *rmi_pack_message(const ProtobufCMessage *message);

/* Reads bytes as a message of a type; owned: protobuf_c_message_free_unpacked. NULL: they are none, or a text in it is no UTF-8
 * or has a NUL. */
ProtobufCMessage *rmi_unpack_message(grpc_byte_buffer *bytes, const ProtobufCMessageDescriptor *type);

#endif
