/* What the JSON files share. */
#ifndef DATA_JSON_PARTS_H
#define DATA_JSON_PARTS_H

#include "data/json.h"

/* Where a walk through a value is; lives on the stack, the innermost place last. */
typedef struct rmi_json_path {
    const struct rmi_json_path *parent; /* NULL: the root */
    const char *key;                    /* NULL: an element of a list */
    size_t key_length, index;
} rmi_json_path;

/* The place as a JSON pointer behind `base`; cut to fit, NUL-terminated. */
void rmi_json_path_text(const rmi_json_path *path, const char *base, char *buffer, size_t size);

/* ---- Tensors ---- */

/* Whether an object has all that the form {"__numpy__": true, "array": ...} needs, and nothing that it
 * does not know. */
bool rmi_json_is_tensor(yyjson_val *object);
/* Reads a complete form. On failure *where is the key below the object that is wrong, as a pointer
 * ("/array/data"). *out is owned. */
int rmi_json_read_tensor(const rm_allocator *allocator, yyjson_val *object, rm_value *out, const char **where,
                         rm_error *err);
/* The form of a tensor as a map. *out is owned. */
int rmi_json_tensor_form(const rm_allocator *allocator, rm_value tensor, rm_value *out, rm_error *err);

#endif
