/* Reports failures: to people on standard error, to programs as a JSON document. */
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include "base/text.h"
#include "cli/program.h"

/* Prints `error: ...` with node, place, item, hint and the full traceback on standard error. */
void rmi_report_error(const rmi_program *program, const rm_error *error);
/* Prints a line with `severity` ("warning", "note") and text on standard error. */
void rmi_report_line(const rmi_program *program, const char *severity, const char *format, ...)
    RM_PRINTF(3, 4);
/* Names of levels, from RM_LOG_ERROR; ends with NULL. */
extern const char *const rmi_log_levels[];
/* Prints a line of the runtime's log on standard error. `node` may be NULL. */
void rmi_report_log(const rmi_program *program, rm_log_level level, const char *node, const char *text);
/* Writes to standard error as one piece; ignores failures. */
void rmi_report_raw(const char *text, size_t length);
/* Appends {"status":"error","error":{...}} without the closing brace, so that more members can follow. */
RM_MUST_CHECK int rmi_report_document(rmi_text *text, const rm_error *error, rm_error *err);
/* Prints the text for people, and the document as a line on standard output. Returns the exit code,
 * RMI_EXIT_IO when standard output cannot be written. */
rmi_exit rmi_report_failure(rmi_program *program, const rm_error *error, rmi_exit code);
/* Prints `value` as a line of JSON on standard output. */
RM_MUST_CHECK int rmi_report_value(rmi_program *program, rm_value value, unsigned flags, rm_error *err);

/* The exit code of a failure while a manifest is read and checked. */
rmi_exit rmi_exit_for_manifest(int code);
/* The exit code of a failure before there is a manifest: plug-ins, Python. */
rmi_exit rmi_exit_for_setup(int code);
/* The exit code of a failure while the pipeline is opened and runs. */
rmi_exit rmi_exit_for_run(const rm_error *error);

#endif
