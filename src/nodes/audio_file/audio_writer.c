#include "nodes/audio_file/codec.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "nodes/audio_file/audio_memory.h"

/* Frames are converted to the file's format in pieces of this many bytes. */
enum { PIECE = 12288 };
/* The largest count of a RIFF header, less room for the header. */
#define WAV_BYTES_MAX (UINT32_MAX - 4096u)

struct rmi_audio_writer {
    rmi_audio_memory memory;
    FILE *file;
    int io_error; /* errno of the first failed write, or 0 */
    rmi_audio_encoding encoding;
    size_t channels, sample_size;
    uint64_t bytes; /* of samples */
    ma_encoder encoder;
    bool encoding_started;
    uint8_t piece[PIECE];
    char path[];
};

/* Keeps a failure instead of returning it: the library would give up without releasing its memory. */
static ma_result on_write(ma_encoder *encoder, const void *bytes, size_t count, size_t *written)
{
    rmi_audio_writer *writer = encoder->pUserData;
    errno = 0;
    if (writer->io_error == 0 && fwrite(bytes, 1, count, writer->file) != count)
        writer->io_error = errno != 0 ? errno : EIO;
    *written = count;
    return MA_SUCCESS;
}

static ma_result on_seek(ma_encoder *encoder, ma_int64 offset, ma_seek_origin origin)
{
    rmi_audio_writer *writer = encoder->pUserData;
    errno = 0;
    const int whence = origin == ma_seek_origin_start ? SEEK_SET : SEEK_CUR;
    if (writer->io_error == 0 && fseeko(writer->file, (off_t)offset, whence) != 0)
        writer->io_error = errno != 0 ? errno : EIO;
    return MA_SUCCESS;
}

static int failure(const rmi_audio_writer *writer, rm_error *err)
{
    if (writer->memory.exhausted)
        return rm_error_set(err, RM_E_OUT_OF_MEMORY, "out of memory");
    if (writer->io_error != 0)
        return rm_error_set(err, RM_E_IO, "cannot write '%s': %s", writer->path, strerror(writer->io_error));
    return RM_OK;
}

static int start(rmi_audio_writer *writer, const rmi_audio_format *format, rm_error *err)
{
    static const ma_format formats[] = {[RMI_AUDIO_PCM16] = ma_format_s16,
                                        [RMI_AUDIO_PCM24] = ma_format_s24,
                                        [RMI_AUDIO_FLOAT32] = ma_format_f32};
    static const size_t sizes[] = {[RMI_AUDIO_PCM16] = 2, [RMI_AUDIO_PCM24] = 3, [RMI_AUDIO_FLOAT32] = 4};
    writer->sample_size = sizes[writer->encoding];
    if (writer->channels > MA_MAX_CHANNELS)
        return rm_error_set(err, RM_E_LIMIT, "a WAV file of %zu channels; the limit is %d", writer->channels,
                            MA_MAX_CHANNELS);
    writer->file = fopen(writer->path, "wb");
    if (writer->file == NULL)
        return rm_error_set(err, errno == ENOENT || errno == ENOTDIR ? RM_E_NOT_FOUND : RM_E_IO,
                            "cannot create '%s': %s", writer->path, strerror(errno));
    ma_encoder_config config =
        ma_encoder_config_init(ma_encoding_format_wav, formats[writer->encoding], (ma_uint32)format->channels,
                               (ma_uint32)format->sample_rate);
    config.allocationCallbacks = rmi_audio_callbacks(&writer->memory);
    const ma_result result = ma_encoder_init(on_write, on_seek, writer, &config, &writer->encoder);
    writer->encoding_started = result == MA_SUCCESS;
    const int rc = failure(writer, err);
    if (rc == RM_OK && !writer->encoding_started)
        return rm_error_set(err, RM_E_VALUE,
                            "a WAV file cannot have %" PRId32 " Hz and %" PRId32 " channel(s)",
                            format->sample_rate, format->channels);
    return rc;
}

/* Closes the file and frees the writer; returns the first failure of all. */
static int end(rmi_audio_writer *writer, rm_error *err)
{
    const rm_allocator *allocator = writer->memory.allocator;
    if (writer->encoding_started)
        ma_encoder_uninit(&writer->encoder); /* writes the lengths into the header */
    errno = 0;
    if (writer->file != NULL && fclose(writer->file) != 0 && writer->io_error == 0)
        writer->io_error = errno != 0 ? errno : EIO;
    const int rc = failure(writer, err);
    allocator->resize(allocator->context, writer, sizeof *writer + strlen(writer->path) + 1, 0);
    return rc;
}

int rmi_audio_writer_open(const rm_allocator *allocator, const char *path, rmi_audio_encoding encoding,
                          const rmi_audio_format *format, rmi_audio_writer **out, rm_error *err)
{
    const size_t text = strlen(path) + 1;
    *out = NULL;
    rmi_audio_writer *writer = allocator->resize(allocator->context, NULL, 0, sizeof *writer + text);
    if (writer == NULL)
        return rm_error_set(err, RM_E_OUT_OF_MEMORY, "out of memory");
    *writer = (rmi_audio_writer){
        .memory = {.allocator = allocator}, .encoding = encoding, .channels = (size_t)format->channels};
    memcpy(writer->path, path, text);
    const int rc = start(writer, format, err);
    if (rc == RM_OK)
        *out = writer;
    else
        (void)end(writer, NULL); /* `err` has the first failure */
    return rc;
}

/* A sample as an integer whose full scale is 2^(bits-1): the nearest, and clipped. */
static int32_t quantise(float sample, int bits)
{
    const double scale = (double)(1 << (bits - 1)), exact = nearbyint((double)sample * scale);
    if (isnan(exact))
        return 0;
    return (int32_t)(exact > scale - 1.0 ? scale - 1.0 : exact < -scale ? -scale : exact);
}

/* Puts `count` samples into `piece` in the file's format, little-endian. */
static void encode(rmi_audio_writer *writer, const float *samples, size_t count)
{
    const int bits = (int)writer->sample_size * 8;
    uint8_t *to = writer->piece;
    if (writer->encoding == RMI_AUDIO_FLOAT32)
        memcpy(to, samples, count * sizeof *samples); /* every supported host is little-endian */
    else
        for (size_t i = 0; i < count; i++) {
            const uint32_t sample = (uint32_t)quantise(samples[i], bits);
            for (int shift = 0; shift < bits; shift += 8)
                *to++ = (uint8_t)(sample >> shift);
        }
}

int rmi_audio_writer_write(rmi_audio_writer *writer, const float *samples, size_t frames, rm_error *err)
{
    const size_t frame_size = writer->channels * writer->sample_size, most = PIECE / frame_size;
    if (frames > (WAV_BYTES_MAX - writer->bytes) / frame_size)
        return rm_error_set(err, RM_E_LIMIT, "'%s' would be larger than the 4 GiB that a WAV file can have",
                            writer->path);
    writer->bytes += (uint64_t)frames * frame_size;
    for (size_t done = 0; done < frames && writer->io_error == 0;) {
        const size_t count = frames - done < most ? frames - done : most;
        encode(writer, samples + done * writer->channels, count * writer->channels);
        ma_encoder_write_pcm_frames(&writer->encoder, writer->piece, count, NULL);
        done += count;
    }
    return failure(writer, err);
}

int rmi_audio_writer_close(rmi_audio_writer *writer, rm_error *err)
{
    return writer != NULL ? end(writer, err) : RM_OK;
}
