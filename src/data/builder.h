/* Builds documents (maps and lists) without a check in each line: after the first failure, later calls do
 * nothing. Where the count is large and known, or keys are strings already, use the functions of the public
 * interface. */
#ifndef DATA_BUILDER_H
#define DATA_BUILDER_H

#include "remotemedia/remotemedia.h"

typedef struct rmi_builder {
    const rm_allocator *allocator;
    rm_error *err;
    int rc;
} rmi_builder;

rmi_builder rmi_builder_start(const rm_allocator *allocator, rm_error *err);
/* New containers; owned by the caller until they are put into another; null after a failure. */
rm_value rmi_build_map(rmi_builder *b);
rm_value rmi_build_list(rmi_builder *b);
/* A string, owned; null after a failure. */
rm_value rmi_build_string(rmi_builder *b, const char *text);
rm_value rmi_build_string_of(rmi_builder *b, const char *text, size_t length);
/* A JSON text as a value, owned; null after a failure. */
rm_value rmi_build_json(rmi_builder *b, const char *json);
/* Set or append `value`, which is consumed. */
void rmi_build_put(rmi_builder *b, rm_value *map, const char *key, rm_value value);
void rmi_build_add(rmi_builder *b, rm_value *list, rm_value value);
/* Sets a text; NULL leaves the key out. */
void rmi_build_text(rmi_builder *b, rm_value *map, const char *key, const char *text);
/* Moves `value` (consumed) to *out, or clears it after a failure; returns the first failure or RM_OK. */
RM_MUST_CHECK int rmi_build_end(rmi_builder *b, rm_value *value, rm_value *out);

#endif
