/* Converts Python objects to plain values, without loss or not at all. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "data/keys.h"
#include "data/wire/wire.h"
#include "data/value.h"
#include "python/arrays/array.h"
#include "python/convert/convert.h"
#include "python/arrays/tensor_type.h"
#include "python/convert/object_walk.h"

static int convert(rmi_walk *w, PyObject *object, rm_value *out);

/* ---- Scalars */

static int integer(rmi_walk *w, PyObject *object, rm_value *out)
{
    uint8_t small[256];
    int overflow = 0;
    const long long i = PyLong_AsLongLongAndOverflow(object, &overflow);
    if (overflow == 0) {
        *out = rm_int(i);
        return RM_OK;
    }
    const Py_ssize_t size = PyLong_AsNativeBytes(object, NULL, 0, Py_ASNATIVEBYTES_LITTLE_ENDIAN);
    uint8_t *room = small;
    if (size < 0)
        return rmi_python_failed(NULL, w->err);
    if ((size_t)size > sizeof small && (room = rmi_alloc(w->allocator, (size_t)size)) == NULL)
        return rmi_out_of_memory(w->err);
    (void)PyLong_AsNativeBytes(object, room, size, Py_ASNATIVEBYTES_LITTLE_ENDIAN);
    const int rc = rm_integer_from_bytes(w->allocator, room, (size_t)size, out, w->err);
    if (room != small)
        rmi_free(w->allocator, room, (size_t)size);
    return rc;
}

static int bad_text(PyObject *object, rm_error *err)
{
    Py_ssize_t place = 0;
    const Py_ssize_t length = PyUnicode_GET_LENGTH(object);
    PyErr_Clear();
    while (place < length && !Py_UNICODE_IS_SURROGATE(PyUnicode_READ_CHAR(object, place)))
        place++;
    if (place == length)
        return rmi_out_of_memory(err);
    (void)rm_error_set(err, RM_E_UNSUPPORTED, "a Python str has the lone surrogate U+%04X at index %zd",
                       (unsigned)PyUnicode_READ_CHAR(object, place), place);
    rm_error_hint(err, "x.encode('utf-8', 'replace').decode() replaces it by '?'");
    return RM_E_UNSUPPORTED;
}

int rmi_utf8(PyObject *text, const char **utf8, size_t *length, rm_error *err)
{
    Py_ssize_t bytes = 0;
    *utf8 = PyUnicode_AsUTF8AndSize(text, &bytes);
    *length = (size_t)bytes;
    return *utf8 != NULL ? RM_OK : bad_text(text, err);
}

static int string(const rm_allocator *allocator, PyObject *object, rm_value *out, rm_error *err)
{
    const char *text = NULL;
    size_t length = 0;
    const int rc = rmi_utf8(object, &text, &length, err);
    return rc == RM_OK ? rmi_string_new_unchecked(allocator, text, length, out, err) : rc;
}

/* ---- Containers */

int rmi_walk_enter(rmi_walk *w, PyObject *object)
{
    for (size_t i = 0; i < w->depth; i++)
        if (w->path[i] == object)
            return rm_error_set(w->err, RM_E_CIRCULAR, "circular reference: a Python %s holds itself",
                                rmi_name_of_type(Py_TYPE(object)));
    if (w->depth == RMI_PYTHON_DEPTH)
        return rm_error_set(w->err, RM_E_LIMIT, "Python objects nested deeper than %d levels",
                            RMI_PYTHON_DEPTH);
    w->path[w->depth++] = object;
    return RM_OK;
}

static int sequence(rmi_walk *w, PyObject *object, rm_value *out)
{
    const bool is_list = PyList_Check(object);
    const Py_ssize_t length = Py_SIZE(object);
    rm_value result = rm_null(), item = rm_null();
    int rc = rmi_walk_enter(w, object);
    if (rc != RM_OK)
        return rc;
    rc = rm_list_new(w->allocator, (size_t)length, &result, w->err);
    for (Py_ssize_t i = 0; rc == RM_OK && i < Py_SIZE(object); i++) {
        PyObject *element = Py_NewRef(is_list ? PyList_GET_ITEM(object, i) : PyTuple_GET_ITEM(object, i));
        rc = convert(w, element, &item);
        Py_DECREF(element);
        if (rc == RM_OK)
            rc = rm_list_append(&result, rm_value_move(&item), w->err);
    }
    w->depth--;
    if (rc == RM_OK)
        *out = rm_value_move(&result);
    rm_value_clear(&result);
    return rc;
}

/* The text of a key that is no string. */
static int other_key(rmi_walk *w, PyObject *key, rm_value *out)
{
    const bool is_plain = key == Py_None || PyLong_Check(key) || PyFloat_Check(key);
    PyObject *plain = is_plain ? Py_NewRef(key) : rmi_array_number(key);
    rm_value value = rm_null();
    if (plain == NULL)
        return PyErr_Occurred() ? rmi_python_failed(NULL, w->err)
                                : rmi_unsupported_key(rmi_name_of_type(Py_TYPE(key)), w->err);
    int rc = convert(w, plain, &value);
    if (rc == RM_OK)
        rc = rmi_key_of(w->allocator, value, out, w->err);
    rm_value_clear(&value);
    Py_DECREF(plain);
    return rc;
}

/* The text of a key; the same few come again and again. */
static int key_value(rmi_walk *w, PyObject *key, rm_value *out)
{
    if (!PyUnicode_Check(key))
        return other_key(w, key, out);
    if (!rmi_is_kept_text(key) || PyUnicode_GET_LENGTH(key) > RMI_LONGEST_KEPT_KEY)
        return string(w->allocator, key, out, w->err);
    rmi_python *python = rmi_python_of_process();
    const size_t place = ((uintptr_t)key >> 4) % RMI_PYTHON_KEYS;
    if (python->texts[place].key != key) {
        rm_value text = rm_null();
        const int rc = string(NULL, key, &text, w->err); /* the kept text outlives the runtime */
        if (rc != RM_OK)
            return rc;
        Py_XSETREF(python->texts[place].key, Py_NewRef(key));
        rm_value_clear(&python->texts[place].text);
        python->texts[place].text = text;
    }
    *out = rm_value_retain(python->texts[place].text);
    return RM_OK;
}

/* A dict while its entries are converted. */
typedef struct entries {
    PyObject *dict, *pairs; /* borrowed; pairs: NULL, or what its items() gave */
    bool only_text;         /* all keys so far are strings, so that no two have the same text */
    rm_value map;
} entries;

/* The key (new reference) at `place`, which the caller begins with 0; NULL: there is no other. */
static PyObject *next_key(const entries *e, Py_ssize_t *place)
{
    PyObject *key = NULL;
    if (e->pairs == NULL)
        return PyDict_Next(e->dict, place, &key, NULL) ? Py_NewRef(key) : NULL;
    PyObject *pair = *place < PyList_GET_SIZE(e->pairs) ? PyList_GET_ITEM(e->pairs, (*place)++) : NULL;
    return pair != NULL && PyTuple_Check(pair) ? Py_NewRef(PyTuple_GET_ITEM(pair, 0)) : NULL;
}

/* The first key (new reference) with this text; NULL: the dict has changed. */
static PyObject *first_with(rmi_walk *w, const entries *e, rm_value text)
{
    PyObject *key = NULL;
    Py_ssize_t place = 0;
    rm_value other = rm_null();
    while ((key = next_key(e, &place)) != NULL) {
        const bool same = key_value(w, key, &other) == RM_OK && rm_value_equal(text, other);
        rm_value_clear(&other);
        if (same)
            break;
        Py_DECREF(key);
    }
    return key;
}

/* A key as Python writes it, whatever its class does; the beginning, as bytes. */
static PyObject *shown(PyObject *key)
{
    enum { SHOWN = 60 };
    PyObject *number = rmi_array_number(key), *plain = number != NULL ? number : key, *whole = NULL;
    if (PyUnicode_Check(plain))
        whole = RMI_TYPE_SLOT(&PyUnicode_Type, reprfunc, tp_repr)(plain);
    else if (PyLong_Check(plain) && !PyBool_Check(plain))
        whole = RMI_TYPE_SLOT(&PyLong_Type, reprfunc, tp_repr)(plain);
    else
        whole = PyFloat_Check(plain) ? RMI_TYPE_SLOT(&PyFloat_Type, reprfunc, tp_repr)(plain)
                                     : PyObject_Repr(plain);
    PyObject *start = whole != NULL ? PyUnicode_Substring(whole, 0, SHOWN) : NULL;
    PyObject *bytes = start != NULL ? rmi_text_of(start) : NULL;
    PyErr_Clear();
    Py_XDECREF(start);
    Py_XDECREF(whole);
    Py_XDECREF(number);
    return bytes;
}

int rmi_walk_same_text(rmi_walk *w, PyObject *one, PyObject *other, PyObject *dict)
{
    PyObject *names[2] = {shown(one), shown(other)};
    const int rc = rmi_same_text(names[0] != NULL ? PyBytes_AS_STRING(names[0]) : "?",
                                 names[1] != NULL ? PyBytes_AS_STRING(names[1]) : "?",
                                 rmi_name_of_type(Py_TYPE(dict)), w->err);
    Py_XDECREF(names[0]);
    Py_XDECREF(names[1]);
    return rc;
}

static int same_text(rmi_walk *w, const entries *e, PyObject *key, rm_value text)
{
    PyObject *first = first_with(w, e, text);
    const int rc = rmi_walk_same_text(w, first != NULL ? first : key, key, e->dict);
    Py_XDECREF(first);
    return rc;
}

static bool has_key(rm_value map, rm_value key)
{
    size_t length = 0;
    const char *text = rm_string_text(key, &length);
    return rm_map_get(map, text, length, NULL);
}

/* Adds an entry. Nothing may get lost where two keys have the same text. */
static int entry(rmi_walk *w, entries *e, PyObject *key, PyObject *item)
{
    rm_value value = rm_null(), text = rm_null();
    int rc = key_value(w, key, &text);
    e->only_text = e->only_text && PyUnicode_CheckExact(key);
    if (rc == RM_OK && !e->only_text && has_key(e->map, text))
        rc = same_text(w, e, key, text);
    if (rc == RM_OK)
        rc = convert(w, item, &value);
    if (rc == RM_OK)
        return rmi_map_add(&e->map, text, value, w->err);
    rm_value_clear(&text);
    return rc;
}

static int exact_dict(rmi_walk *w, entries *e)
{
    PyObject *key = NULL, *item = NULL;
    Py_ssize_t place = 0;
    int rc = RM_OK;
    while (rc == RM_OK && PyDict_Next(e->dict, &place, &key, &item)) {
        Py_INCREF(key);
        Py_INCREF(item);
        rc = entry(w, e, key, item);
        Py_DECREF(key);
        Py_DECREF(item);
    }
    return rc;
}

/* `items` of a subclass decides its content and order. */
static int other_dict(rmi_walk *w, entries *e)
{
    int rc = RM_OK;
    e->pairs = PyMapping_Items(e->dict);
    e->only_text = false; /* items() may give a key twice */
    if (e->pairs == NULL)
        return rmi_python_failed(NULL, w->err);
    for (Py_ssize_t i = 0; rc == RM_OK && i < PyList_GET_SIZE(e->pairs); i++) {
        PyObject *pair = PyList_GET_ITEM(e->pairs, i);
        if (!PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2)
            rc = rm_error_set(w->err, RM_E_UNSUPPORTED, "items() of a '%s' gives no pairs",
                              rmi_name_of_type(Py_TYPE(e->dict)));
        else
            rc = entry(w, e, PyTuple_GET_ITEM(pair, 0), PyTuple_GET_ITEM(pair, 1));
    }
    Py_DECREF(e->pairs);
    return rc;
}

static int mapping(rmi_walk *w, PyObject *object, rm_value *out)
{
    entries e = {.dict = object, .only_text = true, .map = rm_null()};
    int rc = rmi_walk_enter(w, object);
    if (rc != RM_OK)
        return rc;
    rc = rm_map_new(w->allocator, (size_t)PyDict_GET_SIZE(object), &e.map, w->err);
    if (rc == RM_OK)
        rc = PyDict_CheckExact(object) ? exact_dict(w, &e) : other_dict(w, &e);
    w->depth--;
    if (rc == RM_OK)
        *out = rm_value_move(&e.map);
    rm_value_clear(&e.map);
    return rc;
}

/* Arrays, and numpy's numbers; no other kind has a plain form. */
static int other(rmi_walk *w, PyObject *object, rm_value *out)
{
    if (rmi_array_like(object))
        return rmi_array_to_value(w->allocator, object, w->depth == 0 ? 1 : 2, out,
                                  w->err); /* references: the container's and ours */
    PyObject *number = rmi_array_number(object);
    if (number == NULL)
        return PyErr_Occurred() ? rmi_python_failed(NULL, w->err) : rmi_unsupported(object, w->err);
    const int rc = rmi_scalar(number, out) ? RM_OK : integer(w, number, out);
    Py_DECREF(number);
    return rc;
}

static int convert(rmi_walk *w, PyObject *object, rm_value *out)
{
    *out = rm_null();
    if (rmi_scalar(object, out))
        return RM_OK;
    if (PyUnicode_Check(object))
        return string(w->allocator, object, out, w->err);
    if (PyDict_Check(object))
        return mapping(w, object, out);
    if (PyList_Check(object) || PyTuple_Check(object))
        return sequence(w, object, out);
    if (PyLong_Check(object))
        return integer(w, object, out);
    if (PyFloat_Check(object)) {
        *out = rm_float(PyFloat_AS_DOUBLE(object));
        return RM_OK;
    }
    if (PyBytes_Check(object))
        return rm_bytes_new(w->allocator, PyBytes_AS_STRING(object), (size_t)PyBytes_GET_SIZE(object), out,
                            w->err);
    if (PyByteArray_Check(object))
        return rm_bytes_new(w->allocator, PyByteArray_AS_STRING(object), (size_t)PyByteArray_GET_SIZE(object),
                            out, w->err);
    if (rmi_tensor_check(object))
        return rmi_tensor_take(object, PY_SSIZE_T_MAX, out, w->err);
    return other(w, object, out);
}

int rmi_to_plain(const rm_allocator *allocator, PyObject *object, rm_value *out, rm_error *err)
{
    rmi_walk w;
    w.allocator = allocator;
    w.err = err;
    w.depth = 0;
    return convert(&w, object, out);
}
