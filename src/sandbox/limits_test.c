/* Limits of a whole run, and of compiling: what ends it, and what its error says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "remotemedia/remotemedia.h"
#include "tests/support/wasi_guest.h"
#include "tests/support/wasm_module.h"

typedef struct place {
    char folder[64], cache[128], file[128];
} place;

static int set_up(void **state)
{
    place *at = calloc(1, sizeof *at);
    assert_non_null(at);
    (void)snprintf(at->folder, sizeof at->folder, "%s", "/tmp/rm-limits-XXXXXX");
    assert_non_null(mkdtemp(at->folder));
    (void)snprintf(at->cache, sizeof at->cache, "%s/cache", at->folder);
    (void)snprintf(at->file, sizeof at->file, "%s/m.wasm", at->folder);
    *state = at;
    return 0;
}

static int tear_down(void **state)
{
    const place *at = *state;
    rmt_directory_remove(at->folder);
    free(*state);
    return 0;
}

static rm_sandbox *new_sandbox(const place *at, int64_t compiling_ms, rm_log_function *log, void *context)
{
    const rm_sandbox_config config = {.size = sizeof config,
                                      .cache = at->cache,
                                      .compiling_ms = compiling_ms,
                                      .log = log,
                                      .log_context = context};
    rm_sandbox *sandbox = NULL;
    assert_int_equal(rm_sandbox_new(&config, &sandbox, NULL), RM_OK);
    return sandbox;
}

/* ---- Limits of a run */

#define BODY(text) text, sizeof(text) - 1

static const struct {
    const char *label, *body;
    size_t length;
    unsigned pages;
    rm_sandbox_limits limits;
    int rc;
    const char *message;
} cases[] = {
    {"no limit", BODY(RMT_WASM_EXIT("\x07")), 1, {0}, RM_OK, ""},
    {"limits that are not reached",
     BODY(RMT_WASM_EXIT("\x07")),
     1,
     {.memory_bytes = 65536, .timeout_ms = 3600000, .fuel = 1000, .output_bytes = 1, .log_bytes = 1},
     RM_OK,
     ""},
    {"time",
     BODY(RMT_WASM_LOOP),
     1,
     {.timeout_ms = 50},
     RM_E_TIMEOUT,
     "the run did not end within its timeout of 50 ms"},
    {"time while it writes",
     BODY(RMT_WASM_WRITE_LOOP),
     1,
     {.timeout_ms = 50},
     RM_E_TIMEOUT,
     "the run did not end within its timeout of 50 ms"},
    {"fuel", BODY(RMT_WASM_LOOP), 1, {.fuel = 1000}, RM_E_LIMIT, "the run has used up its fuel of 1000"},
    {"fuel before time",
     BODY(RMT_WASM_LOOP),
     1,
     {.fuel = 1000, .timeout_ms = 3600000},
     RM_E_LIMIT,
     "the run has used up its fuel of 1000"},
    {"output",
     BODY(RMT_WASM_WRITE_LOOP),
     1,
     {.output_bytes = 4100},
     RM_E_LIMIT,
     "the run wrote more than its limit of 4100 bytes to standard output"},
    {"memory to start with",
     BODY(RMT_WASM_EXIT("\x07")),
     3,
     {.memory_bytes = 2 << 16},
     RM_E_LIMIT,
     "the limit of 131072 bytes of memory is less than the sandbox starts with"},
    {"a trap",
     BODY(RMT_WASM_TRAP),
     1,
     {0},
     RM_E_VALUE,
     "the code in the sandbox trapped: it gave up (unreachable)"},
};

static int count_bytes(void *context, const void *data, size_t size)
{
    (void)data;
    *(size_t *)context += size;
    return 0;
}

static void a_run_is_limited(void **state)
{
    const place *at = *state;
    rm_sandbox *sandbox = new_sandbox(at, 0, NULL, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rm_error err = {0};
        int exit_code = 0;
        size_t written = 0;
        rmt_wasm_command(at->file, cases[i].body, cases[i].length, cases[i].pages, 0);
        const rm_sandbox_command command = {.size = sizeof command,
                                            .file = at->file,
                                            .policy = {.limits = cases[i].limits},
                                            .input = -1,
                                            .errors = -1,
                                            .output = -1,
                                            .write = count_bytes,
                                            .write_context = &written};
        const int rc = rm_sandbox_run_command(sandbox, &command, &exit_code, &err);
        if (rc != cases[i].rc || strcmp(err.message, cases[i].message) != 0 ||
            (rc == RM_OK && exit_code != 7) ||
            (cases[i].limits.output_bytes > 1 && written != cases[i].limits.output_bytes))
            fail_msg("%s: %d, exit code %d, %zu bytes: %s", cases[i].label, rc, exit_code, written,
                     err.message);
    }
    rm_sandbox_free(sandbox);
}

/* ---- Compiling */

/* Counts the children of this process. */
static size_t children(void)
{
    size_t count = 0;
    const struct dirent *entry;
    DIR *folder = opendir("/proc");
    assert_non_null(folder);
    while ((entry = readdir(folder)) != NULL) {
        char path[64], text[512];
        long parent = 0;
        (void)snprintf(path, sizeof path, "/proc/%.20s/stat", entry->d_name);
        FILE *file = fopen(path, "r");
        if (file == NULL)
            continue;
        const size_t length = fread(text, 1, sizeof text - 1, file);
        (void)fclose(file);
        text[length] = '\0';
        const char *behind = strrchr(text, ')');
        if (behind != NULL && sscanf(behind, ") %*c %ld", &parent) == 1)
            count += parent == (long)getpid();
    }
    (void)closedir(folder);
    return count;
}

enum { MUCH = 2000 /* functions, which take seconds to compile */ };

static void compiling_is_limited(void **state)
{
    const place *at = *state;
    rm_error err = {0};
    int exit_code = 0;
    rm_sandbox *sandbox = new_sandbox(at, 1, NULL, NULL);
    rmt_wasm_command(at->file, BODY(RMT_WASM_EXIT("\x07")), 1, MUCH);
    const rm_sandbox_command command = {
        .size = sizeof command, .file = at->file, .input = -1, .output = -1, .errors = -1};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(rm_sandbox_run_command(sandbox, &command, &exit_code, &err), RM_E_LIMIT);
        assert_non_null(strstr(err.message, "m.wasm was not compiled within 1 ms of processor time"));
        assert_non_null(strstr(err.hint, "compiling_ms"));
        assert_int_equal(children(), 0);
    }
    rm_sandbox_free(sandbox);
    rm_error_clear(&err);
}

/* A run that is stopped while it compiles. */
typedef struct stopped {
    rm_sandbox_run *run;
    pthread_t thread;
    bool has_thread;
} stopped;

static void *stop(void *context)
{
    rm_sandbox_stop(((stopped *)context)->run);
    return NULL;
}

static void started(void *context, rm_sandbox_run *run)
{
    stopped *by = context;
    if (run == NULL && by->has_thread)
        (void)pthread_join(by->thread, NULL);
    by->run = run;
}

static void stop_at_compiling(void *context, rm_log_level level, const char *node, const char *text)
{
    stopped *by = context;
    (void)level, (void)node;
    if (strncmp(text, "compiling ", 10) == 0)
        by->has_thread = pthread_create(&by->thread, NULL, stop, by) == 0;
}

static void a_run_that_compiles_can_be_stopped(void **state)
{
    const place *at = *state;
    rm_error err = {0};
    stopped by = {0};
    int exit_code = 0;
    rm_sandbox *sandbox = new_sandbox(at, 0, stop_at_compiling, &by);
    rmt_wasm_command(at->file, BODY(RMT_WASM_LOOP), 1, MUCH);
    const rm_sandbox_command command = {.size = sizeof command,
                                        .file = at->file,
                                        .input = -1,
                                        .output = -1,
                                        .errors = -1,
                                        .started = started,
                                        .started_context = &by};
    assert_int_equal(rm_sandbox_run_command(sandbox, &command, &exit_code, &err), RM_E_CANCELLED);
    assert_true(by.has_thread);
    assert_non_null(strstr(err.message, "m.wasm was still being compiled"));
    assert_non_null(strstr(err.hint, "give that run more time"));
    assert_int_equal(children(), 0);
    rm_sandbox_free(sandbox);
    rm_error_clear(&err);
}

/* The stop comes before there is anything to interrupt: if the run forgot it, the endless loop would never
 * end. */
static void stop_at_once(void *context, rm_sandbox_run *run)
{
    (void)context;
    if (run != NULL)
        rm_sandbox_stop(run);
}

static void a_stop_is_never_missed(void **state)
{
    const place *at = *state;
    rm_sandbox *sandbox = new_sandbox(at, 0, NULL, NULL);
    rmt_wasm_command(at->file, BODY(RMT_WASM_LOOP), 1, 0);
    for (int i = 0; i < 3; i++) { /* first compiled, then already loaded */
        int exit_code = 0;
        const rm_sandbox_command command = {.size = sizeof command,
                                            .file = at->file,
                                            .input = -1,
                                            .output = -1,
                                            .errors = -1,
                                            .started = stop_at_once};
        assert_int_equal(rm_sandbox_run_command(sandbox, &command, &exit_code, NULL), RM_E_CANCELLED);
    }
    rm_sandbox_free(sandbox);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_run_is_limited, set_up, tear_down),
        cmocka_unit_test_setup_teardown(compiling_is_limited, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_run_that_compiles_can_be_stopped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_stop_is_never_missed, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
