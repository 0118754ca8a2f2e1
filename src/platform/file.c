#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "platform/platform.h"

enum { FIRST_READ = 65536 };

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

bool rmi_platform_identify(const char *path, rmi_file_id *out)
{
    char folder[4096];
    struct stat status;
    const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
    if (stat(path, &status) == 0) {
        /* Some hosts of WASI do not number their files. */
        *out =
            (rmi_file_id){(uint64_t)status.st_dev, (uint64_t)status.st_ino, status.st_ino == 0 ? path : ""};
        return S_ISREG(status.st_mode);
    }
    if (errno != ENOENT || name[0] == '\0' || !rmi_platform_folder_of(path, folder, sizeof folder) ||
        stat(folder, &status) != 0)
        return false;
    *out = (rmi_file_id){(uint64_t)status.st_dev, (uint64_t)status.st_ino, name};
    return true;
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
