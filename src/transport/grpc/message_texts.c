/* protobuf-c gives texts as C strings, which would end at a NUL, and does not check that they are UTF-8. */
#include <string.h>

#include "base/text.h"
#include "transport/grpc/messages.h"

enum { VARINT = 0, FIXED64 = 1, DELIMITED = 2, FIXED32 = 5, DEEPEST = 32 };

typedef struct message_reader {
    const uint8_t *at, *end;
} message_reader;

static bool read_varint(message_reader *r, uint64_t *out)
{
    *out = 0;
    for (unsigned shift = 0; r->at < r->end && shift < 64; shift += 7) {
        *out |= (uint64_t)(*r->at & 127u) << shift;
        if ((*r->at++ & 128u) == 0)
            return true;
    }
    return false;
}

static bool is_text(const uint8_t *data, size_t length)
{
    return memchr(data, 0, length) == NULL && rmi_utf8_check((const char *)data, length) == length;
}

static bool check(const ProtobufCMessageDescriptor *type, const uint8_t *data, size_t length, int depth);

static bool check_delimited(const ProtobufCFieldDescriptor *field, const uint8_t *data, size_t length,
                            int depth)
{
    if (field != NULL && field->type == PROTOBUF_C_TYPE_STRING)
        return is_text(data, length);
    if (field != NULL && field->type == PROTOBUF_C_TYPE_MESSAGE)
        return depth < DEEPEST && check(field->descriptor, data, length, depth + 1);
    return true;
}

static bool check(const ProtobufCMessageDescriptor *type, const uint8_t *data, size_t length, int depth)
{
    message_reader r = {data, data + length};
    uint64_t tag, value = 0;
    while (r.at < r.end) {
        if (!read_varint(&r, &tag))
            return false;
        const unsigned wire = tag & 7u;
        const bool sized = wire == DELIMITED;
        if ((wire == VARINT || sized) && !read_varint(&r, &value))
            return false;
        const uint64_t skipped = sized ? value : wire == FIXED64 ? 8 : wire == FIXED32 ? 4 : 0;
        if (wire > DELIMITED && wire != FIXED32)
            return false;
        if (skipped > (uint64_t)(r.end - r.at))
            return false;
        if (sized && !check_delimited(protobuf_c_message_descriptor_get_field(type, (unsigned)(tag >> 3)),
                                      r.at, (size_t)value, depth))
            return false;
        r.at += skipped;
    }
    return true;
}

bool rmi_message_texts_are_good(const ProtobufCMessageDescriptor *type, const uint8_t *data, size_t length)
{
    return check(type, data, length, 0);
}
