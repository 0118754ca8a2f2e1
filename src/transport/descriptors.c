#include "transport/descriptors.h"

#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

enum { MOST = 65536 };

void rmi_raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= MOST)
        return;
    limit.rlim_cur = limit.rlim_max < MOST ? limit.rlim_max : MOST;
    (void)setrlimit(RLIMIT_NOFILE, &limit); /* the lower limit stays */
}

/* The system gives the lowest free number, so a high one says how many are in use. */
bool rmi_has_descriptors(int count)
{
    struct rlimit limit;
    const int next = eventfd(0, EFD_CLOEXEC);
    if (next >= 0)
        (void)close(next);
    return next >= 0 &&
           (getrlimit(RLIMIT_NOFILE, &limit) != 0 || (rlim_t)next + (rlim_t)count < limit.rlim_cur);
}
