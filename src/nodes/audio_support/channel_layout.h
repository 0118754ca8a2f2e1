/* The places of loudspeakers: names of channels and layouts, and the masks of WAV files that stand for
 * them. */
#ifndef NODES_AUDIO_SUPPORT_CHANNEL_LAYOUT_H
#define NODES_AUDIO_SUPPORT_CHANNEL_LAYOUT_H

#include "remotemedia/node.h"

/* The number of channels in a mask. */
int32_t rmi_layout_channels(uint64_t mask);
/* The usual mask for a number of channels ("mono", "stereo", "3.0", "quad", "5.0", "5.1", "6.1", "7.1"); 0
 * where there is none. */
uint64_t rmi_layout_usual(int32_t channels);
/* The mask of a layout's name ("5.1") or of a list of channels ("FL+FR+LFE"), which has each channel once and in the
 * order of the mask. RM_E_VALUE, with a hint, for anything else. */
RM_MUST_CHECK int rmi_layout_parse(const char *name, uint64_t *mask, rm_error *err);
/* The name of a mask, or its channels where it has no name, as text for messages; returns `text`. */
const char *rmi_layout_name(uint64_t mask, char *text, size_t size);
/* The bit of a channel's name ("FL"); 0 for an unknown one. */
uint64_t rmi_channel_parse(const char *name);
/* The name of one bit; NULL for an unknown one. */
const char *rmi_channel_name(uint64_t bit);

#endif
