/* Values as buffers of the protocol. What is allocated here belongs to the message at once, so that a failure in between is
 * freed with the message. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "data/tensor.h"
#include "transport/grpc/messages.h"

bool rmi_copy_bytes(ProtobufCBinaryData *to, const void *data, size_t length)
{
    to->data = length > 0 ? malloc(length) : NULL;
    to->len = to->data != NULL ? length : 0;
    if (to->data != NULL)
        memcpy(to->data, data, length);
    return to->len == length;
}

bool rmi_copy_elements(ProtobufCBinaryData *to, rm_value tensor)
{
    const rm_tensor view = rm_tensor_view(tensor);
    const size_t bytes = rm_tensor_bytes(tensor);
    to->data = bytes > 0 ? malloc(bytes) : NULL;
    to->len = to->data != NULL ? bytes : 0;
    if (to->data != NULL)
        rmi_tensor_copy_elements(&view, to->data);
    return to->len == bytes;
}

/* Makes a message of the given type, initialised; NULL without memory. */
#define NEW(type, init)                \
    type *made = malloc(sizeof *made); \
    if (made != NULL)                  \
    init(made)

static bool set_audio(rmi_data_buffer *buffer, rm_value tensor, const rm_tensor *view)
{
    NEW(Remotemedia__V1__AudioBuffer, remotemedia__v1__audio_buffer__init);
    if (made == NULL)
        return false;
    buffer->data_type_case = REMOTEMEDIA__V1__DATA_BUFFER__DATA_TYPE_AUDIO;
    buffer->audio = made;
    made->sample_rate = (uint32_t)view->media.sample_rate;
    made->channels = view->dimensions > 1 ? (uint32_t)view->shape[1] : 1;
    made->num_samples = (uint64_t)view->shape[0];
    made->format = rmi_audio_format(view->dtype);
    return rmi_copy_elements(&made->samples, tensor);
}

static bool set_array(rmi_data_buffer *buffer, rm_value tensor, const rm_tensor *view)
{
    NEW(Remotemedia__V1__NumpyBuffer, remotemedia__v1__numpy_buffer__init);
    if (made == NULL)
        return false;
    buffer->data_type_case = REMOTEMEDIA__V1__DATA_BUFFER__DATA_TYPE_NUMPY;
    buffer->numpy = made;
    const size_t dimensions = (size_t)view->dimensions;
    made->c_contiguous = true;
    made->f_contiguous = dimensions < 2;
    made->shape = malloc((dimensions + 1) * sizeof *made->shape);
    made->strides = malloc((dimensions + 1) * sizeof *made->strides);
    if (made->shape == NULL || made->strides == NULL ||
        !rmi_set_text(&made->dtype, rm_dtype_name(view->dtype)))
        return false;
    made->n_shape = made->n_strides = dimensions;
    int64_t stride = (int64_t)view->item_size;
    for (size_t i = dimensions; i-- > 0;) {
        made->shape[i] = (uint64_t)view->shape[i];
        made->strides[i] = stride;
        stride *= view->shape[i];
    }
    return rmi_copy_elements(&made->data, tensor);
}

static bool set_text_buffer(rmi_data_buffer *buffer, rm_value value)
{
    NEW(Remotemedia__V1__TextBuffer, remotemedia__v1__text_buffer__init);
    if (made == NULL)
        return false;
    buffer->data_type_case = REMOTEMEDIA__V1__DATA_BUFFER__DATA_TYPE_TEXT;
    buffer->text = made;
    size_t length;
    const char *text = rm_string_text(value, &length);
    return rmi_set_text(&made->encoding, "utf-8") && rmi_copy_bytes(&made->text_data, text, length);
}

static bool set_binary(rmi_data_buffer *buffer, rm_value value)
{
    NEW(Remotemedia__V1__BinaryBuffer, remotemedia__v1__binary_buffer__init);
    if (made == NULL)
        return false;
    buffer->data_type_case = REMOTEMEDIA__V1__DATA_BUFFER__DATA_TYPE_BINARY;
    buffer->binary = made;
    size_t length;
    const uint8_t *data = rm_bytes_data(value, &length);
    return rmi_copy_bytes(&made->data, data, length);
}

static int set_json(rmi_data_buffer *buffer, rm_value value, rm_error *err)
{
    char *text = NULL;
    size_t length = 0;
    const int rc = rm_json_write(NULL, value, 0, &text, &length, NULL, err);
    if (rc != RM_OK)
        return rc;
    NEW(Remotemedia__V1__JsonData, remotemedia__v1__json_data__init);
    if (made != NULL) {
        buffer->data_type_case = REMOTEMEDIA__V1__DATA_BUFFER__DATA_TYPE_JSON;
        buffer->json = made;
    }
    const bool done = made != NULL && rmi_set_text(&made->json_payload, text);
    rm_text_free(NULL, text, length);
    return done ? RM_OK : rmi_out_of_memory(err);
}

static int add_entry(rmi_data_buffer *buffer, const char *key, const char *text, rm_error *err)
{
    NEW(Remotemedia__V1__DataBuffer__MetadataEntry, remotemedia__v1__data_buffer__metadata_entry__init);
    if (made == NULL)
        return rmi_out_of_memory(err);
    buffer->metadata[buffer->n_metadata++] = made;
    return rmi_set_text(&made->key, key) && rmi_set_text(&made->value, text) ? RM_OK : rmi_out_of_memory(err);
}

/* Those that the buffer has a field for stand there. The protocol's metadata are texts: other values go as JSON. */
static int set_metadata(rmi_data_buffer *buffer, rm_value metadata, rm_error *err)
{
    const size_t count = rm_map_length(metadata);
    buffer->metadata = count > 0 ? calloc(count, sizeof *buffer->metadata) : NULL;
    int rc = RM_OK;
    if (count > 0 && buffer->metadata == NULL)
        return rmi_out_of_memory(err);
    for (size_t i = 0; rc == RM_OK && i < count; i++) {
        rm_value key, item;
        (void)rm_map_at(metadata, i, &key, &item);
        char *json = NULL;
        size_t length = 0;
        bool taken = false;
        const char *name = rm_string_text(key, NULL), *text = rm_string_text(item, NULL);
        if (buffer->data_type_case == REMOTEMEDIA__V1__DATA_BUFFER__DATA_TYPE_VIDEO &&
            strcmp(name, "video") == 0)
            continue;
        if (text != NULL)
            rc = rmi_field_set(buffer, name, text, &taken, err);
        else
            rc = rm_json_write(NULL, item, 0, &json, &length, NULL, err);
        if (rc == RM_OK && !taken)
            rc = add_entry(buffer, name, text != NULL ? text : json, err);
        rm_text_free(NULL, json, length);
    }
    return rc;
}

static int set_value(rmi_data_buffer *buffer, rm_value value, rm_error *err)
{
    const rm_tensor view = rm_tensor_view(value);
    bool done;
    if (value.kind == RM_TENSOR && view.media.kind == RM_MEDIA_AUDIO && rmi_audio_format(view.dtype) != 0)
        done = set_audio(buffer, value, &view);
    else if (value.kind == RM_TENSOR && view.dtype != RM_OPAQUE)
        done = set_array(buffer, value, &view);
    else if (value.kind == RM_STRING)
        done = set_text_buffer(buffer, value);
    else if (value.kind == RM_BYTES)
        done = set_binary(buffer, value);
    else
        return set_json(buffer, value, err);
    return done ? RM_OK : rmi_out_of_memory(err);
}

int rmi_buffer_of_packet(const rm_packet *packet, rmi_data_buffer **out, rm_error *err)
{
    NEW(rmi_data_buffer, remotemedia__v1__data_buffer__init);
    *out = NULL;
    if (made == NULL)
        return rmi_out_of_memory(err);
    const rm_value metadata = rm_packet_metadata(packet);
    int rc = rmi_video_of_value(packet->value, metadata, &made->video, err);
    if (rc == RM_OK && made->video != NULL)
        made->data_type_case = REMOTEMEDIA__V1__DATA_BUFFER__DATA_TYPE_VIDEO;
    else if (rc == RM_OK)
        rc = set_value(made, packet->value, err);
    if (rc == RM_OK)
        rc = set_metadata(made, metadata, err);
    if (rc == RM_OK)
        *out = made;
    else
        protobuf_c_message_free_unpacked(&made->base, NULL);
    return rc;
}
