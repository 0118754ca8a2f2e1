/* No two nodes, nor a node and the caller, may have one file where one of them writes it: the reader would find
 * it emptied, and two writers would mix. Nor may two read one pipe: each would get a part of it. */
#include "exec/pipeline.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

/* A file that somebody opens in this run. */
typedef struct file_use {
    const char *path;  /* borrowed; of a stream of the caller's: its name */
    const char *param; /* borrowed; NULL for a file of the caller */
    const rm_node *node;
    bool writes, stream; /* `stream`: a descriptor of the caller's */
    int standard;        /* the standard stream that a node's path names, or -1 */
    int descriptor;      /* of `stream` */
    rmi_file_kind kind;
    rmi_file_id id;
} file_use;

/* ---- Who uses what */

static void add_use(file_use *uses, size_t *count, file_use use)
{
    if (use.path == NULL)
        return;
    if (uses != NULL)
        uses[*count] = use;
    ++*count;
}

/* The path in a parameter. A node in a sandbox has no state here, and its own standard streams; what its grants
 * rename is not followed. */
static const char *path_of(const rm_node *node, const rm_param *param)
{
    const char *path = NULL;
    rm_value value = rm_null();
    if ((node->type->flags & RM_NODE_ANY_PARAMS) == 0)
        memcpy(&path, (const char *)node->state + param->offset, sizeof path);
    else if (rm_map_get(node->params, param->name, strlen(param->name), &value) && value.kind == RM_STRING)
        path = rm_string_text(value, NULL);
    return path;
}

/* Adds the files of a node's parameters; counts them where `uses` is NULL. */
static void add_node(const rm_node *node, file_use *uses, size_t *count)
{
    const bool inside = (node->type->flags & RM_NODE_ANY_PARAMS) != 0;
    for (const rm_param *param = node->type->params; param != NULL && param->name != NULL; param++) {
        if (param->type != RM_PARAM_STRING || (param->flags & RM_PARAM_PATH) == 0)
            continue;
        const char *path = path_of(node, param);
        const bool writes = (param->flags & RM_PARAM_WRITES) != 0;
        const int standard = path != NULL ? rmi_platform_standard(path, writes) : -1;
        if (!inside || standard < 0)
            add_use(uses, count,
                    (file_use){.path = path,
                               .param = param->name,
                               .node = node,
                               .writes = writes,
                               .standard = standard});
    }
}

static size_t collect(const rm_pipeline *p, const rm_pipeline_options *options, file_use *uses)
{
    size_t count = 0;
    file_use use = {.standard = -1};
    for (size_t i = 0; options->reads != NULL && (use.path = options->reads[i]) != NULL; i++)
        add_use(uses, &count, use);
    use.writes = true;
    for (size_t i = 0; options->writes != NULL && (use.path = options->writes[i]) != NULL; i++)
        add_use(uses, &count, use);
    use.stream = true;
    for (const rm_caller_stream *at = options->streams; at != NULL && (use.path = at->name) != NULL; at++) {
        use.descriptor = at->descriptor;
        use.writes = at->writes;
        add_use(uses, &count, use);
    }
    for (uint32_t i = 0; i < p->node_count; i++)
        add_node(p->by_index[i], uses, &count);
    return count;
}

/* A pipe or a terminal behind a descriptor of the caller's may be left alone, and a node has it by `standard`. For what
 * a node writes to standard output, the caller's stream stands. */
static void identify(const rm_pipeline *p, file_use *use)
{
    const int lent = use->writes ? -1 : p->standard_input;
    if (!use->stream && use->standard < 0) {
        use->kind = rmi_platform_identify(use->path, &use->id);
        return;
    }
    use->kind = rmi_platform_identify_descriptor(use->stream ? use->descriptor : lent, &use->id);
    if (use->kind == RMI_FILE_STREAM)
        use->kind = RMI_FILE_OTHER;
}

/* ---- Errors */

/* Adds node, place and hint to an error. */
static int blame(const rm_pipeline *p, const file_use *use, const char *hint, int code, rm_error *err)
{
    if (err == NULL)
        return code;
    (void)snprintf(err->node, sizeof err->node, "%s", rm_node_id(use->node));
    rm_error_pointer(err, "/nodes/%u/params/%s", (uint32_t)(use->node->graph - p->graph.nodes), use->param);
    rm_error_hint(err, "%s", hint);
    return code;
}

static const char *does(const file_use *use)
{
    return use->writes ? "write" : "read";
}

/* `second` is a node's. */
static int conflict(const rm_pipeline *p, const file_use *first, const file_use *second, rm_error *err)
{
    const file_use *blamed = second->writes || first->node == NULL || !first->writes ? second : first;
    const file_use *other = blamed == second ? first : second;
    const bool both = blamed->writes == other->writes;
    char hint[160] = "use another file";
    if (other->node != NULL)
        rm_error_set(err, RM_E_VALUE, "'%s' would %s '%s', which node '%s' %s%s", blamed->param, does(blamed),
                     blamed->path, rm_node_id(other->node), other->writes ? "writes" : "reads",
                     both ? " too" : "");
    else if (other->stream)
        rm_error_set(err, RM_E_VALUE, "'%s' would %s '%s', which is %s of this run", blamed->param,
                     does(blamed), blamed->path, other->path);
    else
        rm_error_set(err, RM_E_VALUE, "'%s' would %s '%s', which is %s by the program in this run",
                     blamed->param, does(blamed), blamed->path, other->writes ? "written" : "read");
    if (other->stream && other->writes)
        (void)snprintf(hint, sizeof hint,
                       "redirect %s to another file; what the shell's '>' has emptied cannot be brought back",
                       other->path);
    else if (both && !blamed->writes)
        (void)snprintf(
            hint, sizeof hint,
            "each of the two would get a part of it: read it once, and connect both ways to that node");
    return blame(p, blamed, hint, RM_E_VALUE, err);
}

/* ---- The standard streams */

int rmi_no_standard_input(rm_error *err)
{
    return rm_error_set(
        err, RM_E_USAGE,
        "standard input is not free: it is closed, or the manifest or the items come from it");
}

int rmi_no_standard_output(const rm_pipeline *p, rm_error *err)
{
    return rm_error_set(err, RM_E_USAGE, "standard output is not free: %s",
                        p->standard_output < 0 ? "it is closed" : "the results go there");
}

/* The node of `use` is told to use a standard stream. */
static int check_standard(const rm_pipeline *p, const file_use *uses, const file_use *use, rm_error *err)
{
    const char *one = use->writes ? "one node alone can write standard output"
                                  : "read it once, and connect both ways to that node";
    for (const file_use *before = uses; before < use; before++)
        if (before->node != NULL && before->standard == use->standard) {
            rm_error_set(err, RM_E_USAGE, "node '%s' %s standard %s already", rm_node_id(before->node),
                         use->writes ? "writes" : "reads", use->writes ? "output" : "input");
            return blame(p, use, one, RM_E_USAGE, err);
        }
    if (use->writes && p->standard_output <= 0)
        return blame(p, use,
                     p->standard_output < 0
                         ? "write to another file"
                         : "give the results a file of their own (--output FILE), or write to another file",
                     rmi_no_standard_output(p, err), err);
    if (!use->writes && p->standard_input < 0)
        return blame(p, use, "give the manifest and the items as files, or read another file",
                     rmi_no_standard_input(err), err);
    return RM_OK;
}

/* ---- The files of arrays */

/* Whether the caller may give the name to an array of the node's. */
static bool is_array_of(const char *name, const char *id)
{
    const size_t length = strlen(id);
    if (strncmp(name, id, length) != 0 || name[length] != '-')
        return false;
    const char *digits = name + length + 1;
    const size_t count = strspn(digits, "0123456789");
    return count > 0 && strcmp(digits + count, ".npy") == 0;
}

/* The node whose arrays may have the name; NULL: none. */
static const char *owner_of(const rm_pipeline *p, const char *name)
{
    for (uint32_t i = 0; i < p->node_count; i++)
        if (p->graph.nodes[i].is_output && is_array_of(name, p->graph.nodes[i].source->id))
            return p->graph.nodes[i].source->id;
    return NULL;
}

static int refuse_array(const rm_pipeline *p, const file_use *use, const char *owner, rm_error *err)
{
    rm_error_set(err, RM_E_VALUE, "'%s' would %s '%s', which is for an array of node '%s'", use->param,
                 does(use), use->path, owner);
    return blame(p, use, "give the arrays another folder", RM_E_VALUE, err);
}

/* The uses that an array could hit. */
typedef struct array_check {
    const rm_pipeline *p;
    const file_use *uses;
    size_t count;
    const char *folder;
    int rc;
    rm_error *err;
} array_check;

static bool is_file_of_node(const file_use *use)
{
    return use->node != NULL && use->standard < 0 && use->kind == RMI_FILE_REGULAR;
}

/* An array goes to the file that a link in the folder leads to. */
static bool check_link(void *context, const char *name)
{
    array_check *check = context;
    const char *owner = owner_of(check->p, name);
    char path[4096 + 256];
    rmi_file_id id;
    if (owner == NULL || snprintf(path, sizeof path, "%s/%s", check->folder, name) >= (int)sizeof path ||
        rmi_platform_identify(path, &id) != RMI_FILE_REGULAR)
        return true;
    for (size_t i = 0; check->rc == RM_OK && i < check->count; i++)
        if (is_file_of_node(&check->uses[i]) && rmi_platform_same_file(&id, &check->uses[i].id))
            check->rc = refuse_array(check->p, &check->uses[i], owner, check->err);
    return check->rc == RM_OK;
}

static int check_arrays(const rm_pipeline *p, const char *folder, const file_use *uses, size_t count,
                        rm_error *err)
{
    array_check check = {p, uses, count, folder, RM_OK, err};
    rmi_file_id place, within;
    if (folder == NULL || !rmi_platform_identify_folder(folder, &within))
        return RM_OK;
    for (size_t i = 0; check.rc == RM_OK && i < count; i++) {
        const bool here = is_file_of_node(&uses[i]) && rmi_platform_locate(uses[i].path, &place) &&
                          place.device == within.device && place.number == within.number;
        const char *owner = here ? owner_of(p, place.name) : NULL;
        if (owner != NULL)
            check.rc = refuse_array(p, &uses[i], owner, err);
    }
    if (check.rc == RM_OK)
        rmi_platform_list_links(folder, check_link, &check);
    return check.rc;
}

/* ---- All */

/* A regular file has one writer and no reader, or any number of readers. A stream has one reader; many may write. */
static bool clash(const file_use *a, const file_use *b)
{
    if (a->kind == RMI_FILE_OTHER || a->kind != b->kind || !rmi_platform_same_file(&a->id, &b->id))
        return false;
    return a->kind == RMI_FILE_REGULAR ? a->writes || b->writes : !a->writes || !b->writes;
}

static int check_use(const rm_pipeline *p, const file_use *uses, const file_use *use, rm_error *err)
{
    for (const file_use *before = uses; before < use; before++)
        if (clash(before, use))
            return conflict(p, before, use, err);
    return use->standard >= 0 ? check_standard(p, uses, use, err) : RM_OK;
}

/* Tells the caller which of its streams write a file of a node. */
static void mark_streams(const file_use *uses, size_t count, bool *in_use)
{
    for (size_t i = 0; in_use != NULL && i < count; i++) {
        if (!uses[i].stream)
            continue;
        for (size_t k = i + 1; uses[i].writes && k < count; k++)
            *in_use |= uses[k].node != NULL && clash(&uses[i], &uses[k]);
        in_use++;
    }
}

int rmi_check_files(rm_pipeline *p, const rm_pipeline_options *options, rm_error *err)
{
    const size_t count = collect(p, options, NULL);
    int rc = RM_OK;
    if (count == 0)
        return RM_OK;
    file_use *uses = rmi_arena_alloc(&p->graph.arena, count, sizeof *uses);
    if (uses == NULL)
        return rmi_out_of_memory(err);
    (void)collect(p, options, uses);
    if (uses[count - 1].node == NULL) /* nodes come last */
        return RM_OK;
    for (size_t i = 0; i < count; i++)
        identify(p, &uses[i]);
    mark_streams(uses, count, options->streams_in_use);
    for (size_t i = 0; rc == RM_OK && i < count; i++)
        if (uses[i].node != NULL)
            rc = check_use(p, uses, &uses[i], err);
    if (rc == RM_OK)
        rc = check_arrays(p, options->array_folder, uses, count, err);
    return rc;
}
