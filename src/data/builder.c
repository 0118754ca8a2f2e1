#include "data/builder.h"

#include <string.h>

rmi_builder rmi_builder_start(const rm_allocator *allocator, rm_error *err)
{
    return (rmi_builder){.allocator = allocator, .err = err, .rc = RM_OK};
}

rm_value rmi_build_map(rmi_builder *b)
{
    enum { USUAL = 8 };
    rm_value map = rm_null();
    if (b->rc == RM_OK)
        b->rc = rm_map_new(b->allocator, USUAL, &map, b->err);
    return map;
}

rm_value rmi_build_list(rmi_builder *b)
{
    rm_value list = rm_null();
    if (b->rc == RM_OK)
        b->rc = rm_list_new(b->allocator, 0, &list, b->err);
    return list;
}

rm_value rmi_build_string(rmi_builder *b, const char *text)
{
    return rmi_build_string_of(b, text, strlen(text));
}

rm_value rmi_build_string_of(rmi_builder *b, const char *text, size_t length)
{
    rm_value string = rm_null();
    if (b->rc == RM_OK)
        b->rc = rm_string_new(b->allocator, text, length, &string, b->err);
    return string;
}

rm_value rmi_build_json(rmi_builder *b, const char *json)
{
    rm_value value = rm_null();
    if (b->rc == RM_OK)
        b->rc = rm_json_parse(b->allocator, json, strlen(json), 0, &value, b->err);
    return value;
}

void rmi_build_put(rmi_builder *b, rm_value *map, const char *key, rm_value value)
{
    if (b->rc == RM_OK)
        b->rc = rm_map_set(map, key, strlen(key), rm_value_move(&value), b->err);
    rm_value_clear(&value);
}

void rmi_build_add(rmi_builder *b, rm_value *list, rm_value value)
{
    if (b->rc == RM_OK)
        b->rc = rm_list_append(list, rm_value_move(&value), b->err);
    rm_value_clear(&value);
}

void rmi_build_text(rmi_builder *b, rm_value *map, const char *key, const char *text)
{
    if (text != NULL)
        rmi_build_put(b, map, key, rmi_build_string(b, text));
}

int rmi_build_end(rmi_builder *b, rm_value *value, rm_value *out)
{
    *out = rm_null();
    if (b->rc == RM_OK)
        *out = rm_value_move(value);
    rm_value_clear(value);
    return b->rc;
}
