/* Python modules as byte code inside the library; tools/freeze.py makes the table. */
#ifndef PYTHON_FROZEN_H
#define PYTHON_FROZEN_H

#include <stdbool.h>

#include <Python.h>

/* The package `remotemedia`, and the standard library where the build freezes it too. */
extern const struct _frozen rmi_frozen_modules[];
extern const bool rmi_frozen_library;
/* Modules in C beside those of the standard library; ends with {0}. Empty unless a program links its own
 * table. */
extern const struct _inittab rmi_extra_modules[];

#endif
