/* Tags that programs put before and behind audio of any format, and that players pass over. */
#ifndef NODES_AUDIO_FILE_AUDIO_TAGS_H
#define NODES_AUDIO_FILE_AUDIO_TAGS_H

#include "nodes/audio_file/audio_input.h"

/* As many bytes of a tag tell its size. */
enum { RMI_AUDIO_TAG_HEAD = 32 };

/* The size of the ID3 (1, 2), APE or Lyrics3 tag that begins at `bytes`, or 0 where none does. */
uint64_t rmi_audio_tag_size(const uint8_t *bytes, size_t length);

/* Where the tags at the end of these bytes, which are the file's last, begin: ID3v1, APE and Lyrics3, which tell their
 * sizes at their ends, in any order. `length` where there are none. */
size_t rmi_audio_tags_behind(const uint8_t *bytes, size_t length);

/* Whether these bytes, which are the file's last, are nothing but tags. */
bool rmi_audio_tags_only(const uint8_t *bytes, size_t length);

/* Takes the rest of the file where it is nothing but such tags. */
bool rmi_audio_tags_end(rmi_audio_input *input);

/* Passes over tags, and zeros. */
void rmi_audio_tags_pass(rmi_audio_input *input);

#endif
