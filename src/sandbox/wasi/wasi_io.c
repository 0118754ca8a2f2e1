/* Reads, writes and resizes the file behind a descriptor of the guest. */
#include "sandbox/wasi/wasi_state.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* ---- Vectors */

int rmi_wasi_vectors(rmi_guest_memory memory, uint32_t address, uint32_t count, struct iovec *out,
                     int *out_count)
{
    const uint8_t *list = rmi_guest_range(memory, address, (uint64_t)count * WASI_VECTOR_SIZE);
    int used = 0;
    if (list == NULL)
        return WASI_EFAULT;
    for (uint32_t i = 0; i < count && used < RMI_WASI_VECTORS; i++) {
        uint32_t pair[2];
        memcpy(pair, list + (size_t)i * WASI_VECTOR_SIZE, sizeof pair);
        void *data = rmi_guest_range(memory, pair[0], pair[1]);
        if (data == NULL)
            return WASI_EFAULT;
        if (pair[1] != 0)
            out[used++] = (struct iovec){.iov_base = data, .iov_len = pair[1]};
    }
    *out_count = used;
    return 0;
}

void rmi_wasi_advance(struct iovec **vectors, int *count, size_t length)
{
    while (*count > 0 && length >= (*vectors)->iov_len) {
        length -= (*vectors)->iov_len;
        (*vectors)++;
        (*count)--;
    }
    if (*count > 0) {
        (*vectors)->iov_base = (char *)(*vectors)->iov_base + length;
        (*vectors)->iov_len -= length;
    }
}

/* ---- Regular files, which never wait */

/* Returns how many vectors make up the next piece; 0 where the first is larger than a piece: *start has its
 * start. */
static int next_piece(const struct iovec *vectors, int count, struct iovec *start)
{
    size_t length = 0;
    int used = 0;
    *start = vectors[0];
    if (start->iov_len > RMI_WASI_PIECE)
        start->iov_len = RMI_WASI_PIECE;
    while (used < count && vectors[used].iov_len <= RMI_WASI_PIECE - length)
        length += vectors[used++].iov_len;
    return used;
}

int rmi_wasi_move_regular(const rmi_wasi *wasi, int host, struct iovec *vectors, int count, bool writes,
                          int64_t offset, size_t *done)
{
    while (count > 0) {
        struct iovec start;
        int used = next_piece(vectors, count, &start);
        const struct iovec *piece = used == 0 ? &start : vectors;
        used = used == 0 ? 1 : used;
        if (rmi_wasi_stopped(wasi))
            return WASI_ENDS;
        ssize_t moved =
            writes ? pwritev2(host, piece, used, offset, 0) : preadv2(host, piece, used, offset, 0);
        if (moved < 0 && errno == EINTR)
            continue;
        if (moved < 0)
            return *done != 0 ? 0 : rmi_wasi_errno(errno);
        if (moved == 0)
            break;
        *done += (size_t)moved;
        offset = offset < 0 ? offset : offset + moved;
        rmi_wasi_advance(&vectors, &count, (size_t)moved);
    }
    return 0;
}

static int read_any(rmi_wasi *wasi, const rmi_fd *fd, struct iovec *vectors, int count, size_t *done)
{
    if (fd->kind == RMI_FD_DIRECTORY)
        return WASI_EISDIR;
    if (fd->kind == RMI_FD_OUTPUT)
        return WASI_EBADF;
    if (fd->host < 0) /* no input: at its end */
        return 0;
    return fd->waits ? rmi_wasi_read_waiting(wasi, fd, vectors, count, done)
                     : rmi_wasi_move_regular(wasi, fd->host, vectors, count, false, -1, done);
}

static int write_any(rmi_wasi *wasi, const rmi_fd *fd, struct iovec *vectors, int count, size_t *done)
{
    if (fd->kind == RMI_FD_OUTPUT)
        return rmi_wasi_write_stream(wasi, fd, vectors, count, done);
    if (fd->kind != RMI_FD_FILE)
        return WASI_EBADF;
    return fd->waits ? rmi_wasi_write_waiting(wasi, fd, vectors, count, done)
                     : rmi_wasi_move_regular(wasi, fd->host, vectors, count, true, -1, done);
}

/* The part that all four functions share. `at`: the address for the count. */
static int transfer(rmi_wasi *wasi, rmi_guest_memory memory, const rmi_slot *args, uint32_t at, bool writes,
                    bool positioned)
{
    const rmi_fd *fd = rmi_wasi_fd(wasi, args[0].u32);
    struct iovec vectors[RMI_WASI_VECTORS];
    size_t done = 0;
    int count = 0;
    if (fd == NULL)
        return WASI_EBADF;
    if (!rmi_wasi_reaches(memory, at, sizeof(uint32_t)))
        return WASI_EFAULT;
    int error = rmi_wasi_vectors(memory, args[1].u32, args[2].u32, vectors, &count);
    if (error != 0)
        return error;
    if (!positioned)
        error =
            writes ? write_any(wasi, fd, vectors, count, &done) : read_any(wasi, fd, vectors, count, &done);
    else if (fd->kind != RMI_FD_FILE || fd->waits)
        error = fd->kind == RMI_FD_DIRECTORY ? (writes ? WASI_EBADF : WASI_EISDIR) : WASI_ESPIPE;
    else if (args[3].i64 < 0)
        error = WASI_EINVAL;
    else
        error = rmi_wasi_move_regular(wasi, fd->host, vectors, count, writes, args[3].i64, &done);
    return error != 0 ? error : rmi_wasi_put_u32(memory, at, done);
}

int rmi_preview1_fd_read(void *context, rmi_guest_memory memory, const rmi_slot *args, rmi_slot *result)
{
    return rmi_wasi_answer(result, transfer(context, memory, args, args[3].u32, false, false));
}

int rmi_preview1_fd_write(void *context, rmi_guest_memory memory, const rmi_slot *args, rmi_slot *result)
{
    return rmi_wasi_answer(result, transfer(context, memory, args, args[3].u32, true, false));
}

int rmi_preview1_fd_pread(void *context, rmi_guest_memory memory, const rmi_slot *args, rmi_slot *result)
{
    return rmi_wasi_answer(result, transfer(context, memory, args, args[4].u32, false, true));
}

int rmi_preview1_fd_pwrite(void *context, rmi_guest_memory memory, const rmi_slot *args, rmi_slot *result)
{
    return rmi_wasi_answer(result, transfer(context, memory, args, args[4].u32, true, true));
}

/* ---- Position and size */

/* The file of a descriptor that has a position, or an error. */
static int seekable(rmi_wasi *wasi, uint32_t number, int *host)
{
    const rmi_fd *fd = rmi_wasi_fd(wasi, number);
    if (fd == NULL || fd->kind == RMI_FD_DIRECTORY)
        return WASI_EBADF;
    *host = fd->host;
    return fd->kind == RMI_FD_FILE ? 0 : WASI_ESPIPE;
}

static int seek(rmi_wasi *wasi, rmi_guest_memory memory, uint32_t number, int64_t offset, uint32_t whence,
                uint32_t at)
{
    static const int hosts[] = {SEEK_SET, SEEK_CUR, SEEK_END};
    int host = -1, error = seekable(wasi, number, &host);
    if (error != 0)
        return error;
    if (whence > WASI_SEEK_END)
        return WASI_EINVAL;
    if (!rmi_wasi_reaches(memory, at, sizeof(uint64_t)))
        return WASI_EFAULT;
    off_t position = lseek(host, offset, hosts[whence]);
    return position < 0 ? rmi_wasi_errno(errno) : rmi_wasi_put_u64(memory, at, (uint64_t)position);
}

int rmi_preview1_fd_seek(void *context, rmi_guest_memory memory, const rmi_slot *args, rmi_slot *result)
{
    return rmi_wasi_answer(result, seek(context, memory, args[0].u32, args[1].i64, args[2].u32, args[3].u32));
}

int rmi_preview1_fd_tell(void *context, rmi_guest_memory memory, const rmi_slot *args, rmi_slot *result)
{
    return rmi_wasi_answer(result, seek(context, memory, args[0].u32, 0, WASI_SEEK_CUR, args[1].u32));
}

int rmi_preview1_fd_filestat_set_size(void *context, rmi_guest_memory memory, const rmi_slot *args,
                                      rmi_slot *result)
{
    int host = -1, error = seekable(context, args[0].u32, &host);
    (void)memory;
    if (error == 0 && args[1].i64 < 0)
        error = WASI_EINVAL;
    if (error == 0)
        error = rmi_wasi_check(ftruncate(host, args[1].i64));
    return rmi_wasi_answer(result, error);
}

int rmi_preview1_fd_allocate(void *context, rmi_guest_memory memory, const rmi_slot *args, rmi_slot *result)
{
    int host = -1, error = seekable(context, args[0].u32, &host);
    (void)memory;
    if (error == 0 && (args[1].i64 < 0 || args[2].i64 <= 0))
        error = WASI_EINVAL;
    if (error == 0)
        error = rmi_wasi_check(fallocate(host, 0, args[1].i64, args[2].i64));
    return rmi_wasi_answer(result, error);
}

int rmi_preview1_fd_advise(void *context, rmi_guest_memory memory, const rmi_slot *args, rmi_slot *result)
{
    static const int hosts[] = {POSIX_FADV_NORMAL,   POSIX_FADV_SEQUENTIAL, POSIX_FADV_RANDOM,
                                POSIX_FADV_WILLNEED, POSIX_FADV_DONTNEED,   POSIX_FADV_NOREUSE};
    int host = -1, error = seekable(context, args[0].u32, &host);
    (void)memory;
    if (error == 0 && (args[1].i64 < 0 || args[2].i64 < 0 || args[3].u32 >= sizeof hosts / sizeof *hosts))
        error = WASI_EINVAL;
    if (error == 0) {
        int number = posix_fadvise(host, args[1].i64, args[2].i64, hosts[args[3].u32]);
        error = number == 0 ? 0 : rmi_wasi_errno(number);
    }
    return rmi_wasi_answer(result, error);
}

static int sync_with(rmi_wasi *wasi, uint32_t number, int (*function)(int))
{
    const rmi_fd *fd = rmi_wasi_fd(wasi, number);
    if (fd == NULL)
        return WASI_EBADF;
    return fd->host < 0 ? 0 : rmi_wasi_check(function(fd->host));
}

int rmi_preview1_fd_sync(void *context, rmi_guest_memory memory, const rmi_slot *args, rmi_slot *result)
{
    (void)memory;
    return rmi_wasi_answer(result, sync_with(context, args[0].u32, fsync));
}

int rmi_preview1_fd_datasync(void *context, rmi_guest_memory memory, const rmi_slot *args, rmi_slot *result)
{
    (void)memory;
    return rmi_wasi_answer(result, sync_with(context, args[0].u32, fdatasync));
}
