/* Runs a pipeline that somebody else wrote, all of it in a sandbox: of this machine it sees its manifest and standard
 * input, and it has 256 MiB of memory and 5 seconds.
 *
 *   sandbox PIPELINE.json [OPTION...]      options are those of `remotemedia run` */
#include <stdio.h>
#include <unistd.h>

#include <remotemedia/remotemedia.h>

enum { MEMORY_MIB = 256, MOST_OPTIONS = 32 };

/* Takes what the run writes to standard output; a server would send it to somebody. */
static int take_output(void *context, const void *data, size_t size)
{
    return fwrite(data, 1, size, context) == size ? RM_OK : RM_E_IO;
}

static int run(rm_sandbox *sandbox, const char *manifest, char **options, int count, int *exit_code,
               rm_error *err)
{
    const char *arguments[MOST_OPTIONS + 3] = {"run", manifest};
    for (int i = 0; i < count && i < MOST_OPTIONS; i++)
        arguments[2 + i] = options[i];
    /* To be read; there is no other file inside. */
    const rm_sandbox_grant grants[] = {{.path = manifest, .is_file = true}};
    const rm_sandbox_command command = {
        .size = sizeof command,
        .arguments = arguments,
        .policy = {.grants = grants,
                   .grant_count = sizeof grants / sizeof *grants,
                   .limits = {.memory_bytes = MEMORY_MIB << 20,
                              .timeout_ms = 5000,
                              .output_bytes = 64 << 20,
                              .log_bytes = 1 << 20}},
        .grace_ms = 30,
        .input = STDIN_FILENO,
        .output = -1,
        .errors = STDERR_FILENO,
        .write = take_output,
        .write_context = stdout,
    };
    return rm_sandbox_run_command(sandbox, &command, exit_code, err);
}

int main(int argc, char **argv)
{
    rm_error err = {0};
    rm_sandbox *sandbox = NULL;
    int exit_code = 0;
    if (argc < 2 || argc > 2 + MOST_OPTIONS) {
        fprintf(stderr, "usage: %s PIPELINE.json [OPTION...]\n", argv[0]);
        return 2;
    }
    /* The engine and the WASM files are found beside the library; rm_sandbox_config names other places. */
    int rc = rm_sandbox_new(NULL, &sandbox, &err);
    if (rc == RM_OK)
        rc = run(sandbox, argv[1], argv + 2, argc - 2, &exit_code, &err);
    fflush(stdout);
    if (rc != RM_OK) /* it was stopped, or could not start; what else goes wrong, the run tells by itself */
        fprintf(stderr, "%s: %s\n", rm_code_name(rc), err.message);
    else if (exit_code != 0)
        fprintf(stderr, "exit code %d, with %d MiB of memory\n", exit_code, MEMORY_MIB);
    rm_error_clear(&err);
    rm_sandbox_free(sandbox);
    return rc == RM_OK ? exit_code : 1;
}
