/* No modules in C beside the standard library's. A program that has some links its own table instead of this
 * file. */
#include "python/frozen.h"

const struct _inittab rmi_extra_modules[] = {{0}};
