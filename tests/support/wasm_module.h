/* For the tests of sandboxes: small WebAssembly modules, written to files. cmocka.h comes before it. */
#ifndef TESTS_SUPPORT_WASM_MODULE_H
#define TESTS_SUPPORT_WASM_MODULE_H

#include <stddef.h>

/* Instructions of a command. 0 <= code < 64; the write is of 8 bytes to standard output, again and again. */
#define RMT_WASM_EXIT(code) "\x41" code "\x10\x00"
#define RMT_WASM_LOOP "\x03\x40\x0c\x00\x0b"
#define RMT_WASM_WRITE_LOOP "\x03\x40\x41\x01\x41\x00\x41\x01\x41\x10\x10\x01\x1a\x0c\x00\x0b"
#define RMT_WASM_TRAP "\x00"

/* A WASI command whose _start is `body`, with `pages` of memory. `functions` others that nobody calls take about a
 * millisecond each to compile. The test fails where it cannot be written. */
void rmt_wasm_command(const char *path, const char *body, size_t length, unsigned pages, unsigned functions);
/* A node that takes all packets and emits nothing. */
void rmt_wasm_node(const char *path);

#endif
