/* The module _scrypt: the part of scrypt (RFC 7914) that would be too slow in Python. python/wasi/hashlib.py
 * has the rest. */
#include "wasm/modules.h"

#include <stdint.h>
#include <string.h>

enum { WORDS = 16, BLOCK = 64 };

/* Salsa20/8 of the RFC. */
static void salsa(uint32_t block[WORDS])
{
    static const uint8_t quarters[8][4] = {{0, 4, 8, 12}, {5, 9, 13, 1}, {10, 14, 2, 6}, {15, 3, 7, 11},
                                           {0, 1, 2, 3},  {5, 6, 7, 4},  {10, 11, 8, 9}, {15, 12, 13, 14}};
    uint32_t x[WORDS];
    memcpy(x, block, sizeof x);
    for (int round = 0; round < 4; round++) {
#pragma clang loop unroll(full)
        for (int i = 0; i < 8; i++) {
            const uint8_t a = quarters[i][0], b = quarters[i][1], c = quarters[i][2], d = quarters[i][3];
            x[b] ^= __builtin_rotateleft32(x[a] + x[d], 7);
            x[c] ^= __builtin_rotateleft32(x[b] + x[a], 9);
            x[d] ^= __builtin_rotateleft32(x[c] + x[b], 13);
            x[a] ^= __builtin_rotateleft32(x[d] + x[c], 18);
        }
    }
    for (int i = 0; i < WORDS; i++)
        block[i] += x[i];
}

/* scryptBlockMix: `to` gets the even blocks of 64 bytes, then the odd ones. */
static void mix(const uint32_t *from, uint32_t *to, size_t r)
{
    uint32_t x[WORDS];
    memcpy(x, from + (2 * r - 1) * WORDS, sizeof x);
    for (size_t i = 0; i < 2 * r; i++) {
        for (size_t word = 0; word < WORDS; word++)
            x[word] ^= from[i * WORDS + word];
        salsa(x);
        memcpy(to + (i / 2 + i % 2 * r) * WORDS, x, sizeof x);
    }
}

/* scryptROMix in place. `table` has room for n times 32 * r words, `spare` for 32 * r. WebAssembly's words
 * are little-endian, as scrypt's are. */
static void mix_all(uint32_t *words, size_t r, size_t n, uint32_t *table, uint32_t *spare)
{
    const size_t count = 2 * r * WORDS;
    for (size_t i = 0; i < n; i++) {
        memcpy(table + i * count, words, count * sizeof *words);
        mix(table + i * count, words, r);
    }
    for (size_t i = 0; i < n; i++) {
        const uint32_t *chosen = table + (words[count - WORDS] & (n - 1)) * count;
        for (size_t word = 0; word < count; word++)
            spare[word] = words[word] ^ chosen[word];
        mix(spare, words, r);
    }
}

/* mix(blocks, r, n): returns the bytes that replace `blocks`, whose length is a multiple of 128 * r. */
static PyObject *mix_bytes(PyObject *module, PyObject *arguments)
{
    Py_buffer blocks;
    Py_ssize_t r = 0, n = 0;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "y*nn", &blocks, &r, &n))
        return NULL;
    const size_t size = (size_t)r * 2 * BLOCK;
    size_t room = 0;
    PyObject *mixed = NULL;
    uint32_t *memory = NULL;
    if (r < 1 || n < 2 || (n & (n - 1)) != 0 || r > INT32_MAX / 2 / BLOCK || (size_t)blocks.len % size != 0)
        PyErr_SetString(PyExc_ValueError, "not blocks of scrypt");
    else if (__builtin_mul_overflow((size_t)n + 2, size, &room) || room > PY_SSIZE_T_MAX ||
             (memory = PyMem_RawMalloc(room)) == NULL)
        PyErr_NoMemory();
    else if ((mixed = PyBytes_FromStringAndSize(blocks.buf, blocks.len)) != NULL) {
        uint32_t *words = memory, *spare = memory + size / 4, *table = memory + size / 2;
        char *bytes = PyBytes_AS_STRING(mixed);
        for (Py_ssize_t at = 0; at < blocks.len; at += (Py_ssize_t)size) {
            memcpy(words, bytes + at, size);
            mix_all(words, (size_t)r, (size_t)n, table, spare);
            memcpy(bytes + at, words, size);
        }
    }
    PyMem_RawFree(memory);
    PyBuffer_Release(&blocks);
    return mixed;
}

static PyMethodDef functions[] = {
    {"mix", mix_bytes, METH_VARARGS, "mix(blocks, r, n)\n\nscryptROMix of RFC 7914, of each 128 * r bytes."},
    {0},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, .m_name = "_scrypt", .m_size = 0,
                                        .m_methods = functions};

PyObject *rmi_scrypt_module(void)
{
    return PyModuleDef_Init(&definition);
}
