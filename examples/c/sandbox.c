/* Runs a pipeline that somebody else wrote, all of it in a sandbox: of this machine it sees its manifest and standard input, it has
 * 256 MiB of memory and 5 seconds.
 *
 *   sandbox HOME PIPELINE.json [OPTION...]      HOME is the folder of an installation where the engine and the WASM files
 *                                               lie: lib/remotemedia. Options are those of `remotemedia run` */
#include <stdio.h>
#include <unistd.h>

#include <remotemedia/remotemedia.h>

enum { MEMORY_MIB = 256, MOST_OPTIONS = 32, PATH_SIZE = 4096 };

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
    char modules[PATH_SIZE], engine[PATH_SIZE];
    int exit_code = 0;
    if (argc < 3 || argc > 3 + MOST_OPTIONS) {
        fprintf(stderr, "usage: %s HOME PIPELINE.json [OPTION...]\n", argv[0]);
        return 2;
    }
    snprintf(modules, sizeof modules, "%s/wasm", argv[1]);
    snprintf(engine, sizeof engine, "%s/lib/libremotemedia_wasmtime.so", argv[1]);
    const rm_sandbox_config config = {.size = sizeof config, .modules = modules, .engine = engine};
    int rc = rm_sandbox_new(&config, &sandbox, &err);
    if (rc == RM_OK)
        rc = run(sandbox, argv[2], argv + 3, argc - 3, &exit_code, &err);
    fflush(stdout);
    if (rc != RM_OK) /* it was stopped, or could not start; what else goes wrong, the run tells by itself */
        fprintf(stderr, "%s: %s\n", rm_code_name(rc), err.message);
    else if (exit_code != 0)
        fprintf(stderr, "exit code %d, with %d MiB of memory\n", exit_code, MEMORY_MIB);
    rm_error_clear(&err);
    rm_sandbox_free(sandbox);
    return rc == RM_OK ? exit_code : 1;
}
