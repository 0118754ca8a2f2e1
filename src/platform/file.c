#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "platform/platform.h"

enum { FIRST_READ = 65536, PATH_SIZE = 4096, MOST_LINKS = 40 };

/* The text so far; `capacity` has room for the NUL. */
typedef struct file_text {
    const rm_allocator *allocator;
    char *data;
    size_t length, capacity;
} file_text;

bool rmi_platform_write_all(int descriptor, const void *data, size_t size)
{
    const char *at = data;
    while (size > 0) {
        const ssize_t wrote = write(descriptor, at, size);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return false;
        at += wrote;
        size -= (size_t)wrote;
    }
    return true;
}

bool rmi_platform_folder_of(const char *path, char *folder, size_t size)
{
    const char *slash = strrchr(path, '/');
    const size_t length = slash == NULL || slash == path ? 1 : (size_t)(slash - path);
    if (length >= size)
        return false;
    memcpy(folder, slash == NULL ? "." : path, length);
    folder[length] = '\0';
    return true;
}

int rmi_platform_standard(const char *path, bool writes)
{
    static const char *const names[][4] = {{"-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"},
                                           {"-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"}};
    const int number = writes ? STDOUT_FILENO : STDIN_FILENO;
    for (size_t i = 0; i < sizeof names[0] / sizeof *names[0]; i++)
        if (strcmp(path, names[number][i]) == 0)
            return number;
    return -1;
}

/* Puts the target of the link `path` in its place; 1: it was a link, 0: it is none, -1: too long. */
static int follow_once(char *path, size_t size)
{
    char target[PATH_SIZE];
    const ssize_t length = readlink(path, target, sizeof target);
    if (length < 0)
        return 0;
    const char *slash = strrchr(path, '/');
    const size_t before = slash != NULL && target[0] != '/' ? (size_t)(slash - path) + 1 : 0;
    if ((size_t)length >= sizeof target || before + (size_t)length >= size)
        return -1;
    memcpy(path + before, target, (size_t)length);
    path[before + (size_t)length] = '\0';
    return 1;
}

bool rmi_platform_follow(const char *path, char *target, size_t size)
{
    int followed = 1;
    if (strlen(path) >= size)
        return false;
    memcpy(target, path, strlen(path) + 1);
    for (int links = 0; followed == 1 && links < MOST_LINKS; links++)
        followed = follow_once(target, size);
    return followed == 0;
}

void rmi_platform_list_links(const char *folder, bool (*each)(void *context, const char *name), void *context)
{
    DIR *open = opendir(folder);
    const struct dirent *entry = NULL;
    bool goes_on = open != NULL;
    while (goes_on && (entry = readdir(open)) != NULL)
        if (entry->d_type == DT_LNK || entry->d_type == DT_UNKNOWN)
            goes_on = each(context, entry->d_name);
    if (open != NULL)
        (void)closedir(open);
}

/* Stands for the number of a folder on a host that does not number its files. */
static uint64_t number_of(const char *folder)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *folder != '\0'; folder++)
        hash = (hash ^ (unsigned char)*folder) * UINT64_C(0x100000001b3);
    return hash;
}

bool rmi_platform_identify_folder(const char *path, rmi_file_id *out)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return false;
    *out = (rmi_file_id){.device = (uint64_t)status.st_dev,
                         .number = status.st_ino != 0 ? (uint64_t)status.st_ino : number_of(path)};
    return true;
}

bool rmi_platform_locate(const char *path, rmi_file_id *out)
{
    char target[PATH_SIZE], folder[PATH_SIZE];
    if (!rmi_platform_follow(path, target, sizeof target))
        return false;
    const char *slash = strrchr(target, '/'), *name = slash != NULL ? slash + 1 : target;
    if (name[0] == '\0' || strlen(name) >= sizeof out->name ||
        !rmi_platform_folder_of(target, folder, sizeof folder) || !rmi_platform_identify_folder(folder, out))
        return false;
    memcpy(out->name, name, strlen(name) + 1);
    return true;
}

bool rmi_platform_same_file(const rmi_file_id *a, const rmi_file_id *b)
{
    return a->device == b->device && a->number == b->number && strcmp(a->name, b->name) == 0;
}

static rmi_file_kind kind_of(const struct stat *status, bool terminal)
{
    if (S_ISREG(status->st_mode))
        return RMI_FILE_REGULAR;
    return S_ISFIFO(status->st_mode) || S_ISSOCK(status->st_mode) || terminal ? RMI_FILE_STREAM
                                                                              : RMI_FILE_OTHER;
}

/* Whether it is a terminal, by its name: opening a device may do something to it. */
static bool is_terminal(const char *path, const struct stat *status)
{
    char target[PATH_SIZE];
    return S_ISCHR(status->st_mode) && rmi_platform_follow(path, target, sizeof target) &&
           (strncmp(target, "/dev/tty", 8) == 0 || strncmp(target, "/dev/pts/", 9) == 0);
}

rmi_file_kind rmi_platform_identify(const char *path, rmi_file_id *out)
{
    struct stat status;
    *out = (rmi_file_id){0};
    if (stat(path, &status) != 0)
        return errno == ENOENT && rmi_platform_locate(path, out) ? RMI_FILE_REGULAR : RMI_FILE_OTHER;
    if (status.st_ino == 0) /* some hosts of WASI do not number their files */
        return rmi_platform_locate(path, out) ? kind_of(&status, false) : RMI_FILE_OTHER;
    *out = (rmi_file_id){.device = (uint64_t)status.st_dev, .number = (uint64_t)status.st_ino};
    return kind_of(&status, is_terminal(path, &status));
}

rmi_file_kind rmi_platform_identify_descriptor(int descriptor, rmi_file_id *out)
{
    struct stat status;
    *out = (rmi_file_id){0};
    if (descriptor < 0 || fstat(descriptor, &status) != 0 || status.st_ino == 0)
        return RMI_FILE_OTHER;
    *out = (rmi_file_id){.device = (uint64_t)status.st_dev, .number = (uint64_t)status.st_ino};
    return kind_of(&status, S_ISCHR(status.st_mode) && isatty(descriptor) == 1);
}

static bool reserve(file_text *text, size_t capacity)
{
    char *grown = rmi_resize(text->allocator, text->data, text->capacity, capacity);
    if (grown == NULL)
        return false;
    text->data = grown;
    text->capacity = capacity;
    return true;
}

static int fail_errno(int failure, const char *path, rm_error *err)
{
    int code = failure == ENOENT || failure == ENOTDIR ? RM_E_NOT_FOUND : RM_E_IO;
    return rm_error_set(err, code, "cannot read %s: %s", path, strerror(failure));
}

static int fail_limit(const char *path, size_t limit, rm_error *err)
{
    const size_t mebibyte = 1048576;
    bool whole = limit >= mebibyte && limit % mebibyte == 0;
    return rm_error_set(err, RM_E_LIMIT, "%s is larger than %zu %s", path, whole ? limit / mebibyte : limit,
                        whole ? "MiB" : "bytes");
}

/* Reads to the end; tries to read one byte more than the limit, to see whether the file is longer. */
static int read_all(int descriptor, const char *path, size_t limit, file_text *text, rm_error *err)
{
    for (;;) {
        if (text->length + 1 >= text->capacity && !reserve(text, text->capacity * 2))
            return rm_error_set(err, RM_E_OUT_OF_MEMORY, "out of memory for the content of %s", path);
        ssize_t got = read(descriptor, text->data + text->length, text->capacity - 1 - text->length);
        if (got == 0)
            return RM_OK;
        if (got < 0 && errno != EINTR)
            return fail_errno(errno, path, err);
        text->length += got > 0 ? (size_t)got : 0;
        if (text->length > limit)
            return fail_limit(path, limit, err);
    }
}

/* Room for the whole file, to read it at once, where its size is known. */
static size_t first_capacity(int descriptor, size_t limit)
{
    struct stat status;
    size_t size = FIRST_READ;
    if (fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) && status.st_size >= 0)
        size = (uint64_t)status.st_size < SIZE_MAX - 2 ? (size_t)status.st_size : SIZE_MAX - 2;
    return (size < limit ? size : limit) + 2;
}

int rmi_platform_read_file(const rm_allocator *allocator, const char *path, size_t limit, char **data,
                           size_t *length, rm_error *err)
{
    bool standard = strcmp(path, "-") == 0;
    const char *name = standard ? "standard input" : path;
    file_text text = {.allocator = allocator};
    int rc = RM_OK, descriptor = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    *data = NULL;
    *length = 0;
    if (limit > SIZE_MAX / 2)
        limit = SIZE_MAX / 2;
    if (descriptor < 0)
        return fail_errno(errno, name, err);
    if (!reserve(&text, first_capacity(descriptor, limit)))
        rc = rm_error_set(err, RM_E_OUT_OF_MEMORY, "out of memory for the content of %s", name);
    if (rc == RM_OK)
        rc = read_all(descriptor, name, limit, &text, err);
    if (rc == RM_OK && !reserve(&text, text.length + 1)) /* rm_text_free needs the exact size */
        rc = rm_error_set(err, RM_E_OUT_OF_MEMORY, "out of memory for the content of %s", name);
    if (!standard)
        (void)close(descriptor);
    if (rc != RM_OK || text.data == NULL) { /* `data` is NULL only after an error */
        rmi_free(allocator, text.data, text.capacity);
        return rc;
    }
    text.data[text.length] = '\0';
    *data = text.data;
    *length = text.length;
    return RM_OK;
}
