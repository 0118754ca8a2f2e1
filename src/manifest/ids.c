/* Finds nodes by id: searches the list where there are few, else a sorted table, so that no choice of ids
 * makes it slow. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "manifest/ids.h"

enum { FEW = 16 };

/* The first bytes as a number that compares as the texts do. */
static uint64_t head_of(const char *id)
{
    uint64_t head = 0;
    size_t i = 0;
    for (; i < sizeof head && id[i] != '\0'; i++)
        head = head << 8 | (unsigned char)id[i];
    return head << 8 * (sizeof head - i) % 64;
}

static int compare_texts(const rmi_manifest_id *a, const rmi_manifest_id *b)
{
    if (a->head != b->head)
        return a->head < b->head ? -1 : 1;
    return strcmp(a->id, b->id);
}

static int compare(const void *left, const void *right)
{
    const rmi_manifest_id *a = left, *b = right;
    int order = compare_texts(a, b);
    return order != 0 ? order : (a->index > b->index) - (a->index < b->index);
}

/* Finds the duplicate id that stands first in the manifest, and the node that it repeats; false if there is
 * none. */
static bool find_duplicate(const rm_manifest *manifest, size_t *first, size_t *second)
{
    const rmi_manifest_id *ids = manifest->ids;
    bool found = false;
    for (size_t i = 1; ids != NULL && i < manifest->node_count; i++) {
        if (compare_texts(&ids[i - 1], &ids[i]) != 0 || (found && ids[i].index > *second))
            continue;
        *first = ids[i - 1].index;
        *second = ids[i].index;
        found = true;
    }
    for (size_t i = 1; ids == NULL && !found && i < manifest->node_count; i++) {
        *second = i;
        *first = rmi_manifest_find(manifest, manifest->nodes[i].id);
        found = *first != i;
    }
    return found;
}

int rmi_manifest_index(rm_manifest *manifest, rm_error *err)
{
    size_t first = 0, second = 0, count = manifest->node_count;
    if (count > FEW) {
        rmi_manifest_id *ids = rmi_arena_alloc(&manifest->arena, count, sizeof *ids);
        if (ids == NULL)
            return rmi_out_of_memory(err);
        for (size_t i = 0; i < count; i++)
            ids[i] = (rmi_manifest_id){head_of(manifest->nodes[i].id), manifest->nodes[i].id, i};
        qsort(ids, count, sizeof *ids, compare);
        manifest->ids = ids;
    }
    if (!find_duplicate(manifest, &first, &second))
        return RM_OK;
    const char *id = manifest->nodes[second].id;
    (void)rmi_manifest_error(err, RM_E_DUPLICATE_ID,
                             "Duplicate node ID: %s (at /nodes/%zu/id and /nodes/%zu/id)", id, first, second);
    rmi_manifest_error_node(err, id);
    rm_error_pointer(err, "/nodes/%zu/id", second);
    return RM_E_DUPLICATE_ID;
}

size_t rmi_manifest_find(const rm_manifest *manifest, const char *id)
{
    if (manifest->ids == NULL) {
        for (size_t i = 0; i < manifest->node_count; i++) {
            if (strcmp(manifest->nodes[i].id, id) == 0)
                return i;
        }
        return SIZE_MAX;
    }
    const rmi_manifest_id wanted = {.head = head_of(id), .id = id};
    size_t low = 0, high = manifest->node_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare_texts(&wanted, &manifest->ids[middle]);
        if (order == 0)
            return manifest->ids[middle].index;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return SIZE_MAX;
}

const char *rmi_manifest_near_id(const rm_manifest *manifest, const char *id)
{
    enum { MOST = 10000 };
    rmi_suggestion near = rmi_suggest_for(id);
    for (size_t i = 0; i < manifest->node_count && i < MOST; i++)
        rmi_suggest_offer(&near, manifest->nodes[i].id);
    return near.best;
}
