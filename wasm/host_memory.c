#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>

#include "base/alloc.h"
#include "wasm/reactor.h"

typedef struct block {
    struct block *next;
    uint32_t size;
    uint32_t owners; /* the host, and tensors */
    alignas(max_align_t) unsigned char data[];
} block;

/* The newest block first. A list is enough: a host has few blocks at a time. */
static block *blocks;

void *rmi_host_alloc(uint32_t size)
{
    block *made = size < SIZE_MAX - sizeof *made ? rmi_alloc(NULL, sizeof *made + size) : NULL;
    if (made == NULL)
        return NULL;
    made->next = blocks;
    made->size = size;
    made->owners = 1;
    blocks = made;
    return made->data;
}

int rmi_host_release(void *data, rm_error *err)
{
    block **at = &blocks;
    while (*at != NULL && (*at)->data != data)
        at = &(*at)->next;
    if (*at == NULL)
        return rm_error_set(err, RM_E_USAGE, "address %zu was not given by rm_alloc, or is released already",
                            (size_t)(uintptr_t)data);
    block *found = *at;
    *at = found->next;
    rmi_host_give_back(found);
    return RM_OK;
}

/* The block with these bytes; NULL: they are not in one. */
static block *find(const void *data, uint32_t length)
{
    const uintptr_t wanted = (uintptr_t)data;
    for (block *at = blocks; at != NULL; at = at->next) {
        const uintptr_t start = (uintptr_t)at->data;
        if (wanted >= start && length <= at->size && wanted - start <= at->size - length)
            return at;
    }
    return NULL;
}

void *rmi_host_share(const void *data)
{
    block *shared = find(data, 0);
    if (shared != NULL)
        shared->owners++;
    return shared;
}

void rmi_host_give_back(void *shared)
{
    block *given = shared;
    if (--given->owners == 0)
        rmi_free(NULL, given, sizeof *given + given->size);
}

int rmi_host_check(const void *data, uint32_t length, const char *what, rm_error *err)
{
    if (length == 0 || find(data, length) != NULL)
        return RM_OK;
    return rm_error_set(err, RM_E_USAGE, "%s: %u bytes at %zu are not inside a block that rm_alloc gave",
                        what, (unsigned)length, (size_t)(uintptr_t)data);
}
