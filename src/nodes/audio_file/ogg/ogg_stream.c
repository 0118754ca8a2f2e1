#include "nodes/audio_file/ogg/ogg_stream.h"

#include <string.h>

/* Far longer than any packet of audio. */
enum { MOST_PACKET = 1 << 20, LEAST_ROOM = 4096, PAGE_HEAD = 27, CHECKSUM = 22, WHOLE_SEGMENT = 255 };

static size_t segments_of(const ogg_page *page)
{
    return page->header[PAGE_HEAD - 1];
}

static void drop_packet(rmi_ogg_stream *stream, bool damaged)
{
    stream->damaged = stream->damaged || damaged;
    stream->inside = stream->lost = false;
    stream->length = 0;
}

static uint32_t checksum_of(const ogg_page *page)
{
    return rmi_little32(page->header + CHECKSUM);
}

/* Begins with a page of the stream. */
static void enter_page(rmi_ogg_stream *stream)
{
    const bool goes_on = ogg_page_continued(&stream->page) != 0;
    const int64_t sequence = ogg_page_pageno(&stream->page);
    const uint32_t step = stream->sequence >= 0 ? (uint32_t)(sequence - stream->sequence - 1) : 0;
    stream->jump = step != 0;
    stream->gap = step <= INT32_MAX ? step : 0;
    stream->disordered = stream->disordered || step > INT32_MAX;
    stream->checksum = checksum_of(&stream->page);
    stream->torn = stream->pages.passed;
    stream->pages.passed = false;
    stream->sequence = sequence;
    stream->ended = ogg_page_eos(&stream->page) != 0;
    stream->segment = stream->body = 0;
    if (stream->inside && (!goes_on || stream->jump))
        drop_packet(stream, !stream->jump && !stream->lost);
    if (goes_on && !stream->inside)
        stream->inside = stream->lost = true;
}

/* Whether the page belongs to a stream that began in this link, and has not ended. */
static bool is_known(const rmi_ogg_stream *stream)
{
    if (ogg_page_serialno(&stream->page) == stream->serial)
        return !stream->ended;
    return rmi_ogg_stream_noted(stream) || stream->streams > RMI_OGG_STREAMS;
}

/* Whether the page is the one before it once more. */
static bool is_repeated(const rmi_ogg_stream *stream)
{
    return ogg_page_serialno(&stream->page) == stream->serial && stream->sequence >= 0 &&
           ogg_page_pageno(&stream->page) == stream->sequence &&
           checksum_of(&stream->page) == stream->checksum;
}

rmi_ogg_event rmi_ogg_stream_page(rmi_ogg_stream *stream)
{
    for (;;) {
        if (!stream->held && !rmi_ogg_pages_next(&stream->pages, &stream->page))
            return RMI_OGG_END;
        stream->held = false;
        if (ogg_page_bos(&stream->page) != 0) {
            stream->held = true;
            return RMI_OGG_LINK;
        }
        if (is_repeated(stream)) {
            stream->disordered = true;
        } else if (!is_known(stream)) {
            stream->damaged = true;
        } else if (ogg_page_serialno(&stream->page) == stream->serial) {
            enter_page(stream);
            return RMI_OGG_PAGE;
        }
    }
}

void rmi_ogg_stream_forget(rmi_ogg_stream *stream)
{
    stream->streams = 0;
}

bool rmi_ogg_stream_noted(const rmi_ogg_stream *stream)
{
    for (size_t i = 0; i < stream->streams && i < RMI_OGG_STREAMS; i++)
        if (stream->serials[i] == ogg_page_serialno(&stream->page))
            return true;
    return false;
}

void rmi_ogg_stream_note(rmi_ogg_stream *stream)
{
    if (stream->streams < RMI_OGG_STREAMS)
        stream->serials[stream->streams] = ogg_page_serialno(&stream->page);
    stream->streams++;
}

void rmi_ogg_stream_follow(rmi_ogg_stream *stream)
{
    stream->serial = ogg_page_serialno(&stream->page);
    stream->sequence = -1;
    drop_packet(stream, false);
    enter_page(stream);
    stream->held = false;
}

void rmi_ogg_stream_leave(rmi_ogg_stream *stream)
{
    stream->segment = SIZE_MAX;
}

/* Passes over lacing values up to the end of a packet or of the page; returns the number of bytes. */
static size_t run(const rmi_ogg_stream *stream, size_t *segment, bool *complete)
{
    const unsigned char *lacing = stream->page.header + PAGE_HEAD;
    size_t bytes = 0;
    *complete = false;
    while (!*complete && *segment < segments_of(&stream->page)) {
        bytes += lacing[*segment];
        *complete = lacing[(*segment)++] < WHOLE_SEGMENT;
    }
    return bytes;
}

/* Adds a part to the packet. */
static int append(rmi_ogg_stream *stream, const uint8_t *bytes, size_t count, rm_error *err)
{
    const rm_allocator *allocator = rmi_audio_input_allocator(stream->pages.input);
    const size_t kept = stream->length < stream->keep ? stream->keep - stream->length : 0;
    count = count < kept ? count : kept;
    if (count > stream->room - stream->length) {
        size_t room = stream->room < LEAST_ROOM ? LEAST_ROOM : stream->room;
        while (room - stream->length < count)
            room *= 2;
        uint8_t *packet = allocator->resize(allocator->context, stream->packet, stream->room, room);
        if (packet == NULL)
            return rm_error_set(err, RM_E_OUT_OF_MEMORY, "out of memory");
        stream->packet = packet;
        stream->room = room;
    }
    if (count != 0)
        memcpy(stream->packet + stream->length, bytes, count);
    stream->length += count;
    return RM_OK;
}

int rmi_ogg_stream_packet(rmi_ogg_stream *stream, const uint8_t **packet, size_t *length, rm_error *err)
{
    if (!stream->inside)
        stream->length = 0;
    while (stream->segment < segments_of(&stream->page)) {
        const uint8_t *start = stream->page.body + stream->body;
        bool complete = false;
        const size_t bytes = run(stream, &stream->segment, &complete);
        stream->body += bytes;
        if (!stream->inside && complete && bytes <= MOST_PACKET) {
            *packet = start;
            *length = bytes;
            return RM_OK;
        }
        if (!stream->lost && stream->length + bytes > MOST_PACKET && stream->keep > MOST_PACKET) {
            stream->lost = true;
            stream->damaged = true;
        }
        const int rc = stream->lost ? RM_OK : append(stream, start, bytes, err);
        if (rc != RM_OK)
            return rc;
        stream->inside = !complete;
        if (complete && !stream->lost) {
            *packet = stream->packet;
            *length = stream->length;
            return RM_OK;
        }
        if (complete)
            drop_packet(stream, false);
    }
    return RM_DONE;
}

size_t rmi_ogg_stream_measure(const rmi_ogg_stream *stream, const rmi_ogg_codec *codec, void *state)
{
    size_t segment = stream->segment, body = stream->body, frames = 0;
    bool inside = stream->inside;
    while (segment < segments_of(&stream->page)) {
        const uint8_t *start = stream->page.body + body;
        bool complete = false;
        const size_t bytes = run(stream, &segment, &complete);
        body += bytes;
        if (complete && !(inside && stream->lost))
            frames += inside ? codec->measure(state, stream->packet, stream->length)
                             : codec->measure(state, start, bytes);
        inside = inside && !complete;
    }
    return frames;
}

size_t rmi_ogg_stream_bytes(rmi_ogg_stream *stream, const uint8_t **bytes)
{
    const size_t count = (size_t)stream->page.body_len - stream->body;
    *bytes = stream->page.body + stream->body;
    stream->body += count;
    stream->segment = segments_of(&stream->page);
    return count;
}

void rmi_ogg_stream_close(rmi_ogg_stream *stream)
{
    if (stream->packet != NULL) {
        const rm_allocator *allocator = rmi_audio_input_allocator(stream->pages.input);
        allocator->resize(allocator->context, stream->packet, stream->room, 0);
    }
    rmi_ogg_pages_close(&stream->pages);
}
