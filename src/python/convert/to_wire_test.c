/* Python's objects to bytes and back: types and content stay the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <cmocka.h>

#include "data/value.h"
#include "python/convert/convert.h"
#include "python/python_node.h"
#include "tests/support/heap.h"

static const char manifest_text[] =
    "{\"version\": \"v1\", \"metadata\": {\"name\": \"t\"}, \"nodes\": [{\"id\": \"p\", \"node_type\": "
    "\"Python\", \"params\": {\"code\": \"def process(item):\\n    return item\"}}], \"connections\": []}";

static const char prelude[] =
    "import collections, enum, struct, sys\n"
    "sys.setrecursionlimit(5000)\n"
    "from remotemedia import Tensor\n"
    "try:\n"
    "    import numpy as np\n"
    "except ImportError:\n"
    "    np = None\n"
    "class Text(str): pass\n"
    "class Number(int): pass\n"
    "class Real(float): pass\n"
    "class Colour(enum.IntEnum):\n    RED = 3\n"
    "class Hashed(list):\n    def __hash__(self): return 1\n"
    "class Odd(dict):\n    def items(self): return [1, 2]\n"
    "class Mapped(dict):\n    def items(self): return [('a', 3), ('b', 2)]\n"
    "class Twice(dict):\n    def items(self): return [('a', 1), ('b', 2), ('a', 3)]\n"
    "Point = collections.namedtuple('Point', 'x y')\n"
    "ring = []; ring.append(ring)\n"
    "other_ring = collections.OrderedDict(); other_ring['a'] = (other_ring,)\n"
    "def nest(n, kind):\n"
    "    value = 1\n"
    "    for _ in range(n): value = kind(value)\n"
    "    return value\n"
    "def sorted_pairs(d): return list(d.items())\n"
    "def same(a, b):\n"
    "    if type(a) is not type(b): return False\n"
    "    if isinstance(a, (list, tuple)):\n"
    "        for x, y in zip(a, b):\n"
    "            if not same(x, y): return False\n"
    "        return len(a) == len(b)\n"
    "    if isinstance(a, dict): return same(list(a.items()), list(b.items()))\n"
    "    if isinstance(a, (set, frozenset)): return a == b and len(a) == len(b)\n"
    "    if isinstance(a, float): return struct.pack('d', a) == struct.pack('d', b)\n"
    "    if isinstance(a, Tensor):\n"
    "        return repr(a) == repr(b) and a.tolist() == b.tolist() and a.channel_layout == b.channel_layout\n"
    "    if np is not None and isinstance(a, np.ndarray):\n"
    "        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes() and "
    "b.flags.writeable\n"
    "    return a == b\n";

/* The interpreter, with a namespace to evaluate in. */
static PyObject *names;

static int start(void **unused)
{
    const char *const paths[] = {RMT_NUMPY_DIR, NULL};
    const rm_python_config python = {.size = sizeof python, .home = RMT_BUILD_DIR, .paths = paths};
    rm_runtime *runtime = NULL;
    rm_manifest *manifest = NULL;
    rm_pipeline *pipeline = NULL;
    (void)unused;
    if (rm_runtime_new(NULL, &runtime, NULL) != RM_OK || rm_python_attach(runtime, &python, NULL) != RM_OK ||
        rm_manifest_parse(runtime, manifest_text, strlen(manifest_text), &manifest, NULL) != RM_OK ||
        rm_pipeline_open(manifest, NULL, &pipeline, NULL) != RM_OK)
        return -1;
    const PyGILState_STATE held = rmi_enter();
    names = PyDict_New();
    PyObject *done = PyDict_SetItemString(names, "__builtins__", PyEval_GetBuiltins()) == 0
                         ? PyRun_String(prelude, Py_file_input, names, names)
                         : NULL;
    const bool failed = done == NULL;
    if (failed)
        PyErr_Print();
    Py_XDECREF(done);
    rmi_leave(held);
    rm_pipeline_free(pipeline);
    rm_manifest_free(manifest);
    rm_runtime_free(runtime);
    return failed ? -1 : 0;
}

static int stop(void **unused)
{
    (void)unused;
    const PyGILState_STATE held = rmi_enter();
    Py_CLEAR(names);
    rmi_leave(held);
    return 0;
}

static bool numpy_is_there(void)
{
    return access(RMT_NUMPY_DIR "/numpy", R_OK) == 0;
}

static PyObject *eval(const char *text)
{
    PyObject *value = PyRun_String(text, Py_eval_input, names, names);
    if (value == NULL)
        PyErr_Print();
    assert_non_null(value);
    return value;
}

static bool same(PyObject *a, PyObject *b)
{
    PyObject *answer = PyObject_CallFunctionObjArgs(PyDict_GetItemString(names, "same"), a, b, NULL);
    if (answer == NULL)
        PyErr_Print();
    const bool is = answer == Py_True;
    Py_XDECREF(answer);
    return is;
}

/* Sends the object to the other side. The packet gives its value away, unless somebody else holds it too
 * (`kept`). */
static int send(const rm_allocator *allocator, PyObject *object, bool kept, PyObject **out, rm_error *err)
{
    rmi_wire_writer packer;
    rm_value value = rm_null(), other = rm_null();
    size_t offset = 0;
    *out = NULL;
    rmi_wire_init(&packer, allocator);
    int rc = rmi_wire_write_python(&packer, object, 0, err);
    if (rc == RM_OK)
        rc = rmi_wire_read(allocator, packer.data, packer.length, &offset, &value, err);
    if (rc == RM_OK) {
        assert_int_equal(offset, packer.length);
        rm_packet packet = rm_packet_of(value);
        if (kept)
            other = rm_value_retain(value);
        *out = rmi_item_of_packet(&packet);
        if (*out == NULL)
            rc = rmi_python_failed(NULL, err);
        rm_packet_clear(&packet);
        rm_value_clear(&other);
    }
    rmi_wire_clear(&packer);
    return rc;
}

/* ---- Objects that come back the same */

static const char *const alike[] = {
    "None",
    "True",
    "0",
    "-1",
    "2**62",
    "-2**63",
    "2**63",
    "-2**63 - 1",
    "10**4299",
    "-10**4299",
    "0.0",
    "-0.0",
    "float('nan')",
    "float('-inf')",
    "''",
    "'h\\u00e9\\0\\U0001f600'",
    "b''",
    "b'\\xff\\0'",
    "bytearray(b'ab')",
    "[]",
    "[1, [2, 'x'], None]",
    "()",
    "(1, (2, [3]), {})",
    "{}",
    "{'a': 1, '': [2], 'h\\u00e9': (3,)}",
    "{1: 'a', '1': 'b', None: 2, True and 2.5: 3, (1, ('x',)): 4, frozenset([1]): 5, b'x': 6, 2**70: 7}",
    "set()",
    "{1, 'a', 2.5, None, (1, 2), frozenset({3})}",
    "frozenset()",
    "frozenset({(1,), b'x'})",
    "[{'a': {1}}, bytearray(b''), [(1,)]]",
    "nest(200, lambda v: [v])",
    "nest(200, lambda v: (v,))",
    "Tensor([1.5, 2.5] and __import__('array').array('f', [1.5, 2.5]))",
    "[Tensor(__import__('array').array('h', range(6)), shape=(2, 3))[1:]]",
    "(Tensor(bytes(12), dtype='int16', shape=(3, 2), sample_rate=8000, channel_layout=3),)",
};

static const char *const numpys[] = {
    "np.arange(3)",
    "np.zeros((2, 0))",
    "np.array(2.5)",
    "[np.ones((2, 3), '>i2').T, (np.arange(10)[::-3],)]",
    "np.array([(1, 2.5)], dtype=[('x', '<i2'), ('y', '>f4')])",
    "{'t': np.array(['2024-01-01'], dtype='M8[D]'), 's': np.array(['ab', 'c'])}",
    "{'a': np.zeros(1000), 1: np.asfortranarray(np.ones((3, 4)))}",
};

static void check_alike(const char *text, bool kept)
{
    rmt_heap heap;
    rm_error err = {0};
    PyObject *value = eval(text), *back = NULL;
    rmt_heap_init(&heap, 0);
    const int rc = send(&heap.allocator, value, kept, &back, &err);
    if (rc != RM_OK || !same(value, back))
        fail_msg("%s: %s", text, err.message);
    Py_DECREF(value);
    Py_DECREF(back);
    assert_int_equal(heap.live_blocks, 0);
    assert_int_equal(heap.mistakes, 0);
}

static void objects_come_back_as_they_were(void **unused)
{
    (void)unused;
    const PyGILState_STATE held = rmi_enter();
    for (size_t i = 0; i < sizeof alike / sizeof *alike; i++)
        check_alike(alike[i], i % 2 == 0);
    rmi_leave(held);
}

static void arrays_come_back_writable(void **unused)
{
    (void)unused;
    if (!numpy_is_there())
        skip();
    const PyGILState_STATE held = rmi_enter();
    for (size_t i = 0; i < sizeof numpys / sizeof *numpys; i++) {
        check_alike(numpys[i], false);
        check_alike(numpys[i], true);
    }
    rmi_leave(held);
}

/* ---- Objects that become simpler, as in plain values */

static const struct {
    const char *sent, *received;
    bool numpy;
} simpler[] = {
    {"Text('x')", "'x'", false},
    {"Number(2**70)", "2**70", false},
    {"[Number(5), Colour.RED, Real(1.5)]", "[5, 3, 1.5]", false},
    {"Point(1, [2])", "(1, [2])", false},
    {"collections.OrderedDict([('b', 1), ('a', 2)])", "{'b': 1, 'a': 2}", false},
    {"collections.defaultdict(list, {1: 2})", "{1: 2}", false},
    {"collections.Counter('aab')", "{'a': 2, 'b': 1}", false},
    {"{Text('a'): 1}", "{'a': 1}", false},
    {"Mapped()", "{'a': 3, 'b': 2}", false},
    {"[np.float32(1.5), np.int16(-3), np.bool_(True), np.uint64(2**64 - 1)]", "[1.5, -3, True, 2**64 - 1]",
     true},
    {"{np.int64(3): 1}", "{3: 1}", true},
};

static void subclasses_and_numpys_numbers_are_what_they_hold(void **unused)
{
    (void)unused;
    const PyGILState_STATE held = rmi_enter();
    for (size_t i = 0; i < sizeof simpler / sizeof *simpler; i++) {
        if (simpler[i].numpy && !numpy_is_there())
            continue;
        rm_error err = {0};
        PyObject *sent = eval(simpler[i].sent), *expected = eval(simpler[i].received), *back = NULL;
        const int rc = send(NULL, sent, false, &back, &err);
        if (rc != RM_OK || !same(expected, back))
            fail_msg("%s: %s", simpler[i].sent, err.message);
        Py_DECREF(sent);
        Py_DECREF(expected);
        Py_DECREF(back);
    }
    rmi_leave(held);
}

/* ---- Objects that cannot cross: the errors of plain values */

static const struct {
    const char *value;
    int rc;
    const char *message;
} refused[] = {
    {"'a\\ud800'", RM_E_UNSUPPORTED, "a Python str has the lone surrogate U+D800 at index 1"},
    {"{'\\udfff': 1}", RM_E_UNSUPPORTED, "a Python str has the lone surrogate U+DFFF at index 0"},
    {"ring", RM_E_CIRCULAR, "circular reference: a Python list holds itself"},
    {"other_ring", RM_E_CIRCULAR, "circular reference: a Python collections.OrderedDict holds itself"},
    {"nest(201, lambda v: [v])", RM_E_LIMIT, "Python objects nested deeper than 200 levels"},
    {"3j", RM_E_UNSUPPORTED, "a Python object of type 'complex' is no plain value"},
    {"[{1: object()}]", RM_E_UNSUPPORTED, "a Python object of type 'object' is no plain value"},
    {"{Hashed()}", RM_E_UNSUPPORTED, "a Python object of type 'Hashed' is no plain value"},
    {"{Hashed(): 1}", RM_E_UNSUPPORTED, "a Python object of type 'Hashed' is no plain value"},
    {"Twice()", RM_E_UNSUPPORTED, "the keys 'a' and 'a' of a Python Twice have the same text"},
    {"Odd()", RM_E_UNSUPPORTED, "items() of a 'Odd' gives no pairs"},
    {"10**4300", RM_E_LIMIT, "an integer has more than 4300 digits"},
    {"1 << 20000", RM_E_LIMIT, "an integer has more than 4300 digits"},
};

static void what_cannot_cross_is_told(void **unused)
{
    (void)unused;
    const PyGILState_STATE held = rmi_enter();
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        rm_error err = {0};
        PyObject *value = eval(refused[i].value), *back = NULL;
        const int rc = send(NULL, value, false, &back, &err);
        if (rc != refused[i].rc || strcmp(err.message, refused[i].message) != 0)
            fail_msg("%s: %s", refused[i].value, err.message);
        Py_DECREF(value);
    }
    rmi_leave(held);
}

/* ---- Beyond Python */

/* As values of a pipeline: objects of Python inside lists of the runtime's. */
static void an_object_packs_itself_where_it_stands(void **unused)
{
    rm_value list = rm_null(), object = rm_null(), plain = rm_null();
    rm_error err = {0};
    rmi_wire_writer packer;
    size_t offset = 0;
    (void)unused;
    const PyGILState_STATE held = rmi_enter();
    PyObject *value = eval("(1, {2: 3})"), *deep = eval("nest(200, lambda v: [v])");
    assert_int_equal(rmi_to_packet_value(value, 1, &object, NULL), RM_OK);
    Py_DECREF(value);
    assert_int_equal(rm_list_new(NULL, 1, &list, NULL), RM_OK);
    assert_int_equal(rm_list_append(&list, object, NULL), RM_OK);
    rmi_wire_init(&packer, NULL);
    rmi_leave(held);
    assert_int_equal(rmi_wire_write(&packer, list, NULL), RM_OK);
    rm_value_clear(&list);
    assert_int_equal(rmi_wire_read(NULL, packer.data, packer.length, &offset, &object, NULL), RM_OK);
    assert_string_equal(rm_object_type_of(object)->type_name(rm_object_get(object, NULL)), "list");
    assert_int_equal(rm_value_to_plain(NULL, object, &plain, NULL), RM_OK);
    rm_value inner = rm_list_get(plain, 0), item = rm_null();
    assert_true(rm_map_get(rm_list_get(inner, 1), "2", 1, &item) && item.kind == RM_INT && item.i == 3);
    rm_value_clear(&plain);
    rm_value_clear(&object);
    const PyGILState_STATE again = rmi_enter();
    assert_int_equal(rmi_wire_write_python(&packer, deep, 1, &err), RM_E_LIMIT);
    Py_DECREF(deep);
    rmi_leave(again);
    rmi_wire_clear(&packer);
}

/* No branch may write to memory that another branch has, whichever comes first. */
static void arrays_of_branches_are_read_only(void **unused)
{
    rm_value value = rm_null(), branch = rm_null();
    rmi_wire_writer packer;
    size_t offset = 0;
    (void)unused;
    if (!numpy_is_there())
        skip();
    const PyGILState_STATE held = rmi_enter();
    PyObject *array = eval("[np.arange(4.0)]");
    rmi_wire_init(&packer, NULL);
    assert_int_equal(rmi_wire_write_python(&packer, array, 0, NULL), RM_OK);
    assert_int_equal(rmi_wire_read(NULL, packer.data, packer.length, &offset, &value, NULL), RM_OK);
    assert_int_equal(rm_value_for_branch(value, &branch, NULL), RM_OK);
    rm_packet packets[] = {rm_packet_of(value), rm_packet_of(branch)};
    for (size_t i = 0; i < 2; i++) {
        PyObject *back = rmi_item_of_packet(&packets[i]);
        PyObject *flags = PyObject_GetAttrString(PyList_GET_ITEM(back, 0), "flags");
        PyObject *writeable = PyObject_GetAttrString(flags, "writeable");
        assert_ptr_equal(writeable, Py_False);
        Py_DECREF(writeable);
        Py_DECREF(flags);
        Py_DECREF(back);
        rm_packet_clear(&packets[i]);
    }
    Py_DECREF(array);
    rmi_wire_clear(&packer);
    rmi_leave(held);
}

/* A node changes and returns its item: the changed item goes on, not the packet's value. */
static void a_node_may_change_what_it_is_given(void **unused)
{
    static const char text[] =
        "{\"version\": \"v1\", \"metadata\": {\"name\": \"t\"}, \"nodes\": [{\"id\": \"p\", \"node_type\": "
        "\"Python\", \"params\": {\"code\": \"def process(item):\\n    item[3] = (4,)\\n    return item\"}}, "
        "{\"id\": \"q\", \"node_type\": \"Python\", \"params\": {\"code\": \"def process(item):\\n    "
        "item['type'] = type(item[3]).__name__\\n    return item\"}}], \"connections\": [{\"from\": \"p\", \"to\": "
        "\"q\"}]}";
    static const uint8_t message[] = "\x0e\x01\0\0\0\x03\x01\0\0\0\0\0\0\0\x01";
    const rm_python_config python = {.size = sizeof python, .home = RMT_BUILD_DIR};
    rm_value input = rm_null(), item = rm_null(), outputs = rm_null();
    rm_runtime *runtime = NULL;
    rm_manifest *manifest = NULL;
    rm_error err = {0};
    char *json = NULL;
    size_t length = 0, offset = 0;
    (void)unused;
    assert_int_equal(rmi_wire_read(NULL, message, sizeof message - 1, &offset, &item, NULL), RM_OK);
    assert_int_equal(rm_list_new(NULL, 1, &input, NULL), RM_OK);
    assert_int_equal(rm_list_append(&input, item, NULL), RM_OK);
    assert_int_equal(rm_runtime_new(NULL, &runtime, NULL), RM_OK);
    assert_int_equal(rm_python_attach(runtime, &python, NULL), RM_OK);
    assert_int_equal(rm_manifest_parse(runtime, text, strlen(text), &manifest, NULL), RM_OK);
    if (rm_run(manifest, NULL, input, &outputs, &err) != RM_OK)
        fail_msg("%s", err.message);
    assert_int_equal(rm_json_write(NULL, outputs, 0, &json, &length, NULL, NULL), RM_OK);
    assert_string_equal(json, "{\"q\":[{\"1\":false,\"3\":[4],\"type\":\"tuple\"}]}");
    rm_text_free(NULL, json, length);
    rm_value_clear(&outputs);
    rm_value_clear(&input);
    rm_manifest_free(manifest);
    rm_runtime_free(runtime);
}

/* Bytes that the reader accepts become an object, or an exception. */
static void every_changed_byte_is_survived(void **unused)
{
    static const char text[] =
        "[{'a': 1, 'b': b'x'}, {1: 2, (3,): bytearray(2)}, (1, {3, 'x'}), frozenset({4.5}), 2**99, "
        "Tensor(bytes(4), dtype='int16', sample_rate=8000), __import__('array').array('i', [1]) "
        "and None]";
    rmi_wire_writer packer;
    (void)unused;
    const PyGILState_STATE held = rmi_enter();
    PyObject *value = eval(numpy_is_there() ? "[{1: np.arange(3)}, (np.ones(2, '>i2'),), {'a': {1}}]" : text);
    PyObject *second = eval(text);
    rmi_wire_init(&packer, NULL);
    assert_int_equal(rmi_wire_write_python(&packer, value, 0, NULL), RM_OK);
    assert_int_equal(rmi_wire_write_python(&packer, second, 0, NULL), RM_OK);
    for (size_t i = 0; i < packer.length * 40; i++) {
        const size_t place = i / 40;
        const uint8_t before = packer.data[place];
        packer.data[place] = i % 40 < 24 ? (uint8_t)(i % 40) : (uint8_t)(before ^ 1u << i % 8);
        rm_value back = rm_null();
        size_t offset = 0;
        while (offset < packer.length &&
               rmi_wire_read(NULL, packer.data, packer.length, &offset, &back, NULL) == RM_OK) {
            rm_packet packet = rm_packet_of(back);
            Py_XDECREF(rmi_item_of_packet(&packet));
            PyErr_Clear();
            rm_packet_clear(&packet);
        }
        packer.data[place] = before;
    }
    rmi_wire_clear(&packer);
    Py_DECREF(second);
    Py_DECREF(value);
    rmi_leave(held);
}

static void gives_the_answer_or_out_of_memory(void **unused)
{
    static const char text[] =
        "[{'a': 1, 'b': 'x' * 300}, {1: 2, None: bytearray(9)}, (1, {3}), frozenset({4}), 2**99, Text('y'), "
        "10**4299, collections.OrderedDict(a=1), Tensor(bytes(100))]";
    (void)unused;
    const PyGILState_STATE held = rmi_enter();
    PyObject *value = eval(text);
    for (size_t nth = 1, faults = 1; faults != 0; nth++) {
        PyObject *back = NULL;
        rm_error err = {0};
        rmt_heap heap;
        rmt_heap_init(&heap, nth);
        const int rc = send(&heap.allocator, value, nth % 2 == 0, &back, &err);
        faults = heap.faults;
        if (rc != (faults != 0 ? RM_E_OUT_OF_MEMORY : RM_OK))
            fail_msg("allocation %zu: %d %s", nth, rc, err.message);
        Py_XDECREF(back);
        assert_int_equal(heap.live_blocks, 0);
    }
    Py_DECREF(value);
    rmi_leave(held);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_come_back_as_they_were),
        cmocka_unit_test(arrays_come_back_writable),
        cmocka_unit_test(subclasses_and_numpys_numbers_are_what_they_hold),
        cmocka_unit_test(what_cannot_cross_is_told),
        cmocka_unit_test(an_object_packs_itself_where_it_stands),
        cmocka_unit_test(arrays_of_branches_are_read_only),
        cmocka_unit_test(a_node_may_change_what_it_is_given),
        cmocka_unit_test(every_changed_byte_is_survived),
        cmocka_unit_test(gives_the_answer_or_out_of_memory),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
