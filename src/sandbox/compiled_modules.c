/* A module's file, and the code that the engine compiles from it. The code's key is a sha256 of all that it
 * depends on: the module's bytes, the engine's version and settings. Code is found only by its key.
 *
 * Reading and hashing a large module takes longer than loading its code. So the cache notes the key under the
 * file's identity: device, inode, size and times. A file that was just changed may change again within the
 * same time stamp: its key is not noted before it has stayed unchanged for a while. */
#include "sandbox/compiled_modules.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/sha256.h"
#include "sandbox/compile.h"

enum { LARGEST_MODULE = 512 << 20, STILL_SECONDS = 2, PIECE = 1 << 20 };

/* ---- The module */

static void identify(rmi_source *from, const struct stat *status)
{
    rmi_sha256 hash;
    char text[512];
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_REALTIME, &now);
    const int length =
        snprintf(text, sizeof text, "%llu %llu %lld %lld.%ld %lld.%ld %s", (unsigned long long)status->st_dev,
                 (unsigned long long)status->st_ino, (long long)status->st_size,
                 (long long)status->st_mtim.tv_sec, status->st_mtim.tv_nsec,
                 (long long)status->st_ctim.tv_sec, status->st_ctim.tv_nsec, from->engine_key);
    rmi_sha256_init(&hash);
    rmi_sha256_add(&hash, text, (size_t)length);
    rmi_sha256_hex(&hash, from->identity);
    from->is_still = now.tv_sec - status->st_ctim.tv_sec > STILL_SECONDS;
}

int rmi_source_open(rmi_source *from, const char *path, const char *engine_key, rm_error *err)
{
    struct stat status;
    *from = (rmi_source){.path = path, .engine_key = engine_key, .copy = -1};
    from->file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* opening a pipe would wait */
    if (from->file < 0 || fstat(from->file, &status) != 0)
        return rm_error_set(err, errno == ENOENT ? RM_E_NOT_FOUND : RM_E_IO, "cannot read %s: %s", path,
                            strerror(errno));
    if (!S_ISREG(status.st_mode) || status.st_size == 0)
        return rm_error_set(err, RM_E_PARSE, "%s is not a WebAssembly module", path);
    if (status.st_size > LARGEST_MODULE)
        return rm_error_set(err, RM_E_LIMIT, "%s is larger than %d MiB", path, LARGEST_MODULE >> 20);
    from->size = (size_t)status.st_size;
    identify(from, &status);
    return RM_OK;
}

void rmi_source_close(rmi_source *from)
{
    if (from->copy >= 0)
        (void)close(from->copy);
    if (from->file >= 0)
        (void)close(from->file);
}

/* Reads `size` bytes of the module from offset `at`. */
static int read_piece(const rmi_source *from, uint8_t *piece, size_t size, size_t at, rm_error *err)
{
    for (size_t have = 0; have < size;) {
        const ssize_t got = pread(from->file, piece + have, size - have, (off_t)(at + have));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return rm_error_set(err, RM_E_IO, "cannot read %s: %s", from->path,
                                got < 0 ? strerror(errno) : "it was cut");
        have += (size_t)got;
    }
    return RM_OK;
}

/* Copies the module and hashes the copy: others may write to the file, or cut it, while the module is
 * compiled. */
static int copy_and_hash(rmi_source *from, uint8_t *piece, rm_error *err)
{
    rmi_sha256 hash;
    int rc = RM_OK;
    rmi_sha256_init(&hash);
    rmi_sha256_add(&hash, from->engine_key, strlen(from->engine_key) + 1);
    for (size_t at = 0; rc == RM_OK && at < from->size; at += PIECE) {
        const size_t size = from->size - at < PIECE ? from->size - at : PIECE;
        rc = read_piece(from, piece, size, at, err);
        if (rc == RM_OK && at == 0 && (size < 4 || memcmp(piece, "\0asm", 4) != 0))
            rc = rm_error_set(err, RM_E_PARSE, "%s is not a WebAssembly module", from->path);
        if (rc == RM_OK && !rmi_platform_write_all(from->copy, piece, size))
            rc = rm_error_set(err, RM_E_IO, "cannot copy %s: %s", from->path, strerror(errno));
        rmi_sha256_add(&hash, piece, size);
    }
    rmi_sha256_hex(&hash, from->key);
    return rc;
}

static int read_source(rmi_source *from, const rm_allocator *allocator, rm_error *err)
{
    uint8_t *piece = rmi_alloc(allocator, PIECE);
    if (piece == NULL)
        return rmi_out_of_memory(err);
    from->copy = memfd_create("remotemedia-module", MFD_CLOEXEC);
    const int rc = from->copy >= 0
                       ? copy_and_hash(from, piece, err)
                       : rm_error_set(err, RM_E_IO, "cannot copy %s: %s", from->path, strerror(errno));
    rmi_free(allocator, piece, PIECE);
    return rc;
}

/* Whether the file has the identity that it had when it was opened. */
static bool is_unchanged(const rmi_source *from)
{
    rmi_source again = {.engine_key = from->engine_key};
    struct stat status;
    if (fstat(from->file, &status) != 0)
        return false;
    identify(&again, &status);
    return strcmp(again.identity, from->identity) == 0;
}

int rmi_source_key(rmi_source *from, const rm_sandbox *sandbox, int cache, rm_error *err)
{
    if (cache >= 0 && from->is_still && rmi_cache_recall(cache, from->identity, from->key))
        return RM_OK;
    const int rc = read_source(from, sandbox->allocator, err);
    from->is_still = from->is_still && is_unchanged(from);
    if (rc == RM_OK && cache >= 0 && from->is_still)
        rmi_cache_note(cache, from->identity, from->key);
    return rc;
}

/* ---- Its code */

/* Puts code that was just compiled into the cache and replaces *file; where that fails, the code stays in
 * memory. */
static void keep(const rm_sandbox *sandbox, const rmi_source *from, int cache, int *file)
{
    struct stat status;
    if (cache < 0 || fstat(*file, &status) != 0 || status.st_size <= 0)
        return;
    const size_t length = (size_t)status.st_size;
    const void *code = mmap(NULL, length, PROT_READ, MAP_SHARED, *file, 0);
    if (code == MAP_FAILED)
        return;
    const int kept = rmi_cache_keep(sandbox, cache, from->key, code, length);
    if (kept >= 0) {
        (void)close(*file);
        *file = kept;
    } else {
        rmi_sandbox_log(sandbox, RM_LOG_WARNING, "compiled code of %s is not kept: %s", from->path,
                        strerror(errno));
    }
    (void)munmap((void *)code, length);
}

/* *file is owned, also after a failure. */
static int compile(rm_sandbox *sandbox, const rmi_wanted *wanted, rmi_source *from, int cache, int *file,
                   rm_error *err)
{
    int rc = from->copy < 0 ? read_source(from, sandbox->allocator, err) : RM_OK; /* only the key was known */
    if (rc != RM_OK)
        return rc;
    rmi_sandbox_log(sandbox, RM_LOG_INFO, "compiling %s", from->path);
    *file = memfd_create("remotemedia-code", MFD_CLOEXEC);
    if (*file < 0)
        return rm_error_set(err, RM_E_IO, "compiled code of %s cannot be kept in memory: %s", from->path,
                            strerror(errno));
    rc = rmi_compile_module(sandbox, &wanted->config, from->engine_key, from->path, from->copy, *file,
                            wanted->patience, err);
    if (rc == RM_OK)
        keep(sandbox, from, cache, file);
    return rc;
}

static int load_open(const rm_sandbox *sandbox, rmi_engine *engine, int file, rmi_module **out, rm_error *err)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    return sandbox->api->load(engine, path, rmi_wasi_imports, out, err);
}

int rmi_code_load(rm_sandbox *sandbox, const rmi_wanted *wanted, rmi_source *from, int cache,
                  rmi_module **out, rm_error *err)
{
    *out = NULL;
    int file = cache >= 0 ? rmi_cache_find(cache, from->key) : -1;
    int rc = file >= 0 ? load_open(sandbox, wanted->engine, file, out, err) : RM_E_PARSE;
    if (rc == RM_E_PARSE) { /* the cache has no code, or the engine refuses it */
        if (file >= 0)
            (void)close(file);
        file = -1;
        rc = compile(sandbox, wanted, from, cache, &file, err);
        if (rc == RM_OK)
            rc = load_open(sandbox, wanted->engine, file, out, err);
    }
    if (file >= 0)
        (void)close(file);
    return rc;
}
