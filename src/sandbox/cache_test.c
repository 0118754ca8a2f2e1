/* The cache of compiled modules: what may lie in it, and who may be using it. Each run says by its exit code which module it
 * was, and by the log whether that was compiled. */
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

#include "remotemedia/remotemedia.h"
#include "tests/support/wasi_guest.h"
#include "tests/support/wasm_module.h"

enum { DAY = 24 * 60 * 60, PATH_SIZE = 320 };

typedef struct place {
    char folder[64], cache[128], one[128], two[128];
} place;

static int set_up(void **state)
{
    place *at = calloc(1, sizeof *at);
    assert_non_null(at);
    (void)strcpy(at->folder, "/tmp/rm-cache-XXXXXX");
    assert_non_null(mkdtemp(at->folder));
    (void)snprintf(at->cache, sizeof at->cache, "%s/cache", at->folder);
    (void)snprintf(at->one, sizeof at->one, "%s/one.wasm", at->folder);
    (void)snprintf(at->two, sizeof at->two, "%s/two.wasm", at->folder);
    rmt_wasm_command(at->one, RMT_WASM_EXIT("\x01"), 4, 1, 0);
    rmt_wasm_command(at->two, RMT_WASM_EXIT("\x02"), 4, 1, 0);
    *state = at;
    return 0;
}

static int tear_down(void **state)
{
    const place *at = *state;
    (void)chmod(at->cache, 0700);
    rmt_directory_remove(at->folder);
    free(*state);
    return 0;
}

/* ---- Running */

typedef struct told {
    int compiled, warned;
    char warning[512];
} told;

static void log_line(void *context, rm_log_level level, const char *node, const char *text)
{
    told *said = context;
    (void)node;
    said->compiled += strncmp(text, "compiling ", 10) == 0;
    if (level == RM_LOG_WARNING) {
        said->warned++;
        (void)snprintf(said->warning, sizeof said->warning, "%s", text);
    }
}

static rm_sandbox *new_sandbox(const place *at, told *said)
{
    const rm_sandbox_config config = {
        .size = sizeof config, .cache = at->cache, .log = log_line, .log_context = said};
    rm_sandbox *sandbox = NULL;
    assert_int_equal(rm_sandbox_new(&config, &sandbox, NULL), RM_OK);
    return sandbox;
}

/* The exit code; the test fails where there is none. */
static int run_in(rm_sandbox *sandbox, const char *file)
{
    rm_error err = {0};
    int exit_code = 0;
    const rm_sandbox_command command = {
        .size = sizeof command, .file = file, .input = -1, .output = -1, .errors = -1};
    if (rm_sandbox_run_command(sandbox, &command, &exit_code, &err) != RM_OK)
        fail_msg("%s", err.message);
    return exit_code;
}

/* As a program that starts: with nothing loaded. */
static int run(const place *at, const char *file, told *said)
{
    *said = (told){0};
    rm_sandbox *sandbox = new_sandbox(at, said);
    const int exit_code = run_in(sandbox, file);
    rm_sandbox_free(sandbox);
    return exit_code;
}

static void expect(const place *at, const char *file, int exit_code, int compiled, const char *what)
{
    told said;
    const int got = run(at, file, &said);
    if (got != exit_code || said.compiled != compiled)
        fail_msg("%s: exit code %d, compiled %d times", what, got, said.compiled);
}

/* Waits until the module's file is old enough that its key is noted. */
static void let_lie(const char *file)
{
    struct timespec now;
    struct stat status;
    do { /* the time of a change cannot be set */
        (void)poll(NULL, 0, 50);
        assert_int_equal(stat(file, &status), 0);
        (void)clock_gettime(CLOCK_REALTIME, &now);
    } while (now.tv_sec - status.st_ctim.tv_sec <= 3);
}

/* ---- Its files */

/* The only file whose name begins so; its number. */
static size_t find(const place *at, const char *start, char path[static PATH_SIZE])
{
    size_t count = 0;
    const struct dirent *entry;
    DIR *folder = opendir(at->cache);
    assert_non_null(folder);
    while ((entry = readdir(folder)) != NULL)
        if (strncmp(entry->d_name, start, strlen(start)) == 0 && strcmp(entry->d_name, ".") != 0 &&
            strcmp(entry->d_name, "..") != 0) {
            count++;
            (void)snprintf(path, PATH_SIZE, "%s/%.128s", at->cache, entry->d_name);
        }
    (void)closedir(folder);
    return count;
}

static void the_code(const place *at, char path[static PATH_SIZE])
{
    assert_int_equal(find(at, "c-", path), 1);
}

static char *contents(const char *path, size_t *size)
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

static void put(const char *path, const void *data, size_t size)
{
    (void)unlink(path);
    const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(file >= 0);
    assert_int_equal(write(file, data, size), size);
    (void)close(file);
}

/* ---- What is kept, and found */

static void code_is_kept_and_found(void **state)
{
    const place *at = *state;
    char path[PATH_SIZE];
    struct stat status;
    expect(at, at->one, 1, 1, "the first time");
    expect(at, at->one, 1, 0, "again");
    expect(at, at->two, 2, 1, "another one");
    expect(at, at->one, 1, 0, "the first one again");
    assert_int_equal(find(at, "c-", path), 2);
    assert_int_equal(find(at, ".", path), 0);
    assert_int_equal(stat(path, &status) == 0 ? status.st_mode & 077 : 0, 0);
    assert_int_equal(stat(at->cache, &status), 0);
    assert_int_equal(status.st_mode & 077, 0);
}

static void the_same_content_is_compiled_once(void **state)
{
    const place *at = *state;
    rmt_wasm_command(at->two, RMT_WASM_EXIT("\x01"), 4, 1, 0);
    expect(at, at->one, 1, 1, "the first file");
    expect(at, at->two, 1, 0, "another file");
}

static void keys_are_noted_for_files_that_lie_still(void **state)
{
    const place *at = *state;
    char path[PATH_SIZE], other[PATH_SIZE];
    size_t size = 0;
    expect(at, at->one, 1, 1, "a file that was just written");
    assert_int_equal(find(at, "f-", path), 0);
    let_lie(at->one);
    expect(at, at->one, 1, 0, "a file that lies still");
    assert_int_equal(find(at, "f-", path), 1);
    expect(at, at->one, 1, 0, "by its note");
    expect(at, at->two, 2, 1, "the other");
    assert_int_equal(find(at, "f-", path), 2);
    /* A note in the other's place: of another identity. */
    char *note = contents(path, &size);
    (void)strcpy(other, path);
    (void)unlink(path);
    assert_int_equal(find(at, "f-", path), 1);
    put(path, note, size);
    expect(at, at->one, 1, 0, "a note of another file");
    expect(at, at->two, 2, 0, "its own note is gone");
    note[40] ^= 1;
    put(other, note, size);
    expect(at, at->two, 2, 0, "a note that is damaged");
    put(path, note, 10);
    expect(at, at->one, 1, 0, "a note that was cut");
    free(note);
}

/* ---- What must not be run */

static void damaged_code_is_compiled_anew(void **state)
{
    const place *at = *state;
    char path[PATH_SIZE];
    size_t size = 0;
    expect(at, at->one, 1, 1, "the first time");
    the_code(at, path);
    char *code = contents(path, &size);
    const size_t places[] = {0,          1,          64,        size / 3,  size / 2,
                             size - 200, size - 100, size - 50, size - 10, size - 1};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        code[places[i]] ^= 0x10;
        put(path, code, size);
        code[places[i]] ^= 0x10;
        expect(at, at->one, 1, 1, "a bit that has changed");
        expect(at, at->one, 1, 0, "after that");
    }
    const size_t lengths[] = {0, 1, 95, 96, 97, size / 2, size - 1};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        put(path, code, lengths[i]);
        expect(at, at->one, 1, 1, "a file that was cut");
        expect(at, at->one, 1, 0, "after that");
    }
    free(code);
}

static void foreign_code_is_not_run(void **state)
{
    const place *at = *state;
    char mine[PATH_SIZE], others[PATH_SIZE], note[PATH_SIZE];
    size_t size = 0;
    let_lie(at->one);
    expect(at, at->one, 1, 1, "the first time");
    the_code(at, mine);
    assert_int_equal(find(at, "f-", note), 1);
    place elsewhere = *at;
    (void)snprintf(elsewhere.cache, sizeof elsewhere.cache, "%s/elsewhere", at->folder);
    expect(&elsewhere, at->two, 2, 1, "the other, elsewhere");
    the_code(&elsewhere, others);
    char *code = contents(others, &size);
    put(mine, code, size);
    expect(at, at->one, 1, 1, "code of another module");
    expect(at, at->one, 1, 0, "after that");
    put(note, code, size);
    expect(at, at->one, 1, 0, "code in the place of a note");
    /* Under every name that is derived from the file. */
    (void)unlink(mine);
    const char *name = strrchr(note, '/') + 1;
    (void)snprintf(others, sizeof others, "%s/%.42s.cwasm", at->cache, name);
    put(others, code, size);
    expect(at, at->one, 1, 1, "code under a name of the file");
    free(code);
}

/* Makes something else than a file of ours; returns false where this user cannot. */
typedef bool make_function(const place *at, const char *path);

static bool make_pipe(const place *at, const char *path)
{
    (void)at;
    return unlink(path) == 0 && mkfifo(path, 0600) == 0;
}

static bool make_link(const place *at, const char *path)
{
    char target[PATH_SIZE];
    (void)snprintf(target, sizeof target, "%s/target", at->folder);
    return rename(path, target) == 0 && symlink(target, path) == 0;
}

static bool make_dangling(const place *at, const char *path)
{
    (void)at;
    return unlink(path) == 0 && symlink("nowhere", path) == 0;
}

static bool make_writable_by_group(const place *at, const char *path)
{
    (void)at;
    return chmod(path, 0620) == 0;
}

static bool make_writable_by_all(const place *at, const char *path)
{
    (void)at;
    return chmod(path, 0602) == 0;
}

static bool make_owned_by_another(const place *at, const char *path)
{
    (void)at;
    return geteuid() == 0 && chown(path, 12345, 12345) == 0;
}

static bool make_device(const place *at, const char *path)
{
    (void)at;
    return unlink(path) == 0 && mknod(path, S_IFCHR | 0600, (dev_t)(1 << 8 | 5)) == 0; /* /dev/zero */
}

static const struct {
    const char *label;
    make_function *make;
} strange[] = {
    {"a pipe", make_pipe},
    {"a link to the code", make_link},
    {"a link to nowhere", make_dangling},
    {"a file that the group can write to", make_writable_by_group},
    {"a file that all can write to", make_writable_by_all},
    {"a file of another user", make_owned_by_another},
    {"a device", make_device},
};

static void what_is_no_file_of_ours_is_replaced(void **state)
{
    const place *at = *state;
    char path[PATH_SIZE], target[PATH_SIZE];
    struct stat status;
    size_t size = 0;
    let_lie(at->one);
    expect(at, at->one, 1, 1, "the first time");
    for (size_t i = 0; i < sizeof strange / sizeof *strange; i++) {
        the_code(at, path);
        if (!strange[i].make(at, path)) {
            print_message("left out: this user cannot make %s\n", strange[i].label);
            (void)unlink(path);
            expect(at, at->one, 1, 1, "a file that was removed");
            continue;
        }
        expect(at, at->one, 1, 1, strange[i].label);
        assert_int_equal(lstat(path, &status), 0);
        if (!S_ISREG(status.st_mode) || (status.st_mode & 077) != 0 || status.st_uid != geteuid())
            fail_msg("%s was not replaced", strange[i].label);
        expect(at, at->one, 1, 0, strange[i].label);
        assert_int_equal(find(at, "f-", path), 1);
        if (strange[i].make(at, path))
            expect(at, at->one, 1, 0, strange[i].label); /* the key is found by reading the module */
    }
    (void)snprintf(target, sizeof target, "%s/target", at->folder);
    free(contents(target, &size));
    assert_true(size > 0); /* what a link led to is as it was */
}

static void a_folder_in_its_place_is_told(void **state)
{
    const place *at = *state;
    char path[PATH_SIZE];
    told said;
    expect(at, at->one, 1, 1, "the first time");
    the_code(at, path);
    (void)unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(run(at, at->one, &said), 1);
        assert_int_equal(said.compiled, 1);
        assert_non_null(strstr(said.warning, "is not kept"));
    }
    assert_int_equal(find(at, ".", path), 0);
}

static void a_folder_that_others_can_write_to_is_not_used(void **state)
{
    const place *at = *state;
    told said;
    expect(at, at->one, 1, 1, "the first time");
    static const mode_t modes[] = {0770, 0707, 0722};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        assert_int_equal(chmod(at->cache, modes[i]), 0);
        assert_int_equal(run(at, at->one, &said), 1);
        assert_int_equal(said.compiled, 1);
        assert_non_null(strstr(said.warning, "others can write to"));
    }
    assert_int_equal(chmod(at->cache, 0700), 0);
    expect(at, at->one, 1, 0, "a folder of one's own again");
    if (geteuid() != 0)
        return;
    assert_int_equal(chown(at->cache, 12345, 12345), 0);
    expect(at, at->one, 1, 1, "a folder of another user");
    assert_int_equal(chown(at->cache, 0, 0), 0);
}

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

static bool is_there(const place *at, const char *name, char path[static PATH_SIZE])
{
    struct stat status;
    (void)snprintf(path, PATH_SIZE, "%s/%s", at->cache, name);
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
    const place *at = *state;
    char path[PATH_SIZE];
    assert_int_equal(mkdir(at->cache, 0700), 0);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        (void)is_there(at, files[i].name, path);
        make_old(path, files[i].days, files[i].size);
    }
    expect(at, at->one, 1, 1, "a module that is new");
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (is_there(at, files[i].name, path) != files[i].stays)
            fail_msg("%s %s", files[i].name, files[i].stays ? "was removed" : "is still there");
    expect(at, at->one, 1, 0, "what was kept last");
}

static void what_is_much_is_removed_from_the_oldest_on(void **state)
{
    const place *at = *state;
    static const char *const names[] = {CODE("a"), CODE("b"), CODE("c"), CODE("d")};
    static const bool stays[] = {false, true, false, true};
    static const int days[] = {9, 2, 8, 1};
    char path[PATH_SIZE];
    assert_int_equal(mkdir(at->cache, 0700), 0);
    for (size_t i = 0; i < 4; i++) {
        (void)is_there(at, names[i], path);
        make_old(path, days[i], (off_t)400 << 20); /* holes: they take no room */
    }
    expect(at, at->one, 1, 1, "a module that is new");
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(is_there(at, names[i], path), stays[i]);
    expect(at, at->one, 1, 0, "what was kept last");
}

static void what_is_used_is_not_old(void **state)
{
    const place *at = *state;
    char path[PATH_SIZE];
    expect(at, at->one, 1, 1, "the first time");
    the_code(at, path);
    make_old(path, 29, 0);
    expect(at, at->one, 1, 0, "again");
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_true(time(NULL) - status.st_mtim.tv_sec < DAY);
}

/* ---- Files that are replaced */

static void a_replaced_module_is_seen(void **state)
{
    const place *at = *state;
    told said = {0};
    char beside[PATH_SIZE];
    rm_sandbox *sandbox = new_sandbox(at, &said);
    assert_int_equal(run_in(sandbox, at->one), 1);
    for (int i = 0; i < 5; i++) { /* as long as before, and within the same tick of the clock */
        rmt_wasm_command(at->one, RMT_WASM_EXIT("\x03"), 4, 1, 0);
        assert_int_equal(run_in(sandbox, at->one), 3);
        rmt_wasm_command(at->one, RMT_WASM_EXIT("\x01"), 4, 1, 0);
        assert_int_equal(run_in(sandbox, at->one), 1);
    }
    assert_int_equal(said.compiled, 2);
    (void)snprintf(beside, sizeof beside, "%s/beside", at->folder);
    rmt_wasm_command(beside, RMT_WASM_EXIT("\x04"), 4, 1, 0);
    assert_int_equal(rename(beside, at->one), 0);
    assert_int_equal(run_in(sandbox, at->one), 4);
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
    const place *at = *state;
    enum { PROCESSES = 8 };
    pid_t processes[PROCESSES];
    char path[PATH_SIZE];
    int ends[2];
    char byte = 0;
    rmt_wasm_command(at->one, RMT_WASM_EXIT("\x01"), 4, 1, 100);
    assert_int_equal(pipe(ends), 0);
    for (size_t i = 0; i < PROCESSES; i++) {
        processes[i] = fork();
        assert_true(processes[i] >= 0);
        if (processes[i] != 0)
            continue;
        told said;
        (void)close(ends[1]);
        (void)!read(ends[0], &byte, 1); /* until all are there */
        _exit(run(at, at->one, &said));
    }
    (void)close(ends[1]);
    for (size_t i = 0; i < PROCESSES; i++) {
        int status = 0;
        assert_int_equal(waitpid(processes[i], &status, 0), processes[i]);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 1);
    }
    (void)close(ends[0]);
    assert_int_equal(find(at, ".", path), 0);
    the_code(at, path);
    expect(at, at->one, 1, 0, "after all of them");
}

/* Tells its process's parent, by a byte, that it compiles. */
static void log_byte(void *context, rm_log_level level, const char *node, const char *text)
{
    (void)level, (void)node;
    if (strncmp(text, "compiling ", 10) == 0)
        (void)!write(*(const int *)context, "c", 1);
}

static void compile_and_tell(const place *at, int pipe_end)
{
    const rm_sandbox_config config = {
        .size = sizeof config, .cache = at->cache, .log = log_byte, .log_context = &pipe_end};
    rm_sandbox *sandbox = NULL;
    if (rm_sandbox_new(&config, &sandbox, NULL) == RM_OK)
        (void)run_in(sandbox, at->two);
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
    const place *at = *state;
    char path[PATH_SIZE], byte = 0;
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
    assert_int_equal(find(at, "c-", path), 0);
    rmt_wasm_command(at->two, RMT_WASM_EXIT("\x02"), 4, 1, 0);
    expect(at, at->two, 2, 1, "after that");
    expect(at, at->two, 2, 0, "and again");
}

int main(void)
{
#define CACHE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    static const struct CMUnitTest tests[] = {
        CACHE_TEST(one_that_is_killed_leaves_nothing),
        CACHE_TEST(processes_may_share_it),
        CACHE_TEST(code_is_kept_and_found),
        CACHE_TEST(the_same_content_is_compiled_once),
        CACHE_TEST(keys_are_noted_for_files_that_lie_still),
        CACHE_TEST(damaged_code_is_compiled_anew),
        CACHE_TEST(foreign_code_is_not_run),
        CACHE_TEST(what_is_no_file_of_ours_is_replaced),
        CACHE_TEST(a_folder_in_its_place_is_told),
        CACHE_TEST(a_folder_that_others_can_write_to_is_not_used),
        CACHE_TEST(what_is_old_is_removed),
        CACHE_TEST(what_is_much_is_removed_from_the_oldest_on),
        CACHE_TEST(what_is_used_is_not_old),
        CACHE_TEST(a_replaced_module_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
