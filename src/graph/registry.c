/* A runtime's node types, in order of registration and by name. */
#include "graph/registry.h"

#include <string.h>

#include "base/alloc.h"

enum { MOST_PARAMS = 256 };

static const rm_port usual_ports[] = {
    {.name = "in", .direction = RM_INPUT, .kinds = RM_KIND_PLAIN},
    {.name = "out", .direction = RM_OUTPUT, .kinds = RM_KIND_PLAIN},
    {0},
};

const char *rmi_type_module(const char *node_type)
{
    static const char prefix[] = "wasm:";
    const size_t length = sizeof prefix - 1;
    return strncmp(node_type, prefix, length) == 0 ? node_type + length : NULL;
}

const rm_port *rmi_type_ports(const rm_node_type *type)
{
    return type->ports != NULL ? type->ports : usual_ports;
}

/* The mistake in a node type's table, in words; NULL: none. */
static const char *defect(const rm_node_type *type)
{
    size_t params = 0;
    if (type->name == NULL || type->name[0] == '\0')
        return "it has no name";
    if (type->process == NULL && type->process_many == NULL && type->stream == NULL && type->generate == NULL)
        return "it has neither process, process_many, stream nor generate";
    if (type->stream != NULL && (type->process != NULL || type->process_many != NULL))
        return "it has both stream and process";
    for (const rm_param *param = type->params; param != NULL && param->name != NULL; param++) {
        params++;
        if (param->type == 0 || param->type > RM_PARAM_VALUE)
            return "a parameter has no type";
        if ((type->flags & RM_NODE_ANY_PARAMS) == 0 && param->offset >= type->state_size)
            return "a parameter lies outside the state";
    }
    if (params > MOST_PARAMS)
        return "it has more than 256 parameters";
    bool variadic = false;
    for (const rm_port *port = rmi_type_ports(type); port->name != NULL; port++) {
        if (port->direction != RM_INPUT && port->direction != RM_OUTPUT)
            return "a port has no direction";
        if (port->variadic && port->direction == RM_OUTPUT)
            return "an output is variadic";
        if (variadic && port->direction == RM_INPUT)
            return "a variadic input is not the last one";
        variadic = variadic || port->variadic;
    }
    return NULL;
}

int rmi_type_check(const rm_node_type *type, const char *owner, rm_error *err)
{
    const char *of = owner != NULL ? owner : "node type";
    if (type->abi_version != RM_NODE_ABI_VERSION)
        return rm_error_set(err, RM_E_UNSUPPORTED_VERSION,
                            "%s: made for version %u of the node interface; this runtime has %u", of,
                            type->abi_version, RM_NODE_ABI_VERSION);
    if (type->size != sizeof *type)
        return rm_error_set(
            err, RM_E_UNSUPPORTED_VERSION,
            "%s: its rm_node_type has %u bytes, this runtime's %zu; it was compiled with another "
            "remotemedia/node.h",
            of, type->size, sizeof *type);
    const char *wrong = defect(type);
    if (wrong != NULL)
        return rm_error_set(err, RM_E_USAGE, "%s: node type '%s': %s", of,
                            type->name != NULL ? type->name : "", wrong);
    return RM_OK;
}

/* The index of `name` in the table of names, or the index where it belongs. */
static size_t place_of(const rm_runtime *runtime, const char *name, bool *found)
{
    size_t low = 0, high = runtime->name_count;
    *found = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(name, runtime->names[middle].name);
        if (order == 0) {
            *found = true;
            return middle;
        }
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static int add_name(rm_runtime *runtime, const char *name, const rm_node_type *type, const char *owner,
                    rm_error *err)
{
    bool found = false;
    size_t at = place_of(runtime, name, &found);
    if (found)
        return rm_error_set(err, RM_E_DUPLICATE_ID, "%s%snode type '%s' is there already%s%s",
                            owner != NULL ? owner : "", owner != NULL ? ": " : "", name,
                            strcmp(runtime->names[at].type->name, name) == 0 ? "" : ", as an alias of ",
                            strcmp(runtime->names[at].type->name, name) == 0 ? ""
                                                                             : runtime->names[at].type->name);
    void *grown = runtime->names;
    int rc = rmi_grow(runtime->allocator, &grown, &runtime->name_capacity, runtime->name_count + 1,
                      sizeof *runtime->names, err);
    runtime->names = grown;
    if (rc != RM_OK)
        return rc;
    memmove(runtime->names + at + 1, runtime->names + at,
            (runtime->name_count - at) * sizeof *runtime->names);
    runtime->names[at] = (rmi_type_name){name, type};
    runtime->name_count++;
    return RM_OK;
}

static int add_type(rm_runtime *runtime, const rm_node_type *type, const char *owner, rm_error *err)
{
    int rc = rmi_type_check(type, owner, err);
    if (rc != RM_OK)
        return rc;
    void *grown = runtime->types;
    rc = rmi_grow(runtime->allocator, &grown, &runtime->type_capacity, runtime->type_count + 1,
                  sizeof(const rm_node_type *), err);
    runtime->types = grown;
    if (rc != RM_OK)
        return rc;
    runtime->types[runtime->type_count++] = type;
    rc = add_name(runtime, type->name, type, owner, err);
    for (const char *const *alias = type->aliases; alias != NULL && *alias != NULL && rc == RM_OK; alias++)
        rc = add_name(runtime, *alias, type, owner, err);
    return rc;
}

/* Removes the types from `first` on. */
static void forget(rm_runtime *runtime, size_t first)
{
    size_t kept = 0;
    for (size_t i = 0; i < runtime->name_count; i++) {
        bool gone = false;
        for (size_t t = first; t < runtime->type_count && !gone; t++)
            gone = runtime->names[i].type == runtime->types[t];
        if (!gone)
            runtime->names[kept++] = runtime->names[i];
    }
    runtime->name_count = kept;
    runtime->type_count = first;
}

int rmi_runtime_add_types(rm_runtime *runtime, const rm_node_type *const *types, const char *owner,
                          rm_error *err)
{
    size_t before = runtime->type_count;
    int rc = RM_OK;
    for (; *types != NULL && rc == RM_OK; types++) {
        for (size_t t = 0; t < runtime->type_count && rc == RM_OK; t++) {
            if (runtime->types[t] == *types) /* removing one of two would remove both */
                rc = rm_error_set(err, RM_E_DUPLICATE_ID, "%s%snode type '%s' is there already",
                                  owner != NULL ? owner : "", owner != NULL ? ": " : "", (*types)->name);
        }
        if (rc == RM_OK)
            rc = add_type(runtime, *types, owner, err);
    }
    if (rc != RM_OK)
        forget(runtime, before);
    return rc;
}

int rm_runtime_add_type(rm_runtime *runtime, const rm_node_type *type, rm_error *err)
{
    const rm_node_type *const one[] = {type, NULL};
    return rmi_runtime_add_types(runtime, one, NULL, err);
}

int rm_runtime_add_resolver(rm_runtime *runtime, const rm_resolver *resolver, rm_error *err)
{
    if (resolver->size != sizeof *resolver || resolver->resolve == NULL)
        return rm_error_set(err, RM_E_UNSUPPORTED_VERSION,
                            "a resolver of another version of the node interface");
    void *grown = runtime->resolvers;
    int rc = rmi_grow(runtime->allocator, &grown, &runtime->resolver_capacity, runtime->resolver_count + 1,
                      sizeof(rm_resolver *), err);
    runtime->resolvers = grown;
    if (rc != RM_OK)
        return rc;
    rm_resolver *copy = rmi_alloc(runtime->allocator, sizeof *copy);
    if (copy == NULL)
        return rmi_out_of_memory(err);
    *copy = *resolver;
    runtime->resolvers[runtime->resolver_count++] = copy;
    return RM_OK;
}

const rm_node_type *rm_runtime_find_type(const rm_runtime *runtime, const char *name)
{
    bool found = false;
    size_t at = place_of(runtime, name, &found);
    return found ? runtime->names[at].type : NULL;
}

const rm_node_type *rm_runtime_type_at(const rm_runtime *runtime, size_t index)
{
    return index < runtime->type_count ? runtime->types[index] : NULL;
}
