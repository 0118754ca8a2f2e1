/* What is granted: directories of the host, and single files, which appear in directories of their own. */
#include "sandbox/wasi/wasi_state.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"

/* What the guest calls it: for a file also the path that is opened, relative or absolute. */
static const char *name_of(const rm_sandbox_grant *grant)
{
    return grant->guest != NULL ? grant->guest : grant->path;
}

static int grant_error(const rm_sandbox_grant *grant, int number, rm_error *err)
{
    return rm_error_set(err, number == ENOENT ? RM_E_NOT_FOUND : RM_E_IO, "cannot give a guest %s: %s",
                        grant->path, strerror(number));
}

/* ---- Directories */

static int add_preopen(rmi_wasi *wasi, const char *name, bool write, rm_error *err)
{
    int rc = rmi_grow(wasi->allocator, (void **)&wasi->preopens, &wasi->preopen_capacity,
                      wasi->preopen_count + 1, sizeof *wasi->preopens, err);
    if (rc != RM_OK)
        return rc;
    rmi_preopen *preopen = &wasi->preopens[wasi->preopen_count];
    *preopen = (rmi_preopen){.name = rmi_copy_text(wasi->allocator, name), .write = write};
    if (preopen->name == NULL)
        return rmi_out_of_memory(err);
    wasi->preopen_count++;
    return RM_OK;
}

/* A descriptor for the preopen; `host` (-1: only granted files are in it) is consumed. */
static int open_preopen(rmi_wasi *wasi, const rmi_preopen *preopen, int host, rm_error *err)
{
    char key[RMI_WASI_PATH_SIZE];
    struct stat status = {0};
    uint32_t number = 0;
    bool named = rmi_wasi_normalise("", preopen->name, key);
    rmi_fd fd = {.kind = RMI_FD_DIRECTORY,
                 .host = host,
                 .write = preopen->write,
                 .base = WASI_RIGHTS_DIRECTORY,
                 .key = named ? rmi_copy_text(wasi->allocator, key) : NULL,
                 .preopen = preopen};
    if (host >= 0 && fstat(host, &status) == 0)
        fd.device = status.st_dev;
    if (!named || fd.key == NULL) {
        rmi_wasi_fd_close(wasi, &fd);
        return named ? rmi_out_of_memory(err)
                     : rm_error_set(err, RM_E_LIMIT, "a guest's name of a directory is too long");
    }
    int error = rmi_wasi_fd_add(wasi, &fd, &number);
    if (error == WASI_EMFILE)
        return rm_error_set(err, RM_E_LIMIT, "a guest can have %d directories", RMI_WASI_DESCRIPTORS - 3);
    return error == 0 ? RM_OK : rmi_out_of_memory(err);
}

static int open_directory(rmi_wasi *wasi, const rmi_preopen *preopen, const rm_sandbox_grant *grant,
                          rm_error *err)
{
    int host = open(grant->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (host < 0 && errno == EACCES) /* may be passed through all the same */
        host = open(grant->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (host < 0)
        return grant_error(grant, errno, err);
    if (rmi_wasi_is_proc(host)) {
        (void)close(host);
        return rm_error_set(err, RM_E_VALUE,
                            "cannot give a guest %s: the files there are this process itself", grant->path);
    }
    if (!rmi_wasi_beneath_works(host)) {
        int number = errno;
        (void)close(host);
        return rm_error_set(
            err, RM_E_MISSING_FEATURE,
            "cannot keep a guest within %s: this system has no openat2 (Linux 5.6), or does not "
            "allow it: %s",
            grant->path, strerror(number));
    }
    return open_preopen(wasi, preopen, host, err);
}

/* ---- Files */

/* Opens the directory that `path` is in, and stores the file's name there. */
static int open_parent(rmi_wasi *wasi, char *path, rmi_granted_file *file)
{
    char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1, *parent = ".";
    if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return EISDIR;
    if (strlen(name) >= RMI_WASI_NAME_SIZE)
        return ENAMETOOLONG;
    file->name = rmi_copy_text(wasi->allocator, name);
    if (file->name == NULL)
        return ENOMEM;
    if (slash == path)
        parent = "/";
    else if (slash != NULL) {
        *slash = '\0';
        parent = path;
    }
    file->parent = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return file->parent < 0 ? errno : 0;
}

/* Finds the file on the host: a link is followed now, so that a document takes the place of what it leads to. An errno. */
static int find_host_file(rmi_wasi *wasi, const rm_sandbox_grant *grant, rmi_granted_file *file)
{
    char path[PATH_MAX];
    struct stat status;
    int descriptor = open(grant->path, O_PATH | O_CLOEXEC), number = descriptor < 0 ? errno : 0;
    if (number == ENOENT && grant->write) { /* it will be made */
        if (strlen(grant->path) >= sizeof path)
            return ENAMETOOLONG;
        memcpy(path, grant->path, strlen(grant->path) + 1);
        return open_parent(wasi, path, file);
    }
    if (number != 0)
        return number;
    if (fstat(descriptor, &status) != 0)
        number = errno;
    else if (S_ISDIR(status.st_mode))
        number = EISDIR;
    else if (!S_ISREG(status.st_mode)) {
        file->special = descriptor;
        file->name = rmi_copy_text(wasi->allocator, "");
        return file->name != NULL ? 0 : ENOMEM;
    } else
        number = realpath(grant->path, path) != NULL ? open_parent(wasi, path, file) : errno;
    (void)close(descriptor);
    return number;
}

static void clear_file(rmi_wasi *wasi, rmi_granted_file *file)
{
    if (file->parent >= 0)
        (void)close(file->parent);
    if (file->special >= 0)
        (void)close(file->special);
    rmi_free_text(wasi->allocator, file->name);
    rmi_free_text(wasi->allocator, file->key);
}

/* Whether both are the same file of the host. */
static bool is_same(const rmi_granted_file *a, const rmi_granted_file *b)
{
    struct stat first, second;
    return (a->special < 0) == (b->special < 0) && strcmp(a->name, b->name) == 0 &&
           fstat(a->special >= 0 ? a->special : a->parent, &first) == 0 &&
           fstat(b->special >= 0 ? b->special : b->parent, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

/* Appends `file`, which is consumed; one that is granted a second time may be written if either says so. */
static int add_file(rmi_wasi *wasi, rmi_granted_file *file, const rm_sandbox_grant *grant, rm_error *err)
{
    for (size_t i = 0; i < wasi->file_count; i++) {
        rmi_granted_file *other = &wasi->files[i];
        if (strcmp(other->key, file->key) != 0)
            continue;
        int rc = is_same(other, file)
                     ? RM_OK
                     : rm_error_set(err, RM_E_VALUE, "two files are given to a guest by the name %s",
                                    name_of(grant));
        other->write |= rc == RM_OK && file->write;
        clear_file(wasi, file);
        return rc;
    }
    int rc = rmi_grow(wasi->allocator, (void **)&wasi->files, &wasi->file_capacity, wasi->file_count + 1,
                      sizeof *wasi->files, err);
    if (rc == RM_OK)
        wasi->files[wasi->file_count++] = *file;
    else
        clear_file(wasi, file);
    return rc;
}

static int grant_file(rmi_wasi *wasi, const rm_sandbox_grant *grant, rm_error *err)
{
    char key[RMI_WASI_PATH_SIZE];
    rmi_granted_file file = {.parent = -1, .special = -1, .write = grant->write};
    if (!rmi_wasi_normalise("", name_of(grant), key) || key[0] == '\0')
        return rm_error_set(err, RM_E_VALUE, "a guest cannot have a file by the name '%s'", name_of(grant));
    file.key = rmi_copy_text(wasi->allocator, key);
    int number = file.key == NULL ? ENOMEM : find_host_file(wasi, grant, &file);
    if (number == 0)
        return add_file(wasi, &file, grant, err);
    clear_file(wasi, &file);
    return number == ENOMEM ? rmi_out_of_memory(err) : grant_error(grant, number, err);
}

/* ---- All of it */

/* Whether a directory is granted by this name, with another way of writing it. */
static bool has_directory(const rm_sandbox_grant *grants, size_t count, bool absolute)
{
    char key[RMI_WASI_PATH_SIZE];
    for (size_t i = 0; i < count; i++)
        if (!grants[i].is_file && (name_of(&grants[i])[0] == '/') == absolute &&
            rmi_wasi_normalise("", name_of(&grants[i]), key) && key[0] == '\0')
            return true;
    return false;
}

/* "." and "/" hold the granted files that are named relative and absolute. To wasi-libc both are one, and the last counts:
 * so they come before the directories. */
static int add_roots(rmi_wasi *wasi, const rm_sandbox_grant *grants, size_t count, rm_error *err)
{
    static const char *const roots[] = {".", "/"};
    bool used[2] = {false, false};
    int rc = RM_OK;
    for (size_t i = 0; i < count; i++)
        if (grants[i].is_file)
            used[name_of(&grants[i])[0] == '/'] = true;
    for (int i = 0; i < 2 && rc == RM_OK; i++)
        if (used[i] && !has_directory(grants, count, i == 1))
            rc = add_preopen(wasi, roots[i], false, err);
    return rc;
}

int rmi_wasi_grant(rmi_wasi *wasi, const rm_sandbox_grant *grants, size_t count, rm_error *err)
{
    int rc = add_roots(wasi, grants, count, err);
    const size_t roots = wasi->preopen_count;
    for (size_t i = 0; i < count && rc == RM_OK; i++)
        rc = grants[i].is_file ? grant_file(wasi, &grants[i], err)
                               : add_preopen(wasi, name_of(&grants[i]), grants[i].write, err);
    /* Their descriptors point to the preopens, which do not move any more. */
    for (size_t i = 0; i < roots && rc == RM_OK; i++)
        rc = open_preopen(wasi, &wasi->preopens[i], -1, err);
    for (size_t i = 0, at = roots; i < count && rc == RM_OK; i++)
        if (!grants[i].is_file)
            rc = open_directory(wasi, &wasi->preopens[at++], &grants[i], err);
    if (rc == RM_OK && wasi->file_count != 0) {
        wasi->temporaries =
            rmi_alloc_zeroed(wasi->allocator, RMI_WASI_TEMPORARIES * sizeof *wasi->temporaries);
        if (wasi->temporaries == NULL)
            rc = rmi_out_of_memory(err);
    }
    return rc;
}

void rmi_wasi_grant_clear(rmi_wasi *wasi)
{
    for (size_t i = 0; i < wasi->preopen_count; i++)
        rmi_free_text(wasi->allocator, wasi->preopens[i].name);
    rmi_free(wasi->allocator, wasi->preopens, wasi->preopen_capacity * sizeof *wasi->preopens);
    for (size_t i = 0; i < wasi->file_count; i++)
        clear_file(wasi, &wasi->files[i]);
    rmi_free(wasi->allocator, wasi->files, wasi->file_capacity * sizeof *wasi->files);
    rmi_free(wasi->allocator, wasi->temporaries, RMI_WASI_TEMPORARIES * sizeof *wasi->temporaries);
}
