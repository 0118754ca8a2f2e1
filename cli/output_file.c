#include "cli/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "cli/guard.h"
#include "platform/platform.h"

enum { NAME_SIZE = 4096 + 32 };

static int io_error(const char *path, int number, rm_error *err)
{
    return rm_error_set(err, RM_E_IO, "cannot write %s: %s", path, strerror(number));
}

/* Checks before the run, which may be long, that a file can be made beside `path`. */
static int check_directory(const char *path, const char *where, rm_error *err)
{
    char target[NAME_SIZE], directory[NAME_SIZE];
    if (!rmi_platform_follow(where, target, sizeof target) ||
        !rmi_platform_folder_of(target, directory, sizeof directory))
        return io_error(path, ENAMETOOLONG, err);
    return access(directory, W_OK | X_OK) == 0 ? RM_OK : io_error(path, errno, err);
}

/* Opens the file, and makes it where it is not there: then *created. Returns the descriptor, or -1 and errno. */
static int open_file(const char *where, bool exists, bool *created)
{
    char target[NAME_SIZE];
    int descriptor = -1;
    if (!exists && rmi_platform_follow(where, target, sizeof target))
        descriptor = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    *created = descriptor >= 0;
    return *created ? descriptor : open(where, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
}

int rmi_output_file_open(const char *path, const char *where, bool document, int *descriptor, bool *whole,
                         bool *created, rm_error *err)
{
    struct stat status;
    bool exists = stat(where, &status) == 0;
    *descriptor = -1;
    *created = false;
    *whole = document && (!exists || S_ISREG(status.st_mode));
    if (path[0] == '\0')
        return io_error("''", ENOENT, err);
    if (exists && S_ISDIR(status.st_mode))
        return io_error(path, EISDIR, err);
    if (*whole)
        return check_directory(path, where, err);
    rmi_guard_call_begins(); /* opening a named pipe waits for a reader */
    do {
        *descriptor = open_file(where, exists, created);
    } while (*descriptor < 0 && errno == EINTR && !rmi_guard_stopping());
    rmi_guard_call_ends();
    if (*descriptor < 0)
        return io_error(path, errno, err);
    rmi_platform_hide(*descriptor);
    return RM_OK;
}

void rmi_output_file_remove(const char *where, int descriptor)
{
    char target[NAME_SIZE];
    struct stat opened, found;
    if (fstat(descriptor, &opened) == 0 && S_ISREG(opened.st_mode) && opened.st_size == 0 &&
        rmi_platform_follow(where, target, sizeof target) && lstat(target, &found) == 0 &&
        found.st_dev == opened.st_dev && found.st_ino == opened.st_ino)
        (void)unlink(target);
}

int rmi_output_file_empty(const char *path, int descriptor, rm_error *err)
{
    struct stat status;
    const bool has_content = fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0;
    return !has_content || ftruncate(descriptor, 0) == 0 ? RM_OK : io_error(path, errno, err);
}

int rmi_output_file_begin(const char *path, char **temporary, int *descriptor, rm_error *err)
{
    char target[NAME_SIZE];
    *temporary = rmi_alloc(NULL, NAME_SIZE);
    if (*temporary == NULL)
        return rmi_out_of_memory(err);
    const bool found = rmi_platform_follow(path, target, sizeof target); /* a link stays a link */
    const int length =
        found ? snprintf(*temporary, NAME_SIZE, "%s.%ld.tmp", target, rmi_platform_process_number()) : -1;
    if (length < 0 || length >= NAME_SIZE)
        return io_error(path, ENAMETOOLONG, err);
    *descriptor = open(*temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (*descriptor >= 0)
        rmi_platform_copy_mode(target, *descriptor);
    return *descriptor >= 0 ? RM_OK : io_error(path, errno, err);
}

int rmi_output_file_end(const char *path, char *temporary, int rc, rm_error *err)
{
    char target[NAME_SIZE];
    if (temporary == NULL)
        return rc;
    if (rc == RM_OK && !rmi_platform_follow(path, target, sizeof target))
        rc = io_error(path, ENAMETOOLONG, err);
    if (rc == RM_OK && rename(temporary, target) != 0)
        rc = io_error(path, errno, err);
    if (rc != RM_OK)
        (void)unlink(temporary);
    rmi_free(NULL, temporary, NAME_SIZE);
    return rc;
}
