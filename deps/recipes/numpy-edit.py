#!/usr/bin/env python3
"""Edits numpy's unpacked source (the current folder) for WASM; fails when a text is not where it was.

A call through a function pointer of another signature traps there, so functions get the parameters they are called with.
"""
import pathlib
import sys

COMPAT = "numpy/_core/include/numpy/npy_3kcompat.h"
MULTIARRAY = "numpy/_core/src/multiarray/"
UMATH = "numpy/_core/src/umath/"
SORT = "numpy/_core/src/npysort/"

EDITS = [
    ("numpy/_core/include/numpy/npy_cpu.h", "#elif defined(__EMSCRIPTEN__)\n",
     "#elif defined(__EMSCRIPTEN__) || defined(__wasm__)\n"),
    (MULTIARRAY + "array_converter.c", "array_converter_get_scalar_input(PyArrayArrayConverterObject *self)",
     "array_converter_get_scalar_input(PyArrayArrayConverterObject *self, void *NPY_UNUSED(closure))"),
    (MULTIARRAY + "array_method.c", "boundarraymethod__supports_unaligned(PyBoundArrayMethodObject *self)",
     "boundarraymethod__supports_unaligned(PyBoundArrayMethodObject *self, void *NPY_UNUSED(closure))"),
    (UMATH + "_scaled_float_dtype.c", "sfloat___reduce__(PyArray_SFloatDescr *self)",
     "sfloat___reduce__(PyArray_SFloatDescr *self, PyObject *NPY_UNUSED(args))"),
    (MULTIARRAY + "multiarraymodule.c",
     "(PyCFunction)_get_castingimpl,\n        METH_VARARGS | METH_KEYWORDS, NULL}",
     "(PyCFunction)_get_castingimpl,\n        METH_VARARGS, NULL}"),
    (MULTIARRAY + "_multiarray_tests.c.src",
     "printf_float_g(PyObject *NPY_UNUSED(dummy), PyObject *args, PyObject *kwds)",
     "printf_float_g(PyObject *NPY_UNUSED(dummy), PyObject *args)"),
    # fromfile and tofile ask for a second descriptor of the file, which WASI cannot make.
    (COMPAT, "#include \"npy_common.h\"\n", "#include \"npy_common.h\"\n#include \"rm_file.h\"\n"),
    (COMPAT, """
    /*
     * The handle needs to be dup'd because we have to call fclose
     * at the end
     */
    os = PyImport_ImportModule("os");
    if (os == NULL) {
        return NULL;
    }
    ret = PyObject_CallMethod(os, "dup", "i", fd);
    Py_DECREF(os);
    if (ret == NULL) {
        return NULL;
    }
    fd2_tmp = PyNumber_AsSsize_t(ret, PyExc_IOError);
    Py_DECREF(ret);
    if (fd2_tmp == -1 && PyErr_Occurred()) {
        return NULL;
    }
    if (fd2_tmp < INT_MIN || fd2_tmp > INT_MAX) {
        PyErr_SetString(PyExc_IOError,
                        "Getting an 'int' from os.dup() failed");
        return NULL;
    }
    fd2 = (int)fd2_tmp;
""", ""),
    (COMPAT, "    handle = fdopen(fd2, mode);\n", "    handle = rm_file_over(fd, mode);\n"),
    (COMPAT, "    int fd, fd2, unbuf;\n    Py_ssize_t fd2_tmp;\n    PyObject *ret, *os, *io, *io_raw;\n",
     "    int fd, unbuf;\n    PyObject *ret, *io, *io_raw;\n"),
    # Texts for help() are left out: docstrings of ufuncs here, the others by cython and where Python files are frozen.
    ("numpy/_core/code_generators/generate_umath_doc.py", "cdef_str = normalize_doc(string)", "cdef_str = ''"),
    ("numpy/_core/overrides.py", "dispatcher.__doc__)", "dispatcher.__doc__ or '')"),
    # Sorts of plain numbers, in front of numpy's own for this processor, of which there are none.
    (SORT + "quicksort.cpp", "#include \"highway_qsort.hpp\"\n", "#include \"highway_qsort.hpp\"\n#include \"rm_sort.hpp\"\n"),
    (SORT + "quicksort.cpp", "inline bool quicksort_dispatch(T *start, npy_intp num)\n{\n",
     "inline bool quicksort_dispatch(T *start, npy_intp num)\n{\n"
     "    if (rm::sort((typename np::meta::FixedWidth<T>::Type *)start, num)) {\n        return true;\n    }\n"),
    (SORT + "quicksort.cpp", "inline bool aquicksort_dispatch(T *start, npy_intp* arg, npy_intp num)\n{\n",
     "inline bool aquicksort_dispatch(T *start, npy_intp* arg, npy_intp num)\n{\n"
     "    if (rm::argsort((typename np::meta::FixedWidth<T>::Type *)start, arg, num)) {\n        return true;\n    }\n"),
    # Products of large matrices: blocked, with the order of additions of the loop they stand in for.
    (UMATH + "matmul.c.src", "#include <assert.h>\n", "#include <assert.h>\n\n#include \"rm_gemm.h\"\n"),
    (UMATH + "matmul.c.src", " * #IS_HALF = 0, 0, 0, 1, 0*13#\n", " * #IS_HALF = 0, 0, 0, 1, 0*13#\n"
     " * #IS_BLOCKED = 0, 1, 1, 0*14#\n"),
    (UMATH + "matmul.c.src", """    ib1_n = is1_n * dn;
    ib2_n = is2_n * dn;
    ib2_p = is2_p * dp;
    ob_p  = os_p * dp;

    for (m = 0; m < dm; m++) {
        for (p = 0; p < dp; p++) {
#if @IS_COMPLEX@ == 1
            npy_csetreal""", """#if @IS_BLOCKED@
    if (rm_gemm_@typ@(ip1, is1_m, is1_n, ip2, is2_n, is2_p, op, os_m, os_p, dm, dn, dp)) {
        return;
    }
#endif
    ib1_n = is1_n * dn;
    ib2_n = is2_n * dn;
    ib2_p = is2_p * dp;
    ob_p  = os_p * dp;

    for (m = 0; m < dm; m++) {
        for (p = 0; p < dp; p++) {
#if @IS_COMPLEX@ == 1
            npy_csetreal"""),
]


def replace_once(path, old, new):
    text = pathlib.Path(path).read_text()
    if text.count(old) != 1:
        sys.exit(f"{path}: expected once, found {text.count(old)} times: {old!r}")
    pathlib.Path(path).write_text(text.replace(old, new))


for edit in EDITS:
    replace_once(*edit)
