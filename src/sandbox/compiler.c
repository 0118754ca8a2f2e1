/* The program that compiles a module for a sandbox (compile.c), which can end it in the middle:
 *
 *   remotemedia-compile PARENT FUEL STACK POOL ENGINE_KEY <MODULE 3>CODE
 *
 * Reports its result on standard output: "0", or a code and a message. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <signal.h>
#include <unistd.h>

#include "platform/platform.h"
#include "sandbox/engine.h"

extern rmi_engine_entry rmi_engine_entry_v1;

static int write_code(const uint8_t *code, size_t length, rm_error *err)
{
    return rmi_platform_write_all(RMI_COMPILER_CODE, code, length)
               ? RM_OK
               : rm_error_set(err, RM_E_IO, "its compiled code cannot be written: %s", strerror(errno));
}

static int compile(const rmi_engine_config *config, const char *engine_key, rm_error *err)
{
    const rmi_engine_api *api = rmi_engine_entry_v1();
    struct stat status;
    rmi_engine *engine = NULL;
    uint8_t *code = NULL;
    size_t length = 0;
    if (fstat(STDIN_FILENO, &status) != 0 || status.st_size <= 0)
        return rm_error_set(err, RM_E_IO, "the compiler was given no module");
    const uint8_t *wasm = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, STDIN_FILENO, 0);
    if (wasm == MAP_FAILED)
        return rm_error_set(err, RM_E_OUT_OF_MEMORY, "out of memory");
    int rc = api->engine_new(config, &engine, err);
    if (rc == RM_OK && strcmp(api->engine_key(engine), engine_key) != 0)
        rc =
            rm_error_set(err, RM_E_UNSUPPORTED_VERSION, "the compiler is of another version of this program");
    if (rc == RM_OK)
        rc = api->compile(engine, wasm, (size_t)status.st_size, &code, &length, err);
    return rc == RM_OK ? write_code(code, length, err) : rc; /* `code` is not freed: the process ends */
}

int main(int argc, char **argv)
{
    rm_error err = {0};
    if (argc != 6) {
        (void)fprintf(stderr, "remotemedia-compile is run by the sandboxes of remotemedia\n");
        return 2;
    }
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if ((long)getppid() != strtol(argv[1], NULL, 10))
        return 1; /* the parent has ended */
    const rmi_engine_config config = {.fuel = strcmp(argv[2], "1") == 0,
                                      .stack_size = (size_t)strtoull(argv[3], NULL, 10),
                                      .pool = (uint32_t)strtoul(argv[4], NULL, 10)};
    const int rc = compile(&config, argv[5], &err);
    if (rc == RM_OK)
        (void)printf("0\n");
    else
        (void)printf("%d %s\n", rc, err.message);
    (void)fflush(stdout);
    _exit(rc != RM_OK);
}
