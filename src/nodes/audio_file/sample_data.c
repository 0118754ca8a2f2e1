#include "nodes/audio_file/sample_data.h"

#include <inttypes.h>
#include <string.h>

/* The bytes that the header promises from here on. */
static uint64_t left_of(const rmi_sample_data *data)
{
    return data->promised == RMI_AUDIO_UNKNOWN ? RMI_AUDIO_UNKNOWN : data->promised - data->taken;
}

/* The whole frames that can be had at once, up to `wanted`; *bytes is where they are. */
static size_t whole_frames(rmi_sample_data *data, rmi_audio_input *input, size_t wanted,
                           const uint8_t **bytes)
{
    const uint64_t left = left_of(data);
    if (left / data->frame_size < wanted)
        wanted = (size_t)(left / data->frame_size);
    const size_t there = wanted == 0 ? 0 : rmi_audio_input_peek(input, data->frame_size, bytes);
    return there / data->frame_size < wanted ? there / data->frame_size : wanted;
}

int rmi_sample_data_end(const rmi_sample_data *data, const rmi_audio_input *input, rm_error *err)
{
    uint64_t there = data->taken;
    const size_t least =
        data->pcm.kind == RMI_PCM_NONE ? 1 : data->frame_size; /* a part of a frame is nothing */
    if (data->promised == RMI_AUDIO_UNKNOWN || data->promised - data->taken < least)
        return RM_OK;
    const uint64_t rest = rmi_audio_input_left(input);
    if (rest != RMI_AUDIO_UNKNOWN)
        there += rest;
    return rmi_audio_damaged(input, err,
                             "is cut off: its header promises %" PRIu64 " bytes of samples, it has %" PRIu64,
                             data->promised, there);
}

/* Decodes the next block; *got is 0 at the end. The last block may be short. */
static int next_block(rmi_sample_data *data, rmi_audio_input *input, rm_error *err)
{
    rmi_adpcm *adpcm = &data->adpcm;
    const uint8_t *block = NULL;
    const uint64_t left = left_of(data);
    size_t size = left < adpcm->block_size ? (size_t)left : adpcm->block_size;
    const size_t there = size == 0 ? 0 : rmi_audio_input_peek(input, size, &block);
    size = there < size ? there : size;
    if (size != 0 && !rmi_adpcm_decode(adpcm, block, size))
        return rmi_audio_damaged(input, err, "is damaged: no block of ADPCM begins at byte %" PRIu64,
                                 rmi_audio_input_position(input));
    rmi_audio_input_take(input, size);
    data->taken += size;
    return RM_OK;
}

static int read_adpcm(rmi_sample_data *data, const rmi_audio_decoder *decoder, float *samples, size_t frames,
                      size_t *got, rm_error *err)
{
    rmi_adpcm *adpcm = &data->adpcm;
    const size_t channels = adpcm->channels;
    if (frames > data->frames_left)
        frames = (size_t)data->frames_left;
    if (adpcm->waiting == 0 && frames != 0) {
        const int rc = next_block(data, decoder->input, err);
        if (rc != RM_OK)
            return rc;
    }
    *got = adpcm->waiting < frames ? adpcm->waiting : frames;
    memcpy(samples, adpcm->ready + adpcm->next * channels, *got * channels * sizeof *samples);
    adpcm->next += *got;
    adpcm->waiting -= *got;
    if (data->frames_left != RMI_AUDIO_UNKNOWN)
        data->frames_left -= *got;
    return *got != 0 || data->frames_left == 0 ? RM_OK : rmi_sample_data_end(data, decoder->input, err);
}

int rmi_sample_data_read(rmi_sample_data *data, const rmi_audio_decoder *decoder, float *samples,
                         size_t frames, size_t *got, rm_error *err)
{
    const size_t channels = (size_t)decoder->channels;
    const uint8_t *bytes = NULL;
    *got = 0;
    if (data->pcm.kind == RMI_PCM_NONE)
        return read_adpcm(data, decoder, samples, frames, got, err);
    *got = whole_frames(data, decoder->input, frames, &bytes);
    if (*got == 0)
        return rmi_sample_data_end(data, decoder->input, err);
    rmi_pcm_decode(&data->pcm, bytes, *got * channels, samples);
    rmi_audio_input_take(decoder->input, *got * data->frame_size);
    data->taken += *got * data->frame_size;
    return RM_OK;
}
