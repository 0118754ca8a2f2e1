#include "nodes/audio_support/audio_support.h"
#include "nodes/audio_support/sample_format.h"

#include <inttypes.h>
#include <stddef.h>

enum { DITHER_NONE, DITHER_TRIANGULAR };

struct format {
    int format, dither; /* parameters */
    int64_t seed;
    rmi_quantiser quantiser;
};

static const char *const format_names[] = {[RMI_SAMPLE_INT16] = "int16",
                                           [RMI_SAMPLE_INT24] = "int24",
                                           [RMI_SAMPLE_INT32] = "int32",
                                           [RMI_SAMPLE_FLOAT32] = "float32",
                                           NULL};
static const char *const dither_names[] = {[DITHER_NONE] = "none", [DITHER_TRIANGULAR] = "triangular", NULL};

static const rm_param format_params[] = {
    {.name = "format",
     .text = "The samples to make; int24 is an int32 whose lowest 8 bits are 0",
     .type = RM_PARAM_ENUM,
     .flags = RM_PARAM_REQUIRED,
     .offset = offsetof(struct format, format),
     .choice = {.choices = format_names}},
    {.name = "dither",
     .text = "Noise that is added before rounding to integers: none, or triangular (two steps wide)",
     .type = RM_PARAM_ENUM,
     .offset = offsetof(struct format, dither),
     .choice = {.choices = dither_names, .fallback = DITHER_NONE}},
    {.name = "seed",
     .text = "The seed of the noise; the same one gives the same samples everywhere",
     .type = RM_PARAM_INT64,
     .offset = offsetof(struct format, seed)},
    {0},
};

static const rm_port format_ports[] = {
    {.name = "in",
     .direction = RM_INPUT,
     .kinds = RM_KIND_AUDIO,
     .text = "Audio of int16, int32 or float32 samples"},
    {.name = "out",
     .direction = RM_OUTPUT,
     .kinds = RM_KIND_AUDIO,
     .text = "The same audio in the other format; metadata \"clipped\" counts samples that did not fit"},
    {0},
};

static int format_open(rm_node *node, void *state, rm_error *err)
{
    struct format *f = state;
    (void)node, (void)err;
    f->quantiser = (rmi_quantiser){.dithers = f->dither == DITHER_TRIANGULAR, .seed = (uint64_t)f->seed};
    return RM_OK;
}

/* Replaces the packet's audio by a tensor of the new format. */
static int convert(rm_node *node, struct format *f, rm_packet *packet, rm_error *err)
{
    const rm_allocator *allocator = rm_node_allocator(node);
    const rm_dtype dtype = rmi_sample_dtype((rmi_sample_format)f->format);
    rm_samples audio = {0};
    rm_value made = rm_null();
    int rc = rm_samples_of(packet->value, &audio, err);
    if (rc != RM_OK || (audio.dtype == RM_FLOAT32 && dtype == RM_FLOAT32))
        return rc;
    rm_tensor like = rm_tensor_view(packet->value);
    like.dtype = dtype;
    like.item_size = 0;
    rc = rm_tensor_new_like(allocator, &like, false, &made, err);
    if (rc == RM_OK)
        rc = rmi_sample_convert(&f->quantiser, audio.dtype, audio.data, audio.count,
                                (rmi_sample_format)f->format, rm_tensor_view(made).data, err);
    if (rc == RM_OK) {
        rm_value_clear(&packet->value);
        packet->value = rm_value_move(&made);
    }
    rm_value_clear(&made);
    return rc;
}

static int format_process(rm_node *node, void *state, unsigned port, rm_packet in, rm_error *err)
{
    struct format *f = state;
    const uint64_t before = f->quantiser.clipped;
    (void)port;
    int rc = convert(node, f, &in, err);
    if (rc == RM_OK && f->quantiser.clipped != before)
        rc = rmi_audio_annotate(rm_node_allocator(node), &in, "clipped",
                                rm_int((int64_t)(f->quantiser.clipped - before)), err);
    if (rc == RM_OK)
        rc = rm_emit(node, 0, rm_packet_move(&in));
    rm_packet_clear(&in);
    return rc;
}

static int format_flush(rm_node *node, void *state, rm_error *err)
{
    const struct format *f = state;
    (void)err;
    if (f->quantiser.clipped != 0)
        rm_node_log(node, RM_LOG_WARNING,
                    "%" PRIu64 " of %" PRIu64 " samples were beyond full scale and clipped",
                    f->quantiser.clipped, f->quantiser.position);
    if (f->quantiser.nan != 0)
        rm_node_log(node, RM_LOG_WARNING,
                    "%" PRIu64 " of %" PRIu64 " samples were no numbers and became silence", f->quantiser.nan,
                    f->quantiser.position);
    return RM_OK;
}

const rm_node_type rmi_node_audio_format = {
    .abi_version = RM_NODE_ABI_VERSION,
    .size = sizeof(rm_node_type),
    .name = "AudioFormat",
    .summary = "Converts samples between int16, int24, int32 and float32",
    .description =
        "Full scale is 1.0, and 32768 in int16, 2^31 in int32. int24 is an int32 whose lowest 8 bits are 0: its "
        "full scale is that of int32, so that nobody needs to know its bits. Integers become floats exactly; only "
        "int32 with more than 24 bits is rounded. Floats become the nearest integer, of two equally near ones the "
        "even one, and are clipped at full scale, never wrapped; NaN becomes silence. What was clipped is counted "
        "in the packet's metadata under \"clipped\", and in a warning at the end. Dither is added only where bits "
        "are lost.",
    .ports = format_ports,
    .params = format_params,
    .state_size = sizeof(struct format),
    .open = format_open,
    .process = format_process,
    .flush = format_flush,
};
