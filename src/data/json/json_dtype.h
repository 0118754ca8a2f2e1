/* The element types of tensors in JSON, as numpy describes them. */
#ifndef DATA_JSON_JSON_DTYPE_H
#define DATA_JSON_JSON_DTYPE_H

#include "base/text.h"
#include "data/json/json.h"

/* Fills in dtype, item_size and description of `view` from the form's "dtype". A description is appended to
 * `text`, and borrowed from it. */
RM_MUST_CHECK int rmi_json_read_dtype(const rm_allocator *allocator, yyjson_val *description, rm_tensor *view,
                                      rmi_text *text, rm_error *err);
/* Checks that `description`, as JSON, is one of elements of `item_size` bytes without an rm_dtype. RM_E_VALUE:
 * it is not; RM_E_OUT_OF_MEMORY. */
RM_MUST_CHECK int rmi_json_check_dtype(const rm_allocator *allocator, const char *description,
                                       size_t item_size);
/* The name of a record's field; *name is NULL for padding, which numpy describes as a field too. */
void rmi_json_field_name(yyjson_val *field, const char **name, size_t *length);
/* A field's shape: the number of dimensions, at most RM_MAX_DIMENSIONS, and their sizes. The field's
 * description has been read. */
void rmi_json_field_shape(yyjson_val *field, int32_t *dimensions, int64_t *shape);

/* Makes the form's "dtype". *out is owned. */
RM_MUST_CHECK int rmi_json_dtype_form(const rm_allocator *allocator, const rm_tensor *view, rm_value *out,
                                      rm_error *err);

#endif
