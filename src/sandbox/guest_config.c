/* What a guest is told about the node that it is. */

#include "data/builder.h"
#include "sandbox/guest_node.h"

int rmi_sandbox_configure(rmi_guest *guest, rm_value config, rmi_guest_call call, rmi_guest_answer *answer,
                          rm_error *err)
{
    rmi_wire_writer packer;
    uint8_t *data = NULL;
    size_t capacity = 0, size = 0;
    int rc = rmi_wire_size(config, 0, &size, err);
    if (rc == RM_OK)
        rc = rmi_guest_input(guest, size, &data, &capacity, err);
    if (rc != RM_OK)
        return rc;
    rmi_wire_init_fixed(&packer, data, capacity);
    rc = rmi_wire_write(&packer, config, err);
    rmi_slot slots[2] = {{.u32 = (uint32_t)size}, {0}};
    return rc == RM_OK ? rmi_guest_call_it(guest, call, slots, answer, err) : rc;
}

/* The name of the i-th input port, where a variadic one counts once a connection; NULL: it has just one. */
static const char *input_name(const rm_node_type *type, size_t i)
{
    for (const rm_port *port = type->ports; port != NULL && port->name != NULL; port++) {
        if (port->direction == RM_INPUT && (i == 0 || port->variadic))
            return port->name;
        i -= port->direction == RM_INPUT;
    }
    return NULL;
}

/* For each input: [what it comes from, the port or null]. */
static rm_value list_inputs(rmi_builder *b, const rm_node *node, const rm_node_type *type)
{
    rm_value inputs = rmi_build_list(b);
    const size_t count = rm_node_input_count(node);
    for (size_t i = 0; i < count; i++) {
        const char *source = rm_node_input_source(node, (unsigned)i), *port = input_name(type, i);
        rm_value entry = rmi_build_list(b);
        rmi_build_add(b, &entry, rmi_build_string(b, source != NULL ? source : "input"));
        rmi_build_add(b, &entry, port != NULL ? rmi_build_string(b, port) : rm_null());
        rmi_build_add(b, &inputs, entry);
    }
    return inputs;
}

int rmi_sandbox_configuration(const rm_node *node, const rmi_sandboxed *use, rm_value *out, rm_error *err)
{
    rmi_builder b = rmi_builder_start(rm_node_allocator(node), err);
    rm_value config = rm_value_retain(use->config);
    b.rc = rm_value_make_unique(b.allocator, &config, err);
    if (use->type.generate != NULL)
        rmi_build_put(&b, &config, "generates", rm_bool(rm_node_generates(node)));
    if (use->type.flags & RM_NODE_WAITS)
        rmi_build_put(&b, &config, "waits", rm_bool(true));
    if (!use->is_python && rm_node_input_count(node) > 0)
        rmi_build_put(&b, &config, "inputs",
                      list_inputs(&b, node, use->native != NULL ? use->native : &use->type));
    return rmi_build_end(&b, &config, out);
}
