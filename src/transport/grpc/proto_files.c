#include "transport/grpc/proto_files.h"

#include <string.h>

#include "transport/grpc/descriptor_set.h"

/* The numbers of fields in descriptor.proto. */
enum {
    SET_FILE = 1,
    FILE_NAME = 1,
    FILE_PACKAGE = 2,
    FILE_IMPORT = 3,
    FILE_MESSAGE = 4,
    FILE_ENUM = 5,
    FILE_SERVICE = 6,
    NAME = 1, /* of all of them */
    MESSAGE_FIELD = 2,
    MESSAGE_MESSAGE = 3,
    MESSAGE_ENUM = 4,
    SERVICE_METHOD = 2,
};

/* Reads a number; the set is ours, and whole. */
static uint64_t read_number(rmi_bytes *from)
{
    uint64_t number = 0;
    for (unsigned shift = 0; from->length > 0 && shift < 64; shift += 7) {
        const uint8_t byte = *from->data++;
        from->length--;
        number |= (uint64_t)(byte & 127u) << shift;
        if ((byte & 128u) == 0)
            break;
    }
    return number;
}

/* Moves to the next field with bytes in it; false at the end. */
static bool next_field(rmi_bytes *rest, uint64_t *field, rmi_bytes *content)
{
    while (rest->length > 0) {
        const uint64_t tag = read_number(rest);
        const uint64_t length = (tag & 7u) == 1 ? 8 : (tag & 7u) == 5 ? 4 : read_number(rest);
        if ((tag & 7u) == 0)
            continue;
        if (length > rest->length)
            return false;
        *field = tag >> 3;
        *content = (rmi_bytes){rest->data, (size_t)length};
        rest->data += length;
        rest->length -= (size_t)length;
        return true;
    }
    return false;
}

static void each_of(rmi_bytes message, uint64_t wanted, rmi_each *each, void *context)
{
    rmi_bytes content;
    uint64_t field;
    while (next_field(&message, &field, &content))
        if (field == wanted && !each(context, content))
            return;
}

static bool keep(void *context, rmi_bytes bytes)
{
    *(rmi_bytes *)context = bytes;
    return false;
}

static rmi_bytes first_of(rmi_bytes message, uint64_t wanted)
{
    rmi_bytes found = {NULL, 0};
    each_of(message, wanted, keep, &found);
    return found;
}

void rmi_proto_each_file(rmi_each *each, void *context)
{
    each_of((rmi_bytes){rmi_descriptor_set, rmi_descriptor_set_size}, SET_FILE, each, context);
}

void rmi_proto_each_import(rmi_bytes file, rmi_each *each, void *context)
{
    each_of(file, FILE_IMPORT, each, context);
}

static bool give_name(void *context, rmi_bytes message)
{
    void **pair = context;
    return (*(rmi_each **)pair[0])(pair[1], first_of(message, NAME));
}

void rmi_proto_each_service(rmi_bytes file, rmi_each *each, void *context)
{
    void *pair[] = {&each, context};
    each_of(file, FILE_SERVICE, give_name, pair);
}

rmi_bytes rmi_proto_package(rmi_bytes file)
{
    return first_of(file, FILE_PACKAGE);
}

/* ---- Files by name and by symbol */

typedef struct search {
    const char *name;
    size_t length;
    bool found;
    rmi_bytes file;
} search;

static bool is_named(void *context, rmi_bytes file)
{
    search *s = context;
    const rmi_bytes name = first_of(file, FILE_NAME);
    s->found = name.length == s->length && memcmp(name.data, s->name, s->length) == 0;
    s->file = file;
    return !s->found;
}

rmi_bytes rmi_proto_file(const char *name, size_t length)
{
    search s = {.name = name, .length = length};
    rmi_proto_each_file(is_named, &s);
    return s.found ? s.file : (rmi_bytes){NULL, 0};
}

/* What is left of the symbol behind this part, without the dot; NULL: it does not begin so. */
static const char *behind(const char *symbol, rmi_bytes part)
{
    if (part.length == 0 || strncmp(symbol, (const char *)part.data, part.length) != 0)
        return NULL;
    symbol += part.length;
    return *symbol == '.' ? symbol + 1 : *symbol == '\0' ? symbol : NULL;
}

/* Whether a field or method of that kind has the name. */
static bool has_member(rmi_bytes message, uint64_t kind, const char *name)
{
    rmi_bytes content;
    uint64_t field;
    while (next_field(&message, &field, &content)) {
        const char *rest = field == kind ? behind(name, first_of(content, NAME)) : NULL;
        if (rest != NULL && *rest == '\0')
            return true;
    }
    return false;
}

/* Whether the symbol, relative to the package, or to a message, is defined there; messages nest. */
static bool defines(rmi_bytes scope, bool is_message, const char *symbol)
{
    const uint64_t messages = is_message ? MESSAGE_MESSAGE : FILE_MESSAGE;
    const uint64_t enums = is_message ? MESSAGE_ENUM : FILE_ENUM;
    rmi_bytes content;
    uint64_t field;
    while (next_field(&scope, &field, &content)) {
        if (field != messages && field != enums && (is_message || field != FILE_SERVICE))
            continue;
        const char *rest = behind(symbol, first_of(content, NAME));
        if (rest == NULL)
            continue;
        if (*rest == '\0')
            return true;
        if (field == messages && (has_member(content, MESSAGE_FIELD, rest) || defines(content, true, rest)))
            return true;
        if (!is_message && field == FILE_SERVICE && has_member(content, SERVICE_METHOD, rest))
            return true;
    }
    return false;
}

static bool has_symbol(void *context, rmi_bytes file)
{
    search *s = context;
    const char *rest = behind(s->name, first_of(file, FILE_PACKAGE));
    s->found = rest != NULL && *rest != '\0' && defines(file, false, rest);
    s->file = file;
    return !s->found;
}

rmi_bytes rmi_proto_file_of_symbol(const char *symbol)
{
    search s = {.name = symbol};
    rmi_proto_each_file(has_symbol, &s);
    return s.found ? s.file : (rmi_bytes){NULL, 0};
}
