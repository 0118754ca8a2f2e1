#include "nodes/audio_support/audio_support.h"
#include "nodes/audio_support/channel_layout.h"
#include "nodes/audio_support/channel_mix.h"
#include "nodes/process_many.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

/* The most channels that a parameter may name. */
enum { CHANNELS_MOST = 254 };

struct channels {
    int64_t channels; /* parameters; NULL, 0 or null where they are not given */
    const char *layout, *input_layout;
    rm_value select, matrix;
    bool normalize;
    rmi_channel_set to;     /* the output, where the input does not decide it */
    uint64_t from_layout;   /* of input_layout; 0: as the packets say */
    rmi_channel_set from;   /* of the mix */
    rmi_channel_mix *mix;   /* from `from`; NULL before the first packet */
    uint64_t output_layout; /* of the mix */
};

static const rm_param channels_params[] = {
    {.name = "channels",
     .text =
         "Mixes to the usual layout of this many channels (1: mono, 2: stereo, 6: 5.1, 8: 7.1); 0: not given",
     .type = RM_PARAM_INT64,
     .offset = offsetof(struct channels, channels),
     .i64 = {.fallback = 0, .min = 0, .max = CHANNELS_MOST}},
    {.name = "layout",
     .text =
         "Mixes to this layout: its name (mono, stereo, 5.1 ...) or its channels in the order of a WAV file, each "
         "once (FL+FR+LFE)",
     .type = RM_PARAM_STRING,
     .offset = offsetof(struct channels, layout)},
    {.name = "select",
     .text =
         "Takes these channels, in this order: numbers from 0, or names (FL, FR, FC, LFE, BL, BR, SL, SR ...)",
     .type = RM_PARAM_VALUE,
     .offset = offsetof(struct channels, select)},
    {.name = "matrix",
     .text = "Mixes by these gains: a list for each output channel, with a number for each input channel",
     .type = RM_PARAM_VALUE,
     .offset = offsetof(struct channels, matrix)},
    {.name = "normalize",
     .text = "With channels or layout: lowers all gains so that full-scale channels cannot add up to more",
     .type = RM_PARAM_BOOL,
     .offset = offsetof(struct channels, normalize)},
    {.name = "input_layout",
     .text = "What the channels of the input are, where the audio does not say it or says it wrongly",
     .type = RM_PARAM_STRING,
     .offset = offsetof(struct channels, input_layout)},
    {0},
};

static const rm_port channels_ports[] = {
    {.name = "in",
     .direction = RM_INPUT,
     .kinds = RM_KIND_AUDIO,
     .format = {.dtype = RM_FLOAT32},
     .text = "Audio"},
    {.name = "out",
     .direction = RM_OUTPUT,
     .kinds = RM_KIND_AUDIO,
     .format = {.dtype = RM_FLOAT32},
     .text = "The same frames with other channels"},
    {0},
};

/* A value of the parameter `param` is wrong, as `err` says already. */
static int wrong(const char *param, const char *hint, rm_error *err)
{
    rm_error_pointer(err, "/params/%s", param);
    if (hint != NULL)
        rm_error_hint(err, "%s", hint);
    return RM_E_VALUE;
}

/* Checks item `i` of `select`. */
static int check_selected(rm_value item, size_t i, rm_error *err)
{
    if (item.kind == RM_INT && item.i >= 0 && item.i < INT32_MAX)
        return RM_OK;
    if (item.kind == RM_STRING && rmi_channel_parse(rm_string_text(item, NULL)) != 0)
        return RM_OK;
    if (item.kind == RM_STRING)
        rm_error_set(err, RM_E_VALUE, "'select' names a channel '%s', which is none",
                     rm_string_text(item, NULL));
    else
        rm_error_set(err, RM_E_VALUE,
                     "item %zu of 'select' is neither a number from 0 nor the name of a channel", i);
    rm_error_pointer(err, "/params/select/%zu", i);
    rm_error_hint(
        err, "the names are FL, FR, FC, LFE, BL, BR, FLC, FRC, BC, SL, SR, TC, TFL, TFC, TFR, TBL, TBC and "
             "TBR");
    return RM_E_VALUE;
}

/* Checks `select`: a list of numbers and names. */
static int check_select(rm_value select, rm_error *err)
{
    const size_t count = rm_list_length(select);
    int rc = RM_OK;
    if (select.kind != RM_LIST || count == 0 || count > CHANNELS_MOST) {
        rm_error_set(err, RM_E_VALUE, "'select' must be a list of 1 to %d channels", CHANNELS_MOST);
        return wrong("select", "[1, 0] exchanges two channels, [\"FC\"] takes the centre", err);
    }
    for (size_t i = 0; rc == RM_OK && i < count; i++)
        rc = check_selected(rm_list_get(select, i), i, err);
    return rc;
}

/* The number in `value`, which a float32 holds; false for anything else. */
static bool gain_of(rm_value value, double *gain)
{
    *gain = value.kind == RM_INT ? (double)value.i : value.kind == RM_FLOAT ? value.f : NAN;
    return fabs(*gain) <= (double)FLT_MAX;
}

/* Checks row `o` of `matrix`: `width` numbers. */
static int check_row(rm_value row, size_t o, size_t width, rm_error *err)
{
    double gain;
    if (rm_list_length(row) != width) {
        rm_error_set(err, RM_E_VALUE,
                     "row %zu of 'matrix' has %zu gains, row 0 has %zu: one for each input channel", o,
                     rm_list_length(row), width);
        rm_error_pointer(err, "/params/matrix/%zu", o);
        rm_error_hint(err, "the gain of a channel that is not to be heard is 0");
        return RM_E_VALUE;
    }
    for (size_t i = 0; i < width; i++)
        if (!gain_of(rm_list_get(row, i), &gain)) {
            rm_error_set(err, RM_E_VALUE, "gain %zu in row %zu of 'matrix' is no number that a float32 holds",
                         i, o);
            rm_error_pointer(err, "/params/matrix/%zu/%zu", o, i);
            rm_error_hint(err, "a gain of 1 leaves a channel as it is");
            return RM_E_VALUE;
        }
    return RM_OK;
}

/* Checks `matrix`: lists of the same length. */
static int check_matrix(rm_value matrix, rm_error *err)
{
    const size_t rows = rm_list_length(matrix), width = rm_list_length(rm_list_get(matrix, 0));
    int rc = RM_OK;
    if (matrix.kind != RM_LIST || rows == 0 || rows > CHANNELS_MOST || width == 0 || width > CHANNELS_MOST) {
        rm_error_set(err, RM_E_VALUE, "'matrix' must be a list with a list of gains for each output channel");
        return wrong("matrix", "[[0.5, 0.5]] is the mean of two channels", err);
    }
    for (size_t o = 0; rc == RM_OK && o < rows; o++)
        rc = check_row(rm_list_get(matrix, o), o, width, err);
    return rc;
}

/* Decides the set of output channels. */
static int decide_output(struct channels *c, rm_error *err)
{
    const char *other = c->matrix.kind != RM_NULL ? "matrix" : "channels";
    const size_t rows = c->matrix.kind != RM_NULL ? rm_list_length(c->matrix) : (size_t)c->channels;
    c->to.channels = (int32_t)rows;
    if (c->layout == NULL)
        return RM_OK;
    if (rmi_layout_parse(c->layout, &c->to.layout, err) != RM_OK)
        return wrong("layout", NULL, err);
    c->to.channels = rmi_layout_channels(c->to.layout);
    if (rows == 0 || (size_t)c->to.channels == rows)
        return RM_OK;
    rm_error_set(err, RM_E_VALUE, "'layout' %s has %" PRId32 " channels, and '%s' has %zu", c->layout,
                 c->to.channels, other, rows);
    return wrong("layout", "give both the same number of channels, or only one of them", err);
}

/* Checks which of the parameters are given. */
static int check_given(const struct channels *c, rm_error *err)
{
    const bool mixes = c->channels != 0 || c->layout != NULL, matrix = c->matrix.kind != RM_NULL;
    const bool selects = c->select.kind != RM_NULL;
    if (!mixes && !matrix && !selects) {
        rm_error_set(err, RM_E_MISSING_PARAMETER,
                     "AudioChannels needs 'channels', 'layout', 'select' or 'matrix'");
        rm_error_hint(err, "\"channels\": 1 mixes to mono");
        return RM_E_MISSING_PARAMETER;
    }
    if ((selects && (mixes || matrix)) || (matrix && c->channels != 0)) {
        rm_error_set(err, RM_E_VALUE,
                     "'select', 'matrix' and 'channels' are three ways to say the same thing");
        return wrong(selects ? "select" : "matrix",
                     "give one of them; 'layout' may stand beside 'matrix' and 'channels'", err);
    }
    if (c->normalize && !(mixes && !matrix)) {
        rm_error_set(err, RM_E_VALUE, "'normalize' changes the gains of 'channels' and 'layout' alone");
        return wrong("normalize", "give smaller gains in 'matrix'", err);
    }
    return RM_OK;
}

/* Checks all parameters, and decides what follows from them. */
static int decide(struct channels *c, rm_error *err)
{
    int rc = check_given(c, err);
    if (rc == RM_OK && c->select.kind != RM_NULL)
        rc = check_select(c->select, err);
    if (rc == RM_OK && c->matrix.kind != RM_NULL)
        rc = check_matrix(c->matrix, err);
    if (rc == RM_OK && c->select.kind == RM_NULL)
        rc = decide_output(c, err);
    if (rc == RM_OK && c->input_layout != NULL &&
        rmi_layout_parse(c->input_layout, &c->from_layout, err) != RM_OK)
        rc = wrong("input_layout", NULL, err);
    return rc;
}

static int channels_check(const void *state, rm_error *err)
{
    struct channels copy = *(const struct channels *)state;
    return decide(&copy, err);
}

static int channels_open(rm_node *node, void *state, rm_error *err)
{
    (void)node;
    return decide(state, err);
}

/* The index in the input of item `item` of `select`, and the bit of its place (0: unknown). */
static int selected(const rmi_channel_set *from, rm_value item, size_t *index, uint64_t *place, rm_error *err)
{
    char layout[64];
    const bool known = rmi_layout_channels(from->layout) == from->channels;
    if (item.kind == RM_INT) {
        if (item.i >= from->channels) {
            rm_error_set(err, RM_E_VALUE,
                         "there is no channel %" PRId64 " in audio of %" PRId32 " channel(s)", item.i,
                         from->channels);
            rm_error_hint(err, "channels are counted from 0");
            return RM_E_VALUE;
        }
        uint64_t rest = known ? from->layout : 0;
        for (int64_t i = 0; i < item.i; i++)
            rest &= rest - 1;
        *index = (size_t)item.i;
        *place = rest & (~rest + 1);
        return RM_OK;
    }
    *place = rmi_channel_parse(rm_string_text(item, NULL));
    *index = (size_t)rmi_layout_channels(from->layout & (*place - 1));
    if (known && from->layout & *place)
        return RM_OK;
    rm_error_set(err, RM_E_VALUE, "there is no channel %s in audio of %" PRId32 " channel(s), layout %s",
                 rm_string_text(item, NULL), from->channels,
                 rmi_layout_name(known ? from->layout : 0, layout, sizeof layout));
    rm_error_hint(err, "select it by its number, or say with 'input_layout' what the channels are");
    return RM_E_VALUE;
}

/* Fills the matrix of `select`. Places that stand in their usual order are kept. */
static int fill_selection(struct channels *c, double *gains, rm_error *err)
{
    const size_t count = rm_list_length(c->select);
    uint64_t places = 0;
    bool in_order = true;
    for (size_t o = 0; o < count; o++) {
        size_t index = 0;
        uint64_t place = 0;
        const int rc = selected(&c->from, rm_list_get(c->select, o), &index, &place, err);
        if (rc != RM_OK)
            return rc;
        gains[o * (size_t)c->from.channels + index] = 1.0;
        in_order = in_order && place > places; /* higher than all bits before it */
        places |= place;
    }
    c->output_layout = in_order && count > 1 ? places : 0;
    return RM_OK;
}

static int fill_matrix(struct channels *c, double *gains, rm_error *err)
{
    const size_t rows = rm_list_length(c->matrix), width = rm_list_length(rm_list_get(c->matrix, 0));
    if (width != (size_t)c->from.channels) {
        rm_error_set(err, RM_E_VALUE,
                     "the rows of 'matrix' have %zu gains, and the audio has %" PRId32 " channel(s)", width,
                     c->from.channels);
        rm_error_hint(err, "each row has one gain for each input channel");
        return RM_E_VALUE;
    }
    for (size_t i = 0; i < rows * width; i++)
        (void)gain_of(rm_list_get(rm_list_get(c->matrix, i / width), i % width), &gains[i]);
    c->output_layout = c->to.layout;
    return RM_OK;
}

/* Makes the mix of `select` or `matrix`. */
static int make_matrix(rm_node *node, struct channels *c, rm_error *err)
{
    const bool selects = c->select.kind != RM_NULL;
    const size_t outputs = rm_list_length(selects ? c->select : c->matrix);
    const size_t bytes = outputs * (size_t)c->from.channels * sizeof(double);
    double *gains = rmi_node_resize(node, NULL, 0, bytes, err);
    if (gains == NULL)
        return RM_E_OUT_OF_MEMORY;
    memset(gains, 0, bytes);
    c->to.channels = (int32_t)outputs;
    int rc = selects ? fill_selection(c, gains, err) : fill_matrix(c, gains, err);
    if (rc == RM_OK)
        rc = rmi_channel_mix_of(rm_node_allocator(node), gains, c->from.channels, c->to.channels, &c->mix,
                                err);
    rmi_node_free(node, gains, bytes);
    return rc;
}

/* Makes the mix for `audio`, unless there is one. */
static int prepare(rm_node *node, struct channels *c, const rm_samples *audio, rm_error *err)
{
    const uint64_t said = c->from_layout != 0 ? c->from_layout : audio->channel_layout;
    const rmi_channel_set from = {audio->channels, said != 0 ? said : rmi_layout_usual(audio->channels)};
    if (c->from_layout != 0 && rmi_layout_channels(c->from_layout) != audio->channels) {
        rm_error_set(err, RM_E_VALUE, "'input_layout' %s has %" PRId32 " channels, the audio has %" PRId32,
                     c->input_layout, rmi_layout_channels(c->from_layout), audio->channels);
        rm_error_hint(err, "without 'input_layout' the audio itself says what its channels are");
        return RM_E_VALUE;
    }
    if (c->mix != NULL && c->from.channels == from.channels && c->from.layout == from.layout)
        return RM_OK;
    rmi_channel_mix_free(c->mix);
    c->mix = NULL;
    c->from = from;
    if (c->select.kind != RM_NULL || c->matrix.kind != RM_NULL)
        return make_matrix(node, c, err);
    c->output_layout = c->to.layout;
    return rmi_channel_mix_new(rm_node_allocator(node), from, c->to, c->normalize, &c->mix, err);
}

/* Replaces the packet's audio by the mixed one. */
static int mix(rm_node *node, const struct channels *c, rm_packet *packet, const rm_samples *audio,
               rm_error *err)
{
    const uint64_t layout = c->output_layout != 0 ? c->output_layout : rmi_layout_usual(c->to.channels);
    rm_samples room = {0};
    rm_value mixed = rm_null();
    if (rmi_channel_mix_is_identity(c->mix) && layout == audio->channel_layout)
        return RM_OK;
    const int rc = rm_samples_new(rm_node_allocator(node), audio->frames, c->to.channels, audio->sample_rate,
                                  layout, &mixed, &room, err);
    if (rc == RM_OK) {
        rmi_channel_mix_frames(c->mix, audio->f32, audio->frames, room.f32);
        rm_value_clear(&packet->value);
        packet->value = mixed;
    }
    return rc;
}

static int channels_process(rm_node *node, void *state, unsigned port, rm_packet in, rm_error *err)
{
    struct channels *c = state;
    rm_samples audio = {0};
    (void)port;
    int rc = rmi_audio_of(in.value, &audio, err);
    if (rc == RM_OK)
        rc = prepare(node, c, &audio, err);
    if (rc == RM_OK)
        rc = mix(node, c, &in, &audio, err);
    if (rc == RM_OK)
        rc = rm_emit(node, 0, rm_packet_move(&in));
    rm_packet_clear(&in);
    return rc;
}

static int channels_close(rm_node *node, void *state, rm_error *err)
{
    (void)node, (void)err;
    rmi_channel_mix_free(((struct channels *)state)->mix);
    return RM_OK;
}

const rm_node_type rmi_node_audio_channels = {
    .abi_version = RM_NODE_ABI_VERSION,
    .size = sizeof(rm_node_type),
    .name = "AudioChannels",
    .summary = "Mixes, selects and reorders the channels of audio",
    .description =
        "`channels` and `layout` mix by loudspeakers as ITU-R BS.775-3 says: front centre, back and side channels "
        "go to the front at 0.707 where the output has no place for them, LFE goes nowhere, and channels that the "
        "input does not have are silent. To mono, everything lies 3 dB lower, so that it is the mean of left and "
        "right; mono goes to left and right unchanged. Loud input may exceed full scale; `normalize` prevents it. "
        "`select` takes channels by number or name, `matrix` mixes by any gains; both give the channels the usual "
        "places of their number, but selected ones that stand in the order of a WAV file keep theirs.",
    .ports = channels_ports,
    .params = channels_params,
    .state_size = sizeof(struct channels),
    .check = channels_check,
    .open = channels_open,
    .process = channels_process,
    .close = channels_close,
};
