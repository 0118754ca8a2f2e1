/* One stream of an Ogg file: its pages among those of others, and the packets in them. */
#ifndef NODES_AUDIO_FILE_OGG_STREAM_H
#define NODES_AUDIO_FILE_OGG_STREAM_H

#include "nodes/audio_file/ogg/ogg_codec.h"
#include "nodes/audio_file/ogg/ogg_pages.h"

/* As many streams of a link are known by their numbers. */
enum { RMI_OGG_STREAMS = 32 };

typedef struct rmi_ogg_stream {
    rmi_ogg_pages pages;
    ogg_page page;
    bool held; /* `page` has been read ahead */
    int serial;
    int serials[RMI_OGG_STREAMS]; /* of all streams of the link, */
    size_t streams;               /* which may have more */
    bool ended;                   /* its last page has been seen */
    uint32_t gap;                 /* so many pages are missing before this one */
    bool jump;         /* it does not follow the page before: there is a gap, or its number is lower */
    bool disordered;   /* such a page, or one that comes twice, was there; whoever reads it resets it */
    bool torn;         /* there, the file has bytes that are no page */
    int64_t sequence;  /* of the page before; -1: any may follow */
    uint32_t checksum; /* of that page */
    size_t segment;    /* of the page: the next lacing value, */
    size_t body;       /* and where its bytes begin */
    uint8_t *packet;   /* the part of a packet from earlier pages: `inside` it, or at its end */
    size_t length, room;
    size_t keep;       /* so many bytes of a packet are kept */
    bool inside, lost; /* lost: its first part is missing, or it is too long */
    bool damaged; /* a packet was lost, other than by a gap; or there is a page whose stream did not begin */
} rmi_ogg_stream;

typedef enum rmi_ogg_event {
    RMI_OGG_PAGE, /* a page of the stream */
    RMI_OGG_LINK, /* a page that begins another stream; it is held */
    RMI_OGG_END   /* the file's end */
} rmi_ogg_event;

/* Goes to the next page of the stream. */
rmi_ogg_event rmi_ogg_stream_page(rmi_ogg_stream *stream);
/* The pages that begin a link's streams come: none is known. */
void rmi_ogg_stream_forget(rmi_ogg_stream *stream);
/* Whether another page of the link has begun the page's stream. */
bool rmi_ogg_stream_noted(const rmi_ogg_stream *stream);
/* The page begins a stream of the link. */
void rmi_ogg_stream_note(rmi_ogg_stream *stream);
/* Follows the stream that begins with the page. */
void rmi_ogg_stream_follow(rmi_ogg_stream *stream);
/* The page has no more: it is another stream's by now. */
void rmi_ogg_stream_leave(rmi_ogg_stream *stream);
/* The page's next packet, borrowed until the next call; RM_DONE: the page has no more. RM_E_OUT_OF_MEMORY. */
RM_MUST_CHECK int rmi_ogg_stream_packet(rmi_ogg_stream *stream, const uint8_t **packet, size_t *length,
                                        rm_error *err);
/* The frames of the packets that the page has yet to give. */
size_t rmi_ogg_stream_measure(const rmi_ogg_stream *stream, const rmi_ogg_codec *codec, void *state);
/* All bytes of the page, for codecs that find the packets themselves; at the next call there are none. */
size_t rmi_ogg_stream_bytes(rmi_ogg_stream *stream, const uint8_t **bytes);
void rmi_ogg_stream_close(rmi_ogg_stream *stream);

#endif
