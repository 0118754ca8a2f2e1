#include "nodes/audio_file/audio_converter.h"

#include <inttypes.h>
#include <string.h>

#include "nodes/audio_file/audio_memory.h"

/* Frames of silence that push out the end. */
enum { SILENCE = 256 };

struct rmi_audio_converter {
    rmi_audio_memory memory;
    rmi_audio_format from, to;
    ma_data_converter converter;
    bool opened;
    uint64_t taken, given, skip; /* frames; `skip`: of the delay still to leave out */
    float *silence;
};

/* The places of a layout's channels, in the mask's order; NULL where a channel has none. */
static const ma_channel *channel_map(const rmi_audio_format *format, ma_channel *map)
{
    int32_t count = 0;
    if (format->channels == 1) {
        map[0] = MA_CHANNEL_MONO;
        return map;
    }
    for (unsigned bit = 0; bit < 18 && count < format->channels; bit++)
        if ((format->channel_layout >> bit & 1) != 0)
            map[count++] = (ma_channel)(MA_CHANNEL_FRONT_LEFT + bit);
    return count == format->channels ? map : NULL;
}

/* The delay of the library's output in frames: one frame of the file, which it holds to interpolate, and the
 * delay of its low-pass filter at low frequencies, 5.126 / pi frames of the lower rate for a Butterworth of
 * order 8. (The library's own function returns the filter's order.) */
static uint64_t delay(const rmi_audio_converter *c)
{
    const double from = c->from.sample_rate, to = c->to.sample_rate, low = from < to ? from : to;
    return from == to ? 0 : (uint64_t)(to * (1.0 / from + 1.6316 / low) + 0.5);
}

static int start(rmi_audio_converter *c, rm_error *err)
{
    ma_channel from_map[MA_MAX_CHANNELS], to_map[MA_MAX_CHANNELS];
    const ma_channel *in = channel_map(&c->from, from_map), *out = channel_map(&c->to, to_map);
    ma_data_converter_config config = ma_data_converter_config_init(
        ma_format_f32, ma_format_f32, (ma_uint32)c->from.channels, (ma_uint32)c->to.channels,
        (ma_uint32)c->from.sample_rate, (ma_uint32)c->to.sample_rate);
    config.pChannelMapIn = in != NULL ? from_map : NULL;
    config.pChannelMapOut = out != NULL ? to_map : NULL;
    config.resampling.linear.lpfOrder = MA_MAX_FILTER_ORDER;
    const ma_allocation_callbacks callbacks = rmi_audio_callbacks(&c->memory);
    c->opened = ma_data_converter_init(&config, &callbacks, &c->converter) == MA_SUCCESS;
    const size_t size = SILENCE * (size_t)c->from.channels * sizeof *c->silence;
    if (c->opened)
        c->silence = callbacks.onMalloc(size, &c->memory);
    if (c->memory.exhausted)
        return rm_error_set(err, RM_E_OUT_OF_MEMORY, "out of memory");
    if (!c->opened)
        return rm_error_set(err, RM_E_VALUE,
                            "cannot convert from %" PRId32 " Hz, %" PRId32 " channel(s) to %" PRId32
                            " Hz, %" PRId32 " channel(s)",
                            c->from.sample_rate, c->from.channels, c->to.sample_rate, c->to.channels);
    memset(c->silence, 0, size);
    c->skip = delay(c);
    return RM_OK;
}

int rmi_audio_converter_open(const rm_allocator *allocator, const rmi_audio_format *from,
                             const rmi_audio_format *to, rmi_audio_converter **out, rm_error *err)
{
    rmi_audio_converter *c = allocator->resize(allocator->context, NULL, 0, sizeof *c);
    *out = NULL;
    if (c == NULL)
        return rm_error_set(err, RM_E_OUT_OF_MEMORY, "out of memory");
    *c = (rmi_audio_converter){.memory = {.allocator = allocator}, .from = *from, .to = *to};
    const int rc = start(c, err);
    if (rc == RM_OK)
        *out = c;
    else
        rmi_audio_converter_close(c);
    return rc;
}

int rmi_audio_converter_process(rmi_audio_converter *c, const float *in, size_t *in_frames, float *out,
                                size_t *out_frames, rm_error *err)
{
    const uint64_t from = (uint64_t)c->from.sample_rate, to = (uint64_t)c->to.sample_rate;
    const uint64_t whole = (c->taken / from) * to + ((c->taken % from) * to + from - 1) / from;
    const size_t channels = (size_t)c->to.channels, room = *out_frames;
    size_t done = 0, taken = 0;
    (void)err;
    while (done < room) {
        ma_uint64 got_in = in != NULL ? *in_frames - taken : SILENCE, got = room - done;
        const float *samples = in != NULL ? in + taken * (size_t)c->from.channels : c->silence;
        if ((in != NULL && got_in == 0) || (in == NULL && c->given >= whole))
            break;
        ma_data_converter_process_pcm_frames(&c->converter, samples, &got_in, out + done * channels, &got);
        taken += in != NULL ? (size_t)got_in : 0;
        const size_t skip = (size_t)(c->skip < got ? c->skip : got);
        c->skip -= skip;
        memmove(out + done * channels, out + (done + skip) * channels,
                ((size_t)got - skip) * channels * sizeof *out);
        size_t fresh = (size_t)got - skip;
        if (in == NULL && fresh > whole - c->given)
            fresh = (size_t)(whole - c->given);
        done += fresh;
        c->given += fresh;
        if (got_in == 0 && got == 0)
            break;
    }
    c->taken += taken;
    *in_frames = taken;
    *out_frames = done;
    return RM_OK;
}

void rmi_audio_converter_close(rmi_audio_converter *c)
{
    if (c == NULL)
        return;
    const rm_allocator *allocator = c->memory.allocator;
    const ma_allocation_callbacks callbacks = rmi_audio_callbacks(&c->memory);
    if (c->opened)
        ma_data_converter_uninit(&c->converter, &callbacks);
    callbacks.onFree(c->silence, &c->memory);
    allocator->resize(allocator->context, c, sizeof *c, 0);
}
