/* Calls of WASI that the program makes otherwise than the C library. The linker puts these in place of the C library's
 * (--wrap). */
#include <wasi/api.h>

__wasi_errno_t __real___wasi_clock_res_get(__wasi_clockid_t id, __wasi_timestamp_t *resolution);
__wasi_errno_t __wrap___wasi_clock_res_get(__wasi_clockid_t id, __wasi_timestamp_t *resolution);
__wasi_errno_t __wrap___wasi_sock_accept(__wasi_fd_t fd, __wasi_fdflags_t flags, __wasi_fd_t *made);
__wasi_errno_t __wrap___wasi_sock_recv(__wasi_fd_t fd, const __wasi_iovec_t *parts, size_t count,
                                       __wasi_riflags_t flags, __wasi_size_t *length,
                                       __wasi_roflags_t *found);
__wasi_errno_t __wrap___wasi_sock_send(__wasi_fd_t fd, const __wasi_ciovec_t *parts, size_t count,
                                       __wasi_siflags_t flags, __wasi_size_t *length);
__wasi_errno_t __wrap___wasi_sock_shutdown(__wasi_fd_t fd, __wasi_sdflags_t how);

/* A millisecond at most. Some hosts tell a far longer time, within which Python's event loop would take every
 * timer as due. */
__wasi_errno_t __wrap___wasi_clock_res_get(__wasi_clockid_t id, __wasi_timestamp_t *resolution)
{
    const __wasi_timestamp_t millisecond = 1000000;
    const __wasi_errno_t error = __real___wasi_clock_res_get(id, resolution);
    if (error == 0 && (*resolution == 0 || *resolution > millisecond))
        *resolution = millisecond;
    return error;
}

/* No descriptor is a socket, and some hosts lack these calls. */
__wasi_errno_t __wrap___wasi_sock_accept(__wasi_fd_t fd, __wasi_fdflags_t flags, __wasi_fd_t *made)
{
    (void)fd, (void)flags, (void)made;
    return __WASI_ERRNO_NOTSOCK;
}

__wasi_errno_t __wrap___wasi_sock_recv(__wasi_fd_t fd, const __wasi_iovec_t *parts, size_t count,
                                       __wasi_riflags_t flags, __wasi_size_t *length, __wasi_roflags_t *found)
{
    (void)fd, (void)parts, (void)count, (void)flags, (void)length, (void)found;
    return __WASI_ERRNO_NOTSOCK;
}

__wasi_errno_t __wrap___wasi_sock_send(__wasi_fd_t fd, const __wasi_ciovec_t *parts, size_t count,
                                       __wasi_siflags_t flags, __wasi_size_t *length)
{
    (void)fd, (void)parts, (void)count, (void)flags, (void)length;
    return __WASI_ERRNO_NOTSOCK;
}

__wasi_errno_t __wrap___wasi_sock_shutdown(__wasi_fd_t fd, __wasi_sdflags_t how)
{
    (void)fd, (void)how;
    return __WASI_ERRNO_NOTSOCK;
}
