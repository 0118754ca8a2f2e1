/* Tags that programs put before and behind audio of any format, and that players pass over. */
#ifndef NODES_AUDIO_FILE_AUDIO_TAGS_H
#define NODES_AUDIO_FILE_AUDIO_TAGS_H

#include "nodes/audio_file/audio_input.h"

/* As many bytes of a tag tell its size. */
enum { RMI_AUDIO_TAG_HEAD = 32 };

/* The size of the ID3 (1, 2), APE or Lyrics3 tag that begins at `bytes`, or 0 where none does. */
uint64_t rmi_audio_tag_size(const uint8_t *bytes, size_t length);

/* Passes over tags, and zeros. */
void rmi_audio_tags_pass(rmi_audio_input *input);

#endif
