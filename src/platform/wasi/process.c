/* The program's descriptors. A WASI host has no signals and cannot duplicate a descriptor. So results get a
 * number of their own, which is replaced by standard output's where the C library calls the host. */
#include <stdbool.h>
#include <unistd.h>
#include <wasi/api.h>

#include "platform/platform.h"
#include "platform/wasi/poll.h"

enum { RESULTS = 0x40000001 };

/* The program has one standard output; a library user never sets this. */
static bool stdout_is_taken;

/* The linker replaces the C library's functions by these (--wrap). */
__wasi_errno_t __real___wasi_fd_write(__wasi_fd_t fd, const __wasi_ciovec_t *parts, size_t count,
                                      __wasi_size_t *written);
__wasi_errno_t __wrap___wasi_fd_write(__wasi_fd_t fd, const __wasi_ciovec_t *parts, size_t count,
                                      __wasi_size_t *written);
__wasi_errno_t __real___wasi_fd_close(__wasi_fd_t fd);
__wasi_errno_t __wrap___wasi_fd_close(__wasi_fd_t fd);

__wasi_errno_t __wrap___wasi_fd_write(__wasi_fd_t fd, const __wasi_ciovec_t *parts, size_t count,
                                      __wasi_size_t *written)
{
    if (stdout_is_taken && fd == STDOUT_FILENO)
        fd = STDERR_FILENO;
    else if (stdout_is_taken && fd == RESULTS)
        fd = STDOUT_FILENO;
    return __real___wasi_fd_write(fd, parts, count, written);
}

__wasi_errno_t __real___wasi_fd_filestat_get(__wasi_fd_t fd, __wasi_filestat_t *status);
__wasi_errno_t __wrap___wasi_fd_filestat_get(__wasi_fd_t fd, __wasi_filestat_t *status);

__wasi_errno_t __wrap___wasi_fd_filestat_get(__wasi_fd_t fd, __wasi_filestat_t *status)
{
    return __real___wasi_fd_filestat_get(stdout_is_taken && fd == RESULTS ? STDOUT_FILENO : fd, status);
}

/* Never closes standard output: some hosts lend their own. */
__wasi_errno_t __wrap___wasi_fd_close(__wasi_fd_t fd)
{
    return stdout_is_taken && fd == RESULTS ? 0 : __real___wasi_fd_close(fd);
}

/* Leaves standard input: a WASI program starts no other program that would read it. */
void rmi_platform_take_streams(int *input, int *output)
{
    stdout_is_taken = true;
    *input = STDIN_FILENO;
    *output = RESULTS;
}

void rmi_platform_take_signals(void (*function)(void))
{
    (void)function;
}

void rmi_platform_keep_interrupt(void (*function)(void *), void *context)
{
    function(context); /* there is no Ctrl-C */
}

void rmi_platform_ignore_signals(void)
{
}

bool rmi_platform_would_block(int descriptor)
{
    return !rmi_wasi_poll(&descriptor, 1, __WASI_EVENTTYPE_FD_READ, 0, NULL);
}

void rmi_platform_wait_writable(int descriptor)
{
    int number = descriptor == RESULTS ? STDOUT_FILENO : descriptor;
    (void)rmi_wasi_poll(&number, 1, __WASI_EVENTTYPE_FD_WRITE, INT64_MAX, NULL);
}

bool rmi_platform_can_write(int descriptor)
{
    (void)descriptor;
    return true;
}

/* There is one thread. */
uintptr_t rmi_platform_this_thread(void)
{
    return 0;
}

/* Random, since a WASI program has no process number. */
long rmi_platform_process_number(void)
{
    uint32_t number = 1;
    (void)__wasi_random_get((uint8_t *)&number, sizeof number);
    return (long)(number & INT32_MAX);
}

void rmi_platform_copy_mode(const char *path, int descriptor)
{
    (void)path, (void)descriptor;
}
