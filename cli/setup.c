#include "cli/setup.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/python.h"
#include "cli/other_servers.h"
#include "cli/report.h"
#include "cli/sandboxed_run.h"

const rmi_option rmi_runtime_options[] = {
    {.name = "path",
     .argument = "DIR",
     .text = "look for Python modules in DIR too (may be repeated)",
     .kind = RMI_OPTION_TEXTS,
     .offset = offsetof(rmi_setup, paths)},
    {.name = "plugin",
     .argument = "FILE",
     .text = "add the node types of a shared object (may be repeated)",
     .kind = RMI_OPTION_TEXTS,
     .offset = offsetof(rmi_setup, plugins)},
    {.name = "remote-token-file",
     .argument = "FILE",
     .text = "the token for servers that a node's host names: the line of FILE",
     .kind = RMI_OPTION_TEXT,
     .offset = offsetof(rmi_setup, remote_token_file)},
    {.name = "remote-ca",
     .argument = "FILE",
     .text = "TLS to those servers, with the authorities of FILE (PEM)",
     .kind = RMI_OPTION_TEXT,
     .offset = offsetof(rmi_setup, remote_ca)},
    {.name = "log-level",
     .argument = "LEVEL",
     .text = "error, warning (the default), info or debug",
     .kind = RMI_OPTION_CHOICE,
     .offset = offsetof(rmi_setup, log_level),
     .choices = rmi_log_levels},
    {0},
};

#define AT(member) offsetof(rmi_setup, sandbox.member)
const rmi_option rmi_sandbox_options[] = {
    {.name = "allow-read",
     .argument = "DIR[=GUEST]",
     .text = "let sandboxes read DIR, which they see as GUEST (may be repeated)",
     .kind = RMI_OPTION_TEXTS,
     .offset = AT(read)},
    {.name = "allow-write",
     .argument = "DIR[=GUEST]",
     .text = "let sandboxes read and write DIR (may be repeated)",
     .kind = RMI_OPTION_TEXTS,
     .offset = AT(write)},
    {.name = "allow-env",
     .argument = "NAME",
     .text = "let sandboxes see this variable (may be repeated)",
     .kind = RMI_OPTION_TEXTS,
     .offset = AT(environment)},
    {.name = "max-memory",
     .argument = "SIZE",
     .text = "memory of a sandbox: bytes, or 64M, 1.5G",
     .kind = RMI_OPTION_SIZE,
     .offset = AT(memory)},
    {.name = "max-output",
     .argument = "SIZE",
     .text = "what a sandbox may give out in all (preset: 1G)",
     .kind = RMI_OPTION_SIZE,
     .offset = AT(output)},
    {.name = "max-log",
     .argument = "SIZE",
     .text = "what it may log a second; more is dropped (preset: 1M)",
     .kind = RMI_OPTION_SIZE,
     .offset = AT(log)},
    {.name = "max-compile",
     .argument = "TIME",
     .text = "processor time for compiling a module, once (preset: 300)",
     .kind = RMI_OPTION_DURATION,
     .offset = AT(compiling_ms)},
    {.name = "fuel",
     .argument = "N",
     .text = "instructions it may execute, such as 500M; the same program\n"
             "with the same input stops at the same place",
     .kind = RMI_OPTION_SIZE,
     .offset = AT(fuel)},
    {0},
};

const rmi_option rmi_whole_sandbox_options[] = {
    {.name = "sandbox",
     .text = "run all of it in a sandbox, not only nodes that ask for one",
     .kind = RMI_OPTION_FLAG,
     .offset = AT(whole)},
    {.name = "wasm",
     .argument = "FILE",
     .text = "with --sandbox: the program's WASM file",
     .kind = RMI_OPTION_TEXT,
     .offset = AT(wasm)},
    {0},
};
#undef AT

void rmi_setup_log(void *context, rm_log_level level, const char *node, const char *text)
{
    const rmi_setup *setup = context;
    rm_log_level highest = setup->log_level != 0 ? (rm_log_level)(setup->log_level - 1) : RM_LOG_WARNING;
    uint64_t left_out = 0;
    if (level > highest || (setup->log_limit != NULL && !rmi_log_limit_pass(setup->log_limit, &left_out)))
        return;
    if (left_out > 0)
        rmi_report_line(setup->program, "warning", "%" PRIu64 " more lines were left out of the log",
                        left_out);
    rmi_report_log(setup->program, level, node, text);
}

static void check_paths(const rmi_setup *setup)
{
    struct stat found;
    for (size_t i = 0; i < setup->paths.count; i++)
        if (stat(setup->paths.items[i], &found) != 0 || !S_ISDIR(found.st_mode))
            rmi_report_line(setup->program, "warning", "--path '%s' is no directory", setup->paths.items[i]);
}

int rmi_setup_runtime(rmi_setup *setup, rm_runtime **out, rm_error *err)
{
    const rm_config config = {.size = sizeof config, .log = rmi_setup_log, .log_context = setup};
    const rm_python_config python = {.size = sizeof python,
                                     .paths = setup->paths.items,
                                     .seed = setup->seed.value,
                                     .has_seed = setup->seed.given,
                                     .arrays = setup->arrays};
    check_paths(setup);
    int rc = rm_runtime_new(&config, out, err);
    for (size_t i = 0; rc == RM_OK && i < setup->plugins.count; i++)
        rc = rm_runtime_load_plugin(*out, setup->plugins.items[i], err);
    if (rc == RM_OK && !setup->without_python)
        rc = rmi_program_python(*out, &python, err);
    if (rc == RM_OK)
        rc = rmi_program_sandbox(setup, *out, err);
    if (rc == RM_OK)
        rc = rmi_program_remote(setup, *out, err);
    return rc;
}

rmi_exit rmi_setup_finish(const rmi_setup *setup, rmi_guard *guard, const char *what, rmi_exit code)
{
    rm_error err = {0};
    rmi_exit failed = RMI_EXIT_RUN;
    char left[200]; /* leaves room for the reason */
    atomic_store(&guard->finishing, true);
    const int rc = rmi_program_python_finish(&err);
    rmi_guard_end_children(guard);
    if (rc == RM_OK)
        return code;
    (void)snprintf(left, sizeof left, "%.*s", (int)sizeof left - 1, err.message);
    if (code != RMI_EXIT_OK) { /* the run had to stop before, so only what has a name says more */
        if (strchr(left, '\'') != NULL)
            rmi_report_line(setup->program, "warning", "not ended: %s", left);
    } else {
        (void)rm_error_set(&err, RM_E_CANCELLED, "interrupted");
        rmi_guard_explain(guard, what, &err, &failed);
        code = failed;
        const size_t length = strlen(err.message);
        (void)snprintf(err.message + length, sizeof err.message - length, ": not ended: %s", left);
        rmi_report_error(setup->program, &err);
    }
    rm_error_clear(&err);
    return code;
}

void rmi_setup_end(rmi_setup *setup, rm_runtime *runtime)
{
    rm_runtime_free(runtime);
    rmi_program_sandbox_free(setup);
}

/* Nothing is read much past this: rm_manifest_parse_with refuses what is larger. */
enum { LARGEST = 64 << 20 };

int rmi_setup_manifest(const rmi_setup *setup, rm_runtime *runtime, const char *path, unsigned input_flags,
                       rmi_wake *wake, rm_manifest **out, rmi_exit *code, rm_error *err)
{
    rmi_reader reader;
    const char *text = NULL;
    size_t length = 0;
    int rc = rmi_reader_open(&reader, path, path, setup->program->in, err);
    if (rc == RM_OK)
        rc = rmi_reader_whole(&reader, LARGEST, wake, &text, &length, err);
    if (rc == RM_AGAIN)
        rc = rm_error_set(err, RM_E_CANCELLED, "interrupted while reading the manifest from %s", reader.name);
    *code = RMI_EXIT_IO;
    if (rc == RM_OK && length == 0 && setup->program->bare) {
        setup->program->needs_help = true;
        *code = RMI_EXIT_USAGE;
        rc = rm_error_set(err, RM_E_USAGE, "nothing came on standard input");
    }
    if (rc == RM_OK) {
        rc = rm_manifest_parse_with(runtime, text, length, path, input_flags, out, err);
        *code = rmi_exit_for_manifest(rc);
    }
    rmi_reader_close(&reader);
    return rc;
}

static int override(rm_manifest *manifest, const char *setting, rm_error *err)
{
    char node[128], param[128];
    rm_value value = rm_null();
    const char *dot = strchr(setting, '.'), *equals = strchr(setting, '=');
    if (dot == NULL || equals == NULL || dot > equals || dot == setting || equals == dot + 1 ||
        (size_t)(dot - setting) >= sizeof node || (size_t)(equals - dot) > sizeof param)
        return rm_error_set(err, RM_E_USAGE, "--set takes node.param=value, not '%s'", setting);
    memcpy(node, setting, (size_t)(dot - setting));
    node[dot - setting] = '\0';
    memcpy(param, dot + 1, (size_t)(equals - dot - 1));
    param[equals - dot - 1] = '\0';
    size_t length = strlen(equals + 1);
    int rc = rm_json_parse(NULL, equals + 1, length, 0, &value, err);
    if (rc == RM_E_PARSE) {
        rm_error_clear(err);
        rc = rm_string_new(NULL, equals + 1, length, &value, err);
    }
    if (rc == RM_OK)
        rc = rm_manifest_set_param(manifest, node, param, value, err);
    return rc;
}

int rmi_setup_overrides(rm_manifest *manifest, const rmi_texts *settings, rm_error *err)
{
    int rc = RM_OK;
    for (size_t i = 0; rc == RM_OK && i < settings->count; i++)
        rc = override(manifest, settings->items[i], err);
    return rc;
}
