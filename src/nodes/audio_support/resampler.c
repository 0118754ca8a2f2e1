#include "nodes/audio_support/resampler_stage.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* A large ratio is made in steps: half-band filters are cheap, and the ratio's own filter then works at one and
 * a half to three times the lower rate. 384000 to 1000 Hz: seven halvings. */
enum { STAGES_MOST = 9 };

struct rmi_resampler {
    const rm_allocator *allocator;
    int64_t rate_in, rate_out;
    size_t channels;
    size_t count; /* stages */
    rmi_stage stages[STAGES_MOST];
    uint64_t taken, made; /* frames in and out so far */
    int64_t fed;          /* frames that the first stage has: `taken`, and silence at the end */
};

static int64_t common_divisor(int64_t a, int64_t b)
{
    while (b != 0) {
        const int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* Adds a half-band stage. */
static void add_half(rmi_resampler *r, rmi_stage_kind kind, rmi_resample_quality quality)
{
    rmi_stage *stage = &r->stages[r->count++];
    *stage = (rmi_stage){.kind = kind, .channels = r->channels};
    stage->pairs = rmi_half_band(quality, stage->half_band);
}

/* Halvings, then the ratio that remains, then doublings; of the first and the last at least one kind. */
static int add_stages(rmi_resampler *r, rmi_resample_quality quality, rm_error *err)
{
    const int64_t lower = r->rate_in < r->rate_out ? r->rate_in : r->rate_out;
    int64_t in = r->rate_in, out = r->rate_out; /* in parts of a power of two */
    int halvings = 0, doublings = 0;
    rmi_resampler_kernel kernel = {0};
    for (; r->rate_in >= 3 * lower << halvings; halvings++)
        add_half(r, RMI_STAGE_HALVE, quality);
    for (; r->rate_out >= 3 * lower << doublings; doublings++)
        ;
    in <<= doublings;
    out <<= halvings;
    const int64_t common = common_divisor(in, out);
    rmi_stage *stage = &r->stages[r->count++];
    *stage = (rmi_stage){.kind = RMI_STAGE_RATIO, .channels = r->channels};
    int rc = rmi_resampler_kernel_new(r->allocator, quality, &kernel, err);
    if (rc == RM_OK)
        rc = rmi_phases_new(r->allocator, out / common, in / common,
                            (double)(lower << halvings) / (double)r->rate_in, &kernel, &stage->phases, err);
    rmi_resampler_kernel_free(r->allocator, &kernel);
    for (int i = 0; i < doublings; i++)
        add_half(r, RMI_STAGE_DOUBLE, quality);
    return rc;
}

/* Where each stage begins: the last one at 0, the others as early as the next one needs. Filters reach behind
 * the time 0, and so do the frames between them. */
static int allocate_stages(rmi_resampler *r, rm_error *err)
{
    int rc = RM_OK;
    int64_t start = 0;
    for (size_t i = r->count; rc == RM_OK && i-- > 0;) {
        rmi_stage *stage = &r->stages[i];
        stage->start = start;
        start = rmi_stage_needs(stage, start);
        rc = rmi_stage_allocate(r->allocator, stage, i == 0 ? start : 0, err);
    }
    return rc;
}

void rmi_resampler_restart(rmi_resampler *r)
{
    for (size_t i = 0; i < r->count; i++)
        rmi_stage_restart(&r->stages[i], rmi_stage_needs(&r->stages[i], r->stages[i].start), i == 0);
    r->taken = r->made = 0;
    r->fed = 0;
}

int rmi_resampler_new(const rm_allocator *allocator, int32_t rate_in, int32_t rate_out, int32_t channels,
                      rmi_resample_quality quality, rmi_resampler **out, rm_error *err)
{
    *out = NULL;
    if (rate_in < RMI_RESAMPLE_SLOWEST || rate_in > RMI_RESAMPLE_FASTEST || rate_out < RMI_RESAMPLE_SLOWEST ||
        rate_out > RMI_RESAMPLE_FASTEST || rate_in == rate_out || channels < 1)
        return rm_error_set(err, RM_E_VALUE,
                            "cannot convert %" PRId32 " channel(s) from %" PRId32 " Hz to %" PRId32
                            " Hz; both rates are from %d to %d Hz",
                            channels, rate_in, rate_out, RMI_RESAMPLE_SLOWEST, RMI_RESAMPLE_FASTEST);
    rmi_resampler *r = allocator->resize(allocator->context, NULL, 0, sizeof *r);
    if (r == NULL)
        return rm_error_set(err, RM_E_OUT_OF_MEMORY, "out of memory (%zu bytes)", sizeof *r);
    *r = (rmi_resampler){
        .allocator = allocator, .rate_in = rate_in, .rate_out = rate_out, .channels = (size_t)channels};
    int rc = add_stages(r, quality, err);
    if (rc == RM_OK)
        rc = allocate_stages(r, err);
    if (rc == RM_OK) {
        rmi_resampler_restart(r);
        *out = r;
    } else {
        rmi_resampler_free(r);
    }
    return rc;
}

uint64_t rmi_resampler_ready(const rmi_resampler *r, size_t frames)
{
    int64_t end = r->fed + (int64_t)frames;
    for (size_t i = 0; i < r->count; i++)
        end = rmi_stage_reaches(&r->stages[i], end);
    return end > (int64_t)r->made ? (uint64_t)end - r->made : 0;
}

/* What makes no sense as a sample is silence: it would reach many outputs. So is what is too small to be heard and
 * large enough to make processors slow. */
static float sound(float sample)
{
    const float size = fabsf(sample);
    return size > 1e-30f && size <= 3.4e38f ? sample : 0.0f;
}

/* Gives the first stage as many frames of `in` as it has space for; NULL: of silence. Returns their number. */
static size_t feed(rmi_resampler *r, const float *in, size_t frames)
{
    rmi_stage *stage = &r->stages[0];
    const size_t space = rmi_stage_space(stage), count = frames < space ? frames : space;
    const rmi_stage_output plane = rmi_stage_input(stage);
    for (size_t c = 0; c < r->channels; c++) {
        float *to = plane.samples + c * plane.channel_step;
        for (size_t i = 0; in != NULL && i < count; i++)
            to[i] = sound(in[i * r->channels + c]);
        if (in == NULL)
            memset(to, 0, count * sizeof *to);
    }
    stage->filled += count;
    r->fed += (int64_t)count;
    return count;
}

/* Lets the last stage that can make frames, and has room for them, do so. Returns false when there is none;
 * *made counts frames that left the last stage. */
static bool advance(rmi_resampler *r, float *out, size_t room, size_t *made)
{
    for (size_t i = r->count; i-- > 0;) {
        rmi_stage *stage = &r->stages[i], *next = i + 1 < r->count ? stage + 1 : NULL;
        const int64_t possible =
            rmi_stage_reaches(stage, stage->first + (int64_t)stage->filled) - stage->next;
        const size_t space = next != NULL ? rmi_stage_space(next) : room;
        size_t count = space < RMI_STAGE_BLOCK ? space : RMI_STAGE_BLOCK;
        if (possible <= 0 || count == 0)
            continue;
        count = (uint64_t)possible < count ? (size_t)possible : count;
        rmi_stage_make(stage, count,
                       next != NULL ? rmi_stage_input(next) : (rmi_stage_output){out, 1, r->channels});
        if (next != NULL)
            next->filled += count;
        else
            *made += count;
        return true;
    }
    return false;
}

void rmi_resampler_process(rmi_resampler *r, const float *in, size_t frames, size_t *used, float *out,
                           size_t room, size_t *made)
{
    size_t fed = 0;
    *used = *made = 0;
    do {
        while (advance(r, room > 0 ? out + *made * r->channels : NULL, room - *made, made))
            ;
        fed = *used < frames ? feed(r, in + *used * r->channels, frames - *used) : 0;
        *used += fed;
    } while (fed > 0);
    r->taken += *used;
    r->made += *made;
}

uint64_t rmi_resampler_rest(const rmi_resampler *r)
{
    const uint64_t in = (uint64_t)r->rate_in, out = (uint64_t)r->rate_out;
    return r->taken / in * out + (r->taken % in * out + in - 1) / in - r->made;
}

size_t rmi_resampler_flush(rmi_resampler *r, float *out, size_t room)
{
    const uint64_t rest = rmi_resampler_rest(r);
    const size_t wanted = rest < room ? (size_t)rest : room;
    size_t made = 0;
    while (made < wanted)
        if (!advance(r, out + made * r->channels, wanted - made, &made))
            (void)feed(r, NULL, RMI_STAGE_BLOCK);
    r->made += made;
    return made;
}

void rmi_resampler_free(rmi_resampler *r)
{
    if (r == NULL)
        return;
    for (size_t i = 0; i < r->count; i++)
        rmi_stage_free(r->allocator, &r->stages[i]);
    r->allocator->resize(r->allocator->context, r, sizeof *r, 0);
}
