#include <stdio.h>
#include <string.h>

#include "data/json/json_parts.h"

enum { DEEPEST = RMI_JSON_MAX_NESTING * 8 };

typedef struct pointer_text {
    char *buffer;
    size_t length, size;
} pointer_text;

static void put(pointer_text *text, const char *data, size_t length)
{
    if (text->length + length >= text->size)
        length = text->size - 1 - text->length;
    memcpy(text->buffer + text->length, data, length);
    text->length += length;
}

static void put_step(pointer_text *text, const rmi_json_path *step)
{
    char number[24];
    put(text, "/", 1);
    if (step->key == NULL) {
        int length = snprintf(number, sizeof number, "%zu", step->index);
        put(text, number, length > 0 ? (size_t)length : 0);
        return;
    }
    for (size_t i = 0; i < step->key_length; i++) {
        char c = step->key[i];
        if (c == '~' || c == '/')
            put(text, c == '~' ? "~0" : "~1", 2);
        else if (c == '\0')
            put(text, "\\x00", 4);
        else
            put(text, &c, 1);
    }
}

void rmi_json_path_text(const rmi_json_path *path, const char *base, char *buffer, size_t size)
{
    const rmi_json_path *steps[DEEPEST];
    pointer_text text = {.buffer = buffer, .size = size};
    size_t depth = 0;
    put(&text, base, strlen(base));
    for (; path != NULL && path->parent != NULL && depth < DEEPEST; path = path->parent)
        steps[depth++] = path;
    while (depth > 0)
        put_step(&text, steps[--depth]);
    buffer[text.length] = '\0';
}
