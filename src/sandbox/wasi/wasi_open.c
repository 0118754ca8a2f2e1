/* Opening a path of the guest. Only regular files and directories are opened, but for a granted file that is something else,
 * so that neither an open nor a read waits for anything. */
#include "sandbox/wasi/wasi_state.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"

enum { CREATED = 0666, PERMISSIONS = 0777, NO_READER_MS = 20 };

/* What is asked for. */
typedef struct request {
    uint64_t base; /* rights */
    uint32_t how;  /* WASI_O_* */
    uint16_t flags;
    bool follow, reads, writes;
    int host; /* flags for open, without O_NOFOLLOW */
} request;

/* wasi-libc says how a file is to be opened by rights alone; see also fd_fdstat_get. */
static int read_request(const rmi_slot *args, request *out)
{
    static const struct {
        int guest, host;
    } how[] = {{WASI_O_CREAT, O_CREAT},
               {WASI_O_DIRECTORY, O_DIRECTORY},
               {WASI_O_EXCL, O_EXCL},
               {WASI_O_TRUNC, O_TRUNC}},
      flags[] = {{WASI_FD_APPEND, O_APPEND},
                 {WASI_FD_DSYNC, O_DSYNC},
                 {WASI_FD_RSYNC, O_RSYNC},
                 {WASI_FD_SYNC, O_SYNC}};
    *out = (request){.follow = (args[1].u32 & WASI_LOOKUP_FOLLOW) != 0,
                     .how = args[4].u32,
                     .base = args[5].u64,
                     .flags = (uint16_t)args[7].u32};
    if ((args[4].u32 & ~(uint32_t)WASI_O_ALL) != 0 || (args[7].u32 & ~(uint32_t)WASI_FD_ALL) != 0 ||
        (args[4].u32 & (WASI_O_CREAT | WASI_O_DIRECTORY)) == (WASI_O_CREAT | WASI_O_DIRECTORY))
        return WASI_EINVAL;
    out->writes = (out->base & (WASI_RIGHT_FD_WRITE | WASI_RIGHT_FD_ALLOCATE)) != 0;
    out->reads = (out->base & WASI_RIGHT_FD_READ) != 0 || !out->writes;
    out->host = O_CLOEXEC | O_NONBLOCK | O_NOCTTY |
                (!out->writes ? O_RDONLY
                 : out->reads ? O_RDWR
                              : O_WRONLY);
    for (size_t i = 0; i < sizeof how / sizeof *how; i++)
        out->host |= (out->how & (unsigned)how[i].guest) != 0 ? how[i].host : 0;
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        out->host |= (out->flags & flags[i].guest) != 0 ? flags[i].host : 0;
    return 0;
}

/* Whether a grant, to `write` or not, allows what is asked of a file that exists. */
static int check_grant(const request *asked, bool write)
{
    if ((asked->how & (WASI_O_CREAT | WASI_O_EXCL)) == (WASI_O_CREAT | WASI_O_EXCL))
        return WASI_EEXIST;
    return (asked->writes || (asked->how & WASI_O_TRUNC) != 0) && !write ? WASI_EROFS : 0;
}

/* The rights that the guest sees. */
static uint64_t file_rights(const request *asked)
{
    uint64_t rights = asked->base & WASI_RIGHTS_FILE;
    if (!asked->writes)
        rights &= ~(uint64_t)WASI_RIGHTS_WRITE;
    return asked->reads ? rights | WASI_RIGHT_FD_READ : rights & ~(uint64_t)WASI_RIGHT_FD_READ;
}

/* ---- Granted files */

/* Opens the file of an O_PATH descriptor anew. A pipe that nobody reads yet is waited for. */
static int open_special(rmi_wasi *wasi, const rmi_granted_file *file, const request *asked, rmi_fd *out)
{
    char path[64];
    struct pollfd stop = {.fd = wasi->stop, .events = POLLIN};
    struct stat status = {0};
    int error = check_grant(asked, file->write);
    bool waits = fstat(file->special, &status) == 0 && S_ISFIFO(status.st_mode) && asked->writes &&
                 (asked->flags & WASI_FD_NONBLOCK) == 0;
    if (error != 0)
        return error;
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", file->special);
    while ((out->host = open(path, asked->host & ~(O_CREAT | O_EXCL))) < 0 && errno == ENXIO && waits) {
        (void)poll(&stop, 1, NO_READER_MS);
        if (rmi_wasi_stopped(wasi))
            return WASI_ENDS;
    }
    out->waits = true;
    return rmi_wasi_check(out->host);
}

/* Opens a regular file in the directory of a granted file. */
static int open_regular(int parent, const char *name, int flags, rmi_fd *out)
{
    struct stat status;
    if (fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG(status.st_mode))
        return S_ISDIR(status.st_mode) ? WASI_EISDIR : WASI_EACCES;
    out->host = openat(parent, name, flags | O_NOFOLLOW, CREATED);
    if (out->host < 0)
        return rmi_wasi_errno(errno);
    if (fstat(out->host, &status) == 0 && S_ISREG(status.st_mode))
        return 0;
    (void)close(out->host);
    out->host = -1;
    return WASI_EACCES;
}

static int open_granted(rmi_wasi *wasi, const rmi_wasi_target *place, const request *asked, rmi_fd *out)
{
    const rmi_granted_file *file = place->file;
    struct stat status;
    *out = (rmi_fd){.kind = RMI_FD_FILE,
                    .host = -1,
                    .write = file->write,
                    .base = file_rights(asked),
                    .flags = asked->flags,
                    .temporary = place->temporary};
    if ((asked->how & WASI_O_DIRECTORY) != 0)
        return WASI_ENOTDIR;
    if (file->special >= 0)
        return open_special(wasi, file, asked, out);
    bool exists = fstatat(file->parent, place->name, &status, AT_SYMLINK_NOFOLLOW) == 0;
    int error = exists ? check_grant(asked, file->write) : 0;
    if (!exists && (asked->how & WASI_O_CREAT) == 0)
        error = WASI_ENOENT;
    else if (!exists && !file->write)
        error = WASI_EROFS;
    return error != 0 ? error : open_regular(file->parent, place->name, asked->host, out);
}

/* Makes "<file>.<anything>", with the permissions that the file has. */
static int create_beside(rmi_wasi *wasi, const rmi_wasi_target *place, const request *asked, rmi_fd *out)
{
    const rmi_granted_file *file = place->file;
    rmi_temporary *temporary = wasi->temporaries, *end = temporary + RMI_WASI_TEMPORARIES;
    struct stat status;
    *out = (rmi_fd){.kind = RMI_FD_FILE,
                    .host = -1,
                    .write = file->write,
                    .base = file_rights(asked),
                    .flags = asked->flags};
    while (temporary < end && temporary->file != NULL)
        temporary++;
    if (temporary == end)
        return WASI_ENOSPC;
    int error = open_regular(file->parent, place->name, asked->host | O_EXCL, out);
    if (error != 0)
        return error;
    if (out->host >= 0 && fstatat(file->parent, file->name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISREG(status.st_mode))
        (void)fchmod(out->host, status.st_mode & PERMISSIONS);
    temporary->file = file;
    memcpy(temporary->name, place->name, strlen(place->name) + 1);
    out->temporary = temporary;
    return 0;
}

/* ---- Directories */

static int set_key(rmi_wasi *wasi, const rmi_wasi_target *place, rmi_fd *out)
{
    if (!place->keyed)
        return 0;
    out->key = rmi_copy_text(wasi->allocator, place->key);
    return out->key != NULL ? 0 : WASI_ENOMEM;
}

/* A directory on the way to granted files, which the host may not even have. */
static int open_virtual(rmi_wasi *wasi, const rmi_wasi_target *place, const request *asked, rmi_fd *out)
{
    *out =
        (rmi_fd){.kind = RMI_FD_DIRECTORY, .host = -1, .base = WASI_RIGHTS_DIRECTORY, .flags = asked->flags};
    if ((asked->how & WASI_O_EXCL) != 0)
        return WASI_EEXIST;
    if (asked->writes || (asked->how & (WASI_O_CREAT | WASI_O_TRUNC)) != 0)
        return WASI_EISDIR;
    return set_key(wasi, place, out);
}

/* Whether what is there may be opened so; looked at first, since opening a device may do something already. */
static int check_existing(const rmi_wasi_target *place, const request *asked)
{
    struct stat status;
    int probe = -1;
    int error =
        rmi_wasi_beneath(place->directory, place->path, O_PATH | (asked->follow ? 0 : O_NOFOLLOW), &probe);
    if (error == WASI_ENOENT && (asked->how & WASI_O_CREAT) != 0)
        return place->directory->write ? 0 : WASI_EROFS;
    if (error != 0)
        return error;
    error = rmi_wasi_check(fstat(probe, &status));
    (void)close(probe);
    if (error != 0)
        return error;
    if (S_ISDIR(status.st_mode))
        return asked->writes || (asked->how & (WASI_O_CREAT | WASI_O_TRUNC)) != 0 ? WASI_EISDIR : 0;
    if ((asked->how & WASI_O_DIRECTORY) != 0)
        return WASI_ENOTDIR;
    error = check_grant(asked, place->directory->write);
    if (error == 0 && !S_ISREG(status.st_mode))
        error = S_ISLNK(status.st_mode) ? WASI_ELOOP : WASI_EACCES;
    return error;
}

static int open_real(rmi_wasi *wasi, const rmi_wasi_target *place, const request *asked, rmi_fd *out)
{
    struct stat status;
    *out = (rmi_fd){.kind = RMI_FD_FILE,
                    .host = -1,
                    .write = place->directory->write,
                    .base = file_rights(asked),
                    .flags = asked->flags,
                    .device = place->directory->device};
    if (place->directory->host < 0)
        return (asked->how & WASI_O_CREAT) != 0 ? WASI_EACCES : WASI_ENOENT;
    int error = check_existing(place, asked);
    if (error == 0)
        error = rmi_wasi_beneath(place->directory, place->path,
                                 asked->host | (asked->follow ? 0 : O_NOFOLLOW), &out->host);
    if (error == 0)
        error = rmi_wasi_check(fstat(out->host, &status));
    if (error == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode))
        error = WASI_EACCES;
    if (error == 0 && S_ISDIR(status.st_mode)) {
        out->kind = RMI_FD_DIRECTORY;
        out->base = WASI_RIGHTS_DIRECTORY;
        error = set_key(wasi, place, out);
    }
    return error;
}

static int open_place(rmi_wasi *wasi, const rmi_wasi_target *place, const request *asked, rmi_fd *out)
{
    if (rmi_wasi_is_granted(place))
        return open_granted(wasi, place, asked, out);
    if (place->beside && place->file != NULL && (asked->how & WASI_O_CREAT) != 0)
        return create_beside(wasi, place, asked, out);
    if (place->leads && place->directory->host < 0)
        return open_virtual(wasi, place, asked, out);
    int error = open_real(wasi, place, asked, out);
    if (error == WASI_ENOENT && place->leads)
        error = open_virtual(wasi, place, asked, out);
    return error;
}

int rmi_preview1_path_open(void *context, rmi_guest_memory memory, const rmi_slot *args, rmi_slot *result)
{
    rmi_wasi *wasi = context;
    rmi_wasi_target place;
    request asked;
    rmi_fd fd;
    uint32_t number = 0;
    if (!rmi_wasi_reaches(memory, args[8].u32, sizeof number))
        return rmi_wasi_answer(result, WASI_EFAULT);
    int error = rmi_wasi_place(wasi, memory, args[0].u32, args[2].u32, args[3].u32, &place);
    if (error == 0)
        error = read_request(args, &asked);
    if (error != 0)
        return rmi_wasi_answer(result, error);
    error = open_place(wasi, &place, &asked, &fd);
    if (error != 0)
        rmi_wasi_fd_close(wasi, &fd);
    else
        error = rmi_wasi_fd_add(wasi, &fd, &number);
    if (error == 0)
        error = rmi_wasi_put_u32(memory, args[8].u32, number);
    return rmi_wasi_answer(result, error);
}
