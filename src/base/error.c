#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "remotemedia/remotemedia.h"

const char *rm_code_name(int code)
{
    static const char *const names[] = {"ok",
#define NAME_OF(name, text) text,
                                        RM_ERROR_CODES(NAME_OF)
#undef NAME_OF
    };
    const int count = (int)(sizeof names / sizeof *names);
    return code <= 0 && code > -count ? names[-code] : "unknown";
}

/* Marks a text that filled its buffer as cut, between two characters. */
static void mark_cut(char *buffer, size_t size)
{
    size_t end = size - sizeof "...";
    while (end > 0 && ((unsigned char)buffer[end] & 0xC0) == 0x80)
        end--;
    memcpy(buffer + end, "...", sizeof "...");
}

/* Formats into a buffer first: arguments may point into `to`. */
static void format_into(char *to, size_t size, const char *format, va_list arguments)
{
    char text[sizeof((rm_error *)0)->message];
    int length = vsnprintf(text, size, format, arguments);
    if (length < 0) {
        text[0] = '\0';
        length = 0;
    }
    if ((size_t)length >= size) {
        mark_cut(text, size);
        length = (int)strlen(text);
    }
    memcpy(to, text, (size_t)length + 1);
}

/* Everything but the message. Values belong to a layer above: that layer also stored the function that releases
 * them. */
static void forget(rm_error *err)
{
    if (err->release != NULL)
        err->release(err);
    err->release = NULL;
    err->code = RM_OK;
    err->hint[0] = err->node[0] = err->pointer[0] = '\0';
    err->has_pointer = err->has_item = err->no_memory = false;
    err->item = 0;
}

int rm_error_set(rm_error *err, int code, const char *format, ...)
{
    va_list arguments;
    if (err == NULL)
        return code;
    va_start(arguments, format);
    format_into(err->message, sizeof err->message, format, arguments);
    va_end(arguments);
    forget(err);
    err->code = code;
    return code;
}

void rm_error_hint(rm_error *err, const char *format, ...)
{
    va_list arguments;
    if (err == NULL)
        return;
    va_start(arguments, format);
    format_into(err->hint, sizeof err->hint, format, arguments);
    va_end(arguments);
}

void rm_error_pointer(rm_error *err, const char *format, ...)
{
    va_list arguments;
    if (err == NULL)
        return;
    va_start(arguments, format);
    format_into(err->pointer, sizeof err->pointer, format, arguments);
    va_end(arguments);
    err->has_pointer = true;
}

void rm_error_clear(rm_error *err)
{
    if (err == NULL)
        return;
    forget(err);
    err->message[0] = '\0';
}

void rm_error_move(rm_error *to, rm_error *from)
{
    if (to != NULL && to != from) {
        rm_error_clear(to);
        *to = *from;
        from->traceback = from->detail = rm_null();
        from->release = NULL;
    }
    if (to != from)
        rm_error_clear(from);
}
