/* Errors of manifests: one prefix for callers to match on, and the place as a JSON pointer. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "manifest/fields.h"

int rmi_manifest_error(rm_error *err, int code, const char *format, ...)
{
    char text[2 * sizeof err->message];
    va_list arguments;
    if (err == NULL)
        return code;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return rm_error_set(err, code, "Manifest error: %s", length >= 0 ? text : "");
}

void rmi_manifest_error_node(rm_error *err, const char *id)
{
    if (err != NULL && id != NULL)
        (void)snprintf(err->node, sizeof err->node, "%s", id);
}

/* Appends one step; escapes "~" and "/" in keys. */
static size_t print_step(const rmi_place *place, char *buffer, size_t size, size_t at)
{
    char digits[24];
    const char *key = place->key;
    if (key == NULL) {
        (void)snprintf(digits, sizeof digits, "%zu", place->index);
        key = digits;
    }
    if (at + 1 < size)
        buffer[at++] = '/';
    for (; *key != '\0'; key++) {
        bool escaped = *key == '~' || *key == '/';
        if (at + (escaped ? 2 : 1) >= size)
            break;
        buffer[at++] = escaped ? '~' : *key;
        if (escaped)
            buffer[at++] = *key == '~' ? '0' : '1';
    }
    return at;
}

static void print_place(const rmi_place *place, bool whole, char *buffer, size_t size)
{
    enum { DEEPEST = 16 };
    const rmi_place *steps[DEEPEST];
    size_t depth = 0, at = 0;
    for (; place != NULL && depth < DEEPEST && (whole || !place->is_root); place = place->above)
        steps[depth++] = place;
    while (depth > 0)
        at = print_step(steps[--depth], buffer, size, at);
    buffer[rmi_utf8_check(buffer, at)] = '\0'; /* a key cut in the middle of a character */
}

void rmi_place_print(const rmi_place *place, char *buffer, size_t size)
{
    print_place(place, false, buffer, size);
}

void rmi_manifest_error_place(rm_error *err, const rmi_place *place)
{
    char pointer[2 * sizeof err->pointer];
    if (err == NULL)
        return;
    print_place(place, true, pointer, sizeof pointer);
    rm_error_pointer(err, "%s", pointer);
}
