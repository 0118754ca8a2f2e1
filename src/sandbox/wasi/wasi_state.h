/* What the files of WASI share: a context with its descriptors, and how functions reach a guest's memory. */
#ifndef SANDBOX_WASI_WASI_STATE_H
#define SANDBOX_WASI_WASI_STATE_H

#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "base/rate.h"
#include "sandbox/wasi/wasi.h"
#include "sandbox/wasi/wasi_numbers.h"

enum {
    RMI_WASI_PATH_SIZE = 4096,   /* with the NUL */
    RMI_WASI_NAME_SIZE = 256,    /* one component of a path, with the NUL */
    RMI_WASI_DESCRIPTORS = 1024, /* that a guest may have open */
    RMI_WASI_VECTORS = 1024,     /* that one call looks at: it reads or writes less then */
    RMI_WASI_PIECE = 4 << 20,    /* bytes of a file that are moved before it is looked whether to stop */
    RMI_WASI_TEMPORARIES = 64,   /* files beside a granted one that exist at a time */
    RMI_WASI_LISTED = 64 << 20   /* bytes that all listings of directories may take */
};

/* A single file of the host; see rm_sandbox_grant. */
typedef struct rmi_granted_file {
    char *key;   /* owned: its guest's name from the root, as rmi_wasi_normalise has it */
    char *name;  /* owned: the host's name of it in `parent` */
    int parent;  /* owned, or -1: the host's directory */
    int special; /* owned: what is no regular file (a pipe, a terminal), opened with O_PATH; else -1 */
    bool write;  /* and what is beside it may be made */
} rmi_granted_file;

/* What a guest made beside a granted file and has neither renamed nor unlinked yet. */
typedef struct rmi_temporary {
    const rmi_granted_file *file; /* NULL: this place is free */
    char name[RMI_WASI_NAME_SIZE];
} rmi_temporary;

/* A directory that is there from the start. */
typedef struct rmi_preopen {
    char *name; /* owned: as it was granted */
    bool write;
} rmi_preopen;

/* The entries of a directory, as they were when reading it began. */
typedef struct rmi_listed {
    uint64_t inode;
    size_t name; /* offset in the names */
    uint32_t length;
    uint8_t type;
} rmi_listed;

typedef struct rmi_listing {
    rmi_listed *entries; /* owned */
    char *names;         /* owned; no NULs */
    size_t count, capacity, length, room;
} rmi_listing;

typedef enum rmi_fd_kind {
    RMI_FD_NONE, /* not open */
    RMI_FD_INPUT,
    RMI_FD_OUTPUT,
    RMI_FD_FILE,
    RMI_FD_DIRECTORY,
} rmi_fd_kind;

/* An open descriptor of the guest. */
typedef struct rmi_fd {
    rmi_fd_kind kind;
    int host; /* borrowed of INPUT and OUTPUT, else owned; -1: none, as in a directory of granted files only */
    int stream;     /* of OUTPUT: 1 or 2 */
    bool waits;     /* is no regular file: reading and writing may wait */
    bool write;     /* the grant that it came by allows that */
    uint64_t base;  /* rights as the guest sees them */
    uint16_t flags; /* WASI_FD_* */
    dev_t device;   /* of DIRECTORY: the file system of its grant */
    char *
        key; /* of DIRECTORY: owned; its name from the root, where granted files are looked for; may be NULL */
    const rmi_preopen *preopen;
    rmi_listing *listing; /* owned, or NULL */
    rmi_temporary *temporary;
} rmi_fd;

/* A list of texts, one after the other. */
typedef struct rmi_wasi_strings {
    char *bytes; /* owned */
    size_t length, count;
} rmi_wasi_strings;

struct rmi_wasi {
    const rm_allocator *allocator;
    rmi_wasi_strings args, env;
    rmi_wasi_stream streams[2];
    uint64_t written[2]; /* bytes */
    rmi_rate rates[2];   /* of bytes */
    bool in_line[2];     /* what was written last ended no line */
    rmi_fd *fds;         /* owned */
    size_t fd_count, fd_capacity;
    rmi_preopen *preopens; /* owned */
    size_t preopen_count, preopen_capacity;
    rmi_granted_file *files; /* owned */
    size_t file_count, file_capacity;
    rmi_temporary *temporaries; /* owned: RMI_WASI_TEMPORARIES, or NULL without files */
    size_t listed;              /* bytes of all listings */
    int stop;                   /* owned: readable from rmi_wasi_stop on */
    atomic_bool stopped, nudged;
    atomic_int waiting; /* blocking calls in progress: there is one at most */
    bool exited;
    uint32_t code;
    int overflowed;
    int (*yield)(void *context, rmi_guest_memory memory);
    void *yield_context;
    bool deterministic;
    uint64_t time, random; /* in deterministic mode: ns since the start, the generator's state */
};

/* ---- The guest's memory. Addresses may be of any alignment; numbers are little-endian, as the hosts are. */

static inline bool rmi_wasi_reaches(rmi_guest_memory memory, uint32_t address, uint64_t length)
{
    return rmi_guest_range(memory, address, length) != NULL;
}

RM_MUST_CHECK static inline int rmi_wasi_put(rmi_guest_memory memory, uint32_t address, const void *data,
                                             size_t length)
{
    void *to = rmi_guest_range(memory, address, length);
    if (to != NULL && length != 0)
        memcpy(to, data, length);
    return to != NULL ? 0 : WASI_EFAULT;
}

RM_MUST_CHECK static inline int rmi_wasi_put_u32(rmi_guest_memory memory, uint32_t address, uint64_t value)
{
    uint32_t narrow = (uint32_t)value;
    return rmi_wasi_put(memory, address, &narrow, sizeof narrow);
}

RM_MUST_CHECK static inline int rmi_wasi_put_u64(rmi_guest_memory memory, uint32_t address, uint64_t value)
{
    return rmi_wasi_put(memory, address, &value, sizeof value);
}

/* ---- Results of functions are a WASI errno, or WASI_ENDS to end the guest's call. */

static inline int rmi_wasi_answer(rmi_slot *result, int error)
{
    result->i32 = error;
    return error == WASI_ENDS;
}

/* ---- wasi_errno.c */

/* The guest's number for an errno of the host; never 0. */
int rmi_wasi_errno(int host);
/* 0, or the number for errno where `result` is negative. */
RM_MUST_CHECK int rmi_wasi_check(int result);

/* ---- wasi_fd.c */

/* The open descriptor, or NULL. */
rmi_fd *rmi_wasi_fd(rmi_wasi *wasi, uint32_t number);
/* Puts `fd` into the table, at 3 or above, and stores its number. What it owns is closed on failure. */
RM_MUST_CHECK int rmi_wasi_fd_add(rmi_wasi *wasi, rmi_fd *fd, uint32_t *number);
/* Closes what it owns; it is RMI_FD_NONE afterwards. */
void rmi_wasi_fd_close(rmi_wasi *wasi, rmi_fd *fd);
/* A guest's filestat at `address`. */
RM_MUST_CHECK int rmi_wasi_put_stat(rmi_guest_memory memory, uint32_t address, const struct stat *status);
uint8_t rmi_wasi_file_type(mode_t mode);
/* Times as utimensat takes them, from a guest's. */
RM_MUST_CHECK int rmi_wasi_times(uint64_t accessed, uint64_t modified, uint32_t flags,
                                 struct timespec times[2]);

/* ---- wasi_io.c */

/* The host's form of a guest's vectors: at most RMI_WASI_VECTORS of them, stored with their count. */
RM_MUST_CHECK int rmi_wasi_vectors(rmi_guest_memory memory, uint32_t address, uint32_t count,
                                   struct iovec *out, int *out_count);
/* Drops the first `length` bytes. */
void rmi_wasi_advance(struct iovec **vectors, int *count, size_t length);

/* Reads or writes a regular file at `offset`; a negative one is the file's own, which moves on. *done bytes were moved, also
 * on failure; the vectors are used up. */
RM_MUST_CHECK int rmi_wasi_move_regular(const rmi_wasi *wasi, int host, struct iovec *vectors, int count,
                                        bool writes, int64_t offset, size_t *done);

/* ---- wasi_stdio.c */

/* As ppoll, the first of `polled` being the stop descriptor, which *ready does not count (-1: a signal came): 0, WASI_ENDS
 * when stopped, WASI_EINTR when nudged while nothing else was ready, or what went wrong. */
RM_MUST_CHECK int rmi_wasi_poll(rmi_wasi *wasi, struct pollfd *polled, size_t count,
                                const struct timespec *left, int *ready);
/* Waits until `descriptor` is ready for `events` of poll; WASI_EAGAIN when not and `now`; WASI_ENDS when stopped. */
RM_MUST_CHECK int rmi_wasi_wait(rmi_wasi *wasi, int descriptor, short events, bool now);
/* Reads or writes what may have to wait, in pieces that do not. *done bytes were moved, also on failure. */
RM_MUST_CHECK int rmi_wasi_read_waiting(rmi_wasi *wasi, const rmi_fd *fd, struct iovec *vectors, int count,
                                        size_t *done);
RM_MUST_CHECK int rmi_wasi_write_waiting(rmi_wasi *wasi, const rmi_fd *fd, struct iovec *vectors, int count,
                                         size_t *done);
/* Writes to descriptor 1 or 2, within its limits. */
RM_MUST_CHECK int rmi_wasi_write_stream(rmi_wasi *wasi, const rmi_fd *fd, struct iovec *vectors, int count,
                                        size_t *done);

/* ---- wasi_grant.c */

/* Opens what is granted. */
RM_MUST_CHECK int rmi_wasi_grant(rmi_wasi *wasi, const rm_sandbox_grant *grants, size_t count, rm_error *err);
void rmi_wasi_grant_clear(rmi_wasi *wasi);

/* ---- wasi_lookup.c */

/* Where a path of the guest leads: to a granted file, beside one, or into a granted directory. */
typedef struct rmi_wasi_target {
    rmi_fd *directory;
    char path[RMI_WASI_PATH_SIZE]; /* relative and not empty */
    char key[RMI_WASI_PATH_SIZE];  /* its name from the root; "" where there is nothing to look for */
    bool keyed;                    /* whether it has one */
    bool slash;                    /* ends with one: must be a directory */
    const rmi_granted_file *file;  /* the granted file, or the one that it is beside */
    bool beside;
    char name[RMI_WASI_NAME_SIZE]; /* in file->parent */
    rmi_temporary *temporary;      /* beside: what the guest has made there, or NULL */
    bool leads;                    /* a directory on the way to granted files */
} rmi_wasi_target;

/* `path` after `prefix`, lexically: without ".", "//" and a slash at the front or end; ".." takes away what is before it and
 * stays at the front. false: longer than RMI_WASI_PATH_SIZE. */
bool rmi_wasi_normalise(const char *prefix, const char *path, char out[RMI_WASI_PATH_SIZE]);
/* A relative path out of the guest's memory, or a relative link's target: not empty, and without a NUL. */
RM_MUST_CHECK int rmi_wasi_copy_path(rmi_guest_memory memory, uint32_t address, uint32_t length,
                                     char out[RMI_WASI_PATH_SIZE]);
RM_MUST_CHECK int rmi_wasi_place(rmi_wasi *wasi, rmi_guest_memory memory, uint32_t fd, uint32_t path,
                                 uint32_t length, rmi_wasi_target *out);
/* Whether there is a granted file, or one that the guest made beside such a file: else it is in the directory. */
bool rmi_wasi_is_granted(const rmi_wasi_target *place);
/* Whether anything may be written in the directory, or any granted file below it. */
bool rmi_wasi_any_written(const rmi_wasi *wasi, const rmi_fd *directory);
/* What a directory on the way to granted files looks like. */
void rmi_wasi_virtual_stat(const char *key, struct stat *status);

/* ---- wasi_beneath.c: paths below a granted directory. */

/* Opens by the kernel, and only what lies beneath; a descriptor of the host in *out, which is owned. */
RM_MUST_CHECK int rmi_wasi_beneath(const rmi_fd *directory, const char *path, int flags, int *out);
/* Opens the directory in which the last component of `path` stands, and copies that component. WASI_EINVAL where it is "."
 * or "..", so that what is then done with it in *parent does not leave that. */
RM_MUST_CHECK int rmi_wasi_parent(const rmi_fd *directory, const char *path, int *parent,
                                  char name[RMI_WASI_NAME_SIZE]);
/* Whether it is a file of /proc, by which a guest would reach the process: its memory, its environment. */
bool rmi_wasi_is_proc(int descriptor);
/* Whether the kernel can do this. */
bool rmi_wasi_beneath_works(int directory);

/* ---- wasi_list.c */

void rmi_wasi_listing_free(rmi_wasi *wasi, rmi_listing *listing);

/* ---- wasi_clock.c */

/* ns of a clock (WASI_CLOCK_*), without advancing it. */
uint64_t rmi_wasi_now(const rmi_wasi *wasi, uint32_t id);

/* ---- All functions of preview 1, with their signatures. */

#define RMI_WASI_FUNCTIONS(X)               \
    /* wasi.c */                            \
    X(args_get, "ii:i")                     \
    X(args_sizes_get, "ii:i")               \
    X(environ_get, "ii:i")                  \
    X(environ_sizes_get, "ii:i")            \
    X(proc_exit, "i:")                      \
    X(proc_raise, "i:i")                    \
    X(sched_yield, ":i")                    \
    X(sock_accept, "iii:i")                 \
    X(sock_recv, "iiiiii:i")                \
    X(sock_send, "iiiii:i")                 \
    X(sock_shutdown, "ii:i")                \
    /* wasi_clock.c */                      \
    X(clock_res_get, "ii:i")                \
    X(clock_time_get, "iIi:i")              \
    X(random_get, "ii:i")                   \
    /* wasi_fd.c */                         \
    X(fd_close, "i:i")                      \
    X(fd_fdstat_get, "ii:i")                \
    X(fd_fdstat_set_flags, "ii:i")          \
    X(fd_fdstat_set_rights, "iII:i")        \
    X(fd_filestat_get, "ii:i")              \
    X(fd_filestat_set_times, "iIIi:i")      \
    X(fd_prestat_get, "ii:i")               \
    X(fd_prestat_dir_name, "iii:i")         \
    X(fd_renumber, "ii:i")                  \
    /* wasi_io.c */                         \
    X(fd_advise, "iIIi:i")                  \
    X(fd_allocate, "iII:i")                 \
    X(fd_datasync, "i:i")                   \
    X(fd_filestat_set_size, "iI:i")         \
    X(fd_pread, "iiiIi:i")                  \
    X(fd_pwrite, "iiiIi:i")                 \
    X(fd_read, "iiii:i")                    \
    X(fd_seek, "iIii:i")                    \
    X(fd_sync, "i:i")                       \
    X(fd_tell, "ii:i")                      \
    X(fd_write, "iiii:i")                   \
    /* wasi_list.c */                       \
    X(fd_readdir, "iiiIi:i")                \
    /* wasi_open.c */                       \
    X(path_open, "iiiiiIIii:i")             \
    /* wasi_path.c */                       \
    X(path_create_directory, "iii:i")       \
    X(path_filestat_get, "iiiii:i")         \
    X(path_filestat_set_times, "iiiiIIi:i") \
    X(path_link, "iiiiiii:i")               \
    X(path_readlink, "iiiiii:i")            \
    X(path_remove_directory, "iii:i")       \
    X(path_rename, "iiiiii:i")              \
    X(path_symlink, "iiiii:i")              \
    X(path_unlink_file, "iii:i")            \
    /* wasi_poll.c */                       \
    X(poll_oneoff, "iiii:i")

#define RMI_WASI_DECLARE(name, signature) rmi_import_function rmi_preview1_##name;
RMI_WASI_FUNCTIONS(RMI_WASI_DECLARE)
#undef RMI_WASI_DECLARE

#endif
