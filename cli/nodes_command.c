/* `remotemedia nodes`: prints the descriptors of node types, for people and for programs. */
#include <stddef.h>
#include <string.h>

#include "cli/guard.h"
#include "cli/help.h"
#include "cli/report.h"
#include "cli/setup.h"

struct nodes_options {
    rmi_setup setup; /* first, as rmi_runtime_options needs */
    rmi_texts operands;
    bool json;
};

static const rmi_option nodes_options[] = {
    {.name = "json",
     .kind = RMI_OPTION_FLAG,
     .offset = offsetof(struct nodes_options, json),
     .text = "as JSON"},
    {0},
};

static const rmi_command nodes_description = {
    .name = "nodes",
    .synopsis = "nodes [list | info NAME] [options]",
    .summary =
        "Lists the node types with a line each, or tells all about one: parameters, ports, description.",
    .tables = {nodes_options, rmi_runtime_options},
    .operands = offsetof(struct nodes_options, operands),
    .most = 2,
    .notes = "examples:\n  remotemedia nodes\n  remotemedia nodes info MultiplyNode\n"
             "  remotemedia nodes info my_module:MyNode --path nodes/\n",
};

static const char *text_of(rm_value map, const char *key)
{
    rm_value item = rm_null();
    rm_map_get(map, key, strlen(key), &item);
    return item.kind == RM_STRING ? rm_string_text(item, NULL) : "";
}

static rm_value list_of(rm_value map, const char *key)
{
    rm_value item = rm_null();
    rm_map_get(map, key, strlen(key), &item);
    return item.kind == RM_LIST ? item : rm_null();
}

/* Appends any value as JSON; strings without their quotes where `bare`. */
static void append_value(rmi_text *text, rm_value value, bool bare)
{
    char *json = NULL;
    size_t length = 0;
    if (bare && value.kind == RM_STRING) {
        rmi_text_append_c(text, rm_string_text(value, NULL));
    } else if (rm_json_write(NULL, value, 0, &json, &length, NULL, NULL) == RM_OK) {
        rmi_text_append(text, json, length);
        rm_text_free(NULL, json, length);
    } else {
        text->failed = true;
    }
}

static void append_list(rmi_text *text, rm_value list, const char *before)
{
    for (size_t i = 0; list.kind == RM_LIST && i < rm_list_length(list); i++) {
        rmi_text_append_c(text, i == 0 ? before : ", ");
        append_value(text, rm_list_get(list, i), true);
    }
}

static void append_types(rmi_text *text, rm_value types)
{
    const char *kind = "";
    for (size_t i = 0; i < rm_list_length(types); i++) {
        rm_value type = rm_list_get(types, i);
        if (strcmp(kind, text_of(type, "kind")) != 0)
            rmi_text_printf(text, "%s%s:\n", i != 0 ? "\n" : "", text_of(type, "kind"));
        kind = text_of(type, "kind");
        rmi_help_row(text, text_of(type, "name"), text_of(type, "summary"));
    }
}

/* Appends one parameter: name, type, range or choices, default. */
static void append_param(rmi_text *text, rm_value param)
{
    rm_value item;
    rmi_text_printf(text, "  %s (%s", text_of(param, "name"), text_of(param, "type"));
    append_list(text, list_of(param, "choices"), ": ");
    if (rm_map_get(param, "min", 3, &item) && item.kind != RM_NULL) {
        rmi_text_append_c(text, ", from ");
        append_value(text, item, true);
    }
    if (rm_map_get(param, "max", 3, &item) && item.kind != RM_NULL) {
        rmi_text_append_c(text, " to ");
        append_value(text, item, true);
    }
    if (rm_map_get(param, "required", 8, &item) && item.kind == RM_BOOL && item.b) {
        rmi_text_append_c(text, ", required");
    } else if (rm_map_get(param, "default", 7, &item)) {
        rmi_text_append_c(text, ", default ");
        append_value(text, item, false);
    }
    rmi_text_append_c(text, ")\n");
    if (text_of(param, "text")[0] != '\0')
        rmi_text_printf(text, "      %s\n", text_of(param, "text"));
}

/* Appends one port; the list of all plain kinds is abbreviated. */
static void append_port(rmi_text *text, rm_value port)
{
    enum { PLAIN_KINDS = 9 };
    rm_value kinds = list_of(port, "kinds");
    rmi_text_printf(text, "  %s %s", text_of(port, "direction"), text_of(port, "name"));
    if (kinds.kind == RM_LIST && rm_list_length(kinds) >= PLAIN_KINDS)
        rmi_text_append_c(text, ": anything");
    else
        append_list(text, kinds, ": ");
    rmi_text_append_c(text, "\n");
    if (text_of(port, "text")[0] != '\0')
        rmi_text_printf(text, "      %s\n", text_of(port, "text"));
}

static void append_details(rmi_text *text, rm_value type)
{
    rm_value params = list_of(type, "params"), ports = list_of(type, "ports");
    rmi_text_printf(text, "%s (%s)\n", text_of(type, "name"), text_of(type, "kind"));
    append_list(text, list_of(type, "aliases"), "also: ");
    rmi_text_printf(
        text, "%s%s\n",
        list_of(type, "aliases").kind == RM_LIST && rm_list_length(list_of(type, "aliases")) != 0 ? "\n" : "",
        text_of(type, "summary"));
    if (text_of(type, "description")[0] != '\0') {
        rmi_text_append_c(text, "\n");
        rmi_help_wrap(text, text_of(type, "description"));
    }
    if (params.kind == RM_LIST && rm_list_length(params) != 0)
        rmi_text_append_c(text, "\nparameters:\n");
    for (size_t i = 0; params.kind == RM_LIST && i < rm_list_length(params); i++)
        append_param(text, rm_list_get(params, i));
    if (ports.kind == RM_LIST && rm_list_length(ports) != 0)
        rmi_text_append_c(text, "\nports:\n");
    for (size_t i = 0; ports.kind == RM_LIST && i < rm_list_length(ports); i++)
        append_port(text, rm_list_get(ports, i));
}

static int put_types(rmi_program *program, rm_value types, bool details, rm_error *err)
{
    rmi_text text;
    rmi_text_init(&text, NULL);
    for (size_t i = 0; details && i < rm_list_length(types); i++) {
        rmi_text_append_c(&text, i != 0 ? "\n" : "");
        append_details(&text, rm_list_get(types, i));
    }
    if (!details)
        append_types(&text, types);
    int rc = text.failed ? rm_error_set(err, RM_E_OUT_OF_MEMORY, "out of memory")
                         : rmi_writer_put(&program->out, text.data, text.length, err);
    rmi_text_clear(&text);
    return rc;
}

/* `name` NULL: all types. */
static int print_types(struct nodes_options *options, const char *name, rmi_guard *guard,
                       rm_runtime **runtime, rmi_exit *code, rm_error *err)
{
    rmi_program *program = options->setup.program;
    rm_value types = rm_null();
    int rc = rmi_guard_start(guard, 0, err);
    if (rc == RM_OK) {
        rc = rmi_setup_runtime(&options->setup, runtime, err);
        *code = rmi_exit_for_setup(rc);
    }
    rmi_guard_watch_runtime(guard, rc == RM_OK ? *runtime : NULL);
    if (rc == RM_OK)
        rc = rm_list_new(NULL, 0, &types, err);
    if (rc == RM_OK) {
        rc = rm_runtime_describe_nodes(*runtime, name, &types, err);
        *code = rc == RM_E_UNKNOWN_NODE_TYPE ? RMI_EXIT_USAGE : RMI_EXIT_RUN;
    }
    if (rc == RM_OK) {
        *code = RMI_EXIT_IO;
        rc = options->json ? rmi_report_value(program, types, RM_JSON_PRETTY, err)
                           : put_types(program, types, name != NULL, err);
    }
    if (rc == RM_OK)
        rc = rmi_writer_flush(&program->out, err);
    rm_value_clear(&types);
    return rc;
}

static rmi_exit check_operands(const rmi_program *program, const rmi_texts *words, const char **name)
{
    const char *verb = words->count != 0 ? words->items[0] : "list";
    *name = NULL;
    if (strcmp(verb, "info") == 0) {
        if (words->count < 2)
            return rmi_usage_error(program, "nodes", "nodes info needs the name of a node type");
        *name = words->items[1];
    } else if (strcmp(verb, "list") != 0) {
        return rmi_usage_error(program, "nodes",
                               "nodes takes list or info, not '%s'; did you mean 'nodes info %s'?", verb,
                               verb);
    } else if (words->count > 1) {
        return rmi_usage_error(program, "nodes", "unexpected argument '%s'", words->items[1]);
    }
    return RMI_EXIT_OK;
}

rmi_exit rmi_command_nodes(rmi_program *program, int argc, char **argv)
{
    struct nodes_options options = {.setup = {.program = program}};
    rm_error err = {0};
    rm_runtime *runtime = NULL;
    const char *name = NULL;
    rmi_guard guard = {0};
    rmi_exit code, failed = RMI_EXIT_RUN;
    if (rmi_options_parse(&nodes_description, program, argc, argv, &options, &code)) {
        code = check_operands(program, &options.operands, &name);
        if (code == RMI_EXIT_OK && print_types(&options, name, &guard, &runtime, &failed, &err) != RM_OK) {
            rmi_guard_explain(&guard, "the command", &err, &failed);
            code = rmi_report_failure(program, &err, failed);
        }
    }
    code = rmi_setup_finish(&options.setup, &guard, "the command", code);
    rmi_guard_watch_runtime(&guard, NULL);
    rmi_setup_end(&options.setup, runtime);
    rmi_guard_stop(&guard);
    rm_error_clear(&err);
    rmi_options_free(&nodes_description, &options);
    return code;
}
