/* Keys of maps, from JSON, bytes or Python. A key is a string. */
#ifndef DATA_KEYS_H
#define DATA_KEYS_H

#include "data/value.h"

/* Makes the key of a value, where a Python dict becomes a map: a string stays the same; null, bools and
 * numbers become the text that Python's json writes. *out is owned. */
int rmi_key_of(const rm_allocator *allocator, rm_value value, rm_value *out, rm_error *err);
/* Fills `err` and returns RM_E_UNSUPPORTED: a key of a Python type. */
int rmi_unsupported_key(const char *type, rm_error *err);

/* ---- A cache of keys, since they repeat from item to item ---- */

enum { RMI_LONGEST_KEPT_KEY = 64, RMI_KEPT_KEYS = 64 };

/* The place of a key in a table of `places`, by its text alone; `places` for a key that is never kept. */
static inline size_t rmi_key_place(const char *text, size_t length, size_t places)
{
    if (length - 1 >= RMI_LONGEST_KEPT_KEY)
        return places;
    return (length + (size_t)(unsigned char)text[0] * 3 + (size_t)(unsigned char)text[length / 2] * 5 +
            (size_t)(unsigned char)text[length - 1] * 7) %
           places;
}

/* Owners are counted in advance, many at once, so that giving a key out needs no atomic operation. */
typedef struct rmi_keys {
    uint64_t kept; /* a bit for each `at` in use: the only field that must be 0 at first */
    struct {
        rm_heap *key;
        size_t owned; /* owners counted in advance, at least 1 */
    } at[RMI_KEPT_KEYS];
} rmi_keys;

/* A string of the key's text, which is UTF-8; owned. NULL, with `err` filled, when memory is out. `place` is
 * one of RMI_KEPT_KEYS. */
rm_heap *rmi_keys_take(rmi_keys *keys, size_t place, const rm_allocator *allocator, const char *text,
                       size_t length, rm_error *err);
/* Releases the kept keys; any thread may still have strings of them. */
void rmi_keys_clear(rmi_keys *keys);

#endif
