#include "remotemedia/node.h"

#include <inttypes.h>

int64_t rm_frames_to_ns(int64_t frames, int32_t sample_rate)
{
    if (sample_rate <= 0)
        return 0;
    const int64_t second = 1000000000, seconds = frames / sample_rate, rest = frames % sample_rate;
    int64_t whole, part = rest * second, ns;
    /* C rounds towards zero; a negative rest must round down too. */
    part = part / sample_rate - (part % sample_rate < 0);
    if (__builtin_mul_overflow(seconds, second, &whole) || __builtin_add_overflow(whole, part, &ns))
        return frames < 0 ? INT64_MIN + 1 : INT64_MAX;
    return ns;
}

/* The usual places of the speakers of `channels` channels, in the order of the mask's bits; 0 if there are
 * none. */
static uint64_t usual_layout(int32_t channels)
{
    const uint64_t stereo = RM_CHANNEL_FRONT_LEFT | RM_CHANNEL_FRONT_RIGHT;
    const uint64_t back = RM_CHANNEL_BACK_LEFT | RM_CHANNEL_BACK_RIGHT;
    const uint64_t side = RM_CHANNEL_SIDE_LEFT | RM_CHANNEL_SIDE_RIGHT;
    const uint64_t layouts[] = {
        0,
        RM_CHANNEL_FRONT_CENTER,
        stereo,
        stereo | RM_CHANNEL_FRONT_CENTER,
        stereo | back,
        stereo | RM_CHANNEL_FRONT_CENTER | back,
        stereo | RM_CHANNEL_FRONT_CENTER | RM_CHANNEL_LFE | back,
        0, /* 6.1 needs a back centre, which has no name here */
        stereo | RM_CHANNEL_FRONT_CENTER | RM_CHANNEL_LFE | back | side,
    };
    const size_t known = sizeof layouts / sizeof *layouts;
    return (size_t)channels < known ? layouts[channels] : 0;
}

int rm_samples_of(rm_value value, rm_samples *out, rm_error *err)
{
    *out = (rm_samples){0};
    if (value.kind != RM_TENSOR)
        return rm_error_set(err, RM_E_TYPE, "expected audio, got %s", rm_kind_name((rm_kind)value.kind));
    const rm_tensor view = rm_tensor_view(value);
    if (view.media.kind != RM_MEDIA_AUDIO)
        return rm_error_set(err, RM_E_TYPE, "expected audio, got a %s tensor without a sample rate",
                            rm_dtype_name(view.dtype));
    if (view.dimensions != 2 || view.shape[1] < 1 || view.shape[1] > INT32_MAX)
        return rm_error_set(err, RM_E_TYPE, "audio has the shape (frames, channels), got %d dimensions%s",
                            view.dimensions, view.dimensions == 2 ? " without channels" : "");
    if (view.media.sample_rate < 1)
        return rm_error_set(err, RM_E_TYPE, "audio has a sample rate of %" PRId32 " Hz",
                            view.media.sample_rate);
    if (!rm_tensor_is_contiguous(value)) {
        (void)rm_error_set(err, RM_E_TYPE, "audio must be C-contiguous");
        rm_error_hint(err, "in Python numpy.ascontiguousarray(x) makes an array C-contiguous");
        return RM_E_TYPE;
    }
    const size_t frames = (size_t)view.shape[0], channels = (size_t)view.shape[1];
    *out = (rm_samples){.dtype = view.dtype,
                        .channels = (int32_t)channels,
                        .sample_rate = view.media.sample_rate,
                        .channel_layout = view.media.channel_layout,
                        .frames = frames,
                        .count = frames * channels,
                        .data = view.data};
    return RM_OK;
}

int rm_samples_make_unique(const rm_allocator *allocator, rm_value *value, rm_samples *out, rm_error *err)
{
    rm_value dense = rm_null();
    *out = (rm_samples){0};
    if (value->kind != RM_TENSOR)
        return rm_samples_of(*value, out, err);
    int rc = rm_tensor_contiguous(allocator, *value, &dense, err);
    if (rc != RM_OK)
        return rc;
    rm_value_clear(value);
    *value = dense;
    rc = rm_value_make_unique(allocator, value, err);
    return rc == RM_OK ? rm_samples_of(*value, out, err) : rc;
}

int rm_samples_new(const rm_allocator *allocator, size_t frames, int32_t channels, int32_t sample_rate,
                   uint64_t channel_layout, rm_value *value, rm_samples *out, rm_error *err)
{
    *value = rm_null();
    *out = (rm_samples){0};
    if (channels < 1 || sample_rate < 1)
        return rm_error_set(err, RM_E_USAGE, "audio of %" PRId32 " channels at %" PRId32 " Hz", channels,
                            sample_rate);
    const uint64_t count = frames;
    if (count > INT64_MAX)
        return rm_error_set(err, RM_E_LIMIT, "audio of %zu frames is too long", frames);
    const int64_t shape[] = {(int64_t)count, channels};
    const rm_media media = {.kind = RM_MEDIA_AUDIO,
                            .sample_rate = sample_rate,
                            .channel_layout = channel_layout ? channel_layout : usual_layout(channels)};
    int rc = rm_tensor_new(allocator, RM_FLOAT32, 2, shape, value, err);
    if (rc == RM_OK)
        rc = rm_tensor_set_media(value, media, err);
    if (rc == RM_OK)
        rc = rm_samples_of(*value, out, err);
    if (rc != RM_OK)
        rm_value_clear(value);
    return rc;
}
