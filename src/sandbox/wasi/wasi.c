/* A context of WASI: made, stopped, asked and freed; arguments, environment and the end of a guest. */
#include "sandbox/wasi/wasi_state.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/alloc.h"

#define IMPORT(name, signature) {"wasi_snapshot_preview1", #name, signature, rmi_preview1_##name},
const rmi_import rmi_wasi_imports[] = {RMI_WASI_FUNCTIONS(IMPORT){0}};
#undef IMPORT

/* ---- Made and freed */

/* Copies a list that ends with NULL, as args_get gives it: one text after the other, each with its NUL. */
static int copy_texts(rmi_wasi *wasi, const char *const *list, rmi_wasi_strings *out, rm_error *err)
{
    size_t length = 0, count = 0, at = 0;
    for (; list != NULL && list[count] != NULL; count++)
        if (!rmi_add(length, strlen(list[count]) + 1, &length))
            break;
    if (length > INT32_MAX || count > INT32_MAX / sizeof(uint32_t))
        return rm_error_set(err, RM_E_LIMIT, "the arguments and the environment of a guest are over 2 GiB");
    if (length != 0 && (out->bytes = rmi_alloc(wasi->allocator, length)) == NULL)
        return rmi_out_of_memory(err);
    for (size_t i = 0; i < count; i++) {
        size_t size = strlen(list[i]) + 1;
        memcpy(out->bytes + at, list[i], size);
        at += size;
    }
    out->length = length;
    out->count = count;
    return RM_OK;
}

static bool is_regular(int descriptor)
{
    struct stat status;
    return descriptor >= 0 && fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
}

static int open_stdio(rmi_wasi *wasi, const rmi_wasi_config *config, rm_error *err)
{
    int rc = rmi_grow(wasi->allocator, (void **)&wasi->fds, &wasi->fd_capacity, 8, sizeof *wasi->fds, err);
    if (rc != RM_OK)
        return rc;
    wasi->streams[0] = config->output;
    wasi->streams[1] = config->errors;
    wasi->fds[0] = (rmi_fd){.kind = RMI_FD_INPUT,
                            .host = config->input,
                            .waits = !is_regular(config->input),
                            .base = WASI_RIGHT_FD_READ | WASI_RIGHT_FD_FILESTAT_GET |
                                    WASI_RIGHT_FD_FDSTAT_SET_FLAGS | WASI_RIGHT_POLL_FD_READWRITE};
    for (int i = 1; i <= 2; i++) {
        const rmi_wasi_stream *stream = &wasi->streams[i - 1];
        int host = stream->write != NULL ? -1 : stream->descriptor;
        wasi->fds[i] = (rmi_fd){.kind = RMI_FD_OUTPUT,
                                .host = host,
                                .stream = i,
                                .waits = !is_regular(host),
                                .base = WASI_RIGHT_FD_WRITE | WASI_RIGHT_FD_FILESTAT_GET |
                                        WASI_RIGHT_FD_FDSTAT_SET_FLAGS | WASI_RIGHT_POLL_FD_READWRITE};
    }
    wasi->fd_count = 3;
    return RM_OK;
}

int rmi_wasi_new(const rmi_wasi_config *config, rmi_wasi **out, rm_error *err)
{
    rmi_wasi *wasi = rmi_alloc_zeroed(config->allocator, sizeof *wasi);
    *out = NULL;
    if (wasi == NULL)
        return rmi_out_of_memory(err);
    wasi->allocator = config->allocator;
    wasi->deterministic = config->deterministic;
    wasi->yield = config->yield;
    wasi->yield_context = config->yield_context;
    wasi->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    atomic_init(&wasi->stopped, false);
    int rc = RM_OK;
    if (wasi->stop < 0)
        rc = rm_error_set(err, RM_E_IO, "no descriptor for stopping a guest: %s", strerror(errno));
    if (rc == RM_OK)
        rc = copy_texts(wasi, config->args, &wasi->args, err);
    if (rc == RM_OK)
        rc = copy_texts(wasi, config->env, &wasi->env, err);
    if (rc == RM_OK)
        rc = open_stdio(wasi, config, err);
    if (rc == RM_OK)
        rc = rmi_wasi_grant(wasi, config->grants, config->grant_count, err);
    if (rc != RM_OK)
        rmi_wasi_free(wasi);
    else
        *out = wasi;
    return rc;
}

void rmi_wasi_free(rmi_wasi *wasi)
{
    if (wasi == NULL)
        return;
    for (size_t i = 0; wasi->temporaries != NULL && i < RMI_WASI_TEMPORARIES;
         i++) /* not in the file's place yet */
        if (wasi->temporaries[i].file != NULL)
            (void)unlinkat(wasi->temporaries[i].file->parent, wasi->temporaries[i].name, 0);
    for (size_t i = 0; i < wasi->fd_count; i++)
        rmi_wasi_fd_close(wasi, &wasi->fds[i]);
    rmi_free(wasi->allocator, wasi->fds, wasi->fd_capacity * sizeof *wasi->fds);
    rmi_wasi_grant_clear(wasi);
    rmi_free(wasi->allocator, wasi->args.bytes, wasi->args.length);
    rmi_free(wasi->allocator, wasi->env.bytes, wasi->env.length);
    if (wasi->stop >= 0)
        (void)close(wasi->stop);
    rmi_free(wasi->allocator, wasi, sizeof *wasi);
}

/* ---- Stopped and asked */

void rmi_wasi_stop(rmi_wasi *wasi)
{
    const uint64_t one = 1;
    int saved = errno;
    atomic_store(&wasi->stopped, true);
    ssize_t written = write(wasi->stop, &one, sizeof one); /* never read: it stays ready */
    (void)written;
    errno = saved;
}

void rmi_wasi_break_call(rmi_wasi *wasi)
{
    const uint64_t one = 1;
    atomic_store(&wasi->nudged, true);
    if (atomic_load(&wasi->waiting) == 0 || atomic_load(&wasi->stopped))
        return;
    ssize_t written = write(wasi->stop, &one, sizeof one);
    (void)written;
}

rmi_wish rmi_wasi_asks(void *context)
{
    rmi_wasi *wasi = context;
    if (rmi_wasi_stopped(wasi))
        return RMI_END_IT;
    return atomic_exchange(&wasi->nudged, false) ? RMI_TICK : RMI_GO_ON;
}

int rmi_wasi_poll(rmi_wasi *wasi, struct pollfd *polled, size_t count, const struct timespec *left,
                  int *ready)
{
    uint64_t nudges = 0;
    atomic_fetch_add(&wasi->waiting, 1);
    *ready = ppoll(polled, (nfds_t)count, left, NULL);
    atomic_fetch_sub(&wasi->waiting, 1);
    if (rmi_wasi_stopped(wasi))
        return WASI_ENDS;
    if (*ready < 0)
        return errno == EINTR ? 0 : rmi_wasi_errno(errno);
    if (*ready == 0 || polled[0].revents == 0)
        return 0;
    (*ready)--; /* the first is the stop descriptor: a nudge, which may be late */
    const ssize_t got = read(wasi->stop, &nudges, sizeof nudges);
    if (rmi_wasi_stopped(wasi)) { /* a stop stays readable */
        rmi_wasi_stop(wasi);
        return WASI_ENDS;
    }
    return got > 0 && *ready == 0 && (left == NULL || left->tv_sec != 0 || left->tv_nsec != 0) ? WASI_EINTR
                                                                                               : 0;
}

bool rmi_wasi_stopped(const rmi_wasi *wasi)
{
    return atomic_load(&wasi->stopped);
}

bool rmi_wasi_exited(const rmi_wasi *wasi, uint32_t *code)
{
    if (wasi->exited && code != NULL)
        *code = wasi->code;
    return wasi->exited;
}

int rmi_wasi_overflowed(const rmi_wasi *wasi)
{
    return wasi->overflowed;
}

uint64_t rmi_wasi_dropped(const rmi_wasi *wasi, int descriptor)
{
    return descriptor == 1 || descriptor == 2 ? wasi->rates[descriptor - 1].lost : 0;
}

/* ---- Arguments and environment */

static int sizes(const rmi_wasi_strings *texts, rmi_guest_memory memory, const rmi_slot *args)
{
    int error = rmi_wasi_put_u32(memory, args[0].u32, texts->count);
    return error != 0 ? error : rmi_wasi_put_u32(memory, args[1].u32, texts->length);
}

/* An array of addresses, and the texts at one. */
static int texts_get(const rmi_wasi_strings *texts, rmi_guest_memory memory, const rmi_slot *args)
{
    const uint32_t pointers = args[0].u32, bytes = args[1].u32;
    size_t at = 0;
    if (!rmi_wasi_reaches(memory, pointers, texts->count * sizeof(uint32_t)) ||
        !rmi_wasi_reaches(memory, bytes, texts->length))
        return WASI_EFAULT;
    int error = 0;
    for (size_t i = 0; error == 0 && i < texts->count; i++) {
        error = rmi_wasi_put_u32(memory, pointers + (uint32_t)(i * sizeof(uint32_t)), bytes + at);
        at += strlen(texts->bytes + at) + 1;
    }
    return error != 0 ? error : rmi_wasi_put(memory, bytes, texts->bytes, texts->length);
}

int rmi_preview1_args_sizes_get(void *context, rmi_guest_memory memory, const rmi_slot *args,
                                rmi_slot *result)
{
    const rmi_wasi *wasi = context;
    return rmi_wasi_answer(result, sizes(&wasi->args, memory, args));
}

int rmi_preview1_args_get(void *context, rmi_guest_memory memory, const rmi_slot *args, rmi_slot *result)
{
    const rmi_wasi *wasi = context;
    return rmi_wasi_answer(result, texts_get(&wasi->args, memory, args));
}

int rmi_preview1_environ_sizes_get(void *context, rmi_guest_memory memory, const rmi_slot *args,
                                   rmi_slot *result)
{
    const rmi_wasi *wasi = context;
    return rmi_wasi_answer(result, sizes(&wasi->env, memory, args));
}

int rmi_preview1_environ_get(void *context, rmi_guest_memory memory, const rmi_slot *args, rmi_slot *result)
{
    const rmi_wasi *wasi = context;
    return rmi_wasi_answer(result, texts_get(&wasi->env, memory, args));
}

/* ---- The guest as a process */

int rmi_preview1_proc_exit(void *context, rmi_guest_memory memory, const rmi_slot *args, rmi_slot *result)
{
    rmi_wasi *wasi = context;
    (void)memory, (void)result;
    wasi->exited = true;
    wasi->code = args[0].u32;
    return 1;
}

int rmi_preview1_proc_raise(void *context, rmi_guest_memory memory, const rmi_slot *args, rmi_slot *result)
{
    (void)context, (void)memory, (void)args;
    return rmi_wasi_answer(result, WASI_ENOSYS);
}

int rmi_preview1_sched_yield(void *context, rmi_guest_memory memory, const rmi_slot *args, rmi_slot *result)
{
    const rmi_wasi *wasi = context;
    (void)args;
    if (wasi->yield == NULL)
        (void)sched_yield();
    else if (wasi->yield(wasi->yield_context, memory) != 0)
        return 1;
    return rmi_wasi_answer(result, WASI_OK);
}

/* ---- Sockets, of which a guest never has one */

static int no_socket(void *context, const rmi_slot *args, rmi_slot *result)
{
    return rmi_wasi_answer(result, rmi_wasi_fd(context, args[0].u32) != NULL ? WASI_ENOTSOCK : WASI_EBADF);
}

int rmi_preview1_sock_accept(void *context, rmi_guest_memory memory, const rmi_slot *args, rmi_slot *result)
{
    (void)memory;
    return no_socket(context, args, result);
}

int rmi_preview1_sock_recv(void *context, rmi_guest_memory memory, const rmi_slot *args, rmi_slot *result)
{
    (void)memory;
    return no_socket(context, args, result);
}

int rmi_preview1_sock_send(void *context, rmi_guest_memory memory, const rmi_slot *args, rmi_slot *result)
{
    (void)memory;
    return no_socket(context, args, result);
}

int rmi_preview1_sock_shutdown(void *context, rmi_guest_memory memory, const rmi_slot *args, rmi_slot *result)
{
    (void)memory;
    return no_socket(context, args, result);
}
