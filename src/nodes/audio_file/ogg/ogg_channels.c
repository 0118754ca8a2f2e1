#include "nodes/audio_file/ogg/ogg_codec.h"
#include "nodes/audio_support/channel_places.h"

void rmi_ogg_order_channels(rmi_ogg_format *format, bool defined)
{
    static const uint16_t orders[9][8] = {
        {0},
        {FC},
        {FL, FR},
        {FL, FC, FR},
        {FL, FR, BL, BR},
        {FL, FC, FR, BL, BR},
        {FL, FC, FR, BL, BR, LFE},
        {FL, FC, FR, SL, SR, BC, LFE},
        {FL, FC, FR, SL, SR, BL, BR, LFE},
    };
    format->channel_layout = 0;
    for (int32_t i = 0; i < format->channels; i++)
        format->places[i] = (uint8_t)i;
    if (!defined || format->channels > 8)
        return;
    const uint16_t *order = orders[format->channels];
    for (int32_t i = 0; i < format->channels; i++) {
        int32_t before = 0;
        for (int32_t k = 0; k < format->channels; k++)
            before += order[k] < order[i];
        format->places[before] = (uint8_t)i;
        format->channel_layout |= order[i];
    }
}
