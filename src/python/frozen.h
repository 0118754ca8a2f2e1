/* The package `remotemedia` as byte code inside the library; tools/freeze.py makes the table. */
#ifndef PYTHON_FROZEN_H
#define PYTHON_FROZEN_H

#include <Python.h>

extern const struct _frozen rmi_frozen_modules[];

#endif
