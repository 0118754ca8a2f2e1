#include "nodes/audio_file/codec.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "nodes/audio_file/audio_memory.h"
#include "nodes/audio_file/probe.h"

/* Frames that are decoded ahead of the converter. */
enum { AHEAD = 1024 };
/* The length in an MP3 file may or may not count its first frame: how many samples it may be wrong. */
enum { MP3_SLACK = 2 * 1152 };
/* No file has bytes so far. The library goes forward in steps of 2 GiB, and where a size in a header has wrapped around it would
 * take billions of them. */
static const int64_t farthest = INT64_C(1) << 44;

struct rmi_audio_reader {
    rmi_audio_memory memory;
    FILE *file;
    int io_error; /* errno of the first failed read, or 0 */
    rmi_audio_probe probe;
    ma_decoder decoder;
    bool decoding, converting; /* which of the two is initialised */
    int32_t file_channels, file_rate;
    rmi_audio_format format; /* of the output */
    uint64_t length;         /* in frames of the file; 0: the file does not say */
    uint64_t decoded;        /* frames of the file so far */
    bool ended;
    ma_data_converter converter;
    float *ahead; /* AHEAD decoded frames, of which `waiting` from `next` on are not converted yet */
    size_t next, waiting;
    uint64_t converted, skip; /* frames put out; frames of the delay still to skip */
    char path[];
};

static ma_result on_read(ma_decoder *decoder, void *bytes, size_t wanted, size_t *got)
{
    rmi_audio_reader *reader = decoder->pUserData;
    errno = 0;
    const size_t count = fread(bytes, 1, wanted, reader->file);
    if (ferror(reader->file) && reader->io_error == 0)
        reader->io_error = errno != 0 ? errno : EIO;
    *got = count;
    return count != 0 || wanted == 0 ? MA_SUCCESS : MA_AT_END;
}

static ma_result on_seek(ma_decoder *decoder, ma_int64 offset, ma_seek_origin origin)
{
    rmi_audio_reader *reader = decoder->pUserData;
    const int whence = origin == ma_seek_origin_start ? SEEK_SET
                       : origin == ma_seek_origin_end ? SEEK_END
                                                      : SEEK_CUR;
    const bool moved = fseeko(reader->file, (off_t)offset, whence) == 0;
    return moved && ftello(reader->file) <= farthest ? MA_SUCCESS : MA_BAD_SEEK;
}

/* The cause behind a library's code: memory and the disk come before the file's content. */
static int failure(rmi_audio_reader *reader, rm_error *err)
{
    if (reader->memory.exhausted)
        return rm_error_set(err, RM_E_OUT_OF_MEMORY, "out of memory");
    if (reader->io_error != 0)
        return rm_error_set(err, RM_E_IO, "cannot read '%s': %s", reader->path, strerror(reader->io_error));
    return RM_OK;
}

static int open_file(rmi_audio_reader *reader, rm_error *err)
{
    reader->file = fopen(reader->path, "rb");
    if (reader->file != NULL)
        return rmi_audio_probe_file(reader->memory.allocator, reader->file, reader->path, &reader->probe,
                                    err);
    if (errno == ENOENT || errno == ENOTDIR) {
        rm_error_set(err, RM_E_NOT_FOUND, "there is no file '%s'", reader->path);
        if (err != NULL && reader->path[0] != '/')
            rm_error_hint(err, "a relative path starts at the current directory");
        return RM_E_NOT_FOUND;
    }
    return rm_error_set(err, RM_E_IO, "cannot open '%s': %s", reader->path, strerror(errno));
}

/* The decoder itself. The library would put its own converter before it, which maps the channels of a Vorbis
 * file as if they were those of a WAV file. */
static ma_data_source *backend(rmi_audio_reader *reader)
{
    return reader->decoder.pBackend;
}

static int open_decoder(rmi_audio_reader *reader, rm_error *err)
{
    static const ma_encoding_format encodings[] = {
        [RMI_AUDIO_WAV] = ma_encoding_format_wav,
        [RMI_AUDIO_FLAC] = ma_encoding_format_flac,
        [RMI_AUDIO_MP3] = ma_encoding_format_mp3,
        [RMI_AUDIO_OGG] = ma_encoding_format_vorbis,
    };
    static const char *const names[] = {[RMI_AUDIO_WAV] = "WAV",
                                        [RMI_AUDIO_FLAC] = "FLAC",
                                        [RMI_AUDIO_MP3] = "MP3",
                                        [RMI_AUDIO_OGG] = "OGG Vorbis"};
    const rmi_audio_container container = reader->probe.container;
    if (container == RMI_AUDIO_UNKNOWN)
        return rm_error_set(err, RM_E_PARSE, "'%s' is not a WAV, FLAC, MP3 or OGG Vorbis file", reader->path);
    ma_decoder_config config = ma_decoder_config_init(ma_format_f32, 0, 0);
    config.allocationCallbacks = rmi_audio_callbacks(&reader->memory);
    config.encodingFormat = encodings[container];
    if (ma_decoder_init(on_read, on_seek, reader, &config, &reader->decoder) != MA_SUCCESS) {
        const int rc = failure(reader, err);
        if (rc != RM_OK)
            return rc;
        return rm_error_set(err, RM_E_PARSE, "'%s' is not a sound %s file%s%s", reader->path,
                            names[container], reader->probe.missing[0] ? ": " : "", reader->probe.missing);
    }
    reader->decoding = true;
    ma_format sample_format = ma_format_unknown;
    ma_uint32 channels = 0, rate = 0;
    ma_uint64 length = 0;
    ma_data_source_get_data_format(backend(reader), &sample_format, &channels, &rate, NULL, 0);
    if (sample_format != ma_format_f32 || channels == 0 || channels > MA_MAX_CHANNELS || rate == 0 ||
        rate > INT32_MAX)
        return rm_error_set(err, RM_E_PARSE, "'%s' has %u channel(s) at %u Hz", reader->path, channels, rate);
    reader->file_channels = (int32_t)channels;
    reader->file_rate = (int32_t)rate;
    /* The length of others is known only at their end. */
    const bool knows =
        container == RMI_AUDIO_FLAC || (container == RMI_AUDIO_MP3 && reader->probe.knows_length);
    if (knows && ma_data_source_get_length_in_pcm_frames(backend(reader), &length) == MA_SUCCESS)
        reader->length = length;
    return RM_OK;
}

/* The speaker of each channel; NULL where the count does not determine it. Vorbis has an order of its own;
 * all others have that of the WAV file's mask, in which the library numbers them too. */
static const ma_channel *channel_map(int32_t channels, bool vorbis, ma_channel map[8])
{
    enum {
        MONO = MA_CHANNEL_MONO,
        FL = MA_CHANNEL_FRONT_LEFT,
        FR = MA_CHANNEL_FRONT_RIGHT,
        FC = MA_CHANNEL_FRONT_CENTER,
        LF = MA_CHANNEL_LFE,
        BL = MA_CHANNEL_BACK_LEFT,
        BR = MA_CHANNEL_BACK_RIGHT,
        SL = MA_CHANNEL_SIDE_LEFT,
        SR = MA_CHANNEL_SIDE_RIGHT
    };
    static const ma_channel orders[][8] = {
        {0},
        {MONO},
        {FL, FR},
        {FL, FC, FR},
        {FL, FR, BL, BR},
        {FL, FC, FR, BL, BR},
        {FL, FC, FR, BL, BR, LF},
        {0},
        {FL, FC, FR, SL, SR, BL, BR, LF},
    };
    if (channels > 8 || orders[channels][0] == 0)
        return NULL;
    memcpy(map, orders[channels], 8);
    for (int32_t i = 1; i < channels && !vorbis; i++) {
        const ma_channel one = map[i];
        int32_t at = i;
        for (; at > 0 && map[at - 1] > one; at--)
            map[at] = map[at - 1];
        map[at] = one;
    }
    return map;
}

/* The delay of the converter's output in frames: one frame of the file, which the converter holds to
 * interpolate, and the delay of its low-pass filter at low frequencies, 5.126 / pi frames of the lower rate
 * for a Butterworth of order 8. (The library's own function returns the filter's order.) */
static uint64_t delay(const rmi_audio_reader *reader)
{
    const double from = reader->file_rate, to = reader->format.sample_rate, low = from < to ? from : to;
    return from == to ? 0 : (uint64_t)(to * (1.0 / from + 1.6316 / low) + 0.5);
}

static int open_converter(rmi_audio_reader *reader, rm_error *err)
{
    const rmi_audio_format *to = &reader->format;
    const bool vorbis = reader->probe.container == RMI_AUDIO_OGG;
    ma_channel from_map[8], to_map[8];
    const ma_channel *in = channel_map(reader->file_channels, vorbis, from_map);
    const ma_channel *out = channel_map(to->channels, false, to_map);
    const bool reorders = in != NULL && out != NULL && memcmp(in, out, (size_t)reader->file_channels) != 0;
    if (to->channels == reader->file_channels && to->sample_rate == reader->file_rate && !reorders)
        return RM_OK;
    ma_data_converter_config config = ma_data_converter_config_init(
        ma_format_f32, ma_format_f32, (ma_uint32)reader->file_channels, (ma_uint32)to->channels,
        (ma_uint32)reader->file_rate, (ma_uint32)to->sample_rate);
    config.pChannelMapIn = in != NULL ? from_map : NULL;
    config.pChannelMapOut = out != NULL ? to_map : NULL;
    config.resampling.linear.lpfOrder = MA_MAX_FILTER_ORDER;
    const ma_allocation_callbacks callbacks = rmi_audio_callbacks(&reader->memory);
    const ma_result result = ma_data_converter_init(&config, &callbacks, &reader->converter);
    reader->converting = result == MA_SUCCESS;
    if (reader->converting) {
        reader->ahead =
            callbacks.onMalloc(AHEAD * (size_t)reader->file_channels * sizeof(float), &reader->memory);
        reader->skip = delay(reader);
    }
    const int rc = failure(reader, err);
    if (rc != RM_OK || reader->converting)
        return rc;
    return rm_error_set(err, RM_E_VALUE,
                        "cannot convert '%s' from %" PRId32 " Hz, %" PRId32 " channel(s) to %" PRId32
                        " Hz, %" PRId32 " channel(s)",
                        reader->path, reader->file_rate, reader->file_channels, to->sample_rate,
                        to->channels);
}

int rmi_audio_reader_open(const rm_allocator *allocator, const char *path, rmi_audio_format *format,
                          rmi_audio_reader **out, rm_error *err)
{
    const size_t text = strlen(path) + 1;
    *out = NULL;
    rmi_audio_reader *reader = allocator->resize(allocator->context, NULL, 0, sizeof *reader + text);
    if (reader == NULL)
        return rm_error_set(err, RM_E_OUT_OF_MEMORY, "out of memory");
    *reader = (rmi_audio_reader){.memory = {.allocator = allocator}};
    memcpy(reader->path, path, text);
    int rc = open_file(reader, err);
    if (rc == RM_OK)
        rc = open_decoder(reader, err);
    if (rc == RM_OK) {
        reader->format.channels = format->channels ? format->channels : reader->file_channels;
        reader->format.sample_rate = format->sample_rate ? format->sample_rate : reader->file_rate;
        rc = open_converter(reader, err);
    }
    if (rc == RM_OK) {
        *format = reader->format;
        *out = reader;
    } else {
        rmi_audio_reader_close(reader);
    }
    return rc;
}

/* Checks that the file has ended where it should. */
static int check_end(rmi_audio_reader *reader, rm_error *err)
{
    const uint64_t slack = reader->probe.container == RMI_AUDIO_MP3 ? MP3_SLACK : 0;
    const int rc = failure(reader, err);
    if (rc != RM_OK)
        return rc;
    if (reader->probe.missing[0] != 0)
        return rm_error_set(err, RM_E_PARSE, "'%s' is cut off: %s", reader->path, reader->probe.missing);
    if (reader->length > reader->decoded + slack)
        return rm_error_set(err, RM_E_PARSE,
                            "'%s' is damaged or cut off: it has %" PRIu64 " frames, of which %" PRIu64
                            " can be read",
                            reader->path, reader->length, reader->decoded);
    return RM_OK;
}

/* Decodes up to `frames` frames in the file's format; fewer only at its end. */
static size_t decode(rmi_audio_reader *reader, float *samples, size_t frames)
{
    size_t done = 0;
    while (done < frames && !reader->ended) {
        ma_uint64 got = 0;
        float *to = samples + done * (size_t)reader->file_channels;
        const ma_result result = ma_data_source_read_pcm_frames(backend(reader), to, frames - done, &got);
        reader->ended = got == 0 || (result != MA_SUCCESS && result != MA_AT_END);
        done += (size_t)got;
    }
    reader->decoded += done;
    return done;
}

/* Puts out up to `frames` frames in the wanted format. Leaves out the converter's delay at the start and
 * makes up for it with silence at the end, so that the length is right and nothing is shifted. */
static size_t convert(rmi_audio_reader *reader, float *samples, size_t frames)
{
    const uint64_t from = (uint64_t)reader->file_rate, to = (uint64_t)reader->format.sample_rate;
    const size_t channels_in = (size_t)reader->file_channels, channels_out = (size_t)reader->format.channels;
    size_t done = 0;
    while (done < frames) {
        if (reader->waiting == 0) {
            reader->next = 0;
            reader->waiting = decode(reader, reader->ahead, AHEAD);
        }
        if (reader->waiting == 0) { /* the end: push out the frames inside the converter */
            memset(reader->ahead, 0, AHEAD * channels_in * sizeof(float));
            reader->waiting = AHEAD;
        }
        ma_uint64 in = reader->waiting, out = frames - done;
        float *target = samples + done * channels_out;
        ma_data_converter_process_pcm_frames(&reader->converter, reader->ahead + reader->next * channels_in,
                                             &in, target, &out);
        reader->next += (size_t)in;
        reader->waiting -= (size_t)in;
        const size_t skip = (size_t)(reader->skip < out ? reader->skip : out);
        reader->skip -= skip;
        memmove(target, target + skip * channels_out, ((size_t)out - skip) * channels_out * sizeof(float));
        done += (size_t)out - skip;
        reader->converted += out - skip;
        const uint64_t whole =
            (reader->decoded / from) * to + ((reader->decoded % from) * to + from - 1) / from;
        if (reader->ended && reader->converted >= whole) {
            const uint64_t extra = reader->converted - whole;
            done -= extra < done ? (size_t)extra : done;
            reader->converted = whole;
            break;
        }
        if (in == 0 && out == 0)
            break;
    }
    return done;
}

int rmi_audio_reader_read(rmi_audio_reader *reader, float *samples, size_t frames, size_t *got, rm_error *err)
{
    *got = reader->converting ? convert(reader, samples, frames) : decode(reader, samples, frames);
    return *got == 0 ? check_end(reader, err) : RM_OK;
}

void rmi_audio_reader_close(rmi_audio_reader *reader)
{
    if (reader == NULL)
        return;
    const rm_allocator *allocator = reader->memory.allocator;
    const ma_allocation_callbacks callbacks = rmi_audio_callbacks(&reader->memory);
    if (reader->converting)
        ma_data_converter_uninit(&reader->converter, &callbacks);
    callbacks.onFree(reader->ahead, &reader->memory);
    if (reader->decoding)
        ma_decoder_uninit(&reader->decoder);
    if (reader->file != NULL)
        fclose(reader->file);
    allocator->resize(allocator->context, reader, sizeof *reader + strlen(reader->path) + 1, 0);
}
