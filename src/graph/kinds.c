/* Sets of kinds in words. */
#include <stdio.h>

#include "graph/build.h"

static const struct {
    uint32_t bits;
    const char *name;
} kinds_table[] = {
    {RM_KIND_NULL, "null"},     {RM_KIND_BOOL, "bool"},     {RM_KIND_INT, "int"},
    {RM_KIND_FLOAT, "float"},   {RM_KIND_STRING, "string"}, {RM_KIND_BYTES, "bytes"},
    {RM_KIND_LIST, "list"},     {RM_KIND_MAP, "map"},       {RM_KIND_TENSOR, "tensor"},
    {RM_KIND_OBJECT, "object"}, {RM_KIND_AUDIO, "audio"},
};
enum { KINDS = sizeof kinds_table / sizeof *kinds_table };

/* Audio is a tensor, a tensor may be audio, and an object may convert to any plain value. */
static uint32_t widen(uint32_t kinds)
{
    if ((kinds & RM_KIND_OBJECT) != 0)
        kinds |= RM_KIND_ANY;
    if ((kinds & (RM_KIND_AUDIO | RM_KIND_TENSOR)) != 0)
        kinds |= RM_KIND_AUDIO | RM_KIND_TENSOR;
    return kinds;
}

bool rmi_kinds_meet(uint32_t from, uint32_t to)
{
    return from == 0 || to == 0 || (widen(from) & widen(to)) != 0;
}

const char *rmi_kind_at(uint32_t kinds, size_t index)
{
    for (size_t i = 0; i < KINDS; i++) {
        if ((kinds & kinds_table[i].bits) != 0 && index-- == 0)
            return kinds_table[i].name;
    }
    return NULL;
}

void rmi_kinds_print(uint32_t kinds, char *buffer, size_t size)
{
    size_t used = 0;
    const char *name = NULL;
    buffer[0] = '\0';
    for (size_t i = 0; used < size && (name = rmi_kind_at(kinds, i)) != NULL; i++) {
        int added = snprintf(buffer + used, size - used, "%s%s", i == 0 ? "" : ", ", name);
        used += added > 0 ? (size_t)added : 0;
    }
}
