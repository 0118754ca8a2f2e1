/* Buffers of the protocol as values. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "data/dtype_names.h"
#include "transport/grpc/messages.h"

/* From here on copying bytes costs more than wrapping their memory. */
enum { WORTH_WRAPPING = 512 };

static const rm_dtype audio_dtypes[] = {
    [REMOTEMEDIA__V1__AUDIO_FORMAT__AUDIO_FORMAT_F32] = RM_FLOAT32,
    [REMOTEMEDIA__V1__AUDIO_FORMAT__AUDIO_FORMAT_I16] = RM_INT16,
    [REMOTEMEDIA__V1__AUDIO_FORMAT__AUDIO_FORMAT_I32] = RM_INT32,
};
static const rm_dtype tensor_dtypes[] = {
    [REMOTEMEDIA__V1__TENSOR_DTYPE__TENSOR_DTYPE_F32] = RM_FLOAT32,
    [REMOTEMEDIA__V1__TENSOR_DTYPE__TENSOR_DTYPE_F16] = RM_FLOAT16,
    [REMOTEMEDIA__V1__TENSOR_DTYPE__TENSOR_DTYPE_I32] = RM_INT32,
    [REMOTEMEDIA__V1__TENSOR_DTYPE__TENSOR_DTYPE_I8] = RM_INT8,
    [REMOTEMEDIA__V1__TENSOR_DTYPE__TENSOR_DTYPE_U8] = RM_UINT8,
};

static int take_metadata(const rmi_data_buffer *buffer, rm_packet *packet, rm_error *err)
{
    rm_value map = rm_packet_metadata(packet); /* of a video frame */
    int rc = RM_OK;
    if (buffer->n_metadata == 0)
        return RM_OK;
    packet->metadata = NULL;
    if (map.kind != RM_MAP)
        rc = rm_map_new(NULL, buffer->n_metadata, &map, err);
    for (size_t i = 0; rc == RM_OK && i < buffer->n_metadata; i++) {
        const Remotemedia__V1__DataBuffer__MetadataEntry *entry = buffer->metadata[i];
        rm_value text = rm_null();
        rc = rm_string_new(NULL, entry->value, strlen(entry->value), &text, err);
        if (rc == RM_OK)
            rc = rm_map_set(&map, entry->key, strlen(entry->key), text, err);
    }
    if (rc == RM_OK)
        rm_packet_set_metadata(packet, rm_value_move(&map));
    rm_value_clear(&map);
    return rc;
}

int rmi_take_tensor(ProtobufCBinaryData *bytes, rm_tensor *view, rm_value *out, rm_error *err)
{
    view->data = bytes->data;
    view->item_size = rm_dtype_size(view->dtype);
    if (bytes->len == 0)
        return rm_tensor_new_like(NULL, view, false, out, err);
    if (bytes->len < WORTH_WRAPPING && view->strides == NULL) {
        const int rc = rm_tensor_new_like(NULL, view, false, out, err);
        if (rc == RM_OK)
            memcpy(rm_tensor_view(*out).data, bytes->data, bytes->len);
        return rc;
    }
    uint8_t *data = bytes->data;
    bytes->data = NULL;
    bytes->len = 0;
    return rm_tensor_wrap(NULL, view, data, free, out, err);
}

/* ---- Audio */

int rmi_packet_of_audio(const rmi_buffer_rules *rules, rmi_audio_buffer *audio, rm_packet *packet,
                        rm_error *err)
{
    const size_t formats = sizeof audio_dtypes / sizeof *audio_dtypes;
    size_t format = (size_t)audio->format;
    if (format == 0) /* unsaid: as most clients mean it */
        format = REMOTEMEDIA__V1__AUDIO_FORMAT__AUDIO_FORMAT_F32;
    if (format >= formats)
        return rm_error_set(err, RM_E_VALUE, "audio.format %d is none of F32, I16, I32", (int)audio->format);
    if (audio->channels < 1 || audio->channels > 255)
        return rm_error_set(err, RM_E_VALUE, "audio.channels must be 1 to 255, not %" PRIu32,
                            audio->channels);
    if (audio->sample_rate < 1 || audio->sample_rate > INT32_MAX)
        return rm_error_set(err, RM_E_VALUE, "audio.sample_rate must be 1 to 2147483647, not %" PRIu32,
                            audio->sample_rate);
    const size_t frame = rm_dtype_size(audio_dtypes[format]) * audio->channels;
    const uint64_t frames = audio->samples.len / frame;
    if (audio->samples.len % frame != 0 || (audio->num_samples != 0 && audio->num_samples != frames))
        return rm_error_set(err, RM_E_VALUE,
                            "audio.samples has %zu bytes: %s, %" PRIu32 " channels and num_samples %" PRIu64
                            " do not make that",
                            audio->samples.len, rm_dtype_name(audio_dtypes[format]), audio->channels,
                            audio->num_samples);
    if (rules->most_samples != 0 && frames * audio->channels > rules->most_samples)
        return rm_error_set(err, RM_E_LIMIT,
                            "an item has %" PRIu64 " audio samples; max_audio_samples is %" PRIu64,
                            frames * audio->channels, rules->most_samples);
    const int64_t shape[] = {(int64_t)frames, audio->channels};
    rm_tensor view = {.dtype = audio_dtypes[format],
                      .dimensions = 2,
                      .shape = shape,
                      .media = {.kind = RM_MEDIA_AUDIO, .sample_rate = (int32_t)audio->sample_rate}};
    return rmi_take_tensor(&audio->samples, &view, &packet->value, err);
}

Remotemedia__V1__AudioFormat rmi_audio_format(rm_dtype dtype)
{
    for (size_t i = 1; i < sizeof audio_dtypes / sizeof *audio_dtypes; i++)
        if (audio_dtypes[i] == dtype)
            return (Remotemedia__V1__AudioFormat)i;
    return REMOTEMEDIA__V1__AUDIO_FORMAT__AUDIO_FORMAT_UNSPECIFIED;
}

/* ---- Tensors */

static int read_shape(const char *field, const uint64_t *sizes, size_t dimensions, int64_t *shape,
                      rm_error *err)
{
    if (dimensions > RM_MAX_DIMENSIONS)
        return rm_error_set(err, RM_E_LIMIT, "%s.shape has %zu dimensions; at most %d are possible", field,
                            dimensions, (int)RM_MAX_DIMENSIONS);
    for (size_t i = 0; i < dimensions; i++) {
        if (sizes[i] > INT64_MAX)
            return rm_error_set(err, RM_E_VALUE, "%s.shape has a size of %" PRIu64, field, sizes[i]);
        shape[i] = (int64_t)sizes[i];
    }
    return RM_OK;
}

/* Checks that `length` bytes are what the shape says. */
static int check_bytes(const char *field, const rm_tensor *view, size_t length, rm_error *err)
{
    size_t bytes = rm_dtype_size(view->dtype);
    bool fits = true, empty = false;
    for (int32_t i = 0; i < view->dimensions; i++)
        empty |= view->shape[i] == 0;
    for (int32_t i = 0; fits && !empty && i < view->dimensions; i++)
        fits = rmi_multiply(bytes, (size_t)view->shape[i], &bytes);
    if (fits && (empty ? 0 : bytes) == length)
        return RM_OK;
    return rm_error_set(err, RM_E_VALUE, "%s.data has %zu bytes, which are not what its shape and dtype say",
                        field, length);
}

static int packet_of_tensor(Remotemedia__V1__TensorBuffer *tensor, rm_packet *packet, rm_error *err)
{
    int64_t shape[RM_MAX_DIMENSIONS] = {0};
    const size_t dtype = (size_t)tensor->dtype;
    if (dtype == 0 || dtype >= sizeof tensor_dtypes / sizeof *tensor_dtypes)
        return rm_error_set(err, RM_E_VALUE, "tensor.dtype %d is none of F32, F16, I32, I8, U8",
                            (int)tensor->dtype);
    int rc = read_shape("tensor", tensor->shape, tensor->n_shape, shape, err);
    if (rc != RM_OK)
        return rc;
    rm_tensor view = {.dtype = tensor_dtypes[dtype], .dimensions = (int32_t)tensor->n_shape, .shape = shape};
    rc = check_bytes("tensor", &view, tensor->data.len, err);
    return rc == RM_OK ? rmi_take_tensor(&tensor->data, &view, &packet->value, err) : rc;
}

/* Strides in bytes, as numpy has them, in elements; *given: they are not those of C order. */
static int read_strides(const Remotemedia__V1__NumpyBuffer *array, const rm_tensor *view, int64_t *strides,
                        bool *given, rm_error *err)
{
    int64_t expected = (int64_t)rm_dtype_size(view->dtype);
    *given = false;
    if (array->n_strides == 0)
        return RM_OK;
    if (array->n_strides != array->n_shape)
        return rm_error_set(err, RM_E_VALUE, "numpy.strides has %zu entries, numpy.shape %zu",
                            array->n_strides, array->n_shape);
    for (size_t i = array->n_shape; i-- > 0;) {
        if (array->strides[i] % (int64_t)rm_dtype_size(view->dtype) != 0)
            return rm_error_set(err, RM_E_VALUE,
                                "numpy.strides has %" PRId64 ", which is no number of elements",
                                array->strides[i]);
        strides[i] = array->strides[i] / (int64_t)rm_dtype_size(view->dtype);
        *given |= array->strides[i] != expected && view->shape[i] > 1;
        if (__builtin_mul_overflow(expected, view->shape[i], &expected))
            return rm_error_set(err, RM_E_LIMIT, "numpy.shape is too large");
    }
    return RM_OK;
}

/* Whether all elements lie inside the bytes: strides that lead backwards or further do not. */
static bool strides_fit(const rm_tensor *view, const int64_t *strides, size_t length)
{
    int64_t last = 0;
    for (int32_t i = 0; i < view->dimensions; i++) {
        int64_t span;
        if (view->shape[i] == 0)
            return true;
        if (strides[i] < 0 || __builtin_mul_overflow(strides[i], view->shape[i] - 1, &span) ||
            __builtin_add_overflow(last, span, &last))
            return false;
    }
    return (uint64_t)last < length / rm_dtype_size(view->dtype);
}

static int packet_of_numpy(Remotemedia__V1__NumpyBuffer *array, rm_packet *packet, rm_error *err)
{
    int64_t shape[RM_MAX_DIMENSIONS] = {0}, strides[RM_MAX_DIMENSIONS];
    rmi_element element;
    bool strided = false;
    int rc = rmi_element_read(array->dtype, &element, err);
    if (rc == RM_OK && element.dtype == RM_OPAQUE)
        rc = rm_error_set(err, RM_E_UNSUPPORTED,
                          "numpy.dtype '%s' cannot be sent; numbers of this machine's byte order can",
                          array->dtype);
    if (rc == RM_OK)
        rc = read_shape("numpy", array->shape, array->n_shape, shape, err);
    rm_tensor view = {.dtype = element.dtype, .dimensions = (int32_t)array->n_shape, .shape = shape};
    if (rc == RM_OK)
        rc = read_strides(array, &view, strides, &strided, err);
    if (rc == RM_OK && !strided)
        rc = check_bytes("numpy", &view, array->data.len, err);
    else if (rc == RM_OK && !strides_fit(&view, strides, array->data.len))
        rc = rm_error_set(err, RM_E_VALUE, "numpy.strides lead outside of numpy.data");
    view.strides = strided ? strides : NULL;
    return rc == RM_OK ? rmi_take_tensor(&array->data, &view, &packet->value, err) : rc;
}

/* ---- Text, JSON, bytes */

static int packet_of_text(const Remotemedia__V1__TextBuffer *text, rm_packet *packet, rm_error *err)
{
    const char *encoding = text->encoding;
    if (encoding[0] != '\0' && strcasecmp(encoding, "utf-8") != 0 && strcasecmp(encoding, "utf8") != 0)
        return rm_error_set(err, RM_E_UNSUPPORTED, "text.encoding '%s' is not supported; send utf-8",
                            encoding);
    return rm_string_new(NULL, (const char *)text->text_data.data, text->text_data.len, &packet->value, err);
}

static int packet_of_binary(const Remotemedia__V1__BinaryBuffer *binary, rm_packet *packet, rm_error *err)
{
    return binary->data.len > 0 ? rm_bytes_new(NULL, binary->data.data, binary->data.len, &packet->value, err)
                                : rm_bytes_new(NULL, NULL, 0, &packet->value, err);
}

int rmi_packet_of_buffer(const rmi_buffer_rules *rules, rmi_data_buffer *buffer, rm_packet *packet,
                         rm_error *err)
{
    int rc;
    *packet = rm_packet_of(rm_null());
    switch (buffer->data_type_case) {
    case REMOTEMEDIA__V1__DATA_BUFFER__DATA_TYPE_AUDIO:
        rc = rmi_packet_of_audio(rules, buffer->audio, packet, err);
        break;
    case REMOTEMEDIA__V1__DATA_BUFFER__DATA_TYPE_TENSOR:
        rc = packet_of_tensor(buffer->tensor, packet, err);
        break;
    case REMOTEMEDIA__V1__DATA_BUFFER__DATA_TYPE_NUMPY:
        rc = packet_of_numpy(buffer->numpy, packet, err);
        break;
    case REMOTEMEDIA__V1__DATA_BUFFER__DATA_TYPE_JSON:
        rc = rm_json_parse(NULL, buffer->json->json_payload, strlen(buffer->json->json_payload), 0,
                           &packet->value, err);
        break;
    case REMOTEMEDIA__V1__DATA_BUFFER__DATA_TYPE_TEXT:
        rc = packet_of_text(buffer->text, packet, err);
        break;
    case REMOTEMEDIA__V1__DATA_BUFFER__DATA_TYPE_BINARY:
        rc = packet_of_binary(buffer->binary, packet, err);
        break;
    case REMOTEMEDIA__V1__DATA_BUFFER__DATA_TYPE_VIDEO:
        rc = rmi_packet_of_video(buffer->video, packet, err);
        break;
    case REMOTEMEDIA__V1__DATA_BUFFER__DATA_TYPE_FILE:
        rc = rmi_packet_of_file(rules, buffer->file, packet, err);
        break;
    case REMOTEMEDIA__V1__DATA_BUFFER__DATA_TYPE_CONTROL:
        return rm_error_set(err, RM_E_UNSUPPORTED, "this version takes no control messages as data");
    default:
        return rm_error_set(
            err, RM_E_VALUE,
            "a buffer has no data: set one of audio, video, tensor, numpy, json, text, binary, file");
    }
    if (rc == RM_OK)
        rc = take_metadata(buffer, packet, err);
    if (rc == RM_OK)
        rc = rmi_fields_into(buffer, packet, err);
    if (rc != RM_OK)
        rm_packet_clear(packet);
    return rc;
}
