#include "data/keys.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "data/blocks.h"
#include "data/integer.h"
#include "data/json/json.h"

/* ---- Keys of values ---- */

int rmi_unsupported_key(const char *type, rm_error *err)
{
    (void)rm_error_set(err, RM_E_UNSUPPORTED, "a dict key of type '%s' has no plain form", type);
    rm_error_hint(
        err, "keys may be str, int, float, bool or None: {str(k): v for k, v in x.items()} makes them str");
    return RM_E_UNSUPPORTED;
}

static void append_float(rmi_text *text, double number)
{
    char digits[RMI_FLOAT_TEXT];
    if (isnan(number))
        rmi_text_append_c(text, "NaN");
    else if (isinf(number))
        rmi_text_append_c(text, number > 0 ? "Infinity" : "-Infinity");
    else
        rmi_text_append(text, digits, rmi_float_text(number, digits));
}

int rmi_key_of(const rm_allocator *allocator, rm_value value, rm_value *out, rm_error *err)
{
    rmi_text text;
    int rc = RM_OK;
    if (value.kind == RM_STRING) {
        *out = rm_value_retain(value);
        return RM_OK;
    }
    rmi_text_init(&text, allocator);
    if (value.kind == RM_NULL)
        rmi_text_append_c(&text, "null");
    else if (value.kind == RM_BOOL)
        rmi_text_append_c(&text, value.b ? "true" : "false");
    else if (value.kind == RM_FLOAT)
        append_float(&text, value.f);
    else if (value.kind == RM_INT || value.kind == RM_BIGINT)
        rc = rmi_integer_append(&text, value, err);
    else
        rc = rmi_unsupported_key(rm_kind_name((rm_kind)value.kind), err);
    if (rc == RM_OK)
        rc = text.failed ? rmi_out_of_memory(err)
                         : rmi_string_new_unchecked(allocator, text.data, text.length, out, err);
    rmi_text_clear(&text);
    return rc;
}

/* ---- The cache ---- */

enum { OWNERS_AT_ONCE = 1 << 12 };

static void forget(rmi_keys *keys, size_t place)
{
    rm_heap *key = keys->at[place].key;
    size_t owned = keys->at[place].owned;
    if (atomic_fetch_sub_explicit(&key->owners, owned, memory_order_acq_rel) == owned)
        rmi_free(key->allocator, key, key->size);
}

static rm_heap *hand_out(rmi_keys *keys, size_t place)
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
static void keep(rmi_keys *keys, size_t place, rm_heap *key)
{
    if ((keys->kept >> place & 1) != 0)
        forget(keys, place);
    keys->kept |= (uint64_t)1 << place;
    keys->at[place].key = key;
    keys->at[place].owned = OWNERS_AT_ONCE;
    atomic_store_explicit(&key->owners, OWNERS_AT_ONCE + 1, memory_order_relaxed);
}

rm_heap *rmi_keys_take(rmi_keys *keys, size_t place, const rm_allocator *allocator, const char *text,
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

void rmi_keys_clear(rmi_keys *keys)
{
    for (uint64_t left = keys->kept; left != 0; left &= left - 1)
        forget(keys, (size_t)__builtin_ctzll(left));
    keys->kept = 0;
}
