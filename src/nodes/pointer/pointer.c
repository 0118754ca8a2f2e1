#include "nodes/pointer/pointer.h"

#include <string.h>

#include "nodes/process_many.h"

int rmi_pointer_check(const char *param, const char *name, const char *text, size_t length, rm_error *err)
{
    const char *why = length > 0 && text[0] != '/' ? "it must be empty or begin with '/'" : NULL;
    for (size_t i = 0; why == NULL && i < length; i++)
        if (text[i] == '~' && (i + 1 == length || (text[i + 1] != '0' && text[i + 1] != '1')))
            why = "'~' must be written '~0' ('/' inside a key is '~1')";
    if (why == NULL)
        return RM_OK;
    rm_error_set(err, RM_E_VALUE, "%s '%.80s' is not a JSON pointer: %s", name, text, why);
    rm_error_pointer(err, "/params/%s", param);
    rm_error_hint(err, "\"/user/name\" is the name in the item's \"user\", \"\" the item itself");
    return RM_E_VALUE;
}

/* A step is its length as a size_t, then its bytes; unescaping never makes it longer. */
int rmi_pointer_parse(rm_node *node, const char *text, size_t length, rmi_pointer *out, rm_error *err)
{
    size_t steps = 0, used = 0;
    for (size_t i = 0; i < length; i++)
        steps += text[i] == '/';
    *out = (rmi_pointer){.steps = steps, .size = length + steps * sizeof(size_t)};
    if (steps == 0)
        return RM_OK;
    out->text = rmi_node_resize(node, NULL, 0, out->size, err);
    if (out->text == NULL)
        return RM_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < length;) {
        const size_t head = used;
        used += sizeof(size_t);
        for (i++; i < length && text[i] != '/'; i++) {
            const bool escaped = text[i] == '~';
            out->text[used++] = !escaped ? text[i] : text[++i] == '0' ? '~' : '/';
        }
        const size_t step = used - head - sizeof(size_t);
        memcpy(out->text + head, &step, sizeof step);
    }
    return RM_OK;
}

void rmi_pointer_free(rm_node *node, rmi_pointer *pointer)
{
    rmi_node_free(node, pointer->text, pointer->size);
    *pointer = (rmi_pointer){0};
}

/* Finds an item of a list by its index: digits without a leading zero. */
static bool item_of(rm_value list, const char *step, size_t length, rm_value *out)
{
    size_t index = 0;
    if (length == 0 || length > 18 || (step[0] == '0' && length > 1))
        return false;
    for (size_t i = 0; i < length; i++) {
        if (step[i] < '0' || step[i] > '9')
            return false;
        index = index * 10 + (size_t)(step[i] - '0');
    }
    *out = rm_list_get(list, index);
    return index < rm_list_length(list);
}

bool rmi_pointer_get(const rmi_pointer *pointer, rm_value value, rm_value *out)
{
    const char *step = pointer->text;
    bool found = true;
    for (size_t i = 0; i < pointer->steps && found; i++) {
        size_t length;
        memcpy(&length, step, sizeof length);
        step += sizeof length;
        rm_value inner = rm_null();
        if (value.kind == RM_LIST)
            found = item_of(value, step, length, &inner);
        else
            found = value.kind == RM_MAP && rm_map_get(value, step, length, &inner);
        value = inner;
        step += length;
    }
    *out = found ? value : rm_null();
    return found;
}
