/* Checks that items are addressed to existing sources, as far as that is possible without a graph. */
#include <string.h>

#include "base/suggest.h"
#include "manifest/manifest.h"

static bool is_source(const rm_manifest *manifest, const char *id)
{
    for (size_t i = 0; i < manifest->connection_count; i++)
        if (strcmp(manifest->connections[i].to, id) == 0)
            return false;
    return true;
}

static int not_a_source(const rm_manifest *manifest, const char *id, rm_error *err)
{
    rmi_suggestion near = rmi_suggest_for(id);
    for (size_t i = 0; i < manifest->node_count; i++)
        if (is_source(manifest, manifest->nodes[i].id))
            rmi_suggest_offer(&near, manifest->nodes[i].id);
    return rm_error_set(
        err, RM_E_UNKNOWN_NODE, "input is addressed to '%s', which is not a source of this pipeline%s%s%s",
        id, near.best ? "; did you mean '" : "", near.best ? near.best : "", near.best ? "'?" : "");
}

int rm_manifest_check_input(const rm_manifest *manifest, rm_value items, rm_error *err)
{
    rm_value key, list;
    int rc = RM_OK;
    for (size_t i = 0; rc == RM_OK && rm_map_at(items, i, &key, &list); i++) {
        const char *id = rm_string_text(key, NULL);
        if (rmi_manifest_find(manifest, id) == SIZE_MAX || !is_source(manifest, id))
            rc = not_a_source(manifest, id, err);
    }
    return rc;
}
