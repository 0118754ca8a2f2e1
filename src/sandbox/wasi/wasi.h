/* What a guest sees of the system: WASI preview 1 (wasi_snapshot_preview1) over what was granted to it and nothing else.
 * All that comes from the guest is checked; every path is opened by the kernel beneath the granted directory (openat2 with
 * RESOLVE_BENEATH), so that "..", absolute paths, links and races lead nowhere.
 *
 * Of a granted directory only regular files and directories can be opened, and never files of /proc; a granted file may also
 * be a pipe or a device. What a guest has made beside a granted file and not put in its place is removed in the end. The process is to ignore
 * SIGPIPE; how much is written to files is not limited.
 *
 * Threads: a context is used by the thread that runs its guest; rmi_wasi_stop may come from any. */
#ifndef SANDBOX_WASI_WASI_H
#define SANDBOX_WASI_WASI_H

#include <stdatomic.h>

#include "platform/platform.h"
#include "remotemedia/sandbox.h"
#include "sandbox/engine.h"

/* Where descriptor 1 or 2 of the guest goes. */
typedef struct rmi_wasi_stream {
    int descriptor; /* of the host, borrowed, may block; -1: what is written is dropped */
    /* Instead of a descriptor, when not NULL: takes all `length` bytes, or returns an errno. */
    int (*write)(void *context, const void *data, size_t length);
    void *context;
    uint64_t limit; /* bytes in all that may be written: what is over ends the guest's call; 0: any */
    uint64_t rate;  /* bytes a second: what is over is dropped and counted, not toward the limit; 0: any */
} rmi_wasi_stream;

typedef struct rmi_wasi_config {
    const rm_allocator *allocator;
    const char *const *args; /* ends with NULL; these three lists are copied */
    const char *const *env;  /* "NAME=VALUE", ends with NULL */
    const rm_sandbox_grant *grants;
    size_t grant_count;
    int input; /* descriptor 0's; borrowed; -1: at its end from the start */
    rmi_wasi_stream output, errors;
    /* Called in sched_yield where not NULL; not 0 ends the guest's call. */
    int (*yield)(void *context, rmi_guest_memory memory);
    void *yield_context;
    bool deterministic; /* random numbers are the same in every run, clocks advance by a fixed step a call */
} rmi_wasi_config;

typedef struct rmi_wasi rmi_wasi;

/* Opens what is granted: RM_E_NOT_FOUND or RM_E_IO name the grant, RM_E_VALUE one that cannot be; RM_E_MISSING_FEATURE where
 * a directory is granted and the kernel has no openat2. *out is owned. */
RM_MUST_CHECK int rmi_wasi_new(const rmi_wasi_config *config, rmi_wasi **out, rm_error *err);
void rmi_wasi_free(rmi_wasi *wasi);
/* The imports of module "wasi_snapshot_preview1", all of preview 1; ends with {0}. Their context is an rmi_wasi. */
extern const rmi_import rmi_wasi_imports[];
/* Ends blocking calls of the guest from now on (they fail and end its call). Any thread. */
void rmi_wasi_stop(rmi_wasi *wasi);
bool rmi_wasi_stopped(const rmi_wasi *wasi);
/* Asks the guest to look up: a blocking call in progress ends with EINTR, and the next rmi_wasi_asks says RMI_TICK. Any
 * thread. */
void rmi_wasi_break_call(rmi_wasi *wasi);
/* A rmi_instance_config.asks whose context is an rmi_wasi: what these two have asked for. */
rmi_wish rmi_wasi_asks(void *wasi);
/* After a call that an import has ended: true with the code when the guest called proc_exit. */
bool rmi_wasi_exited(const rmi_wasi *wasi, uint32_t *code);
/* After such a call: which stream ran into its limit (1 or 2), or 0. */
int rmi_wasi_overflowed(const rmi_wasi *wasi);
/* Bytes of descriptor 1 or 2 that were dropped because they came too fast. */
uint64_t rmi_wasi_dropped(const rmi_wasi *wasi, int descriptor);

#endif
