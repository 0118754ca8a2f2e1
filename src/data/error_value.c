/* Errors as documents. */
#include <string.h>

#include "base/text.h"
#include "data/builder.h"
#include "data/value.h"

/* A message may quote bytes that are no UTF-8 (the name of a file): they become question marks. */
static void put_text(rmi_builder *b, rm_value *map, const char *key, const char *text)
{
    char good[sizeof((rm_error *)0)->message];
    size_t length = strlen(text), bad = 0;
    if (length >= sizeof good)
        length = sizeof good - 1;
    memcpy(good, text, length);
    while ((bad = rmi_utf8_check(good, length)) != length)
        good[bad] = '?';
    rmi_build_put(b, map, key, rmi_build_string_of(b, good, length));
}

static void release_values(rm_error *err)
{
    rm_value_clear(&err->traceback);
    rm_value_clear(&err->detail);
}

void rmi_error_keep(rm_error *err, rm_value traceback, rm_value detail)
{
    err->traceback = traceback;
    err->detail = detail;
    err->release = release_values;
}

int rm_error_to_value(const rm_allocator *allocator, const rm_error *error, rm_value *out, rm_error *err)
{
    rmi_builder b = rmi_builder_start(allocator, err);
    rm_value map = rmi_build_map(&b);
    put_text(&b, &map, "code", rm_code_name(error->code));
    put_text(&b, &map, "message", error->message);
    if (error->node[0] != '\0')
        put_text(&b, &map, "node", error->node);
    if (error->has_pointer)
        put_text(&b, &map, "pointer", error->pointer);
    if (error->has_item)
        rmi_build_put(&b, &map, "item", rm_int(error->item));
    if (error->hint[0] != '\0')
        put_text(&b, &map, "hint", error->hint);
    if (error->traceback.kind != RM_NULL)
        rmi_build_put(&b, &map, "traceback", rm_value_retain(error->traceback));
    return rmi_build_end(&b, &map, out);
}

int rmi_code_named(const char *name)
{
    for (int known = -1; name != NULL && strcmp(rm_code_name(known), "unknown") != 0; known--)
        if (strcmp(rm_code_name(known), name) == 0)
            return known;
    return RM_OK;
}

/* Whether it is a map of texts and integers. */
static bool is_frame(rm_value frame)
{
    rm_value key, value;
    bool good = frame.kind == RM_MAP;
    for (size_t i = 0; good && rm_map_at(frame, i, &key, &value); i++)
        good = value.kind == RM_STRING || value.kind == RM_INT;
    return good;
}

rm_value rmi_traceback_of(rm_value document)
{
    const rm_value frames = rmi_map_field(document, "traceback");
    bool good = frames.kind == RM_LIST;
    for (size_t i = 0; good && i < rm_list_length(frames); i++)
        good = is_frame(rm_list_get(frames, i));
    return good ? rm_value_retain(frames) : rm_null();
}
