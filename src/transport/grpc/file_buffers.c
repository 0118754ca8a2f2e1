/* Files of the server that a client names: only those below one folder, which the server's operator has granted. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "transport/grpc/messages.h"

/* Opens a path that must not lead out of the folder, by links neither; -1 with errno. */
static int open_below(const char *folder, const char *path)
{
    const struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
                                 .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    const int at = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (at < 0)
        return -1;
    const long opened = syscall(SYS_openat2, at, path, &how, sizeof how);
    const int saved = errno;
    (void)close(at);
    errno = saved;
    return (int)opened;
}

/* A client may also write the folder itself before the path. */
static const char *path_below(const char *folder, const char *path)
{
    size_t length = strlen(folder);
    while (length > 1 && folder[length - 1] == '/')
        length--;
    return strncmp(path, folder, length) == 0 && path[length] == '/' ? path + length + 1 : path;
}

static int read_part(int descriptor, const Remotemedia__V1__FileBuffer *file, size_t length, rm_value *out,
                     rm_error *err)
{
    uint8_t *data = malloc(length + 1);
    size_t done = 0;
    int rc = data != NULL ? RM_OK : rmi_out_of_memory(err);
    while (rc == RM_OK && done < length) {
        const ssize_t got = pread(descriptor, data + done, length - done, (off_t)(file->offset + done));
        if (got > 0)
            done += (size_t)got;
        else if (got == 0 || errno != EINTR)
            rc = rm_error_set(err, RM_E_IO, "file.path '%s' cannot be read: %s", file->path,
                              got == 0 ? "it became shorter" : strerror(errno));
    }
    if (rc == RM_OK)
        rc = rm_bytes_new(NULL, data, length, out, err);
    free(data);
    return rc;
}

/* The part of the file that is meant, in *length. */
static int check_part(const rmi_buffer_rules *rules, const Remotemedia__V1__FileBuffer *file, uint64_t size,
                      uint64_t *length, rm_error *err)
{
    if (file->size != 0 && file->size != size)
        return rm_error_set(err, RM_E_VALUE, "file.path '%s' has %" PRIu64 " bytes, not file.size %" PRIu64,
                            file->path, size, file->size);
    if (file->offset > size || file->length > size - file->offset)
        return rm_error_set(err, RM_E_VALUE,
                            "file.path '%s' has %" PRIu64 " bytes: file.offset %" PRIu64
                            " and file.length %" PRIu64 " lead past its end",
                            file->path, size, file->offset, file->length);
    *length = file->length != 0 ? file->length : size - file->offset;
    if (*length > rules->most_file)
        return rm_error_set(err, RM_E_LIMIT,
                            "file.path '%s': %" PRIu64 " bytes are more than the %zu of a message; set "
                            "file.offset and file.length",
                            file->path, *length, rules->most_file);
    return RM_OK;
}

int rmi_packet_of_file(const rmi_buffer_rules *rules, const Remotemedia__V1__FileBuffer *file,
                       rm_packet *packet, rm_error *err)
{
    struct stat found;
    uint64_t length = 0;
    if (rules->files == NULL)
        return rm_error_set(err, RM_E_UNSUPPORTED,
                            "file is refused: the server's operator grants a folder of files by --files");
    if (file->stream_id[0] != '\0')
        return rm_error_set(err, RM_E_UNSUPPORTED, "file.stream_id is not supported");
    const int descriptor = open_below(rules->files, path_below(rules->files, file->path));
    if (descriptor < 0) /* what is outside is not told from what is not there */
        return rm_error_set(err, errno == EMFILE || errno == ENFILE ? RM_E_LIMIT : RM_E_NOT_FOUND,
                            "file.path '%s' is no file below the server's folder, or cannot be read",
                            file->path);
    int rc = RM_OK;
    if (fstat(descriptor, &found) != 0 || !S_ISREG(found.st_mode))
        rc = rm_error_set(err, RM_E_VALUE, "file.path '%s' is no ordinary file", file->path);
    if (rc == RM_OK)
        rc = check_part(rules, file, (uint64_t)found.st_size, &length, err);
    if (rc == RM_OK)
        rc = read_part(descriptor, file, (size_t)length, &packet->value, err);
    (void)close(descriptor);
    return rc;
}
