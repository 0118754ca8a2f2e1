/* `remotemedia version`. */
#include <stddef.h>
#include <string.h>

#include "cli/linked_texts.h"
#include "cli/report.h"
#include "cli/setup.h"

struct version_options {
    rmi_setup setup;
    rmi_texts operands;
    bool json, licenses, sbom;
};

static const rmi_option version_options[] = {
    {.name = "json",
     .kind = RMI_OPTION_FLAG,
     .offset = offsetof(struct version_options, json),
     .text = "version and features as JSON"},
    {.name = "licenses",
     .kind = RMI_OPTION_FLAG,
     .offset = offsetof(struct version_options, licenses),
     .text = "the licences of this program and of everything in it"},
    {.name = "sbom",
     .kind = RMI_OPTION_FLAG,
     .offset = offsetof(struct version_options, sbom),
     .text = "the bill of materials, as JSON of CycloneDX 1.6"},
    {0},
};

static const rmi_command version_description = {
    .name = "version",
    .synopsis = "version [--json | --licenses | --sbom]",
    .summary = "Prints the version and the features of this build.",
    .tables = {version_options},
    .operands = offsetof(struct version_options, operands),
};

/* Prints "remotemedia 1.2.3", and the features with a sign each. */
static int put_text(rmi_program *program, rm_value info, rm_error *err)
{
    rm_value features = rm_null(), key, item;
    rmi_text text;
    rmi_text_init(&text, NULL);
    rmi_text_printf(&text, "remotemedia %s\nfeatures:", rm_version());
    rm_map_get(info, "features", strlen("features"), &features);
    for (size_t i = 0; rm_map_at(features, i, &key, &item); i++)
        rmi_text_printf(&text, " %c%s", item.kind == RM_BOOL && item.b ? '+' : '-',
                        rm_string_text(key, NULL));
    rmi_text_append_c(&text, "\n");
    int rc = text.failed ? rm_error_set(err, RM_E_OUT_OF_MEMORY, "out of memory")
                         : rmi_writer_put(&program->out, text.data, text.length, err);
    rmi_text_clear(&text);
    return rc;
}

static int print_version(struct version_options *options, rm_runtime **runtime, rm_error *err)
{
    rmi_program *program = options->setup.program;
    rm_value info = rm_null();
    int rc;
    if (options->licenses || options->sbom) {
        rc = rmi_writer_put_c(&program->out, options->sbom ? rmi_sbom_text : rmi_licenses_text, err);
    } else {
        rc = rmi_setup_runtime(&options->setup, runtime, err);
        if (rc == RM_OK)
            rc = rm_version_info(*runtime, &info, err);
        if (rc == RM_OK)
            rc = options->json ? rmi_report_value(program, info, 0, err) : put_text(program, info, err);
    }
    if (rc == RM_OK)
        rc = rmi_writer_flush(&program->out, err);
    rm_value_clear(&info);
    return rc;
}

rmi_exit rmi_command_version(rmi_program *program, int argc, char **argv)
{
    struct version_options options = {.setup = {.program = program}};
    rm_error err = {0};
    rm_runtime *runtime = NULL;
    rmi_exit code;
    if (rmi_options_parse(&version_description, program, argc, argv, &options, &code)) {
        if (options.json + options.licenses + options.sbom > 1)
            code = rmi_usage_error(program, "version", "--json, --licenses and --sbom exclude each other");
        else if (print_version(&options, &runtime, &err) != RM_OK)
            code = rmi_report_failure(program, &err, RMI_EXIT_IO);
    }
    rmi_setup_end(&options.setup, runtime);
    rm_error_clear(&err);
    rmi_options_free(&version_description, &options);
    return code;
}
