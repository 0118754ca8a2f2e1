/* Input and output that may have to wait: pipes, terminals, the guest's streams. Nothing waits where rmi_wasi_stop does not
 * end it. The process is to ignore SIGPIPE: a reader that went away is an error of the write then. */
#include "sandbox/wasi/wasi_state.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

enum {
    PIECE = PIPE_BUF,    /* what a pipe that is ready takes without waiting */
    TERMINAL_PIECE = 256 /* and a terminal */
};

int rmi_wasi_wait(rmi_wasi *wasi, int descriptor, short events, bool now)
{
    struct pollfd polled[] = {{.fd = wasi->stop, .events = POLLIN}, {.fd = descriptor, .events = events}};
    static const struct timespec at_once = {0};
    for (;;) {
        int ready = 0;
        const int error = rmi_wasi_poll(wasi, polled, 2, now ? &at_once : NULL, &ready);
        if (error != 0)
            return error;
        if (ready > 0 && polled[1].revents != 0)
            return 0;
        if (now && ready == 0)
            return WASI_EAGAIN;
    }
}

/* Another process may be quicker, so that what was ready is not any more: pipes and sockets can be told not to wait. */
static int no_wait(int descriptor)
{
    struct stat status;
    return fstat(descriptor, &status) == 0 && (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode))
               ? RWF_NOWAIT
               : 0;
}

int rmi_wasi_read_waiting(rmi_wasi *wasi, const rmi_fd *fd, struct iovec *vectors, int count, size_t *done)
{
    int flags = no_wait(fd->host);
    while (count > 0) {
        int error = rmi_wasi_wait(wasi, fd->host, POLLIN, (fd->flags & WASI_FD_NONBLOCK) != 0);
        if (error != 0)
            return error;
        struct iovec first = vectors[0];
        if (first.iov_len > RMI_WASI_PIECE)
            first.iov_len = RMI_WASI_PIECE;
        ssize_t got = preadv2(fd->host, &first, 1, -1, flags);
        if (got < 0 && errno == EOPNOTSUPP && flags != 0)
            flags = 0;
        else if (got < 0 && errno != EINTR && errno != EAGAIN)
            return rmi_wasi_errno(errno);
        else if (got >= 0) {
            *done = (size_t)got;
            return 0;
        }
    }
    return 0;
}

/* ---- Writing */

/* Copies the start of the vectors, so that a line in two of them is one write. */
static size_t gather(const struct iovec *vectors, int count, char *out, size_t size)
{
    size_t length = 0;
    for (int i = 0; i < count && length < size; i++) {
        size_t part = vectors[i].iov_len < size - length ? vectors[i].iov_len : size - length;
        memcpy(out + length, vectors[i].iov_base, part);
        length += part;
    }
    return length;
}

int rmi_wasi_write_waiting(rmi_wasi *wasi, const rmi_fd *fd, struct iovec *vectors, int count, size_t *done)
{
    char buffer[PIECE];
    const size_t size = isatty(fd->host) ? TERMINAL_PIECE : PIECE;
    int flags = no_wait(fd->host);
    while (count > 0) {
        int error = rmi_wasi_wait(wasi, fd->host, POLLOUT, (fd->flags & WASI_FD_NONBLOCK) != 0);
        if (error == WASI_ENDS || (error != 0 && *done == 0))
            return error;
        if (error != 0)
            return 0;
        struct iovec piece = {.iov_base = buffer, .iov_len = gather(vectors, count, buffer, size)};
        ssize_t put = pwritev2(fd->host, &piece, 1, -1, flags);
        if (put < 0 && errno == EOPNOTSUPP && flags != 0)
            flags = 0;
        else if (put < 0 && errno != EINTR && errno != EAGAIN)
            return *done != 0 ? 0 : rmi_wasi_errno(errno);
        else if (put >= 0) {
            *done += (size_t)put;
            rmi_wasi_advance(&vectors, &count, (size_t)put);
        }
    }
    return 0;
}

static int write_callback(const rmi_wasi_stream *stream, const struct iovec *vectors, int count, size_t *done)
{
    for (int i = 0; i < count; i++) {
        int number = stream->write(stream->context, vectors[i].iov_base, vectors[i].iov_len);
        if (number != 0)
            return *done != 0 ? 0 : rmi_wasi_errno(number);
        *done += vectors[i].iov_len;
    }
    return 0;
}

/* ---- Limits of a stream */

/* Of `length` bytes, those up to the end of the last line; all where none ends and one longer than the rate began. */
static size_t whole_lines(const rmi_wasi *wasi, int index, const struct iovec *vectors, size_t length,
                          size_t total)
{
    size_t at = 0, end = 0;
    bool found = false;
    for (size_t i = 0; at < length; i++) {
        const size_t part = vectors[i].iov_len < length - at ? vectors[i].iov_len : length - at;
        const char *start = vectors[i].iov_base, *last = part > 0 ? memrchr(start, '\n', part) : NULL;
        if (last != NULL) {
            end = at + (size_t)(last - start) + 1;
            found = true;
        }
        at += part;
    }
    return found ? end : wasi->in_line[index] || total > wasi->streams[index].rate ? length : 0;
}

/* Cuts the vectors to `length` bytes. */
static void cut(struct iovec *vectors, int *count, size_t length)
{
    int used = 0;
    for (; used < *count && length != 0; used++) {
        if (vectors[used].iov_len > length)
            vectors[used].iov_len = length;
        length -= vectors[used].iov_len;
    }
    *count = used;
}

static char last_of(const struct iovec *vectors, int count)
{
    while (count > 0 && vectors[count - 1].iov_len == 0)
        count--;
    return count > 0 ? ((const char *)vectors[count - 1].iov_base)[vectors[count - 1].iov_len - 1] : '\n';
}

int rmi_wasi_write_stream(rmi_wasi *wasi, const rmi_fd *fd, struct iovec *vectors, int count, size_t *done)
{
    const int index = fd->stream - 1;
    const rmi_wasi_stream *stream = &wasi->streams[index];
    size_t total = 0;
    int error = 0;
    for (int i = 0; i < count; i++) /* at most RMI_WASI_VECTORS times 4 GiB */
        total += vectors[i].iov_len;
    rmi_rate *rate = &wasi->rates[index];
    const uint64_t left = rmi_rate_left(rate, stream->rate, rmi_platform_now());
    const size_t passes = total <= left ? total : whole_lines(wasi, index, vectors, (size_t)left, total);
    size_t fits = passes;
    if (stream->limit != 0 && fits > stream->limit - wasi->written[index])
        fits = (size_t)(stream->limit - wasi->written[index]);
    cut(vectors, &count, fits);
    const char last = last_of(vectors, count);
    if (stream->write != NULL)
        error = write_callback(stream, vectors, count, done);
    else if (fd->host < 0)
        *done = fits;
    else if (fd->waits)
        error = rmi_wasi_write_waiting(wasi, fd, vectors, count, done);
    else
        error = rmi_wasi_move_regular(wasi, fd->host, vectors, count, true, -1, done);
    wasi->written[index] += *done;
    rate->used += *done;
    if (fits > 0)
        wasi->in_line[index] = last != '\n';
    if (error != 0 || *done < fits)
        return error;
    if (fits < passes) {
        wasi->overflowed = fd->stream;
        return WASI_ENDS;
    }
    rate->lost += total - passes;
    *done = total;
    return 0;
}
