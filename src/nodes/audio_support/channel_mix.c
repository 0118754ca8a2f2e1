#include "nodes/audio_support/channel_mix.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "nodes/audio_support/channel_layout.h"
#include "nodes/audio_support/channel_places.h"

/* A mix of more gains than this is none that anybody wants. */
enum { GAINS_MOST = 1 << 20 };

/* One summand of an output channel. */
struct term {
    uint32_t channel;
    float gain;
};

struct rmi_channel_mix {
    const rm_allocator *allocator;
    size_t bytes, in, out;
    bool identity;
    size_t *ends;        /* for each output, the end of its terms */
    struct term terms[]; /* in * out at most; `ends` lies behind them */
};

static int mix_allocate(const rm_allocator *allocator, size_t in, size_t out, rmi_channel_mix **mix,
                        rm_error *err)
{
    size_t bytes = sizeof **mix;
    if (in > GAINS_MOST || out > GAINS_MOST || in * out > GAINS_MOST) {
        rm_error_set(err, RM_E_LIMIT, "a mix of %zu channels to %zu is too large", in, out);
        return RM_E_LIMIT;
    }
    bytes += in * out * sizeof(struct term) + out * sizeof(size_t);
    *mix = allocator->resize(allocator->context, NULL, 0, bytes);
    if (*mix == NULL) {
        rm_error_set(err, RM_E_OUT_OF_MEMORY, "out of memory (%zu bytes)", bytes);
        return RM_E_OUT_OF_MEMORY;
    }
    **mix = (rmi_channel_mix){.allocator = allocator, .bytes = bytes, .in = in, .out = out};
    (*mix)->ends = (size_t *)(void *)((*mix)->terms + in * out);
    return RM_OK;
}

int rmi_channel_mix_of(const rm_allocator *allocator, const double *gains, int32_t in, int32_t out_count,
                       rmi_channel_mix **out, rm_error *err)
{
    *out = NULL;
    const int rc = mix_allocate(allocator, (size_t)in, (size_t)out_count, out, err);
    if (rc != RM_OK)
        return rc;
    size_t terms = 0;
    (*out)->identity = in == out_count;
    for (int32_t o = 0; o < out_count; o++) {
        for (int32_t i = 0; i < in; i++) {
            const float gain = (float)gains[(size_t)o * (size_t)in + (size_t)i];
            if (gain != 0.0f)
                (*out)->terms[terms++] = (struct term){(uint32_t)i, gain};
            if (gain != (i == o ? 1.0f : 0.0f))
                (*out)->identity = false;
        }
        (*out)->ends[o] = terms;
    }
    return RM_OK;
}

/* A matrix while it is made, one input after the other. */
struct mix_matrix {
    uint64_t from, to;
    double *gains; /* outputs * inputs */
    size_t inputs, input;
};

static bool has(uint64_t mask, uint64_t bits)
{
    return (mask & bits) == bits;
}

/* Adds `gain` to the outputs at `bits`. */
static void add(const struct mix_matrix *p, uint64_t bits, double gain)
{
    size_t output = 0;
    for (uint64_t bit = 1; bit <= p->to && bit != 0; bit <<= 1) {
        if (p->to & bits & bit)
            p->gains[output * p->inputs + p->input] += gain;
        output += (p->to & bit) != 0;
    }
}

/* Puts the channel `bit` where the output can have it; returns false when there is no such place. */
static bool place(const struct mix_matrix *p, uint64_t bit, double gain)
{
    static const struct {
        uint64_t bit, other, front; /* the same side, from the side or the back; in front */
    } rears[] = {{BL, SL, FL}, {BR, SR, FR}, {SL, BL, FL}, {SR, BR, FR}};
    const double half_power = sqrt(0.5);
    if (bit == RM_CHANNEL_LFE || has(p->to, bit)) {
        add(p, bit, gain);
        return true;
    }
    if (bit == RM_CHANNEL_FRONT_LEFT_OF_CENTER || bit == RM_CHANNEL_FRONT_RIGHT_OF_CENTER)
        return place(p, bit == RM_CHANNEL_FRONT_LEFT_OF_CENTER ? FL : FR, gain);
    if ((bit == FL || bit == FR) && has(p->to, FC)) {
        add(p, FC, gain * half_power);
        return true;
    }
    if (bit == FC && has(p->to, FL | FR)) {
        add(p, FL | FR, p->from == FC ? gain : gain * half_power);
        return true;
    }
    if (bit == BC) {
        const uint64_t pair = has(p->to, BL | BR) ? BL | BR : has(p->to, SL | SR) ? SL | SR : 0;
        add(p, pair, gain * half_power);
        return pair != 0 ||
               (place(p, FL, gain * half_power * half_power) && place(p, FR, gain * half_power * half_power));
    }
    for (size_t i = 0; i < sizeof rears / sizeof *rears; i++)
        if (rears[i].bit == bit) {
            const uint64_t to = has(p->to, rears[i].other) ? rears[i].other : has(p->to, BC) ? BC : 0;
            const bool alone = to != BC && !has(p->from, rears[i].other);
            add(p, to, alone ? gain : gain * half_power);
            return to != 0 || place(p, rears[i].front, gain * half_power);
        }
    return false;
}

/* Fills the matrix by the places of both sets. */
static int fill(struct mix_matrix *p, rm_error *err)
{
    char from[64], to[64];
    for (uint64_t bit = 1; bit <= p->from && bit != 0; bit <<= 1) {
        if (!(p->from & bit))
            continue;
        if (!place(p, bit, 1.0))
            return rm_error_set(
                err, RM_E_VALUE,
                "channels %s cannot be mixed to %s: there is no place for %s; give a matrix, or "
                "select channels",
                rmi_layout_name(p->from, from, sizeof from), rmi_layout_name(p->to, to, sizeof to),
                rmi_channel_name(bit) ? rmi_channel_name(bit) : "one of them");
        p->input++;
    }
    return RM_OK;
}

/* The gains of the whole are lowered: to mono by 3 dB, and as `normalize` says. */
static void lower(const struct mix_matrix *p, size_t outputs, bool normalize)
{
    double most = 0.0,
           gain = p->from != 0 && p->to == RM_CHANNEL_FRONT_CENTER && p->from != p->to ? sqrt(0.5) : 1.0;
    for (size_t o = 0; o < outputs; o++) {
        double sum = 0.0;
        for (size_t i = 0; i < p->inputs; i++)
            sum += fabs(p->gains[o * p->inputs + i]);
        most = sum > most ? sum : most;
    }
    if (normalize && most * gain > 1.0)
        gain = 1.0 / most;
    for (size_t i = 0; i < outputs * p->inputs; i++)
        p->gains[i] *= gain;
}

/* The places of a set; 0 where they are not known. */
static uint64_t known(rmi_channel_set set)
{
    return rmi_layout_channels(set.layout) == set.channels ? set.layout : rmi_layout_usual(set.channels);
}

/* Makes the matrix where places are not known: the same order, or the mean of all. */
static int without_places(rmi_channel_set from, rmi_channel_set to, double *gains, rm_error *err)
{
    if (from.channels != to.channels && to.channels != 1)
        return rm_error_set(
            err, RM_E_VALUE,
            "%" PRId32 " channels cannot be mixed to %" PRId32
            ": the places of their loudspeakers are not known; give a matrix, or select channels",
            from.channels, to.channels);
    for (int32_t i = 0; i < from.channels; i++)
        gains[to.channels == 1 ? (size_t)i : (size_t)i * (size_t)from.channels + (size_t)i] =
            to.channels == 1 ? 1.0 / from.channels : 1.0;
    return RM_OK;
}

int rmi_channel_mix_new(const rm_allocator *allocator, rmi_channel_set from, rmi_channel_set to,
                        bool normalize, rmi_channel_mix **out, rm_error *err)
{
    const size_t in = (size_t)from.channels, outputs = (size_t)to.channels;
    struct mix_matrix p = {.from = known(from), .to = known(to), .inputs = in};
    *out = NULL;
    if (in > GAINS_MOST || outputs > GAINS_MOST || in * outputs > GAINS_MOST)
        return rm_error_set(err, RM_E_LIMIT, "a mix of %zu channels to %zu is too large", in, outputs);
    const size_t bytes = in * outputs * sizeof(double);
    p.gains = allocator->resize(allocator->context, NULL, 0, bytes);
    if (p.gains == NULL)
        return rm_error_set(err, RM_E_OUT_OF_MEMORY, "out of memory (%zu bytes)", bytes);
    memset(p.gains, 0, bytes);
    int rc = p.from != 0 && p.to != 0 ? fill(&p, err) : without_places(from, to, p.gains, err);
    if (rc == RM_OK) {
        lower(&p, outputs, normalize);
        rc = rmi_channel_mix_of(allocator, p.gains, from.channels, to.channels, out, err);
    }
    allocator->resize(allocator->context, p.gains, bytes, 0);
    return rc;
}

bool rmi_channel_mix_is_identity(const rmi_channel_mix *mix)
{
    return mix->identity;
}

void rmi_channel_mix_frames(const rmi_channel_mix *mix, const float *in, size_t frames, float *out)
{
    const struct term *first = mix->terms;
    for (size_t o = 0; o < mix->out; o++) {
        const struct term *end = mix->terms + mix->ends[o];
        const float *from = in;
        float *to = out + o;
        for (size_t i = 0; i < frames; i++, from += mix->in, to += mix->out) {
            float sum = 0.0f;
            for (const struct term *term = first; term < end; term++)
                sum += term->gain * from[term->channel];
            *to = sum;
        }
        first = end;
    }
}

void rmi_channel_mix_free(rmi_channel_mix *mix)
{
    if (mix != NULL)
        mix->allocator->resize(mix->allocator->context, mix, mix->bytes, 0);
}
