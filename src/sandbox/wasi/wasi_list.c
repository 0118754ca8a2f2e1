/* Listing directories. A guest that begins to read gets all entries in one listing. A cookie is an index into
 * it: an invented one does no harm, and changes of the directory do not matter. */
#include "sandbox/wasi/wasi_state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"

static size_t listing_size(const rmi_listing *listing)
{
    return sizeof *listing + listing->capacity * sizeof *listing->entries + listing->room;
}

void rmi_wasi_listing_free(rmi_wasi *wasi, rmi_listing *listing)
{
    if (listing == NULL)
        return;
    wasi->listed -= listing_size(listing);
    rmi_free(wasi->allocator, listing->entries, listing->capacity * sizeof *listing->entries);
    rmi_free(wasi->allocator, listing->names, listing->room);
    rmi_free(wasi->allocator, listing, sizeof *listing);
}

/* ---- Made */

static int add_entry(rmi_wasi *wasi, rmi_listing *listing, const char *name, size_t length, uint64_t inode,
                     uint8_t type)
{
    const size_t before = listing_size(listing);
    int rc = rmi_grow(wasi->allocator, (void **)&listing->entries, &listing->capacity, listing->count + 1,
                      sizeof *listing->entries, NULL);
    if (rc == RM_OK)
        rc = rmi_grow(wasi->allocator, (void **)&listing->names, &listing->room, listing->length + length, 1,
                      NULL);
    wasi->listed += listing_size(listing) - before;
    if (rc != RM_OK || wasi->listed > RMI_WASI_LISTED)
        return WASI_ENOMEM;
    listing->entries[listing->count++] =
        (rmi_listed){.inode = inode, .name = listing->length, .length = (uint32_t)length, .type = type};
    memcpy(listing->names + listing->length, name, length);
    listing->length += length;
    return 0;
}

static uint8_t entry_type(const struct dirent *entry)
{
    return entry->d_type == DT_UNKNOWN ? WASI_TYPE_UNKNOWN
                                       : rmi_wasi_file_type((mode_t)DTTOIF(entry->d_type));
}

static int add_host_entries(rmi_wasi *wasi, int host, rmi_listing *listing)
{
    int descriptor = openat(host, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* with a position of its own */
    DIR *directory = descriptor < 0 ? NULL : fdopendir(descriptor);
    const struct dirent *entry = NULL;
    int error = directory == NULL ? rmi_wasi_errno(errno) : 0;
    if (directory == NULL && descriptor >= 0)
        (void)close(descriptor);
    while (error == 0 && (errno = 0, entry = readdir(directory)) != NULL) {
        bool up = strcmp(entry->d_name, "..") == 0; /* the guest must not learn about the directory above */
        error = rmi_wasi_stopped(wasi) ? WASI_ENDS
                                       : add_entry(wasi, listing, entry->d_name, strlen(entry->d_name),
                                                   up ? 0 : entry->d_ino, entry_type(entry));
    }
    if (error == 0 && errno != 0)
        error = rmi_wasi_errno(errno);
    if (directory != NULL)
        (void)closedir(directory);
    return error;
}

static bool has_name(const rmi_listing *listing, const char *name, size_t length)
{
    for (size_t i = 0; i < listing->count; i++)
        if (listing->entries[i].length == length &&
            memcmp(listing->names + listing->entries[i].name, name, length) == 0)
            return true;
    return false;
}

/* Adds the granted file, or the directory that leads to it. */
static int add_granted(rmi_wasi *wasi, const char *key, const rmi_granted_file *file, rmi_listing *listing)
{
    size_t prefix = strlen(key);
    struct stat status = {.st_mode = S_IFDIR};
    if (prefix != 0 && (strncmp(file->key, key, prefix) != 0 || file->key[prefix] != '/'))
        return 0;
    const char *name = file->key + prefix + (prefix != 0);
    size_t length = strcspn(name, "/");
    bool exists = name[length] == '/' || file->special >= 0 ||
                  fstatat(file->parent, file->name, &status, AT_SYMLINK_NOFOLLOW) == 0;
    if (!exists || (length == 2 && name[0] == '.' && name[1] == '.') || has_name(listing, name, length))
        return 0;
    uint8_t type =
        name[length] != '/' && file->special >= 0 ? WASI_TYPE_UNKNOWN : rmi_wasi_file_type(status.st_mode);
    return add_entry(wasi, listing, name, length, status.st_ino, type);
}

static int fill(rmi_wasi *wasi, const rmi_fd *fd, rmi_listing *listing)
{
    int error = 0;
    if (fd->host >= 0)
        error = add_host_entries(wasi, fd->host, listing);
    else {
        error = add_entry(wasi, listing, ".", 1, 0, WASI_TYPE_DIRECTORY);
        if (error == 0)
            error = add_entry(wasi, listing, "..", 2, 0, WASI_TYPE_DIRECTORY);
    }
    for (size_t i = 0; fd->key != NULL && i < wasi->file_count && error == 0; i++)
        error = add_granted(wasi, fd->key, &wasi->files[i], listing);
    return error;
}

static int make_listing(rmi_wasi *wasi, rmi_fd *fd)
{
    rmi_listing *listing = rmi_alloc_zeroed(wasi->allocator, sizeof *listing);
    if (listing == NULL)
        return WASI_ENOMEM;
    wasi->listed += listing_size(listing);
    int error = fill(wasi, fd, listing);
    if (error != 0)
        rmi_wasi_listing_free(wasi, listing);
    else
        fd->listing = listing;
    return error;
}

/* ---- Read */

/* Copies as much as fits. A last entry that is cut means for the guest that there is more. */
static void append(uint8_t *out, uint32_t size, uint32_t *used, const void *data, size_t length)
{
    size_t part = length < size - *used ? length : size - *used;
    memcpy(out + *used, data, part);
    *used += (uint32_t)part;
}

static uint32_t read_entries(const rmi_listing *listing, uint64_t cookie, uint8_t *out, uint32_t size)
{
    uint32_t used = 0;
    for (uint64_t i = cookie; i < listing->count && used < size; i++) {
        const rmi_listed *entry = &listing->entries[i];
        uint8_t head[WASI_DIRENT_SIZE] = {0};
        const uint64_t next = i + 1;
        memcpy(head, &next, sizeof next);
        memcpy(head + 8, &entry->inode, sizeof entry->inode);
        memcpy(head + 16, &entry->length, sizeof entry->length);
        head[20] = entry->type;
        append(out, size, &used, head, sizeof head);
        append(out, size, &used, listing->names + entry->name, entry->length);
    }
    return used;
}

static int read_directory(rmi_wasi *wasi, rmi_guest_memory memory, const rmi_slot *args)
{
    rmi_fd *fd = rmi_wasi_fd(wasi, args[0].u32);
    const uint32_t size = args[2].u32;
    const uint64_t cookie = args[3].u64;
    uint8_t *out = rmi_guest_range(memory, args[1].u32, size);
    int error = 0;
    if (fd == NULL)
        return WASI_EBADF;
    if (fd->kind != RMI_FD_DIRECTORY)
        return WASI_ENOTDIR;
    if (out == NULL || !rmi_wasi_reaches(memory, args[4].u32, sizeof(uint32_t)))
        return WASI_EFAULT;
    if (cookie == 0) { /* from the start: reads the directory again */
        rmi_wasi_listing_free(wasi, fd->listing);
        fd->listing = NULL;
    }
    if (fd->listing == NULL)
        error = make_listing(wasi, fd);
    if (error != 0)
        return error;
    return rmi_wasi_put_u32(memory, args[4].u32, read_entries(fd->listing, cookie, out, size));
}

int rmi_preview1_fd_readdir(void *context, rmi_guest_memory memory, const rmi_slot *args, rmi_slot *result)
{
    return rmi_wasi_answer(result, read_directory(context, memory, args));
}
