/* For the tests of WASI: a guest that is only memory, and calls the functions that it would import. */
#ifndef TESTS_SUPPORT_WASI_GUEST_H
#define TESTS_SUPPORT_WASI_GUEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sandbox/wasi/wasi.h"
#include "sandbox/wasi/wasi_numbers.h"

enum { RMT_GUEST_MEMORY = 1 << 18, RMT_ENDED = -1 };

/* `memory` is a block of exactly its size, so that a sanitizer sees accesses outside. */
typedef struct rmt_guest {
    rmi_wasi *wasi;
    uint8_t *memory;
    uint32_t used; /* bytes used by rmt_guest_put */
} rmt_guest;

/* Makes a guest with the grants of `config` only; fails the test when that is not possible. */
void rmt_guest_init(rmt_guest *guest, const rmi_wasi_config *config);
void rmt_guest_clear(rmt_guest *guest);

/* Skips the test where directories cannot be granted: under valgrind, which does not know openat2. */
void rmt_guest_needs_directories(void);

/* Calls an import by its name. Returns its errno, or RMT_ENDED when it ends the call. */
int rmt_guest_call(rmt_guest *guest, const char *name, const uint64_t *args);
#define RMT_GUEST_CALL(guest, name, ...) rmt_guest_call(guest, name, (const uint64_t[]){__VA_ARGS__})
/* Calls an import with the same `value` for every argument. */
int rmt_guest_call_with_all(rmt_guest *guest, const rmi_import *import, uint64_t value);

/* Puts bytes into the guest's memory; returns their address. */
uint32_t rmt_guest_put(rmt_guest *guest, const void *data, size_t size);
uint32_t rmt_guest_get32(const rmt_guest *guest, uint32_t address);
uint64_t rmt_guest_get64(const rmt_guest *guest, uint32_t address);

/* path_open that follows links. Returns the descriptor, or minus an errno. */
int rmt_guest_open(rmt_guest *guest, uint32_t directory, const char *path, unsigned how, uint64_t rights);
/* fd_write and fd_read of one vector. Return the count, or minus an errno and 1000; or RMT_ENDED. */
int rmt_guest_write(rmt_guest *guest, uint32_t fd, const char *text);
int rmt_guest_read(rmt_guest *guest, uint32_t fd, char *out, size_t size);
/* Calls a function of a directory and one path. */
int rmt_guest_path(rmt_guest *guest, const char *name, uint32_t directory, const char *path);
/* path_rename and path_link within one directory, path_symlink. */
int rmt_guest_rename(rmt_guest *guest, uint32_t directory, const char *from, const char *to);
int rmt_guest_link(rmt_guest *guest, uint32_t from_directory, const char *from, uint32_t directory,
                   const char *to);
int rmt_guest_symlink(rmt_guest *guest, const char *target, uint32_t directory, const char *path);
/* path_filestat_get. Returns its errno, and type and size of the file. */
int rmt_guest_stat(rmt_guest *guest, uint32_t directory, const char *path, bool follow, int *type,
                   uint64_t *size);
/* The names of fd_readdir, sorted and joined with spaces, without "." and ".."; reads `size` bytes at a
 * time. */
int rmt_guest_list(rmt_guest *guest, uint32_t fd, uint32_t size, char *out, size_t out_size);

/* Makes an empty directory of the host and stores its path; skips the test where it could not be granted. */
void rmt_directory_make(char path[64]);
/* Removes it with its content. */
void rmt_directory_remove(const char *path);

/* A directory of the host with this in it:
 *   secret, out.json; in/a.txt, in/sub/b.txt, in/fifo, and links in/to_*, in/sub/up */
typedef struct rmt_files {
    char directory[64];
    int descriptors; /* number open before */
} rmt_files;
void rmt_files_make(rmt_files *files);
/* Also fails the test when the process has more descriptors open than before. */
void rmt_files_clear(const rmt_files *files);
void rmt_files_path(const rmt_files *files, const char *name, char path[128]);
void rmt_files_add(const rmt_files *files, const char *name, const char *text);
/* Whether the file has this content; NULL: whether there is no file. */
bool rmt_files_is(const rmt_files *files, const char *name, const char *text);
/* Makes a guest with up to four of them granted (or files with absolute paths). */
void rmt_files_grant(rmt_guest *guest, const rmt_files *files, const rm_sandbox_grant *grants, size_t count);
/* Reads a path as a guest. Returns the length, or minus the error. */
int rmt_guest_read_path(rmt_guest *guest, uint32_t directory, const char *path, char *out, size_t size);

/* The number of descriptors that the process has open. */
int rmt_open_descriptors(void);

#endif
