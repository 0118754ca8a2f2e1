/* Errors as documents. */
#include <string.h>

#include "base/text.h"
#include "data/blocks.h"

/* A message may quote bytes that are no UTF-8 (the name of a file): they become question marks. */
static int put_text(int rc, rm_value *map, const char *key, const char *text, rm_error *err)
{
    char good[sizeof((rm_error *)0)->message];
    size_t length = strlen(text), bad = 0;
    rm_value item = rm_null();
    if (rc != RM_OK)
        return rc;
    if (length >= sizeof good)
        length = sizeof good - 1;
    memcpy(good, text, length);
    while ((bad = rmi_utf8_check(good, length)) != length)
        good[bad] = '?';
    rc = rmi_string_new_unchecked(map->heap->allocator, good, length, &item, err);
    return rmi_map_set_next(rc, map, key, item, err);
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
    int rc = rm_map_new(allocator, 7, out, err);
    rc = put_text(rc, out, "code", rm_code_name(error->code), err);
    rc = put_text(rc, out, "message", error->message, err);
    if (error->node[0] != '\0')
        rc = put_text(rc, out, "node", error->node, err);
    if (error->has_pointer)
        rc = put_text(rc, out, "pointer", error->pointer, err);
    if (error->has_item)
        rc = rmi_map_set_next(rc, out, "item", rm_int(error->item), err);
    if (error->hint[0] != '\0')
        rc = put_text(rc, out, "hint", error->hint, err);
    if (error->traceback.kind != RM_NULL)
        rc = rmi_map_set_next(rc, out, "traceback", rm_value_retain(error->traceback), err);
    if (rc != RM_OK)
        rm_value_clear(out);
    return rc;
}
