#include "nodes/audio_file/ogg/ogg_codec.h"
#include "nodes/audio_file/vorbis/vorbis.h"

static int failure(const rmi_audio_input *input, int rc, const char *reason, rm_error *err)
{
    if (rc == RM_E_OUT_OF_MEMORY)
        return rm_error_set(err, rc, "out of memory");
    if (rc == RM_E_LIMIT)
        return rm_error_set(err, rc, "'%s' is no sensible Vorbis file: %s", rmi_audio_input_name(input),
                            reason);
    return rmi_audio_damaged(input, err, "is not a sound Vorbis file: %s", reason);
}

static int vorbis_open(const rmi_audio_input *input, const uint8_t *packet, size_t length, void **state,
                       rmi_ogg_format *format, rm_error *err)
{
    const char *reason = "";
    rmi_vorbis *vorbis = NULL;
    const int rc = rmi_vorbis_open(rmi_audio_input_allocator(input), packet, length, &vorbis,
                                   &format->channels, &format->sample_rate, &reason);
    *state = vorbis;
    if (rc != RM_OK)
        return failure(input, rc, reason, err);
    rmi_ogg_order_channels(format, true);
    return RM_OK;
}

static int vorbis_setup(const rmi_audio_input *input, void *state, const uint8_t *packet, size_t length,
                        rm_error *err)
{
    const char *reason = "";
    const int rc = rmi_vorbis_setup(state, packet, length, &reason);
    return rc == RM_OK ? rc : failure(input, rc, reason, err);
}

static size_t vorbis_measure(void *state, const uint8_t *packet, size_t length)
{
    return rmi_vorbis_measure(state, packet, length);
}

static bool vorbis_decode(void *state, const rmi_ogg_format *format, const uint8_t *packet, size_t length,
                          float *samples, size_t *frames)
{
    *frames = rmi_vorbis_decode(state, packet, length, format->places, samples);
    return true; /* a packet that ends early has zeros there (4.3) */
}

static void vorbis_reset(void *state)
{
    rmi_vorbis_reset(state);
}

static void vorbis_close(void *state)
{
    rmi_vorbis_close(state);
}

const rmi_ogg_codec rmi_ogg_vorbis = {.headers = 3,
                                      .comment = "\3vorbis",
                                      .most_frames = RMI_VORBIS_FRAMES,
                                      .open = vorbis_open,
                                      .setup = vorbis_setup,
                                      .measure = vorbis_measure,
                                      .decode = vorbis_decode,
                                      .reset = vorbis_reset,
                                      .close = vorbis_close};
