/* WASI: calls of all functions with any arguments, over any memory, by a guest that is granted one empty folder and one file in
 * it. Nothing outside may change, nothing may be left open, and nothing of the guest's memory may be overrun.
 *
 * An input: a byte of choices; then steps, each a byte: 0 to 63 is a function by its place in the order of names, with its arguments; others
 * write so many bytes less 63 into the guest's memory, at an address. */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz/fuzz.h"
#include "sandbox/wasi/wasi_state.h"

enum { MEMORY = 1 << 16, CALLS = 64, FUNCTIONS = 64, LARGEST_FILE = 1 << 23 };
/* What the first byte chooses. */
enum { READ_ONLY = 1, NO_FOLDER = 2, FILE_TOO = 4, LIMITED = 8, REAL_TIME = 16, STOPS = 32 };

/* HOME/secret, and HOME/in, which is granted. */
static char home[64], folder[72], file[80];
static struct stat home_before, secret_before;

/* ---- The folder */

static void remove_all(int directory)
{
    DIR *list = fdopendir(directory);
    if (list == NULL)
        return;
    for (const struct dirent *entry = readdir(list); entry != NULL; entry = readdir(list)) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (unlinkat(dirfd(list), entry->d_name, 0) == 0)
            continue;
        const int inner = openat(dirfd(list), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (inner >= 0)
            remove_all(inner);
        (void)unlinkat(dirfd(list), entry->d_name, AT_REMOVEDIR);
    }
    (void)closedir(list);
}

static void empty_folder(void)
{
    const int directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    rmf_require(directory >= 0, "the granted folder is gone");
    remove_all(directory);
}

static void remove_home(void)
{
    const int directory = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory >= 0)
        remove_all(directory);
    (void)rmdir(home);
}

static void make_home(void)
{
    char secret[80];
    const char *temporary = getenv("TMPDIR");
    const struct rlimit largest = {LARGEST_FILE, LARGEST_FILE};
    if (home[0] != '\0')
        return;
    (void)snprintf(home, sizeof home, "%.40s/fuzz-wasi-XXXXXX", temporary != NULL ? temporary : "/tmp");
    rmf_require(mkdtemp(home) != NULL, "cannot make %s", home);
    (void)snprintf(folder, sizeof folder, "%s/in", home);
    (void)snprintf(file, sizeof file, "%s/f", folder);
    (void)snprintf(secret, sizeof secret, "%s/secret", home);
    const int made = open(secret, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    rmf_require(made >= 0 && mkdir(folder, 0700) == 0, "cannot fill %s", home);
    (void)close(made);
    rmf_require(stat(home, &home_before) == 0 && stat(secret, &secret_before) == 0, "cannot see %s", home);
    (void)atexit(remove_home);
    /* What a guest asks for must not fill the disk. SIGXFSZ is ignored as SIGPIPE is: the call fails. */
    (void)setrlimit(RLIMIT_FSIZE, &largest);
    (void)signal(SIGXFSZ, SIG_IGN);
    (void)signal(SIGPIPE, SIG_IGN);
}

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_nlink == b->st_nlink && a->st_size == b->st_size &&
           a->st_mode == b->st_mode && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static void check_outside(void)
{
    char secret[80];
    struct stat now;
    (void)snprintf(secret, sizeof secret, "%s/secret", home);
    rmf_require(stat(home, &now) == 0 && is_same(&now, &home_before), "the folder above has changed");
    rmf_require(stat(secret, &now) == 0 && is_same(&now, &secret_before), "a file outside has changed");
}

/* The lowest descriptor that is free: another one after a run tells what was left open. */
static int lowest_free(void)
{
    const int descriptor = dup(0);
    (void)close(descriptor);
    return descriptor;
}

/* ---- The guest */

/* Small numbers, addresses in the first pages, and anything: whatever a byte says. */
static uint64_t argument(rmf_input *input)
{
    const uint8_t how = rmf_u8(input);
    if (how < 0x40)
        return how;
    if (how < 0x80)
        return (uint64_t)(how & 0x3F) * 64;
    return how < 0xC0   ? rmf_u16(input)
           : how < 0xE0 ? rmf_u32(input)
           : how < 0xF0 ? rmf_u64(input)
                        : (uint64_t)-1;
}

/* Such a poll would take its time. */
static bool waits(const rmi_import *import, unsigned choices)
{
    return strcmp(import->name, "poll_oneoff") == 0 && (choices & REAL_TIME) != 0;
}

/* Whether the guest goes on. */
static bool call(rmi_wasi *wasi, uint8_t *memory, const rmi_import *import, unsigned choices,
                 rmf_input *input)
{
    rmi_slot slots[16] = {0}, result = {0};
    for (size_t i = 0; i < strcspn(import->signature, ":"); i++)
        slots[i].u64 = import->signature[i] == 'i' ? (uint32_t)argument(input) : argument(input);
    if (waits(import, choices))
        return true;
    return import->call(wasi, (rmi_guest_memory){.data = memory, .size = MEMORY}, slots, &result) == 0;
}

/* All functions in the order of their names: the table of the sources may change its own, and inputs keep their meaning. Returns
 * how many there are. */
static size_t sort_functions(const rmi_import *sorted[FUNCTIONS])
{
    size_t count = 0;
    for (const rmi_import *import = rmi_wasi_imports; import->name != NULL; import++, count++) {
        size_t at = count;
        rmf_require(count < FUNCTIONS, "there are more functions than numbers");
        for (; at > 0 && strcmp(sorted[at - 1]->name, import->name) > 0; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = import;
    }
    return count;
}

static void run_guest(rmi_wasi *wasi, unsigned choices, rmf_input *input)
{
    const rmi_import *functions[FUNCTIONS];
    const size_t count = sort_functions(functions);
    bool goes_on = true;
    uint8_t *memory = calloc(1, MEMORY);
    rmf_require(memory != NULL, "no memory for the guest");
    for (int i = 0; goes_on && i < CALLS && input->left > 0; i++) {
        const uint8_t step = rmf_u8(input);
        if (step < FUNCTIONS) {
            goes_on = call(wasi, memory, functions[step % count], choices, input);
            continue;
        }
        const size_t at = argument(input) % MEMORY;
        for (size_t k = 0; k < (size_t)step - FUNCTIONS + 1 && at + k < MEMORY; k++)
            memory[at + k] = rmf_u8(input);
        if ((choices & STOPS) != 0 && i == CALLS / 2)
            rmi_wasi_stop(wasi);
    }
    free(memory);
}

int rmf_run(rmt_heap *heap, rmf_input input)
{
    static const char *const words[] = {"guest", "", "one two", NULL}, *const none[] = {NULL};
    const unsigned choices = rmf_u8(&input);
    const bool writes = (choices & READ_ONLY) == 0;
    rmi_wasi *wasi = NULL;
    rm_error err = {0};
    make_home();
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC),
              made = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    rmf_require(null >= 0 && made >= 0 && write(made, "hello", 5) == 5, "no file to grant");
    (void)close(made);
    const int before = lowest_free();
    const bool grants_folder = (choices & NO_FOLDER) == 0, grants_file = (choices & FILE_TOO) != 0;
    const rm_sandbox_grant grants[] = {{.path = folder, .guest = "/d", .write = writes},
                                       {.path = file, .guest = "/w/f", .write = writes, .is_file = true}};
    const rmi_wasi_stream stream = {.descriptor = null,
                                    .limit = (choices & LIMITED) != 0 ? 20 : 0,
                                    .rate = (choices & LIMITED) != 0 ? 30 : 0};
    const rmi_wasi_config config = {.allocator = &heap->allocator,
                                    .args = words,
                                    .env = (choices & LIMITED) != 0 ? none : words,
                                    .grants = grants_folder ? grants : grants + 1,
                                    .grant_count = (size_t)grants_folder + grants_file,
                                    .input = null,
                                    .output = stream,
                                    .errors = stream,
                                    .deterministic = (choices & REAL_TIME) == 0};
    int rc = rmi_wasi_new(&config, &wasi, &err);
    rmf_require(rc == RM_OK || rc == RM_E_OUT_OF_MEMORY || rc == RM_E_MISSING_FEATURE, "no guest: %s",
                err.message);
    if (rc == RM_OK)
        run_guest(wasi, choices, &input);
    rmi_wasi_free(wasi);
    rm_error_clear(&err);
    rmf_require(lowest_free() == before, "a descriptor was left open");
    check_outside();
    (void)close(null);
    empty_folder();
    return rc;
}
