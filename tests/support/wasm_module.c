#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/wasm_module.h"

typedef struct module {
    uint8_t *bytes;
    size_t length, capacity;
} module;

static void put(module *m, const void *data, size_t size)
{
    if (m->length + size > m->capacity) {
        m->capacity = (m->length + size) * 2;
        m->bytes = realloc(m->bytes, m->capacity);
        assert_non_null(m->bytes);
    }
    memcpy(m->bytes + m->length, data, size);
    m->length += size;
}

#define PUT(m, text) put(m, text, sizeof(text) - 1)

static void write_number(uint8_t to[5], size_t number)
{
    for (size_t i = 0; i < 5; i++)
        to[i] = (uint8_t)((number >> (7 * i) & 0x7f) | (i < 4 ? 0x80u : 0));
}

static void put_number(module *m, size_t number)
{
    uint8_t bytes[5];
    write_number(bytes, number);
    put(m, bytes, sizeof bytes);
}

/* Begins what is as long as rmt_end finds; returns where its length stands. */
static size_t begin(module *m)
{
    put_number(m, 0);
    return m->length - 5;
}

static size_t begin_section(module *m, uint8_t kind)
{
    put(m, &kind, 1);
    return begin(m);
}

static void end(module *m, size_t at)
{
    write_number(m->bytes + at, m->length - at - 5);
}

static void put_name(module *m, const char *name)
{
    put_number(m, strlen(name));
    put(m, name, strlen(name));
}

static void put_export(module *m, const char *name, uint8_t kind, size_t index)
{
    put_name(m, name);
    put(m, &kind, 1);
    put_number(m, index);
}

static void put_body(module *m, const void *code, size_t length)
{
    const size_t at = begin(m);
    PUT(m, "\x00"); /* no locals */
    put(m, code, length);
    PUT(m, "\x0b");
    end(m, at);
}

static void put_memory(module *m, unsigned pages)
{
    const size_t at = begin_section(m, 5);
    PUT(m, "\x01\x00");
    put_number(m, pages);
    end(m, at);
}

static void put_data(module *m, const char *address, size_t address_length, const void *data, size_t size)
{
    const size_t at = begin_section(m, 11);
    PUT(m, "\x01\x00\x41");
    put(m, address, address_length);
    PUT(m, "\x0b");
    put_number(m, size);
    put(m, data, size);
    end(m, at);
}

static void save(module *m, const char *path)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(m->bytes, 1, m->length, file), m->length);
    assert_int_equal(fclose(file), 0);
    free(m->bytes);
}

/* Long enough that its compilation takes time, the more as nothing of it can be left out. */
static void put_long_body(module *m, size_t number)
{
    const size_t at = begin(m);
    PUT(m, "\x00");
    for (size_t i = 0; i < 400; i++) { /* memory[i] += memory[number] * i */
        PUT(m, "\x41");
        put_number(m, i * 8);
        PUT(m, "\x41");
        put_number(m, i * 8);
        PUT(m, "\x28\x02\x00\x41");
        put_number(m, number % 1000 * 4);
        PUT(m, "\x28\x02\x00\x41");
        put_number(m, i);
        PUT(m, "\x6c\x6a\x36\x02\x00");
    }
    PUT(m, "\x0b");
    end(m, at);
}

void rmt_wasm_command(const char *path, const char *body, size_t length, unsigned pages, unsigned functions)
{
    static const char wasi[] = "wasi_snapshot_preview1";
    module m = {0};
    PUT(&m, "\0asm\1\0\0\0");
    size_t at = begin_section(&m, 1);
    PUT(&m, "\x03\x60\x00\x00\x60\x01\x7f\x00\x60\x04\x7f\x7f\x7f\x7f\x01\x7f");
    end(&m, at);
    at = begin_section(&m, 2);
    PUT(&m, "\x02");
    put_name(&m, wasi);
    put_name(&m, "proc_exit");
    PUT(&m, "\x00\x01");
    put_name(&m, wasi);
    put_name(&m, "fd_write");
    PUT(&m, "\x00\x02");
    end(&m, at);
    at = begin_section(&m, 3);
    put_number(&m, 1 + functions);
    for (size_t i = 0; i <= functions; i++)
        PUT(&m, "\x00");
    end(&m, at);
    put_memory(&m, pages);
    at = begin_section(&m, 7);
    PUT(&m, "\x02");
    put_export(&m, "memory", 2, 0);
    put_export(&m, "_start", 0, 2);
    end(&m, at);
    at = begin_section(&m, 10);
    put_number(&m, 1 + functions);
    put_body(&m, body, length);
    for (size_t i = 0; i < functions; i++)
        put_long_body(&m, i);
    end(&m, at);
    put_data(&m, "\x00", 1, "\x08\0\0\0\x08\0\0\0written\n", 16); /* a vector for fd_write, and its text */
    save(&m, path);
}

void rmt_wasm_node(const char *path)
{
    /* Addresses 64, 4096 and 32768: the exchange, input and output areas. */
    static const uint8_t exchange[40] = {[1] = 16, [5] = 64, [9] = 128};
    module m = {0};
    PUT(&m, "\0asm\1\0\0\0");
    size_t at = begin_section(&m, 1);
    PUT(&m, "\x03\x60\x00\x01\x7f\x60\x01\x7f\x01\x7f\x60\x02\x7f\x7f\x01\x7f");
    end(&m, at);
    at = begin_section(&m, 3);
    PUT(&m, "\x05\x00\x00\x01\x01\x02");
    end(&m, at);
    put_memory(&m, 1);
    at = begin_section(&m, 7);
    PUT(&m, "\x06");
    put_export(&m, "memory", 2, 0);
    put_export(&m, "rm_node_interface", 0, 0);
    put_export(&m, "rm_node_exchange", 0, 1);
    put_export(&m, "rm_node_reserve", 0, 2);
    put_export(&m, "rm_node_open", 0, 3);
    put_export(&m, "rm_node_process", 0, 4);
    end(&m, at);
    at = begin_section(&m, 10);
    PUT(&m, "\x05");
    put_body(&m, "\x41\x01", 2);
    put_body(&m, "\x41\xc0\x00", 3);
    put_body(&m, "\x41\x01", 2); /* there is no more room */
    put_body(&m, "\x41\x00", 2);
    /* done = the number of packets */
    put_body(&m, "\x41\xd0\x00\x41\x80\x20\x28\x02\x00\x36\x02\x00\x41\x00", 14);
    end(&m, at);
    put_data(&m, "\xc0\x00", 2, exchange, sizeof exchange);
    save(&m, path);
}
