#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "platform/platform.h"

void rmi_platform_use_large_pages(void *block, size_t size)
{
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), start = (uintptr_t)block / page * page;
    const uintptr_t end = ((uintptr_t)block + size + page - 1) / page * page;
    /* Covers all pages of the block: the system could not move a mapping in two parts when the block grows.
     * This is advice: a failure changes nothing. */
    (void)madvise((void *)start, end - start, MADV_HUGEPAGE);
}

size_t rmi_platform_cpu_count(void)
{
    cpu_set_t allowed;
    long count = 0;
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0)
        count = CPU_COUNT(&allowed);
    if (count <= 0)
        count = sysconf(_SC_NPROCESSORS_ONLN);
    return count > 0 ? (size_t)count : 1;
}

double rmi_platform_memory_gb(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    return pages > 0 && page > 0 ? (double)pages * (double)page / 1e9 : 0.0;
}

uint64_t rmi_platform_memory_limit(void)
{
    return 0;
}

const char *rmi_platform_architecture(void)
{
#if defined(__x86_64__)
    return "x86_64";
#elif defined(__aarch64__)
    return "aarch64";
#elif defined(__riscv) && __riscv_xlen == 64
    return "riscv64";
#else
    return "unknown";
#endif
}

bool rmi_platform_program_directory(char *buffer, size_t size)
{
    ssize_t length = readlink("/proc/self/exe", buffer, size);
    if (length <= 0 || (size_t)length >= size)
        return false;
    buffer[length] = '\0';
    char *slash = strrchr(buffer, '/');
    if (slash == NULL)
        return false;
    slash[slash == buffer] = '\0'; /* the root keeps its slash */
    return true;
}
