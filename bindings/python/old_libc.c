/* What is in a wheel runs with older C libraries than the one of the machine that builds it: the linker puts these in
 * the place of functions of which it would else take a version of glibc 2.32 or newer. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#if defined(__x86_64__)
#define FIRST_VERSION "GLIBC_2.2.5"
#else
#define FIRST_VERSION "GLIBC_2.17"
#endif

/* WRAP(type, name, parameters, arguments): `name` as it was in the first version of glibc. */
#define WRAP(type, name, parameters, arguments)                \
    type old_##name parameters;                                \
    type __wrap_##name parameters;                             \
    __asm__(".symver old_" #name "," #name "@" FIRST_VERSION); \
    type __wrap_##name parameters                              \
    {                                                          \
        return old_##name arguments;                           \
    }

WRAP(int, pthread_create,
     (pthread_t * thread, const pthread_attr_t *attributes, void *(*function)(void *), void *context),
     (thread, attributes, function, context))
WRAP(int, pthread_join, (pthread_t thread, void **result), (thread, result))
WRAP(int, pthread_detach, (pthread_t thread), (thread))
WRAP(int, pthread_kill, (pthread_t thread, int number), (thread, number))
WRAP(int, pthread_once, (pthread_once_t * once, void (*function)(void)), (once, function))
WRAP(int, pthread_sigmask, (int how, const sigset_t *set, sigset_t *former), (how, set, former))
WRAP(int, pthread_attr_setstacksize, (pthread_attr_t * attributes, size_t size), (attributes, size))
WRAP(int, pthread_attr_getstack, (const pthread_attr_t *attributes, void **start, size_t *size),
     (attributes, start, size))
WRAP(int, pthread_getattr_np, (pthread_t thread, pthread_attr_t *attributes), (thread, attributes))
WRAP(int, __libc_start_main,
     (int (*main)(int, char **, char **), int count, char **words, void (*start)(void), void (*end)(void),
      void (*loader)(void), void *stack),
     (main, count, words, start, end, loader, stack))
WRAP(void *, dlopen, (const char *path, int flags), (path, flags))
WRAP(void *, dlsym, (void *library, const char *name), (library, name))
WRAP(int, dlclose, (void *library), (library))
WRAP(char *, dlerror, (void), ())
WRAP(int, dladdr, (const void *address, Dl_info *out), (address, out))

int __wrap_stat(const char *path, struct stat *out);
int __wrap_stat(const char *path, struct stat *out)
{
    return (int)syscall(SYS_newfstatat, AT_FDCWD, path, out, 0);
}

int __wrap_lstat(const char *path, struct stat *out);
int __wrap_lstat(const char *path, struct stat *out)
{
    return (int)syscall(SYS_newfstatat, AT_FDCWD, path, out, AT_SYMLINK_NOFOLLOW);
}

int __wrap_fstat(int descriptor, struct stat *out);
int __wrap_fstat(int descriptor, struct stat *out)
{
    return (int)syscall(SYS_fstat, descriptor, out);
}

int __wrap_fstatat(int folder, const char *path, struct stat *out, int flags);
int __wrap_fstatat(int folder, const char *path, struct stat *out, int flags)
{
    return (int)syscall(SYS_newfstatat, folder, path, out, flags);
}

ssize_t __wrap_getrandom(void *out, size_t size, unsigned flags);
ssize_t __wrap_getrandom(void *out, size_t size, unsigned flags)
{
    return syscall(SYS_getrandom, out, size, flags);
}

int __wrap_memfd_create(const char *name, unsigned flags);
int __wrap_memfd_create(const char *name, unsigned flags)
{
    return (int)syscall(SYS_memfd_create, name, flags);
}

/* The kernel takes an offset as two words, of which a 64-bit one needs only the first. */
ssize_t __wrap_preadv2(int file, const struct iovec *parts, int count, off_t offset, int flags);
ssize_t __wrap_preadv2(int file, const struct iovec *parts, int count, off_t offset, int flags)
{
    return syscall(SYS_preadv2, file, parts, count, offset, 0L, flags);
}

ssize_t __wrap_pwritev2(int file, const struct iovec *parts, int count, off_t offset, int flags);
ssize_t __wrap_pwritev2(int file, const struct iovec *parts, int count, off_t offset, int flags)
{
    return syscall(SYS_pwritev2, file, parts, count, offset, 0L, flags);
}

/* Older C libraries close each descriptor by its number: those that are open at this moment. */
static int close_each(posix_spawn_file_actions_t *actions, int from)
{
    DIR *folder = opendir("/proc/self/fd");
    int failure = folder != NULL ? 0 : errno;
    for (const struct dirent *entry; failure == 0 && (entry = readdir(folder)) != NULL;) {
        const long number = strtol(entry->d_name, NULL, 10);
        if (entry->d_name[0] != '.' && number >= from && number != dirfd(folder))
            failure = posix_spawn_file_actions_addclose(actions, (int)number);
    }
    if (folder != NULL)
        (void)closedir(folder);
    return failure;
}

int __wrap_posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int from);
int __wrap_posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int from)
{
    int (*newer)(posix_spawn_file_actions_t *actions, int from) = NULL;
    void *found = old_dlsym(RTLD_DEFAULT, "posix_spawn_file_actions_addclosefrom_np");
    if (found == NULL)
        return close_each(actions, from);
    memcpy(&newer, &found, sizeof newer); /* POSIX: pointers to functions and to data have the same form */
    return newer(actions, from);
}
