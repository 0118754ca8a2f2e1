/* The pipelines of the server's operator: a folder with a manifest NAME.json for each. */
#ifndef TRANSPORT_PIPELINES_H
#define TRANSPORT_PIPELINES_H

#include "remotemedia/remotemedia.h"

typedef struct rmi_pipelines rmi_pipelines;

/* Loads and checks every file of the folder whose name ends in ".json". The error names the file. `runtime` is borrowed, and
 * outlives them. *out is owned: rmi_pipelines_free (NULL is fine). */
RM_MUST_CHECK int rmi_pipelines_load(rm_runtime *runtime, const char *folder, rmi_pipelines **out,
                                     rm_error *err);
void rmi_pipelines_free(rmi_pipelines *pipelines);

/* All below: any thread; `pipelines` may be NULL, which has none. In the order of names. */
size_t rmi_pipelines_count(const rmi_pipelines *pipelines);
/* Borrowed. */
const char *rmi_pipelines_name(const rmi_pipelines *pipelines, size_t index);
rm_manifest *rmi_pipelines_manifest(const rmi_pipelines *pipelines, size_t index);
/* The index of a name; SIZE_MAX: there is none. */
size_t rmi_pipelines_find(const rmi_pipelines *pipelines, const char *name);

#endif
