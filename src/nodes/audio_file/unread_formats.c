#include "nodes/audio_file/unread_formats.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "nodes/audio_file/audio_input.h"

#define BY_FFMPEG_AS(options) {"ffmpeg converts it", "ffmpeg " options " -i", " audio.flac"}
#define BY_FFMPEG_TOLD \
    {"ffmpeg converts it when told what it holds", "ffmpeg -f s16le -ar 16000 -ac 1 -i", " audio.flac"}
#define BY_SOX_AS(options) {"SoX converts it", "sox" options, " audio.flac"}
#define BY_SYNTHESIZER \
    {"a synthesizer plays it, with a file of sounds", "fluidsynth -F audio.flac sounds.sf2", ""}

/* Told by `size` bytes at `offset`. */
static const struct {
    size_t offset, size;
    const char *magic;
    rmi_unread_format format;
} by_magic[] = {
    {4, 4, "ftyp", {"MP4 or M4A", RMI_BY_FFMPEG}},
    {4, 4, "moov", {"MP4 or QuickTime", RMI_BY_FFMPEG}},
    {4, 4, "mdat", {"MP4 or QuickTime", RMI_BY_FFMPEG}},
    {0, 4, "\x1a\x45\xdf\xa3", {"WebM or Matroska", RMI_BY_FFMPEG}},
    {0, 8, "\x30\x26\xb2\x75\x8e\x66\xcf\x11", {"WMA (ASF)", RMI_BY_FFMPEG}},
    {8, 4, "AVI ", {"AVI", RMI_BY_FFMPEG}},
    {8, 4, "QLCM", {"QCP", RMI_BY_FFMPEG}},
    {8, 4, "XWMA", {"xWMA", RMI_BY_FFMPEG}},
    {8, 4, "RMID", {"MIDI (notes, not samples)", BY_SYNTHESIZER}},
    {0, 4, "\x06\x0e\x2b\x34", {"MXF", RMI_BY_FFMPEG}},
    {0, 4, "ADIF", {"AAC", RMI_BY_FFMPEG}},
    {0, 4, "\x7f\xfe\x80\x01", {"DTS", RMI_BY_FFMPEG}},
    {0, 4, "\xfe\x7f\x01\x80", {"DTS", RMI_BY_FFMPEG}},
    {0, 4, "\x1f\xff\xe8\x00", {"DTS", RMI_BY_FFMPEG}},
    {0, 4, "\xff\x1f\x00\xe8", {"DTS", RMI_BY_FFMPEG}},
    {4, 4, "\xf8\x72\x6f\xba", {"TrueHD", RMI_BY_FFMPEG}},
    {4, 4, "\xf8\x72\x6f\xbb", {"MLP", RMI_BY_FFMPEG}},
    {0, 4, "caff", {"CAF", RMI_BY_FFMPEG}},
    {0, 4, ".snd", {"AU", RMI_BY_FFMPEG}},
    {0, 4, "wvpk", {"WavPack", RMI_BY_FFMPEG}},
    {0, 4, "MAC ", {"Monkey's Audio", RMI_BY_FFMPEG}},
    {0, 4, "TTA1", {"TTA", RMI_BY_FFMPEG}},
    {0, 4, "tBaK", {"TAK", RMI_BY_FFMPEG}},
    {0, 4, "ajkg", {"Shorten", RMI_BY_FFMPEG}},
    {0, 4, "MPCK", {"Musepack", RMI_BY_FFMPEG}},
    {0, 3, "MP+", {"Musepack", RMI_BY_FFMPEG}},
    {0, 4, "DSD ", {"DSD", RMI_BY_FFMPEG}},
    {0, 4, "FRM8", {"DSD", RMI_BY_FFMPEG}},
    {0, 5, "#!AMR", {"AMR", RMI_BY_FFMPEG}},
    {0, 4, ".RMF", {"RealAudio", RMI_BY_FFMPEG}},
    {0, 4, ".ra\xfd", {"RealAudio", RMI_BY_FFMPEG}},
    {0, 3, "FLV", {"Flash Video", RMI_BY_FFMPEG}},
    {0, 4, "\0\0\1\xba", {"MPEG program stream", RMI_BY_FFMPEG}},
    {0, 7, "NIST_1A", {"SPHERE", RMI_BY_FFMPEG}},
    {0, 19, "Creative Voice File", {"VOC", RMI_BY_FFMPEG}},
    {0, 15, "ALawSoundFile**", {"Psion sound", RMI_BY_FFMPEG}},
    {0, 4, "2BIT", {"AVR", RMI_BY_FFMPEG}},
    {0, 4, "PVF1", {"PVF", RMI_BY_FFMPEG}},
    {0, 4, "\x64\xa3\x01\x00", {"IRCAM", RMI_BY_FFMPEG}},
    {0, 4, "\x64\xa3\x02\x00", {"IRCAM", RMI_BY_FFMPEG}},
    {0, 4, "\x00\x01\xa3\x64", {"IRCAM", RMI_BY_FFMPEG}},
    {0, 4, "\x00\x02\xa3\x64", {"IRCAM", RMI_BY_FFMPEG}},
    {8, 4, "8SVX", {"8SVX", RMI_BY_FFMPEG}},
    {8, 4, "16SV", {"16SV", RMI_BY_FFMPEG}},
    {8, 4, "MAUD", {"MAUD", RMI_BY_FFMPEG}},
    {128, 4, "HCOM", {"HCOM", RMI_BY_FFMPEG}},
    {0, 18, "SOUND SAMPLE DATA ", {"SampleVision (SMP)", BY_SOX_AS("")}},
    {0, 5, "SOUND\x1a", {"Sounder (SNDT)", BY_SOX_AS("")}},
    {0, 4, " paf", {"PARIS audio (PAF)", BY_SOX_AS("")}},
    {0, 4, "fap ", {"PARIS audio (PAF)", BY_SOX_AS("")}},
    {0, 4, "MThd", {"MIDI (notes, not samples)", BY_SYNTHESIZER}},
};

/* Formats that say nothing of themselves. */
static const struct {
    const char *extension;
    rmi_unread_format format;
} by_name[] = {
    {"gsm", {"GSM 6.10", RMI_BY_FFMPEG}},
    {"g722", {"G.722", RMI_BY_FFMPEG}},
    {"g723", {"G.723.1", BY_FFMPEG_AS("-f g723_1")}},
    {"g726", {"G.726", BY_FFMPEG_AS("-f g726")}},
    {"g729", {"G.729", BY_FFMPEG_AS("-f g729")}},
    {"sbc", {"SBC", RMI_BY_FFMPEG}},
    {"ulaw", {"mu-law without a header", BY_FFMPEG_AS("-f mulaw -ar 8000")}},
    {"alaw", {"A-law without a header", BY_FFMPEG_AS("-f alaw -ar 8000")}},
    {"vox", {"Dialogic ADPCM", BY_SOX_AS(" -t vox -r 8000")}},
    {"sln", {"PCM without a header", RMI_BY_FFMPEG}},
    {"pcm", {"PCM without a header", BY_FFMPEG_TOLD}},
    {"raw", {"PCM without a header", BY_FFMPEG_TOLD}},
};

static const rmi_unread_format aac = {"AAC", RMI_BY_FFMPEG}, latm = {"AAC (LATM in LOAS)", RMI_BY_FFMPEG},
                               ac3 = {"AC-3", RMI_BY_FFMPEG}, eac3 = {"E-AC-3", RMI_BY_FFMPEG},
                               transport = {"MPEG transport stream", RMI_BY_FFMPEG};

/* AC-3 or E-AC-3, whose bytes may be swapped in pairs; NULL: neither. */
static const rmi_unread_format *dolby(const uint8_t *head, size_t length)
{
    enum { AC3_MOST = 10, EAC3_MOST = 16, NO_RATE = 3, MOST_SIZE = 37 };
    if (length < 6)
        return NULL;
    const bool swapped = head[0] == 0x77 && head[1] == 0x0b;
    if (!swapped && (head[0] != 0x0b || head[1] != 0x77))
        return NULL;
    const uint8_t sizes = head[swapped ? 5 : 4], version = head[swapped ? 4 : 5] >> 3;
    if (version <= AC3_MOST)
        return sizes >> 6 != NO_RATE && (sizes & 0x3f) <= MOST_SIZE ? &ac3 : NULL;
    return version <= EAC3_MOST ? &eac3 : NULL;
}

/* Packets of 188 bytes, also with a time of 4 bytes in front or 16 bytes of a code behind each. */
static bool is_transport(const uint8_t *head, size_t length)
{
    enum { SYNC = 0x47, ENOUGH = 4 };
    static const struct {
        size_t first, step;
    } forms[] = {{0, 188}, {4, 192}, {0, 204}};
    for (size_t f = 0; f < sizeof forms / sizeof *forms; f++) {
        size_t count = 0;
        while (count < ENOUGH && forms[f].first + count * forms[f].step < length &&
               head[forms[f].first + count * forms[f].step] == SYNC)
            count++;
        if (count == ENOUGH)
            return true;
    }
    return false;
}

/* Frames of LOAS, each of which tells its length. */
static bool is_loas(const uint8_t *head, size_t length)
{
    enum { HEAD = 3, ENOUGH = 3 };
    size_t at = 0, count = 0;
    while (count < ENOUGH && at + HEAD <= length && head[at] == 0x56 && (head[at + 1] & 0xe0) == 0xe0) {
        at += HEAD + ((size_t)(head[at + 1] & 0x1f) << 8 | head[at + 2]);
        count++;
    }
    return count == ENOUGH;
}

static bool is_adts(const uint8_t *head, size_t length)
{
    return length >= 7 && head[0] == 0xff && (head[1] & 0xf6) == 0xf0 && (head[2] & 0x3c) != 0x3c;
}

const rmi_unread_format *rmi_unread_by_content(const uint8_t *head, size_t length)
{
    for (size_t i = 0; i < sizeof by_magic / sizeof *by_magic; i++)
        if (length >= by_magic[i].offset + by_magic[i].size &&
            memcmp(head + by_magic[i].offset, by_magic[i].magic, by_magic[i].size) == 0)
            return &by_magic[i].format;
    if (is_adts(head, length))
        return &aac;
    if (is_loas(head, length))
        return &latm;
    return is_transport(head, length) ? &transport : dolby(head, length);
}

const rmi_unread_format *rmi_unread_by_extension(const char *path)
{
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot != NULL && i < sizeof by_name / sizeof *by_name; i++)
        if (strcasecmp(dot + 1, by_name[i].extension) == 0)
            return &by_name[i].format;
    return NULL;
}
