/* Where modules of the user are looked for, once the interpreter runs. */
#include <string.h>

#include "python/python_host.h"

/* `path` from the root, without a slash at its end: code may change the working directory, and other processes
 * get sys.path. */
static PyObject *absolute(const char *path)
{
    size_t length = strlen(path);
    while (length > 0 && path[length - 1] == '/')
        length--;
    if (*path == '/')
        return PyUnicode_DecodeFSDefaultAndSize(path, (Py_ssize_t)(length > 0 ? length : 1));
    while (strncmp(path, "./", 2) == 0 && length >= 2) {
        path += 2;
        length -= 2;
    }
    PyObject *posix = PyImport_ImportModule("posix"), *made = NULL;
    PyObject *here = posix != NULL ? PyObject_CallMethod(posix, "getcwd", NULL) : NULL;
    PyObject *rest = PyUnicode_DecodeFSDefaultAndSize(path, (Py_ssize_t)length);
    if (here == NULL && PyErr_ExceptionMatches(PyExc_OSError)) { /* the working directory was removed */
        PyErr_Clear();
        made = rest != NULL ? Py_NewRef(rest) : NULL;
    } else if (here != NULL && rest != NULL) {
        const bool is_here = length == 0 || PyUnicode_EqualToUTF8(rest, ".");
        const bool is_root = PyUnicode_EqualToUTF8(here, "/");
        made = is_here ? Py_NewRef(here) : PyUnicode_FromFormat(is_root ? "%U%U" : "%U/%U", here, rest);
    }
    Py_XDECREF(rest);
    Py_XDECREF(here);
    Py_XDECREF(posix);
    return made;
}

static int add_path(const char *path, bool first)
{
    PyObject *given = PyUnicode_DecodeFSDefault(path), *whole = given != NULL ? absolute(path) : NULL;
    PyObject *all = rmi_python_of_process()->paths, *search = PySys_GetObject("path");
    int rc = whole == NULL || search == NULL ? -1 : PyDict_Contains(all, whole);
    if (rc == 0 && (rc = PyDict_SetItem(all, whole, given)) == 0)
        rc = first ? PyList_Insert(search, 0, whole) : PyList_Append(search, whole);
    Py_XDECREF(whole);
    Py_XDECREF(given);
    return rc < 0 ? -1 : 0;
}

static int seed_random(int64_t seed)
{
    PyObject *random = PyImport_ImportModule("random");
    PyObject *done = random != NULL ? PyObject_CallMethod(random, "seed", "L", (long long)seed) : NULL;
    const int rc = done == NULL ? -1 : 0;
    Py_XDECREF(done);
    Py_XDECREF(random);
    return rc;
}

int rmi_paths_prepare(rmi_host *host)
{
    int rc = 0;
    if (host->prepared)
        return 0;
    for (size_t i = host->path_count; rc == 0 && i > 0; i--)
        rc = add_path(host->paths[i - 1], true);
    if (rc == 0 && host->has_seed)
        rc = seed_random(host->seed);
    host->prepared = rc == 0;
    return rc;
}

int rmi_paths_beside(const char *directory)
{
    return directory != NULL ? add_path(directory, false) : 0;
}

PyObject *rmi_paths_as_given(PyObject *file)
{
    PyObject *whole = NULL, *path = NULL, *given = NULL;
    Py_ssize_t place = 0;
    while (given == NULL && PyDict_Next(rmi_python_of_process()->paths, &place, &whole, &path)) {
        const Py_ssize_t length = PyUnicode_GET_LENGTH(whole);
        const bool is_root = length == 1;
        PyObject *folder = PyUnicode_FromFormat(is_root ? "%U" : "%U/", whole), *rest = NULL;
        if (folder != NULL && PyUnicode_Tailmatch(file, folder, 0, PY_SSIZE_T_MAX, -1) == 1 &&
            (rest = PyUnicode_Substring(file, PyUnicode_GET_LENGTH(folder), PY_SSIZE_T_MAX)) != NULL) {
            const Py_ssize_t end = PyUnicode_GET_LENGTH(path);
            const bool slash = end > 0 && PyUnicode_READ_CHAR(path, end - 1) == '/';
            given = PyUnicode_FromFormat(slash ? "%U%U" : "%U/%U", path, rest);
        }
        Py_XDECREF(rest);
        Py_XDECREF(folder);
    }
    PyErr_Clear();
    return given != NULL ? given : Py_NewRef(file);
}
