/* Python's C API, the only place that knows its versions. What the package is compiled for has one of these:
 *   the whole API of 3.13 and newer: the program, and wheels for one version of Python
 *   the limited API of 3.12 (Py_LIMITED_API): one wheel for every version from 3.12 on
 *   the whole API of 3.12
 * Names of Python's own that one of them lacks are defined here, with the same meaning; functions with names of ours say
 * what the APIs say differently. With the whole API they are fields and macros of Python's. What is too long for a
 * header is in older_api.c and limited_api.c. References are as in python_host.h; "borrowed" results are held by the argument. */
#ifndef PYTHON_API_H
#define PYTHON_API_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#if defined(Py_LIMITED_API) || PY_VERSION_HEX < 0x030D0000
/* ---- What came with 3.13 */

int PyObject_GetOptionalAttr(PyObject *object, PyObject *name, PyObject **out);
int PyObject_GetOptionalAttrString(PyObject *object, const char *name, PyObject **out);
int PyDict_ContainsString(PyObject *dict, const char *key);
PyObject *PyType_GetFullyQualifiedName(PyTypeObject *type);
/* Two's complement in `size` bytes; returns how many are needed. */
Py_ssize_t PyLong_AsNativeBytes(PyObject *number, void *bytes, Py_ssize_t size, int flags);
PyObject *PyLong_FromNativeBytes(const void *bytes, size_t size, int flags);
enum { Py_ASNATIVEBYTES_LITTLE_ENDIAN = 1 };

/* `utf8` is ASCII. */
static inline int PyUnicode_EqualToUTF8(PyObject *text, const char *utf8)
{
    return PyUnicode_CompareWithASCIIString(text, utf8) == 0;
}
#endif

/* What sys.set_asyncgen_hooks sets for a thread; owned, NULL: none. */
typedef struct rmi_generator_hooks {
    PyObject *firstiter, *finalizer;
} rmi_generator_hooks;

#ifdef Py_LIMITED_API
/* ---- Types that have no name in the limited API */

typedef struct rmi_api {
    PyTypeObject *function, *method, *generator, *coroutine, *async_generator, *frame, *context,
        *ordered_dict;
    PyObject *get_objects, *get_referents, *current_frames, *compile, *get_hooks, *set_hooks;
    PyObject *type_names; /* {text: the same text}: texts that stay */
} rmi_api;
/* Members are owned, and stay. */
const rmi_api *rmi_api_of_process(void);

#define PyFunction_Check(object) Py_IS_TYPE(object, rmi_api_of_process()->function)
#define PyMethod_Check(object) Py_IS_TYPE(object, rmi_api_of_process()->method)
#define PyGen_CheckExact(object) Py_IS_TYPE(object, rmi_api_of_process()->generator)
#define PyCoro_CheckExact(object) Py_IS_TYPE(object, rmi_api_of_process()->coroutine)
#define PyAsyncGen_CheckExact(object) Py_IS_TYPE(object, rmi_api_of_process()->async_generator)
#define PyFrame_Check(object) Py_IS_TYPE(object, rmi_api_of_process()->frame)
#define PyContext_CheckExact(object) Py_IS_TYPE(object, rmi_api_of_process()->context)

/* Public functions that nothing in the limited API can replace; they have been the same since 3.7. rmi_api_load refuses an
 * interpreter without them. */
#define RMI_OF_CPYTHON __attribute__((weak, visibility("default")))
RMI_OF_CPYTHON PyObject *PyContext_CopyCurrent(void);
RMI_OF_CPYTHON PyObject *PyContext_Copy(PyObject *context);
RMI_OF_CPYTHON int PyContext_Enter(PyObject *context);
RMI_OF_CPYTHON int PyContext_Exit(PyObject *context);
RMI_OF_CPYTHON PyObject *PyContextVar_New(const char *name, PyObject *fallback);
RMI_OF_CPYTHON int PyContextVar_Get(PyObject *variable, PyObject *fallback, PyObject **value);
RMI_OF_CPYTHON PyObject *PyContextVar_Set(PyObject *variable, PyObject *value);
RMI_OF_CPYTHON int PyContextVar_Reset(PyObject *variable, PyObject *token);

/* ---- Functions in place of macros */

/* In 3.12 lengths of "#" are Py_ssize_t in these functions only. The stable ABI has them, newer headers do not. */
#ifndef PyArg_ParseTuple
int _PyArg_ParseTuple_SizeT(PyObject *arguments, const char *format, ...);
int _PyArg_ParseTupleAndKeywords_SizeT(PyObject *arguments, PyObject *keywords, const char *format,
                                       char *const *names, ...);
PyObject *_Py_BuildValue_SizeT(const char *format, ...);
PyObject *_PyObject_CallFunction_SizeT(PyObject *callable, const char *format, ...);
PyObject *_PyObject_CallMethod_SizeT(PyObject *object, const char *name, const char *format, ...);
#define PyArg_ParseTuple _PyArg_ParseTuple_SizeT
#define PyArg_ParseTupleAndKeywords _PyArg_ParseTupleAndKeywords_SizeT
#define Py_BuildValue _Py_BuildValue_SizeT
#define PyObject_CallFunction _PyObject_CallFunction_SizeT
#define PyObject_CallMethod _PyObject_CallMethod_SizeT
#endif

#define PyFloat_AS_DOUBLE PyFloat_AsDouble
#define PyTuple_GET_ITEM PyTuple_GetItem
#define PyTuple_GET_SIZE PyTuple_Size
#define PyTuple_SET_ITEM(tuple, i, item) ((void)PyTuple_SetItem(tuple, i, item))
#define PyList_GET_ITEM PyList_GetItem
#define PyList_GET_SIZE PyList_Size
#define PyList_SET_ITEM(list, i, item) ((void)PyList_SetItem(list, i, item))
#define PyDict_GET_SIZE PyDict_Size
#define PySet_GET_SIZE PySet_Size
#define PyBytes_AS_STRING PyBytes_AsString
#define PyBytes_GET_SIZE PyBytes_Size
#define PyByteArray_AS_STRING PyByteArray_AsString
#define PyByteArray_GET_SIZE PyByteArray_Size
#undef PySequence_Fast_GET_SIZE
#define PySequence_Fast_GET_SIZE PySequence_Size
#undef PySequence_Fast_GET_ITEM
#define PySequence_Fast_GET_ITEM(sequence, i) \
    (PyList_Check(sequence) ? PyList_GetItem(sequence, i) : PyTuple_GetItem(sequence, i))
#define PyUnicode_GET_LENGTH PyUnicode_GetLength
#define PyUnicode_READ_CHAR PyUnicode_ReadChar
#define PyUnicode_AsUTF8(text) PyUnicode_AsUTF8AndSize(text, NULL)
#define Py_UNICODE_IS_SURROGATE(letter) ((letter) >= 0xD800 && (letter) <= 0xDFFF)
#define Py_XSETREF(place, value)                 \
    do {                                         \
        PyObject *former_ = (PyObject *)(place); \
        (place) = (value);                       \
        Py_XDECREF(former_);                     \
    } while (0)
#define Py_SETREF Py_XSETREF

/* Of later versions the count's other bits are flags. */
static inline Py_ssize_t rmi_reference_count(PyObject *object)
{
    return (Py_ssize_t)(uint32_t)object->ob_refcnt;
}
#undef Py_REFCNT
#define Py_REFCNT(object) rmi_reference_count((PyObject *)(object))

static inline PyObject *PyObject_CallOneArg(PyObject *function, PyObject *argument)
{
    PyObject *arguments[2] = {NULL, argument};
    return PyObject_Vectorcall(function, arguments + 1, 1 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
}

static inline PyObject *PyObject_CallMethodNoArgs(PyObject *self, PyObject *name)
{
    return PyObject_VectorcallMethod(name, &self, 1 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
}

static inline PyObject *PyObject_CallMethodOneArg(PyObject *self, PyObject *name, PyObject *argument)
{
    PyObject *arguments[3] = {NULL, self, argument};
    return PyObject_VectorcallMethod(name, arguments + 1, 2 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
}

enum {
    CO_VARKEYWORDS = 0x8,
    CO_COROUTINE = 0x80,
    CO_ITERABLE_COROUTINE = 0x100,
    CO_ASYNC_GENERATOR = 0x200,
};

/* ---- What the whole API says with fields and macros: see below */

/* Gets the types. An exception says what the interpreter lacks. */
int rmi_api_load(void);
/* An attribute that the object itself holds, borrowed; NULL without an exception: it has none, or None. */
PyObject *rmi_held(PyObject *object, const char *name);
int rmi_held_number(PyObject *object, const char *name);

#define RMI_TYPE_SLOT(type, kind, slot) ((kind)PyType_GetSlot(type, Py_##slot))
#define RMI_ASYNC_SLOT(type, kind, slot) ((kind)PyType_GetSlot(type, Py_##slot))
PyObject *rmi_compile(const char *text, PyObject *file);
const char *rmi_name_of_type(PyTypeObject *type);
bool rmi_type_is_named(PyTypeObject *type, const char *name);
PyObject *rmi_type_member(PyTypeObject *type, PyObject *name);
PyObject *rmi_slot_after(PyTypeObject *type, Py_ssize_t *place);
PyObject *rmi_slot_get(PyObject *slot, PyObject *object);
int rmi_slot_set(PyObject *slot, PyObject *object, PyObject *value);
bool rmi_has_dict(PyTypeObject *type);
PyObject *rmi_module_of_type(PyTypeObject *type, PyModuleDef *definition);
bool rmi_view_is_read_only(PyObject *view);
bool rmi_view_is_shared(PyObject *view);
PyObject *rmi_frame_of(unsigned long thread);
int rmi_swap_generator_hooks(rmi_generator_hooks *hooks);
int rmi_ordered_set(PyObject *dict, PyObject *key, PyObject *value);
void rmi_each_object(int (*look)(PyObject *object, void *context), void *context);

static inline PyTypeObject *rmi_ordered_dict_type(void)
{
    return rmi_api_of_process()->ordered_dict;
}

/* Nothing says whether it is interned. */
static inline bool rmi_is_kept_text(PyObject *text)
{
    return PyUnicode_CheckExact(text);
}

static inline const char *rmi_ascii(PyObject *text, Py_ssize_t *length)
{
    const char *letters = PyUnicode_AsUTF8AndSize(text, length);
    if (letters == NULL)
        PyErr_Clear();
    return letters != NULL && PyUnicode_GetLength(text) == *length ? letters : NULL;
}

static inline bool rmi_compact_int(PyObject *number, int64_t *out)
{
    (void)number, (void)out;
    return false;
}

static inline vectorcallfunc rmi_vectorcall_of(PyObject *callable)
{
    (void)callable;
    return NULL;
}

/* Without the GIL there is no current thread, whose dict this is. */
static inline bool rmi_has_gil(void)
{
    return PyThreadState_GetDict() != NULL;
}

#define rmi_iterate_next PyIter_Next
#define rmi_in_main_interpreter() (PyInterpreterState_GetID(PyInterpreterState_Get()) == 0)
#define rmi_type_mro(type) rmi_held((PyObject *)(type), "__mro__")
#define rmi_view_source(view) rmi_held(view, "obj")
#define rmi_function_code(function) rmi_held(function, "__code__")
#define rmi_function_defaults(function) rmi_held(function, "__defaults__")
#define rmi_function_keyword_defaults(function) rmi_held(function, "__kwdefaults__")
#define rmi_function_annotations(function) rmi_held(function, "__annotations__")
#define rmi_method_function(method) rmi_held(method, "__func__")
#define rmi_method_self(method) rmi_held(method, "__self__")
#define rmi_generator_code(generator) PyObject_GetAttrString(generator, "gi_code")
#define rmi_frame_code(frame) ((PyObject *)PyFrame_GetCode((PyFrameObject *)(frame)))
#define rmi_code_flags(code) rmi_held_number(code, "co_flags")
#define rmi_code_arguments(code) rmi_held_number(code, "co_argcount")
#define rmi_code_keywords(code) rmi_held_number(code, "co_kwonlyargcount")
#define rmi_code_variables(code) PyObject_GetAttrString(code, "co_varnames")
#define rmi_code_file(code) rmi_held(code, "co_filename")
#define rmi_code_name(code) rmi_held(code, "co_name")
#define rmi_traceback_next(traceback) rmi_held(traceback, "tb_next")
#define rmi_traceback_frame(traceback) rmi_held(traceback, "tb_frame")

#else

/* Python's own compiler may not read a cookie: the text is Unicode whatever it says of its encoding. */
static inline PyObject *rmi_compile(const char *text, PyObject *file)
{
    PyCompilerFlags flags = {.cf_flags = PyCF_IGNORE_COOKIE, .cf_feature_version = PY_MINOR_VERSION};
    return Py_CompileStringObject(text, file, Py_file_input, &flags, 0);
}

static inline int rmi_api_load(void)
{
    return 0;
}

/* A slot of a type, and one for asynchronous code; NULL: the type does not have it. */
#define RMI_TYPE_SLOT(type, kind, slot) ((type)->slot)
#define RMI_ASYNC_SLOT(type, kind, slot) ((type)->tp_as_async != NULL ? (type)->tp_as_async->slot : NULL)

/* For messages: with the module where C code made the type. */
static inline const char *rmi_name_of_type(PyTypeObject *type)
{
    return type->tp_name;
}

/* Whether a type of C code has this module and name, or a class of Python code this name. */
static inline bool rmi_type_is_named(PyTypeObject *type, const char *name)
{
    return strcmp(type->tp_name, name) == 0;
}

/* The classes that the type derives from, a tuple, borrowed. */
static inline PyObject *rmi_type_mro(PyTypeObject *type)
{
    return type->tp_mro;
}

/* What the type itself has under a name; NULL without an exception: nothing. No code of the user's runs. */
static inline PyObject *rmi_type_member(PyTypeObject *type, PyObject *name)
{
    PyObject *members = PyType_GetDict(type);
    PyObject *found = members != NULL ? Py_XNewRef(PyDict_GetItemWithError(members, name)) : NULL;
    Py_XDECREF(members);
    return found;
}

/* The next of the slots that a class of Python code names, borrowed; NULL: there is no other. *place begins with 0. */
static inline PyObject *rmi_slot_after(PyTypeObject *type, Py_ssize_t *place)
{
    PyObject *members = PyType_GetDict(type), *value = NULL, *found = NULL;
    while (found == NULL && members != NULL && PyDict_Next(members, place, NULL, &value))
        if (Py_IS_TYPE(value, &PyMemberDescr_Type) && PyDescr_TYPE(value) == type)
            found = value;
    Py_XDECREF(members);
    return found;
}

/* An exception: it is empty. */
static inline PyObject *rmi_slot_get(PyObject *slot, PyObject *object)
{
    return PyMember_GetOne((char *)object, ((PyMemberDescrObject *)slot)->d_member);
}

static inline int rmi_slot_set(PyObject *slot, PyObject *object, PyObject *value)
{
    return PyMember_SetOne((char *)object, ((PyMemberDescrObject *)slot)->d_member, value);
}

/* Whether instances have a `__dict__`. */
static inline bool rmi_has_dict(PyTypeObject *type)
{
    return type->tp_dictoffset != 0 || PyType_HasFeature(type, Py_TPFLAGS_MANAGED_DICT);
}

/* The module of the definition that made the type, or a base of it; borrowed. */
static inline PyObject *rmi_module_of_type(PyTypeObject *type, PyModuleDef *definition)
{
    return PyType_GetModuleByDef(type, definition);
}

/* The object behind a memoryview, borrowed; NULL without an exception: there is none. */
static inline PyObject *rmi_view_source(PyObject *view)
{
    return PyMemoryView_GET_BUFFER(view)->obj;
}

static inline bool rmi_view_is_read_only(PyObject *view)
{
    return PyMemoryView_GET_BUFFER(view)->readonly;
}

/* Whether other views were made from it, or from what it was made from. */
static inline bool rmi_view_is_shared(PyObject *view)
{
    return ((PyMemoryViewObject *)view)->mbuf->exports > 1;
}

/* Exchanges the hooks of the calling thread for others. */
static inline int rmi_swap_generator_hooks(rmi_generator_hooks *hooks)
{
    PyThreadState *here = PyThreadState_Get();
    const rmi_generator_hooks former = {here->async_gen_firstiter, here->async_gen_finalizer};
    here->async_gen_firstiter = hooks->firstiter;
    here->async_gen_finalizer = hooks->finalizer;
    *hooks = former;
    return 0;
}

/* The frame that a thread runs; NULL: not in Python code. */
static inline PyObject *rmi_frame_of(unsigned long thread)
{
    PyThreadState *at = PyInterpreterState_ThreadHead(PyInterpreterState_Get());
    while (at != NULL && at->thread_id != thread)
        at = PyThreadState_Next(at);
    return at != NULL ? (PyObject *)PyThreadState_GetFrame(at) : NULL;
}

/* OrderedDict: as its own code does it, not that of a class derived from it. */
static inline PyTypeObject *rmi_ordered_dict_type(void)
{
    return &PyODict_Type;
}

static inline int rmi_ordered_set(PyObject *dict, PyObject *key, PyObject *value)
{
    return PyODict_SetItem(dict, key, value);
}

/* Calls `look` with every object that can be in a cycle, until it returns 0. */
static inline void rmi_each_object(int (*look)(PyObject *object, void *context), void *context)
{
    PyUnstable_GC_VisitObjects(look, context);
}

/* Whether a str is worth to be known by its address. */
static inline bool rmi_is_kept_text(PyObject *text)
{
    return PyUnicode_CHECK_INTERNED(text);
}

/* The letters of an ASCII str; NULL for another one. */
static inline const char *rmi_ascii(PyObject *text, Py_ssize_t *length)
{
    *length = PyUnicode_GET_LENGTH(text);
    return PyUnicode_IS_ASCII(text) ? (const char *)PyUnicode_1BYTE_DATA(text) : NULL;
}

/* false: it is another int. */
static inline bool rmi_compact_int(PyObject *number, int64_t *out)
{
    if (!PyUnstable_Long_IsCompact((PyLongObject *)number))
        return false;
    *out = PyUnstable_Long_CompactValue((PyLongObject *)number);
    return true;
}

/* The quickest way to call a callable; NULL: PyObject_Vectorcall. */
static inline vectorcallfunc rmi_vectorcall_of(PyObject *callable)
{
    return PyVectorcall_Function(callable);
}

/* Whether this thread has the GIL. Cheaper than PyGILState_Check, which looks up the thread's state by its key. */
static inline bool rmi_has_gil(void)
{
#if PY_VERSION_HEX < 0x030D0000
    return _PyThreadState_UncheckedGet() != NULL;
#else
    return PyThreadState_GetUnchecked() != NULL;
#endif
}

/* tp_iternext. */
static inline PyObject *rmi_iterate_next(PyObject *iterator)
{
    return Py_TYPE(iterator)->tp_iternext(iterator);
}

static inline bool rmi_in_main_interpreter(void)
{
    return PyInterpreterState_Get() == PyInterpreterState_Main();
}

/* Parts of functions, methods, code and tracebacks; borrowed, but for those of code that a frame or generator gives. */
#define rmi_function_code PyFunction_GET_CODE
#define rmi_function_defaults PyFunction_GET_DEFAULTS
#define rmi_function_keyword_defaults PyFunction_GET_KW_DEFAULTS
#define rmi_function_annotations PyFunction_GetAnnotations
#define rmi_method_function PyMethod_GET_FUNCTION
#define rmi_method_self PyMethod_GET_SELF
#define rmi_generator_code(generator) ((PyObject *)PyGen_GetCode((PyGenObject *)(generator)))
#define rmi_frame_code(frame) ((PyObject *)PyFrame_GetCode((PyFrameObject *)(frame)))
#define rmi_code_flags(code) (((PyCodeObject *)(code))->co_flags)
#define rmi_code_arguments(code) (((PyCodeObject *)(code))->co_argcount)
#define rmi_code_keywords(code) (((PyCodeObject *)(code))->co_kwonlyargcount)
#define rmi_code_variables(code) PyCode_GetVarnames((PyCodeObject *)(code))
#define rmi_code_file(code) (((PyCodeObject *)(code))->co_filename)
#define rmi_code_name(code) (((PyCodeObject *)(code))->co_name)
#define rmi_traceback_next(traceback) ((PyObject *)((PyTracebackObject *)(traceback))->tb_next)
#define rmi_traceback_frame(traceback) ((PyObject *)((PyTracebackObject *)(traceback))->tb_frame)
#endif

/* Makes an int that nobody else holds (NULL: there is none) another one: an item then costs no allocation. false: it
 * cannot. Sign and digits are laid out as in longintrepr.h of these versions. */
#if !defined(Py_LIMITED_API) && !defined(Py_GIL_DISABLED) && \
    (PY_VERSION_HEX >> 16 == 0x030D || PY_VERSION_HEX >> 16 == 0x030E)
enum { RMI_REUSES_INTS = 1 };
static inline bool rmi_reuse_int(PyObject *spare, int64_t i)
{
    enum { POSITIVE = 1 << 3, NEGATIVE = POSITIVE | 2, SMALLEST = -5, LARGEST = 256 };
    const int64_t limit = (int64_t)1 << PyLong_SHIFT;
    if (spare == NULL || i <= -limit || i >= limit || (i >= SMALLEST && i <= LARGEST))
        return false;
    _PyLongValue *value = &((PyLongObject *)spare)->long_value;
    value->lv_tag = i < 0 ? NEGATIVE : POSITIVE;
    value->ob_digit[0] = (digit)(i < 0 ? -i : i);
    return true;
}
#else
enum { RMI_REUSES_INTS = 0 };
static inline bool rmi_reuse_int(PyObject *spare, int64_t i)
{
    (void)spare, (void)i;
    return false;
}
#endif

/* Says that a module uses the GIL. Without a word of it, Python assumes the same. */
#if !defined(Py_LIMITED_API) && PY_VERSION_HEX >= 0x030D0000
#define RMI_GIL_SLOT {Py_mod_gil, Py_MOD_GIL_USED}
#else
#define RMI_GIL_SLOT {0, NULL} /* the end of the slots */
#endif

/* Makes an object of a type of ours, which has no allocator of its own. */
static inline PyObject *rmi_object_alloc(PyTypeObject *type, Py_ssize_t items)
{
    return RMI_TYPE_SLOT(type, allocfunc, tp_alloc)(type, items);
}

/* The end of its deallocator. */
static inline void rmi_object_free(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    RMI_TYPE_SLOT(type, freefunc, tp_free)(object);
    Py_DECREF(type);
}

#endif
