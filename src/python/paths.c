/* Finds Python's library. Sets all paths: the interpreter searches for nothing, and only VIRTUAL_ENV of the
 * environment has an effect. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/alloc.h"
#include "platform/platform.h"
#include "python/frozen.h"
#include "python/python_host.h"

enum { LONGEST_PATH = 4096 };
#define LIBRARY "lib/python3.13"

/* Where Python finds itself. In a virtual environment sys.prefix and sys.executable are the environment's, and `base` is
 * the Python that made it; the library is the program's all the same. Members of an environment that are empty are as
 * without one. */
typedef struct places {
    char home[LONGEST_PATH];   /* of the program's library */
    char prefix[LONGEST_PATH]; /* the environment */
    char packages[LONGEST_PATH], base[LONGEST_PATH], program[LONGEST_PATH], base_program[LONGEST_PATH];
    bool includes_base; /* the packages of `base` too */
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

/* Makes an absolute path short: "/a//b/./bin/.." becomes "/a/b". */
static void shorten(char *path)
{
    char *out = path;
    for (const char *at = path; *at != '\0';) {
        const char *name = at + strspn(at, "/");
        const size_t length = strcspn(name, "/");
        at = name + length;
        if (length == 2 && strncmp(name, "..", 2) == 0) {
            do
                out -= out > path;
            while (out > path && *out != '/');
        } else if (length > 1 || (length == 1 && *name != '.')) {
            *out++ = '/';
            memmove(out, name, length);
            out += length;
        }
    }
    if (out == path)
        *out++ = '/';
    *out = '\0';
}

/* ---- A virtual environment: what its own Python finds out from pyvenv.cfg */

/* Copies the value of a line "key = value"; empty where there is no such line. */
static void value_of(const char *text, const char *key, char *value, size_t size)
{
    const size_t key_length = strlen(key);
    value[0] = '\0';
    for (; *text != '\0' && value[0] == '\0'; text += *text == '\n') {
        const char *at = text + strspn(text, " \t"), *end = text + strcspn(text, "\r\n");
        const bool begins = strncasecmp(at, key, key_length) == 0;
        text = end + (*end == '\r');
        at += begins ? key_length : 0;
        at += strspn(at, " \t");
        if (!begins || *at != '=')
            continue;
        at += 1 + strspn(at + 1, " \t");
        while (end > at && (end[-1] == ' ' || end[-1] == '\t'))
            end--;
        if (end > at && (size_t)(end - at) < size)
            (void)snprintf(value, size, "%.*s", (int)(end - at), at);
    }
}

static bool is_for_this_version(const char *text, char *version, size_t size)
{
    value_of(text, "version", version, size);
    if (version[0] == '\0')
        value_of(text, "version_info", version, size); /* as virtualenv writes it */
    return strncmp(version, "3.13", 4) == 0 && (version[4] == '.' || version[4] == '\0');
}

/* Goes up from the folder of the Python that made the environment, as that Python does, to its library. */
static bool find_base(const char *bin, char *base)
{
    (void)snprintf(base, LONGEST_PATH, "%s", bin);
    for (char *slash = base; slash != NULL;) {
        if (has_file(base, LIBRARY "/os.py"))
            return true;
        if ((slash = strrchr(base, '/')) != NULL)
            *slash = '\0';
    }
    return false;
}

/* The first of the names that is in `folder`, as a path; empty where none is. */
static void find_program(char *path, const char *folder, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (has_file(folder, names[i]) && join(path, folder, names[i]))
            return;
    path[0] = '\0';
}

/* sys.executable, and where it leads: the environment has links to the Python that made it, or copies. */
static void find_programs(places *at, const char *bin)
{
    static const char *const names[] = {"bin/python", "bin/python3", "bin/python3.13"};
    char real[PATH_MAX];
    find_program(at->program, at->prefix, names, sizeof names / sizeof *names);
    if (at->program[0] == '\0')
        return;
    const char *const copied[] = {strrchr(at->program, '/') + 1, "python3", "python3.13"};
    if (realpath(at->program, real) != NULL && strcmp(real, at->program) != 0)
        (void)snprintf(at->base_program, LONGEST_PATH, "%s", real);
    else
        find_program(at->base_program, bin, copied, sizeof copied / sizeof *copied);
}

static int wrong_version(const char *folder, const char *version, rm_error *err)
{
    (void)rm_error_set(err, RM_E_UNSUPPORTED_VERSION,
                       "the virtual environment '%s' (VIRTUAL_ENV) is for Python %s, this program has 3.13",
                       folder, version[0] != '\0' ? version : "of an unknown version");
    rm_error_hint(err, "make one with the python3.13 beside the program, or unset VIRTUAL_ENV");
    return RM_E_UNSUPPORTED_VERSION;
}

static int too_long(rm_error *err)
{
    return rm_error_set(err, RM_E_LIMIT, "VIRTUAL_ENV is too long");
}

static int make_absolute(const char *folder, char *path, rm_error *err)
{
    char here[LONGEST_PATH] = "";
    if (folder[0] != '/' && getcwd(here, sizeof here) == NULL)
        return rm_error_set(err, RM_E_IO, "VIRTUAL_ENV is relative, and the current directory is not known");
    if (folder[0] == '/' ? strlen(folder) >= LONGEST_PATH : !join(path, here, folder))
        return too_long(err);
    if (folder[0] == '/')
        (void)snprintf(path, LONGEST_PATH, "%s", folder);
    shorten(path);
    return RM_OK;
}

/* Fills in the places of the environment that VIRTUAL_ENV names; without one they are those of `home`. */
static int find_environment(places *at, rm_error *err)
{
    const char *folder = getenv("VIRTUAL_ENV");
    char version[16] = "", bin[LONGEST_PATH], includes[8], *text = NULL;
    size_t length = 0;
    if (folder == NULL || *folder == '\0')
        return RM_OK;
    int rc = make_absolute(folder, at->prefix, err);
    if (rc == RM_OK &&
        (!join(at->packages, at->prefix, LIBRARY "/site-packages") || !join(bin, at->prefix, "pyvenv.cfg")))
        rc = too_long(err);
    if (rc != RM_OK)
        return rc;
    rc = rmi_platform_read_file(NULL, bin, 65536, &text, &length, err);
    if (rc != RM_OK) {
        rm_error_hint(err, "VIRTUAL_ENV names no virtual environment; unset it");
        return rc;
    }
    if (!is_for_this_version(text, version, sizeof version))
        rc = wrong_version(folder, version, err);
    value_of(text, "home", bin, sizeof bin);
    value_of(text, "include-system-site-packages", includes, sizeof includes);
    rm_text_free(NULL, text, length);
    if (rc != RM_OK)
        return rc;
    if (!find_base(bin, at->base))
        (void)snprintf(at->base, LONGEST_PATH, "%s", at->home);
    find_programs(at, bin);
    at->includes_base = strcasecmp(includes, "true") == 0;
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
    const char *base = at->base[0] != '\0' ? at->base : at->home;
    char own[LONGEST_PATH];
    if (!join(own, at->home, "bin/python3.13"))
        return PyStatus_Error("a path is too long");
    const char *program = at->program[0] != '\0' ? at->program : own;
    const char *base_program = at->base_program[0] != '\0' ? at->base_program : own;
    struct {
        wchar_t **member;
        const char *folder, *rest;
    } const members[] = {
        {&config->home, at->home, ""},
        {&config->prefix, at->home, ""},
        {&config->exec_prefix, at->home, ""},
        {&config->base_prefix, base, ""},
        {&config->base_exec_prefix, base, ""},
        {&config->program_name, program, ""},
        {&config->executable, program, ""},
        {&config->base_executable, base_program, ""},
        {&config->stdlib_dir, at->home, LIBRARY},
    };
    PyStatus status = PyStatus_Ok();
    for (size_t i = 0; !PyStatus_Exception(status) && i < sizeof members / sizeof *members; i++)
        status = set(config, members[i].member, members[i].folder, members[i].rest);
    config->module_search_paths_set = 1;
    return status;
}

static PyStatus fill(PyConfig *config, const places *at)
{
    const bool other_base = at->base[0] != '\0' && strcmp(at->base, at->home) != 0;
    const struct {
        bool wanted;
        const char *folder, *rest;
    } rows[] = {
        {true, at->home, LIBRARY},
        {true, at->home, LIBRARY "/lib-dynload"},
        {at->packages[0] != '\0', at->packages, ""},
        {at->includes_base && other_base, at->base, LIBRARY "/site-packages"},
        {true, at->home, LIBRARY "/site-packages"},
        /* For its child processes: multiprocessing gives them sys.path. */
        {other_base, at->base, LIBRARY "/lib-dynload"},
    };
    PyStatus status = fill_places(config, at);
    for (size_t i = 0; !PyStatus_Exception(status) && i < sizeof rows / sizeof *rows; i++)
        if (rows[i].wanted)
            status = append(config, rows[i].folder, rows[i].rest);
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
        places at = {.home = ""};
        int rc = find_home(host, at.home, err);
        if (rc == RM_OK && at.home[0] == '/')
            shorten(at.home);
        if (rc == RM_OK)
            rc = find_environment(&at, err);
        if (rc != RM_OK)
            return rc;
        rmi_python_of_process()->in_environment = at.program[0] != '\0';
        rmi_python_of_process()->includes_base = at.includes_base;
        status = fill(config, &at);
    }
    if (PyStatus_Exception(status))
        return rm_error_set(err, RM_E_INTERNAL, "Python did not start: %s",
                            status.err_msg ? status.err_msg : "");
    return RM_OK;
}

/* ---- Once it runs */

/* The folder above that of sys.executable. */
static PyObject *prefix_of_program(void)
{
    PyObject *program = PySys_GetObject("executable");
    const Py_ssize_t length = PyUnicode_GET_LENGTH(program);
    Py_ssize_t end = PyUnicode_FindChar(program, '/', 0, length, -1);
    if (end > 0)
        end = PyUnicode_FindChar(program, '/', 0, end, -1);
    return PyUnicode_Substring(program, 0, end > 0 ? end : length);
}

int rmi_paths_enter_environment(void)
{
    const rmi_python *python = rmi_python_of_process();
    if (!python->in_environment)
        return 0;
    PyObject *prefix = prefix_of_program(), *site = NULL, *prefixes = NULL;
    int rc = prefix != NULL && PySys_SetObject("prefix", prefix) == 0 ? PySys_SetObject("exec_prefix", prefix)
                                                                      : -1;
    if (rc == 0 && python->includes_base) {
        site = PyImport_ImportModule("site");
        prefixes = Py_BuildValue("[OOO]", prefix, PySys_GetObject("base_prefix"),
                                 PySys_GetObject("base_exec_prefix"));
        rc = site != NULL && prefixes != NULL ? PyObject_SetAttrString(site, "PREFIXES", prefixes) : -1;
    }
    Py_XDECREF(prefixes);
    Py_XDECREF(site);
    Py_XDECREF(prefix);
    return rc;
}
