/* A Vorbis I decoder: packets in, float32 frames out. It knows nothing of files and pages. All memory comes
 * from the allocator, and any bytes may be given to it. Section numbers in its files are those of the
 * Vorbis I specification. */
#ifndef NODES_AUDIO_FILE_VORBIS_VORBIS_H
#define NODES_AUDIO_FILE_VORBIS_VORBIS_H

#include "remotemedia/node.h"

/* The most frames that one packet gives. */
enum { RMI_VORBIS_FRAMES = 4096 };

typedef struct rmi_vorbis rmi_vorbis;

/* Makes a decoder from the first packet. *out is owned. *channels and *sample_rate are the stream's.
 * RM_E_PARSE or RM_E_OUT_OF_MEMORY; *reason is then a constant text about the packet. */
RM_MUST_CHECK int rmi_vorbis_open(const rm_allocator *allocator, const uint8_t *packet, size_t length,
                                  rmi_vorbis **out, int32_t *channels, int32_t *sample_rate,
                                  const char **reason);
/* Reads the third packet (the second, comments, has nothing for a decoder). RM_E_PARSE, RM_E_LIMIT where it
 * asks for more memory than any encoder does, RM_E_OUT_OF_MEMORY. */
RM_MUST_CHECK int rmi_vorbis_setup(rmi_vorbis *vorbis, const uint8_t *packet, size_t length,
                                   const char **reason);
/* The frames that the packet will give. To be called once for each packet, in their order; may run ahead of
 * decoding. */
size_t rmi_vorbis_measure(rmi_vorbis *vorbis, const uint8_t *packet, size_t length);
/* Decodes a packet into interleaved `samples`, which has room for RMI_VORBIS_FRAMES. `places` has the channel
 * of the stream for each of the output. Returns the number of frames; a packet that cannot be decoded gives
 * none, and the next one starts anew. */
size_t rmi_vorbis_decode(rmi_vorbis *vorbis, const uint8_t *packet, size_t length, const uint8_t *places,
                         float *samples);
/* Packets are missing here: the next one starts anew. */
void rmi_vorbis_reset(rmi_vorbis *vorbis);
/* NULL is fine. */
void rmi_vorbis_close(rmi_vorbis *vorbis);

#endif
