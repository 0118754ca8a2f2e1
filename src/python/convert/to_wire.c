/* Converts Python objects to bytes (data/wire/wire.h) without values between. Kinds are as in to_value.c, but
 * tuples, sets, bytearrays, arrays and keys that are no strings keep their types. */
#include <string.h>

#include "base/alloc.h"
#include "data/integer.h"
#include "python/arrays/array.h"
#include "python/convert/convert.h"
#include "python/arrays/tensor_type.h"
#include "python/convert/object_walk.h"

typedef struct packing {
    rmi_wire_writer *packer;
    rmi_walk walk;
} packing;

static int pack(packing *p, PyObject *object);

/* ---- Scalars */

static int integer(packing *p, PyObject *object)
{
    enum { SURELY_FITS = 1785 }; /* bytes: less than 4,300 digits */
    uint8_t bytes[SURELY_FITS];
    rm_value value = rm_null();
    int overflow = 0;
    const long long i = PyLong_AsLongLongAndOverflow(object, &overflow);
    if (overflow == 0)
        return rmi_wire_write(p->packer, rm_int(i), p->walk.err);
    const Py_ssize_t size = PyLong_AsNativeBytes(object, bytes, sizeof bytes, Py_ASNATIVEBYTES_LITTLE_ENDIAN);
    if (size < 0)
        return rmi_python_failed(NULL, p->walk.err);
    if (size <= SURELY_FITS)
        return rmi_wire_write_bytes(p->packer, RMI_WIRE_BIGINT, bytes, (size_t)size, p->walk.err);
    if (size > SURELY_FITS + 8)
        return rmi_integer_too_long(p->walk.err);
    int rc = rmi_to_plain(p->walk.allocator, object, &value, p->walk.err);
    if (rc == RM_OK)
        rc = rmi_wire_write(p->packer, value, p->walk.err); /* the writer checks the number of digits */
    rm_value_clear(&value);
    return rc;
}

static int string(packing *p, PyObject *object)
{
    const char *text = NULL;
    size_t length = 0;
    const int rc = rmi_utf8(object, &text, &length, p->walk.err);
    return rc == RM_OK ? rmi_wire_write_bytes(p->packer, RMI_WIRE_STRING, text, length, p->walk.err) : rc;
}

static int bytes(packing *p, uint8_t tag, const char *data, Py_ssize_t length)
{
    return rmi_wire_write_bytes(p->packer, tag, data, (size_t)length, p->walk.err);
}

/* ---- Containers */

/* Enters a container and writes its head; *at: the offset of its count. */
static int begin(packing *p, PyObject *object, uint8_t tag, Py_ssize_t count, size_t *at)
{
    const int rc = rmi_walk_enter(&p->walk, object);
    *at = p->packer->length + 1;
    return rc == RM_OK ? rmi_wire_write_head(p->packer, tag, (size_t)count, p->walk.err) : rc;
}

/* Leaves a container and writes the count of packed elements: code of the user's may have changed the
 * container meanwhile. */
static void end(packing *p, size_t at, Py_ssize_t count)
{
    rmi_wire_set_u32(p->packer, at, (uint32_t)count);
    p->walk.depth--;
}

static int sequence(packing *p, PyObject *object)
{
    const bool is_list = PyList_Check(object);
    Py_ssize_t i = 0;
    size_t at = 0;
    int rc = begin(p, object, is_list ? RMI_WIRE_LIST : RMI_WIRE_TUPLE, Py_SIZE(object), &at);
    for (; rc == RM_OK && i < Py_SIZE(object); i++) {
        PyObject *element = Py_NewRef(is_list ? PyList_GET_ITEM(object, i) : PyTuple_GET_ITEM(object, i));
        rc = pack(p, element);
        Py_DECREF(element);
    }
    if (rc == RM_OK)
        end(p, at, i);
    return rc;
}

/* Packs a key, or an element of a set. Refuses instances of a user's class that adds a hash to a list, dict
 * or the like. */
static int hashed(packing *p, PyObject *object)
{
    if (PyList_Check(object) || PyDict_Check(object) || PySet_Check(object) || PyByteArray_Check(object) ||
        rmi_array_check(object))
        return rmi_unsupported(object, p->walk.err);
    return pack(p, object);
}

/* Iterates as `set` does, whatever the object's class does. */
static int set(packing *p, PyObject *object)
{
    PyObject *iterator = RMI_TYPE_SLOT(&PySet_Type, getiterfunc, tp_iter)(object), *element = NULL;
    const uint8_t tag = PyFrozenSet_Check(object) ? RMI_WIRE_FROZENSET : RMI_WIRE_SET;
    Py_ssize_t count = 0;
    size_t at = 0;
    if (iterator == NULL)
        return rmi_python_failed(NULL, p->walk.err);
    int rc = begin(p, object, tag, PySet_GET_SIZE(object), &at);
    for (; rc == RM_OK && (element = PyIter_Next(iterator)) != NULL; count++) {
        rc = hashed(p, element);
        Py_DECREF(element);
    }
    Py_DECREF(iterator);
    if (rc == RM_OK && PyErr_Occurred())
        rc = rmi_python_failed(NULL, p->walk.err);
    if (rc == RM_OK)
        end(p, at, count);
    return rc;
}

static bool has_text_keys(PyObject *dict)
{
    PyObject *key = NULL;
    Py_ssize_t place = 0;
    while (PyDict_Next(dict, &place, &key, NULL))
        if (!PyUnicode_CheckExact(key))
            return false;
    return true;
}

static int text_key(packing *p, PyObject *key)
{
    const char *text = NULL;
    size_t length = 0;
    if (!PyUnicode_CheckExact(key))
        return rm_error_set(p->walk.err, RM_E_VALUE, "a dict was changed while it was packed");
    const int rc = rmi_utf8(key, &text, &length, p->walk.err);
    if (rc != RM_OK)
        return rc;
    if (length > UINT32_MAX)
        return rm_error_set(p->walk.err, RM_E_LIMIT, "a key of %zu bytes", length);
    rmi_wire_put_u32(p->packer, (uint32_t)length);
    rmi_wire_put(p->packer, text, length);
    return RM_OK;
}

/* Packs the content of a dict as that of `owner`. */
static int dict(packing *p, PyObject *object, PyObject *owner)
{
    const bool is_map = has_text_keys(object);
    PyObject *key = NULL, *item = NULL;
    Py_ssize_t place = 0, count = 0;
    size_t at = 0;
    int rc = begin(p, owner, is_map ? RMI_WIRE_MAP : RMI_WIRE_DICT, PyDict_GET_SIZE(object), &at);
    for (; rc == RM_OK && PyDict_Next(object, &place, &key, &item); count++) {
        Py_INCREF(key);
        Py_INCREF(item);
        rc = is_map ? text_key(p, key) : hashed(p, key);
        if (rc == RM_OK)
            rc = pack(p, item);
        Py_DECREF(item);
        Py_DECREF(key);
    }
    if (rc == RM_OK)
        end(p, at, count);
    return rc;
}

/* `items` of a subclass decides its content and order. */
static int other_dict(packing *p, PyObject *object)
{
    PyObject *items = PyMapping_Items(object);
    if (items == NULL)
        return rmi_python_failed(NULL, p->walk.err);
    PyObject *same = PyDict_New();
    int rc = same == NULL ? rmi_python_failed(NULL, p->walk.err) : RM_OK;
    for (Py_ssize_t i = 0; rc == RM_OK && i < PyList_GET_SIZE(items); i++) {
        PyObject *pair = PyList_GET_ITEM(items, i);
        if (!PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2)
            rc = rm_error_set(p->walk.err, RM_E_UNSUPPORTED, "items() of a '%s' gives no pairs",
                              rmi_name_of_type(Py_TYPE(object)));
        else if (PyDict_SetItem(same, PyTuple_GET_ITEM(pair, 0), PyTuple_GET_ITEM(pair, 1)) != 0)
            rc = rmi_python_failed(NULL, p->walk.err);
        else if (PyDict_GET_SIZE(same) != i + 1)
            rc = rmi_walk_same_text(&p->walk, PyTuple_GET_ITEM(pair, 0), PyTuple_GET_ITEM(pair, 0), object);
    }
    if (rc == RM_OK)
        rc = dict(p, same, object);
    Py_XDECREF(same);
    Py_DECREF(items);
    return rc;
}

/* ---- Arrays, and numpy's numbers; no other kind can cross */

/* The bits of a longdouble mean another number inside WebAssembly than on most machines. */
static int pack_tensor(packing *p, const rm_tensor *view, uint8_t flags)
{
    static const char *const letters[] = {"<f16\"", ">f16\"", "<c32\"", ">c32\""};
    for (size_t i = 0; view->dtype == RM_OPAQUE && i < sizeof letters / sizeof *letters; i++)
        if (strstr(view->description, letters[i]) != NULL) {
            (void)rm_error_set(p->walk.err, RM_E_UNSUPPORTED,
                               "elements of dtype longdouble cannot go into or out of a sandbox");
            rm_error_hint(p->walk.err,
                          "x.astype('float64') makes an array that can, x.astype('complex128') one of "
                          "complex numbers");
            return RM_E_UNSUPPORTED;
        }
    return rmi_wire_write_tensor(p->packer, view, flags, p->walk.err);
}

static int array(packing *p, PyObject *object)
{
    rm_value tensor = rm_null();
    int rc = rmi_array_to_value(p->walk.allocator, object, PY_SSIZE_T_MAX, &tensor, p->walk.err);
    const rm_tensor view = rm_tensor_view(tensor);
    if (rc == RM_OK)
        rc = pack_tensor(p, &view, rmi_array_check(object) ? RMI_WIRE_ARRAY : 0);
    rm_value_clear(&tensor);
    return rc;
}

static int other(packing *p, PyObject *object)
{
    if (rmi_tensor_check(object)) {
        const rm_tensor view = rm_tensor_view(rmi_tensor_value(object));
        return pack_tensor(p, &view, 0);
    }
    if (rmi_array_like(object))
        return array(p, object);
    PyObject *number = rmi_array_number(object);
    if (number == NULL)
        return PyErr_Occurred() ? rmi_python_failed(NULL, p->walk.err) : rmi_unsupported(object, p->walk.err);
    const int rc = pack(p, number);
    Py_DECREF(number);
    return rc;
}

static int pack(packing *p, PyObject *object)
{
    rm_value value;
    if (rmi_scalar(object, &value))
        return rmi_wire_write(p->packer, value, p->walk.err);
    if (PyUnicode_Check(object))
        return string(p, object);
    if (PyDict_Check(object))
        return PyDict_CheckExact(object) ? dict(p, object, object) : other_dict(p, object);
    if (PyList_Check(object) || PyTuple_Check(object))
        return sequence(p, object);
    if (PyLong_Check(object))
        return integer(p, object);
    if (PyFloat_Check(object))
        return rmi_wire_write(p->packer, rm_float(PyFloat_AS_DOUBLE(object)), p->walk.err);
    if (PyBytes_Check(object))
        return bytes(p, RMI_WIRE_BYTES, PyBytes_AS_STRING(object), PyBytes_GET_SIZE(object));
    if (PyByteArray_Check(object))
        return bytes(p, RMI_WIRE_BYTEARRAY, PyByteArray_AS_STRING(object), PyByteArray_GET_SIZE(object));
    return PyAnySet_Check(object) ? set(p, object) : other(p, object);
}

int rmi_wire_write_python(rmi_wire_writer *packer, PyObject *object, unsigned depth, rm_error *err)
{
    packing p;
    p.packer = packer;
    p.walk.allocator = packer->allocator;
    p.walk.err = err;
    p.walk.depth = 0;
    while (p.walk.depth < depth) /* containers of the runtime around it: no object can be one of these */
        p.walk.path[p.walk.depth++] = NULL;
    const int rc = pack(&p, object);
    return rc == RM_OK && packer->failed ? rmi_out_of_memory(err) : rc;
}
