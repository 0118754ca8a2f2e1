/* The arguments of every command of the program, and the exit codes. */
#ifndef CLI_PROGRAM_H
#define CLI_PROGRAM_H

#include "cli/writer.h"
#include "remotemedia/remotemedia.h"

/* The exit codes of the process; docs/errors.md has them for users. */
typedef enum rmi_exit {
    RMI_EXIT_OK = 0,
    RMI_EXIT_RUN = 1,           /* a run failed */
    RMI_EXIT_USAGE = 2,         /* the command line is wrong */
    RMI_EXIT_MANIFEST = 3,      /* the manifest is wrong, or requires a missing feature */
    RMI_EXIT_IO = 4,            /* reading input or writing results failed */
    RMI_EXIT_TIMEOUT = 5,       /* the time was up */
    RMI_EXIT_INTERRUPTED = 130, /* Ctrl-C or SIGTERM */
} rmi_exit;

/* Where a program that is not installed by this project finds what sandboxes need; NULLs: beside the program. */
typedef struct rmi_sandbox_files {
    const char *engine, *modules, *remedy; /* as in rm_sandbox_config */
} rmi_sandbox_files;

typedef struct rmi_program {
    int in;             /* standard input as at the start, or -1 where it was closed; never closed by us */
    rmi_writer out;     /* standard output as at the start; only results go there */
    bool colour;        /* standard error shows colours */
    bool bare;          /* without arguments: where nothing comes on standard input, help is shown */
    bool needs_help;    /* nothing came */
    const char *folder; /* the current directory as at the start, which nodes may change; "": not known */
    rmi_sandbox_files sandbox;
} rmi_program;

/* The whole program, from its arguments to its exit code. Once a process. `sandbox` may be NULL. */
int rmi_program_main(const rmi_sandbox_files *sandbox, int argc, char **argv);

/* `path` (not NULL) as it was at the start of the program: absolute. Owned: rmi_free_text(NULL, ...); NULL without memory. */
RM_MUST_CHECK char *rmi_program_path(const rmi_program *program, const char *path);

/* Each runs one command: `argv[0]` is the command's name. */
rmi_exit rmi_command_run(rmi_program *program, int argc, char **argv);
rmi_exit rmi_command_validate(rmi_program *program, int argc, char **argv);
rmi_exit rmi_command_graph(rmi_program *program, int argc, char **argv);
rmi_exit rmi_command_nodes(rmi_program *program, int argc, char **argv);
rmi_exit rmi_command_schema(rmi_program *program, int argc, char **argv);
rmi_exit rmi_command_vendor(rmi_program *program, int argc, char **argv);
rmi_exit rmi_command_version(rmi_program *program, int argc, char **argv);

#endif
