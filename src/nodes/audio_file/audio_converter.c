#include "nodes/audio_file/audio_converter.h"

#include "nodes/audio_support/channel_mix.h"
#include "nodes/audio_support/resampler.h"

/* Frames between the two steps, where there are both. */
enum { PIECE = 512 };

/* The step that makes fewer channels comes first; what is between the two is interleaved in `piece`. */
struct rmi_audio_converter {
    const rm_allocator *allocator;
    rmi_audio_format from, to;
    rmi_channel_mix *mix;     /* NULL: the channels stay */
    rmi_resampler *resampler; /* NULL: the rate stays */
    bool mixes_first;
    float *piece;                      /* NULL unless there are both steps */
    size_t piece_bytes, next, waiting; /* mixed frames that wait for the resampler */
};

static int start(rmi_audio_converter *c, rm_error *err)
{
    const rmi_audio_format *from = &c->from, *to = &c->to;
    const rmi_channel_set in = {from->channels, from->channel_layout},
                          out = {to->channels, to->channel_layout};
    int rc = RM_OK;
    c->mixes_first = to->channels < from->channels;
    if (from->channels != to->channels || from->channel_layout != to->channel_layout)
        rc = rmi_channel_mix_new(c->allocator, in, out, false, &c->mix, err);
    if (rc == RM_OK && from->sample_rate != to->sample_rate)
        rc = rmi_resampler_new(c->allocator, from->sample_rate, to->sample_rate,
                               c->mixes_first ? to->channels : from->channels, RMI_RESAMPLE_STANDARD,
                               &c->resampler, err);
    if (rc != RM_OK || c->mix == NULL || c->resampler == NULL)
        return rc;
    c->piece_bytes = PIECE * sizeof(float) * (size_t)(c->mixes_first ? to->channels : from->channels);
    c->piece = c->allocator->resize(c->allocator->context, NULL, 0, c->piece_bytes);
    return c->piece != NULL ? RM_OK : rm_error_set(err, RM_E_OUT_OF_MEMORY, "out of memory");
}

int rmi_audio_converter_open(const rm_allocator *allocator, const rmi_audio_format *from,
                             const rmi_audio_format *to, rmi_audio_converter **out, rm_error *err)
{
    rmi_audio_converter *c = allocator->resize(allocator->context, NULL, 0, sizeof *c);
    *out = NULL;
    if (c == NULL)
        return rm_error_set(err, RM_E_OUT_OF_MEMORY, "out of memory");
    *c = (rmi_audio_converter){.allocator = allocator, .from = *from, .to = *to};
    const int rc = start(c, err);
    if (rc == RM_OK)
        *out = c;
    else
        rmi_audio_converter_close(c);
    return rc;
}

/* Through the resampler, or at the end (`in` NULL) out of it. Returns the number of frames given. */
static size_t resample(rmi_audio_converter *c, const float *in, size_t frames, size_t *used, float *out,
                       size_t room)
{
    size_t made = 0;
    *used = 0;
    if (in == NULL)
        return rmi_resampler_flush(c->resampler, out, room);
    rmi_resampler_process(c->resampler, in, frames, used, out, room, &made);
    return made;
}

/* Mixes up to a piece, and resamples what is mixed. */
static size_t mix_and_resample(rmi_audio_converter *c, const float *in, size_t frames, size_t *used,
                               float *out, size_t room)
{
    const size_t channels = (size_t)c->to.channels;
    size_t taken = 0;
    *used = 0;
    if (c->waiting == 0 && in != NULL) {
        *used = frames < PIECE ? frames : PIECE;
        rmi_channel_mix_frames(c->mix, in, *used, c->piece);
        c->next = 0;
        c->waiting = *used;
    }
    const float *from = c->waiting != 0 ? c->piece + c->next * channels : NULL;
    const size_t made = resample(c, from, c->waiting, &taken, out, room);
    c->next += taken;
    c->waiting -= taken;
    return made;
}

/* Resamples up to a piece, and mixes what came out. */
static size_t resample_and_mix(rmi_audio_converter *c, const float *in, size_t frames, size_t *used,
                               float *out, size_t room)
{
    const size_t made = resample(c, in, frames, used, c->piece, room < PIECE ? room : PIECE);
    rmi_channel_mix_frames(c->mix, c->piece, made, out);
    return made;
}

/* One step; returns the number of frames given. */
static size_t convert(rmi_audio_converter *c, const float *in, size_t frames, size_t *used, float *out,
                      size_t room)
{
    if (c->mix != NULL && c->resampler != NULL)
        return c->mixes_first ? mix_and_resample(c, in, frames, used, out, room)
                              : resample_and_mix(c, in, frames, used, out, room);
    if (c->resampler != NULL)
        return resample(c, in, frames, used, out, room);
    *used = in == NULL ? 0 : frames < room ? frames : room;
    rmi_channel_mix_frames(c->mix, in, *used, out);
    return *used;
}

void rmi_audio_converter_process(rmi_audio_converter *c, const float *in, size_t *in_frames, float *out,
                                 size_t *out_frames)
{
    const size_t in_channels = (size_t)c->from.channels, out_channels = (size_t)c->to.channels;
    size_t taken = 0, done = 0, used, made, before;
    do {
        const float *from = in != NULL && taken < *in_frames ? in + taken * in_channels : NULL;
        before = c->waiting;
        used = made = 0;
        if (done < *out_frames && (in == NULL || from != NULL || before != 0))
            made = convert(c, from, from != NULL ? *in_frames - taken : 0, &used, out + done * out_channels,
                           *out_frames - done);
        taken += used;
        done += made;
    } while (used + made != 0 || c->waiting < before);
    *in_frames = taken;
    *out_frames = done;
}

void rmi_audio_converter_close(rmi_audio_converter *c)
{
    if (c == NULL)
        return;
    const rm_allocator *allocator = c->allocator;
    rmi_channel_mix_free(c->mix);
    rmi_resampler_free(c->resampler);
    if (c->piece != NULL)
        allocator->resize(allocator->context, c->piece, c->piece_bytes, 0);
    allocator->resize(allocator->context, c, sizeof *c, 0);
}
