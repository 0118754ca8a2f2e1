/* The part of a WAV or AIFF file with the samples: how much of it there is, and reading it frame by frame. */
#ifndef NODES_AUDIO_FILE_SAMPLE_DATA_H
#define NODES_AUDIO_FILE_SAMPLE_DATA_H

#include "nodes/audio_file/adpcm.h"
#include "nodes/audio_file/audio_decoder.h"
#include "nodes/audio_file/pcm.h"

typedef struct rmi_sample_data {
    rmi_pcm pcm; /* of kind NONE: ADPCM */
    rmi_adpcm adpcm;
    size_t frame_size;    /* bytes of a frame; not of ADPCM */
    uint64_t promised;    /* bytes, by the header; RMI_AUDIO_UNKNOWN: to the end of the file */
    uint64_t taken;       /* bytes so far */
    uint64_t frames_left; /* where the header states them too, else RMI_AUDIO_UNKNOWN */
} rmi_sample_data;

/* The samples have ended: RM_OK, or RM_E_PARSE where the header promises more. */
RM_MUST_CHECK int rmi_sample_data_end(const rmi_sample_data *data, const rmi_audio_input *input,
                                      rm_error *err);
/* A rmi_audio_decoder_type.read for files that hold nothing else behind their header. */
RM_MUST_CHECK int rmi_sample_data_read(rmi_sample_data *data, const rmi_audio_decoder *decoder,
                                       float *samples, size_t frames, size_t *got, rm_error *err);

#endif
