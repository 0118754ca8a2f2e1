#include "cli/help.h"

#include <stdio.h>
#include <string.h>

#include "cli/report.h"

enum { TERM_COLUMN = 2, TEXT_COLUMN = 26, WIDTH = 96 };

void rmi_help_row(rmi_text *out, const char *term, const char *text)
{
    size_t width = strlen(term) + TERM_COLUMN;
    rmi_text_printf(out, "%*s%s", TERM_COLUMN, "", term);
    if (width + 2 > TEXT_COLUMN) {
        rmi_text_append_c(out, "\n");
        width = 0;
    }
    for (const char *line = text; line != NULL;) {
        const char *end = strchr(line, '\n');
        size_t length = end != NULL ? (size_t)(end - line) : strlen(line);
        rmi_text_printf(out, "%*s%.*s\n", (int)(TEXT_COLUMN - width), "", (int)length, line);
        width = 0;
        line = end != NULL ? end + 1 : NULL;
    }
}

void rmi_help_wrap(rmi_text *out, const char *paragraphs)
{
    size_t column = 0;
    for (const char *word = paragraphs; *word != '\0';) {
        size_t length = strcspn(word, " \n"), next = word[length] == '\0' ? length : length + 1;
        if (column != 0 && column + 1 + length > WIDTH) {
            rmi_text_append_c(out, "\n");
            column = 0;
        }
        if (column != 0 && length != 0)
            rmi_text_append_c(out, " ");
        rmi_text_append(out, word, length);
        column += length + (column != 0);
        if (word[length] == '\n') {
            rmi_text_append_c(out, "\n");
            column = 0;
        }
        word += next;
    }
    if (column != 0)
        rmi_text_append_c(out, "\n");
}

rmi_exit rmi_help_print(rmi_program *program, rmi_text *text)
{
    rm_error failure = {0};
    rmi_exit code = RMI_EXIT_OK;
    int rc = text->failed ? rm_error_set(&failure, RM_E_OUT_OF_MEMORY, "out of memory") : RM_OK;
    if (rc == RM_OK)
        rc = rmi_writer_put(&program->out, text->data, text->length, &failure);
    if (rc == RM_OK)
        rc = rmi_writer_flush(&program->out, &failure);
    if (rc != RM_OK) {
        rmi_report_error(program, &failure);
        code = RMI_EXIT_IO;
    }
    rm_error_clear(&failure);
    rmi_text_clear(text);
    return code;
}

rmi_exit rmi_help_command(rmi_program *program, const rmi_command *command)
{
    rmi_text text;
    char term[96];
    rmi_text_init(&text, NULL);
    rmi_text_printf(&text, "usage: remotemedia %s\n\n%s\n\noptions:\n", command->synopsis, command->summary);
    for (size_t t = 0; t < RMI_MAX_OPTION_TABLES && command->tables[t] != NULL; t++) {
        for (const rmi_option *option = command->tables[t]; option->name != NULL; option++) {
            (void)snprintf(term, sizeof term, "--%s%s%s", option->name, option->argument != NULL ? " " : "",
                           option->argument != NULL ? option->argument : "");
            rmi_help_row(&text, term, option->text);
        }
    }
    rmi_help_row(&text, "--help", "this text");
    if (command->notes != NULL)
        rmi_text_printf(&text, "\n%s", command->notes);
    return rmi_help_print(program, &text);
}
