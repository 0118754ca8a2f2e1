/* The files that a run of the program uses itself: its manifest, its input, its output, and the files behind the
 * standard streams. */
#ifndef CLI_OWN_FILES_H
#define CLI_OWN_FILES_H

#include "remotemedia/remotemedia.h"

typedef struct rmi_own_files {
    const char *manifest, *input, *output,
        *arrays;         /* absolute paths, borrowed; NULL: none, or a standard stream */
    bool reads_standard; /* the manifest or the input is standard input */
    int in, out, error;  /* the standard streams; -1: closed */
    const char *reads[3], *writes[2];
    rm_caller_stream streams[4]; /* standard output first */
    bool in_use[3];              /* for each of `streams`: it writes a file that a node uses */
} rmi_own_files;

/* RM_E_USAGE where the program would write a file that it reads, or write one twice. */
RM_MUST_CHECK int rmi_own_files_check(const rmi_own_files *files, rm_error *err);
/* Tells the pipeline of the files. `files` must live until the pipeline is open. */
void rmi_own_files_tell(rmi_own_files *files, rm_pipeline_options *options);
/* Whether standard output goes into another of the files. */
bool rmi_own_files_has_output(const rmi_own_files *files);

#endif
