#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>

void rmi_check_failed(const char *condition, const char *file, int line)
{
    (void)fprintf(stderr, "%s:%d: not so: %s\n", file, line, condition);
    abort();
}
