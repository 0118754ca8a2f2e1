/* Runs a pipeline in a sandbox again and again, in several threads at once: sandbox_threads PIPELINE.json
 * THREADS TIMES. Prints errors, and the number of bytes that a run wrote. */
#include <pthread.h>
#include <remotemedia/remotemedia.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST = 16 };
static rm_sandbox *sandbox;
static const char *manifest;
static int times;

static int count(void *context, const void *data, size_t size)
{
    (void)data;
    *(size_t *)context += size;
    return 0;
}

static void *run(void *written)
{
    const char *const arguments[] = {"run", manifest, NULL};
    const rm_sandbox_grant grant = {.path = manifest, .is_file = true};
    for (int i = 0; i < times; i++) {
        rm_error err = {0};
        int exit_code = 0;
        size_t *bytes = written, before = *bytes;
        *bytes = 0;
        const rm_sandbox_command command = {.size = sizeof command,
                                            .arguments = arguments,
                                            .policy = {.grants = &grant, .grant_count = 1},
                                            .input = -1,
                                            .output = -1,
                                            .errors = -1,
                                            .write = count,
                                            .write_context = bytes};
        const int rc = rm_sandbox_run_command(sandbox, &command, &exit_code, &err);
        if (rc != RM_OK || exit_code != 0 || (before > 0 && *bytes != before))
            printf("%s, exit code %d, %zu bytes: %s\n", rm_code_name(rc), exit_code, *bytes, err.message);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t threads[MOST];
    size_t written[MOST] = {0};
    rm_error err = {0};
    const int number = argc == 4 ? (int)strtol(argv[2], NULL, 10) : 0;
    if (number < 1 || number > MOST || rm_sandbox_new(NULL, &sandbox, &err) != RM_OK)
        return 2;
    manifest = argv[1];
    times = (int)strtol(argv[3], NULL, 10);
    for (int i = 0; i < number; i++)
        if (pthread_create(&threads[i], NULL, run, &written[i]) != 0)
            return 2;
    for (int i = 0; i < number; i++)
        (void)pthread_join(threads[i], NULL);
    rm_sandbox_free(sandbox);
    printf("%zu bytes\n", written[0]);
    return 0;
}
