/* From a packet to samples (4.3). */
#include "nodes/audio_file/vorbis/vorbis_parts.h"

#include <string.h>

#include "nodes/audio_support/lanes.h"

/* The mode of an audio packet; NULL for another packet. */
static const rmi_vorbis_mode *take_mode(const rmi_vorbis *vorbis, rmi_bits *bits)
{
    if (rmi_bits_take(bits, 1) != 0)
        return NULL;
    const uint32_t mode = rmi_bits_take(bits, rmi_bits_needed(vorbis->modes - 1));
    return bits->past || mode >= vorbis->modes ? NULL : &vorbis->mode[mode];
}

size_t rmi_vorbis_measure(rmi_vorbis *vorbis, const uint8_t *packet, size_t length)
{
    rmi_bits bits = rmi_bits_of(packet, length);
    const rmi_vorbis_mode *mode = take_mode(vorbis, &bits);
    if (mode == NULL)
        return 0;
    const size_t half = (size_t)1 << (vorbis->block_bits[mode->is_long] - 1);
    const size_t frames = vorbis->measured != 0 ? (vorbis->measured + half) / 2 : 0;
    vorbis->measured = half;
    return frames;
}

void rmi_vorbis_reset(rmi_vorbis *vorbis)
{
    vorbis->measured = 0;
    vorbis->decoded = 0;
}

/* Undoes the coupling of two channels (4.3.5). */
static void uncouple(float *magnitude, float *angle, size_t half)
{
    for (size_t i = 0; i < half; i += 4) {
        const lanes m = load(magnitude + i), a = load(angle + i);
        const lanes step = choose(m > 0.0f, a, -a);
        store(magnitude + i, choose(a > 0.0f, m, m + step));
        store(angle + i, choose(a > 0.0f, m - step, m));
    }
}

/* The spectra of all channels. */
static void take_spectra(rmi_vorbis *vorbis, const rmi_vorbis_mode *mode, rmi_bits *bits)
{
    const rmi_vorbis_mapping *mapping = &vorbis->mapping[mode->mapping];
    const size_t channels = (size_t)vorbis->channels;
    const size_t half = (size_t)1 << (vorbis->block_bits[mode->is_long] - 1);
    for (size_t c = 0; c < channels; c++) {
        const rmi_vorbis_floor *floor = &vorbis->floor[mapping->floor[mapping->mux[c]]];
        vorbis->silent[c] = !rmi_vorbis_floor_take(vorbis, floor, bits, vorbis->posts + c * RMI_VORBIS_POSTS);
        vorbis->skipped[c] = vorbis->silent[c];
    }
    for (unsigned i = 0; i < mapping->steps; i++) {
        bool *one = &vorbis->skipped[mapping->magnitude[i]], *other = &vorbis->skipped[mapping->angle[i]];
        *one = *other = *one && *other;
    }
    for (unsigned s = 0; s < mapping->submaps; s++) {
        size_t count = 0;
        for (size_t c = 0; c < channels; c++)
            if (mapping->mux[c] == s) {
                vorbis->lines[count] = vorbis->spectrum[c];
                vorbis->flags[count++] = vorbis->skipped[c];
            }
        if (count != 0)
            rmi_vorbis_residue_take(vorbis, &vorbis->residue[mapping->residue[s]], bits, vorbis->lines,
                                    vorbis->flags, count, half);
    }
    for (unsigned i = mapping->steps; i-- > 0;)
        uncouple(vorbis->spectrum[mapping->magnitude[i]], vorbis->spectrum[mapping->angle[i]], half);
    for (size_t c = 0; c < channels; c++)
        if (!vorbis->silent[c])
            rmi_vorbis_floor_apply(vorbis, &vorbis->floor[mapping->floor[mapping->mux[c]]],
                                   vorbis->posts + c * RMI_VORBIS_POSTS, mode->is_long, vorbis->spectrum[c]);
}

/* Joins the block before with this one (4.3.8): from the middle of the one to the middle of the other. Their
 * second and first halves are mirror images of the numbers that the transform made. */
static void overlap(const float *before, size_t half_before, const float *now, size_t half,
                    const rmi_vorbis_mdct *window, float *out)
{
    const size_t both = window->half, alone = (half_before - both) / 2;
    const float *rising = now + half / 2; /* this block's second quarter */
    for (size_t i = 0; i < alone; i++)
        out[i] = -before[half_before / 2 - 1 - i];
    out += alone;
    const float *start = rising + (half - both) / 2;
    for (size_t i = 0; i < both / 2; i += 4) {
        const lanes old = -backward(load(before + both / 2 - 4 - i)), new = load(start + i);
        const lanes up = load(window->window + i);
        const lanes down = backward(load(window->window + both - 4 - i));
        store(out + i, old * down + new *up);
        store(out + both - 4 - i, backward(old * up - new *down));
    }
    out += both;
    for (size_t i = (half + both) / 2; i < half; i++)
        *out++ = -rising[half - 1 - i];
}

static void interleave(const rmi_vorbis *vorbis, size_t frames, size_t room, const uint8_t *places,
                       float *samples)
{
    const size_t channels = (size_t)vorbis->channels;
    if (channels == 1) {
        memcpy(samples, vorbis->planar, frames * sizeof *samples);
        return;
    }
    if (channels == 2) {
        const float *left = vorbis->planar + places[0] * room, *right = vorbis->planar + places[1] * room;
        for (size_t i = 0; i < frames; i += 4) {
            const lanes a = load(left + i), b = load(right + i);
            store(samples + 2 * i, zip_low(a, b));
            store(samples + 2 * i + 4, zip_high(a, b));
        }
        return;
    }
    for (size_t c = 0; c < channels; c++) {
        const float *from = vorbis->planar + places[c] * room;
        for (size_t i = 0; i < frames; i++)
            samples[i * channels + c] = from[i];
    }
}

size_t rmi_vorbis_decode(rmi_vorbis *vorbis, const uint8_t *packet, size_t length, const uint8_t *places,
                         float *samples)
{
    const size_t channels = (size_t)vorbis->channels, room = (size_t)1 << (vorbis->block_bits[1] - 1);
    rmi_bits bits = rmi_bits_of(packet, length);
    const rmi_vorbis_mode *mode = take_mode(vorbis, &bits);
    if (mode == NULL)
        return 0;
    if (mode->is_long) /* how its neighbours overlap; they say so themselves */
        rmi_bits_take(&bits, 2);
    const rmi_vorbis_mdct *mdct = &vorbis->mdct[mode->is_long];
    const size_t half = mdct->half, before = vorbis->decoded;
    const size_t frames = before != 0 ? (before + half) / 2 : 0;
    const rmi_vorbis_mdct *window = before != 0 && before < half ? &vorbis->mdct[0] : mdct;
    take_spectra(vorbis, mode, &bits);
    for (size_t c = 0; c < channels; c++) {
        if (vorbis->silent[c])
            memset(vorbis->now[c], 0, half * sizeof **vorbis->now);
        else
            rmi_vorbis_mdct_inverse(mdct, vorbis->spectrum[c], vorbis->now[c], vorbis->work);
        if (before != 0)
            overlap(vorbis->before[c], before, vorbis->now[c], half, window, vorbis->planar + c * room);
        float *swap = vorbis->now[c];
        vorbis->now[c] = vorbis->before[c];
        vorbis->before[c] = swap;
    }
    vorbis->decoded = half;
    interleave(vorbis, frames, room, places, samples);
    return frames;
}
