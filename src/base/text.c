#include "base/text.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

void rmi_text_init(rmi_text *text, const rm_allocator *allocator)
{
    *text = (rmi_text){.allocator = allocator};
}

void rmi_text_clear(rmi_text *text)
{
    rmi_free(text->allocator, text->data, text->capacity);
    rmi_text_init(text, text->allocator);
}

/* Makes room for `size` bytes and a NUL. */
static bool grow(rmi_text *text, size_t size)
{
    enum { SMALLEST = 128 };
    size_t wanted = 0, capacity = text->capacity * 2;
    bool fits = rmi_add(text->length, size, &wanted) && rmi_add(wanted, 1, &wanted);
    if (capacity < SMALLEST)
        capacity = SMALLEST;
    if (capacity < wanted)
        capacity = wanted;
    char *grown = fits ? rmi_resize(text->allocator, text->data, text->capacity, capacity) : NULL;
    if (grown == NULL) {
        text->failed = true;
        return false;
    }
    text->data = grown;
    text->capacity = capacity;
    return true;
}

char *rmi_text_make_room(rmi_text *text, size_t size)
{
    if (text->failed || !grow(text, size))
        return NULL;
    return text->data + text->length;
}

void rmi_text_append(rmi_text *text, const char *data, size_t length)
{
    char *end = rmi_text_reserve(text, length);
    if (end == NULL)
        return;
    if (length != 0)
        memcpy(end, data, length);
    end[length] = '\0';
    text->length += length;
}

void rmi_text_append_c(rmi_text *text, const char *data)
{
    rmi_text_append(text, data, strlen(data));
}

void rmi_text_printf(rmi_text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    char *end = length >= 0 ? rmi_text_reserve(text, (size_t)length) : NULL;
    if (end == NULL) {
        text->failed = true;
        return;
    }
    va_start(arguments, format);
    (void)vsnprintf(end, (size_t)length + 1, format, arguments);
    va_end(arguments);
    text->length += (size_t)length;
}

int rmi_text_take(rmi_text *text, char **out, size_t *length, rm_error *err)
{
    char *whole = NULL;
    int rc = RM_OK;
    if (rmi_text_reserve(text, 0) != NULL) {
        text->data[text->length] = '\0';
        whole = text->capacity == text->length + 1
                    ? text->data
                    : rmi_resize(text->allocator, text->data, text->capacity, text->length + 1);
    }
    if (whole == NULL) {
        rmi_text_clear(text);
        rc = rmi_out_of_memory(err);
    }
    *out = whole;
    *length = rc == RM_OK ? text->length : 0;
    rmi_text_init(text, text->allocator);
    return rc;
}

void rm_text_free(const rm_allocator *allocator, char *text, size_t length)
{
    rmi_free(allocator, text, length + 1);
}

const char *rmi_text_without_nul(const char *text, size_t length, char *buffer, size_t size)
{
    static const char nul[] = "\\x00", cut[] = "...";
    size_t used = 0, end = 0; /* end: where to cut the text, before the dots */
    if (memchr(text, '\0', length) == NULL)
        return text;
    for (size_t i = 0; i < length; i++) {
        const bool is_nul = text[i] == '\0';
        const size_t added = is_nul ? sizeof nul - 1 : 1;
        if (((unsigned char)text[i] & 0xC0) != 0x80 && used + sizeof cut <= size)
            end = used;
        if (added > size - 1 - used) {
            memcpy(buffer + end, cut, sizeof cut);
            return buffer;
        }
        memcpy(buffer + used, is_nul ? nul : &text[i], added);
        used += added;
    }
    buffer[used] = '\0';
    return buffer;
}

/* The bytes of the sequence at `at`, or 0 where it is not UTF-8 (overlong, surrogate, past U+10FFFF, cut). */
static size_t sequence_length(const unsigned char *at, size_t left)
{
    unsigned char first = at[0];
    size_t length = first < 0x80   ? 1
                    : first < 0xC2 ? 0
                    : first < 0xE0 ? 2
                    : first < 0xF0 ? 3
                    : first < 0xF5 ? 4
                                   : 0;
    if (length < 2 || length > left)
        return length > left ? 0 : length;
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xC0) != 0x80)
            return 0;
    }
    bool bad = (first == 0xE0 && at[1] < 0xA0) || (first == 0xED && at[1] > 0x9F) ||
               (first == 0xF0 && at[1] < 0x90) || (first == 0xF4 && at[1] > 0x8F);
    return bad ? 0 : length;
}

size_t rmi_utf8_check(const char *text, size_t length)
{
    const uint64_t high_bits = 0x8080808080808080u;
    size_t at = 0;
    while (at < length) {
        uint64_t eight = 0;
        if (length - at >= sizeof eight) {
            memcpy(&eight, text + at, sizeof eight);
            if ((eight & high_bits) == 0) {
                at += sizeof eight;
                continue;
            }
        }
        size_t step = sequence_length((const unsigned char *)text + at, length - at);
        if (step == 0)
            return at;
        at += step;
    }
    return length;
}
