/* The project's own modules in C for the WASM files with Python. */
#ifndef WASM_MODULES_H
#define WASM_MODULES_H

#include <Python.h>

PyObject *rmi_scrypt_module(void);
PyObject *rmi_zones_module(void);

/* The rows of these modules in rmi_extra_modules. */
#define RMI_WASM_MODULES {"_scrypt", rmi_scrypt_module}, {"_zones", rmi_zones_module},

#endif
