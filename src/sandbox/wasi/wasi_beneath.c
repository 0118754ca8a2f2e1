/* Paths below a granted directory, resolved by the kernel: one that leads outside ("..", an absolute link, a
 * race) is an error. */
#include "sandbox/wasi/wasi_state.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { ATTEMPTS = 64, MODE = 0666 };

static int open_beneath(int directory, const char *path, int flags)
{
    struct open_how how = {.flags = (unsigned)(flags | O_CLOEXEC),
                           .mode = (flags & O_CREAT) != 0 ? MODE : 0,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    long descriptor = -1;
    int attempts = ATTEMPTS; /* the kernel fails with EAGAIN on ".." during a rename elsewhere */
    do {
        descriptor = syscall(SYS_openat2, directory, path, &how, sizeof how);
    } while (descriptor < 0 && (errno == EAGAIN || errno == EINTR) && --attempts > 0);
    return (int)descriptor;
}

bool rmi_wasi_beneath_works(int directory)
{
    int descriptor = open_beneath(directory, ".", O_PATH | O_DIRECTORY);
    if (descriptor < 0)
        return false;
    (void)close(descriptor);
    return true;
}

bool rmi_wasi_is_proc(int descriptor)
{
    struct statfs system;
    return fstatfs(descriptor, &system) != 0 || system.f_type == PROC_SUPER_MAGIC;
}

/* A file on the granted directory's own file system cannot be one of /proc. */
static bool may_be_opened(const rmi_fd *directory, int descriptor)
{
    struct stat status;
    return fstat(descriptor, &status) == 0 &&
           (status.st_dev == directory->device || !rmi_wasi_is_proc(descriptor));
}

int rmi_wasi_beneath(const rmi_fd *directory, const char *path, int flags, int *out)
{
    *out = open_beneath(directory->host, path, flags);
    if (*out < 0)
        return errno == EXDEV ? WASI_EPERM : rmi_wasi_errno(errno);
    if (may_be_opened(directory, *out))
        return 0;
    (void)close(*out);
    *out = -1;
    return WASI_EACCES;
}

int rmi_wasi_parent(const rmi_fd *directory, const char *path, int *parent, char name[RMI_WASI_NAME_SIZE])
{
    char above[RMI_WASI_PATH_SIZE];
    size_t end = strlen(path);
    while (end > 0 && path[end - 1] == '/')
        end--;
    size_t start = end;
    while (start > 0 && path[start - 1] != '/')
        start--;
    size_t length = end - start;
    if (length >= RMI_WASI_NAME_SIZE)
        return WASI_ENAMETOOLONG;
    memcpy(name, path + start, length);
    name[length] = '\0';
    if (length == 0 || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return WASI_EINVAL;
    memcpy(above, path, start);
    above[start] = '\0';
    return rmi_wasi_beneath(directory, start == 0 ? "." : above, O_PATH | O_DIRECTORY, parent);
}
