/* A node type in a shared object: AudioGain multiplies audio by a gain in dB.
 *
 *   cc -shared -fPIC audio_gain.c -o audio_gain.so $(pkg-config --cflags remotemedia) -lm
 *   remotemedia run pipeline.json --plugin ./audio_gain.so
 *
 * A plug-in is not linked to the library: the program that loads it has the functions. */
#include <math.h>
#include <stddef.h>

#include <remotemedia/node.h>

struct gain {
    double gain_db; /* parameter */
    float factor;   /* gain_db as a factor */
};

static const rm_param gain_params[] = {
    {.name = "gain_db",
     .text = "Gain in dB; 0 leaves the samples as they are",
     .type = RM_PARAM_FLOAT64,
     .offset = offsetof(struct gain, gain_db),
     .f64 = {.fallback = 0.0, .min = -120.0, .max = 60.0}},
    {0},
};

static const rm_port gain_ports[] = {
    {.name = "in",
     .direction = RM_INPUT,
     .kinds = RM_KIND_AUDIO,
     .format = {.dtype = RM_FLOAT32},
     .text = "Audio"},
    {.name = "out",
     .direction = RM_OUTPUT,
     .kinds = RM_KIND_AUDIO,
     .format = {.dtype = RM_FLOAT32},
     .text = "The same, louder or softer"},
    {0},
};

static int gain_open(rm_node *node, void *state, rm_error *err)
{
    struct gain *g = state;
    (void)node, (void)err;
    g->factor = (float)pow(10.0, g->gain_db / 20.0);
    return RM_OK;
}

static int gain_process(rm_node *node, void *state, unsigned port, rm_packet in, rm_error *err)
{
    const struct gain *g = state;
    rm_samples audio = {0};
    (void)port;
    int rc = rm_samples_make_unique(rm_node_allocator(node), &in.value, &audio, err); /* a copy if shared */
    for (size_t i = 0; rc == RM_OK && i < audio.count; i++)
        audio.f32[i] *= g->factor;
    if (rc == RM_OK)
        rc = rm_emit(node, 0, rm_packet_move(&in));
    rm_packet_clear(&in); /* empty after the move */
    return rc;
}

static const rm_node_type gain_type = {
    .abi_version = RM_NODE_ABI_VERSION,
    .size = sizeof(rm_node_type),
    .name = "AudioGain",
    .summary = "Multiplies audio samples by a gain in dB",
    .ports = gain_ports,
    .params = gain_params,
    .state_size = sizeof(struct gain),
    .open = gain_open,
    .process = gain_process,
};

/* What the program looks for in a plug-in. */
RM_API const rm_plugin *rm_plugin_entry_v1(void);

const rm_plugin *rm_plugin_entry_v1(void)
{
    static const rm_node_type *const types[] = {&gain_type, NULL};
    static const rm_plugin plugin = {
        .abi_version = RM_NODE_ABI_VERSION,
        .size = sizeof(rm_plugin),
        .name = "audio_gain",
        .version = "1.0.0",
        .licence = "MIT",
        .types = types,
    };
    return &plugin;
}
