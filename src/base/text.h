/* A growing text. It remembers a failed allocation: only the end needs a check. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdarg.h>

#include "base/check.h"
#include "remotemedia/remotemedia.h"

typedef struct rmi_text {
    const rm_allocator *allocator;
    char *data; /* NUL-terminated once something was appended */
    size_t length, capacity;
    bool failed; /* out of memory; later appends are lost */
} rmi_text;

void rmi_text_init(rmi_text *text, const rm_allocator *allocator);
void rmi_text_clear(rmi_text *text);
void rmi_text_append(rmi_text *text, const char *data, size_t length);
void rmi_text_append_c(rmi_text *text, const char *data);
void rmi_text_printf(rmi_text *text, const char *format, ...) RM_PRINTF(2, 3);
/* Room for `size` more bytes, to be written directly and then added to `length`; NULL when memory is out. */
RM_MUST_CHECK char *rmi_text_make_room(rmi_text *text, size_t size);
RM_MUST_CHECK static inline char *rmi_text_reserve(rmi_text *text, size_t size)
{
    RMI_CHECK(text->length <= text->capacity);
    bool fits = !text->failed && size < text->capacity - text->length;
    return fits ? text->data + text->length : rmi_text_make_room(text, size);
}
/* Gives the text, cut to its length, to the caller, who frees it: rm_text_free(allocator, *out, *length).
 * Empties `text`, also on failure (RM_E_OUT_OF_MEMORY). */
RM_MUST_CHECK int rmi_text_take(rmi_text *text, char **out, size_t *length, rm_error *err);

/* A text without NULs, for messages: `text` itself, or a copy in `buffer` with "\\x00" for each NUL, cut with
 * "..." at `size` (at least 8). */
const char *rmi_text_without_nul(const char *text, size_t length, char *buffer, size_t size);

/* Where UTF-8 breaks: the offset of the first bad byte, or `length` when all is good. */
size_t rmi_utf8_check(const char *text, size_t length);

#endif
