/* rm_sandbox_attach: the resolver of nodes that ask for a sandbox. What such a node is, its guest says: no code of it runs
 * outside. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/spin.h"
#include "graph/describe.h"
#include "graph/registry.h"
#include "sandbox/guest_node.h"

/* Memory that a description may take here. */
enum { MOST_DESCRIPTION = 16 << 20 };

/* ---- What is kept of the policy */

static void attached_free(void *context)
{
    rmi_attached *attached = context;
    for (size_t i = 0; i < attached->text_count; i++)
        rmi_free_text(attached->allocator, attached->texts[i]);
    const size_t most = attached->policy.grant_count * 2 + attached->environment_count + 1;
    rmi_free(attached->allocator, attached->texts, most * sizeof *attached->texts);
    rmi_free(attached->allocator, attached->grants,
             (attached->policy.grant_count + 1) * sizeof *attached->grants);
    rmi_free(attached->allocator, attached->environment,
             (attached->environment_count + 1) * sizeof *attached->environment);
    rm_value_clear(&attached->paths);
    rmi_free(attached->allocator, attached, sizeof *attached);
}

/* A copy that lives as long as `attached`; NULL for NULL, and with *rc a failure. */
static const char *keep(rmi_attached *attached, const char *text, int *rc, rm_error *err)
{
    if (text == NULL || *rc != RM_OK)
        return NULL;
    char *copy = rmi_copy_text(attached->allocator, text);
    if (copy == NULL) {
        *rc = rmi_out_of_memory(err);
        return NULL;
    }
    return attached->texts[attached->text_count++] = copy;
}

static int keep_policy(rmi_attached *attached, const rm_sandbox_policy *policy, rm_error *err)
{
    size_t variables = 0, most = 0;
    while (policy->environment != NULL && policy->environment[variables] != NULL)
        variables++;
    if (!rmi_multiply(policy->grant_count, 2, &most) || !rmi_add(most, variables + 1, &most) ||
        most > 1 << 20)
        return rm_error_set(err, RM_E_LIMIT, "too many grants");
    attached->policy = *policy;
    attached->environment_count = variables;
    attached->texts = rmi_alloc_zeroed(attached->allocator, most * sizeof *attached->texts);
    attached->grants =
        rmi_alloc_zeroed(attached->allocator, (policy->grant_count + 1) * sizeof *attached->grants);
    attached->environment =
        rmi_alloc_zeroed(attached->allocator, (variables + 1) * sizeof *attached->environment);
    if (attached->texts == NULL || attached->grants == NULL || attached->environment == NULL)
        return rmi_out_of_memory(err);
    int rc = RM_OK;
    for (size_t i = 0; i < policy->grant_count; i++) {
        attached->grants[i] = policy->grants[i];
        attached->grants[i].path = keep(attached, policy->grants[i].path, &rc, err);
        attached->grants[i].guest = keep(attached, policy->grants[i].guest, &rc, err);
    }
    for (size_t i = 0; i < variables; i++)
        attached->environment[i] = keep(attached, policy->environment[i], &rc, err);
    attached->policy.grants = attached->grants;
    attached->policy.environment = attached->environment;
    return rc;
}

static int keep_python(rmi_attached *attached, const rm_python_config *python, rm_error *err)
{
    if (python == NULL)
        return RM_OK;
    if (python->size != sizeof *python)
        return rm_error_set(err, RM_E_USAGE, "rm_python_config.size is %u, not %zu", python->size,
                            sizeof *python);
    attached->seed = python->seed;
    attached->has_seed = python->has_seed;
    attached->arrays = python->arrays;
    rmi_builder b = rmi_builder_start(attached->allocator, err);
    rm_value paths = rmi_build_list(&b);
    for (size_t i = 0; python->paths != NULL && python->paths[i] != NULL; i++)
        rmi_build_add(&b, &paths, rmi_build_string(&b, python->paths[i]));
    if (rm_list_length(paths) == 0)
        rm_value_clear(&paths);
    return rmi_build_end(&b, &paths, &attached->paths);
}

/* ---- Which file a node's code is in */

static int find_file(rmi_sandboxed *use, const rm_node_query *query, rm_error *err)
{
    static const char *const with_python[] = {"remotemedia_reactor_numpy_snapshot.wasm",
                                              "remotemedia_reactor_wasm_snapshot.wasm",
                                              "remotemedia_reactor_wasm.wasm", NULL};
    static const char *const without[] = {"remotemedia_reactor_lite.wasm",
                                          "remotemedia_reactor_wasm_snapshot.wasm",
                                          "remotemedia_reactor_numpy_snapshot.wasm", NULL};
    const char *name = rmi_type_module(query->node_type);
    if (name == NULL)
        return rmi_sandbox_file(use->attached->sandbox, use->is_python ? with_python : without, use->file,
                                err);
    const bool beside = name[0] != '/' && query->directory != NULL;
    const int length = snprintf(use->file, sizeof use->file, "%s%s%s", beside ? query->directory : "",
                                beside ? "/" : "", name);
    if (length >= (int)sizeof use->file || *name == '\0')
        return rm_error_set(err, RM_E_VALUE, "'%s' names no file", query->node_type);
    return RM_OK;
}

/* ---- What the guest is told, and what it says */

static void put_arrays(rmi_builder *b, rm_value *config, const char *key, rm_arrays arrays)
{
    if (arrays != RM_ARRAYS_UNSAID)
        rmi_build_text(b, config, key, arrays == RM_ARRAYS_NUMPY ? "numpy" : "tensor");
}

static int make_config(rmi_sandboxed *use, const rm_node_query *query, rm_error *err)
{
    const rmi_attached *attached = use->attached;
    rmi_builder b = rmi_builder_start(attached->allocator, err);
    rm_value config = rmi_build_map(&b);
    rmi_build_text(&b, &config, "node_type", query->node_type);
    rmi_build_text(&b, &config, "id", query->id);
    rmi_build_text(&b, &config, "runtime_hint", use->is_python ? "cpython" : "auto");
    rmi_build_put(&b, &config, "params", rm_value_retain(query->params));
    rmi_build_put(&b, &config, "is_streaming", rm_bool(query->is_streaming));
    rmi_build_put(&b, &config, "is_source", rm_bool(query->is_source));
    if (query->directory != NULL)
        rmi_build_text(&b, &config, "directory", query->directory);
    if (attached->paths.kind == RM_LIST)
        rmi_build_put(&b, &config, "paths", rm_value_retain(attached->paths));
    if (attached->has_seed)
        rmi_build_put(&b, &config, "seed", rm_int(attached->seed));
    put_arrays(&b, &config, "arrays", attached->arrays);
    put_arrays(&b, &config, "node_arrays", ((const rmi_node_query *)query)->arrays);
    return rmi_build_end(&b, &config, &use->config);
}

/* The names of ports under `key`, or the one name. */
static int count_ports(rm_value description, const char *key, size_t *count, rm_error *err)
{
    rm_value names = rm_null();
    *count = 1;
    if (!rm_map_get(description, key, strlen(key), &names))
        return RM_OK;
    *count = names.kind == RM_LIST ? rm_list_length(names) : SIZE_MAX;
    for (size_t i = 0; *count != SIZE_MAX && i < *count; i++)
        if (rm_list_get(names, i).kind != RM_STRING)
            *count = SIZE_MAX;
    return *count <= 64 ? RM_OK : rmi_guest_broken(err, "'%s' is no list of up to 64 names", key);
}

static rm_port *put_ports(rm_port *port, rm_value description, const char *key, size_t count,
                          rm_direction direction, uint32_t kinds)
{
    rm_value names = rm_null();
    const bool named = rm_map_get(description, key, strlen(key), &names);
    for (size_t i = 0; i < count; i++)
        *port++ = (rm_port){.name = named                   ? rm_string_text(rm_list_get(names, i), NULL)
                                    : direction == RM_INPUT ? "in"
                                                            : "out",
                            .direction = direction,
                            .kinds = kinds};
    return port;
}

static int make_ports(rmi_sandboxed *use, rm_error *err)
{
    size_t inputs = 0, outputs = 0;
    const uint32_t kinds = use->is_python ? RM_KIND_ANY : RM_KIND_PLAIN;
    int rc = count_ports(use->description, "inputs", &inputs, err);
    if (rc == RM_OK)
        rc = count_ports(use->description, "outputs", &outputs, err);
    if (rc != RM_OK)
        return rc;
    use->port_count = inputs + outputs + 1;
    use->ports = rmi_alloc_zeroed(use->attached->allocator, use->port_count * sizeof *use->ports);
    if (use->ports == NULL)
        return rmi_out_of_memory(err);
    rm_port *port = put_ports(use->ports, use->description, "inputs", inputs, RM_INPUT, kinds);
    rm_value variadic = rm_null();
    if (inputs > 0 && rm_map_get(use->description, "variadic", 8, &variadic) && variadic.kind == RM_BOOL)
        port[-1].variadic = variadic.b;
    (void)put_ports(port, use->description, "outputs", outputs, RM_OUTPUT, RM_KIND_ANY);
    use->type.ports = use->ports;
    return RM_OK;
}

static void set_being_asked(rmi_attached *attached, rmi_guest *guest)
{
    rmi_spin_lock(&attached->guard);
    attached->being_asked = guest;
    rmi_spin_unlock(&attached->guard);
}

static void interrupt(void *context)
{
    rmi_attached *attached = context;
    rmi_spin_lock(&attached->guard);
    if (attached->being_asked != NULL)
        rmi_guest_stop(attached->being_asked);
    if (attached->loading > 0)
        atomic_store(&attached->lost, true);
    rmi_spin_unlock(&attached->guard);
}

/* Who waits for code. */
typedef struct waiting {
    rmi_attached *attached;
    const rm_node *node; /* NULL: the manifest is being read */
} waiting;

static bool lost_patience(void *context)
{
    const waiting *who = context;
    return atomic_load(&who->attached->lost) || (who->node != NULL && rm_node_cancelled(who->node));
}

int rmi_attached_load(const rmi_sandboxed *use, const rm_node *node, rmi_loaded **out, rm_error *err)
{
    rmi_attached *attached = use->attached;
    waiting who = {attached, node};
    const rmi_patience patience = {lost_patience, &who};
    rmi_spin_lock(&attached->guard);
    if (attached->loading++ == 0)
        atomic_store(&attached->lost, false);
    rmi_spin_unlock(&attached->guard);
    const int rc =
        rmi_sandbox_module(attached->sandbox, use->file, use->policy.limits.fuel > 0, &patience, out, err);
    rmi_spin_lock(&attached->guard);
    attached->loading--;
    rmi_spin_unlock(&attached->guard);
    return rc;
}

static int describe_guest(rmi_sandboxed *use, rm_error *err)
{
    rmi_guest_answer answer = {0};
    rmi_guest *guest = use->guest;
    rmi_wire_bound bound = {.left = MOST_DESCRIPTION};
    size_t at = 0;
    int rc = RM_OK;
    if (rmi_guest_has(guest, RMI_GUEST_DESCRIBE)) {
        rc = rmi_sandbox_configure(guest, use->config, RMI_GUEST_DESCRIBE, &answer, err);
        if (rc == RM_OK)
            rc = rmi_guest_read(rmi_wire_read_within(use->attached->allocator, answer.output, answer.length,
                                                     &at, &bound, &use->description, err),
                                "description", err);
        if (rc == RM_OK && use->description.kind != RM_MAP)
            rc = rmi_guest_broken(err, "rm_node_describe gives no map");
        return rc > 0 ? rmi_guest_answered(RMI_GUEST_DESCRIBE, rc, err) : rc;
    }
    rmi_builder b = rmi_builder_start(use->attached->allocator, err); /* by what it exports */
    rm_value description = rmi_build_map(&b);
    rmi_build_put(&b, &description, "generates", rm_bool(rmi_guest_has(guest, RMI_GUEST_GENERATE)));
    rmi_build_put(&b, &description, "pending", rm_bool(rmi_guest_has(guest, RMI_GUEST_POLL)));
    rmi_build_put(&b, &description, "advance", rm_bool(rmi_guest_has(guest, RMI_GUEST_ADVANCE)));
    rmi_build_put(&b, &description, "streaming", rm_bool(rmi_guest_has(guest, RMI_GUEST_END)));
    return rmi_build_end(&b, &description, &use->description);
}

static int ask_guest(rmi_sandboxed *use, rm_error *err)
{
    rmi_guest *guest = NULL;
    int rc = rmi_attached_load(use, NULL, &use->loaded, err);
    if (rc == RM_OK)
        rc = rmi_guest_new(use->attached->sandbox, use->loaded, &use->policy, (rmi_guest_usage){0}, &guest,
                           err);
    use->guest = guest;
    if (rc != RM_OK)
        return rc;
    set_being_asked(use->attached, guest);
    rc = describe_guest(use, err);
    set_being_asked(use->attached, NULL);
    return rc;
}

/* A native node's ports and parameters are known here. */
static int describe_native(rmi_sandboxed *use, rm_error *err)
{
    const rm_node_type *native = use->native;
    rmi_builder b = rmi_builder_start(use->attached->allocator, err);
    rm_value description = rmi_build_map(&b);
    rmi_describe_calls(&b, &description, native);
    use->type.ports = native->ports;
    use->type.params = native->params; /* the manifest is checked against them; the guest fills its own */
    return rmi_build_end(&b, &description, &use->description);
}

/* ---- The resolver */

static uint64_t lower(uint64_t a, uint64_t b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

static void lower_limits(rm_sandbox_limits *limits, const rm_sandbox_limits *own)
{
    limits->memory_bytes = lower(limits->memory_bytes, own->memory_bytes);
    limits->timeout_ms = (int64_t)lower((uint64_t)limits->timeout_ms, (uint64_t)own->timeout_ms);
    limits->fuel = lower(limits->fuel, own->fuel);
    limits->output_bytes = lower(limits->output_bytes, own->output_bytes);
    limits->log_bytes = lower(limits->log_bytes, own->log_bytes);
}

static void release_data(void *context, void *data)
{
    rmi_sandboxed *use = data;
    (void)context;
    const rm_allocator *allocator = use->attached->allocator;
    rmi_guest_free(use->guest);
    rmi_sandbox_module_done(use->attached->sandbox, use->loaded);
    rm_value_clear(&use->config);
    rm_value_clear(&use->description);
    rmi_free(allocator, use->ports, use->port_count * sizeof *use->ports);
    rmi_free_text(allocator, use->name);
    rmi_free(allocator, use, sizeof *use);
}

static int fill_in(rmi_sandboxed *use, const rm_node_query *query, rm_error *err)
{
    use->name = rmi_copy_text(use->attached->allocator, query->node_type);
    if (use->name == NULL)
        return rmi_out_of_memory(err);
    use->type.name = use->name;
    int rc = find_file(use, query, err);
    if (rc == RM_OK)
        rc = make_config(use, query, err);
    if (rc == RM_OK)
        rc = use->native != NULL ? describe_native(use, err) : ask_guest(use, err);
    if (rc == RM_OK && use->native == NULL)
        rc = make_ports(use, err);
    if (rc == RM_OK)
        rmi_sandboxed_set_slots(use, use->description);
    return rc;
}

static int resolve(void *context, const rm_node_query *query, const rm_node_type **type, void **data,
                   const char **looked, rm_error *err)
{
    rmi_attached *attached = context;
    *looked = "";
    if (!query->sandboxed)
        return RM_DONE;
    rmi_sandboxed *use = rmi_alloc_zeroed(attached->allocator, sizeof *use);
    if (use == NULL)
        return rmi_out_of_memory(err);
    use->attached = attached;
    use->policy = attached->policy;
    lower_limits(&use->policy.limits, &query->limits);
    if (strcmp(query->runtime_hint, "auto") == 0)
        use->native = rm_runtime_find_type(attached->runtime, query->node_type);
    use->is_python = use->native == NULL && rmi_type_module(query->node_type) == NULL;
    const int rc = fill_in(use, query, err);
    if (rc != RM_OK) {
        release_data(context, use);
        return rc;
    }
    *type = &use->type;
    *data = use;
    return RM_OK;
}

static int describe(void *context, const char *name, rm_value *list, rm_error *err)
{
    (void)context, (void)name, (void)list, (void)err;
    return RM_OK; /* what there is, others have told */
}

int rm_sandbox_attach(rm_sandbox *sandbox, rm_runtime *runtime, const rm_sandbox_policy *policy,
                      const rm_python_config *python, rm_error *err)
{
    static const rm_sandbox_policy nothing = {0};
    const rm_allocator *allocator = rm_runtime_allocator(runtime);
    rmi_attached *attached = rmi_alloc_zeroed(allocator, sizeof *attached);
    if (attached == NULL)
        return rmi_out_of_memory(err);
    attached->sandbox = sandbox;
    attached->runtime = runtime;
    attached->allocator = allocator;
    const rm_resolver resolver = {.size = sizeof resolver,
                                  .context = attached,
                                  .resolve = resolve,
                                  .release_data = release_data,
                                  .describe = describe,
                                  .interrupt = interrupt,
                                  .free = attached_free};
    int rc = keep_policy(attached, policy != NULL ? policy : &nothing, err);
    if (rc == RM_OK)
        rc = keep_python(attached, python, err);
    if (rc == RM_OK)
        rc = rm_runtime_add_resolver(runtime, &resolver, err);
    if (rc == RM_OK)
        runtime->has_sandbox = true;
    else
        attached_free(attached);
    return rc;
}
