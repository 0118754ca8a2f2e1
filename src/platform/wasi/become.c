#include <errno.h>

#include "platform/platform.h"

void rmi_platform_become(const char *path, const char *const *arguments, int input, int output)
{
    (void)path, (void)arguments, (void)input, (void)output;
    errno = ENOSYS;
}
