/* Compiled modules on disk: a directory of files that only this user (or root) can have written.
 *
 * Threads: any; several processes may use one directory at once, since files are put in place by renaming. */
#ifndef SANDBOX_CODE_CACHE_H
#define SANDBOX_CODE_CACHE_H

#include <stdbool.h>
#include <stddef.h>

#include "sandbox/shared_engine.h"

enum {
    RMI_CACHE_HEX = 65,        /* a sha256 in hexadecimal, with its end */
    RMI_CACHE_DAYS = 30,       /* a file that nobody used for so long is removed */
    RMI_CACHE_BYTES = 1 << 30, /* what all files may take together */
};

/* The cache's directory, a descriptor that is owned; or -1 where there is none that can be trusted, which the log says. */
int rmi_cache_open(const rm_sandbox *sandbox);
/* Whole code that was kept for `key`, open; or -1. What is damaged, or is not ours, counts as not there. */
int rmi_cache_find(int directory, const char *key);
/* Puts code in place for `key`, whole or not at all, and removes what is old. Returns the file, open; or -1 with errno. */
int rmi_cache_keep(const rm_sandbox *sandbox, int directory, const char *key, const void *code,
                   size_t length);
/* The key that was noted for the file of this identity; false where there is none. */
bool rmi_cache_recall(int directory, const char *identity, char key[static RMI_CACHE_HEX]);
void rmi_cache_note(int directory, const char *identity, const char *key);

#endif
