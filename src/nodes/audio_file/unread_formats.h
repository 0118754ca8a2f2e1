/* Formats that are known and not read, and what reads them. */
#ifndef NODES_AUDIO_FILE_UNREAD_FORMATS_H
#define NODES_AUDIO_FILE_UNREAD_FORMATS_H

#include <stddef.h>
#include <stdint.h>

/* What makes audio of it that is read: what it does, and its command around the file's name. */
typedef struct rmi_unread_reader {
    const char *does, *before, *after;
} rmi_unread_reader;

typedef struct rmi_unread_format {
    const char *name;
    rmi_unread_reader reader;
} rmi_unread_format;

/* By which most formats are read. */
#define RMI_BY_FFMPEG {"ffmpeg converts it", "ffmpeg -i", " audio.flac"}

/* The format of a file that begins with `head` (as much as there is, or some KiB); NULL: none that is known. */
const rmi_unread_format *rmi_unread_by_content(const uint8_t *head, size_t length);
/* The format of a file without anything to tell it, by its name; NULL: unknown. */
const rmi_unread_format *rmi_unread_by_extension(const char *path);

#endif
