/* A cache of keys while values are read. */
#include <string.h>

#include "base/alloc.h"
#include "data/blocks.h"
#include "data/json/json_parts.h"

enum { OWNERS_AT_ONCE = 1 << 12 };

size_t rmi_json_key_place(const char *text, size_t length)
{
    if (length - 1 >= RMI_LONGEST_KEPT_KEY)
        return RMI_KEPT_KEYS;
    return (length + (size_t)(unsigned char)text[0] * 3 + (size_t)(unsigned char)text[length / 2] * 5 +
            (size_t)(unsigned char)text[length - 1] * 7) %
           RMI_KEPT_KEYS;
}

static void forget(rmi_json_keys *keys, size_t place)
{
    rm_heap *key = keys->at[place].key;
    size_t owned = keys->at[place].owned;
    if (atomic_fetch_sub_explicit(&key->owners, owned, memory_order_acq_rel) == owned)
        rmi_free(key->allocator, key, key->size);
}

static rm_heap *hand_out(rmi_json_keys *keys, size_t place)
{
    rm_heap *key = keys->at[place].key;
    if (keys->at[place].owned == 1) {
        (void)atomic_fetch_add_explicit(&key->owners, OWNERS_AT_ONCE, memory_order_relaxed);
        keys->at[place].owned += OWNERS_AT_ONCE;
    }
    keys->at[place].owned--;
    return key;
}

/* Keeps a new string, which has one owner: nobody else has it yet. */
static void keep(rmi_json_keys *keys, size_t place, rm_heap *key)
{
    if ((keys->kept >> place & 1) != 0)
        forget(keys, place);
    keys->kept |= (uint64_t)1 << place;
    keys->at[place].key = key;
    keys->at[place].owned = OWNERS_AT_ONCE;
    atomic_store_explicit(&key->owners, OWNERS_AT_ONCE + 1, memory_order_relaxed);
}

rm_heap *rmi_json_key(rmi_json_keys *keys, size_t place, const rm_allocator *allocator, const char *text,
                      size_t length, rm_error *err)
{
    rm_value string = rm_null();
    if (place < RMI_KEPT_KEYS && (keys->kept >> place & 1) != 0) {
        const rmi_string_block *kept = rmi_string_of(keys->at[place].key);
        if (kept->length == length && memcmp(kept->text, text, length) == 0)
            return hand_out(keys, place);
    }
    if (rmi_string_new_unchecked(allocator, text, length, &string, err) != RM_OK)
        return NULL;
    string.heap->extra = rmi_json_plain_run(text, 0, length) == length ? RMI_PLAIN_TEXT : 0;
    if (place < RMI_KEPT_KEYS)
        keep(keys, place, string.heap);
    return string.heap;
}

void rmi_json_keys_clear(rmi_json_keys *keys)
{
    for (uint64_t left = keys->kept; left != 0; left &= left - 1)
        forget(keys, (size_t)__builtin_ctzll(left));
    keys->kept = 0;
}
