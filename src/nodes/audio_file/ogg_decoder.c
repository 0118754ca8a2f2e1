/* Ogg, by the library's decoder. */
#include "nodes/audio_file/audio_decoder.h"

#include <string.h>

#include "nodes/audio_file/audio_memory.h"

typedef struct library_decoder {
    rmi_audio_decoder base;
    rmi_audio_memory memory;
    ma_decoder decoder;
} library_decoder;

static ma_result on_read(ma_decoder *decoder, void *bytes, size_t wanted, size_t *got)
{
    library_decoder *d = decoder->pUserData;
    *got = rmi_audio_input_read(d->base.input, bytes, wanted);
    return *got != 0 || wanted == 0 ? MA_SUCCESS : MA_AT_END;
}

static ma_result on_seek(ma_decoder *decoder, ma_int64 offset, ma_seek_origin origin)
{
    rmi_audio_input *input = ((library_decoder *)decoder->pUserData)->base.input;
    uint64_t from = 0;
    if (origin == ma_seek_origin_current)
        from = rmi_audio_input_position(input);
    else if (origin == ma_seek_origin_end)
        from = rmi_audio_input_size(input);
    return rmi_audio_input_seek(input, from + (uint64_t)offset) ? MA_SUCCESS : MA_BAD_SEEK;
}

static bool ogg_recognises(const uint8_t *head, size_t length)
{
    return length >= 4 && memcmp(head, "OggS", 4) == 0;
}

static void ogg_close(rmi_audio_decoder *decoder)
{
    library_decoder *d = (library_decoder *)decoder;
    ma_decoder_uninit(&d->decoder);
    rmi_audio_decoder_delete(decoder, sizeof *d);
}

static int ogg_open(rmi_audio_input *input, rmi_audio_decoder **out, rm_error *err)
{
    library_decoder *d = rmi_audio_decoder_new(&rmi_audio_ogg, sizeof *d, input);
    ma_uint32 channels = 0, rate = 0;
    *out = NULL;
    if (d == NULL)
        return rm_error_set(err, RM_E_OUT_OF_MEMORY, "out of memory");
    d->memory.allocator = rmi_audio_input_allocator(input);
    ma_decoder_config config = ma_decoder_config_init(ma_format_f32, 0, 0);
    config.allocationCallbacks = rmi_audio_callbacks(&d->memory);
    config.encodingFormat = ma_encoding_format_vorbis;
    if (ma_decoder_init(on_read, on_seek, d, &config, &d->decoder) != MA_SUCCESS) {
        rmi_audio_decoder_delete(&d->base, sizeof *d);
        return rmi_audio_damaged(input, err, "is not a sound OGG Vorbis file");
    }
    ma_data_source_get_data_format(d->decoder.pBackend, NULL, &channels, &rate, NULL, 0);
    d->base.channels = (int32_t)channels;
    d->base.sample_rate = (int32_t)rate;
    *out = &d->base;
    return RM_OK;
}

static int ogg_read(rmi_audio_decoder *decoder, float *samples, size_t frames, size_t *got, rm_error *err)
{
    ma_uint64 count = 0;
    (void)err;
    (void)ma_data_source_read_pcm_frames(((library_decoder *)decoder)->decoder.pBackend, samples, frames,
                                         &count);
    *got = (size_t)count;
    return RM_OK;
}

const rmi_audio_decoder_type rmi_audio_ogg = {
    .name = "Ogg", .recognises = ogg_recognises, .open = ogg_open, .read = ogg_read, .close = ogg_close};
