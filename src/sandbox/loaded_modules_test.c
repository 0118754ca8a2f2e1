/* Compiled modules over time: what is old or was replaced, and other processes that use or have left it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/cache_test.h"
#include "tests/support/wasm_module.h"

enum { DAY = 24 * 60 * 60 };

/* ---- What is old */

static void make_old(const char *path, int days, off_t size)
{
    const struct timespec then = {.tv_sec = time(NULL) - (time_t)days * DAY};
    const struct timespec times[2] = {then, then};
    const int file = open(path, O_RDWR | O_CREAT, 0600);
    assert_true(file >= 0);
    if (size > 0)
        assert_int_equal(ftruncate(file, size), 0);
    assert_int_equal(futimens(file, times), 0);
    (void)close(file);
}

static bool is_there(const rmt_cache *at, const char *name, char path[static RMT_CACHE_PATH])
{
    struct stat status;
    (void)snprintf(path, RMT_CACHE_PATH, "%s/%s", at->cache, name);
    return lstat(path, &status) == 0;
}

/* Names that the cache could have given. */
#define CODE(letter) "c-" letter "000000000000000000000000000000000000000000000000000000000000000.cwasm"

static const struct {
    const char *name;
    int days;
    off_t size;
    bool stays;
} files[] = {
    {CODE("a"), 31, 100, false},      {CODE("b"), 29, 100, true},     {"f-0000.key", 31, 152, false},
    {"f-0000.cwasm", 31, 100, false}, {"f-0001.key", 1, 152, true},   {".0000.part", 2, 100, false},
    {".0001.part", 0, 100, true},     {"mine.cwasm", 400, 100, true}, {"c-notes.txt", 400, 100, true},
    {"README", 400, 100, true},
};

static void what_is_old_is_removed(void **state)
{
    const rmt_cache *at = *state;
    char path[RMT_CACHE_PATH];
    assert_int_equal(mkdir(at->cache, 0700), 0);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        (void)is_there(at, files[i].name, path);
        make_old(path, files[i].days, files[i].size);
    }
    rmt_cache_expect(at, at->one, 1, 1, "a module that is new");
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (is_there(at, files[i].name, path) != files[i].stays)
            fail_msg("%s %s", files[i].name, files[i].stays ? "was removed" : "is still there");
    rmt_cache_expect(at, at->one, 1, 0, "what was kept last");
}

static void what_is_much_is_removed_from_the_oldest_on(void **state)
{
    const rmt_cache *at = *state;
    static const char *const names[] = {CODE("a"), CODE("b"), CODE("c"), CODE("d")};
    static const bool stays[] = {false, true, false, true};
    static const int days[] = {9, 2, 8, 1};
    char path[RMT_CACHE_PATH];
    assert_int_equal(mkdir(at->cache, 0700), 0);
    for (size_t i = 0; i < 4; i++) {
        (void)is_there(at, names[i], path);
        make_old(path, days[i], (off_t)400 << 20); /* holes: they take no room */
    }
    rmt_cache_expect(at, at->one, 1, 1, "a module that is new");
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(is_there(at, names[i], path), stays[i]);
    rmt_cache_expect(at, at->one, 1, 0, "what was kept last");
}

static void what_is_used_is_not_old(void **state)
{
    const rmt_cache *at = *state;
    char path[RMT_CACHE_PATH];
    rmt_cache_expect(at, at->one, 1, 1, "the first time");
    rmt_cache_code(at, path);
    make_old(path, 29, 0);
    rmt_cache_expect(at, at->one, 1, 0, "again");
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_true(time(NULL) - status.st_mtim.tv_sec < DAY);
}

/* ---- Files that are replaced */

static void a_replaced_module_is_seen(void **state)
{
    const rmt_cache *at = *state;
    rmt_cache_log said = {0};
    char beside[RMT_CACHE_PATH];
    rm_sandbox *sandbox = rmt_cache_sandbox(at, &said);
    assert_int_equal(rmt_cache_run_in(sandbox, at->one), 1);
    for (int i = 0; i < 5; i++) { /* as long as before, and within the same tick of the clock */
        rmt_wasm_command(at->one, RMT_WASM_EXIT("\x03"), 4, 1, 0);
        assert_int_equal(rmt_cache_run_in(sandbox, at->one), 3);
        rmt_wasm_command(at->one, RMT_WASM_EXIT("\x01"), 4, 1, 0);
        assert_int_equal(rmt_cache_run_in(sandbox, at->one), 1);
    }
    assert_int_equal(said.compiled, 2);
    (void)snprintf(beside, sizeof beside, "%s/beside", at->folder);
    rmt_wasm_command(beside, RMT_WASM_EXIT("\x04"), 4, 1, 0);
    assert_int_equal(rename(beside, at->one), 0);
    assert_int_equal(rmt_cache_run_in(sandbox, at->one), 4);
    assert_int_equal(unlink(at->one), 0);
    const rm_sandbox_command command = {
        .size = sizeof command, .file = at->one, .input = -1, .output = -1, .errors = -1};
    int exit_code = 0;
    assert_int_equal(rm_sandbox_run_command(sandbox, &command, &exit_code, NULL), RM_E_NOT_FOUND);
    rm_sandbox_free(sandbox);
}

/* ---- Several processes */

static void processes_may_share_it(void **state)
{
    const rmt_cache *at = *state;
    enum { PROCESSES = 8 };
    pid_t processes[PROCESSES];
    char path[RMT_CACHE_PATH];
    int ends[2];
    char byte = 0;
    rmt_wasm_command(at->one, RMT_WASM_EXIT("\x01"), 4, 1, 100);
    assert_int_equal(pipe(ends), 0);
    for (size_t i = 0; i < PROCESSES; i++) {
        processes[i] = fork();
        assert_true(processes[i] >= 0);
        if (processes[i] != 0)
            continue;
        rmt_cache_log said;
        (void)close(ends[1]);
        (void)!read(ends[0], &byte, 1); /* until all are there */
        _exit(rmt_cache_run(at, at->one, &said));
    }
    (void)close(ends[1]);
    for (size_t i = 0; i < PROCESSES; i++) {
        int status = 0;
        assert_int_equal(waitpid(processes[i], &status, 0), processes[i]);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 1);
    }
    (void)close(ends[0]);
    assert_int_equal(rmt_cache_find(at, ".", path), 0);
    rmt_cache_code(at, path);
    rmt_cache_expect(at, at->one, 1, 0, "after all of them");
}

/* Tells its process's parent, by a byte, that it compiles. */
static void log_byte(void *context, rm_log_level level, const char *node, const char *text)
{
    (void)level, (void)node;
    if (strncmp(text, "compiling ", 10) == 0)
        (void)!write(*(const int *)context, "c", 1);
}

static void compile_and_tell(const rmt_cache *at, int pipe_end)
{
    const rm_sandbox_config config = {
        .size = sizeof config, .cache = at->cache, .log = log_byte, .log_context = &pipe_end};
    rm_sandbox *sandbox = NULL;
    if (rm_sandbox_new(&config, &sandbox, NULL) == RM_OK)
        (void)rmt_cache_run_in(sandbox, at->two);
    _exit(0);
}

/* Whether a process whose first argument is `parent` compiles. */
static bool compiles_for(pid_t parent)
{
    char path[64], text[512], wanted[32];
    bool found = false;
    const struct dirent *entry;
    DIR *folder = opendir("/proc");
    assert_non_null(folder);
    (void)snprintf(wanted, sizeof wanted, "%ld", (long)parent);
    while (!found && (entry = readdir(folder)) != NULL) {
        (void)snprintf(path, sizeof path, "/proc/%.20s/cmdline", entry->d_name);
        FILE *file = fopen(path, "r");
        if (file == NULL)
            continue;
        const size_t length = fread(text, 1, sizeof text - 1, file);
        (void)fclose(file);
        text[length] = '\0';
        const size_t first = strlen(text) + 1;
        found = strstr(text, "remotemedia-compile") != NULL && first < length &&
                strcmp(text + first, wanted) == 0;
    }
    (void)closedir(folder);
    return found;
}

static void one_that_is_killed_leaves_nothing(void **state)
{
    const rmt_cache *at = *state;
    char path[RMT_CACHE_PATH], byte = 0;
    int ends[2];
    rmt_wasm_command(at->two, RMT_WASM_EXIT("\x02"), 4, 1, 2000);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(pipe(ends), 0);
        const pid_t process = fork();
        assert_true(process >= 0);
        if (process == 0)
            compile_and_tell(at, ends[1]);
        (void)close(ends[1]);
        assert_int_equal(read(ends[0], &byte, 1), 1);
        assert_int_equal(kill(process, SIGKILL), 0);
        assert_int_equal(waitpid(process, NULL, 0), process);
        (void)close(ends[0]);
        while (compiles_for(process)) /* it ends with its parent; else the test's time does */
            (void)poll(NULL, 0, 5);
    }
    assert_int_equal(rmt_cache_find(at, "c-", path), 0);
    rmt_wasm_command(at->two, RMT_WASM_EXIT("\x02"), 4, 1, 0);
    rmt_cache_expect(at, at->two, 2, 1, "after that");
    rmt_cache_expect(at, at->two, 2, 0, "and again");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        RMT_CACHE_TEST(what_is_old_is_removed),  RMT_CACHE_TEST(what_is_much_is_removed_from_the_oldest_on),
        RMT_CACHE_TEST(what_is_used_is_not_old), RMT_CACHE_TEST(a_replaced_module_is_seen),
        RMT_CACHE_TEST(processes_may_share_it),  RMT_CACHE_TEST(one_that_is_killed_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
