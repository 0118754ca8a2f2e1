/* What a guest sees of the system: WASI preview 1 (wasi_snapshot_preview1), over its grants and nothing else.
 * All that comes from the guest is checked. The kernel opens every path beneath the granted directory
 * (openat2 with RESOLVE_BENEATH): no "..", absolute path, link or race leads out of it.
 *
 * In a granted directory a guest can open only regular files and directories, and no files of /proc; a
 * granted file may also be a pipe or a device. Files that a guest made beside a granted file, and did not put
 * in its place, are removed with the context. The process must ignore SIGPIPE. The size of files has no
 * limit.
 *
 * Threads: the thread that runs the guest uses its context; any may call rmi_wasi_stop and
 * rmi_wasi_break_call. */
#ifndef SANDBOX_WASI_WASI_H
#define SANDBOX_WASI_WASI_H

#include <stdatomic.h>

#include "platform/platform.h"
#include "remotemedia/sandbox.h"
#include "sandbox/engine.h"

/* Where descriptor 1 or 2 of the guest goes. */
typedef struct rmi_wasi_stream {
    int descriptor; /* of the host, borrowed, may block; -1: output is dropped */
    /* Replaces the descriptor when not NULL: takes all `length` bytes, or returns an errno. */
    int (*write)(void *context, const void *data, size_t length);
    void *context;
    uint64_t limit; /* bytes in all: a write beyond them ends the guest's call; 0: no limit */
    uint64_t rate;  /* bytes a second: the rest is dropped and counted, but not for `limit`; 0: no limit */
} rmi_wasi_stream;

typedef struct rmi_wasi_config {
    const rm_allocator *allocator;
    const char *const *args; /* ends with NULL; these three lists are copied */
    const char *const *env;  /* "NAME=VALUE", ends with NULL */
    const rm_sandbox_grant *grants;
    size_t grant_count;
    int input; /* the host's descriptor for 0; borrowed; -1: empty input */
    rmi_wasi_stream output, errors;
    /* sched_yield calls it, where not NULL; a result other than 0 ends the guest's call. */
    int (*yield)(void *context, rmi_guest_memory memory);
    void *yield_context;
    bool deterministic; /* random numbers are the same in every run; clocks advance a fixed step each call */
} rmi_wasi_config;

typedef struct rmi_wasi rmi_wasi;

/* Opens the granted files and directories. RM_E_NOT_FOUND and RM_E_IO name the grant; RM_E_VALUE: a grant
 * that makes no sense; RM_E_MISSING_FEATURE: a directory is granted and the kernel has no openat2. *out is
 * owned. */
RM_MUST_CHECK int rmi_wasi_new(const rmi_wasi_config *config, rmi_wasi **out, rm_error *err);
void rmi_wasi_free(rmi_wasi *wasi);
/* All imports of module "wasi_snapshot_preview1"; ends with {0}. Their context is an rmi_wasi. */
extern const rmi_import rmi_wasi_imports[];
/* Stops the guest: from here on a blocking call fails and ends the guest's call. Any thread. */
void rmi_wasi_stop(rmi_wasi *wasi);
bool rmi_wasi_stopped(const rmi_wasi *wasi);
/* Nudges the guest: a blocking call in progress ends with EINTR, and the next rmi_wasi_asks returns RMI_TICK.
 * Any thread. */
void rmi_wasi_break_call(rmi_wasi *wasi);
/* A rmi_instance_config.asks whose context is an rmi_wasi: returns what these two asked for. */
rmi_wish rmi_wasi_asks(void *wasi);
/* After a call that an import has ended: true with the code when the guest called proc_exit. */
bool rmi_wasi_exited(const rmi_wasi *wasi, uint32_t *code);
/* After such a call: the stream (1 or 2) that reached its limit, or 0. */
int rmi_wasi_overflowed(const rmi_wasi *wasi);
/* Bytes of descriptor 1 or 2 that were dropped because of `rate`. */
uint64_t rmi_wasi_dropped(const rmi_wasi *wasi, int descriptor);

#endif
