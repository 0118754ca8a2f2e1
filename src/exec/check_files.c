/* No two nodes, nor a node and the caller, may have one file where one of them writes it: the reader would find
 * it emptied, and two writers would mix. */
#include "exec/pipeline.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

/* A file that somebody opens in this run. */
typedef struct file_use {
    const char *path, *param; /* borrowed; `param` is NULL for a file of the caller */
    const rm_node *node;
    bool writes, known; /* `known`: `id` tells it from others */
    rmi_file_id id;
} file_use;

static void add_use(file_use *uses, size_t *count, file_use use)
{
    if (use.path == NULL)
        return;
    if (uses != NULL)
        uses[*count] = use;
    ++*count;
}

/* Adds the files of a node's parameters; counts them where `uses` is NULL. */
static void add_node(const rm_node *node, file_use *uses, size_t *count)
{
    const rm_param *params = (node->type->flags & RM_NODE_ANY_PARAMS) != 0 ? NULL : node->type->params;
    for (const rm_param *param = params; param != NULL && param->name != NULL; param++) {
        if (param->type != RM_PARAM_STRING || (param->flags & RM_PARAM_PATH) == 0)
            continue;
        const char *path = NULL;
        memcpy(&path, (const char *)node->state + param->offset, sizeof path);
        const bool writes = (param->flags & RM_PARAM_WRITES) != 0;
        add_use(uses, count, (file_use){.path = path, .param = param->name, .node = node, .writes = writes});
    }
}

static size_t collect(const rm_pipeline *p, const rm_pipeline_options *options, file_use *uses)
{
    size_t count = 0;
    for (size_t i = 0; options->reads != NULL && options->reads[i] != NULL; i++)
        add_use(uses, &count, (file_use){.path = options->reads[i]});
    for (size_t i = 0; options->writes != NULL && options->writes[i] != NULL; i++)
        add_use(uses, &count, (file_use){.path = options->writes[i], .writes = true});
    for (uint32_t i = 0; i < p->node_count; i++)
        add_node(p->by_index[i], uses, &count);
    return count;
}

static bool same_file(const file_use *a, const file_use *b)
{
    return a->known && b->known && a->id.device == b->id.device && a->id.number == b->id.number &&
           strcmp(a->id.name, b->id.name) == 0;
}

/* `second` is a node's. */
static int conflict(const rm_pipeline *p, const file_use *first, const file_use *second, rm_error *err)
{
    const file_use *blamed = second->writes || first->node == NULL ? second : first;
    const file_use *other = blamed == second ? first : second;
    const char *does = blamed->writes ? "write" : "read";
    const uint32_t index = (uint32_t)(blamed->node->graph - p->graph.nodes);
    if (other->node != NULL)
        rm_error_set(err, RM_E_VALUE, "'%s' would %s '%s', which node '%s' %s%s", blamed->param, does,
                     blamed->path, rm_node_id(other->node), other->writes ? "writes" : "reads",
                     blamed->writes && other->writes ? " too" : "");
    else
        rm_error_set(err, RM_E_VALUE, "'%s' would %s '%s', which is %s by the program in this run",
                     blamed->param, does, blamed->path, other->writes ? "written" : "read");
    if (err != NULL) {
        (void)snprintf(err->node, sizeof err->node, "%s", rm_node_id(blamed->node));
        rm_error_pointer(err, "/nodes/%u/params/%s", index, blamed->param);
        rm_error_hint(err, "use another file");
    }
    return RM_E_VALUE;
}

int rmi_check_files(rm_pipeline *p, const rm_pipeline_options *options, rm_error *err)
{
    const size_t count = collect(p, options, NULL);
    int rc = RM_OK;
    if (count < 2)
        return RM_OK;
    file_use *uses = rmi_arena_alloc(&p->graph.arena, count, sizeof *uses);
    if (uses == NULL)
        return rmi_out_of_memory(err);
    (void)collect(p, options, uses);
    bool written = false;
    for (size_t i = 0; i < count; i++)
        written |= uses[i].writes;
    if (!written || uses[count - 1].node == NULL) /* nodes come last */
        return RM_OK;
    for (size_t i = 0; i < count; i++)
        uses[i].known = rmi_platform_identify(uses[i].path, &uses[i].id);
    for (size_t i = 1; rc == RM_OK && i < count; i++)
        for (size_t k = 0; rc == RM_OK && uses[i].node != NULL && k < i; k++)
            if ((uses[i].writes || uses[k].writes) && same_file(&uses[i], &uses[k]))
                rc = conflict(p, &uses[k], &uses[i], err);
    return rc;
}
