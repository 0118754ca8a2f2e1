#include "cli/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *red, *yellow, *cyan, *plain;
} colours[2] = {{"", "", "", ""}, {"\033[1;31m", "\033[1;33m", "\033[36m", "\033[0m"}};

void rmi_report_raw(const char *text, size_t length)
{
    rm_error unheard = {0}; /* there is no other place for it */
    rmi_writer writer = {.descriptor = STDERR_FILENO, .name = "standard error"};
    if (rmi_writer_write(&writer, text, length, &unheard) != RM_OK)
        rm_error_clear(&unheard);
}

void rmi_report_line(const rmi_program *program, const char *severity, const char *format, ...)
{
    va_list arguments;
    char line[1024];
    const char *colour = strcmp(severity, "error") == 0     ? colours[program->colour].red
                         : strcmp(severity, "warning") == 0 ? colours[program->colour].yellow
                                                            : colours[program->colour].cyan;
    va_start(arguments, format);
    (void)vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    rmi_text text;
    rmi_text_init(&text, NULL);
    rmi_text_printf(&text, "%s%s:%s %s\n", colour, severity, colours[program->colour].plain, line);
    if (!text.failed)
        rmi_report_raw(text.data, text.length);
    rmi_text_clear(&text);
}

const char *const rmi_log_levels[] = {"error", "warning", "info", "debug", NULL};

void rmi_report_log(const rmi_program *program, rm_log_level level, const char *node, const char *text)
{
    rmi_report_line(program, rmi_log_levels[level], "%s%s%s", node != NULL ? node : "",
                    node != NULL ? ": " : "", text);
}

/* Appends the traceback in full where the error has it, else its frames. */
static void append_traceback(rmi_text *text, const rm_error *error)
{
    if (error->detail.kind == RM_STRING) {
        size_t length = 0;
        const char *detail = rm_string_text(error->detail, &length);
        rmi_text_append(text, detail, length);
        if (length != 0 && detail[length - 1] != '\n')
            rmi_text_append_c(text, "\n");
        return;
    }
    size_t frames = error->traceback.kind == RM_LIST ? rm_list_length(error->traceback) : 0;
    for (size_t i = 0; i < frames; i++) {
        rm_value frame = rm_list_get(error->traceback, i), file = rm_null(), line = rm_null(),
                 function = rm_null();
        rm_map_get(frame, "file", 4, &file);
        rm_map_get(frame, "line", 4, &line);
        rm_map_get(frame, "function", 8, &function);
        rmi_text_printf(text, "  File \"%s\", line %lld, in %s\n",
                        file.kind == RM_STRING ? rm_string_text(file, NULL) : "?",
                        line.kind == RM_INT ? (long long)line.i : 0LL,
                        function.kind == RM_STRING ? rm_string_text(function, NULL) : "?");
    }
}

void rmi_report_error(const rmi_program *program, const rm_error *error)
{
    rmi_text text;
    rmi_text_init(&text, NULL);
    rmi_text_printf(&text, "%serror:%s %s\n", colours[program->colour].red, colours[program->colour].plain,
                    error->message);
    if (error->node[0] != '\0')
        rmi_text_printf(&text, "  node: %s\n", error->node);
    if (error->has_pointer && error->pointer[0] != '\0')
        rmi_text_printf(&text, "  at: %s\n", error->pointer);
    if (error->has_item)
        rmi_text_printf(&text, "  item: %lld\n", (long long)error->item);
    if (error->hint[0] != '\0')
        rmi_text_printf(&text, "  %shint:%s %s\n", colours[program->colour].cyan,
                        colours[program->colour].plain, error->hint);
    append_traceback(&text, error);
    if (!text.failed)
        rmi_report_raw(text.data, text.length);
    rmi_text_clear(&text);
}

int rmi_report_document(rmi_text *text, const rm_error *error, rm_error *err)
{
    rm_value document = rm_null();
    char *json = NULL;
    size_t length = 0;
    int rc = rm_error_to_value(NULL, error, &document, err);
    if (rc == RM_OK)
        rc = rm_json_write(NULL, document, 0, &json, &length, NULL, err);
    if (rc == RM_OK) {
        rmi_text_append_c(text, "{\"status\":\"error\",\"error\":");
        rmi_text_append(text, json, length);
        rm_text_free(NULL, json, length);
    }
    rm_value_clear(&document);
    return rc;
}

rmi_exit rmi_report_failure(rmi_program *program, const rm_error *error, rmi_exit code)
{
    rmi_text text;
    rm_error failure = {0};
    rmi_report_error(program, error);
    if (program->out.error != 0 && !program->out.stuck) /* the document would fail too */
        return RMI_EXIT_IO;
    rmi_text_init(&text, NULL);
    int rc = rmi_report_document(&text, error, &failure);
    rmi_text_append_c(&text, "}\n");
    if (rc == RM_OK && text.failed)
        rc = rm_error_set(&failure, RM_E_OUT_OF_MEMORY, "out of memory");
    if (rc == RM_OK)
        rc = rmi_writer_put(&program->out, text.data, text.length, &failure);
    if (rc == RM_OK)
        rc = rmi_writer_flush(&program->out, &failure);
    if (program->out.stuck) {
        rmi_report_raw(text.data, text.length);
    } else if (rc != RM_OK) {
        rmi_report_error(program, &failure);
        code = RMI_EXIT_IO;
    }
    rmi_text_clear(&text);
    rm_error_clear(&failure);
    return code;
}

int rmi_report_value(rmi_program *program, rm_value value, unsigned flags, rm_error *err)
{
    char *json = NULL;
    size_t length = 0;
    int rc = rm_json_write(NULL, value, flags, &json, &length, NULL, err);
    if (rc != RM_OK)
        return rc;
    rc = rmi_writer_put(&program->out, json, length, err);
    if (rc == RM_OK && (length == 0 || json[length - 1] != '\n'))
        rc = rmi_writer_put_c(&program->out, "\n", err);
    rm_text_free(NULL, json, length);
    return rc;
}

rmi_exit rmi_exit_for_manifest(int code)
{
    if (code == RM_E_TIMEOUT) /* code in a sandbox timed out while it was loaded */
        return RMI_EXIT_TIMEOUT;
    return code == RM_E_OUT_OF_MEMORY || code == RM_E_INTERNAL ? RMI_EXIT_RUN : RMI_EXIT_MANIFEST;
}

rmi_exit rmi_exit_for_setup(int code)
{
    switch (code) {
    case RM_E_OUT_OF_MEMORY:
    case RM_E_INTERNAL:
        return RMI_EXIT_RUN;
    case RM_E_MISSING_FEATURE:
        return RMI_EXIT_MANIFEST;
    case RM_E_USAGE:
        return RMI_EXIT_USAGE;
    default:
        return RMI_EXIT_IO;
    }
}

rmi_exit rmi_exit_for_run(const rm_error *error)
{
    if (error->code == RM_E_TIMEOUT)
        return RMI_EXIT_TIMEOUT;
    if (error->code == RM_E_CANCELLED)
        return RMI_EXIT_INTERRUPTED;
    if (error->has_item)
        return RMI_EXIT_RUN;
    switch (error->code) {
    case RM_E_USAGE: /* of the program: a node that uses the runtime wrongly is named */
        return error->node[0] == '\0' ? RMI_EXIT_USAGE : RMI_EXIT_RUN;
    case RM_E_MISSING_FEATURE:
    case RM_E_MISSING_CAPABILITY:
    case RM_E_UNKNOWN_NODE_TYPE:
    case RM_E_UNKNOWN_PARAMETER:
    case RM_E_MISSING_PARAMETER:
        return RMI_EXIT_MANIFEST;
    default:
        return RMI_EXIT_RUN;
    }
}
