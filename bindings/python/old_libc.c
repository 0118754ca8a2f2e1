/* The module runs with older C libraries than the one of the machine that builds it (manylinux_2_28): the linker puts these in
 * the place of functions of which it would else take a version of glibc 2.32 or newer. */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
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
