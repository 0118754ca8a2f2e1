/* The modules in C of the files without numpy; wasm/numpy_modules.c has those of the others. */
#include "python/frozen.h"
#include "wasm/modules.h"

const struct _inittab rmi_extra_modules[] = {
    RMI_WASM_MODULES{0},
};
