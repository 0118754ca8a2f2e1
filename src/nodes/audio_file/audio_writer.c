#include "nodes/audio_file/codec.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nodes/audio_file/wav_tags.h"
#include "nodes/open_file.h"

/* Frames are converted to the file's format in pieces of this many bytes. */
enum { PIECE = 48 * 1024, HEADER_MAX = 80, PART = 1024 };
/* The largest count of a RIFF header, less room for the header. */
#define WAV_BYTES_MAX (UINT32_MAX - 4096u)

struct rmi_audio_writer {
    const rm_allocator *allocator;
    rm_node *node; /* may be NULL */
    rmi_open_file file;
    bool seeks;     /* the header can be completed */
    int io_error;   /* errno of the first failed write, or 0 */
    bool cancelled; /* that write was told to stop */
    rmi_audio_encoding encoding;
    rmi_quantiser quantiser;
    rmi_audio_format format;
    size_t sample_size;
    uint64_t bytes; /* of samples */
    size_t length;  /* bytes of `piece` that are to be written */
    uint8_t piece[PIECE];
    char path[];
};

/* ---- The header */

static uint8_t *put(uint8_t *at, size_t size, uint32_t value)
{
    for (size_t i = 0; i < size; i++)
        *at++ = (uint8_t)(value >> 8 * i);
    return at;
}

static uint8_t *put_text(uint8_t *at, const char *text)
{
    memcpy(at, text, 4);
    return at + 4;
}

/* The mask of the places that stand in the order of the channels; 0 where they are not known. */
static uint32_t mask_of(const rmi_audio_format *format)
{
    const uint64_t layout = format->channel_layout;
    return layout <= 0x3ffff && __builtin_popcountll(layout) == format->channels ? (uint32_t)layout : 0;
}

/* Mono and stereo of 16 bits are plain; what other formats leave open, WAVE_FORMAT_EXTENSIBLE says. */
static bool is_extensible(const rmi_audio_writer *writer)
{
    const uint32_t mask = mask_of(&writer->format);
    const int32_t channels = writer->format.channels;
    const bool usual =
        (channels == 1 && (mask == 0x4 || mask == 0)) || (channels == 2 && (mask == 0x3 || mask == 0));
    return !usual || writer->encoding == RMI_AUDIO_PCM24;
}

/* Makes the header of `bytes` bytes of samples; returns its size. UINT32_MAX: their number is not known. */
static size_t make_header(const rmi_audio_writer *writer, uint32_t bytes, uint8_t *out)
{
    static const uint8_t guid_tail[14] = {0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x80,
                                          0x00, 0x00, 0xaa, 0x00, 0x38, 0x9b, 0x71};
    const uint32_t channels = (uint32_t)writer->format.channels, rate = (uint32_t)writer->format.sample_rate;
    const uint32_t size = (uint32_t)writer->sample_size, frame = channels * size;
    const bool is_float = writer->encoding == RMI_AUDIO_FLOAT32, extensible = is_extensible(writer);
    const uint32_t tag = is_float ? RMI_WAV_FLOAT : RMI_WAV_PCM;
    const bool unknown = bytes == UINT32_MAX;
    uint8_t *at = put_text(out, "RIFF");
    at = put_text(put(at, 4, 0), "WAVE");
    at = put(put_text(at, "fmt "), 4, extensible ? 40 : is_float ? 18 : 16);
    at = put(put(put(at, 2, extensible ? RMI_WAV_EXTENSIBLE : tag), 2, channels), 4, rate);
    at = put(put(put(at, 4, rate * frame), 2, frame), 2, size * 8);
    if (extensible) {
        at = put(put(put(put(at, 2, 22), 2, size * 8), 4, mask_of(&writer->format)), 2, tag);
        memcpy(at, guid_tail, sizeof guid_tail);
        at += sizeof guid_tail;
    } else if (is_float) {
        at = put(at, 2, 0);
    }
    if (is_float)
        at = put(put(put_text(at, "fact"), 4, 4), 4, unknown ? UINT32_MAX : bytes / frame);
    at = put(put_text(at, "data"), 4, bytes);
    (void)put(out + 4, 4, unknown ? UINT32_MAX : (uint32_t)(at - out - 8) + bytes + (bytes & 1));
    return (size_t)(at - out);
}

/* ---- Writing */

static void write_all(rmi_audio_writer *writer, const uint8_t *bytes, size_t size)
{
    while (size > 0 && writer->io_error == 0) {
        size_t wrote = 0;
        const int rc = rmi_file_write(writer->node, &writer->file, bytes, size, &wrote, NULL);
        writer->cancelled = rc == RM_E_CANCELLED;
        if (rc != RM_OK)
            writer->io_error = rc == RM_E_IO ? errno : EINTR;
        bytes += wrote;
        size -= wrote;
    }
}

static void write_piece(rmi_audio_writer *writer)
{
    write_all(writer, writer->piece, writer->length);
    writer->length = 0;
}

static int failure(const rmi_audio_writer *writer, rm_error *err)
{
    if (writer->io_error == 0)
        return RM_OK;
    if (writer->cancelled)
        return rm_node_cancel_error(writer->node, err);
    return rmi_file_not_written(writer->path, writer->io_error, err);
}

/* Whether the header can be completed at the end: not in a pipe, and not behind what standard output's file holds
 * already. */
static bool can_seek(const rmi_open_file *file)
{
    struct stat status;
    if (fstat(file->descriptor, &status) != 0 || !S_ISREG(status.st_mode))
        return false;
    return file->owned ||
           (lseek(file->descriptor, 0, SEEK_CUR) == 0 && (fcntl(file->descriptor, F_GETFL) & O_APPEND) == 0);
}

static int start(rmi_audio_writer *writer, rm_error *err)
{
    static const size_t sizes[] = {[RMI_AUDIO_PCM16] = 2, [RMI_AUDIO_PCM24] = 3, [RMI_AUDIO_FLOAT32] = 4};
    const rmi_audio_format *format = &writer->format;
    writer->sample_size = sizes[writer->encoding];
    const uint64_t rate = (uint64_t)format->sample_rate * (uint64_t)format->channels * writer->sample_size;
    if (format->channels > RMI_AUDIO_MOST_CHANNELS)
        return rm_error_set(err, RM_E_LIMIT, "a WAV file of %" PRId32 " channels; the limit is %d",
                            format->channels, RMI_AUDIO_MOST_CHANNELS);
    if (format->channels <= 0 || format->sample_rate <= 0 || rate > UINT32_MAX)
        return rm_error_set(err, RM_E_VALUE,
                            "a WAV file cannot have %" PRId32 " Hz and %" PRId32 " channel(s)",
                            format->sample_rate, format->channels);
    const int rc = rmi_file_open_to_write(writer->node, writer->path, O_TRUNC, &writer->file, err);
    if (rc != RM_OK)
        return rc;
    writer->seeks = can_seek(&writer->file);
    writer->length = make_header(writer, UINT32_MAX, writer->piece); /* the process may not reach the end */
    return RM_OK;
}

/* Puts the true sizes in front, where the first header is. Not with lseek and write: after lseek some hosts of WASI still
 * write at the end. */
static void complete_header(rmi_audio_writer *writer)
{
    uint8_t header[HEADER_MAX];
    const size_t size = make_header(writer, (uint32_t)writer->bytes, header);
    size_t done = 0;
    while (done < size && writer->io_error == 0) {
        const ssize_t wrote = pwrite(writer->file.descriptor, header + done, size - done, (off_t)done);
        if (wrote > 0)
            done += (size_t)wrote;
        else if (wrote == 0 || errno != EINTR)
            writer->io_error = wrote == 0 ? EIO : errno;
    }
}

/* Closes the file and frees the writer; returns the first failure of all. */
static int end(rmi_audio_writer *writer, rm_error *err)
{
    const rm_allocator *allocator = writer->allocator;
    if (writer->file.descriptor >= 0) {
        if (writer->bytes % 2 != 0)
            writer->piece[writer->length++] = 0; /* there is room: see `rmi_audio_writer_write` */
        write_piece(writer);
        if (writer->seeks)
            complete_header(writer);
        if (rmi_file_close(&writer->file) != 0 && writer->io_error == 0)
            writer->io_error = errno;
    }
    const int rc = failure(writer, err);
    allocator->resize(allocator->context, writer, sizeof *writer + strlen(writer->path) + 1, 0);
    return rc;
}

int rmi_audio_writer_open(const rm_allocator *allocator, rm_node *node, const char *path,
                          rmi_audio_encoding encoding, const rmi_audio_format *format, rmi_audio_writer **out,
                          rm_error *err)
{
    const size_t text = strlen(path) + 1;
    *out = NULL;
    rmi_audio_writer *writer = allocator->resize(allocator->context, NULL, 0, sizeof *writer + text);
    if (writer == NULL)
        return rm_error_set(err, RM_E_OUT_OF_MEMORY, "out of memory");
    memset(writer, 0, sizeof *writer);
    writer->allocator = allocator;
    writer->node = node;
    writer->file.descriptor = -1;
    writer->encoding = encoding;
    writer->format = *format;
    memcpy(writer->path, path, text);
    const int rc = start(writer, err);
    if (rc == RM_OK)
        *out = writer;
    else
        (void)end(writer, NULL); /* `err` has the first failure */
    return rc;
}

/* Puts `count` <= PART samples behind those in `piece`, as integers. */
static void encode_part(rmi_audio_writer *writer, const float *samples, size_t count)
{
    uint8_t *to = writer->piece + writer->length;
    union {
        int16_t shorts[PART];
        int32_t ints[PART]; /* of 24 bits: in the upper ones */
    } part;
    const bool is_short = writer->encoding == RMI_AUDIO_PCM16;
    const int rc = rmi_sample_convert(&writer->quantiser, RM_FLOAT32, samples, count,
                                      is_short ? RMI_SAMPLE_INT16 : RMI_SAMPLE_INT24, &part, NULL);
    (void)rc; /* it fails for other dtypes alone */
    if (is_short)
        memcpy(to, part.shorts, count * sizeof *part.shorts); /* every supported host is little-endian */
    for (size_t i = 0; !is_short && i < count; i++)
        to = put(to, 3, (uint32_t)part.ints[i] >> 8);
}

/* Puts `count` samples behind those in `piece` in the file's format, little-endian. */
static void encode(rmi_audio_writer *writer, const float *samples, size_t count)
{
    for (size_t done = 0; done < count;) {
        const size_t part = count - done < PART ? count - done : PART;
        if (writer->encoding == RMI_AUDIO_FLOAT32)
            memcpy(writer->piece + writer->length, samples + done, part * sizeof *samples);
        else
            encode_part(writer, samples + done, part);
        writer->length += part * writer->sample_size;
        done += part;
    }
}

const rmi_quantiser *rmi_audio_writer_counts(const rmi_audio_writer *writer)
{
    return &writer->quantiser;
}

int rmi_audio_writer_write(rmi_audio_writer *writer, const float *samples, size_t frames, rm_error *err)
{
    const size_t channels = (size_t)writer->format.channels, frame_size = channels * writer->sample_size;
    if (frames > (WAV_BYTES_MAX - writer->bytes) / frame_size)
        return rm_error_set(err, RM_E_LIMIT, "'%s' would be larger than the 4 GiB that a WAV file can have",
                            writer->path);
    writer->bytes += (uint64_t)frames * frame_size;
    for (size_t done = 0; done < frames && writer->io_error == 0;) {
        const size_t room = (PIECE - 1 - writer->length) / frame_size;
        const size_t count = frames - done < room ? frames - done : room;
        encode(writer, samples + done * channels, count * channels);
        done += count;
        if (done < frames || writer->length > PIECE / 2)
            write_piece(writer);
    }
    return failure(writer, err);
}

int rmi_audio_writer_close(rmi_audio_writer *writer, rm_error *err)
{
    return writer != NULL ? end(writer, err) : RM_OK;
}
