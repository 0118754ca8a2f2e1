/* Finds the command and calls it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/suggest.h"
#include "cli/help.h"
#include "cli/report.h"
#include "platform/platform.h"

static const struct {
    const char *name, *text;
    rmi_exit (*run)(rmi_program *program, int argc, char **argv);
} commands[] = {
    {"run", "run a pipeline and print its results", rmi_command_run},
    {"validate", "check a manifest without running it", rmi_command_validate},
    {"graph", "draw a manifest's graph as Mermaid or dot", rmi_command_graph},
    {"nodes", "list the node types, or tell all about one", rmi_command_nodes},
    {"schema", "print the JSON Schema of manifests", rmi_command_schema},
    {"vendor", "fetch Python packages for the WASM files", rmi_command_vendor},
    {"version", "print version, features and licences", rmi_command_version},
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

static void append_help(rmi_text *text)
{
    rmi_text_append_c(text, "usage: remotemedia COMMAND [options]\n\n"
                            "Runs media and data pipelines that JSON manifests describe.\n\ncommands:\n");
    for (size_t i = 0; i < COMMANDS; i++)
        rmi_help_row(text, commands[i].name, commands[i].text);
    rmi_text_append_c(
        text, "\n`remotemedia COMMAND --help` tells a command's options. Without arguments the manifest\n"
              "on standard input is run.\n");
}

static rmi_exit print_help(rmi_program *program)
{
    rmi_text text;
    rmi_text_init(&text, NULL);
    append_help(&text);
    return rmi_help_print(program, &text);
}

static rmi_exit without_arguments(rmi_program *program)
{
    char name[] = "run", source[] = "-", *arguments[] = {name, source, NULL};
    rmi_text text;
    program->bare = true;
    if (!rmi_platform_is_terminal(program->in)) {
        const rmi_exit code = rmi_command_run(program, 2, arguments);
        if (!program->needs_help)
            return code;
    }
    rmi_text_init(&text, NULL);
    append_help(&text);
    if (!text.failed)
        rmi_report_raw(text.data, text.length);
    rmi_text_clear(&text);
    return RMI_EXIT_USAGE;
}

static rmi_exit unknown_command(rmi_program *program, const char *word)
{
    rmi_suggestion suggestion = rmi_suggest_for(word);
    size_t length = strlen(word);
    for (size_t i = 0; i < COMMANDS; i++)
        rmi_suggest_offer(&suggestion, commands[i].name);
    rmi_suggest_offer(&suggestion, "help");
    const char *what = word[0] == '-' ? "option" : "command";
    if (word[0] != '-' && length > 5 && strcmp(word + length - 5, ".json") == 0)
        return rmi_usage_error(program, NULL, "unknown command '%s'; did you mean 'remotemedia run %s'?",
                               word, word);
    if (word[0] != '-' && suggestion.best != NULL)
        return rmi_usage_error(program, NULL, "unknown command '%s'; did you mean '%s'?", word,
                               suggestion.best);
    return rmi_usage_error(program, NULL, "unknown %s '%s'", what, word);
}

static bool is_one_of(const char *word, const char *a, const char *b, const char *c)
{
    return strcmp(word, a) == 0 || strcmp(word, b) == 0 || strcmp(word, c) == 0;
}

static rmi_exit dispatch(rmi_program *program, int argc, char **argv)
{
    char help[] = "--help", version[] = "version", *words[] = {NULL, help, NULL};
    if (argc < 2)
        return without_arguments(program);
    if (is_one_of(argv[1], "--help", "-h", "help") && argc == 2)
        return print_help(program);
    if (strcmp(argv[1], "--version") == 0 && argc == 2) {
        words[0] = version;
        return rmi_command_version(program, 1, words);
    }
    bool asks = strcmp(argv[1], "help") == 0;
    const char *word = argv[asks ? 2 : 1];
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(word, commands[i].name) != 0)
            continue;
        words[0] = argv[2];
        return asks ? commands[i].run(program, 2, words) : commands[i].run(program, argc - 1, argv + 1);
    }
    return unknown_command(program, word);
}

static bool wants_colour(void)
{
    const char *refused = getenv("NO_COLOR"), *terminal = getenv("TERM");
    return rmi_platform_is_terminal(STDERR_FILENO) && (refused == NULL || refused[0] == '\0') &&
           (terminal == NULL || strcmp(terminal, "dumb") != 0);
}

int rmi_program_main(const rmi_sandbox_files *sandbox, int argc, char **argv)
{
    rm_error err = {0};
    char folder[4096];
    rmi_program program = {.out = {.name = "standard output"},
                           .colour = wants_colour(),
                           .folder = getcwd(folder, sizeof folder) != NULL ? folder : ""};
    if (sandbox != NULL)
        program.sandbox = *sandbox;
    rmi_platform_take_streams(&program.in, &program.out.descriptor);
    program.out.error = program.out.descriptor < 0 ? EBADF : 0;
    rmi_exit code = dispatch(&program, argc, argv);
    bool told = program.out.error != 0;
    if (rmi_writer_close(&program.out, &err) != RM_OK && !told) {
        rmi_report_error(&program, &err);
        code = RMI_EXIT_IO;
    }
    rm_error_clear(&err);
    return code;
}
