/* Byte code has many zeros, so tools/freeze.py stores frozen modules with the lengths of runs of zeros. This
 * file puts the zeros back when Python imports a module: the linker redirects CPython's call for frozen code
 * to it. */
#include <Python.h>
#include <marshal.h>
#include <stdbool.h>
#include <string.h>

/* The header: a byte with which no marshalled object starts, and the length of the code. */
enum { SQUEEZED = 1, HEADER = 5 };

PyObject *__real_PyMarshal_ReadObjectFromString(const char *data, Py_ssize_t size);
PyObject *__wrap_PyMarshal_ReadObjectFromString(const char *data, Py_ssize_t size);

static size_t code_length(const unsigned char *stored)
{
    return stored[1] | (size_t)stored[2] << 8 | (size_t)stored[3] << 16 | (size_t)stored[4] << 24;
}

/* Puts the zeros back: each 0 is followed by their number. Returns false when that does not give `length`
 * bytes. */
static bool expand(const unsigned char *from, const unsigned char *end, char *to, size_t length)
{
    while (from < end) {
        const unsigned char *zero = memchr(from, 0, (size_t)(end - from));
        const size_t plain = (size_t)((zero != NULL ? zero : end) - from);
        const size_t zeros = zero != NULL && zero + 1 < end ? zero[1] : 0;
        if (plain > length || zeros > length - plain)
            return false;
        memcpy(to, from, plain);
        memset(to + plain, 0, zeros);
        to += plain + zeros;
        length -= plain + zeros;
        from = zero != NULL ? zero + 2 : end;
    }
    return length == 0;
}

PyObject *__wrap_PyMarshal_ReadObjectFromString(const char *data, Py_ssize_t size)
{
    const unsigned char *stored = (const unsigned char *)data;
    if (size < HEADER || stored[0] != SQUEEZED)
        return __real_PyMarshal_ReadObjectFromString(data, size);
    const size_t length = code_length(stored);
    char *code = PyMem_RawMalloc(length);
    PyObject *object = NULL;
    if (code == NULL)
        PyErr_NoMemory();
    else if (!expand(stored + HEADER, stored + size, code, length))
        PyErr_SetString(PyExc_SystemError, "a frozen module is damaged");
    else
        object = __real_PyMarshal_ReadObjectFromString(code, (Py_ssize_t)length);
    if (code != NULL)
        memset(code, 0, length); /* a snapshot's image has freed memory too */
    PyMem_RawFree(code);
    return object;
}
