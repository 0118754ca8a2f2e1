/* The frames of MPEG audio, layers 1 to 3: where they begin and end, and what the frame in front of the sound
 * says. */
#ifndef NODES_AUDIO_FILE_MP3_FRAME_H
#define NODES_AUDIO_FILE_MP3_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest frame, and one of a bit rate of the encoder's own; what may stand before the first one. */
enum { RMI_MP3_FRAME = 4096, RMI_MP3_FREE = 2304, RMI_MP3_HEAD = 4, RMI_MP3_JUNK = 8192 };

typedef struct rmi_mp3_head {
    int layer, channels, sample_rate, samples; /* frames of sound in it */
    size_t size, padding;                      /* bytes, padding included; size 0: see `free` */
    bool mpeg1, free; /* `free`: the size is known only from the next frame's place */
} rmi_mp3_head;

/* Reads a frame's head; false where it is none. `free_size`: the size without padding of a stream whose frames do
 * not tell, or 0. */
bool rmi_mp3_head_read(const uint8_t *bytes, size_t free_size, rmi_mp3_head *out);
/* Whether both heads belong to one stream (the number of channels may change). */
bool rmi_mp3_head_same(const uint8_t *a, const uint8_t *b);
/* The same, with as many channels. */
bool rmi_mp3_head_alike(const uint8_t *a, const uint8_t *b);
/* The size of the frame at `bytes`, padding included, found by the next one. 0: none follows. */
size_t rmi_mp3_free_size(const uint8_t *bytes, size_t length);

/* What stands behind a frame. */
typedef enum rmi_mp3_next { RMI_MP3_OTHER, RMI_MP3_SAME, RMI_MP3_END, RMI_MP3_CUT } rmi_mp3_next;
/* Tells what stands behind the frame `head` at `bytes`: a frame of its stream; the end of the file or a tag; the
 * file ends in the frame; or something else. `ended`: the file has no more than these bytes. */
rmi_mp3_next rmi_mp3_follows(const uint8_t *bytes, size_t length, const rmi_mp3_head *head, bool ended);
/* Where a file of MP3 begins: the offset of its first frame, or `length` where it is none. Other bytes have frames
 * too, by chance: so behind up to RMI_MP3_JUNK bytes of a frame that was cut, four must follow one another, and at the start
 * three, or the file must be nothing else. */
size_t rmi_mp3_first(const uint8_t *bytes, size_t length, bool ended);
/* The offset of the next frame of the stream that has frames like `stream` (NULL: none) or, four in a row, of another
 * one; `length` where there is none. */
size_t rmi_mp3_find(const uint8_t *bytes, size_t length, bool ended, const uint8_t *stream);

/* What the frame in front of the sound says, which has no sound of its own. */
typedef struct rmi_mp3_info {
    bool is_info;
    uint32_t frames; /* that follow; 0: not said */
    bool has_gaps;
    uint32_t delay, padding; /* samples that the encoder put in front and behind */
} rmi_mp3_info;
void rmi_mp3_info_read(const uint8_t *frame, const rmi_mp3_head *head, rmi_mp3_info *out);

#endif
