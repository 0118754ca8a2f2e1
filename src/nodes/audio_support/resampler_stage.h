/* One filter of a resampler's chain, with the frames that it still needs. Frames are counted from the time 0
 * of the stream; those before it are silence. */
#ifndef NODES_AUDIO_SUPPORT_RESAMPLER_STAGE_H
#define NODES_AUDIO_SUPPORT_RESAMPLER_STAGE_H

#include "nodes/audio_support/resampler_filters.h"

/* Most frames that a stage takes or makes in one call. */
enum { RMI_STAGE_BLOCK = 1024 };

typedef enum rmi_stage_kind { RMI_STAGE_HALVE, RMI_STAGE_DOUBLE, RMI_STAGE_RATIO } rmi_stage_kind;

/* The polyphase filter of a ratio up / down. Output i lies at the input time i * down / up. */
typedef struct rmi_phases {
    int64_t up, down;
    int64_t reach;     /* frames of input after the one at or before an output's time that the output needs */
    size_t taps;       /* of a row, a multiple of 8; the last one belongs to the frame at `reach` */
    size_t count;      /* rows: `up`, or between[..] of RMI_PHASES_BETWEEN in a frame and some beyond */
    bool interpolates; /* between the rows, by four points */
    float *rows;       /* owned */
} rmi_phases;

typedef struct rmi_stage {
    rmi_stage_kind kind;
    size_t channels, capacity, filled; /* frames: room, and number, of each channel's plane in `planes` */
    float *planes;                     /* owned */
    int64_t start;       /* the first output's index: 0, or before it what the next stage needs */
    int64_t first;       /* the index of the first frame in the planes */
    int64_t next;        /* the index of the next output */
    rmi_phases phases;   /* RMI_STAGE_RATIO */
    int64_t whole, part; /* the next output's time: whole + part / up frames */
    size_t pairs;        /* the others: the half-band filter */
    float half_band[RMI_HALF_BAND_MOST];
} rmi_stage;

/* Where outputs go: sample c of frame i to samples[c * channel_step + i * frame_step]. */
typedef struct rmi_stage_output {
    float *samples;
    size_t channel_step, frame_step;
} rmi_stage_output;

/* Computes the rows of a filter from `up` to `down` (without common divisors). The kernel's unit is the
 * lower rate; `scale` is the lower rate by the input's rate. rows are owned: rmi_phases_free. */
RM_MUST_CHECK int rmi_phases_new(const rm_allocator *allocator, int64_t up, int64_t down, double scale,
                                 const rmi_resampler_kernel *kernel, rmi_phases *phases, rm_error *err);
/* Makes `frames` outputs from one channel. The first one lies part / up behind a frame, and `plane` is the
 * first frame of its window. Writes each `frame_step` floats further. */
void rmi_phases_filter(const rmi_phases *phases, const float *plane, int64_t part, size_t frames, float *to,
                       size_t frame_step);
/* Moves the time whole + part / up on by `frames` outputs. */
void rmi_phases_skip(const rmi_phases *phases, size_t frames, int64_t *whole, int64_t *part);
void rmi_phases_free(const rm_allocator *allocator, rmi_phases *phases);

/* The first frame that output `output` of the stage needs. */
int64_t rmi_stage_needs(const rmi_stage *stage, int64_t output);
/* The outputs before this one can be made from the frames before `input`. */
int64_t rmi_stage_reaches(const rmi_stage *stage, int64_t input);
/* Allocates the planes, whose first frame is `first`, and restarts the stage. */
RM_MUST_CHECK int rmi_stage_allocate(const rm_allocator *allocator, rmi_stage *stage, int64_t first,
                                     rm_error *err);
/* Starts anew at `first`; the frames from there to 0 are silence, where the stage gets none. */
void rmi_stage_restart(rmi_stage *stage, int64_t first, bool silence);
/* The frames that can be added, at least RMI_STAGE_BLOCK where all possible outputs have been made. */
size_t rmi_stage_space(rmi_stage *stage);
/* The plane of channel 0 where frames are added; `filled` is then raised by their number. */
rmi_stage_output rmi_stage_input(const rmi_stage *stage);
/* Makes the next `frames` outputs, which must be possible, at most RMI_STAGE_BLOCK. */
void rmi_stage_make(rmi_stage *stage, size_t frames, rmi_stage_output to);
void rmi_stage_free(const rm_allocator *allocator, rmi_stage *stage);

#endif
