#include "nodes/audio_file/pcm.h"

#include <string.h>

bool rmi_pcm_exists(const rmi_pcm *pcm)
{
    switch (pcm->kind) {
    case RMI_PCM_SIGNED:
        return pcm->bytes >= 1 && pcm->bytes <= 8;
    case RMI_PCM_FLOAT:
        return pcm->bytes == 4 || pcm->bytes == 8;
    case RMI_PCM_UNSIGNED:
    case RMI_PCM_ALAW:
    case RMI_PCM_MULAW:
        return pcm->bytes == 1;
    default:
        return false;
    }
}

/* ITU-T G.711: a sign, three bits of exponent, four of mantissa, with every other bit inverted. */
static float from_alaw(uint8_t code)
{
    const unsigned bits = code ^ 0x55u, exponent = bits >> 4 & 7, mantissa = bits & 15;
    const unsigned size = exponent == 0 ? (mantissa << 4) + 8 : ((mantissa << 4) + 264) << (exponent - 1);
    return (float)((bits & 0x80) != 0 ? (int)size : -(int)size) / 32768.0f;
}

static float from_mulaw(uint8_t code)
{
    const unsigned bits = ~(unsigned)code, exponent = bits >> 4 & 7, mantissa = bits & 15;
    const unsigned size = (((mantissa << 3) + 132) << exponent) - 132;
    return (float)((bits & 0x80) != 0 ? -(int)size : (int)size) / 32768.0f;
}

static uint64_t integer_of(const uint8_t *bytes, size_t count, bool big)
{
    uint64_t value = 0;
    for (size_t i = 0; i < count; i++)
        value = value << 8 | bytes[big ? i : count - 1 - i];
    return value;
}

/* Every supported host is little-endian: these loops are for the usual files. */
static void from_little16(const uint8_t *bytes, size_t count, float *samples)
{
    for (size_t i = 0; i < count; i++) {
        int16_t sample;
        memcpy(&sample, bytes + 2 * i, sizeof sample);
        samples[i] = (float)sample * 0x1p-15f;
    }
}

static void from_little24(const uint8_t *bytes, size_t count, float *samples)
{
    for (size_t i = 0; i < count; i++, bytes += 3) {
        const uint32_t top = (uint32_t)bytes[0] << 8 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 24;
        samples[i] = (float)(int32_t)top * 0x1p-31f;
    }
}

static void from_signed(const rmi_pcm *pcm, const uint8_t *bytes, size_t count, float *samples)
{
    const size_t size = pcm->bytes;
    if (!pcm->big && size == 2)
        from_little16(bytes, count, samples);
    else if (!pcm->big && size == 3)
        from_little24(bytes, count, samples);
    else
        for (size_t i = 0; i < count; i++) {
            const uint64_t top = integer_of(bytes + i * size, size, pcm->big) << (8 - size) % 8 * 8;
            samples[i] = (float)(int64_t)top * 0x1p-63f;
        }
}

static void from_float(const rmi_pcm *pcm, const uint8_t *bytes, size_t count, float *samples)
{
    if (!pcm->big && pcm->bytes == 4) {
        memcpy(samples, bytes, count * sizeof *samples);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const uint64_t bits = integer_of(bytes + i * pcm->bytes, pcm->bytes, pcm->big);
        const uint32_t single = (uint32_t)bits;
        double wide;
        memcpy(&wide, &bits, sizeof wide);
        if (pcm->bytes == 4)
            memcpy(&samples[i], &single, sizeof single);
        else
            samples[i] = (float)wide;
    }
}

void rmi_pcm_decode(const rmi_pcm *pcm, const uint8_t *bytes, size_t count, float *samples)
{
    switch (pcm->kind) {
    case RMI_PCM_UNSIGNED:
        for (size_t i = 0; i < count; i++)
            samples[i] = (float)((int)bytes[i] - 128) * 0x1p-7f;
        break;
    case RMI_PCM_SIGNED:
        from_signed(pcm, bytes, count, samples);
        break;
    case RMI_PCM_FLOAT:
        from_float(pcm, bytes, count, samples);
        break;
    case RMI_PCM_ALAW:
        for (size_t i = 0; i < count; i++)
            samples[i] = from_alaw(bytes[i]);
        break;
    case RMI_PCM_MULAW:
        for (size_t i = 0; i < count; i++)
            samples[i] = from_mulaw(bytes[i]);
        break;
    default:
        memset(samples, 0, count * sizeof *samples);
        break;
    }
}
