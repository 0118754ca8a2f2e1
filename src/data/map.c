/* Maps: entries in order of insertion; large ones carry an index, an open-addressing table of hashes. */
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "data/blocks.h"

enum { LARGEST_WITHOUT_INDEX = 8 };
static const size_t NO_ENTRY = SIZE_MAX;

/* ---- Storage ---- */

/* The size of an index over `capacity` entries: a power of two, at most two thirds full; 0 for small maps. */
static size_t buckets_for(size_t capacity)
{
    size_t buckets = 16;
    if (capacity <= LARGEST_WITHOUT_INDEX)
        return 0;
    while (buckets / 3 * 2 < capacity)
        buckets *= 2;
    return buckets;
}

static bool storage_size(size_t capacity, size_t *size)
{
    size_t buckets = 0;
    return capacity <= UINT32_MAX / 4 && rmi_multiply(capacity, sizeof(rmi_map_entry), size) &&
           rmi_multiply(buckets_for(capacity), sizeof(rmi_map_bucket), &buckets) &&
           rmi_add(*size, buckets, size);
}

static void use_storage(rmi_map_block *map, rmi_map_entry *entries, size_t capacity)
{
    size_t buckets = buckets_for(capacity);
    map->entries = entries;
    map->capacity = capacity;
    map->buckets = buckets != 0 ? (rmi_map_bucket *)(void *)(entries + capacity) : NULL;
    map->bucket_mask = buckets != 0 ? buckets - 1 : 0;
    if (buckets != 0)
        memset(map->buckets, 0, buckets * sizeof(rmi_map_bucket));
}

int rm_map_new(const rm_allocator *allocator, size_t capacity, rm_value *out, rm_error *err)
{
    size_t size = 0;
    *out = rm_null();
    if (!storage_size(capacity, &size) || !rmi_add(size, sizeof(rmi_map_block), &size))
        return rmi_out_of_memory(err);
    rm_heap *heap = rmi_heap_new(allocator, RM_MAP, size, err);
    if (heap == NULL)
        return RM_E_OUT_OF_MEMORY;
    rmi_map_of(heap)->length = 0;
    use_storage(rmi_map_of(heap), rmi_map_of(heap)->own, capacity);
    *out = rmi_value_of(heap);
    return RM_OK;
}

void rmi_map_free_storage(rmi_map_block *map)
{
    size_t size = 0;
    if (map->entries != map->own && storage_size(map->capacity, &size))
        rmi_free(map->head.allocator, map->entries, size);
}

/* ---- Finding ---- */

static uint64_t mix(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Each map hashes with its own address, so that keys which collide in all maps are hard to make up. */
static uint32_t hash_of(const rmi_map_block *map, const char *key, size_t length)
{
    uint64_t hash = (uint64_t)(uintptr_t)map ^ 0x9E3779B97F4A7C15u ^ length, word = 0;
    size_t at = 0;
    for (; length - at > sizeof word; at += sizeof word) {
        memcpy(&word, key + at, sizeof word);
        hash = mix(hash ^ word, 0xD6E8FEB86659FD93u);
    }
    word = 0;
    if (length != at)
        memcpy(&word, key + at, length - at);
    hash = mix(hash ^ word, 0xA0761D6478BD642Fu);
    return (uint32_t)(hash ^ hash >> 32);
}

static bool is_key(const rm_heap *key, const char *text, size_t length)
{
    const rmi_string_block *block = (const rmi_string_block *)key;
    return block->length == length && memcmp(block->text, text, length) == 0;
}

/* The entry's number, or NO_ENTRY. *hash is set when the map has an index. */
static size_t find(const rmi_map_block *map, const char *key, size_t length, uint32_t *hash)
{
    if (map->buckets == NULL) {
        for (size_t i = 0; i < map->length; i++) {
            if (is_key(map->entries[i].key, key, length))
                return i;
        }
        return NO_ENTRY;
    }
    *hash = hash_of(map, key, length);
    for (size_t at = *hash & map->bucket_mask; map->buckets[at].entry != 0;
         at = (at + 1) & map->bucket_mask) {
        size_t entry = map->buckets[at].entry - 1;
        if (map->buckets[at].hash == *hash && is_key(map->entries[entry].key, key, length))
            return entry;
    }
    return NO_ENTRY;
}

static void index_entry(rmi_map_block *map, size_t entry, uint32_t hash)
{
    size_t at = hash & map->bucket_mask;
    while (map->buckets[at].entry != 0)
        at = (at + 1) & map->bucket_mask;
    map->buckets[at] = (rmi_map_bucket){.hash = hash, .entry = (uint32_t)entry + 1};
}

/* ---- Changing ---- */

static void add_entry(rmi_map_block *map, rm_heap *key, rm_value item, uint32_t hash)
{
    map->entries[map->length] = (rmi_map_entry){.key = key, .item = item};
    map->head.extra |= rmi_may_hold_object(item) ? RMI_MAY_HOLD_OBJECT : 0u;
    if (map->buckets != NULL)
        index_entry(map, map->length, hash);
    map->length++;
}

static void replace_item(rmi_map_block *map, size_t entry, rm_value item)
{
    rm_value old = map->entries[entry].item;
    map->head.extra |= rmi_may_hold_object(item) ? RMI_MAY_HOLD_OBJECT : 0u;
    map->entries[entry].item = item;
    rm_value_clear(&old);
}

void rmi_map_put(rmi_map_block *map, rm_heap *key, rm_value item)
{
    uint32_t hash = 0;
    size_t entry = find(map, rmi_string_of(key)->text, rmi_string_of(key)->length, &hash);
    rm_value unused = rmi_value_of(key);
    if (entry == NO_ENTRY) {
        add_entry(map, key, item, hash);
    } else {
        replace_item(map, entry, item);
        rm_value_clear(&unused);
    }
}

void rmi_map_append_indexed(rmi_map_block *map, rm_heap *key, rm_value item)
{
    const rmi_string_block *string = rmi_string_of(key);
    add_entry(map, key, item, hash_of(map, string->text, string->length));
}

static int grow(rmi_map_block *map, rm_error *err)
{
    size_t capacity = map->capacity < 4 ? 8 : map->capacity * 2, size = 0;
    rmi_map_entry *entries = storage_size(capacity, &size) ? rmi_alloc(map->head.allocator, size) : NULL;
    if (entries == NULL)
        return rmi_out_of_memory(err);
    if (map->length != 0)
        memcpy(entries, map->entries, map->length * sizeof *entries);
    rmi_map_free_storage(map);
    use_storage(map, entries, capacity);
    for (size_t i = 0; map->buckets != NULL && i < map->length; i++) {
        const rmi_string_block *key = rmi_string_of(entries[i].key);
        index_entry(map, i, hash_of(map, key->text, key->length));
    }
    return RM_OK;
}

/* Checks that the map may be changed, and makes room for one more entry. */
static int make_ready(const rm_value *map, rm_error *err)
{
    if (map->kind != RM_MAP || rmi_owners(*map) != 1)
        return rm_error_set(err, RM_E_USAGE, "setting a key in %s that %s", rm_kind_name((rm_kind)map->kind),
                            map->kind == RM_MAP ? "has other owners" : "is no map");
    rmi_map_block *block = rmi_map_of(map->heap);
    return block->length == block->capacity ? grow(block, err) : RM_OK;
}

int rm_map_set(rm_value *map, const char *key, size_t key_length, rm_value item, rm_error *err)
{
    rm_value name = rm_null();
    uint32_t hash = 0;
    int rc = make_ready(map, err);
    if (rc != RM_OK)
        goto done;
    rmi_map_block *block = rmi_map_of(map->heap);
    size_t entry = find(block, key, key_length, &hash);
    if (entry != NO_ENTRY) {
        replace_item(block, entry, rm_value_move(&item));
        goto done;
    }
    rc = rm_string_new(block->head.allocator, key, key_length, &name, err);
    if (rc == RM_OK)
        add_entry(block, name.heap, rm_value_move(&item), hash);
done:
    rm_value_clear(&item);
    return rc;
}

int rm_map_set_key(rm_value *map, rm_value key, rm_value item, rm_error *err)
{
    int rc = RM_OK;
    if (key.kind != RM_STRING)
        rc = rm_error_set(err, RM_E_TYPE, "a key must be a string, not %s", rm_kind_name((rm_kind)key.kind));
    if (rc == RM_OK)
        rc = make_ready(map, err);
    if (rc == RM_OK) {
        rmi_map_put(rmi_map_of(map->heap), key.heap, item);
    } else {
        rm_value_clear(&key);
        rm_value_clear(&item);
    }
    return rc;
}

int rmi_map_add(rm_value *map, rm_value key, rm_value item, rm_error *err)
{
    rmi_map_block *block = rmi_map_of(map->heap);
    if (block->length == block->capacity)
        return rm_map_set_key(map, key, item, err);
    rmi_map_append(block, key.heap, item);
    return RM_OK;
}

/* ---- Reading ---- */

size_t rm_map_length(rm_value map)
{
    return map.kind == RM_MAP ? rmi_map_of(map.heap)->length : 0;
}

bool rm_map_get(rm_value map, const char *key, size_t key_length, rm_value *item)
{
    uint32_t hash = 0;
    size_t entry = map.kind == RM_MAP ? find(rmi_map_of(map.heap), key, key_length, &hash) : NO_ENTRY;
    if (item != NULL)
        *item = entry != NO_ENTRY ? rmi_map_of(map.heap)->entries[entry].item : rm_null();
    return entry != NO_ENTRY;
}

bool rm_map_at(rm_value map, size_t index, rm_value *key, rm_value *item)
{
    bool there = index < rm_map_length(map);
    const rmi_map_entry *entry = there ? &rmi_map_of(map.heap)->entries[index] : NULL;
    if (key != NULL)
        *key = there ? rmi_value_of(entry->key) : rm_null();
    if (item != NULL)
        *item = there ? entry->item : rm_null();
    return there;
}

int rmi_map_copy(const rm_allocator *allocator, rm_value map, rm_value *out, rm_error *err)
{
    const rmi_map_block *from = rmi_map_of(map.heap);
    int rc = rm_map_new(allocator, from->length, out, err);
    for (size_t i = 0; rc == RM_OK && i < from->length; i++) {
        rm_heap *key = rm_value_retain(rmi_value_of(from->entries[i].key)).heap;
        rmi_map_append(rmi_map_of(out->heap), key, rm_value_retain(from->entries[i].item));
    }
    return rc;
}
