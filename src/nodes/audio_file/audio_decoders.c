/* Which decoder reads a file. */
#include "nodes/audio_file/audio_decoder.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "nodes/audio_file/audio_tags.h"
#include "nodes/audio_file/unread_formats.h"

/* How much of a file is looked at to tell its format. */
enum { HEAD = 64 };

/* MP3 stands last: it has no magic number, and is looked for. */
static const rmi_audio_decoder_type *const types[] = {&rmi_audio_wav, &rmi_audio_aiff, &rmi_audio_flac,
                                                      &rmi_audio_ogg, &rmi_audio_mp3};
enum { TYPES = sizeof types / sizeof *types };

static int not_read(const rmi_audio_input *input, const rmi_unread_format *format, const char *how,
                    rm_error *err)
{
    const char *name = rmi_audio_input_name(input);
    rm_error_set(err, RM_E_UNSUPPORTED, "'%s' is %s%s, which is not read", name, how, format->name);
    if (err != NULL)
        rm_error_hint(err, "%s: %s '%s'%s", format->reader.does, format->reader.before, name,
                      format->reader.after);
    return RM_E_UNSUPPORTED;
}

int rmi_audio_unsupported(const rmi_audio_input *input, const char *what, rm_error *err)
{
    const rmi_unread_format format = {what, RMI_BY_FFMPEG};
    return not_read(input, &format, "", err);
}

int rmi_audio_many_channels(const rmi_audio_input *input, uint32_t channels, rm_error *err)
{
    const char *name = rmi_audio_input_name(input);
    rm_error_set(err, RM_E_UNSUPPORTED, "'%s' has %" PRIu32 " channels; files of up to %d are read", name,
                 channels, RMI_AUDIO_MOST_CHANNELS);
    if (err != NULL)
        rm_error_hint(err, "SoX takes some of them out: sox '%s' audio.wav remix 1 2", name);
    return RM_E_UNSUPPORTED;
}

int rmi_audio_damaged(const rmi_audio_input *input, rm_error *err, const char *format, ...)
{
    char text[320];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return rm_error_set(err, RM_E_PARSE, "'%s' %s", rmi_audio_input_name(input), text);
}

void *rmi_audio_decoder_new(const rmi_audio_decoder_type *type, size_t size, rmi_audio_input *input)
{
    const rm_allocator *allocator = rmi_audio_input_allocator(input);
    rmi_audio_decoder *decoder = allocator->resize(allocator->context, NULL, 0, size);
    if (decoder == NULL)
        return NULL;
    memset(decoder, 0, size);
    decoder->type = type;
    decoder->input = input;
    return decoder;
}

void rmi_audio_decoder_delete(rmi_audio_decoder *decoder, size_t size)
{
    const rm_allocator *allocator = rmi_audio_input_allocator(decoder->input);
    allocator->resize(allocator->context, decoder, size, 0);
}

/* What stands before the audio. */
typedef enum front { FRONT_NONE, FRONT_TAG, FRONT_CUT } front;

/* Passes over tags, which may stand before a file of any format, and zeros behind them. */
static front pass_front(rmi_audio_input *input)
{
    const uint8_t *head = NULL;
    front passed = FRONT_NONE;
    for (;;) {
        const size_t there = rmi_audio_input_peek(input, RMI_AUDIO_TAG_HEAD, &head);
        const uint64_t size = there >= 3 && memcmp(head, "TAG", 3) != 0 ? rmi_audio_tag_size(head, there) : 0;
        if (size != 0 && rmi_audio_input_skip(input, size) < size)
            return FRONT_CUT;
        if (size == 0 && passed == FRONT_TAG && there > 0 && head[0] == 0)
            rmi_audio_input_take(input, 1);
        else if (size == 0)
            return there >= 3 && there < 10 && memcmp(head, "ID3", 3) == 0 ? FRONT_CUT : passed;
        passed = FRONT_TAG;
    }
}

static int nothing_there(const rmi_audio_input *input, front passed, rm_error *err)
{
    return rmi_audio_damaged(input, err,
                             passed == FRONT_CUT   ? "is cut off: it ends within the tag at its start"
                             : passed == FRONT_TAG ? "has a tag, and no audio behind it"
                                                   : "is empty: it has no audio");
}

static int by_content(const rmi_audio_input *input, const uint8_t *head, size_t length, rm_error *err)
{
    const rmi_unread_format *known = rmi_unread_by_content(head, length);
    if (known != NULL)
        return not_read(input, known, "", err);
    if (length >= 12 && memcmp(head, "RIFF", 4) == 0)
        return rm_error_set(err, RM_E_UNSUPPORTED, "'%s' is RIFF of the type '%.4s', which is not read",
                            rmi_audio_input_name(input), (const char *)head + 8);
    return RM_OK;
}

int rmi_audio_decoder_find(rmi_audio_input *input, const rmi_audio_decoder_type **out, rm_error *err)
{
    const uint8_t *head = NULL;
    const front passed = pass_front(input);
    size_t length = rmi_audio_input_peek(input, HEAD, &head);
    if (length == 0 || passed == FRONT_CUT)
        return nothing_there(input, passed, err);
    for (size_t i = 0; i < TYPES - 1; i++)
        if (types[i]->recognises(head, length)) {
            *out = types[i];
            return RM_OK;
        }
    length = rmi_audio_input_peek(input, RMI_AUDIO_AHEAD, &head);
    const int rc = by_content(input, head, length, err);
    if (rc != RM_OK)
        return rc;
    if (types[TYPES - 1]->recognises(head, length)) {
        *out = types[TYPES - 1];
        return RM_OK;
    }
    const rmi_unread_format *known = rmi_unread_by_extension(rmi_audio_input_name(input));
    if (known != NULL)
        return not_read(input, known, "by its extension ", err);
    return rmi_audio_damaged(input, err, "is not a WAV, AIFF, FLAC, MP3 or Ogg file");
}
