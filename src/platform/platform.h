/* All that differs between operating systems; implemented once a platform. Stands under base: includes
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

/* Takes standard input and output for items and results. What is written to descriptor 1 from here on goes to
 * standard error, so that a printf in a library cannot spoil results; descriptor 0 is empty, so that programs
 * that a node starts do not read the items. Descriptors 0 to 2 are open afterwards, and a reader that went away
 * is an error of the write. *input and *output: the descriptors that were taken, or -1 where they were closed.
 * Once. */
void rmi_platform_take_streams(int *input, int *output);
/* Has Ctrl-C, SIGTERM and SIGHUP call `function`, in a signal handler and on the calling thread, whose
 * blocking calls end, as they do when the thread is nudged. What was ignored before stays so. Without signals:
 * does nothing. One function at a time. */
void rmi_platform_take_signals(void (*function)(void));
/* From now on those signals do nothing. */
void rmi_platform_ignore_signals(void);
/* Whether a read would wait for something to come. */
bool rmi_platform_would_block(int descriptor);
/* Waits until something can be written, or a signal has come. */
void rmi_platform_wait_writable(int descriptor);
/* Whether a short text (512 bytes) can be written without waiting. */
bool rmi_platform_can_write(int descriptor);
/* The calling thread, for rmi_platform_break_call. */
uintptr_t rmi_platform_this_thread(void);
/* Names a temporary file beside another process'. */
long rmi_platform_process_number(void);
/* Gives a new file the permissions that `path` has. */
void rmi_platform_copy_mode(const char *path, int descriptor);

/* ---- Waiting */

/* A flag that one thread waits for and any thread or signal handler raises. */
typedef struct rmi_wake rmi_wake;
/* *out is owned: rmi_wake_free. */
RM_MUST_CHECK int rmi_wake_new(const rm_allocator *allocator, rmi_wake **out, rm_error *err);
void rmi_wake_free(rmi_wake *wake);
/* Safe in any thread and in a signal handler; raised twice counts once. */
void rmi_wake_raise(rmi_wake *wake);
/* Waits until raised (lowers it), until one of `descriptors` is readable, or until `deadline` (monotonic
 * ns, INT64_MAX: none). true when something other than the deadline ended the wait. An interrupting signal
 * ends it too. */
bool rmi_wake_wait(rmi_wake *wake, const int *descriptors, size_t count, int64_t deadline);

bool rmi_platform_has_threads(void);
/* A thread that calls `function(context)` at a deadline or when raised; absent on hosts without threads. */
typedef struct rmi_watchdog rmi_watchdog;
/* RM_OK with *out owned, or RM_E_MISSING_FEATURE where there are no threads. `function` returns the next
 * deadline (INT64_MAX: none) and runs on the watchdog's thread; the first deadline is asked for by calling
 * it once at start. */
RM_MUST_CHECK int rmi_watchdog_start(const rm_allocator *allocator, int64_t (*function)(void *context),
                                     void *context, rmi_watchdog **out, rm_error *err);
/* Has the function called soon. Any thread; safe in a signal handler. */
void rmi_watchdog_poke(rmi_watchdog *watchdog);
/* Waits for a call in progress, ends the thread, frees. NULL is fine. */
void rmi_watchdog_stop(rmi_watchdog *watchdog);

/* A thread that takes turns with its caller, as a coroutine does: one of the two runs at a time, and who gives the
 * turn away waits until it comes back. What one did, the other sees. */
typedef struct rmi_handover rmi_handover;
/* RM_OK with *out owned, or RM_E_MISSING_FEATURE where there are no threads. `function(context)` begins with the
 * thread's first turn. */
RM_MUST_CHECK int rmi_handover_new(const rm_allocator *allocator, void (*function)(void *context),
                                   void *context, rmi_handover **out, rm_error *err);
/* Gives the turn to the thread and waits until it comes back: true by rmi_handover_park, false by the end of the
 * function, after which there are no turns. One caller at a time. */
bool rmi_handover_resume(rmi_handover *handover);
/* In the thread: gives the turn back; returns with the next one. */
void rmi_handover_park(rmi_handover *handover);
/* A thread whose function has not returned is left behind: it sleeps as long as the process lives. NULL is fine. */
void rmi_handover_free(rmi_handover *handover);

/* A signal that ends blocking calls of a thread: its number where nobody else in the process uses it, 0 where
 * someone does or there are no signals. Who wants it installs a handler, without SA_RESTART. */
int rmi_platform_break_signal(void);
/* Sends it to `thread` (a pthread_t), which must not have ended. Any thread. */
void rmi_platform_break_call(uintptr_t thread);

/* ---- Files */

/* Reads a whole file ("-": standard input); *data is owned, NUL-terminated: rm_text_free(allocator, data,
 * length). RM_E_NOT_FOUND, RM_E_IO, RM_E_LIMIT past `limit` bytes, with the path in the message. */
RM_MUST_CHECK int rmi_platform_read_file(const rm_allocator *allocator, const char *path, size_t limit,
                                         char **data, size_t *length, rm_error *err);
/* The directory of the running program, without a slash at the end; false where there is none. */
bool rmi_platform_program_directory(char *buffer, size_t size);

/* The directory of the program or shared object that this code is part of; false where there is none. */
bool rmi_platform_own_directory(char *buffer, size_t size);

/* A shared object; its symbol as data, borrowed; freed handles stay loaded until rmi_library_close. */
typedef struct rmi_library rmi_library;
RM_MUST_CHECK int rmi_library_open(const rm_allocator *allocator, const char *path, rmi_library **out,
                                   rm_error *err);
/* Stores the function pointer `name` into `function` (any function pointer of the right type); false if
 * missing. */
bool rmi_library_function(rmi_library *library, const char *name, void *function, size_t size);
void rmi_library_close(rmi_library *library);

/* Tells the system that all of a large block, fresh from the C library, will be used, so that it may come in
 * large pages: first touching it takes a fraction of the time then. */
void rmi_platform_use_large_pages(void *block, size_t size);

/* What the machine has, for "capabilities". */
size_t rmi_platform_cpu_count(void);
double rmi_platform_memory_gb(void);
/* Bytes of memory that the host lets the program have, so that errors can tell; 0: not known. */
uint64_t rmi_platform_memory_limit(void);
const char *rmi_platform_architecture(void); /* "x86_64", "aarch64", "wasm32" */

#endif
