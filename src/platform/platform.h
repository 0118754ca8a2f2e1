/* All that differs between operating systems, implemented for each platform. Lies below base: includes
 * nothing of ours. */
#ifndef PLATFORM_PLATFORM_H
#define PLATFORM_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "remotemedia/remotemedia.h"

/* The monotonic clock, ns. */
int64_t rmi_platform_now(void);

/* ---- The program's own process; only the program calls these. */

/* Takes standard input and output for items and results. From here on descriptor 1 goes to standard error: a
 * printf in a library cannot spoil results. Descriptor 0 is empty: programs that a node starts do not read
 * the items. Descriptors 0 to 2 are open afterwards, and a write fails when its reader has gone or the file is
 * too large. *input and *output: the descriptors that were taken, hidden; -1: was closed. Called once. */
void rmi_platform_take_streams(int *input, int *output);
/* Makes Ctrl-C, SIGTERM and SIGHUP call `function`, in a signal handler on the calling thread. The thread's
 * blocking calls end then, and also by rmi_platform_break_call. Ignored signals stay ignored. Does nothing
 * without signals. One function at a time. */
void rmi_platform_take_signals(void (*function)(void));
/* Calls the function, which may install a handler of Ctrl-C, and puts back the one before. */
void rmi_platform_keep_interrupt(void (*function)(void *), void *context);
/* Makes the program ignore those signals. */
void rmi_platform_ignore_signals(void);
/* Asks the child processes that are left to end (SIGTERM): those of this process group, which Ctrl-C in a terminal
 * reaches too. */
void rmi_platform_end_children(void);
/* Whether a person sits at the descriptor. */
bool rmi_platform_is_terminal(int descriptor);
/* Whether a read would wait. */
bool rmi_platform_would_block(int descriptor);
/* Whether all that ends rmi_wake_wait also ends a read that waits: then no wait needs to come before the read. */
bool rmi_platform_ends_reads(void);
/* Waits until a write is possible or a signal comes. */
void rmi_platform_wait_writable(int descriptor);
/* Whether a short text (512 bytes) can be written without waiting. */
bool rmi_platform_can_write(int descriptor);
/* The calling thread, for rmi_platform_break_call. */
uintptr_t rmi_platform_this_thread(void);
/* A number for the names of temporary files: another process has another number. */
long rmi_platform_process_number(void);
/* Replaces this program by another, which gets these descriptors (-1: closed) as its standard input and
 * output. Returns only where that fails, with errno; ENOSYS where there are no processes. */
void rmi_platform_become(const char *path, const char *const *arguments, int input, int output);
/* Gives a new file the permissions of `path`. */
void rmi_platform_copy_mode(const char *path, int descriptor);

/* Whether rmi_platform_take_signals has taken the signals, here or in the process that forked this one. */
bool rmi_platform_took_signals(void);
/* Takes one of them again, after other code has set a handler. */
void rmi_platform_take_back_signal(int number);
/* Whether it is the signal of Ctrl-C. */
bool rmi_platform_is_interrupt(int number);

/* ---- Forked processes: without our threads, signal handlers and hidden descriptors. */

/* The number of forks between the process that loaded this code and this one: a thread from before is gone where the
 * number has changed. Any thread. */
unsigned rmi_platform_forks(void);
/* Makes every forked process call `function` first, in the thread that forked. The function may only do what signal
 * handlers may. For a few functions; a second time for the same one does nothing. */
void rmi_platform_in_child(void (*function)(void));
/* Makes forked processes close the descriptor (-1: none), until rmi_platform_unhide, which comes before its close. */
void rmi_platform_hide(int descriptor);
void rmi_platform_unhide(int descriptor);

/* ---- Waiting */

/* A flag that one thread waits for and any thread or signal handler raises. */
typedef struct rmi_wake rmi_wake;
/* *out is owned: rmi_wake_free. */
RM_MUST_CHECK int rmi_wake_new(const rm_allocator *allocator, rmi_wake **out, rm_error *err);
void rmi_wake_free(rmi_wake *wake);
/* Any thread; safe in a signal handler. Two raises count as one. */
void rmi_wake_raise(rmi_wake *wake);
/* Waits until the flag is raised (and lowers it), one of `descriptors` is readable, `deadline` (monotonic ns,
 * INT64_MAX: none) passes or a signal comes. false when the deadline ended the wait. */
bool rmi_wake_wait(rmi_wake *wake, const int *descriptors, size_t count, int64_t deadline);

/* The same for one descriptor (-1: none), to read it or to write a short text (512 bytes). true: it is ready, or its
 * other end has gone. */
bool rmi_wake_wait_for(rmi_wake *wake, int descriptor, bool writing, int64_t deadline);

bool rmi_platform_has_threads(void);
/* A thread that calls `function(context)` at a deadline or when raised; absent on hosts without threads. */
typedef struct rmi_watchdog rmi_watchdog;
/* RM_OK with *out owned, or RM_E_MISSING_FEATURE where there are no threads. `function` runs on the
 * watchdog's thread and returns the next deadline (INT64_MAX: none). A first call at the start gives the
 * first deadline. */
RM_MUST_CHECK int rmi_watchdog_start(const rm_allocator *allocator, int64_t (*function)(void *context),
                                     void *context, rmi_watchdog **out, rm_error *err);
/* Makes the watchdog call the function soon. Any thread; safe in a signal handler. */
void rmi_watchdog_poke(rmi_watchdog *watchdog);
/* Waits for a call in progress, ends the thread, frees. NULL is fine. */
void rmi_watchdog_stop(rmi_watchdog *watchdog);

/* A thread that takes turns with its caller, as a coroutine does: one of the two runs, and the other waits
 * for its turn. Each sees all that the other did. */
typedef struct rmi_handover rmi_handover;
/* RM_OK with *out owned, or RM_E_MISSING_FEATURE where there are no threads. The thread's first turn begins
 * `function(context)`. */
RM_MUST_CHECK int rmi_handover_new(const rm_allocator *allocator, void (*function)(void *context),
                                   void *context, rmi_handover **out, rm_error *err);
/* Gives the turn to the thread and waits to get it back. true: the thread called rmi_handover_park; false:
 * its function has ended, and there are no more turns. One caller at a time. */
bool rmi_handover_resume(rmi_handover *handover);
/* Called in the thread: gives the turn back, and returns with the next turn. */
void rmi_handover_park(rmi_handover *handover);
/* Leaves behind a thread whose function has not returned: it sleeps until the process ends. NULL is fine. */
void rmi_handover_free(rmi_handover *handover);

/* The number of a signal that ends blocking calls of a thread; 0 where others in the process use it, or there
 * are no signals. The caller installs a handler, without SA_RESTART. */
int rmi_platform_break_signal(void);
/* Sends that signal to `thread` (a pthread_t), which must not have ended. Any thread. */
void rmi_platform_break_call(uintptr_t thread);

/* ---- Files */

/* Writes all of it, whatever interrupts; false with errno where that fails. */
bool rmi_platform_write_all(int descriptor, const void *data, size_t size);
/* Reads a whole file ("-": standard input); *data is owned, NUL-terminated: rm_text_free(allocator, data,
 * length). RM_E_NOT_FOUND, RM_E_IO, RM_E_LIMIT past `limit` bytes, with the path in the message. */
RM_MUST_CHECK int rmi_platform_read_file(const rm_allocator *allocator, const char *path, size_t limit,
                                         char **data, size_t *length, rm_error *err);
/* The number of the standard stream that `path` names: "-" and the system's names; `writes` chooses between input
 * (0) and output (1). -1: none. */
int rmi_platform_standard(const char *path, bool writes);
/* What a path leads to. */
typedef enum rmi_file_kind {
    RMI_FILE_OTHER,   /* devices, folders, and what cannot be seen: any number may use it */
    RMI_FILE_REGULAR, /* or a file that is not there yet */
    RMI_FILE_STREAM,  /* FIFOs, sockets and terminals: of two readers each gets a part */
} rmi_file_kind;
/* Tells a file from others, by whatever name; of a file that is not there yet, its folder and its name. */
typedef struct rmi_file_id {
    uint64_t device, number;
    char name[256]; /* "" for a file that is there */
} rmi_file_id;
bool rmi_platform_same_file(const rmi_file_id *a, const rmi_file_id *b);
/* The folder of a path, "." for a bare name; false: longer than `size`. */
bool rmi_platform_folder_of(const char *path, char *folder, size_t size);
/* Follows the links that `path` itself is, also where the last one leads to no file. false: in a circle, or longer than
 * `size`. */
bool rmi_platform_follow(const char *path, char *target, size_t size);
/* Calls `each` with the name of every link in a folder, until it returns false. A folder that cannot be read has none. */
void rmi_platform_list_links(const char *folder, bool (*each)(void *context, const char *name),
                             void *context);
/* Finds the folder of the file that `path` leads to, and its name there, whether there is such a file or not. */
bool rmi_platform_locate(const char *path, rmi_file_id *out);
bool rmi_platform_identify_folder(const char *path, rmi_file_id *out);
/* *out is set where the kind is not RMI_FILE_OTHER. */
rmi_file_kind rmi_platform_identify(const char *path, rmi_file_id *out);
rmi_file_kind rmi_platform_identify_descriptor(int descriptor, rmi_file_id *out);
/* The directory of the running program, without a slash at the end; false where there is none. */
bool rmi_platform_program_directory(char *buffer, size_t size);

/* The directory of the program or shared object with this code; false where there is none. */
bool rmi_platform_own_directory(char *buffer, size_t size);
/* Finds the file `name` in the folder `given`; or, where that is "", in the places `near` (ends with NULL) the program, then
 * near the library. */
bool rmi_find_beside(const char *given, const char *const *near, const char *name, char *path, size_t size);

/* A shared object; it stays loaded until rmi_library_close. */
typedef struct rmi_library rmi_library;
RM_MUST_CHECK int rmi_library_open(const rm_allocator *allocator, const char *path, rmi_library **out,
                                   rm_error *err);
/* Stores the function pointer `name` into `function` (any function pointer of the right type); false if
 * missing. */
bool rmi_library_function(rmi_library *library, const char *name, void *function, size_t size);
void rmi_library_close(rmi_library *library);

/* Advises the system to use large pages for a large new block of the C library: touching it for the first
 * time is then much faster. */
void rmi_platform_use_large_pages(void *block, size_t size);

/* Properties of the machine, for "capabilities". */
size_t rmi_platform_cpu_count(void);
double rmi_platform_memory_gb(void);
/* The host's limit of the program's memory in bytes, for errors; 0: not known. */
uint64_t rmi_platform_memory_limit(void);
const char *rmi_platform_architecture(void); /* "x86_64", "aarch64", "wasm32" */

#endif
