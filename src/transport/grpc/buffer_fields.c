#include <stddef.h>
#include <string.h>

#include "base/alloc.h"
#include "transport/grpc/messages.h"

static const struct field {
    Remotemedia__V1__DataBuffer__DataTypeCase of;
    size_t offset; /* of the text in that message */
    const char *message, *key;
} fields[] = {
    {REMOTEMEDIA__V1__DATA_BUFFER__DATA_TYPE_TENSOR, offsetof(Remotemedia__V1__TensorBuffer, layout),
     "tensor", "layout"},
    {REMOTEMEDIA__V1__DATA_BUFFER__DATA_TYPE_JSON, offsetof(Remotemedia__V1__JsonData, schema_type), "json",
     "schema_type"},
    {REMOTEMEDIA__V1__DATA_BUFFER__DATA_TYPE_TEXT, offsetof(Remotemedia__V1__TextBuffer, language), "text",
     "language"},
    {REMOTEMEDIA__V1__DATA_BUFFER__DATA_TYPE_TEXT, offsetof(Remotemedia__V1__TextBuffer, channel), "text",
     "channel"},
    {REMOTEMEDIA__V1__DATA_BUFFER__DATA_TYPE_BINARY, offsetof(Remotemedia__V1__BinaryBuffer, mime_type),
     "binary", "mime_type"},
    {REMOTEMEDIA__V1__DATA_BUFFER__DATA_TYPE_FILE, offsetof(Remotemedia__V1__FileBuffer, mime_type), "file",
     "mime_type"},
    {REMOTEMEDIA__V1__DATA_BUFFER__DATA_TYPE_FILE, offsetof(Remotemedia__V1__FileBuffer, filename), "file",
     "filename"},
};
enum { FIELDS = sizeof fields / sizeof *fields };

/* The members of the message's oneof are pointers in one place. */
static char **text_of(const rmi_data_buffer *buffer, const struct field *field)
{
    return (char **)((char *)buffer->text + field->offset);
}

static int set_entry(rm_packet *packet, const struct field *field, const char *text, rm_error *err)
{
    rm_value map = rm_packet_metadata(packet), given = rm_null(), copy = rm_null();
    packet->metadata = NULL;
    int rc = map.kind == RM_MAP ? RM_OK : rm_map_new(NULL, 1, &map, err);
    const size_t length = strlen(field->key);
    if (rc == RM_OK && rm_map_get(map, field->key, length, &given)) {
        const char *other = rm_string_text(given, NULL);
        if (other == NULL || strcmp(other, text) != 0)
            rc = rm_error_set(err, RM_E_VALUE, "%s.%s and metadata['%s'] differ", field->message, field->key,
                              field->key);
    }
    if (rc == RM_OK)
        rc = rm_string_new(NULL, text, strlen(text), &copy, err);
    if (rc == RM_OK)
        rc = rm_map_set(&map, field->key, length, copy, err);
    if (rc == RM_OK)
        rm_packet_set_metadata(packet, rm_value_move(&map));
    rm_value_clear(&map);
    return rc;
}

int rmi_fields_into(const rmi_data_buffer *buffer, rm_packet *packet, rm_error *err)
{
    int rc = RM_OK;
    for (size_t i = 0; rc == RM_OK && i < FIELDS; i++) {
        const char *text = fields[i].of == buffer->data_type_case ? *text_of(buffer, &fields[i]) : "";
        if (text[0] != '\0')
            rc = set_entry(packet, &fields[i], text, err);
    }
    return rc;
}

int rmi_field_set(rmi_data_buffer *buffer, const char *key, const char *text, bool *taken, rm_error *err)
{
    *taken = false;
    for (size_t i = 0; i < FIELDS && !*taken; i++) {
        *taken = fields[i].of == buffer->data_type_case && strcmp(fields[i].key, key) == 0;
        if (*taken && !rmi_set_text(text_of(buffer, &fields[i]), text))
            return rmi_out_of_memory(err);
    }
    return RM_OK;
}
