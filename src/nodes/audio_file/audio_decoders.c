/* Which decoder reads a file; and the names of formats that none reads. */
#include "nodes/audio_file/audio_decoder.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "nodes/audio_file/audio_tags.h"

/* How much of a file is looked at to tell its format. */
enum { HEAD = 64 };

/* MP3 stands last: it has no magic number, and is looked for. */
static const rmi_audio_decoder_type *const types[] = {&rmi_audio_wav, &rmi_audio_aiff, &rmi_audio_flac,
                                                      &rmi_audio_ogg, &rmi_audio_mp3};
enum { TYPES = sizeof types / sizeof *types };

/* Formats that are known and not read, told by `size` bytes at `offset`. */
static const struct {
    size_t offset, size;
    const char *magic, *name;
} unread[] = {
    {4, 4, "ftyp", "MP4 or M4A"},
    {0, 4, "\x1a\x45\xdf\xa3", "WebM or Matroska"},
    {0, 8, "\x30\x26\xb2\x75\x8e\x66\xcf\x11", "WMA (ASF)"},
    {0, 4, "ADIF", "AAC"},
    {0, 2, "\x0b\x77", "AC-3"},
    {0, 4, "\x7f\xfe\x80\x01", "DTS"},
    {0, 4, "caff", "CAF"},
    {0, 4, ".snd", "AU"},
    {0, 4, "wvpk", "WavPack"},
    {0, 4, "MAC ", "Monkey's Audio"},
    {0, 4, "TTA1", "TTA"},
    {0, 4, "MPCK", "Musepack"},
    {0, 3, "MP+", "Musepack"},
    {0, 4, "DSD ", "DSD"},
    {0, 4, "FRM8", "DSD"},
    {0, 5, "#!AMR", "AMR"},
    {0, 4, ".RMF", "RealAudio"},
    {0, 4, ".ra\xfd", "RealAudio"},
    {0, 3, "FLV", "Flash Video"},
    {0, 4, "\0\0\1\xba", "MPEG program stream"},
    {0, 7, "NIST_1A", "SPHERE"},
    {0, 19, "Creative Voice File", "VOC"},
    {0, 4, "MThd", "MIDI (notes, not samples)"},
};

int rmi_audio_unsupported(const rmi_audio_input *input, const char *what, rm_error *err)
{
    const char *name = rmi_audio_input_name(input);
    rm_error_set(err, RM_E_UNSUPPORTED, "'%s' is %s, which is not read", name, what);
    if (err != NULL)
        rm_error_hint(err, "ffmpeg converts it: ffmpeg -i '%s' audio.flac", name);
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

/* Passes over tags, which may stand before a file of any format, and zeros behind them. */
static void pass_tags(rmi_audio_input *input)
{
    const uint8_t *head = NULL;
    bool tagged = false;
    for (;;) {
        const size_t there = rmi_audio_input_peek(input, RMI_AUDIO_TAG_HEAD, &head);
        const uint64_t size = there >= 3 && memcmp(head, "TAG", 3) != 0 ? rmi_audio_tag_size(head, there) : 0;
        if (size != 0)
            (void)rmi_audio_input_skip(input, size);
        else if (tagged && there > 0 && head[0] == 0)
            rmi_audio_input_take(input, 1);
        else
            return;
        tagged = true;
    }
}

static int not_read(const rmi_audio_input *input, const uint8_t *head, size_t length, rm_error *err)
{
    if (length == 0)
        return rmi_audio_damaged(input, err, "is empty: it has no audio");
    for (size_t i = 0; i < sizeof unread / sizeof *unread; i++)
        if (length >= unread[i].offset + unread[i].size &&
            memcmp(head + unread[i].offset, unread[i].magic, unread[i].size) == 0)
            return rmi_audio_unsupported(input, unread[i].name, err);
    if (length >= 12 && memcmp(head, "RIFF", 4) == 0)
        return rm_error_set(err, RM_E_UNSUPPORTED, "'%s' is RIFF of the type '%.4s', which is not read",
                            rmi_audio_input_name(input), (const char *)head + 8);
    if (length >= 7 && head[0] == 0xff && (head[1] & 0xf6) == 0xf0 && (head[2] & 0x3c) != 0x3c)
        return rmi_audio_unsupported(input, "AAC", err);
    return rmi_audio_damaged(input, err, "is not a WAV, AIFF, FLAC, MP3 or Ogg file");
}

int rmi_audio_decoder_find(rmi_audio_input *input, const rmi_audio_decoder_type **out, rm_error *err)
{
    const uint8_t *head = NULL;
    pass_tags(input);
    const size_t length = rmi_audio_input_peek(input, HEAD, &head);
    for (size_t i = 0; i < TYPES - 1; i++)
        if (types[i]->recognises(head, length)) {
            *out = types[i];
            return RM_OK;
        }
    const int rc = not_read(input, head, length, err);
    if (rc == RM_E_UNSUPPORTED || length == 0)
        return rc;
    const size_t more = rmi_audio_input_peek(input, RMI_AUDIO_AHEAD, &head);
    if (!types[TYPES - 1]->recognises(head, more))
        return rc;
    rm_error_clear(err);
    *out = types[TYPES - 1];
    return RM_OK;
}
