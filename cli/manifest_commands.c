/* The commands that read a manifest without running it, and the schema that manifests follow. */
#include <stddef.h>
#include <string.h>

#include "cli/guard.h"
#include "cli/report.h"
#include "cli/setup.h"

struct manifest_options {
    rmi_setup setup; /* first, as rmi_runtime_options needs */
    rmi_texts operands, settings;
    int format; /* choice: 1 + rm_diagram */
    int64_t timeout_ms;
};

static const char *const diagrams[] = {[RM_DIAGRAM_MERMAID] = "mermaid", [RM_DIAGRAM_DOT] = "dot", NULL};

static const rmi_option timeout_option[] = {
    {.name = "timeout",
     .argument = "TIME",
     .kind = RMI_OPTION_DURATION,
     .offset = offsetof(struct manifest_options, timeout_ms),
     .text = "stop after TIME: seconds (30, 1.5) or 500ms"},
    {0},
};

static const rmi_option set_option[] = {
    {.name = "set",
     .argument = "NODE.PARAM=VALUE",
     .kind = RMI_OPTION_TEXTS,
     .offset = offsetof(struct manifest_options, settings),
     .text = "set a parameter, as `run` does (may be repeated)"},
    {0},
};

static const rmi_option graph_options[] = {
    {.name = "format",
     .argument = "FORMAT",
     .kind = RMI_OPTION_CHOICE,
     .choices = diagrams,
     .offset = offsetof(struct manifest_options, format),
     .text = "mermaid (the default) or dot"},
    {0},
};

static const rmi_command validate_description = {
    .name = "validate",
    .synopsis = "validate MANIFEST|- [options]",
    .summary = "Checks all of a manifest that can be checked without running it: fields, node types,\n"
               "parameters, connections, features. Prints {\"status\":\"valid\"}, or the error document.",
    .tables = {set_option, timeout_option, rmi_runtime_options, rmi_sandbox_options},
    .operands = offsetof(struct manifest_options, operands),
    .least = 1,
    .most = 1,
    .operand = "the manifest: a file, or - for standard input",
    .notes = "Exit codes: 0 valid, 2 usage, 3 invalid, 4 the manifest cannot be read, 5 timed out,\n"
             "130 interrupted.\n",
};

static const rmi_command graph_description = {
    .name = "graph",
    .synopsis = "graph MANIFEST|- [--format mermaid|dot] [options]",
    .summary = "Prints a manifest's graph as text that Mermaid or Graphviz draws.",
    .tables = {graph_options, timeout_option, rmi_runtime_options, rmi_sandbox_options},
    .operands = offsetof(struct manifest_options, operands),
    .least = 1,
    .most = 1,
    .operand = "the manifest: a file, or - for standard input",
    .notes = "example:\n  remotemedia graph pipeline.json --format dot | dot -Tsvg > pipeline.svg\n",
};

static const rmi_command schema_description = {
    .name = "schema",
    .synopsis = "schema [options]",
    .summary = "Prints a JSON Schema (2020-12) of manifests, with the parameters of every native node type.",
    .tables = {rmi_runtime_options},
    .operands = offsetof(struct manifest_options, operands),
};

static int put_diagram(rmi_program *program, rm_manifest *manifest, int format, rm_error *err)
{
    char *text = NULL;
    size_t length = 0;
    rm_diagram diagram = format != 0 ? (rm_diagram)(format - 1) : RM_DIAGRAM_MERMAID;
    int rc = rm_manifest_diagram(manifest, diagram, &text, &length, err);
    if (rc != RM_OK)
        return rc;
    rc = rmi_writer_put(&program->out, text, length, err);
    rm_text_free(NULL, text, length);
    return rc;
}

static int put_schema(rmi_program *program, rm_runtime *runtime, rm_error *err)
{
    rm_value schema = rm_null();
    int rc = rm_runtime_schema(runtime, &schema, err);
    if (rc == RM_OK)
        rc = rmi_report_value(program, schema, RM_JSON_PRETTY, err);
    rm_value_clear(&schema);
    return rc;
}

/* Loads and checks a manifest; *code is the exit code of a failure. */
static int load_valid(struct manifest_options *options, rm_runtime *runtime, rmi_wake *wake,
                      rm_manifest **manifest, rmi_exit *code, rm_error *err)
{
    int rc = rmi_setup_manifest(&options->setup, runtime, options->operands.items[0], 0, wake, manifest, code,
                                err);
    if (rc == RM_OK) {
        *code = RMI_EXIT_USAGE;
        rc = rmi_setup_overrides(*manifest, &options->settings, err);
    }
    if (rc == RM_OK) {
        rc = rm_manifest_validate(*manifest, err);
        *code = rmi_exit_for_manifest(rc);
    }
    return rc;
}

static int perform(const rmi_command *command, struct manifest_options *options, rmi_guard *guard,
                   rm_runtime **runtime, rm_manifest **manifest, rmi_exit *code, rm_error *err)
{
    rmi_program *program = options->setup.program;
    int rc = rmi_guard_start(guard, options->timeout_ms, err);
    if (rc == RM_OK) {
        rc = rmi_setup_runtime(&options->setup, runtime, err);
        *code = rmi_exit_for_setup(rc);
    }
    rmi_guard_watch_runtime(guard, rc == RM_OK ? *runtime : NULL);
    if (rc == RM_OK && command != &schema_description)
        rc = load_valid(options, *runtime, guard->wake, manifest, code, err);
    if (rc == RM_OK) {
        *code = RMI_EXIT_IO;
        rc = command == &schema_description ? put_schema(program, *runtime, err)
             : command == &graph_description
                 ? put_diagram(program, *manifest, options->format, err)
                 : rmi_writer_put_c(&program->out, "{\"status\":\"valid\"}\n", err);
    }
    if (rc == RM_OK)
        rc = rmi_writer_flush(&program->out, err);
    return rc;
}

static rmi_exit run_command(const rmi_command *command, rmi_program *program, int argc, char **argv)
{
    struct manifest_options options = {.setup = {.program = program}};
    rm_error err = {0};
    rm_runtime *runtime = NULL;
    rm_manifest *manifest = NULL;
    rmi_guard guard = {0};
    rmi_exit code, failed = RMI_EXIT_RUN;
    bool given = rmi_options_parse(command, program, argc, argv, &options, &code);
    options.setup.loading_ms = options.timeout_ms;
    if (given && perform(command, &options, &guard, &runtime, &manifest, &failed, &err) != RM_OK) {
        rmi_guard_explain(&guard, "the command", &err, &failed);
        code = rmi_report_failure(program, &err, failed);
    }
    code = rmi_setup_finish(&options.setup, &guard, "the command", code);
    rm_manifest_free(manifest); /* exit functions may use the modules of its nodes */
    rmi_guard_watch_runtime(&guard, NULL);
    rmi_setup_end(&options.setup, runtime);
    rmi_guard_stop(&guard);
    rm_error_clear(&err);
    rmi_options_free(command, &options);
    return code;
}

rmi_exit rmi_command_validate(rmi_program *program, int argc, char **argv)
{
    return run_command(&validate_description, program, argc, argv);
}

rmi_exit rmi_command_graph(rmi_program *program, int argc, char **argv)
{
    return run_command(&graph_description, program, argc, argv);
}

rmi_exit rmi_command_schema(rmi_program *program, int argc, char **argv)
{
    return run_command(&schema_description, program, argc, argv);
}
