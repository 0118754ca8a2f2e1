/* Modules in C that the WASM files with Python have beside CPython's. */
#ifndef WASM_MODULES_H
#define WASM_MODULES_H

#include <Python.h>

PyObject *rmi_scrypt_module(void);

/* Their rows in rmi_extra_modules. */
#define RMI_WASM_MODULES {"_scrypt", rmi_scrypt_module},

#endif
