/* The pages of an Ogg file (RFC 3533), found and checked by libogg in a buffer of ours, so that it allocates
 * nothing. */
#ifndef NODES_AUDIO_FILE_OGG_PAGES_H
#define NODES_AUDIO_FILE_OGG_PAGES_H

#include <ogg/ogg.h>

#include "nodes/audio_file/audio_input.h"

typedef struct rmi_ogg_pages {
    rmi_audio_input *input; /* borrowed */
    ogg_sync_state sync;    /* over `buffer` */
    unsigned char *buffer;
    bool cut_start; /* at the end: the file ends within a page that begins a stream */
    bool passed;    /* something was passed over; whoever reads it resets it */
} rmi_ogg_pages;

RM_MUST_CHECK int rmi_ogg_pages_open(rmi_audio_input *input, rmi_ogg_pages *pages, rm_error *err);
/* The next page, borrowed until the next call; false: there is none. Passes over bytes that are no page and
 * over damaged pages. */
bool rmi_ogg_pages_next(rmi_ogg_pages *pages, ogg_page *page);
void rmi_ogg_pages_close(rmi_ogg_pages *pages);

#endif
