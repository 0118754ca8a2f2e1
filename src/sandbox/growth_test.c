/* A thousand runs, and a thousand pipelines with a sandboxed node, in one process: its memory and files do
 * not grow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "remotemedia/remotemedia.h"
#include "tests/support/wasi_guest.h"
#include "tests/support/wasm_module.h"

enum { TIMES = 1000, FIRST = 50 /* runs that fill what is kept for later ones */ };

typedef struct place {
    char folder[64], command[128], node[128], cache[128];
} place;

/* The resources that the process holds. */
typedef struct held {
    size_t descriptors, threads, mappings, kilobytes;
} held;

static size_t count_entries(const char *path)
{
    size_t count = 0;
    DIR *folder = opendir(path);
    assert_non_null(folder);
    while (readdir(folder) != NULL)
        count++;
    (void)closedir(folder);
    return count;
}

/* A thread that was joined may still stand there for a moment, with this flag. */
static bool is_ending(const char *thread)
{
    enum { PF_EXITING = 4 };
    char path[320], text[512] = "";
    unsigned flags = PF_EXITING;
    (void)snprintf(path, sizeof path, "/proc/self/task/%s/stat", thread);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return true;
    const char *line = fgets(text, sizeof text, file), *name_end = strrchr(text, ')');
    if (line != NULL && name_end != NULL)
        (void)sscanf(name_end, ") %*c %*d %*d %*d %*d %*d %u", &flags);
    (void)fclose(file);
    return (flags & PF_EXITING) != 0;
}

static size_t count_threads(void)
{
    size_t count = 0;
    const struct dirent *entry;
    DIR *folder = opendir("/proc/self/task");
    assert_non_null(folder);
    while ((entry = readdir(folder)) != NULL)
        count += entry->d_name[0] != '.' && !is_ending(entry->d_name);
    (void)closedir(folder);
    return count;
}

static held look(void)
{
    held now = {.descriptors = count_entries("/proc/self/fd"), .threads = count_threads()};
    char line[512];
    FILE *file = fopen("/proc/self/maps", "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL)
        now.mappings++;
    (void)fclose(file);
    file = fopen("/proc/self/status", "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, "VmRSS:", 6) == 0)
            now.kilobytes = strtoul(line + 6, NULL, 10);
    (void)fclose(file);
    return now;
}

/* Valgrind looks for leaks itself, and its own memory is the process's too. */
static bool under_valgrind(void)
{
    const char *preloaded = getenv("LD_PRELOAD");
    return preloaded != NULL && strstr(preloaded, "vgpreload") != NULL;
}

/* AddressSanitizer keeps some freed memory. GCC and clang say differently that it is there. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED
#endif
#endif
#if defined(SANITIZED) || defined(__SANITIZE_ADDRESS__)
enum { SLACK = 1 << 20 }; /* KiB */
#else
enum { SLACK = 2048 }; /* a leak of 4 KiB a run would be 4 MB */
#endif

static void compare(held before, held after)
{
    const bool grew = after.mappings > before.mappings + 16 || after.kilobytes > before.kilobytes + SLACK;
    if (after.descriptors != before.descriptors || after.threads != before.threads ||
        (grew && !under_valgrind()))
        fail_msg("before: %zu descriptors, %zu threads, %zu mappings, %zu KiB; after: %zu, %zu, %zu, %zu",
                 before.descriptors, before.threads, before.mappings, before.kilobytes, after.descriptors,
                 after.threads, after.mappings, after.kilobytes);
}

static int set_up(void **state)
{
    place *at = calloc(1, sizeof *at);
    assert_non_null(at);
    (void)snprintf(at->folder, sizeof at->folder, "%s", "/tmp/rm-growth-XXXXXX");
    assert_non_null(mkdtemp(at->folder));
    (void)snprintf(at->command, sizeof at->command, "%s/command.wasm", at->folder);
    (void)snprintf(at->node, sizeof at->node, "%s/node.wasm", at->folder);
    (void)snprintf(at->cache, sizeof at->cache, "%s/cache", at->folder);
    rmt_wasm_command(at->command, RMT_WASM_EXIT("\x07"), 4, 1, 0);
    rmt_wasm_node(at->node);
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

static rm_sandbox *new_sandbox(const place *at, uint32_t instances)
{
    const rm_sandbox_config config = {.size = sizeof config, .cache = at->cache, .instances = instances};
    rm_sandbox *sandbox = NULL;
    assert_int_equal(rm_sandbox_new(&config, &sandbox, NULL), RM_OK);
    return sandbox;
}

/* ---- Whole runs */

static void run_command(rm_sandbox *sandbox, const place *at, bool limited)
{
    rm_error err = {0};
    int exit_code = 0;
    rm_sandbox_command command = {
        .size = sizeof command, .file = at->command, .input = -1, .output = -1, .errors = -1};
    if (limited)
        command.policy.limits = (rm_sandbox_limits){.timeout_ms = 60000, .memory_bytes = 1 << 20};
    if (rm_sandbox_run_command(sandbox, &command, &exit_code, &err) != RM_OK || exit_code != 7)
        fail_msg("exit code %d: %s", exit_code, err.message);
}

static void runs_leave_nothing(void **state)
{
    for (uint32_t pool = 0; pool < 2; pool++) {
        rm_sandbox *sandbox = new_sandbox(*state, pool * 4);
        for (int i = 0; i < FIRST; i++)
            run_command(sandbox, *state, i % 2 == 0);
        const held before = look();
        for (int i = 0; i < TIMES; i++)
            run_command(sandbox, *state, i % 2 == 0);
        compare(before, look());
        rm_sandbox_free(sandbox);
    }
}

/* ---- Single nodes */

static void run_node(rm_runtime *runtime, const char *text)
{
    rm_error err = {0};
    rm_manifest *manifest = NULL;
    rm_value input = rm_null(), outputs = rm_null();
    int rc = rm_manifest_parse(runtime, text, strlen(text), &manifest, &err);
    if (rc == RM_OK)
        rc = rm_json_parse(NULL, "[1, 2, 3]", 9, 0, &input, &err);
    if (rc == RM_OK)
        rc = rm_run(manifest, NULL, input, &outputs, &err);
    if (rc != RM_OK)
        fail_msg("%s", err.message);
    rm_value_clear(&input);
    rm_value_clear(&outputs);
    rm_manifest_free(manifest);
}

static void nodes_leave_nothing(void **state)
{
    const place *at = *state;
    char text[512];
    rm_runtime *runtime = NULL;
    rm_sandbox *sandbox = new_sandbox(at, 0);
    const rm_sandbox_policy policy = {.limits = {.timeout_ms = 60000, .memory_bytes = 1 << 20}};
    (void)snprintf(
        text, sizeof text,
        "{\"version\":\"v1\",\"metadata\":{\"name\":\"g\"},\"connections\":[],\"nodes\":[{\"id\":\"n\","
        "\"node_type\":\"wasm:%s\"}]}",
        at->node);
    assert_int_equal(rm_runtime_new(NULL, &runtime, NULL), RM_OK);
    assert_int_equal(rm_sandbox_attach(sandbox, runtime, &policy, NULL, NULL), RM_OK);
    for (int i = 0; i < FIRST; i++)
        run_node(runtime, text);
    const held before = look();
    for (int i = 0; i < TIMES; i++)
        run_node(runtime, text);
    compare(before, look());
    rm_runtime_free(runtime);
    rm_sandbox_free(sandbox);
}

/* A file that changes again and again: its earlier modules are freed. */
static void replaced_modules_leave_nothing(void **state)
{
    const place *at = *state;
    enum { CHANGES = 60, WARM = 10 };
    held before = {0};
    rm_sandbox *sandbox = new_sandbox(at, 0);
    for (int i = 0; i < CHANGES; i++) {
        if (i == WARM)
            before = look();
        rmt_wasm_command(at->command, RMT_WASM_EXIT("\x07"), 4, 1 + (unsigned)i, 0);
        run_command(sandbox, at, false);
    }
    compare(before, look());
    rm_sandbox_free(sandbox);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(runs_leave_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nodes_leave_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(replaced_modules_leave_nothing, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
