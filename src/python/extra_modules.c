/* No modules in C beside the standard library's. A program that has some is linked with a table of its own, which stands
 * in for this file. */
#include "python/frozen.h"

const struct _inittab rmi_extra_modules[] = {{0}};
