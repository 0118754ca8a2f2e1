/* What a guest is told about the node that it is. */
#include <string.h>

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

int rmi_sandbox_configuration(const rm_node *node, const rmi_sandboxed *use, rm_value *out, rm_error *err)
{
    rm_value config = rm_value_retain(use->config), inputs = rm_null(), entry = rm_null(), id = rm_null();
    int rc = rm_value_make_unique(rm_node_allocator(node), &config, err);
    if (rc == RM_OK && use->type.generate != NULL)
        rc = rm_map_set(&config, "generates", 9, rm_bool(rm_node_generates(node)), err);
    if (rc == RM_OK && use->type.flags & RM_NODE_WAITS)
        rc = rm_map_set(&config, "waits", 5, rm_bool(true), err);
    const rm_node_type *type = use->native != NULL ? use->native : &use->type;
    const size_t count = use->is_python ? 0 : rm_node_input_count(node);
    if (rc == RM_OK && count > 0)
        rc = rm_list_new(rm_node_allocator(node), count, &inputs, err);
    for (size_t i = 0; rc == RM_OK && i < count; i++) {
        const char *source = rm_node_input_source(node, (unsigned)i);
        source = source != NULL ? source : "input";
        rc = rm_list_new(rm_node_allocator(node), 2, &entry, err);
        if (rc == RM_OK)
            rc = rm_string_new(rm_node_allocator(node), source, strlen(source), &id, err);
        if (rc == RM_OK)
            rc = rm_list_append(&entry, rm_value_move(&id), err);
        const char *port = input_name(type, i);
        if (rc == RM_OK && port != NULL)
            rc = rm_string_new(rm_node_allocator(node), port, strlen(port), &id, err);
        if (rc == RM_OK)
            rc = rm_list_append(&entry, rm_value_move(&id), err);
        if (rc == RM_OK)
            rc = rm_list_append(&inputs, rm_value_move(&entry), err);
        rm_value_clear(&entry);
    }
    if (rc == RM_OK && count > 0)
        rc = rm_map_set(&config, "inputs", 6, rm_value_move(&inputs), err);
    rm_value_clear(&inputs);
    *out = rm_value_move(&config);
    if (rc != RM_OK)
        rm_value_clear(out);
    return rc;
}
