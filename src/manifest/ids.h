/* Nodes by id. */
#ifndef MANIFEST_IDS_H
#define MANIFEST_IDS_H

#include "base/suggest.h"
#include "manifest/fields.h"
#include "manifest/manifest.h"

/* Prepares rmi_manifest_find; two nodes with one id are RM_E_DUPLICATE_ID, with both places. */
RM_MUST_CHECK int rmi_manifest_index(rm_manifest *manifest, rm_error *err);
/* The id most like `id`, borrowed, or NULL: for messages. */
const char *rmi_manifest_near_id(const rm_manifest *manifest, const char *id);

#endif
