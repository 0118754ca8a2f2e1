/* From one sample rate and number of channels to another, inside AudioFileSource. */
#ifndef NODES_AUDIO_FILE_AUDIO_CONVERTER_H
#define NODES_AUDIO_FILE_AUDIO_CONVERTER_H

#include "nodes/audio_file/codec.h"

typedef struct rmi_audio_converter rmi_audio_converter;

/* Formats whose layouts are not 0. *out is owned. RM_E_VALUE for what cannot be converted. */
RM_MUST_CHECK int rmi_audio_converter_open(const rm_allocator *allocator, const rmi_audio_format *from,
                                           const rmi_audio_format *to, rmi_audio_converter **out,
                                           rm_error *err);
/* Takes up to *in_frames frames of `in` and gives up to *out_frames frames in `out`; sets both to what was taken
 * and given. `in` NULL: the end, gives what is held back; 0 frames: that was all. In all it gives
 * ceil(frames taken * rate out / rate in). */
RM_MUST_CHECK int rmi_audio_converter_process(rmi_audio_converter *converter, const float *in,
                                              size_t *in_frames, float *out, size_t *out_frames,
                                              rm_error *err);
/* NULL is fine. */
void rmi_audio_converter_close(rmi_audio_converter *converter);

#endif
