/* The policy that the command line gives to sandboxes, and `run --sandbox`. */
#include <errno.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "cli/array_files.h"
#include "cli/report.h"
#include "cli/sandboxed_run.h"

/* Defaults: enough for honest programs, a limit for others. */
static const uint64_t most_output = UINT64_C(1) << 30, most_log = UINT64_C(1) << 20;

/* The time after --timeout in which the program inside has to end itself, unless a node keeps it. */
enum { GRACE_MS = 1000, LONGEST_PATH = 4096 };

/* A policy and the memory that it points at. */
typedef struct policy {
    rm_sandbox_policy given;
    rm_sandbox_grant *grants;
    char **texts; /* parts of words, and "NAME=VALUE"; ends with NULL */
    const char **environment;
    size_t capacity, text_count, environment_count;
} policy;

static void policy_free(policy *made)
{
    for (size_t i = 0; i < made->text_count; i++)
        free(made->texts[i]);
    free(made->texts);
    free(made->grants);
    free(made->environment);
}

/* Owned by `made`. */
static char *keep(policy *made, char *text)
{
    if (text != NULL)
        made->texts[made->text_count++] = text;
    return text;
}

static void add(policy *made, rm_sandbox_grant grant)
{
    made->grants[made->given.grant_count++] = grant;
}

/* Grants DIR or DIR=GUEST. */
static int add_directory(policy *made, const char *word, bool write, rm_error *err)
{
    const char *equals = strrchr(word, '=');
    rm_sandbox_grant grant = {.path = word, .write = write};
    if (equals != NULL) {
        grant.path = keep(made, strndup(word, (size_t)(equals - word)));
        grant.guest = equals + 1;
        if (grant.path == NULL)
            return rmi_out_of_memory(err);
        if (*grant.path == '\0' || *grant.guest == '\0')
            return rm_error_set(err, RM_E_USAGE, "--allow-%s takes DIR or DIR=GUEST, not '%s'",
                                write ? "write" : "read", word);
    }
    add(made, grant);
    return RM_OK;
}

static int add_variable(policy *made, const char *name, rm_error *err)
{
    const char *value = getenv(name);
    if (value == NULL)
        return RM_OK;
    const size_t size = strlen(name) + strlen(value) + 2;
    char *text = keep(made, malloc(size));
    if (text == NULL)
        return rmi_out_of_memory(err);
    (void)snprintf(text, size, "%s=%s", name, value);
    made->environment[made->environment_count++] = text;
    return RM_OK;
}

/* Makes the policy of all sandboxes from the options, with room for `more` grants. Call policy_free also
 * after a failure. */
static int policy_open(policy *made, const rmi_setup *setup, size_t more, rm_error *err)
{
    const rmi_sandbox_choice *chosen = &setup->sandbox;
    const size_t count = chosen->read.count + chosen->write.count + chosen->environment.count + more + 1;
    *made = (policy){.grants = calloc(count, sizeof *made->grants),
                     .texts = calloc(count, sizeof *made->texts),
                     .environment = calloc(count, sizeof *made->environment)};
    int rc = RM_OK;
    if (made->grants == NULL || made->texts == NULL || made->environment == NULL)
        return rmi_out_of_memory(err);
    for (size_t i = 0; rc == RM_OK && i < chosen->read.count; i++)
        rc = add_directory(made, chosen->read.items[i], false, err);
    for (size_t i = 0; rc == RM_OK && i < chosen->write.count; i++)
        rc = add_directory(made, chosen->write.items[i], true, err);
    for (size_t i = 0; rc == RM_OK && i < chosen->environment.count; i++)
        rc = add_variable(made, chosen->environment.items[i], err);
    made->given.grants = made->grants;
    made->given.environment = made->environment;
    made->given.limits = (rm_sandbox_limits){
        .memory_bytes = chosen->memory,
        .fuel = chosen->fuel,
        .output_bytes = chosen->output > 0 ? chosen->output : most_output,
        .log_bytes = chosen->log > 0 ? chosen->log : most_log,
    };
    return rc;
}

static int new_sandbox(rmi_setup *setup, uint32_t instances, rm_sandbox **out, rm_error *err)
{
    const rmi_sandbox_files *files = &setup->program->sandbox;
    const rm_sandbox_config config = {.size = sizeof config,
                                      .engine = files->engine,
                                      .modules = files->modules,
                                      .remedy = files->remedy,
                                      .instances = instances,
                                      .loading_ms = setup->loading_ms,
                                      .compiling_ms = setup->sandbox.compiling_ms,
                                      .log = rmi_setup_log,
                                      .log_context = setup};
    return rm_sandbox_new(&config, out, err);
}

/* ---- Nodes */

int rmi_program_sandbox(rmi_setup *setup, rm_runtime *runtime, rm_error *err)
{
    policy allowed;
    const rm_python_config python = {.size = sizeof python,
                                     .paths = setup->paths.items,
                                     .seed = setup->seed.value,
                                     .has_seed = setup->seed.given,
                                     .arrays = setup->arrays};
    int rc = policy_open(&allowed, setup, 0, err);
    if (rc == RM_OK)
        rc = new_sandbox(setup, 0, &setup->made, err);
    if (rc == RM_OK)
        rc = rm_sandbox_attach(setup->made, runtime, &allowed.given, &python, err);
    policy_free(&allowed);
    return rc;
}

void rmi_program_sandbox_free(rmi_setup *setup)
{
    rm_sandbox_free(setup->made);
    setup->made = NULL;
}

/* ---- The whole run */

/* Whether a grant of the file could open anything: the guest reports a missing file. */
static bool can_be_granted(const char *path, bool write)
{
    char directory[LONGEST_PATH];
    struct stat status;
    if (stat(path, &status) == 0)
        return !S_ISDIR(status.st_mode);
    const char *slash = strrchr(path, '/');
    const size_t length = slash != NULL ? (size_t)(slash - path) + 1 : 2;
    if (!write || length >= sizeof directory)
        return false;
    memcpy(directory, slash != NULL ? path : "./", length);
    directory[length] = '\0';
    return access(directory, X_OK) == 0;
}

/* Grants a file that the command line names. */
static void add_file(policy *made, const char *path, bool write)
{
    if (path != NULL && !rmi_is_standard(path, write ? STDOUT_FILENO : STDIN_FILENO) &&
        can_be_granted(path, write))
        add(made, (rm_sandbox_grant){.path = path, .write = write, .is_file = true});
}

/* Grants the files and folders of the command line, each as far as its option needs it. */
static int grant_named(policy *made, const rmi_run_options *options, rm_error *err)
{
    int rc = RM_OK;
    add_file(made, options->operands.items[0], false);
    add_file(made, options->input, false);
    add_file(made, options->output, true);
    for (size_t i = 0; i < options->setup.paths.count; i++)
        if (access(options->setup.paths.items[i], X_OK) == 0)
            add(made, (rm_sandbox_grant){.path = options->setup.paths.items[i]});
    if (options->arrays.detail != NULL) {
        rc = rmi_array_files_open(options->arrays.detail, options->arrays.detail, err);
        if (rc == RM_OK)
            add(made, (rm_sandbox_grant){.path = options->arrays.detail, .write = true});
    }
    return rc;
}

static void stop_run(void *context)
{
    rm_sandbox_stop(context);
}

/* Prints the guest's standard output, where that is one document, when the guest has ended by itself. It is
 * dropped when the guest was ended, so that no part of it stands before the error document. */
static int show(rmi_program *program, int held, rm_error *err)
{
    char piece[16384];
    ssize_t got = 0;
    int rc = RM_OK;
    off_t at = 0;
    while (rc == RM_OK && (got = pread(held, piece, sizeof piece, at)) > 0) {
        rc = rmi_writer_put(&program->out, piece, (size_t)got, err);
        at += got;
    }
    if (rc == RM_OK && got < 0)
        rc = rm_error_set(err, RM_E_IO, "cannot read back what the run wrote: %s", strerror(errno));
    return rc == RM_OK ? rmi_writer_flush(&program->out, err) : rc;
}

/* What the guard watches: lives in the stack frame of the run. */
typedef struct watched {
    rmi_guard *guard;
    int64_t timeout_ms;
    rmi_guarded run;
} watched;

static void started(void *context, rm_sandbox_run *run)
{
    watched *by = context;
    by->run = (rmi_guarded){.stop = stop_run, .context = run};
    rmi_guard_watch_other(by->guard, run != NULL ? &by->run : NULL);
    if (run != NULL) /* the limit holds even when nobody reads the output */
        rmi_guard_limit(by->guard, by->timeout_ms, GRACE_MS);
}

static int run_command(rmi_program *program, rmi_run_options *options, policy *allowed, rmi_guard *guard,
                       int output, int argc, char **argv, int *exit_code, rm_error *err)
{
    rm_sandbox *sandbox = NULL;
    watched by = {.guard = guard, .timeout_ms = options->timeout_ms};
    const rmi_option *const left_out[] = {rmi_sandbox_options, rmi_whole_sandbox_options, NULL};
    const char **words = calloc((size_t)argc + 2, sizeof *words);
    if (words == NULL)
        return rmi_out_of_memory(err);
    words[0] = "run";
    rmi_options_without(&rmi_run_description, left_out, argc, argv, words + 1);
    allowed->given.limits.timeout_ms = options->timeout_ms;
    const rm_sandbox_command command = {
        .size = sizeof command,
        .file = options->setup.sandbox.wasm,
        .arguments = words,
        .policy = allowed->given,
        .grace_ms = GRACE_MS,
        .input = program->in,
        .output = output,
        .errors = STDERR_FILENO,
        .started = started,
        .started_context = &by,
    };
    int rc = new_sandbox(&options->setup, 0, &sandbox, err);
    if (rc == RM_OK)
        rc = rm_sandbox_run_command(sandbox, &command, exit_code, err);
    rm_sandbox_free(sandbox);
    free(words);
    return rc;
}

/* The exit code of the process when the host has ended the run, or could not begin it. */
static rmi_exit exit_of(const rm_error *error)
{
    switch (error->code) {
    case RM_E_NOT_FOUND:
    case RM_E_IO:
        return RMI_EXIT_IO;
    case RM_E_MISSING_FEATURE:
        return RMI_EXIT_MANIFEST;
    case RM_E_USAGE:
        return RMI_EXIT_USAGE;
    default:
        return rmi_exit_for_run(error);
    }
}

rmi_exit rmi_run_sandboxed(rmi_program *program, rmi_run_options *options, int argc, char **argv)
{
    rm_error err = {0};
    policy allowed;
    rmi_guard guard = {0};
    rmi_output output = {0};
    int exit_code = 0, held = -1;
    options->setup.program = program;
    rmi_run_describe_output(program, options, &output);
    int rc = policy_open(&allowed, &options->setup, 4 + options->setup.paths.count, &err);
    if (rc == RM_OK)
        rc = grant_named(&allowed, options, &err);
    if (rc == RM_OK)
        rc = rmi_guard_start(&guard, 0, &err); /* the time runs from when the guest does */
    if (rc == RM_OK && output.format == RMI_FORMAT_JSON) {
        held = memfd_create("remotemedia-output", MFD_CLOEXEC);
        if (held < 0)
            rc = rm_error_set(&err, RM_E_IO, "what the run writes cannot be held: %s", strerror(errno));
    }
    if (rc == RM_OK)
        rc = run_command(program, options, &allowed, &guard, held >= 0 ? held : program->out.descriptor, argc,
                         argv, &exit_code, &err);
    if (rc == RM_OK && held >= 0)
        rc = show(program, held, &err);
    rmi_exit code = rc == RM_OK ? (rmi_exit)exit_code : exit_of(&err);
    if (rc != RM_OK) {
        rmi_guard_explain(&guard, "the run", &err, &code);
        code = rmi_output_fail(&output, &err, code);
    }
    rmi_guard_stop(&guard);
    if (held >= 0)
        (void)close(held);
    policy_free(&allowed);
    rm_error_clear(&err);
    return code;
}
