/* CalculatorNode: one operation on numbers, or the operation that the item itself asks for. */
#include "nodes/number.h"
#include "nodes/process_many.h"

#include <string.h>

struct calculator {
    int operation;         /* parameter: an rm_operation */
    rm_value operand;      /* parameter */
    rm_value processed_by; /* "CalculatorNode[<id>]" */
    rm_value config;       /* the parameters as the manifest gives them */
};

/* In the order of rm_operation. */
static const char *const operation_names[] = {"add",   "subtract", "multiply", "divide",
                                              "power", "modulo",   NULL};

static int calculator_close(rm_node *node, void *state, rm_error *err)
{
    struct calculator *c = state;
    (void)node, (void)err;
    rm_value_clear(&c->processed_by);
    rm_value_clear(&c->config);
    return RM_OK;
}

static int calculator_open(rm_node *node, void *state, rm_error *err)
{
    struct calculator *c = state;
    const rm_allocator *allocator = rm_node_allocator(node);
    const char *id = rm_node_id(node);
    const size_t size = sizeof("CalculatorNode[]") + strlen(id);
    char *text = rmi_node_resize(node, NULL, 0, size, err);
    int rc = text != NULL ? RM_OK : RM_E_OUT_OF_MEMORY;
    if (rc != RM_OK)
        goto done;
    memcpy(text, "CalculatorNode[", 15);
    memcpy(text + 15, id, size - 17);
    text[size - 2] = ']';
    rc = rm_string_new(allocator, text, size - 1, &c->processed_by, err);
    if (rc == RM_OK && rm_node_params(node).kind == RM_MAP)
        c->config = rm_value_retain(rm_node_params(node));
    else if (rc == RM_OK)
        rc = rm_map_new(allocator, 0, &c->config, err);
done:
    rmi_node_free(node, text, size);
    if (rc != RM_OK)
        (void)calculator_close(node, state, NULL);
    return rc;
}

static int find_operation(rm_value name, rm_operation *operation, rm_error *err)
{
    size_t length = 0;
    if (name.kind != RM_STRING)
        return rm_error_set(err, RM_E_TYPE, "\"operation\" must be a string, not %s",
                            rm_kind_name((rm_kind)name.kind));
    const char *text = rm_string_text(name, &length);
    if (strlen(text) != length)
        return rm_error_set(err, RM_E_VALUE, "\"operation\" contains a NUL character");
    for (int i = 0; operation_names[i] != NULL; i++) {
        if (length == strlen(operation_names[i]) && memcmp(text, operation_names[i], length) == 0) {
            *operation = (rm_operation)i;
            return RM_OK;
        }
    }
    return rm_error_set(err, RM_E_VALUE,
                        "unknown operation '%.60s'; known are add, subtract, multiply, divide, power, modulo",
                        text);
}

/* Computes from left to right: subtract [9, 3, 1] is 5. An empty list gives 0 for add and 1 for multiply.
 * *result is owned. */
static int fold(rm_node *node, rm_operation operation, rm_value args, rm_value *result, rm_error *err)
{
    const size_t n = args.kind == RM_LIST ? rm_list_length(args) : 0;
    int rc = RM_OK;
    if (args.kind != RM_LIST)
        return rm_error_set(err, RM_E_TYPE, "\"args\" must be an array of numbers, not %s",
                            rm_kind_name((rm_kind)args.kind));
    for (size_t i = 0; i < n; i++)
        if (!rmi_is_number(rm_list_get(args, i)))
            return rm_error_set(err, RM_E_TYPE, "\"args\" must hold numbers only, but args[%zu] is %s", i,
                                rm_kind_name((rm_kind)rm_list_get(args, i).kind));
    if (n == 0 && operation != RM_ADD && operation != RM_MULTIPLY)
        return rm_error_set(err, RM_E_VALUE, "%s needs at least one number in \"args\"",
                            operation_names[operation]);
    *result = n > 0 ? rm_value_retain(rm_list_get(args, 0)) : rm_int(operation == RM_MULTIPLY);
    for (size_t i = 1; i < n && rc == RM_OK; i++)
        rc = rmi_number_apply(node, operation, result, rm_list_get(args, i), err);
    return rc;
}

/* Replaces a {"operation", "args"} item by its result. */
static int answer(rm_node *node, const struct calculator *c, rm_value *item, rm_error *err)
{
    rm_value name = rm_null(), args = rm_null(), result = rm_null(), map = rm_null();
    rm_operation operation = RM_ADD;
    (void)rm_map_get(*item, "operation", 9, &name);
    (void)rm_map_get(*item, "args", 4, &args);
    int rc = find_operation(name, &operation, err);
    if (rc == RM_OK)
        rc = fold(node, operation, args, &result, err);
    if (rc == RM_OK)
        rc = rm_map_new(rm_node_allocator(node), 5, &map, err);
    const struct {
        const char *key;
        rm_value value;
    } entries[] = {
        {"operation", name},        {"args", args}, {"result", result}, {"processed_by", c->processed_by},
        {"node_config", c->config},
    };
    for (size_t i = 0; i < sizeof entries / sizeof *entries && rc == RM_OK; i++)
        rc = rm_map_set(&map, entries[i].key, strlen(entries[i].key), rm_value_retain(entries[i].value), err);
    if (rc == RM_OK) {
        rm_value_clear(item);
        *item = rm_value_move(&map);
    }
    rm_value_clear(&result);
    rm_value_clear(&map);
    return rc;
}

static int calculator_process_many(rm_node *node, void *state, unsigned port, rm_packet *batch, size_t n,
                                   size_t *done, rm_error *err)
{
    const struct calculator *c = state;
    int rc = RM_OK;
    size_t i = 0;
    (void)port;
    for (; i < n; i++) {
        rm_value *value = &batch[i].value;
        if (rmi_is_number(*value))
            rc = rmi_number_apply(node, (rm_operation)c->operation, value, c->operand, err);
        else if (value->kind == RM_MAP && rm_map_get(*value, "operation", 9, NULL))
            rc = answer(node, c, value, err);
        if (rc != RM_OK)
            break;
    }
    return rmi_batch_end(node, batch, i, i, done, rc, err);
}

static const rm_param calculator_params[] = {
    {.name = "operation",
     .text = "What is done to an item that is a number",
     .type = RM_PARAM_ENUM,
     .offset = offsetof(struct calculator, operation),
     .choice = {.choices = operation_names, .fallback = RM_ADD}},
    {.name = "operand",
     .text = "The right-hand side of the operation",
     .type = RM_PARAM_NUMBER,
     .offset = offsetof(struct calculator, operand),
     .value = {.fallback_json = "0"}},
    {0},
};

const rm_node_type rmi_node_calculator = {
    .abi_version = RM_NODE_ABI_VERSION,
    .size = sizeof(rm_node_type),
    .name = "CalculatorNode",
    .aliases = (const char *const[]){"Calculator", NULL},
    .summary = "Calculates with numbers, or answers {\"operation\", \"args\"} items",
    .description =
        "A number becomes `number operation operand`. A map with \"operation\" and \"args\" (an array "
        "of numbers, taken from left to right) becomes {\"operation\", \"args\", \"result\", "
        "\"processed_by\": \"CalculatorNode[<id>]\", \"node_config\"}, where node_config is what the "
        "manifest gives as params. Every other item passes unchanged.\n\n"
        "Arithmetic is Python's: integers stay exact at any size, dividing integers gives an integer "
        "when it comes out even and a float otherwise, modulo has the sign of the divisor. Division by "
        "zero is an error.",
    .params = calculator_params,
    .state_size = sizeof(struct calculator),
    .open = calculator_open,
    .process_many = calculator_process_many,
    .close = calculator_close,
};
