/* The descriptors of a guest, and what it may ask about one. */
#include "sandbox/wasi/wasi_state.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/alloc.h"

/* ---- The table */

rmi_fd *rmi_wasi_fd(rmi_wasi *wasi, uint32_t number)
{
    if (number >= wasi->fd_count || wasi->fds[number].kind == RMI_FD_NONE)
        return NULL;
    return &wasi->fds[number];
}

void rmi_wasi_fd_close(rmi_wasi *wasi, rmi_fd *fd)
{
    bool owned = fd->kind == RMI_FD_FILE || fd->kind == RMI_FD_DIRECTORY;
    if (owned && fd->host >= 0)
        (void)close(fd->host);
    rmi_free_text(wasi->allocator, fd->key);
    rmi_wasi_listing_free(wasi, fd->listing);
    *fd = (rmi_fd){.kind = RMI_FD_NONE, .host = -1};
}

/* Numbers below 3 are not given out again: a guest that closed its output does not print into a file. */
int rmi_wasi_fd_add(rmi_wasi *wasi, rmi_fd *fd, uint32_t *number)
{
    size_t at = 3;
    int error = 0;
    while (at < wasi->fd_count && wasi->fds[at].kind != RMI_FD_NONE)
        at++;
    if (at >= RMI_WASI_DESCRIPTORS)
        error = WASI_EMFILE;
    else if (at >= wasi->fd_count && rmi_grow(wasi->allocator, (void **)&wasi->fds, &wasi->fd_capacity,
                                              at + 1, sizeof *wasi->fds, NULL) != RM_OK)
        error = WASI_ENOMEM;
    if (error != 0) {
        rmi_wasi_fd_close(wasi, fd);
        return error;
    }
    if (at >= wasi->fd_count)
        wasi->fd_count = at + 1;
    wasi->fds[at] = *fd;
    *number = (uint32_t)at;
    return 0;
}

int rmi_preview1_fd_close(void *context, rmi_guest_memory memory, const rmi_slot *args, rmi_slot *result)
{
    rmi_fd *fd = rmi_wasi_fd(context, args[0].u32);
    (void)memory;
    if (fd != NULL)
        rmi_wasi_fd_close(context, fd);
    return rmi_wasi_answer(result, fd != NULL ? WASI_OK : WASI_EBADF);
}

int rmi_preview1_fd_renumber(void *context, rmi_guest_memory memory, const rmi_slot *args, rmi_slot *result)
{
    rmi_fd *from = rmi_wasi_fd(context, args[0].u32), *to = rmi_wasi_fd(context, args[1].u32);
    (void)memory;
    if (from == NULL || to == NULL)
        return rmi_wasi_answer(result, WASI_EBADF);
    if (from != to) {
        rmi_wasi_fd_close(context, to);
        *to = *from;
        *from = (rmi_fd){.kind = RMI_FD_NONE, .host = -1};
    }
    return rmi_wasi_answer(result, WASI_OK);
}

/* ---- What a descriptor is */

uint8_t rmi_wasi_file_type(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG:
        return WASI_TYPE_REGULAR;
    case S_IFDIR:
        return WASI_TYPE_DIRECTORY;
    case S_IFLNK:
        return WASI_TYPE_LINK;
    case S_IFCHR:
        return WASI_TYPE_CHARACTER_DEVICE;
    case S_IFBLK:
        return WASI_TYPE_BLOCK_DEVICE;
    case S_IFSOCK:
        return WASI_TYPE_SOCKET_STREAM;
    default:
        return WASI_TYPE_UNKNOWN;
    }
}

static int host_stat(const rmi_fd *fd, struct stat *status)
{
    *status = (struct stat){0};
    if (fd->host >= 0)
        return rmi_wasi_check(fstat(fd->host, status));
    if (fd->kind == RMI_FD_DIRECTORY)
        rmi_wasi_virtual_stat(fd->key != NULL ? fd->key : "", status);
    return 0;
}

/* A terminal is told from other devices by what it may not do: seek. */
static uint8_t descriptor_type(const rmi_fd *fd)
{
    struct stat status;
    if (host_stat(fd, &status) != 0)
        return WASI_TYPE_UNKNOWN;
    if (S_ISCHR(status.st_mode) && (fd->host < 0 || !isatty(fd->host)))
        return WASI_TYPE_UNKNOWN;
    return rmi_wasi_file_type(status.st_mode);
}

int rmi_preview1_fd_fdstat_get(void *context, rmi_guest_memory memory, const rmi_slot *args, rmi_slot *result)
{
    const rmi_fd *fd = rmi_wasi_fd(context, args[0].u32);
    uint8_t stat[WASI_FDSTAT_SIZE] = {0};
    if (fd == NULL)
        return rmi_wasi_answer(result, WASI_EBADF);
    uint64_t base = fd->base, inheriting = 0;
    stat[0] = descriptor_type(fd);
    if (stat[0] == WASI_TYPE_CHARACTER_DEVICE)
        base &= ~(uint64_t)(WASI_RIGHT_FD_SEEK | WASI_RIGHT_FD_TELL);
    /* access() of wasi-libc asks for FD_WRITE; that open() passes the others on for writing makes it fail as it should
     * where nothing may be written. */
    if (fd->kind == RMI_FD_DIRECTORY)
        inheriting = (uint64_t)WASI_RIGHTS_DIRECTORY | WASI_RIGHTS_FILE;
    if (fd->kind == RMI_FD_DIRECTORY && !rmi_wasi_any_written(context, fd))
        inheriting &= ~(uint64_t)WASI_RIGHT_FD_WRITE;
    memcpy(stat + 2, &fd->flags, sizeof fd->flags);
    memcpy(stat + 8, &base, sizeof base);
    memcpy(stat + 16, &inheriting, sizeof inheriting);
    return rmi_wasi_answer(result, rmi_wasi_put(memory, args[1].u32, stat, sizeof stat));
}

static uint64_t nanoseconds(struct timespec time)
{
    return time.tv_sec < 0 ? 0 : (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

int rmi_wasi_put_stat(rmi_guest_memory memory, uint32_t address, const struct stat *status)
{
    const uint64_t fields[WASI_FILESTAT_SIZE / 8] = {status->st_dev,
                                                     status->st_ino,
                                                     rmi_wasi_file_type(status->st_mode),
                                                     status->st_nlink,
                                                     (uint64_t)status->st_size,
                                                     nanoseconds(status->st_atim),
                                                     nanoseconds(status->st_mtim),
                                                     nanoseconds(status->st_ctim)};
    return rmi_wasi_put(memory, address, fields, sizeof fields);
}

int rmi_preview1_fd_filestat_get(void *context, rmi_guest_memory memory, const rmi_slot *args,
                                 rmi_slot *result)
{
    const rmi_fd *fd = rmi_wasi_fd(context, args[0].u32);
    struct stat status;
    int error = fd != NULL ? host_stat(fd, &status) : WASI_EBADF;
    return rmi_wasi_answer(result, error != 0 ? error : rmi_wasi_put_stat(memory, args[1].u32, &status));
}

int rmi_preview1_fd_prestat_get(void *context, rmi_guest_memory memory, const rmi_slot *args,
                                rmi_slot *result)
{
    const rmi_fd *fd = rmi_wasi_fd(context, args[0].u32);
    if (fd == NULL || fd->preopen == NULL)
        return rmi_wasi_answer(result, WASI_EBADF);
    const uint32_t stat[WASI_PRESTAT_SIZE / 4] = {0, (uint32_t)strlen(fd->preopen->name)};
    return rmi_wasi_answer(result, rmi_wasi_put(memory, args[1].u32, stat, sizeof stat));
}

int rmi_preview1_fd_prestat_dir_name(void *context, rmi_guest_memory memory, const rmi_slot *args,
                                     rmi_slot *result)
{
    const rmi_fd *fd = rmi_wasi_fd(context, args[0].u32);
    if (fd == NULL || fd->preopen == NULL)
        return rmi_wasi_answer(result, WASI_EBADF);
    size_t length = strlen(fd->preopen->name);
    if (args[2].u32 < length)
        return rmi_wasi_answer(result, WASI_ENAMETOOLONG);
    return rmi_wasi_answer(result, rmi_wasi_put(memory, args[1].u32, fd->preopen->name, length));
}

/* ---- What of a descriptor can be changed */

int rmi_preview1_fd_fdstat_set_flags(void *context, rmi_guest_memory memory, const rmi_slot *args,
                                     rmi_slot *result)
{
    enum { CHANGEABLE = WASI_FD_APPEND | WASI_FD_NONBLOCK };
    rmi_fd *fd = rmi_wasi_fd(context, args[0].u32);
    uint32_t flags = args[1].u32;
    int error = 0;
    (void)memory;
    if (fd == NULL)
        error = WASI_EBADF;
    else if ((flags & ~(uint32_t)WASI_FD_ALL) != 0)
        error = WASI_EINVAL;
    else if (((flags ^ fd->flags) & ~(uint32_t)CHANGEABLE) != 0)
        error = WASI_ENOTSUP;
    else if (fd->kind == RMI_FD_FILE) /* the host's own never blocks */
        error = rmi_wasi_check(
            fcntl(fd->host, F_SETFL, O_NONBLOCK | ((flags & WASI_FD_APPEND) != 0 ? O_APPEND : 0)));
    if (error == 0)
        fd->flags = (uint16_t)flags;
    return rmi_wasi_answer(result, error);
}

int rmi_preview1_fd_fdstat_set_rights(void *context, rmi_guest_memory memory, const rmi_slot *args,
                                      rmi_slot *result)
{
    (void)memory;
    return rmi_wasi_answer(result, rmi_wasi_fd(context, args[0].u32) != NULL ? WASI_ENOTSUP : WASI_EBADF);
}

static bool time_of(uint64_t value, bool set, bool now, struct timespec *out)
{
    *out = (struct timespec){.tv_nsec = now ? UTIME_NOW : UTIME_OMIT};
    if (set)
        *out = (struct timespec){.tv_sec = (time_t)(value / 1000000000u),
                                 .tv_nsec = (long)(value % 1000000000u)};
    return !(set && now);
}

int rmi_wasi_times(uint64_t accessed, uint64_t modified, uint32_t flags, struct timespec times[2])
{
    if ((flags & ~(uint32_t)WASI_SET_ALL) != 0 ||
        !time_of(accessed, (flags & WASI_SET_ATIM) != 0, (flags & WASI_SET_ATIM_NOW) != 0, &times[0]) ||
        !time_of(modified, (flags & WASI_SET_MTIM) != 0, (flags & WASI_SET_MTIM_NOW) != 0, &times[1]))
        return WASI_EINVAL;
    return 0;
}

int rmi_preview1_fd_filestat_set_times(void *context, rmi_guest_memory memory, const rmi_slot *args,
                                       rmi_slot *result)
{
    const rmi_fd *fd = rmi_wasi_fd(context, args[0].u32);
    struct timespec times[2];
    (void)memory;
    if (fd == NULL)
        return rmi_wasi_answer(result, WASI_EBADF);
    int error = rmi_wasi_times(args[1].u64, args[2].u64, args[3].u32, times);
    if (error == 0 && fd->kind != RMI_FD_FILE && fd->kind != RMI_FD_DIRECTORY)
        error = WASI_EPERM;
    if (error == 0 && (!fd->write || fd->host < 0))
        error = WASI_EROFS;
    if (error == 0)
        error = rmi_wasi_check(futimens(fd->host, times));
    return rmi_wasi_answer(result, error);
}
