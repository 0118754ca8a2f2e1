/* The table of numpy's extension modules, which are linked into the file. */
#include "python/frozen.h"
#include "wasm/modules.h"

#define X(name, function) PyObject *function(void);
#include <numpy_modules.h>
#undef X

#define X(name, function) {name, function},
const struct _inittab rmi_extra_modules[] = {
    RMI_WASM_MODULES
#include <numpy_modules.h>
    {0},
};
