#include "nodes/audio_file/adpcm.h"

#include "nodes/audio_file/audio_input.h"

/* More channels have no files. */
enum { MOST_CHANNELS = 16 };

bool rmi_adpcm_init(rmi_adpcm *adpcm, rmi_adpcm_kind kind, size_t channels, size_t block_size)
{
    const size_t head = (kind == RMI_ADPCM_MS ? 7 : 4) * channels;
    if (channels == 0 || channels > MOST_CHANNELS || block_size <= head || block_size > RMI_AUDIO_AHEAD)
        return false;
    *adpcm = (rmi_adpcm){.kind = kind, .channels = channels, .block_size = block_size};
    adpcm->block_frames = (block_size - head) * 2 / channels + (kind == RMI_ADPCM_MS ? 2 : 1);
    return true;
}

static size_t ready_size(const rmi_adpcm *adpcm)
{
    return (adpcm->block_frames + 8) * adpcm->channels * sizeof *adpcm->ready;
}

int rmi_adpcm_allocate(rmi_adpcm *adpcm, const rm_allocator *allocator, rm_error *err)
{
    adpcm->ready = allocator->resize(allocator->context, NULL, 0, ready_size(adpcm));
    return adpcm->ready != NULL ? RM_OK : rm_error_set(err, RM_E_OUT_OF_MEMORY, "out of memory");
}

void rmi_adpcm_free(rmi_adpcm *adpcm, const rm_allocator *allocator)
{
    if (adpcm->ready != NULL)
        allocator->resize(allocator->context, adpcm->ready, ready_size(adpcm), 0);
    adpcm->ready = NULL;
}

static int32_t clip16(int64_t sample)
{
    return (int32_t)(sample > 32767 ? 32767 : sample < -32768 ? -32768 : sample);
}

static int32_t signed16(const uint8_t *bytes)
{
    return (int16_t)(uint16_t)rmi_little16(bytes);
}

typedef struct ms_channel {
    int32_t first, second; /* the factors of the predictor */
    int32_t step, last, before;
} ms_channel;

static int32_t ms_next(ms_channel *c, unsigned code)
{
    static const int32_t adapt[16] = {230, 230, 230, 230, 307, 409, 512, 614,
                                      768, 614, 512, 409, 307, 230, 230, 230};
    const int64_t guess = ((int64_t)c->last * c->first + (int64_t)c->before * c->second) >> 8;
    const int32_t change = (int32_t)(code & 15) - ((code & 8) != 0 ? 16 : 0);
    const int64_t step = (int64_t)adapt[code & 15] * c->step >> 8;
    const int32_t sample = clip16(guess + (int64_t)change * c->step);
    c->step = (int32_t)(step < 16 ? 16 : step > INT32_MAX / 768 ? INT32_MAX / 768 : step);
    c->before = c->last;
    c->last = sample;
    return sample;
}

static bool decode_ms(rmi_adpcm *adpcm, const uint8_t *block, size_t size)
{
    static const int16_t factors[7][2] = {{256, 0}, {512, -256}, {0, 0},     {192, 64},
                                          {240, 0}, {460, -208}, {392, -232}};
    ms_channel channels[MOST_CHANNELS];
    const size_t count = adpcm->channels;
    float *out = adpcm->ready;
    if (count == 0 || size < 7 * count)
        return true;
    for (size_t c = 0; c < count; c++) {
        if (block[c] >= 7)
            return false;
        const uint8_t *at = block + count + 2 * c;
        channels[c] = (ms_channel){factors[block[c]][0], factors[block[c]][1], signed16(at),
                                   signed16(at + 2 * count), signed16(at + 4 * count)};
        out[c] = (float)channels[c].before * 0x1p-15f;
        out[count + c] = (float)channels[c].last * 0x1p-15f;
    }
    out += 2 * count;
    const size_t codes = (size - 7 * count) * 2 / count * count;
    const uint8_t *from = block + 7 * count;
    for (size_t i = 0; i < codes; i++) {
        const unsigned code = i % 2 == 0 ? from[i / 2] >> 4 : from[i / 2] & 15u;
        *out++ = (float)ms_next(&channels[i % count], code) * 0x1p-15f;
    }
    adpcm->waiting = 2 + codes / count;
    return true;
}

static const int16_t ima_steps[89] = {
    7,    8,     9,     10,    11,    12,    13,    14,    16,    17,    19,    21,    23,    25,   28,
    31,   34,    37,    41,    45,    50,    55,    60,    66,    73,    80,    88,    97,    107,  118,
    130,  143,   157,   173,   190,   209,   230,   253,   279,   307,   337,   371,   408,   449,  494,
    544,  598,   658,   724,   796,   876,   963,   1060,  1166,  1282,  1411,  1552,  1707,  1878, 2066,
    2272, 2499,  2749,  3024,  3327,  3660,  4026,  4428,  4871,  5358,  5894,  6484,  7132,  7845, 8630,
    9493, 10442, 11487, 12635, 13899, 15289, 16818, 18500, 20350, 22385, 24623, 27086, 29794, 32767};

static int32_t ima_next(int32_t *last, int32_t *index, unsigned code)
{
    static const int8_t moves[8] = {-1, -1, -1, -1, 2, 4, 6, 8};
    const int32_t step = ima_steps[*index];
    int32_t change = step >> 3;
    change += (code & 4) != 0 ? step : 0;
    change += (code & 2) != 0 ? step >> 1 : 0;
    change += (code & 1) != 0 ? step >> 2 : 0;
    *last = clip16((int64_t)*last + ((code & 8) != 0 ? -change : change));
    *index += moves[code & 7];
    *index = *index < 0 ? 0 : *index > 88 ? 88 : *index;
    return *last;
}

/* Groups of 4 bytes, 8 samples, for each channel in turn. */
static bool decode_ima(rmi_adpcm *adpcm, const uint8_t *block, size_t size)
{
    const size_t count = adpcm->channels;
    size_t groups;
    if (size < 4 * count)
        return true;
    groups = (size - 4 * count) / (4 * count);
    if (1 + groups * 8 > adpcm->block_frames)
        groups = (adpcm->block_frames - 1) / 8;
    for (size_t c = 0; c < count; c++) {
        int32_t last = signed16(block + 4 * c), index = block[4 * c + 2];
        if (index > 88)
            return false;
        adpcm->ready[c] = (float)last * 0x1p-15f;
        for (size_t g = 0; g < groups; g++) {
            const uint8_t *from = block + 4 * count * (g + 1) + 4 * c;
            for (size_t i = 0; i < 8; i++) {
                const unsigned code = i % 2 == 0 ? from[i / 2] & 15u : from[i / 2] >> 4;
                adpcm->ready[(1 + 8 * g + i) * count + c] = (float)ima_next(&last, &index, code) * 0x1p-15f;
            }
        }
    }
    adpcm->waiting = 1 + 8 * groups;
    return true;
}

bool rmi_adpcm_decode(rmi_adpcm *adpcm, const uint8_t *block, size_t size)
{
    adpcm->next = adpcm->waiting = 0;
    return adpcm->kind == RMI_ADPCM_MS ? decode_ms(adpcm, block, size) : decode_ima(adpcm, block, size);
}
