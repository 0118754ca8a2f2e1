/* Looks into the descriptors of our .proto files. */
#ifndef TRANSPORT_GRPC_PROTO_FILES_H
#define TRANSPORT_GRPC_PROTO_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the set; borrowed for ever. */
typedef struct rmi_bytes {
    const uint8_t *data;
    size_t length;
} rmi_bytes;

/* Each of these calls `each` until it returns false. */
typedef bool rmi_each(void *context, rmi_bytes bytes);
/* The files, each a FileDescriptorProto. */
void rmi_proto_each_file(rmi_each *each, void *context);
/* The names of the files that a file imports. */
void rmi_proto_each_import(rmi_bytes file, rmi_each *each, void *context);
/* The names of a file's services, without its package. */
void rmi_proto_each_service(rmi_bytes file, rmi_each *each, void *context);

/* An empty `data` where there is none. */
rmi_bytes rmi_proto_package(rmi_bytes file);
rmi_bytes rmi_proto_file(const char *name, size_t length);
/* The file that defines a message, an enum, a service, or a method or field of one. */
rmi_bytes rmi_proto_file_of_symbol(const char *symbol);

#endif
