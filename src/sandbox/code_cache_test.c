/* The cache of compiled modules: what is kept and found, and what may lie there and must not be run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/cache_test.h"
#include "tests/support/wasm_module.h"

/* ---- What is kept, and found */

static void code_is_kept_and_found(void **state)
{
    const rmt_cache *at = *state;
    char path[RMT_CACHE_PATH];
    struct stat status;
    rmt_cache_expect(at, at->one, 1, 1, "the first time");
    rmt_cache_expect(at, at->one, 1, 0, "again");
    rmt_cache_expect(at, at->two, 2, 1, "another one");
    rmt_cache_expect(at, at->one, 1, 0, "the first one again");
    assert_int_equal(rmt_cache_find(at, "c-", path), 2);
    assert_int_equal(rmt_cache_find(at, ".", path), 0);
    assert_int_equal(stat(path, &status) == 0 ? status.st_mode & 077 : 0, 0);
    assert_int_equal(stat(at->cache, &status), 0);
    assert_int_equal(status.st_mode & 077, 0);
}

static void the_same_content_is_compiled_once(void **state)
{
    const rmt_cache *at = *state;
    rmt_wasm_command(at->two, RMT_WASM_EXIT("\x01"), 4, 1, 0);
    rmt_cache_expect(at, at->one, 1, 1, "the first file");
    rmt_cache_expect(at, at->two, 1, 0, "another file");
}

static void keys_are_noted_for_files_that_lie_still(void **state)
{
    const rmt_cache *at = *state;
    char path[RMT_CACHE_PATH], other[RMT_CACHE_PATH];
    size_t size = 0;
    rmt_cache_expect(at, at->one, 1, 1, "a file that was just written");
    assert_int_equal(rmt_cache_find(at, "f-", path), 0);
    rmt_cache_let_lie(at->one);
    rmt_cache_expect(at, at->one, 1, 0, "a file that lies still");
    assert_int_equal(rmt_cache_find(at, "f-", path), 1);
    rmt_cache_expect(at, at->one, 1, 0, "by its note");
    rmt_cache_expect(at, at->two, 2, 1, "the other");
    assert_int_equal(rmt_cache_find(at, "f-", path), 2);
    /* A note in the other's place: of another identity. */
    char *note = rmt_cache_contents(path, &size);
    (void)snprintf(other, sizeof other, "%s", path);
    (void)unlink(path);
    assert_int_equal(rmt_cache_find(at, "f-", path), 1);
    rmt_cache_put(path, note, size);
    rmt_cache_expect(at, at->one, 1, 0, "a note of another file");
    rmt_cache_expect(at, at->two, 2, 0, "its own note is gone");
    note[40] ^= 1;
    rmt_cache_put(other, note, size);
    rmt_cache_expect(at, at->two, 2, 0, "a note that is damaged");
    rmt_cache_put(path, note, 10);
    rmt_cache_expect(at, at->one, 1, 0, "a note that was cut");
    free(note);
}

/* ---- What must not be run */

static void damaged_code_is_compiled_anew(void **state)
{
    const rmt_cache *at = *state;
    char path[RMT_CACHE_PATH];
    size_t size = 0;
    rmt_cache_expect(at, at->one, 1, 1, "the first time");
    rmt_cache_code(at, path);
    char *code = rmt_cache_contents(path, &size);
    const size_t places[] = {0,          1,          64,        size / 3,  size / 2,
                             size - 200, size - 100, size - 50, size - 10, size - 1};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        code[places[i]] ^= 0x10;
        rmt_cache_put(path, code, size);
        code[places[i]] ^= 0x10;
        rmt_cache_expect(at, at->one, 1, 1, "a bit that has changed");
        rmt_cache_expect(at, at->one, 1, 0, "after that");
    }
    const size_t lengths[] = {0, 1, 95, 96, 97, size / 2, size - 1};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        rmt_cache_put(path, code, lengths[i]);
        rmt_cache_expect(at, at->one, 1, 1, "a file that was cut");
        rmt_cache_expect(at, at->one, 1, 0, "after that");
    }
    free(code);
}

static void foreign_code_is_not_run(void **state)
{
    const rmt_cache *at = *state;
    char mine[RMT_CACHE_PATH], others[RMT_CACHE_PATH], note[RMT_CACHE_PATH];
    size_t size = 0;
    rmt_cache_let_lie(at->one);
    rmt_cache_expect(at, at->one, 1, 1, "the first time");
    rmt_cache_code(at, mine);
    assert_int_equal(rmt_cache_find(at, "f-", note), 1);
    rmt_cache elsewhere = *at;
    (void)snprintf(elsewhere.cache, sizeof elsewhere.cache, "%s/elsewhere", at->folder);
    rmt_cache_expect(&elsewhere, at->two, 2, 1, "the other, elsewhere");
    rmt_cache_code(&elsewhere, others);
    char *code = rmt_cache_contents(others, &size);
    rmt_cache_put(mine, code, size);
    rmt_cache_expect(at, at->one, 1, 1, "code of another module");
    rmt_cache_expect(at, at->one, 1, 0, "after that");
    rmt_cache_put(note, code, size);
    rmt_cache_expect(at, at->one, 1, 0, "code in the rmt_cache of a note");
    /* Under every name that is derived from the file. */
    (void)unlink(mine);
    const char *name = strrchr(note, '/') + 1;
    (void)snprintf(others, sizeof others, "%s/%.42s.cwasm", at->cache, name);
    rmt_cache_put(others, code, size);
    rmt_cache_expect(at, at->one, 1, 1, "code under a name of the file");
    free(code);
}

/* Makes something else than a file of ours; returns false where this user cannot. */
typedef bool make_function(const rmt_cache *at, const char *path);

static bool make_pipe(const rmt_cache *at, const char *path)
{
    (void)at;
    return unlink(path) == 0 && mkfifo(path, 0600) == 0;
}

static bool make_link(const rmt_cache *at, const char *path)
{
    char target[RMT_CACHE_PATH];
    (void)snprintf(target, sizeof target, "%s/target", at->folder);
    return rename(path, target) == 0 && symlink(target, path) == 0;
}

static bool make_dangling(const rmt_cache *at, const char *path)
{
    (void)at;
    return unlink(path) == 0 && symlink("nowhere", path) == 0;
}

static bool make_writable_by_group(const rmt_cache *at, const char *path)
{
    (void)at;
    return chmod(path, 0620) == 0;
}

static bool make_writable_by_all(const rmt_cache *at, const char *path)
{
    (void)at;
    return chmod(path, 0602) == 0;
}

static bool make_owned_by_another(const rmt_cache *at, const char *path)
{
    (void)at;
    return geteuid() == 0 && chown(path, 12345, 12345) == 0;
}

static bool make_device(const rmt_cache *at, const char *path)
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
    const rmt_cache *at = *state;
    char path[RMT_CACHE_PATH], target[RMT_CACHE_PATH];
    struct stat status;
    size_t size = 0;
    rmt_cache_let_lie(at->one);
    rmt_cache_expect(at, at->one, 1, 1, "the first time");
    for (size_t i = 0; i < sizeof strange / sizeof *strange; i++) {
        rmt_cache_code(at, path);
        if (!strange[i].make(at, path)) {
            print_message("left out: this user cannot make %s\n", strange[i].label);
            (void)unlink(path);
            rmt_cache_expect(at, at->one, 1, 1, "a file that was removed");
            continue;
        }
        rmt_cache_expect(at, at->one, 1, 1, strange[i].label);
        assert_int_equal(lstat(path, &status), 0);
        if (!S_ISREG(status.st_mode) || (status.st_mode & 077) != 0 || status.st_uid != geteuid())
            fail_msg("%s was not replaced", strange[i].label);
        rmt_cache_expect(at, at->one, 1, 0, strange[i].label);
        assert_int_equal(rmt_cache_find(at, "f-", path), 1);
        if (strange[i].make(at, path))
            rmt_cache_expect(at, at->one, 1, 0,
                             strange[i].label); /* the key is found by reading the module */
    }
    (void)snprintf(target, sizeof target, "%s/target", at->folder);
    free(rmt_cache_contents(target, &size));
    assert_true(size > 0); /* what a link led to is as it was */
}

static void a_folder_in_its_place_is_told(void **state)
{
    const rmt_cache *at = *state;
    char path[RMT_CACHE_PATH];
    rmt_cache_log said;
    rmt_cache_expect(at, at->one, 1, 1, "the first time");
    rmt_cache_code(at, path);
    (void)unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(rmt_cache_run(at, at->one, &said), 1);
        assert_int_equal(said.compiled, 1);
        assert_non_null(strstr(said.warning, "is not kept"));
    }
    assert_int_equal(rmt_cache_find(at, ".", path), 0);
}

static void a_folder_that_others_can_write_to_is_not_used(void **state)
{
    const rmt_cache *at = *state;
    rmt_cache_log said;
    rmt_cache_expect(at, at->one, 1, 1, "the first time");
    static const mode_t modes[] = {0770, 0707, 0722};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        assert_int_equal(chmod(at->cache, modes[i]), 0);
        assert_int_equal(rmt_cache_run(at, at->one, &said), 1);
        assert_int_equal(said.compiled, 1);
        assert_non_null(strstr(said.warning, "others can write to"));
    }
    assert_int_equal(chmod(at->cache, 0700), 0);
    rmt_cache_expect(at, at->one, 1, 0, "a folder of one's own again");
    if (geteuid() != 0)
        return;
    assert_int_equal(chown(at->cache, 12345, 12345), 0);
    rmt_cache_expect(at, at->one, 1, 1, "a folder of another user");
    assert_int_equal(chown(at->cache, 0, 0), 0);
}

static void without_a_folder_it_says_so(void **state)
{
    static const char *const names[] = {"REMOTEMEDIA_CACHE_DIR", "XDG_CACHE_HOME", "HOME"};
    enum { NAMES = sizeof names / sizeof *names };
    rmt_cache at = *(const rmt_cache *)*state;
    char *before[NAMES] = {0};
    rmt_cache_log said;
    at.cache[0] = '\0'; /* the default one */
    for (size_t i = 0; i < NAMES; i++) {
        const char *value = getenv(names[i]);
        before[i] = value != NULL ? strdup(value) : NULL;
        (void)unsetenv(names[i]);
    }
    const int exit_code = rmt_cache_run(&at, at.one, &said);
    for (size_t i = 0; i < NAMES; i++) {
        if (before[i] != NULL)
            (void)setenv(names[i], before[i], 1);
        free(before[i]);
    }
    assert_int_equal(exit_code, 1);
    assert_int_equal(said.warned, 1);
    assert_non_null(strstr(said.warning, "HOME"));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        RMT_CACHE_TEST(without_a_folder_it_says_so),
        RMT_CACHE_TEST(code_is_kept_and_found),
        RMT_CACHE_TEST(the_same_content_is_compiled_once),
        RMT_CACHE_TEST(keys_are_noted_for_files_that_lie_still),
        RMT_CACHE_TEST(damaged_code_is_compiled_anew),
        RMT_CACHE_TEST(foreign_code_is_not_run),
        RMT_CACHE_TEST(what_is_no_file_of_ours_is_replaced),
        RMT_CACHE_TEST(a_folder_in_its_place_is_told),
        RMT_CACHE_TEST(a_folder_that_others_can_write_to_is_not_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
