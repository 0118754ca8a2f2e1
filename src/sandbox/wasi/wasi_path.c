/* What a guest may do with paths but open them. What changes a directory is done in the parent, which is opened beneath the
 * granted directory, and to the last component itself, never to what it links to. */
#include "sandbox/wasi/wasi_state.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

/* ---- Looking */

/* Opens a place in the granted directory with O_PATH: what is there, or the link itself. */
static int open_path(const rmi_wasi_target *place, bool follow, int *out)
{
    *out = -1;
    if (place->directory->host < 0)
        return WASI_ENOENT;
    return rmi_wasi_beneath(place->directory, place->path, O_PATH | (follow ? 0 : O_NOFOLLOW), out);
}

static int stat_place(const rmi_wasi_target *place, bool follow, struct stat *status)
{
    int descriptor = -1;
    if (rmi_wasi_is_granted(place)) {
        const rmi_granted_file *file = place->file;
        return rmi_wasi_check(file->special >= 0
                                  ? fstat(file->special, status)
                                  : fstatat(file->parent, place->name, status, AT_SYMLINK_NOFOLLOW));
    }
    int error = open_path(place, follow, &descriptor);
    if (error == 0) {
        error = rmi_wasi_check(fstat(descriptor, status));
        (void)close(descriptor);
    } else if (error == WASI_ENOENT && place->leads) {
        rmi_wasi_virtual_stat(place->key, status);
        error = 0;
    }
    return error;
}

int rmi_preview1_path_filestat_get(void *context, rmi_guest_memory memory, const rmi_slot *args,
                                   rmi_slot *result)
{
    rmi_wasi_target place;
    struct stat status;
    int error = rmi_wasi_place(context, memory, args[0].u32, args[2].u32, args[3].u32, &place);
    if (error == 0)
        error = stat_place(&place, (args[1].u32 & WASI_LOOKUP_FOLLOW) != 0, &status);
    if (error == 0)
        error = rmi_wasi_put_stat(memory, args[4].u32, &status);
    return rmi_wasi_answer(result, error);
}

static int read_link(const rmi_wasi_target *place, char *out, size_t size, ssize_t *length)
{
    char name[RMI_WASI_NAME_SIZE];
    int parent = -1;
    if (rmi_wasi_is_granted(place))
        return WASI_EINVAL;
    if (place->directory->host < 0)
        return place->leads ? WASI_EINVAL : WASI_ENOENT;
    int error = rmi_wasi_parent(place->directory, place->path, &parent, name);
    if (error == 0) {
        *length = readlinkat(parent, name, out, size);
        error = *length < 0 ? rmi_wasi_errno(errno) : 0;
        (void)close(parent);
    }
    return error == WASI_ENOENT && place->leads ? WASI_EINVAL : error;
}

int rmi_preview1_path_readlink(void *context, rmi_guest_memory memory, const rmi_slot *args, rmi_slot *result)
{
    rmi_wasi_target place;
    char *out = rmi_guest_range(memory, args[3].u32, args[4].u32);
    ssize_t length = 0;
    if (out == NULL || !rmi_wasi_reaches(memory, args[5].u32, sizeof(uint32_t)))
        return rmi_wasi_answer(result, WASI_EFAULT);
    int error = rmi_wasi_place(context, memory, args[0].u32, args[1].u32, args[2].u32, &place);
    if (error == 0)
        error = read_link(&place, out, args[4].u32 < PATH_MAX ? args[4].u32 : PATH_MAX, &length);
    if (error == 0)
        error = rmi_wasi_put_u32(memory, args[5].u32, (uint64_t)length);
    return rmi_wasi_answer(result, error);
}

static int set_times(const rmi_wasi_target *place, bool follow, const struct timespec times[2])
{
    const rmi_granted_file *file = place->file;
    int descriptor = -1;
    if (rmi_wasi_is_granted(place)) {
        if (!file->write || file->special >= 0)
            return WASI_EROFS;
        return rmi_wasi_check(utimensat(file->parent, place->name, times, AT_SYMLINK_NOFOLLOW));
    }
    int error = open_path(place, follow, &descriptor);
    if (error != 0)
        return error;
    error = WASI_EROFS;
    if (place->directory->write)
        error = rmi_wasi_check(utimensat(descriptor, "", times, AT_EMPTY_PATH));
    (void)close(descriptor);
    return error;
}

int rmi_preview1_path_filestat_set_times(void *context, rmi_guest_memory memory, const rmi_slot *args,
                                         rmi_slot *result)
{
    rmi_wasi_target place;
    struct timespec times[2];
    int error = rmi_wasi_place(context, memory, args[0].u32, args[2].u32, args[3].u32, &place);
    if (error == 0)
        error = rmi_wasi_times(args[4].u64, args[5].u64, args[6].u32, times);
    if (error == 0)
        error = set_times(&place, (args[1].u32 & WASI_LOOKUP_FOLLOW) != 0, times);
    return rmi_wasi_answer(result, error);
}

/* ---- Changing */

/* Whether nothing is there for sure; else the kernel tells. */
static bool is_absent(const rmi_wasi_target *place)
{
    return !rmi_wasi_is_granted(place) && place->directory->host < 0 && !place->leads;
}

/* Opens the parent of a place that is to be changed. */
static int open_for_change(const rmi_wasi_target *place, int *parent, char name[RMI_WASI_NAME_SIZE])
{
    *parent = -1;
    if (place->directory->host < 0)
        return WASI_EACCES;
    if (!place->directory->write)
        return WASI_EROFS;
    return rmi_wasi_parent(place->directory, place->path, parent, name);
}

static bool is_directory(int parent, const char *name)
{
    struct stat status;
    return fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode);
}

static int make_directory(const rmi_wasi_target *place)
{
    char name[RMI_WASI_NAME_SIZE];
    int parent = -1;
    if (rmi_wasi_is_granted(place) || (place->leads && place->directory->host < 0))
        return WASI_EEXIST;
    int error = open_for_change(place, &parent, name);
    if (error == WASI_EINVAL) /* "." and ".." are there */
        return WASI_EEXIST;
    if (error == 0) {
        error = rmi_wasi_check(mkdirat(parent, name, 0777));
        (void)close(parent);
    }
    return error;
}

int rmi_preview1_path_create_directory(void *context, rmi_guest_memory memory, const rmi_slot *args,
                                       rmi_slot *result)
{
    rmi_wasi_target place;
    int error = rmi_wasi_place(context, memory, args[0].u32, args[1].u32, args[2].u32, &place);
    return rmi_wasi_answer(result, error != 0 ? error : make_directory(&place));
}

/* `flags` is 0 or AT_REMOVEDIR. */
static int remove_place(const rmi_wasi_target *place, int flags)
{
    char name[RMI_WASI_NAME_SIZE];
    int parent = -1;
    if (place->file != NULL && place->temporary != NULL && flags == 0) {
        int removed = rmi_wasi_check(unlinkat(place->file->parent, place->name, 0));
        if (removed == 0)
            place->temporary->file = NULL;
        return removed;
    }
    if (rmi_wasi_is_granted(place))
        return flags == 0 ? WASI_EPERM : WASI_ENOTDIR;
    if (is_absent(place))
        return WASI_ENOENT;
    int error = open_for_change(place, &parent, name);
    if (error == 0 && flags == 0 && place->slash)
        error = is_directory(parent, name) ? WASI_EISDIR : WASI_ENOTDIR;
    if (error == 0)
        error = rmi_wasi_check(unlinkat(parent, name, flags));
    if (parent >= 0)
        (void)close(parent);
    return error;
}

int rmi_preview1_path_unlink_file(void *context, rmi_guest_memory memory, const rmi_slot *args,
                                  rmi_slot *result)
{
    rmi_wasi_target place;
    int error = rmi_wasi_place(context, memory, args[0].u32, args[1].u32, args[2].u32, &place);
    return rmi_wasi_answer(result, error != 0 ? error : remove_place(&place, 0));
}

int rmi_preview1_path_remove_directory(void *context, rmi_guest_memory memory, const rmi_slot *args,
                                       rmi_slot *result)
{
    rmi_wasi_target place;
    int error = rmi_wasi_place(context, memory, args[0].u32, args[1].u32, args[2].u32, &place);
    return rmi_wasi_answer(result, error != 0 ? error : remove_place(&place, AT_REMOVEDIR));
}

/* Opens both parents; what of them is open is to be closed, also on failure. */
static int open_both(const rmi_wasi_target places[2], int parents[2], char names[2][RMI_WASI_NAME_SIZE])
{
    parents[0] = parents[1] = -1;
    int error = open_for_change(&places[0], &parents[0], names[0]);
    return error != 0 ? error : open_for_change(&places[1], &parents[1], names[1]);
}

static void close_both(const int parents[2])
{
    for (int i = 0; i < 2; i++)
        if (parents[i] >= 0)
            (void)close(parents[i]);
}

static int rename_place(const rmi_wasi_target places[2])
{
    char names[2][RMI_WASI_NAME_SIZE];
    int parents[2];
    bool granted[] = {rmi_wasi_is_granted(&places[0]), rmi_wasi_is_granted(&places[1])};
    const rmi_granted_file *file = places[0].file;
    if (granted[0] && granted[1] && places[0].temporary != NULL && places[1].file == file &&
        !places[1].beside) {
        int error = rmi_wasi_check(renameat(file->parent, places[0].name, file->parent, places[1].name));
        if (error == 0)
            places[0].temporary->file = NULL;
        return error;
    }
    if (is_absent(&places[0]))
        return WASI_ENOENT;
    if (granted[0] || granted[1])
        return WASI_EXDEV;
    int error = open_both(places, parents, names);
    if (error == 0 && (places[0].slash || places[1].slash) && !is_directory(parents[0], names[0]))
        error = WASI_ENOTDIR;
    if (error == 0)
        error = rmi_wasi_check(renameat(parents[0], names[0], parents[1], names[1]));
    close_both(parents);
    return error;
}

/* `from` are a path and its length, `to` a descriptor, path and length. */
static int two_places(rmi_wasi *wasi, rmi_guest_memory memory, const rmi_slot *from, const rmi_slot *to,
                      uint32_t from_fd, rmi_wasi_target places[2])
{
    int error = rmi_wasi_place(wasi, memory, from_fd, from[0].u32, from[1].u32, &places[0]);
    return error != 0 ? error : rmi_wasi_place(wasi, memory, to[0].u32, to[1].u32, to[2].u32, &places[1]);
}

int rmi_preview1_path_rename(void *context, rmi_guest_memory memory, const rmi_slot *args, rmi_slot *result)
{
    rmi_wasi_target places[2];
    int error = two_places(context, memory, args + 1, args + 3, args[0].u32, places);
    return rmi_wasi_answer(result, error != 0 ? error : rename_place(places));
}

/* Both directories must be writable: else what may only be read could be written by another name. */
static int link_place(const rmi_wasi_target places[2])
{
    char names[2][RMI_WASI_NAME_SIZE];
    int parents[2];
    if (rmi_wasi_is_granted(&places[1]))
        return WASI_EEXIST;
    if (rmi_wasi_is_granted(&places[0]))
        return WASI_EXDEV;
    if (is_absent(&places[0]))
        return WASI_ENOENT;
    int error = open_both(places, parents, names);
    if (error == 0 && (places[0].slash || places[1].slash))
        error = is_directory(parents[0], names[0]) ? WASI_EPERM : WASI_ENOTDIR;
    if (error == 0)
        error = rmi_wasi_check(linkat(parents[0], names[0], parents[1], names[1], 0));
    close_both(parents);
    return error;
}

int rmi_preview1_path_link(void *context, rmi_guest_memory memory, const rmi_slot *args, rmi_slot *result)
{
    rmi_wasi_target places[2];
    int error = two_places(context, memory, args + 2, args + 4, args[0].u32, places);
    if (error == 0 && args[1].u32 != 0) /* following a link */
        error = WASI_EINVAL;
    return rmi_wasi_answer(result, error != 0 ? error : link_place(places));
}

static int make_link(const char *target, const rmi_wasi_target *place)
{
    char name[RMI_WASI_NAME_SIZE];
    int parent = -1;
    if (rmi_wasi_is_granted(place) || (place->leads && place->directory->host < 0))
        return WASI_EEXIST;
    int error = open_for_change(place, &parent, name);
    if (error == 0 && place->slash)
        error = is_directory(parent, name) ? WASI_EEXIST : WASI_ENOENT;
    if (error == 0)
        error = rmi_wasi_check(symlinkat(target, parent, name));
    if (parent >= 0)
        (void)close(parent);
    return error;
}

int rmi_preview1_path_symlink(void *context, rmi_guest_memory memory, const rmi_slot *args, rmi_slot *result)
{
    rmi_wasi_target place;
    char target[RMI_WASI_PATH_SIZE];
    int error = rmi_wasi_copy_path(memory, args[0].u32, args[1].u32, target);
    if (error == 0)
        error = rmi_wasi_place(context, memory, args[2].u32, args[3].u32, args[4].u32, &place);
    return rmi_wasi_answer(result, error != 0 ? error : make_link(target, &place));
}
