#include "cli/run.h"

#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/text.h"
#include "cli/array_files.h"
#include "cli/own_files.h"
#include "cli/report.h"
#include "cli/sandboxed_run.h"
#include "platform/platform.h"

static const char *const formats[] = {"json", "jsonl", NULL};
static const char *const compats[] = {"v1", NULL};
static const char *const arrays[] = {"json", "list", "npy:DIR", NULL}; /* as rmi_arrays */

#define AT(member) offsetof(rmi_run_options, member)
static const rmi_option run_options[] = {
    {.name = "input",
     .argument = "FILE|-",
     .kind = RMI_OPTION_TEXT,
     .offset = AT(input),
     .text = "take the input items from FILE, or from standard input"},
    {.name = "input-format",
     .argument = "FORMAT",
     .kind = RMI_OPTION_CHOICE,
     .offset = AT(input_format),
     .choices = formats,
     .text = "json (an array) or jsonl (an item a line); else by FILE's name"},
    {.name = "output",
     .argument = "FILE",
     .kind = RMI_OPTION_TEXT,
     .offset = AT(output),
     .text = "write the results to FILE instead of standard output"},
    {.name = "format",
     .argument = "FORMAT",
     .kind = RMI_OPTION_CHOICE,
     .offset = AT(format),
     .choices = formats,
     .text = "json (one document at the end, the default) or jsonl\n"
             "(a result a line, as they come); else by FILE's name"},
    {.name = "set",
     .argument = "NODE.PARAM=VALUE",
     .kind = RMI_OPTION_TEXTS,
     .offset = AT(settings),
     .text = "set a parameter: VALUE is JSON, or else a string\n(may be repeated)"},
    {.name = "timeout",
     .argument = "TIME",
     .kind = RMI_OPTION_DURATION,
     .offset = AT(timeout_ms),
     .text = "stop after TIME: seconds (30, 1.5) or 500ms"},
    {.name = "metrics",
     .kind = RMI_OPTION_FLAG,
     .offset = AT(metrics),
     .text = "tell counts and times of every node on standard error, as JSON"},
    {.name = "progress",
     .kind = RMI_OPTION_FLAG,
     .offset = AT(progress),
     .text = "show counts on standard error"},
    {.name = "compat",
     .argument = "v1",
     .kind = RMI_OPTION_CHOICE,
     .offset = AT(compat),
     .choices = compats,
     .text = "print results as programs for manifest v1 expect them"},
    {.name = "raw-input",
     .kind = RMI_OPTION_FLAG,
     .offset = AT(raw_input),
     .text = "take {\"__numpy__\": ...} in items as it stands"},
    {.name = "arrays",
     .argument = "FORM",
     .kind = RMI_OPTION_FORM,
     .offset = AT(arrays),
     .choices = arrays,
     .text = "how arrays are printed: json (base64, the default), list\n"
             "(nested lists of numbers), or npy:DIR (a NPY file in DIR each)"},
    {.name = "seed",
     .argument = "N",
     .kind = RMI_OPTION_INTEGER,
     .offset = AT(setup.seed),
     .text = "seed Python's random numbers"},
    {0},
};
#undef AT

const rmi_command rmi_run_description = {
    .name = "run",
    .synopsis = "run MANIFEST|- [options]",
    .summary = "Runs a pipeline and prints its results as JSON.",
    .tables = {run_options, rmi_runtime_options, rmi_sandbox_options, rmi_whole_sandbox_options},
    .operands = offsetof(rmi_run_options, operands),
    .least = 1,
    .most = 1,
    .operand = "the manifest: a file, or - for standard input",
    .notes =
        "Without --input the items are the manifest's input_data; without those, sources generate.\n"
        "Exit codes: 0 success, 1 the run failed, 2 usage, 3 the manifest is invalid, 4 input or output\n"
        "failed, 5 timed out, 130 interrupted.\n"
        "\n"
        "examples:\n"
        "  remotemedia run pipeline.json\n"
        "  remotemedia run pipeline.json --input items.jsonl --format jsonl\n"
        "  remotemedia run pipeline.json --set gain.factor=0.5 --output results.json\n",
};

/* Checks the options against each other. */
static int check_usage(const rmi_run_options *options, rm_error *err)
{
    bool lines = options->format == RMI_FORMAT_JSONL;
    if (rmi_is_standard(options->input, STDIN_FILENO) &&
        rmi_is_standard(options->operands.items[0], STDIN_FILENO))
        return rm_error_set(err, RM_E_USAGE, "the manifest and --input cannot both be standard input");
    if (options->input == NULL && options->input_format != 0)
        return rm_error_set(err, RM_E_USAGE, "--input-format needs --input");
    if (options->compat != 0 && lines)
        return rm_error_set(err, RM_E_USAGE,
                            "--compat v1 prints one document: it cannot go with --format jsonl");
    if (options->setup.sandbox.wasm != NULL && !options->setup.sandbox.whole)
        return rm_error_set(err, RM_E_USAGE, "--wasm needs --sandbox");
    if (options->setup.sandbox.whole && options->setup.plugins.count > 0)
        return rm_error_set(err, RM_E_USAGE, "--plugin cannot go with --sandbox: plug-ins are native");
    return RM_OK;
}

static unsigned input_flags(const rmi_run_options *options)
{
    return options->raw_input ? RM_JSON_RAW : 0;
}

static int load_manifest(rmi_run *run, rmi_exit *code, rm_error *err)
{
    const rmi_run_options *options = run->options;
    int rc = rmi_setup_manifest(&options->setup, run->runtime, options->operands.items[0],
                                input_flags(options), run->guard.wake, &run->manifest, code, err);
    if (rc == RM_OK) {
        *code = RMI_EXIT_USAGE;
        rc = rmi_setup_overrides(run->manifest, &options->settings, err);
    }
    if (rc == RM_OK) {
        rc = rm_manifest_validate(run->manifest, err);
        *code = rmi_exit_for_manifest(rc);
    }
    return rc;
}

static rmi_own_files own_files(const rmi_run *run)
{
    const rmi_run_options *options = run->options;
    const bool manifest = rmi_is_standard(options->operands.items[0], STDIN_FILENO);
    const bool input = rmi_is_standard(options->input, STDIN_FILENO);
    return (rmi_own_files){
        .manifest = manifest ? NULL : run->manifest_place,
        .input = input ? NULL : run->input_place,
        .output = rmi_is_standard(options->output, STDOUT_FILENO) ? NULL : run->output.file_place,
        .arrays = run->output.array_place,
        .reads_standard = manifest || input,
        .in = run->program->in,
        .out = run->program->out.descriptor,
        .error = STDERR_FILENO,
    };
}

static int check_own_files(const rmi_run *run, rmi_exit *code, rm_error *err)
{
    const rmi_own_files files = own_files(run);
    *code = RMI_EXIT_USAGE;
    return rmi_own_files_check(&files, err);
}

static int open_input(rmi_run *run, rmi_exit *code, rm_error *err)
{
    const rmi_run_options *options = run->options;
    rm_value items = rm_manifest_input(run->manifest);
    bool has_items = items.kind == RM_MAP || (items.kind == RM_LIST && rm_list_length(items) != 0);
    *code = RMI_EXIT_USAGE;
    if (options->input != NULL && has_items)
        return rm_error_set(err, RM_E_USAGE,
                            "the manifest has input_data already; leave out --input or input_data");
    run->generate = options->input == NULL && !has_items;
    *code = RMI_EXIT_IO;
    int rc = RM_OK;
    if (options->input != NULL)
        rc = rmi_input_open(&run->input, options->input, run->input_place, run->program->in,
                            (rmi_format)options->input_format, input_flags(options), run->guard.wake, err);
    else if (!run->generate)
        rmi_input_of(&run->input, items);
    return rc == RM_OK ? rm_manifest_check_input(run->manifest, run->input.whole, err) : rc;
}

static int open_output(rmi_run *run, rmi_exit *code, rm_error *err)
{
    const rmi_run_options *options = run->options;
    const char *path = rmi_is_standard(options->output, STDOUT_FILENO) ? NULL : options->output;
    int rc = rmi_output_open(&run->output, run->program, path, err);
    if (rc == RM_OK && run->output.arrays == RMI_ARRAYS_NPY)
        rc = rmi_array_files_open(run->output.directory, run->output.array_place, err);
    *code = RMI_EXIT_IO;
    if (rc == RM_OK && run->output.format == RMI_FORMAT_JSON && run->output.writer == &run->program->out)
        atomic_store(&run->guard.document, run->program->out.descriptor);
    return rc;
}

static void watch(void *context, rm_pipeline *pipeline)
{
    rmi_guard_watch(context, pipeline);
}

static int open_pipeline(rmi_run *run, rmi_exit *code, rm_error *err)
{
    const rmi_run_options *options = run->options;
    rm_pipeline_options pipeline_options = {
        .size = sizeof pipeline_options,
        .timeout_ms = rmi_guard_has_clock(&run->guard) ? 0 : options->timeout_ms,
        .generate = run->generate,
        .measure = options->metrics,
        .input = run->generate ? NULL : rmi_input_next,
        .input_context = &run->input,
        .wait = rmi_pump_wait,
        .wait_context = run,
        .opening = watch,
        .opening_context = &run->guard,
    };
    rmi_own_files files = own_files(run);
    rmi_own_files_tell(&files, &pipeline_options);
    rmi_guard_limit(&run->guard, options->timeout_ms, 0); /* starts anew: loading had its own limit */
    int rc = rm_pipeline_open(run->manifest, &pipeline_options, &run->pipeline, err);
    run->output.lent = files.in_use[0];
    if (rc == RM_OK && run->generate)
        rc = rm_pipeline_finish(run->pipeline, err); /* nodes that do not generate get nothing */
    *code = rmi_exit_for_run(err);
    if (rc == RM_OK) {
        rc = rmi_output_begin(&run->output, run->pipeline, err);
        *code = run->output.failed ? RMI_EXIT_IO : rmi_exit_for_run(err);
    }
    return rc;
}

static int run_pipeline(rmi_run *run, rmi_exit *code, rm_error *err)
{
    rmi_progress_start(&run->progress, run->options->progress);
    int rc = rmi_pump(run, err);
    rmi_progress_end(&run->progress, run->input.items, run->output.results);
    atomic_store(&run->guard.document, -1);
    if (rc == RM_OK)
        rc = rmi_output_end(&run->output, run->pipeline, err);
    *code = run->input.failed || run->output.failed || run->output.arrays_failed ? RMI_EXIT_IO
                                                                                 : rmi_exit_for_run(err);
    return rc;
}

static void tell_metrics(rmi_run *run)
{
    rm_value metrics = rm_null();
    char *json = NULL;
    size_t length = 0;
    rmi_text text;
    rmi_text_init(&text, NULL);
    if (run->options->metrics && run->pipeline != NULL &&
        rm_pipeline_metrics(run->pipeline, &metrics, NULL) == RM_OK &&
        rm_json_write(NULL, metrics, 0, &json, &length, NULL, NULL) == RM_OK) {
        rmi_text_append_c(&text, "{\"metrics\":");
        rmi_text_append(&text, json, length);
        rmi_text_append_c(&text, "}\n");
        if (!text.failed)
            rmi_report_raw(text.data, text.length);
        rm_text_free(NULL, json, length);
    }
    rmi_text_clear(&text);
    rm_value_clear(&metrics);
}

/* Runs from the command line to the last result; *code is the exit code of a failure. */
static int perform(rmi_run *run, rmi_exit *code, rm_error *err)
{
    *code = RMI_EXIT_RUN;
    run->options->setup.loading_ms = run->options->timeout_ms;
    int rc = rmi_guard_start(&run->guard, run->options->timeout_ms, err);
    if (rc == RM_OK) {
        rc = rmi_setup_runtime(&run->options->setup, &run->runtime, err);
        *code = rmi_exit_for_setup(rc);
    }
    rmi_guard_watch_runtime(&run->guard, rc == RM_OK ? run->runtime : NULL);
    if (rc == RM_OK)
        rc = load_manifest(run, code, err);
    if (rc == RM_OK)
        rc = check_own_files(run, code, err);
    if (rc == RM_OK)
        rc = open_input(run, code, err);
    if (rc == RM_OK)
        rc = open_output(run, code, err);
    if (rc == RM_OK)
        rc = open_pipeline(run, code, err);
    if (rc == RM_OK)
        rc = run_pipeline(run, code, err);
    return rc;
}

/* Closes the nodes, if the run was given up before its end. */
static void close_nodes(rm_pipeline *pipeline)
{
    int rc = pipeline == NULL ? RM_DONE : RM_OK;
    if (pipeline != NULL)
        rm_pipeline_cancel(pipeline);
    while (rc >= 0 && rc != RM_DONE)
        rc = rm_run_step(pipeline, NULL);
}

/* Returns `code`, or RMI_EXIT_OK as rmi_setup_finish changes it. Exit functions may use the modules of nodes, so
 * the pipeline is there until they have run. */
static rmi_exit close_run(rmi_run *run, rmi_exit code)
{
    atomic_store(&run->guard.document, -1);
    close_nodes(run->pipeline);
    rmi_guard_watch(&run->guard, NULL);
    code = rmi_setup_finish(&run->options->setup, &run->guard, "the run", code);
    rm_pipeline_free(run->pipeline);
    rmi_input_close(&run->input);
    rmi_free_text(NULL, run->input_place);
    rmi_free_text(NULL, run->manifest_place);
    rmi_output_free(&run->output);
    rm_manifest_free(run->manifest);
    rmi_guard_watch_runtime(&run->guard, NULL);
    rmi_setup_end(&run->options->setup, run->runtime);
    rmi_guard_stop(&run->guard);
    return code;
}

void rmi_run_describe_output(rmi_program *program, const rmi_run_options *options, rmi_output *output)
{
    output->program = program;
    output->writer = &program->out;
    output->format =
        rmi_format_of((rmi_format)options->format, options->output != NULL ? options->output : "");
    if (options->compat != 0)
        output->format = RMI_FORMAT_JSON;
    output->compat = options->compat != 0;
    if (options->arrays.choice != 0)
        output->arrays = (rmi_arrays)(options->arrays.choice - 1);
    output->directory = options->arrays.detail;
}

/* Nodes may change the current directory, even while they are loaded. */
static int find_places(rmi_run *run, rm_error *err)
{
    const rmi_run_options *options = run->options;
    if ((run->manifest_place = rmi_program_path(run->program, options->operands.items[0])) == NULL)
        return rmi_out_of_memory(err);
    if (options->input != NULL && (run->input_place = rmi_program_path(run->program, options->input)) == NULL)
        return rmi_out_of_memory(err);
    if (options->output != NULL &&
        (run->output.file_place = rmi_program_path(run->program, options->output)) == NULL)
        return rmi_out_of_memory(err);
    if (run->output.directory != NULL &&
        (run->output.array_place = rmi_program_path(run->program, run->output.directory)) == NULL)
        return rmi_out_of_memory(err);
    return RM_OK;
}

static rmi_exit run_with(rmi_program *program, rmi_run_options *options)
{
    rm_error err = {0};
    rmi_exit code = RMI_EXIT_OK, failed = RMI_EXIT_RUN;
    rmi_run run = {.options = options, .program = program, .input = {.reader = {.descriptor = -1}}};
    rmi_run_describe_output(program, options, &run.output);
    if (run.output.compat) /* its nodes know of numpy's arrays alone */
        options->setup.arrays = RM_ARRAYS_NUMPY;
    int rc = find_places(&run, &err);
    if (rc == RM_OK)
        rc = perform(&run, &failed, &err);
    if (rc != RM_OK) {
        const rmi_own_files files = own_files(&run);
        run.output.lent |= rmi_own_files_has_output(&files) ||
                           (run.pipeline != NULL && rm_pipeline_output_node(run.pipeline) != NULL);
        rmi_guard_explain(&run.guard, "the run", &err, &failed);
        rmi_explain_memory(&err, rmi_platform_memory_limit());
        code = program->needs_help ? failed : rmi_output_fail(&run.output, &err, failed);
    }
    tell_metrics(&run);
    code = close_run(&run, code);
    rm_error_clear(&err);
    return code;
}

rmi_exit rmi_command_run(rmi_program *program, int argc, char **argv)
{
    rmi_run_options options = {.setup = {.program = program}};
    rm_error err = {0};
    rmi_exit code;
    if (rmi_options_parse(&rmi_run_description, program, argc, argv, &options, &code)) {
        if (check_usage(&options, &err) == RM_OK)
            code = options.setup.sandbox.whole ? rmi_run_sandboxed(program, &options, argc, argv)
                                               : run_with(program, &options);
        else
            code = rmi_usage_error(program, "run", "%s", err.message);
    }
    rm_error_clear(&err);
    rmi_options_free(&rmi_run_description, &options);
    return code;
}
