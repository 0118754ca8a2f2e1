#include "nodes/audio_file/wav_tags.h"

static const struct {
    uint32_t tag;
    const char *name;
} tags[] = {
    {RMI_WAV_PCM, "PCM"},
    {RMI_WAV_MS_ADPCM, "MS ADPCM"},
    {RMI_WAV_FLOAT, "floating point"},
    {0x0008, "DTS"},
    {0x0009, "WMA Voice DRM"},
    {0x000a, "WMA Voice"},
    {0x0010, "OKI ADPCM"},
    {RMI_WAV_IMA_ADPCM, "IMA ADPCM"},
    {0x0014, "G.723 ADPCM"},
    {0x0016, "G.723 ADPCM"},
    {0x0017, "Dialogic OKI ADPCM"},
    {0x0020, "Yamaha ADPCM"},
    {0x0028, "LRC"},
    {0x0031, "GSM 6.10"},
    {0x0040, "G.721 ADPCM"},
    {0x0041, "G.728"},
    {0x0042, "G.723.1"},
    {0x0045, "G.726 ADPCM"},
    {0x0050, "MPEG layer 1 or 2"},
    {RMI_WAV_MP3, "MP3"},
    {0x0057, "AMR"},
    {0x0058, "AMR wide band"},
    {0x0061, "DUCK DK4 ADPCM"},
    {0x0062, "DUCK DK3 ADPCM"},
    {0x0064, "G.726 ADPCM"},
    {0x0065, "G.722"},
    {0x0069, "Xbox IMA ADPCM"},
    {0x0075, "MetaSound"},
    {0x0083, "G.729"},
    {0x0092, "AC-3 over S/PDIF"},
    {0x00ff, "AAC"},
    {0x0111, "G.723.1"},
    {0x0130, "SIPR"},
    {0x0160, "WMA 1"},
    {0x0161, "WMA 2"},
    {0x0162, "WMA Pro"},
    {0x0163, "WMA Lossless"},
    {0x0164, "WMA over S/PDIF"},
    {0x0200, "Creative ADPCM"},
    {0x0270, "ATRAC3"},
    {0x028f, "G.722"},
    {0x0401, "Intel Music Coder"},
    {0x0706, "AAC"},
    {0x1600, "AAC"},
    {0x1602, "AAC"},
    {0x1610, "AAC"},
    {0x2000, "AC-3"},
    {0x2001, "DTS"},
    {0x4143, "AAC"},
    {0x566f, "Vorbis"},
    {0x674f, "Vorbis"},
    {0x6750, "Vorbis"},
    {0x6751, "Vorbis"},
    {0x676f, "Vorbis"},
    {0x6770, "Vorbis"},
    {0x6771, "Vorbis"},
    {0x704f, "Opus"},
    {0xa106, "AAC"},
    {0xa109, "Speex"},
    {0xf1ac, "FLAC"},
};

const char *rmi_wav_tag_name(uint32_t tag)
{
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++)
        if (tags[i].tag == tag)
            return tags[i].name;
    return NULL;
}
