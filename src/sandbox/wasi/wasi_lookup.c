/* Where a path of the guest leads: granted files come first, then what lies in the granted directory. */
#include "sandbox/wasi/wasi_state.h"

#include <unistd.h>

/* ---- Names from the root */

/* Adds one component; ".." takes one away. */
static bool add_component(char *out, size_t *length, const char *name, size_t size)
{
    size_t last = *length;
    while (last > 0 && out[last - 1] != '/')
        last--;
    bool up = size == 2 && name[0] == '.' && name[1] == '.';
    bool last_is_up = *length - last == 2 && out[last] == '.' && out[last + 1] == '.';
    if (size == 0 || (size == 1 && name[0] == '.'))
        return true;
    if (up && *length != 0 && !last_is_up) {
        *length = last == 0 ? 0 : last - 1;
        return true;
    }
    if (*length + size + 2 > RMI_WASI_PATH_SIZE)
        return false;
    if (*length != 0)
        out[(*length)++] = '/';
    memcpy(out + *length, name, size);
    *length += size;
    return true;
}

bool rmi_wasi_normalise(const char *prefix, const char *path, char out[RMI_WASI_PATH_SIZE])
{
    const char *parts[] = {prefix, path};
    size_t length = 0;
    bool fits = true;
    for (int i = 0; i < 2 && fits; i++) {
        for (const char *at = parts[i]; fits && *at != '\0';) {
            size_t size = strcspn(at, "/");
            fits = add_component(out, &length, at, size);
            at += size + strspn(at + size, "/");
        }
    }
    out[length] = '\0';
    return fits;
}

/* wasi-libc takes ".." away at the root: "../x" may come as "x". */
static const char *below_root(const char *key)
{
    while (strncmp(key, "../", 3) == 0)
        key += 3;
    return key;
}

/* ---- Granted files */

/* What comes after the file's name in "<file>.<anything>", or NULL. */
static const char *beside(const rmi_granted_file *file, const char *file_key, const char *key)
{
    size_t length = strlen(file_key);
    if (!file->write || file->special >= 0 || strncmp(key, file_key, length) != 0 || key[length] != '.' ||
        key[length + 1] == '\0' || strchr(key + length, '/') != NULL)
        return NULL;
    return key + length;
}

static bool leads_to(const char *key, const char *file_key)
{
    size_t length = strlen(key);
    return length == 0 || (strncmp(key, file_key, length) == 0 && file_key[length] == '/');
}

static rmi_temporary *find_temporary(rmi_wasi *wasi, const rmi_wasi_target *place)
{
    for (size_t i = 0; i < RMI_WASI_TEMPORARIES; i++)
        if (wasi->temporaries[i].file == place->file && strcmp(wasi->temporaries[i].name, place->name) == 0)
            return &wasi->temporaries[i];
    return NULL;
}

/* One way of naming the files: by their keys, or by those without ".." at the front. */
static int find_file(rmi_wasi *wasi, rmi_wasi_target *place, bool rooted)
{
    const char *suffix = NULL;
    for (size_t i = 0; i < wasi->file_count; i++) {
        const rmi_granted_file *file = &wasi->files[i];
        const char *key = rooted ? below_root(file->key) : file->key;
        place->leads = place->leads || leads_to(place->key, key);
        if (strcmp(place->key, key) == 0) {
            place->file = file;
            place->beside = false;
            memcpy(place->name, file->name, strlen(file->name) + 1);
            return 0;
        }
        const char *after = beside(file, key, place->key);
        if (after != NULL) {
            place->file = file;
            place->beside = true;
            suffix = after;
        }
    }
    if (place->file == NULL)
        return 0;
    const char *parts[] = {place->file->name, suffix};
    if (strlen(parts[0]) + strlen(parts[1]) >= sizeof place->name)
        return WASI_ENAMETOOLONG;
    memcpy(place->name, parts[0], strlen(parts[0]));
    memcpy(place->name + strlen(parts[0]), parts[1], strlen(parts[1]) + 1);
    place->temporary = find_temporary(wasi, place);
    return 0;
}

bool rmi_wasi_any_written(const rmi_wasi *wasi, const rmi_fd *directory)
{
    bool write = directory->write;
    for (size_t i = 0; i < wasi->file_count && directory->key != NULL; i++)
        if (leads_to(directory->key, wasi->files[i].key))
            write |= wasi->files[i].write;
    return write;
}

bool rmi_wasi_is_granted(const rmi_wasi_target *place)
{
    return place->file != NULL && (!place->beside || place->temporary != NULL);
}

/* ---- Places */

int rmi_wasi_copy_path(rmi_guest_memory memory, uint32_t address, uint32_t length,
                       char out[RMI_WASI_PATH_SIZE])
{
    const char *path = rmi_guest_range(memory, address, length);
    if (path == NULL)
        return WASI_EFAULT;
    if (length == 0)
        return WASI_ENOENT;
    if (length >= RMI_WASI_PATH_SIZE)
        return WASI_ENAMETOOLONG;
    if (memchr(path, '\0', length) != NULL)
        return WASI_EINVAL;
    memcpy(out, path, length);
    out[length] = '\0';
    return out[0] == '/' ? WASI_EPERM : 0;
}

/* Whether the granted file is just what the path leads to in a directory that may be written: then it is that. */
static bool is_in_directory(const rmi_wasi_target *place)
{
    const rmi_fd *directory = place->directory;
    char name[RMI_WASI_NAME_SIZE];
    struct stat here, granted;
    int parent = -1;
    if (directory->host < 0 || !directory->write || place->file->special >= 0)
        return false;
    if (rmi_wasi_parent(directory, place->path, &parent, name) != 0)
        return false;
    bool same = strcmp(name, place->name) == 0 && fstat(parent, &here) == 0 &&
                fstat(place->file->parent, &granted) == 0 && here.st_dev == granted.st_dev &&
                here.st_ino == granted.st_ino;
    (void)close(parent);
    return same;
}

int rmi_wasi_place(rmi_wasi *wasi, rmi_guest_memory memory, uint32_t fd, uint32_t path, uint32_t length,
                   rmi_wasi_target *out)
{
    rmi_fd *directory = rmi_wasi_fd(wasi, fd);
    if (directory == NULL)
        return WASI_EBADF;
    if (directory->kind != RMI_FD_DIRECTORY)
        return WASI_ENOTDIR;
    int error = rmi_wasi_copy_path(memory, path, length, out->path);
    if (error != 0)
        return error;
    out->directory = directory;
    out->slash = out->path[length - 1] == '/';
    out->keyed = wasi->file_count != 0 && directory->key != NULL &&
                 rmi_wasi_normalise(directory->key, out->path, out->key);
    out->file = NULL;
    out->temporary = NULL;
    out->beside = out->leads = false;
    if (out->keyed)
        error = find_file(wasi, out, false);
    if (out->keyed && error == 0 && out->file == NULL)
        error = find_file(wasi, out, true);
    if (error == 0 && out->file != NULL && is_in_directory(out)) { /* as any file of that directory */
        out->file = NULL;
        out->temporary = NULL;
        out->beside = false;
    }
    if (error == 0 && out->file != NULL && !out->beside && out->slash)
        error = WASI_ENOTDIR;
    return error;
}

void rmi_wasi_virtual_stat(const char *key, struct stat *status)
{
    uint64_t hash = 14695981039346656037u; /* FNV-1a, so that each has a number of its own */
    for (; *key != '\0'; key++)
        hash = (hash ^ (unsigned char)*key) * 1099511628211u;
    *status = (struct stat){.st_mode = S_IFDIR | 0555, .st_ino = (ino_t)hash, .st_nlink = 1};
}
