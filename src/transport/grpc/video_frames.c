/* Video frames as values. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "data/builder.h"
#include "transport/grpc/messages.h"

typedef Remotemedia__V1__VideoFrame video_frame;

enum { ENCODED = REMOTEMEDIA__V1__PIXEL_FORMAT__PIXEL_FORMAT_ENCODED };
enum { WIDEST = 1 << 20 }; /* pixels */

/* The planes of a frame with half the colours lie below each other: one and a half times its height. */
static const struct pixel_format {
    const char *name;
    uint32_t channels; /* the third dimension; 0: there is none */
    bool half;
} formats[] = {
    [REMOTEMEDIA__V1__PIXEL_FORMAT__PIXEL_FORMAT_RGB24] = {"rgb24", 3, false},
    [REMOTEMEDIA__V1__PIXEL_FORMAT__PIXEL_FORMAT_RGBA32] = {"rgba32", 4, false},
    [REMOTEMEDIA__V1__PIXEL_FORMAT__PIXEL_FORMAT_YUV420P] = {"yuv420p", 0, true},
    [REMOTEMEDIA__V1__PIXEL_FORMAT__PIXEL_FORMAT_GRAY8] = {"gray8", 0, false},
    [REMOTEMEDIA__V1__PIXEL_FORMAT__PIXEL_FORMAT_I420] = {"i420", 0, true},
    [REMOTEMEDIA__V1__PIXEL_FORMAT__PIXEL_FORMAT_NV12] = {"nv12", 0, true},
};
enum { FORMATS = sizeof formats / sizeof *formats };
static const char *const codecs[] = {NULL, "vp8", "h264", "av1"};
enum { CODECS = sizeof codecs / sizeof *codecs };

/* ---- In */

/* The shape of the tensor; its dimensions, or 0 where width and height cannot be. */
static int32_t shape_of(const struct pixel_format *format, uint64_t width, uint64_t height, int64_t shape[3])
{
    if (width < 1 || height < 1 || width > WIDEST || height > WIDEST ||
        (format->half && (width % 2 != 0 || height % 2 != 0)))
        return 0;
    shape[0] = (int64_t)(format->half ? height / 2 * 3 : height);
    shape[1] = (int64_t)width;
    shape[2] = format->channels;
    return format->channels > 0 ? 3 : 2;
}

static int take_pixels(video_frame *frame, rm_value *out, rm_error *err)
{
    const struct pixel_format *format = &formats[frame->format];
    int64_t shape[3] = {0};
    rm_tensor view = {.dtype = RM_UINT8, .shape = shape};
    view.dimensions = shape_of(format, frame->width, frame->height, shape);
    if (view.dimensions == 0)
        return rm_error_set(err, RM_E_VALUE, "video has %" PRIu32 "x%" PRIu32 " pixels, which %s cannot have",
                            frame->width, frame->height, format->name);
    const uint64_t bytes =
        (uint64_t)shape[0] * (uint64_t)shape[1] * (view.dimensions == 3 ? (uint64_t)shape[2] : 1);
    if (bytes != frame->pixel_data.len)
        return rm_error_set(err, RM_E_VALUE,
                            "video.pixel_data has %zu bytes; %" PRIu32 "x%" PRIu32
                            " pixels of %s are %" PRIu64,
                            frame->pixel_data.len, frame->width, frame->height, format->name, bytes);
    return rmi_take_tensor(&frame->pixel_data, &view, out, err);
}

static int take_encoded(const video_frame *frame, rm_value *out, rm_error *err)
{
    if ((size_t)frame->codec == 0 || (size_t)frame->codec >= CODECS)
        return rm_error_set(err, RM_E_VALUE, "video.codec %d of an encoded frame is none of VP8, H264, AV1",
                            (int)frame->codec);
    return rm_bytes_new(NULL, frame->pixel_data.data, frame->pixel_data.len, out, err);
}

/* The metadata {"video": {...}}. */
static int describe(const video_frame *frame, rm_packet *packet, rm_error *err)
{
    rmi_builder b = rmi_builder_start(NULL, err);
    rm_value map = rmi_build_map(&b), video = rmi_build_map(&b), metadata = rm_null();
    const bool encoded = (int)frame->format == ENCODED;
    rmi_build_text(&b, &video, "format", encoded ? "encoded" : formats[frame->format].name);
    rmi_build_put(&b, &video, "width", rm_int(frame->width));
    rmi_build_put(&b, &video, "height", rm_int(frame->height));
    rmi_build_put(&b, &video, "frame_number", rm_int((int64_t)frame->frame_number));
    rmi_build_put(&b, &video, "timestamp_us", rm_int((int64_t)frame->timestamp_us));
    if ((size_t)frame->codec < CODECS && codecs[frame->codec] != NULL)
        rmi_build_text(&b, &video, "codec", codecs[frame->codec]);
    rmi_build_put(&b, &video, "is_keyframe", rm_bool(frame->is_keyframe != 0));
    rmi_build_put(&b, &map, "video", video);
    const int rc = rmi_build_end(&b, &map, &metadata);
    if (rc == RM_OK)
        rm_packet_set_metadata(packet, metadata);
    return rc;
}

int rmi_packet_of_video(video_frame *frame, rm_packet *packet, rm_error *err)
{
    const size_t format = (size_t)frame->format;
    int rc;
    if (format != ENCODED && (format >= FORMATS || formats[format].name == NULL))
        return rm_error_set(err, RM_E_VALUE,
                            "video.format %d is none of RGB24, RGBA32, YUV420P, GRAY8, I420, NV12, ENCODED",
                            (int)frame->format);
    if (frame->codec < 0 || (size_t)frame->codec >= CODECS)
        return rm_error_set(err, RM_E_VALUE, "video.codec %d is none of VP8, H264, AV1", (int)frame->codec);
    if (frame->frame_number > INT64_MAX || frame->timestamp_us > INT64_MAX / 1000)
        return rm_error_set(err, RM_E_VALUE, "video.frame_number or video.timestamp_us is too large");
    rc = describe(frame, packet, err);
    if (rc == RM_OK)
        rc = format == ENCODED ? take_encoded(frame, &packet->value, err)
                               : take_pixels(frame, &packet->value, err);
    if (rc == RM_OK && frame->timestamp_us > 0)
        packet->timestamp = (int64_t)frame->timestamp_us * 1000;
    return rc;
}

/* ---- Out */

static int64_t number(rm_value video, const char *key)
{
    rm_value found = rm_null();
    return rm_map_get(video, key, strlen(key), &found) && found.kind == RM_INT ? found.i : 0;
}

static const char *text(rm_value video, const char *key)
{
    rm_value found = rm_null();
    const char *of = rm_map_get(video, key, strlen(key), &found) ? rm_string_text(found, NULL) : NULL;
    return of != NULL ? of : "";
}

static size_t index_of_format(const char *name)
{
    for (size_t i = 0; i < FORMATS; i++)
        if (formats[i].name != NULL && strcmp(formats[i].name, name) == 0)
            return i;
    return 0;
}

static size_t index_of_codec(const char *name)
{
    for (size_t i = 1; i < CODECS; i++)
        if (strcmp(codecs[i], name) == 0)
            return i;
    return 0;
}

/* Whether the value is a frame in that format; a node may have made something else of it. */
static bool fits(rm_value value, size_t format, int64_t width, int64_t height)
{
    const rm_tensor view = rm_tensor_view(value);
    int64_t shape[3] = {0};
    if (format == ENCODED)
        return value.kind == RM_BYTES;
    if (value.kind != RM_TENSOR || view.dtype != RM_UINT8 || width < 0 || height < 0)
        return false;
    const int32_t dimensions = shape_of(&formats[format], (uint64_t)width, (uint64_t)height, shape);
    bool same = dimensions > 0 && dimensions == view.dimensions;
    for (int32_t i = 0; same && i < dimensions; i++)
        same = view.shape[i] == shape[i];
    return same;
}

int rmi_video_of_value(rm_value value, rm_value metadata, video_frame **out, rm_error *err)
{
    rm_value video = rm_null();
    *out = NULL;
    if (!rm_map_get(metadata, "video", strlen("video"), &video) || video.kind != RM_MAP)
        return RM_OK;
    const char *name = text(video, "format");
    const size_t format = strcmp(name, "encoded") == 0 ? ENCODED : index_of_format(name);
    const int64_t width = number(video, "width"), height = number(video, "height");
    if (format == 0 || !fits(value, format, width, height))
        return RM_OK;
    video_frame *frame = malloc(sizeof *frame);
    if (frame == NULL)
        return rmi_out_of_memory(err);
    remotemedia__v1__video_frame__init(frame);
    frame->format = (Remotemedia__V1__PixelFormat)format;
    frame->width = (uint32_t)width;
    frame->height = (uint32_t)height;
    frame->frame_number = (uint64_t)number(video, "frame_number");
    frame->timestamp_us = (uint64_t)number(video, "timestamp_us");
    frame->codec = (Remotemedia__V1__VideoCodec)index_of_codec(text(video, "codec"));
    rm_value key = rm_null();
    frame->is_keyframe =
        rm_map_get(video, "is_keyframe", strlen("is_keyframe"), &key) && key.kind == RM_BOOL && key.b;
    size_t length = 0;
    const uint8_t *bytes = rm_bytes_data(value, &length);
    if (format == ENCODED ? rmi_copy_bytes(&frame->pixel_data, bytes, length)
                          : rmi_copy_elements(&frame->pixel_data, value)) {
        *out = frame;
        return RM_OK;
    }
    protobuf_c_message_free_unpacked(&frame->base, NULL);
    return rmi_out_of_memory(err);
}
