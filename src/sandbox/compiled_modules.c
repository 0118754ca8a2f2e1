/* Compiled modules on disk. A file holds the engine's code and behind it a mark that says what it was made from, with a
 * checksum of the code, so that a file that was cut or damaged is compiled anew. Code is trusted as the program itself is:
 * a file counts only when it and its directory belong to this user (or root) and nobody else may write to them.
 *
 * A file has two names: one by the module's content, and one by what the module's file is (device, inode, size, times),
 * under which it is found without reading the module. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/sha256.h"
#include "sandbox/shared_engine.h"

enum { NAME_SIZE = 80, LARGEST_MODULE = 512 << 20 };

/* Behind the code. */
typedef struct mark {
    char magic[16];
    char key[64]; /* sha256 of module and engine_key, in hexadecimal */
    uint64_t length, checksum;
} mark;
static const char magic[16] = "remotemedia-code";

/* A 64-bit checksum for damage, not against malice: four lanes of multiply and rotate. */
static uint64_t checksum(const uint8_t *data, size_t size)
{
    const uint64_t prime = UINT64_C(0x9E3779B97F4A7C15);
    uint64_t lanes[4] = {size, 1, 2, 3}, word, sum = prime;
    size_t at = 0;
    for (; size - at >= 32; at += 32)
        for (size_t i = 0; i < 4; i++) {
            memcpy(&word, data + at + 8 * i, 8);
            lanes[i] = (lanes[i] ^ word) * prime;
            lanes[i] = lanes[i] << 31 | lanes[i] >> 33;
        }
    for (; at < size; at++)
        sum = (sum ^ data[at]) * prime;
    for (size_t i = 0; i < 4; i++)
        sum = ((sum ^ lanes[i]) * prime) ^ (sum >> 29);
    return sum;
}

/* ---- The directory */

static bool is_ours(const struct stat *status)
{
    return (status->st_uid == geteuid() || status->st_uid == 0) && (status->st_mode & 022) == 0;
}

static bool default_directory(char path[static RMI_SANDBOX_PATH])
{
    const char *given = getenv("REMOTEMEDIA_CACHE_DIR"), *xdg = getenv("XDG_CACHE_HOME"),
               *home = getenv("HOME");
    int length = 0;
    if (given != NULL && given[0] == '/')
        length = snprintf(path, RMI_SANDBOX_PATH, "%s", given);
    else if (xdg != NULL && xdg[0] == '/')
        length = snprintf(path, RMI_SANDBOX_PATH, "%s/remotemedia/compiled", xdg);
    else if (home != NULL && home[0] == '/')
        length = snprintf(path, RMI_SANDBOX_PATH, "%s/.cache/remotemedia/compiled", home);
    return length > 0 && length < RMI_SANDBOX_PATH;
}

static void make_directories(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(path, 0755);
        *slash = '/';
    }
    (void)mkdir(path, 0700);
}

/* The cache's directory, or -1 where there is none that can be trusted. */
static int open_directory(const rm_sandbox *sandbox)
{
    char path[RMI_SANDBOX_PATH];
    struct stat status;
    if (sandbox->cache[0] != '\0')
        memcpy(path, sandbox->cache, sizeof path);
    else if (!default_directory(path))
        return -1;
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0 && errno == ENOENT) {
        make_directories(path);
        directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    if (directory >= 0 && fstat(directory, &status) == 0 && is_ours(&status))
        return directory;
    rmi_sandbox_log(sandbox, RM_LOG_WARNING,
                    directory < 0 ? "compiled modules are not kept: %s cannot be used (%s)"
                                  : "compiled modules are not kept: others can write to %s (%s)",
                    path, directory < 0 ? strerror(errno) : "chmod go-w makes it usable");
    if (directory >= 0)
        (void)close(directory);
    return -1;
}

/* ---- Its files */

/* Whether the open file is whole code for `key` (NULL: for any). */
static bool is_whole(int file, const char *key)
{
    struct stat status;
    mark found;
    if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode) || !is_ours(&status) ||
        status.st_size <= (off_t)sizeof found)
        return false;
    const size_t size = (size_t)status.st_size, code = size - sizeof found;
    const uint8_t *data = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0);
    if (data == MAP_FAILED)
        return false;
    memcpy(&found, data + code, sizeof found);
    const bool whole = memcmp(found.magic, magic, sizeof magic) == 0 && found.length == code &&
                       (key == NULL || memcmp(found.key, key, sizeof found.key) == 0) &&
                       found.checksum == checksum(data, code);
    (void)munmap((void *)data, size);
    return whole;
}

/* A file of the cache that can be used, open; or -1. */
static int open_code(int directory, const char *name, const char *key)
{
    const int file = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0 || is_whole(file, key))
        return file;
    (void)close(file);
    return -1;
}

static bool write_all(int file, const void *data, size_t size)
{
    const uint8_t *at = data;
    while (size > 0) {
        const ssize_t wrote = write(file, at, size);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return false;
        at += wrote;
        size -= (size_t)wrote;
    }
    return true;
}

static bool write_code(int file, const char *key, const uint8_t *code, size_t length)
{
    mark made = {.length = length, .checksum = checksum(code, length)};
    memcpy(made.magic, magic, sizeof magic);
    memcpy(made.key, key, sizeof made.key);
    return write_all(file, code, length) && write_all(file, &made, sizeof made);
}

/* Puts the file under `name`, whole or not at all. */
static int keep_code(int directory, const char *name, const char *key, const uint8_t *code, size_t length)
{
    char part[NAME_SIZE];
    (void)snprintf(part, sizeof part, ".%ld-%d.part", (long)getpid(), directory);
    (void)unlinkat(directory, part, 0);
    const int file = openat(directory, part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0)
        return -1;
    if (write_code(file, key, code, length) && renameat(directory, part, directory, name) == 0)
        return file;
    (void)unlinkat(directory, part, 0);
    (void)close(file);
    return -1;
}

/* `name` is another name of `kept` from here on. */
static void link_code(int directory, const char *kept, const char *name)
{
    char part[NAME_SIZE];
    (void)snprintf(part, sizeof part, ".%ld-%d.link", (long)getpid(), directory);
    (void)unlinkat(directory, part, 0);
    if (linkat(directory, kept, directory, part, 0) == 0 && renameat(directory, part, directory, name) != 0)
        (void)unlinkat(directory, part, 0);
    (void)unlinkat(directory, part, 0); /* a rename onto the same file leaves it */
}

/* ---- The module */

typedef struct module_source {
    int file;
    struct stat status;
    const uint8_t *data; /* mapped when it is needed */
    char by_file[NAME_SIZE], by_content[NAME_SIZE], key[65];
} module_source;

static int open_source(module_source *from, const char *path, const char *engine_key, rm_error *err)
{
    rmi_sha256 hash;
    char hex[65], text[512];
    from->file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* it may be a pipe */
    if (from->file < 0 || fstat(from->file, &from->status) != 0)
        return rm_error_set(err, errno == ENOENT ? RM_E_NOT_FOUND : RM_E_IO, "cannot read %s: %s", path,
                            strerror(errno));
    if (!S_ISREG(from->status.st_mode) || from->status.st_size == 0)
        return rm_error_set(err, RM_E_PARSE, "%s is not a WebAssembly module", path);
    if (from->status.st_size > LARGEST_MODULE)
        return rm_error_set(err, RM_E_LIMIT, "%s is larger than %d MiB", path, LARGEST_MODULE >> 20);
    const int length = snprintf(
        text, sizeof text, "%llu %llu %lld %lld.%ld %lld.%ld %s", (unsigned long long)from->status.st_dev,
        (unsigned long long)from->status.st_ino, (long long)from->status.st_size,
        (long long)from->status.st_mtim.tv_sec, from->status.st_mtim.tv_nsec,
        (long long)from->status.st_ctim.tv_sec, from->status.st_ctim.tv_nsec, engine_key);
    rmi_sha256_init(&hash);
    rmi_sha256_add(&hash, text, (size_t)length);
    rmi_sha256_hex(&hash, hex);
    (void)snprintf(from->by_file, sizeof from->by_file, "f-%.40s.cwasm", hex);
    return RM_OK;
}

static int read_source(module_source *from, const char *path, const char *engine_key, rm_error *err)
{
    rmi_sha256 hash;
    const size_t size = (size_t)from->status.st_size;
    if (size < 4)
        return rm_error_set(err, RM_E_PARSE, "%s is not a WebAssembly module", path);
    uint8_t *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data == MAP_FAILED)
        return rmi_out_of_memory(err);
    from->data = data; /* a copy: others may write to the file, or cut it, while it is compiled */
    for (size_t at = 0; at < size;) {
        const ssize_t got = pread(from->file, data + at, size - at, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return rm_error_set(err, RM_E_IO, "cannot read %s: %s", path,
                                got < 0 ? strerror(errno) : "it was cut");
        at += (size_t)got;
    }
    if (memcmp(data, "\0asm", 4) != 0)
        return rm_error_set(err, RM_E_PARSE, "%s is not a WebAssembly module", path);
    rmi_sha256_init(&hash);
    rmi_sha256_add(&hash, engine_key, strlen(engine_key) + 1);
    rmi_sha256_add(&hash, data, size);
    rmi_sha256_hex(&hash, from->key);
    (void)snprintf(from->by_content, sizeof from->by_content, "c-%.64s.cwasm", from->key);
    return RM_OK;
}

static void close_source(module_source *from)
{
    if (from->data != NULL)
        (void)munmap((void *)from->data, (size_t)from->status.st_size);
    if (from->file >= 0)
        (void)close(from->file);
}

/* ---- Both together */

/* Code in a file of the cache or, where there is no cache, of memory; *file is owned. */
static int compile(rm_sandbox *sandbox, rmi_engine *engine, const char *path, const module_source *from,
                   int directory, int *file, rm_error *err)
{
    uint8_t *code = NULL;
    size_t length = 0;
    rmi_sandbox_log(sandbox, RM_LOG_INFO, "compiling %s", path);
    int rc = sandbox->api->compile(engine, from->data, (size_t)from->status.st_size, &code, &length, err);
    if (rc != RM_OK) {
        if (err != NULL) {
            char said[sizeof err->message];
            memcpy(said, err->message, sizeof said);
            rc = rm_error_set(err, rc, "%.200s: %.300s", path, said);
        }
        return rc;
    }
    *file = directory >= 0 ? keep_code(directory, from->by_content, from->key, code, length) : -1;
    if (*file < 0) {
        *file = memfd_create("remotemedia-code", MFD_CLOEXEC);
        if (*file < 0 || !write_code(*file, from->key, code, length))
            rc = rm_error_set(err, RM_E_IO, "compiled code of %s cannot be kept in memory: %s", path,
                              strerror(errno));
    }
    sandbox->api->code_free(code, length);
    return rc;
}

static int load_open(rm_sandbox *sandbox, rmi_engine *engine, int file, rmi_module **out, rm_error *err)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    return sandbox->api->load(engine, path, rmi_wasi_imports, out, err);
}

static int load_from(rm_sandbox *sandbox, rmi_engine *engine, const char *path, module_source *from,
                     int directory, rmi_module **out, rm_error *err)
{
    const char *engine_key = sandbox->api->engine_key(engine);
    int rc = RM_E_NOT_FOUND;
    int file = directory >= 0 ? open_code(directory, from->by_file, NULL) : -1;
    if (file >= 0) {
        rc = load_open(sandbox, engine, file, out, err);
        (void)close(file);
        if (rc != RM_E_PARSE) /* the engine may refuse it: compiled elsewhere */
            return rc;
    }
    rc = read_source(from, path, engine_key, err);
    if (rc != RM_OK)
        return rc;
    file = directory >= 0 ? open_code(directory, from->by_content, from->key) : -1;
    rc = file >= 0 ? load_open(sandbox, engine, file, out, err) : RM_E_PARSE;
    if (rc == RM_E_PARSE) {
        if (file >= 0)
            (void)close(file);
        file = -1;
        rc = compile(sandbox, engine, path, from, directory, &file, err);
        if (rc == RM_OK)
            rc = load_open(sandbox, engine, file, out, err);
    }
    if (rc == RM_OK && directory >= 0)
        link_code(directory, from->by_content, from->by_file);
    if (file >= 0)
        (void)close(file);
    return rc;
}

int rmi_code_load(rm_sandbox *sandbox, rmi_engine *engine, const char *path, rmi_module **out, rm_error *err)
{
    module_source from = {.file = -1};
    int directory = -1;
    *out = NULL;
    int rc = open_source(&from, path, sandbox->api->engine_key(engine), err);
    if (rc == RM_OK) {
        directory = open_directory(sandbox);
        rc = load_from(sandbox, engine, path, &from, directory, out, err);
    }
    if (directory >= 0)
        (void)close(directory);
    close_source(&from);
    return rc;
}
