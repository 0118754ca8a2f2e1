/* The files of the cache:
 *
 *   c-<key>.cwasm     the engine's code, and behind it a mark with the key and a checksum
 *   f-<identity>.key  the key of a module's file, so that it need not be read again
 *
 * The program trusts such code as it trusts itself. So a file counts only when it is a regular file, when it
 * and its directory belong to this user (or root), and when nobody else may write to them. The cache gives
 * only code that carries the wanted key. */
#include "sandbox/code_cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"

enum { NAME_SIZE = 96, DAY = 24 * 60 * 60 };

/* Stands behind the code. */
typedef struct mark {
    char magic[16];
    char key[64];
    uint64_t length, checksum;
} mark;
static const char code_magic[16] = "remotemedia-code";

/* The content of a note. */
typedef struct note {
    char magic[16];
    char identity[64], key[64];
    uint64_t checksum;
} note;
static const char note_magic[16] = "remotemedia-note";

/* A 64-bit checksum that finds damage, not malice: four lanes of multiply and rotate. */
static uint64_t checksum(const void *bytes, size_t size)
{
    const uint8_t *data = bytes;
    const uint64_t prime = UINT64_C(0x9E3779B97F4A7C15);
    uint64_t lanes[4] = {size, 1, 2, 3}, word, sum = prime;
    size_t at = 0;
    for (; size - at >= 32; at += 32)
        for (size_t i = 0; i < 4; i++) {
            memcpy(&word, data + at + 8 * i, 8);
            lanes[i] = (lanes[i] ^ word) * prime;
            lanes[i] = lanes[i] << 31 | lanes[i] >> 33;
        }
    for (; at < size; at++)
        sum = (sum ^ data[at]) * prime;
    for (size_t i = 0; i < 4; i++)
        sum = ((sum ^ lanes[i]) * prime) ^ (sum >> 29);
    return sum;
}

/* ---- The directory */

static bool is_ours(const struct stat *status)
{
    return (status->st_uid == geteuid() || status->st_uid == 0) && (status->st_mode & 022) == 0;
}

static bool default_directory(char path[static RMI_SANDBOX_PATH])
{
    const char *given = getenv("REMOTEMEDIA_CACHE_DIR"), *xdg = getenv("XDG_CACHE_HOME"),
               *home = getenv("HOME");
    int length = 0;
    if (given != NULL && given[0] == '/')
        length = snprintf(path, RMI_SANDBOX_PATH, "%s", given);
    else if (xdg != NULL && xdg[0] == '/')
        length = snprintf(path, RMI_SANDBOX_PATH, "%s/remotemedia/compiled", xdg);
    else if (home != NULL && home[0] == '/')
        length = snprintf(path, RMI_SANDBOX_PATH, "%s/.cache/remotemedia/compiled", home);
    return length > 0 && length < RMI_SANDBOX_PATH;
}

static void make_directories(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(path, 0755);
        *slash = '/';
    }
    (void)mkdir(path, 0700);
}

int rmi_cache_open(const rm_sandbox *sandbox)
{
    char path[RMI_SANDBOX_PATH];
    struct stat status;
    if (sandbox->cache[0] != '\0')
        memcpy(path, sandbox->cache, sizeof path);
    else if (!default_directory(path)) {
        rmi_sandbox_log(sandbox, RM_LOG_WARNING,
                        "compiled modules are not kept: none of REMOTEMEDIA_CACHE_DIR, XDG_CACHE_HOME and "
                        "HOME names a folder by its absolute path");
        return -1;
    }
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0 && errno == ENOENT) {
        make_directories(path);
        directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    if (directory >= 0 && fstat(directory, &status) == 0 && is_ours(&status))
        return directory;
    rmi_sandbox_log(sandbox, RM_LOG_WARNING,
                    directory < 0 ? "compiled modules are not kept: %s cannot be used (%s)"
                                  : "compiled modules are not kept: others can write to %s (%s)",
                    path, directory < 0 ? strerror(errno) : "chmod go-w makes it usable");
    if (directory >= 0)
        (void)close(directory);
    return -1;
}

/* ---- Reading */

/* Opens a regular file of ours. Anything else under that name fails: a pipe would wait for a writer, a link
 * leads elsewhere. */
static int open_ours(int directory, const char *name, struct stat *status)
{
    const int file = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (file < 0)
        return -1;
    if (fstat(file, status) == 0 && S_ISREG(status->st_mode) && is_ours(status))
        return file;
    (void)close(file);
    return -1;
}

/* Whether the open file is whole code for `key`. */
static bool is_whole(int file, size_t size, const char *key)
{
    mark found;
    if (size <= sizeof found)
        return false;
    const size_t code = size - sizeof found;
    const uint8_t *data = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0);
    if (data == MAP_FAILED)
        return false;
    memcpy(&found, data + code, sizeof found);
    const bool whole = memcmp(found.magic, code_magic, sizeof found.magic) == 0 && found.length == code &&
                       memcmp(found.key, key, sizeof found.key) == 0 &&
                       found.checksum == checksum(data, code);
    (void)munmap((void *)data, size);
    return whole;
}

static void name_code(char name[static NAME_SIZE], const char *key)
{
    (void)snprintf(name, NAME_SIZE, "c-%.64s.cwasm", key);
}

int rmi_cache_find(int directory, const char *key)
{
    char name[NAME_SIZE];
    struct stat status;
    name_code(name, key);
    const int file = open_ours(directory, name, &status);
    if (file < 0)
        return -1;
    if (status.st_size > 0 && is_whole(file, (size_t)status.st_size, key)) {
        if (time(NULL) - status.st_mtim.tv_sec > DAY)
            (void)futimens(file, NULL); /* marks it as used: the file system may not note reads */
        return file;
    }
    (void)close(file);
    return -1;
}

bool rmi_cache_recall(int directory, const char *identity, char key[static RMI_CACHE_HEX])
{
    char name[NAME_SIZE];
    struct stat status;
    note found;
    (void)snprintf(name, sizeof name, "f-%.64s.key", identity);
    const int file = open_ours(directory, name, &status);
    if (file < 0)
        return false;
    const bool whole = status.st_size == sizeof found && read(file, &found, sizeof found) == sizeof found &&
                       memcmp(found.magic, note_magic, sizeof found.magic) == 0 &&
                       memcmp(found.identity, identity, sizeof found.identity) == 0 &&
                       found.checksum == checksum(&found, offsetof(note, checksum));
    if (whole) {
        memcpy(key, found.key, sizeof found.key);
        key[sizeof found.key] = '\0';
        if (time(NULL) - status.st_mtim.tv_sec > DAY)
            (void)futimens(file, NULL);
    }
    (void)close(file);
    return whole;
}

/* ---- Writing */

/* Makes a new file beside the final place, under a name that nobody else uses. */
static int begin_part(int directory, char part[static NAME_SIZE])
{
    uint64_t number = 0;
    if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number)
        return -1;
    (void)snprintf(part, NAME_SIZE, ".%016llx.part", (unsigned long long)number);
    return openat(directory, part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
}

/* Puts two pieces in place under `name`. Returns the open file; or -1 with errno. */
static int put_file(int directory, const char *name, const void *first, size_t first_size, const void *second,
                    size_t second_size)
{
    char part[NAME_SIZE];
    const int file = begin_part(directory, part);
    if (file < 0)
        return -1;
    if (rmi_platform_write_all(file, first, first_size) &&
        rmi_platform_write_all(file, second, second_size) && renameat(directory, part, directory, name) == 0)
        return file;
    const int why = errno;
    (void)unlinkat(directory, part, 0);
    (void)close(file);
    errno = why;
    return -1;
}

void rmi_cache_note(int directory, const char *identity, const char *key)
{
    char name[NAME_SIZE];
    note made = {.checksum = 0};
    memcpy(made.magic, note_magic, sizeof made.magic);
    memcpy(made.identity, identity, sizeof made.identity);
    memcpy(made.key, key, sizeof made.key);
    made.checksum = checksum(&made, offsetof(note, checksum));
    (void)snprintf(name, sizeof name, "f-%.64s.key", identity);
    const int file = put_file(directory, name, &made, sizeof made, NULL, 0);
    if (file >= 0)
        (void)close(file);
}

/* ---- Removing what is old */

typedef struct old_file {
    char name[NAME_SIZE];
    time_t used;
    uint64_t size;
} old_file;

static bool ends_with(const char *name, const char *end)
{
    const size_t length = strlen(name), tail = strlen(end);
    return length > tail && strcmp(name + length - tail, end) == 0;
}

/* Whether this cache gives such names. The cache leaves all other files alone. */
static bool is_name_of_ours(const char *name)
{
    if (strlen(name) >= NAME_SIZE)
        return false;
    if (name[0] == '.')
        return ends_with(name, ".part") || ends_with(name, ".link");
    return (name[0] == 'c' || name[0] == 'f') && name[1] == '-' &&
           (ends_with(name, ".cwasm") || ends_with(name, ".key"));
}

static int by_use(const void *a, const void *b)
{
    const old_file *first = a, *second = b;
    return first->used != second->used ? (first->used < second->used ? -1 : 1)
                                       : strcmp(first->name, second->name);
}

/* Removes what is too old: parts that nobody finished after a day, other files after RMI_CACHE_DAYS. Lists
 * the other files with the times of their last use. */
static old_file *list_files(const rm_allocator *allocator, DIR *folder, size_t *count, size_t *capacity)
{
    void *block = NULL;
    const struct dirent *entry;
    const time_t now = time(NULL);
    const int at = dirfd(folder);
    while (at >= 0 && (entry = readdir(folder)) != NULL) {
        struct stat status;
        if (!is_name_of_ours(entry->d_name) ||
            fstatat(at, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(status.st_mode))
            continue;
        const time_t used =
            status.st_mtim.tv_sec > status.st_atim.tv_sec ? status.st_mtim.tv_sec : status.st_atim.tv_sec;
        const int64_t most = entry->d_name[0] == '.' ? DAY : RMI_CACHE_DAYS * (int64_t)DAY;
        if (now - used > most) {
            (void)unlinkat(at, entry->d_name, 0);
            continue;
        }
        if (entry->d_name[0] == '.' ||
            rmi_grow(allocator, &block, capacity, *count + 1, sizeof(old_file), NULL) != RM_OK)
            continue;
        old_file *file = (old_file *)block + (*count)++;
        memcpy(file->name, entry->d_name, strlen(entry->d_name) + 1);
        file->used = used;
        file->size = (uint64_t)status.st_size;
    }
    return block;
}

/* Removes files, the least recently used first and never `kept`, until the rest is within the limits. */
static void prune(const rm_sandbox *sandbox, int directory, const char *kept)
{
    size_t count = 0, capacity = 0;
    uint64_t all = 0;
    const int again = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = again >= 0 ? fdopendir(again) : NULL;
    if (folder == NULL) {
        if (again >= 0)
            (void)close(again);
        return;
    }
    old_file *files = list_files(sandbox->allocator, folder, &count, &capacity);
    for (size_t i = 0; i < count; i++)
        all += files[i].size;
    if (count > 1)
        qsort(files, count, sizeof *files, by_use);
    for (size_t i = 0; i < count && all > RMI_CACHE_BYTES; i++) {
        if (strcmp(files[i].name, kept) == 0 || unlinkat(directory, files[i].name, 0) != 0)
            continue;
        all -= files[i].size;
    }
    rmi_free(sandbox->allocator, files, capacity * sizeof *files);
    (void)closedir(folder);
}

int rmi_cache_keep(const rm_sandbox *sandbox, int directory, const char *key, const void *code, size_t length)
{
    char name[NAME_SIZE];
    mark made = {.length = length, .checksum = checksum(code, length)};
    memcpy(made.magic, code_magic, sizeof made.magic);
    memcpy(made.key, key, sizeof made.key);
    name_code(name, key);
    const int file = put_file(directory, name, code, length, &made, sizeof made);
    if (file >= 0)
        prune(sandbox, directory, name);
    return file;
}
