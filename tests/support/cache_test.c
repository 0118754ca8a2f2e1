#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/cache_test.h"
#include "tests/support/wasi_guest.h"
#include "tests/support/wasm_module.h"

int rmt_cache_set_up(void **state)
{
    rmt_cache *at = calloc(1, sizeof *at);
    assert_non_null(at);
    (void)snprintf(at->folder, sizeof at->folder, "%s", "/tmp/rm-cache-XXXXXX");
    assert_non_null(mkdtemp(at->folder));
    (void)snprintf(at->cache, sizeof at->cache, "%s/cache", at->folder);
    (void)snprintf(at->one, sizeof at->one, "%s/one.wasm", at->folder);
    (void)snprintf(at->two, sizeof at->two, "%s/two.wasm", at->folder);
    rmt_wasm_command(at->one, RMT_WASM_EXIT("\x01"), 4, 1, 0);
    rmt_wasm_command(at->two, RMT_WASM_EXIT("\x02"), 4, 1, 0);
    *state = at;
    return 0;
}

int rmt_cache_tear_down(void **state)
{
    const rmt_cache *at = *state;
    (void)chmod(at->cache, 0700);
    rmt_directory_remove(at->folder);
    free(*state);
    return 0;
}

static void log_line(void *context, rm_log_level level, const char *node, const char *text)
{
    rmt_cache_log *said = context;
    (void)node;
    said->compiled += strncmp(text, "compiling ", 10) == 0;
    if (level == RM_LOG_WARNING) {
        said->warned++;
        (void)snprintf(said->warning, sizeof said->warning, "%s", text);
    }
}

rm_sandbox *rmt_cache_sandbox(const rmt_cache *at, rmt_cache_log *said)
{
    const rm_sandbox_config config = {
        .size = sizeof config, .cache = at->cache, .log = log_line, .log_context = said};
    rm_sandbox *sandbox = NULL;
    assert_int_equal(rm_sandbox_new(&config, &sandbox, NULL), RM_OK);
    return sandbox;
}

int rmt_cache_run_in(rm_sandbox *sandbox, const char *file)
{
    rm_error err = {0};
    int exit_code = 0;
    const rm_sandbox_command command = {
        .size = sizeof command, .file = file, .input = -1, .output = -1, .errors = -1};
    if (rm_sandbox_run_command(sandbox, &command, &exit_code, &err) != RM_OK)
        fail_msg("%s", err.message);
    return exit_code;
}

int rmt_cache_run(const rmt_cache *at, const char *file, rmt_cache_log *said)
{
    *said = (rmt_cache_log){0};
    rm_sandbox *sandbox = rmt_cache_sandbox(at, said);
    const int exit_code = rmt_cache_run_in(sandbox, file);
    rm_sandbox_free(sandbox);
    return exit_code;
}

void rmt_cache_expect(const rmt_cache *at, const char *file, int exit_code, int compiled, const char *what)
{
    rmt_cache_log said;
    const int got = rmt_cache_run(at, file, &said);
    if (got != exit_code || said.compiled != compiled)
        fail_msg("%s: exit code %d, compiled %d times", what, got, said.compiled);
}

void rmt_cache_let_lie(const char *file)
{
    struct timespec now;
    struct stat status;
    do { /* the time of a change cannot be set */
        (void)poll(NULL, 0, 50);
        assert_int_equal(stat(file, &status), 0);
        (void)clock_gettime(CLOCK_REALTIME, &now);
    } while (now.tv_sec - status.st_ctim.tv_sec <= 3);
}

size_t rmt_cache_find(const rmt_cache *at, const char *start, char path[static RMT_CACHE_PATH])
{
    size_t count = 0;
    const struct dirent *entry;
    DIR *folder = opendir(at->cache);
    assert_non_null(folder);
    while ((entry = readdir(folder)) != NULL)
        if (strncmp(entry->d_name, start, strlen(start)) == 0 && strcmp(entry->d_name, ".") != 0 &&
            strcmp(entry->d_name, "..") != 0) {
            count++;
            (void)snprintf(path, RMT_CACHE_PATH, "%s/%.128s", at->cache, entry->d_name);
        }
    (void)closedir(folder);
    return count;
}

void rmt_cache_code(const rmt_cache *at, char path[static RMT_CACHE_PATH])
{
    assert_int_equal(rmt_cache_find(at, "c-", path), 1);
}

char *rmt_cache_contents(const char *path, size_t *size)
{
    struct stat status;
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fstat(fileno(file), &status), 0);
    *size = (size_t)status.st_size;
    char *data = malloc(*size + 1);
    assert_non_null(data);
    assert_int_equal(fread(data, 1, *size, file), *size);
    (void)fclose(file);
    return data;
}

void rmt_cache_put(const char *path, const void *data, size_t size)
{
    (void)unlink(path);
    const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(file >= 0);
    assert_int_equal(write(file, data, size), size);
    (void)close(file);
}
