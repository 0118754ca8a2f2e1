/* Finds Python's library. Sets all paths: the interpreter searches for nothing, and only VIRTUAL_ENV of the
 * environment has an effect. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "platform/platform.h"
#include "python/frozen.h"
#include "python/python_host.h"

enum { LONGEST_PATH = 4096 };
#define LIBRARY "lib/python3.13"

/* Written once, before the interpreter runs. */
typedef struct places {
    char home[LONGEST_PATH], library[LONGEST_PATH], environment[LONGEST_PATH];
} places;

static bool join(char *out, const char *folder, const char *rest)
{
    const int length = snprintf(out, LONGEST_PATH, "%s/%s", folder, rest);
    return length > 0 && length < LONGEST_PATH;
}

static bool has_file(const char *folder, const char *name)
{
    char path[LONGEST_PATH];
    FILE *file = join(path, folder, name) ? fopen(path, "r") : NULL;
    if (file != NULL)
        (void)fclose(file);
    return file != NULL;
}

/* The first place beside the program or above it that has the library. */
static int find_home(const rmi_host *host, char *home, rm_error *err)
{
    static const char *const nearby[] = {"..", ".", "../..", "../lib/remotemedia"};
    char folder[LONGEST_PATH];
    if (host->home != NULL) {
        (void)snprintf(home, LONGEST_PATH, "%s", host->home);
        if (has_file(home, LIBRARY "/os.py"))
            return RM_OK;
        return rm_error_set(err, RM_E_NOT_FOUND, "Python's library is not in '%s/" LIBRARY "'", host->home);
    }
    if (rmi_platform_program_directory(folder, sizeof folder))
        for (size_t i = 0; i < sizeof nearby / sizeof *nearby; i++)
            if (join(home, folder, nearby[i]) && has_file(home, LIBRARY "/os.py"))
                return RM_OK;
    return rm_error_set(
        err, RM_E_NOT_FOUND,
        "Python's library was not found beside the program (" LIBRARY " in the folder above '%s')", folder);
}

/* "/a/b/bin/.." as "/a/b". */
static void shorten(char *path)
{
    size_t length = strlen(path);
    while (length > 2 && strcmp(path + length - 2, "/.") == 0)
        path[length -= 2] = '\0';
    while (length > 3 && strcmp(path + length - 3, "/..") == 0) {
        path[length - 3] = '\0';
        char *slash = strrchr(path, '/');
        if (slash == NULL || slash == path)
            break;
        *slash = '\0';
        length = strlen(path);
    }
}

/* Where the value of a line "key = value" begins; at the end of the text where there is no such line. */
static const char *value_of(const char *text, const char *key)
{
    const size_t length = strlen(key);
    while (*text != '\0') {
        const char *after = text + length;
        if (strncmp(text, key, length) == 0 && *(after += strspn(after, " \t")) == '=')
            return after + 1 + strspn(after + 1, " \t");
        text += strcspn(text, "\n");
        text += *text == '\n';
    }
    return text;
}

/* The version in a virtual environment's configuration, as "3.12"; empty when it has none. */
static int environment_version(const char *folder, char *version, size_t size, rm_error *err)
{
    char path[LONGEST_PATH], *text = NULL;
    size_t length = 0;
    version[0] = '\0';
    if (!join(path, folder, "pyvenv.cfg"))
        return rm_error_set(err, RM_E_LIMIT, "VIRTUAL_ENV is too long");
    int rc = rmi_platform_read_file(NULL, path, 65536, &text, &length, err);
    if (rc != RM_OK) {
        rm_error_hint(err, "VIRTUAL_ENV names no virtual environment; unset it");
        return rc;
    }
    const char *at = value_of(text, "version");
    if (*at == '\0')
        at = value_of(text, "version_info"); /* as virtualenv writes it */
    if (*at != '\0') {
        const size_t digits = strspn(at, "0123456789."), most = digits < size ? digits : size - 1;
        memcpy(version, at, most);
        version[most] = '\0';
    }
    rm_text_free(NULL, text, length);
    return RM_OK;
}

static int find_environment(char *packages, rm_error *err)
{
    const char *folder = getenv("VIRTUAL_ENV");
    char version[16] = "";
    packages[0] = '\0';
    if (folder == NULL || *folder == '\0')
        return RM_OK;
    int rc = environment_version(folder, version, sizeof version, err);
    if (rc != RM_OK)
        return rc;
    if (strncmp(version, "3.13", 4) != 0 || (version[4] != '.' && version[4] != '\0')) {
        (void)rm_error_set(
            err, RM_E_UNSUPPORTED_VERSION,
            "the virtual environment '%s' (VIRTUAL_ENV) is for Python %s, this program has 3.13", folder,
            version[0] != '\0' ? version : "of an unknown version");
        rm_error_hint(err, "make one with the python3.13 beside the program, or unset VIRTUAL_ENV");
        return RM_E_UNSUPPORTED_VERSION;
    }
    if (!join(packages, folder, LIBRARY "/site-packages"))
        return rm_error_set(err, RM_E_LIMIT, "VIRTUAL_ENV is too long");
    return RM_OK;
}

static PyStatus set(PyConfig *config, wchar_t **member, const char *folder, const char *rest)
{
    char path[LONGEST_PATH];
    if (*rest != '\0' && !join(path, folder, rest))
        return PyStatus_Error("a path is too long");
    return PyConfig_SetBytesString(config, member, *rest != '\0' ? path : folder);
}

static PyStatus append(PyConfig *config, const char *folder, const char *rest)
{
    char path[LONGEST_PATH];
    if (*rest != '\0' && !join(path, folder, rest))
        return PyStatus_Error("a path is too long");
    wchar_t *wide = Py_DecodeLocale(*rest != '\0' ? path : folder, NULL);
    if (wide == NULL)
        return PyStatus_NoMemory();
    const PyStatus status = PyWideStringList_Append(&config->module_search_paths, wide);
    PyMem_RawFree(wide);
    return status;
}

static PyStatus fill_places(PyConfig *config, const places *at)
{
    struct {
        wchar_t **member;
        const char *rest;
    } const members[] = {
        {&config->home, ""},
        {&config->prefix, ""},
        {&config->exec_prefix, ""},
        {&config->base_prefix, ""},
        {&config->base_exec_prefix, ""},
        {&config->program_name, "bin/python3.13"},
        {&config->executable, "bin/python3.13"},
        {&config->base_executable, "bin/python3.13"},
        {&config->stdlib_dir, LIBRARY},
    };
    PyStatus status = PyStatus_Ok();
    for (size_t i = 0; !PyStatus_Exception(status) && i < sizeof members / sizeof *members; i++)
        status = set(config, members[i].member, at->home, members[i].rest);
    config->module_search_paths_set = 1;
    return status;
}

static PyStatus fill(PyConfig *config, const places *at)
{
    PyStatus status = fill_places(config, at);
    if (!PyStatus_Exception(status))
        status = append(config, at->home, LIBRARY);
    if (!PyStatus_Exception(status))
        status = append(config, at->home, LIBRARY "/lib-dynload");
    if (!PyStatus_Exception(status) && at->environment[0] != '\0')
        status = append(config, at->environment, "");
    if (!PyStatus_Exception(status))
        status = append(config, at->home, LIBRARY "/site-packages");
    return status;
}

/* With a frozen library there is nothing to look for, and one place for users' modules: the directory that is
 * mapped to /app. */
static PyStatus fill_for_frozen(PyConfig *config)
{
    const places at = {.home = "/"};
    PyStatus status = fill_places(config, &at);
    if (!PyStatus_Exception(status))
        status = append(config, "/app", "");
    return status;
}

int rmi_paths_configure(const rmi_host *host, PyConfig *config, rm_error *err)
{
    PyStatus status;
    if (rmi_frozen_library) {
        status = fill_for_frozen(config);
    } else {
        places at;
        int rc = find_home(host, at.home, err);
        if (rc == RM_OK)
            rc = find_environment(at.environment, err);
        if (rc != RM_OK)
            return rc;
        shorten(at.home);
        status = fill(config, &at);
    }
    if (PyStatus_Exception(status))
        return rm_error_set(err, RM_E_INTERNAL, "Python did not start: %s",
                            status.err_msg ? status.err_msg : "");
    return RM_OK;
}

/* ---- Once it runs */

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
