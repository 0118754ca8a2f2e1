/* Compiled modules on disk: a directory of files that nobody but this user (or root) can write.
 *
 * Threads: any; several processes may use one directory at once, since each puts files in place by
 * renaming. */
#ifndef SANDBOX_CODE_CACHE_H
#define SANDBOX_CODE_CACHE_H

#include <stdbool.h>
#include <stddef.h>

#include "sandbox/shared_engine.h"

enum {
    RMI_CACHE_HEX = 65,        /* a sha256 in hexadecimal, with its NUL */
    RMI_CACHE_DAYS = 30,       /* a file is removed when nobody used it for so many days */
    RMI_CACHE_BYTES = 1 << 30, /* the most that all files may take together */
};

/* Opens the cache's directory. Returns a descriptor, owned; or -1, and logs why, where no directory can be
 * trusted. */
int rmi_cache_open(const rm_sandbox *sandbox);
/* Opens the code that was kept for `key`; -1 where there is none. A damaged file, or one of another user,
 * counts as none. */
int rmi_cache_find(int directory, const char *key);
/* Keeps code for `key`, whole or not at all, and removes old files. Returns the open file; or -1 with
 * errno. */
int rmi_cache_keep(const rm_sandbox *sandbox, int directory, const char *key, const void *code,
                   size_t length);
/* Reads the key that was noted for the file of this identity; false where none was. */
bool rmi_cache_recall(int directory, const char *identity, char key[static RMI_CACHE_HEX]);
void rmi_cache_note(int directory, const char *identity, const char *key);

#endif
