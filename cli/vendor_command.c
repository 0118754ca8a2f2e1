/* `remotemedia vendor`: fetches pure-Python packages for the WASM files. The bundled Python does the work, in
 * remotemedia._vendor. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "cli/python.h"
#include "cli/report.h"
#include "cli/setup.h"

struct vendor_options {
    const char *into;
    rmi_texts requirements, operands;
};

static const rmi_option vendor_options[] = {
    {.name = "into",
     .argument = "DIR",
     .kind = RMI_OPTION_TEXT,
     .offset = offsetof(struct vendor_options, into),
     .text = "the folder, which --path then names; made where it is missing"},
    {.name = "requirement",
     .argument = "FILE",
     .kind = RMI_OPTION_TEXTS,
     .offset = offsetof(struct vendor_options, requirements),
     .text = "a requirements file of pip (may be repeated)"},
    {0},
};

static const rmi_command vendor_description = {
    .name = "vendor",
    .synopsis = "vendor PACKAGE... --into DIR [--requirement FILE]",
    .summary =
        "Fetches Python packages, and all that they need, for the WASM files. pip of the bundled Python\n"
        "does so, with its settings. Packages with native code are refused. Prints a line a package.",
    .tables = {vendor_options},
    .operands = offsetof(struct vendor_options, operands),
    .most = SIZE_MAX,
    .notes = "example:\n  remotemedia vendor anyio 'attrs>=25' --into packages\n\n"
             "Exit codes: 0 all are there, 2 usage or no such package, 3 native code, 4 no network or the\n"
             "folder cannot be written, 130 interrupted.\n",
};

/* python3.13 -I -m remotemedia._vendor --into DIR --requirement FILE ... -- PACKAGE ...; owned. */
static const char **arguments_of(const struct vendor_options *options)
{
    const rmi_texts *files = &options->requirements, *packages = &options->operands;
    const char **words = calloc(8 + 2 * files->count + packages->count, sizeof *words);
    size_t count = 1; /* behind the interpreter's name */
    if (words == NULL)
        return NULL;
    words[count++] = "-I";
    words[count++] = "-m";
    words[count++] = "remotemedia._vendor";
    words[count++] = "--into";
    words[count++] = options->into;
    for (size_t i = 0; i < files->count; i++) {
        words[count++] = "--requirement";
        words[count++] = files->items[i];
    }
    words[count++] = "--";
    for (size_t i = 0; i < packages->count; i++)
        words[count++] = packages->items[i];
    return words;
}

rmi_exit rmi_command_vendor(rmi_program *program, int argc, char **argv)
{
    struct vendor_options options = {0};
    rm_error err = {0};
    rmi_exit code;
    if (rmi_options_parse(&vendor_description, program, argc, argv, &options, &code)) {
        if (options.operands.count == 0 && options.requirements.count == 0) {
            code = rmi_usage_error(program, "vendor", "vendor needs a package, or --requirement FILE");
        } else if (options.into == NULL) {
            code = rmi_usage_error(program, "vendor", "vendor needs --into DIR");
        } else {
            const char **arguments = arguments_of(&options);
            const int rc = arguments == NULL ? rmi_out_of_memory(&err)
                                             : rmi_program_become_python(program, arguments, &err);
            code = rmi_report_failure(program, &err,
                                      rc == RM_E_MISSING_FEATURE ? RMI_EXIT_MANIFEST : RMI_EXIT_IO);
            free(arguments);
        }
    }
    rm_error_clear(&err);
    rmi_options_free(&vendor_description, &options);
    return code;
}
