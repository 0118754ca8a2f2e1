/* The texts of `--help`. */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "base/text.h"
#include "cli/options.h"

/* Prints a command's help on standard output. */
rmi_exit rmi_help_command(rmi_program *program, const rmi_command *command);
/* Appends the lines of `text` as a column beside `term`. */
void rmi_help_row(rmi_text *out, const char *term, const char *text);
/* Appends paragraphs, their lines broken at words. */
void rmi_help_wrap(rmi_text *out, const char *paragraphs);
/* Prints `text` on standard output and releases it. */
rmi_exit rmi_help_print(rmi_program *program, rmi_text *text);

#endif
