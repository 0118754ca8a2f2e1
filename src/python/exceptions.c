/* Exceptions as errors: what went wrong in the user's code, and where. */
#include <string.h>

#include "base/alloc.h"
#include "data/builder.h"
#include "data/value.h"
#include "python/convert/convert.h"

enum { SHOWN_FRAMES = 32 }; /* at each end of a long traceback */

/* ---- Errors of ours on their way through Python */

void rmi_drop_exception(void)
{
    const bool interrupts = PyErr_Occurred() && PyErr_ExceptionMatches(PyExc_KeyboardInterrupt);
    PyErr_Clear();
    if (interrupts)
        PyErr_SetInterrupt();
}

void rmi_python_raise(rm_error *err)
{
    PyObject *arguments = Py_BuildValue("(sis)", err->message, err->code, err->hint);
    if (arguments != NULL)
        PyErr_SetObject(rmi_python_of_process()->error, arguments);
    Py_XDECREF(arguments);
    rm_error_clear(err);
}

/* Whether `exception` is such an error; copies its code and texts to `err`. */
static bool ours_again(PyObject *exception, rm_error *err, int *rc)
{
    PyObject *class = rmi_python_of_process()->error, *arguments = NULL;
    const char *message = NULL, *hint = NULL;
    if (class == NULL || !Py_IS_TYPE(exception, (PyTypeObject *)class))
        return false;
    arguments = PyException_GetArgs(exception);
    const bool good = arguments != NULL && PyArg_ParseTuple(arguments, "sis", &message, rc, &hint) && *rc < 0;
    if (good) {
        (void)rm_error_set(err, *rc, "%s", message);
        if (hint[0] != '\0')
            rm_error_hint(err, "%s", hint);
    }
    PyErr_Clear();
    Py_XDECREF(arguments);
    return good;
}

/* ---- The message */

/* Removes " at 0x7f..." from a text: the address differs from run to run. */
static void drop_addresses(char *text)
{
    char *at = text;
    while ((at = strstr(at, " at 0x")) != NULL) {
        char *end = at + strlen(" at 0x");
        end += strspn(end, "0123456789abcdefABCDEF");
        memmove(at, end, strlen(end) + 1);
    }
}

/* The text with NULs and lone surrogates escaped as Python writes them. */
static PyObject *escaped(PyObject *text)
{
    PyObject *nul = PyUnicode_FromStringAndSize("", 1), *shown = PyUnicode_FromString("\\x00");
    PyObject *without = nul != NULL && shown != NULL ? PyUnicode_Replace(text, nul, shown, -1) : NULL;
    PyObject *bytes =
        without != NULL ? PyUnicode_AsEncodedString(without, "utf-8", "backslashreplace") : NULL;
    Py_XDECREF(without);
    Py_XDECREF(shown);
    Py_XDECREF(nul);
    return bytes;
}

PyObject *rmi_text_of(PyObject *object)
{
    PyObject *text = object != NULL ? PyObject_Str(object) : NULL;
    PyObject *bytes = text != NULL ? escaped(text) : NULL;
    PyErr_Clear();
    Py_XDECREF(text);
    return bytes;
}

/* As Python prints it: the class, with its module unless that is `builtins` or begins with "__", and the
 * message. */
static void set_message(PyObject *exception, rm_error *err)
{
    PyTypeObject *type = Py_TYPE(exception);
    PyObject *module = PyObject_GetAttrString((PyObject *)type, "__module__"),
             *name = PyType_GetQualName(type);
    PyObject *module_text = module != NULL && PyUnicode_Check(module) ? rmi_text_of(module) : NULL;
    PyObject *name_text = name != NULL ? rmi_text_of(name) : NULL, *says = NULL;
    if (PyErr_GivenExceptionMatches(exception, PyExc_SyntaxError))
        says = PyObject_GetAttrString(exception, "msg");
    PyErr_Clear();
    PyObject *text = rmi_text_of(says != NULL && says != Py_None ? says : exception);
    const char *prefix = module_text != NULL ? PyBytes_AS_STRING(module_text) : "builtins";
    const bool plain = strcmp(prefix, "builtins") == 0 || strncmp(prefix, "__", 2) == 0;
    const char *what = text != NULL ? PyBytes_AS_STRING(text) : "(its text could not be made)";
    (void)rm_error_set(err, RM_E_PYTHON, "%s%s%s%s%s", plain ? "" : prefix, plain ? "" : ".",
                       name_text != NULL ? PyBytes_AS_STRING(name_text) : rmi_name_of_type(type),
                       *what != '\0' ? ": " : "", what);
    drop_addresses(err->message);
    Py_XDECREF(text);
    Py_XDECREF(says);
    Py_XDECREF(name_text);
    Py_XDECREF(module_text);
    Py_XDECREF(name);
    Py_XDECREF(module);
}

/* ---- The traceback */

/* What follows the directory in the file's path; NULL: the file is elsewhere. */
static const char *within(PyObject *directory, const char *file)
{
    const char *folder = directory != NULL ? PyUnicode_AsUTF8(directory) : NULL;
    const size_t length = folder != NULL ? strlen(folder) : 0;
    return length > 0 && strncmp(file, folder, length) == 0 ? file + length : NULL;
}

bool rmi_is_users(const char *file)
{
    const rmi_python *python = rmi_python_of_process();
    const char *rest = within(python->library, file);
    if (strncmp(file, "<frozen ", 8) == 0 || within(python->package, file) != NULL)
        return false;
    return rest == NULL || strncmp(rest, "site-packages/", strlen("site-packages/")) == 0;
}

/* The line of source, without the space around it. */
static void put_line_text(rmi_builder *b, rm_value *map, PyObject *file, long line)
{
    PyObject *cache = PyImport_ImportModule("linecache");
    PyObject *text = cache != NULL ? PyObject_CallMethod(cache, "getline", "Ol", file, line) : NULL;
    PyObject *bare = text != NULL ? PyObject_CallMethod(text, "strip", NULL) : NULL, *bytes = NULL;
    if (bare != NULL && PyUnicode_GetLength(bare) > 0 && (bytes = rmi_text_of(bare)) != NULL)
        rmi_build_text(b, map, "text", PyBytes_AS_STRING(bytes));
    PyErr_Clear();
    Py_XDECREF(bytes);
    Py_XDECREF(bare);
    Py_XDECREF(text);
    Py_XDECREF(cache);
}

static void add_frame(rm_value *list, PyObject *file, long line, PyObject *function)
{
    rmi_builder b = rmi_builder_start(NULL, NULL);
    PyObject *given = rmi_paths_as_given(file), *file_text = rmi_text_of(given),
             *function_text = function != NULL ? rmi_text_of(function) : NULL;
    if (file_text != NULL) {
        rm_value map = rmi_build_map(&b);
        rmi_build_text(&b, &map, "file", PyBytes_AS_STRING(file_text));
        rmi_build_put(&b, &map, "line", rm_int(line));
        if (function_text != NULL)
            rmi_build_text(&b, &map, "function", PyBytes_AS_STRING(function_text));
        put_line_text(&b, &map, file, line);
        rmi_build_add(&b, list, map);
    }
    PyErr_Clear();
    Py_XDECREF(function_text);
    Py_XDECREF(file_text);
    Py_XDECREF(given);
}

/* Counts a frame of the user's, and adds it unless it is in the middle of a long traceback. */
static void add_users_frame(rm_value *list, PyObject *at, size_t *count, size_t all)
{
    PyObject *code = rmi_frame_code(rmi_traceback_frame(at));
    const char *file = PyUnicode_AsUTF8(rmi_code_file(code));
    PyErr_Clear();
    if (file != NULL && rmi_is_users(file)) {
        const size_t place = (*count)++;
        if (list != NULL && (place < SHOWN_FRAMES || place + SHOWN_FRAMES >= all)) {
            PyObject *line = PyObject_GetAttrString(at, "tb_lineno");
            add_frame(list, rmi_code_file(code), line != NULL ? PyLong_AsLong(line) : 0, rmi_code_name(code));
            Py_XDECREF(line);
            PyErr_Clear();
        }
    }
    Py_DECREF(code);
}

static size_t walk_frames(PyObject *traceback, rm_value *list, size_t all)
{
    size_t count = 0;
    for (PyObject *at = traceback; at != NULL; at = rmi_traceback_next(at))
        add_users_frame(list, at, &count, all);
    return count;
}

/* Code that does not compile has no frame; the exception has its place. */
static void add_syntax_place(rm_value *list, PyObject *exception)
{
    PyObject *file = PyObject_GetAttrString(exception, "filename");
    PyObject *line = PyObject_GetAttrString(exception, "lineno");
    const char *name = file != NULL && PyUnicode_Check(file) ? PyUnicode_AsUTF8(file) : NULL;
    PyErr_Clear();
    if (name != NULL && rmi_is_users(name) && line != NULL && PyLong_Check(line))
        add_frame(list, file, PyLong_AsLong(line), NULL);
    PyErr_Clear();
    Py_XDECREF(line);
    Py_XDECREF(file);
}

static rm_value traceback_of(PyObject *exception)
{
    PyObject *traceback = PyException_GetTraceback(exception);
    rm_value frames = rm_null();
    if (rm_list_new(NULL, 4, &frames, NULL) == RM_OK) {
        (void)walk_frames(traceback, &frames, walk_frames(traceback, NULL, 0));
        if (PyErr_GivenExceptionMatches(exception, PyExc_SyntaxError))
            add_syntax_place(&frames, exception);
        if (rm_list_length(frames) == 0)
            rm_value_clear(&frames);
    }
    Py_XDECREF(traceback);
    return frames;
}

/* The whole traceback, with chained exceptions, for a log. */
static rm_value detail_of(PyObject *exception)
{
    PyObject *module = PyImport_ImportModule("traceback"), *empty = PyUnicode_FromString("");
    PyObject *lines = module != NULL ? PyObject_CallMethod(module, "format_exception", "O", exception) : NULL;
    PyObject *text = lines != NULL && empty != NULL ? PyUnicode_Join(empty, lines) : NULL;
    PyObject *bytes = text != NULL ? rmi_text_of(text) : NULL;
    rm_value detail = rm_null();
    PyErr_Clear();
    if (bytes != NULL && rm_string_new(NULL, PyBytes_AS_STRING(bytes), (size_t)PyBytes_GET_SIZE(bytes),
                                       &detail, NULL) != RM_OK)
        detail = rm_null(); /* no memory for it */
    Py_XDECREF(bytes);
    Py_XDECREF(text);
    Py_XDECREF(lines);
    Py_XDECREF(empty);
    Py_XDECREF(module);
    return detail;
}

/* The exception itself, for a caller in Python. */
static rm_value exception_value(PyObject *exception)
{
    rm_value value = rm_null();
    if (rm_object_new(&rmi_box_allocator, &rmi_python_object.base, Py_NewRef(exception), &value, NULL) !=
        RM_OK)
        value = rm_null(); /* no memory for it */
    return value;
}

/* What input() and the debugger raise at the end of standard input. */
static bool wanted_input(PyObject *exception, const char *message)
{
    if (PyErr_GivenExceptionMatches(exception, PyExc_EOFError))
        return strstr(message, "EOF when reading a line") != NULL;
    return rmi_type_is_named(Py_TYPE(exception), "BdbQuit");
}

static void set_hint(PyObject *exception, rm_error *err)
{
    if (PyErr_GivenExceptionMatches(exception, PyExc_SystemExit))
        rm_error_hint(
            err, "sys.exit() and os._exit() in a node do not end the program; raise an exception, or return "
                 "None to drop the item");
    else if (wanted_input(exception, err->message))
        rm_error_hint(err,
                      "a node cannot read the program's standard input; its items come as arguments. At a "
                      "terminal, after sys.stdin = open('/dev/tty'), input() and breakpoint() ask there");
}

/* Looks into groups too: asyncio.TaskGroup wraps the exception, with other failures. */
static bool is_interrupted(PyObject *exception)
{
    PyObject *interrupted = rmi_python_of_process()->interrupted, *within = NULL;
    if (interrupted == NULL || PyErr_GivenExceptionMatches(exception, interrupted))
        return interrupted != NULL;
    if (PyErr_GivenExceptionMatches(exception, PyExc_BaseExceptionGroup))
        within = PyObject_CallMethod(exception, "subgroup", "O", interrupted);
    PyErr_Clear();
    const bool found = within != NULL && within != Py_None;
    Py_XDECREF(within);
    return found;
}

int rmi_python_failed(rm_node *node, rm_error *err)
{
    rmi_child_check();
    PyObject *exception = PyErr_GetRaisedException();
    const bool keeps = rmi_python_of_process()->keeps_exceptions;
    int rc = RM_E_PYTHON;
    if (exception == NULL)
        return rm_error_set(err, RM_E_INTERNAL, "a Python call failed without an exception");
    if (is_interrupted(exception)) {
        rc =
            node != NULL ? rm_node_cancel_error(node, err) : rm_error_set(err, RM_E_CANCELLED, "interrupted");
    } else if (!ours_again(exception, err, &rc) && err != NULL) {
        set_message(exception, err);
        err->no_memory = PyErr_GivenExceptionMatches(exception, PyExc_MemoryError) != 0;
        set_hint(exception, err);
        rmi_code_show(); /* the user may have cleared linecache */
        rmi_error_keep(err, traceback_of(exception),
                       keeps ? exception_value(exception) : detail_of(exception));
        if (keeps && PyErr_GivenExceptionMatches(exception, PyExc_KeyboardInterrupt))
            rc = err->code = RM_E_CANCELLED; /* it ends the run, whatever "on_error" says */
    }
    Py_DECREF(exception);
    return rc;
}
