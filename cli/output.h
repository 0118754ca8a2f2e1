/* The results of a run: one JSON document at its end, or a line for each when it comes. */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include "base/text.h"
#include "cli/input.h"
#include "cli/program.h"

/* How arrays in results are printed. */
typedef enum rmi_arrays {
    RMI_ARRAYS_JSON,
    RMI_ARRAYS_LIST,
    RMI_ARRAYS_NPY, /* a file each */
} rmi_arrays;

typedef struct rmi_output_sink {
    const char *id;   /* borrowed from the pipeline */
    rmi_text results; /* JSON values with commas between them */
    int64_t arrays;   /* number of files written for its arrays */
} rmi_output_sink;

typedef struct rmi_output {
    rmi_program *program;
    rmi_format format;
    bool compat; /* the document that programs for manifest v1 expect */
    rmi_arrays arrays;
    const char *directory;          /* of RMI_ARRAYS_NPY, borrowed */
    char *file_place, *array_place; /* `path` and `directory` as absolute paths; owned, or NULL */
    rmi_writer *writer;             /* the program's, or `file` */
    rmi_writer file;                /* of --output */
    const char *path;               /* of --output; NULL: standard output */
    bool whole;   /* the file is written beside `path` and replaces it when it is complete */
    bool created; /* the file was not there, and the run has not begun */
    rmi_output_sink *sinks;
    size_t sink_count;
    int64_t results;
    bool had_nan;
    bool lent; /* a node has standard output, or it goes into a file of the run: it gets no error document */
    bool failed;        /* writing failed, not the run */
    bool arrays_failed; /* writing an array's file failed */
} rmi_output;

/* Opens the output before the run, so that a wrong path fails early. `path` NULL: standard output. Call
 * rmi_output_free also after a failure. */
RM_MUST_CHECK int rmi_output_open(rmi_output *output, rmi_program *program, const char *path, rm_error *err);
/* Prepares for the sinks of `pipeline`, which must live until the output has ended, and empties the file. */
RM_MUST_CHECK int rmi_output_begin(rmi_output *output, const rm_pipeline *pipeline, rm_error *err);
/* Prints one result, borrowed. */
RM_MUST_CHECK int rmi_output_result(rmi_output *output, size_t sink, const rm_packet *packet, rm_error *err);
/* Writes the buffered lines, where results are lines. */
RM_MUST_CHECK int rmi_output_flush(rmi_output *output, rm_error *err);
/* Ends a successful run: writes the document, and puts the file in place. */
RM_MUST_CHECK int rmi_output_end(rmi_output *output, rm_pipeline *pipeline, rm_error *err);
/* Ends a failed run: writes the error document. Returns `code`, or RMI_EXIT_IO when it cannot be written. */
rmi_exit rmi_output_fail(rmi_output *output, const rm_error *error, rmi_exit code);
void rmi_output_free(rmi_output *output);

#endif
