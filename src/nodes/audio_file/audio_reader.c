/* From the bytes of a file to frames in the wanted format: input, decoder, converter. */
#include "nodes/audio_file/codec.h"

#include <inttypes.h>
#include <string.h>

#include "nodes/audio_file/audio_converter.h"
#include "nodes/audio_file/audio_decoder.h"
#include "nodes/audio_support/channel_layout.h"

/* Frames that are decoded ahead of the converter. */
enum { AHEAD = 1024 };

struct rmi_audio_reader {
    const rm_allocator *allocator;
    rm_node *node; /* gets warnings; may be NULL */
    rmi_audio_input *input;
    rmi_audio_decoder *decoder;
    rmi_audio_format wanted;         /* 0: as the file has it */
    rmi_audio_format source, format; /* of the decoder; of the output */
    uint64_t decoded;                /* frames of the file so far */
    bool drained;                    /* the decoder has reached its end, sound or not */
    int end_code;                    /* the failure that ended it, to come after all that was held back */
    rm_error end;
    bool turned; /* the decoder's format has changed: what the converter holds comes first */
    rmi_audio_converter *converter; /* NULL: the decoder's frames are the output */
    float *ahead;                   /* AHEAD decoded frames, of which `waiting` from `next` on wait */
    size_t ahead_size, next, waiting;
};

static rmi_audio_format format_of(const rmi_audio_decoder *decoder)
{
    rmi_audio_format format = {decoder->channels, decoder->sample_rate, decoder->channel_layout};
    if (format.channel_layout == 0)
        format.channel_layout = rmi_layout_usual(format.channels);
    return format;
}

static int too_odd(const rmi_audio_reader *reader, rm_error *err)
{
    const rmi_audio_decoder *decoder = reader->decoder;
    if (decoder->channels > 0 && decoder->channels <= RMI_AUDIO_MOST_CHANNELS && decoder->sample_rate > 0)
        return RM_OK;
    return rmi_audio_damaged(reader->input, err, "has %" PRId32 " channel(s) at %" PRId32 " Hz",
                             decoder->channels, decoder->sample_rate);
}

/* Puts a converter between the decoder's format, which has just become known, and the output. */
static int open_converter(rmi_audio_reader *reader, rm_error *err)
{
    rmi_audio_converter_close(reader->converter);
    reader->converter = NULL;
    reader->source = format_of(reader->decoder);
    if (memcmp(&reader->source, &reader->format, sizeof reader->source) == 0)
        return RM_OK;
    const size_t size = AHEAD * (size_t)reader->source.channels * sizeof *reader->ahead;
    float *ahead =
        reader->allocator->resize(reader->allocator->context, reader->ahead, reader->ahead_size, size);
    if (ahead == NULL)
        return rm_error_set(err, RM_E_OUT_OF_MEMORY, "out of memory");
    reader->ahead = ahead;
    reader->ahead_size = size;
    return rmi_audio_converter_open(reader->allocator, &reader->source, &reader->format, &reader->converter,
                                    err);
}

/* Tells what the decoder has to say. */
static void pass_warning(const rmi_audio_reader *reader)
{
    rmi_audio_decoder *decoder = reader->decoder;
    if (reader->node != NULL && decoder->warning[0] != '\0')
        rm_node_log(reader->node, RM_LOG_WARNING, "'%s' %s", rmi_audio_input_name(reader->input),
                    decoder->warning);
    decoder->warning[0] = '\0';
}

static int start(rmi_audio_reader *reader, const char *path, rm_error *err)
{
    const rmi_audio_decoder_type *type = NULL;
    int rc = rmi_audio_input_open(reader->allocator, reader->node, path, &reader->input, err);
    if (rc != RM_OK)
        return rc;
    rc = rmi_audio_decoder_find(reader->input, &type, err);
    if (rc == RM_OK)
        rc = type->open(reader->input, &reader->decoder, err);
    if (rc == RM_OK)
        rc = too_odd(reader, err);
    if (rc != RM_OK && rmi_audio_input_failure(reader->input, NULL) != RM_OK) {
        rm_error_clear(err);
        return rmi_audio_input_failure(reader->input, err); /* the cause of what was not found */
    }
    if (rc != RM_OK)
        return rc;
    const rmi_audio_format source = format_of(reader->decoder);
    reader->format = source;
    if (reader->wanted.sample_rate != 0)
        reader->format.sample_rate = reader->wanted.sample_rate;
    if (reader->wanted.channels != 0 && reader->wanted.channels != source.channels) {
        reader->format.channels = reader->wanted.channels;
        reader->format.channel_layout = rmi_layout_usual(reader->wanted.channels);
    }
    pass_warning(reader);
    return open_converter(reader, err);
}

int rmi_audio_reader_open(const rm_allocator *allocator, rm_node *node, const char *path,
                          rmi_audio_format *format, rmi_audio_reader **out, rm_error *err)
{
    *out = NULL;
    rmi_audio_reader *reader = allocator->resize(allocator->context, NULL, 0, sizeof *reader);
    if (reader == NULL)
        return rm_error_set(err, RM_E_OUT_OF_MEMORY, "out of memory");
    *reader = (rmi_audio_reader){.allocator = allocator, .node = node, .wanted = *format};
    const int rc = start(reader, path, err);
    if (rc == RM_OK) {
        *format = reader->format;
        *out = reader;
    } else {
        rmi_audio_reader_close(reader);
    }
    return rc;
}

/* The file goes on in another format: converted where the output's was asked for, else an error. */
static int check_change(const rmi_audio_reader *reader, uint64_t decoded, rm_error *err)
{
    const rmi_audio_format now = format_of(reader->decoder), *was = &reader->source;
    const int rc = too_odd(reader, err);
    const bool rate = now.sample_rate == was->sample_rate || reader->wanted.sample_rate != 0;
    const bool channels = (now.channels == was->channels && now.channel_layout == was->channel_layout) ||
                          reader->wanted.channels != 0;
    if (rc != RM_OK || (rate && channels))
        return rc;
    rm_error_set(err, RM_E_VALUE,
                 "'%s' changes from %" PRId32 " Hz, %" PRId32 " channel(s) to %" PRId32 " Hz, %" PRId32
                 " channel(s) after %.3f s",
                 rmi_audio_input_name(reader->input), was->sample_rate, was->channels, now.sample_rate,
                 now.channels, (double)decoded / was->sample_rate);
    if (err != NULL)
        rm_error_hint(err, "'sample_rate' and 'channels' convert all of it to one format");
    return RM_E_VALUE;
}

/* Decodes up to `frames` frames in the decoder's format; fewer only at its end, or where its format changes. A
 * failure is kept until all frames before it are out. */
static size_t decode(rmi_audio_reader *reader, float *samples, size_t frames)
{
    size_t done = 0;
    while (done < frames && !reader->drained && !reader->turned) {
        size_t got = 0;
        float *to = samples + done * (size_t)reader->source.channels;
        rm_error err = {0};
        int rc = reader->decoder->type->read(reader->decoder, to, frames - done, &got, &err);
        done += got;
        pass_warning(reader);
        if (rc == RM_AGAIN) {
            rc = check_change(reader, reader->decoded + done, &err);
            reader->turned = rc == RM_OK;
        } else if (got == 0 && rmi_audio_input_failure(reader->input, NULL) != RM_OK) {
            rm_error_clear(&err); /* the file's end, or damage, is only a consequence */
            rc = rmi_audio_input_failure(reader->input, &err);
        }
        reader->drained = (got == 0 && !reader->turned) || rc < 0;
        reader->end_code = rc < 0 ? rc : RM_OK;
        rm_error_move(&reader->end, &err);
    }
    reader->decoded += done;
    return done;
}

/* Puts out up to `frames` frames in the wanted format. */
static size_t convert(rmi_audio_reader *reader, float *samples, size_t frames)
{
    const size_t in_channels = (size_t)reader->source.channels, channels = (size_t)reader->format.channels;
    size_t done = 0;
    while (done < frames) {
        if (reader->waiting == 0) {
            reader->next = 0;
            reader->waiting = decode(reader, reader->ahead, AHEAD);
        }
        size_t in = reader->waiting, out = frames - done;
        const float *from = in != 0 ? reader->ahead + reader->next * in_channels : NULL;
        rmi_audio_converter_process(reader->converter, from, &in, samples + done * channels, &out);
        done += out;
        if (from == NULL && out == 0)
            break;
        reader->next += from != NULL ? in : 0;
        reader->waiting -= from != NULL ? in : 0;
    }
    return done;
}

int rmi_audio_reader_read(rmi_audio_reader *reader, float *samples, size_t frames, size_t *got, rm_error *err)
{
    size_t done = 0;
    int rc = RM_OK;
    for (;;) {
        float *to = samples + done * (size_t)reader->format.channels;
        done += reader->converter == NULL ? decode(reader, to, frames - done)
                                          : convert(reader, to, frames - done);
        if (done == frames || !reader->turned)
            break;
        reader->turned = false;
        rc = open_converter(reader, err);
        if (rc != RM_OK)
            break;
    }
    *got = rc == RM_OK ? done : 0;
    if (rc == RM_OK && done == 0 && reader->end_code != RM_OK) {
        rc = reader->end_code;
        rm_error_move(err, &reader->end);
        reader->end_code = RM_OK;
    } else if (rc == RM_OK && done == 0 && reader->decoded == 0 && reader->node != NULL) {
        rm_node_log(reader->node, RM_LOG_WARNING, "'%s' has no audio", rmi_audio_input_name(reader->input));
    }
    return rc;
}

void rmi_audio_reader_close(rmi_audio_reader *reader)
{
    if (reader == NULL)
        return;
    const rm_allocator *allocator = reader->allocator;
    rmi_audio_converter_close(reader->converter);
    if (reader->decoder != NULL)
        reader->decoder->type->close(reader->decoder);
    if (reader->ahead != NULL)
        allocator->resize(allocator->context, reader->ahead, reader->ahead_size, 0);
    rmi_audio_input_close(reader->input);
    rm_error_clear(&reader->end);
    allocator->resize(allocator->context, reader, sizeof *reader, 0);
}
