/* Filter: keeps the items for which a comparison holds. */
#include <string.h>

#include "nodes/pointer/compare.h"
#include "nodes/pointer/pointer.h"
#include "nodes/process_many.h"

enum operation { EQ, NE, LT, LE, GT, GE, EXISTS, CONTAINS, TRUTHY };
static const char *const operation_choices[] = {"eq", "ne",     "lt",       "le",     "gt",
                                                "ge", "exists", "contains", "truthy", NULL};

struct filter {
    const char *path; /* parameter "pointer" */
    int operation;    /* parameter: enum operation */
    rm_value value;   /* parameter */
    rmi_pointer pointer;
};

static int filter_check(const void *state, rm_error *err)
{
    const struct filter *f = state;
    const bool ordered = f->operation >= LT && f->operation <= GE;
    const uint32_t kind = f->value.kind;
    if (!ordered || kind == RM_INT || kind == RM_FLOAT || kind == RM_BIGINT || kind == RM_STRING)
        return rmi_pointer_check("pointer", "pointer", f->path, strlen(f->path), err);
    rm_error_set(err, RM_E_TYPE, "operation '%s' needs \"value\" to be a number or a string, not %s",
                 operation_choices[f->operation], rm_kind_name((rm_kind)kind));
    if (kind != RM_NULL) /* it may not be given */
        rm_error_pointer(err, "/params/value");
    rm_error_hint(err, "eq and ne compare values of any kind");
    return RM_E_TYPE;
}

static int filter_open(rm_node *node, void *state, rm_error *err)
{
    struct filter *f = state;
    const int rc = filter_check(state, err);
    return rc == RM_OK ? rmi_pointer_parse(node, f->path, strlen(f->path), &f->pointer, err) : rc;
}

/* Whether a list holds `value`, a string has it as a part, or a map has it as a key. */
static int contains(rm_node *node, rm_value place, rm_value value, bool *holds, rm_error *err)
{
    size_t length = 0, part_length = 0;
    int rc = RM_OK;
    *holds = false;
    if (place.kind == RM_LIST) {
        for (size_t i = 0; i < rm_list_length(place) && !*holds && rc == RM_OK; i++)
            rc = rmi_same(rm_node_allocator(node), rm_list_get(place, i), value, holds, err);
        return rc;
    }
    if ((place.kind != RM_STRING && place.kind != RM_MAP) || value.kind != RM_STRING)
        return rm_error_set(err, RM_E_TYPE,
                            "%s cannot contain %s: a list holds any value, a string or map a string",
                            rm_kind_name((rm_kind)place.kind), rm_kind_name((rm_kind)value.kind));
    const char *part = rm_string_text(value, &part_length);
    if (place.kind == RM_MAP) {
        *holds = rm_map_get(place, part, part_length, NULL);
    } else {
        const char *text = rm_string_text(place, &length);
        *holds = memmem(text, length, part, part_length) != NULL;
    }
    return RM_OK;
}

static int matches(rm_node *node, const struct filter *f, rm_value item, bool *holds, rm_error *err)
{
    const rm_allocator *allocator = rm_node_allocator(node);
    rm_value place = rm_null();
    rmi_order order = RMI_UNORDERED;
    int rc = RM_OK;
    const bool found = rmi_pointer_get(&f->pointer, item, &place);
    if (!found || f->operation == EXISTS) { /* a missing place differs from every value */
        *holds = found || f->operation == NE;
        return RM_OK;
    }
    switch (f->operation) {
    case EQ:
    case NE:
        rc = rmi_same(allocator, place, f->value, holds, err);
        *holds = *holds == (f->operation == EQ);
        break;
    case CONTAINS:
        rc = contains(node, place, f->value, holds, err);
        break;
    case TRUTHY:
        *holds = rmi_truth(place);
        break;
    default:
        rc = rmi_order_of(allocator, place, f->value, &order, err);
        *holds = (order == RMI_LESS && f->operation <= LE) || (order == RMI_GREATER && f->operation >= GT) ||
                 (order == RMI_EQUAL && (f->operation == LE || f->operation == GE));
    }
    return rc;
}

/* Kept items move to the front of `batch`. */
static int filter_process_many(rm_node *node, void *state, unsigned port, rm_packet *batch, size_t n,
                               size_t *done, rm_error *err)
{
    const struct filter *f = state;
    size_t kept = 0, i = 0;
    int rc = RM_OK;
    (void)port;
    for (; i < n; i++) {
        bool holds = false;
        if ((rc = matches(node, f, batch[i].value, &holds, err)) != RM_OK)
            break;
        if (!holds)
            rm_packet_clear(&batch[i]);
        else if (kept++ != i)
            batch[kept - 1] = rm_packet_move(&batch[i]);
    }
    return rmi_batch_end(node, batch, kept, i, done, rc, err);
}

static int filter_close(rm_node *node, void *state, rm_error *err)
{
    (void)err;
    rmi_pointer_free(node, &((struct filter *)state)->pointer);
    return RM_OK;
}

static const rm_port filter_ports[] = {
    {.name = "in", .direction = RM_INPUT, .kinds = RM_KIND_PLAIN, .text = "Any item"},
    {.name = "out",
     .direction = RM_OUTPUT,
     .kinds = RM_KIND_PLAIN,
     .text = "The items that match, unchanged"},
    {0},
};

static const rm_param filter_params[] = {
    {.name = "pointer",
     .text = "JSON pointer to what is compared (\"/user/age\"); empty: the item itself",
     .type = RM_PARAM_STRING,
     .offset = offsetof(struct filter, path),
     .text_value = {.fallback = ""}},
    {.name = "operation",
     .text = "The comparison that must hold",
     .type = RM_PARAM_ENUM,
     .flags = RM_PARAM_REQUIRED,
     .offset = offsetof(struct filter, operation),
     .choice = {.choices = operation_choices}},
    {.name = "value",
     .text = "The right-hand side; not used by exists and truthy",
     .type = RM_PARAM_VALUE,
     .offset = offsetof(struct filter, value),
     .value = {.fallback_json = "null"}},
    {0},
};

const rm_node_type rmi_node_filter = {
    .abi_version = RM_NODE_ABI_VERSION,
    .size = sizeof(rm_node_type),
    .name = "Filter",
    .summary = "Keeps the items that match a comparison",
    .description =
        "eq and ne compare any values: 1 equals 1.0, the order of keys does not count, values of "
        "different kinds differ. lt, le, gt and ge compare two numbers or two strings (by code point); "
        "anything else is an error. contains looks for a value in a list, a part in a string or a key "
        "in a map. truthy keeps what Python takes for true. An item in which the pointer finds nothing "
        "is dropped, except by ne.",
    .ports = filter_ports,
    .params = filter_params,
    .state_size = sizeof(struct filter),
    .check = filter_check,
    .open = filter_open,
    .process_many = filter_process_many,
    .close = filter_close,
};
