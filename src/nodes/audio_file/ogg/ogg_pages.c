#include "nodes/audio_file/ogg/ogg_pages.h"

#include <string.h>

/* Room for the longest page, and for as much again behind the part of one. What every page begins with: four letters,
 * the version 0, and flags, of which there are three. */
enum { BUFFER = 2 * 65536, STARTS = 2, MOST_FLAGS = 7, MAGIC = 4, VERSION = 4, FLAGS = 5 };

int rmi_ogg_pages_open(rmi_audio_input *input, rmi_ogg_pages *pages, rm_error *err)
{
    const rm_allocator *allocator = rmi_audio_input_allocator(input);
    *pages =
        (rmi_ogg_pages){.input = input, .buffer = allocator->resize(allocator->context, NULL, 0, BUFFER)};
    if (pages->buffer == NULL)
        return rm_error_set(err, RM_E_OUT_OF_MEMORY, "out of memory");
    (void)ogg_sync_init(&pages->sync);
    pages->sync.data = pages->buffer;
    pages->sync.storage = BUFFER;
    return RM_OK;
}

/* Gives libogg the bytes that there are; false: the file has ended. */
static bool feed(rmi_ogg_pages *pages)
{
    ogg_sync_state *sync = &pages->sync;
    const size_t room = (size_t)(sync->storage - (sync->fill - sync->returned));
    const uint8_t *bytes = NULL;
    size_t count = rmi_audio_input_peek(pages->input, 1, &bytes);
    count = count < room ? count : room;
    if (count == 0)
        return false;
    memcpy(ogg_sync_buffer(sync, (long)count), bytes, count);
    rmi_audio_input_take(pages->input, count);
    return ogg_sync_wrote(sync, (long)count) == 0;
}

/* Whether a page may begin with these bytes, as many as there are. */
static bool may_begin(const unsigned char *bytes, size_t length)
{
    return memcmp(bytes, "OggS", length < MAGIC ? length : MAGIC) == 0 &&
           (length <= VERSION || bytes[VERSION] == 0) && (length <= FLAGS || bytes[FLAGS] <= MOST_FLAGS);
}

/* Passes over bytes with which no page begins. libogg looks at the four letters alone, and adds up all that would be the
 * page behind them. */
static void pass_others(rmi_ogg_pages *pages)
{
    ogg_sync_state *sync = &pages->sync;
    while (sync->headerbytes == 0 && sync->returned < sync->fill) {
        const unsigned char *bytes = sync->data + sync->returned;
        const size_t length = (size_t)(sync->fill - sync->returned);
        if (may_begin(bytes, length))
            return;
        const unsigned char *next = memchr(bytes + 1, 'O', length - 1);
        sync->returned = next != NULL ? (int)(next - sync->data) : sync->fill;
        pages->passed = true;
    }
}

bool rmi_ogg_pages_next(rmi_ogg_pages *pages, ogg_page *page)
{
    ogg_sync_state *sync = &pages->sync;
    for (;;) {
        pass_others(pages);
        const long found = ogg_sync_pageseek(sync, page);
        if (found > 0)
            return true;
        pages->passed = pages->passed || found < 0;
        if (found < 0 || feed(pages))
            continue;
        const unsigned char *rest = sync->data + sync->returned;
        const size_t left = (size_t)(sync->fill - sync->returned);
        pages->passed = pages->passed || left != 0;
        pages->cut_start = left > FLAGS && may_begin(rest, left) && (rest[FLAGS] & STARTS) != 0;
        return false;
    }
}

void rmi_ogg_pages_close(rmi_ogg_pages *pages)
{
    if (pages->buffer == NULL)
        return;
    const rm_allocator *allocator = rmi_audio_input_allocator(pages->input);
    allocator->resize(allocator->context, pages->buffer, BUFFER, 0);
    pages->buffer = NULL;
}
