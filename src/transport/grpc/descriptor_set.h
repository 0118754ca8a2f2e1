/* The descriptors of our .proto files, as protoc writes them: a FileDescriptorSet. Made at build time. */
#ifndef TRANSPORT_GRPC_DESCRIPTOR_SET_H
#define TRANSPORT_GRPC_DESCRIPTOR_SET_H

#include <stddef.h>

extern const unsigned char rmi_descriptor_set[];
extern const size_t rmi_descriptor_set_size;

#endif
