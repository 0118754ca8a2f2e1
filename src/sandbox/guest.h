/* An instance of a module that exports the node interface (docs/wasm-node.md). Calls its functions, and
 * checks all that it returns against its memory.
 *
 * Threads: one at a time uses a guest; any may call rmi_guest_stop. */
#ifndef SANDBOX_GUEST_H
#define SANDBOX_GUEST_H

#include "sandbox/shared_engine.h"

typedef enum rmi_guest_call {
    RMI_GUEST_DESCRIBE,
    RMI_GUEST_OPEN,
    RMI_GUEST_PROCESS,
    RMI_GUEST_MORE,
    RMI_GUEST_GENERATE,
    RMI_GUEST_POLL,
    RMI_GUEST_END,
    RMI_GUEST_ADVANCE,
    RMI_GUEST_FLUSH,
    RMI_GUEST_ABANDON,
    RMI_GUEST_CLOSE,
    RMI_GUEST_CALLS
} rmi_guest_call;

/* What a call left in the exchange area. The output lies in the guest's memory, until the guest's next
 * call. */
typedef struct rmi_guest_answer {
    const uint8_t *output;
    size_t length;
    uint32_t done;
    double wait_ms;
} rmi_guest_answer;

typedef struct rmi_guest rmi_guest;

/* What a node's instances have used of the limits that they share. */
typedef struct rmi_guest_usage {
    int64_t ns;
    uint64_t fuel;
} rmi_guest_usage;

/* Makes an instance of the module with the limits of the policy; errors name them. Borrows both as long as
 * the guest lives. *out is owned. */
RM_MUST_CHECK int rmi_guest_new(rm_sandbox *sandbox, const rmi_loaded *loaded,
                                const rm_sandbox_policy *policy, rmi_guest_usage before, rmi_guest **out,
                                rm_error *err);
/* What this guest and those before it have used. */
rmi_guest_usage rmi_guest_used(const rmi_guest *guest);
/* NULL is fine. */
void rmi_guest_free(rmi_guest *guest);
/* Whether the guest has that function. It has all that are not optional. */
bool rmi_guest_has(const rmi_guest *guest, rmi_guest_call call);
/* Makes the input area at least `size` bytes large, also while the guest waits. Borrowed until the guest's
 * next call. */
RM_MUST_CHECK int rmi_guest_input(rmi_guest *guest, size_t size, uint8_t **data, size_t *capacity,
                                  rm_error *err);
/* Calls one of the functions with its arguments (0 to 2) in `slots`. Returns the guest's code: RM_OK,
 * RM_MORE, ..., or a failure of its own; or a failure of the sandbox, after which the guest cannot be called
 * again (rmi_guest_is_dead) and *answer is empty. */
RM_MUST_CHECK int rmi_guest_call_it(rmi_guest *guest, rmi_guest_call call, rmi_slot slots[static 2],
                                    rmi_guest_answer *answer, rm_error *err);
/* Allows the guest to wait for packets of its stream in the middle of a call: such a call returns RM_OK, and
 * rmi_guest_waits is true. Must come before RMI_GUEST_OPEN. */
RM_MUST_CHECK int rmi_guest_let_wait(rmi_guest *guest, rm_error *err);
bool rmi_guest_waits(const rmi_guest *guest);
/* Continues the call that waits; returns as rmi_guest_call_it does. `length`: the bytes of packets in the
 * input area, or RMI_STREAM_ENDED or RMI_STREAM_CLOSED. */
RM_MUST_CHECK int rmi_guest_go_on(rmi_guest *guest, uint32_t length, rmi_guest_answer *answer, rm_error *err);
/* Bytes that the sandbox dropped because the guest wrote too fast to standard output and standard error. */
uint64_t rmi_guest_lost(const rmi_guest *guest);
/* Ends the call in progress, if there is one, with RM_E_CANCELLED. A guest that can stop its node itself gets
 * a second to do so. Any thread. */
void rmi_guest_stop(rmi_guest *guest);
/* Whether rmi_guest_stop asked the last call to end. */
bool rmi_guest_was_asked(rmi_guest *guest);
/* Marks the guest as dead because it broke the interface: it cannot be called again. */
void rmi_guest_give_up(rmi_guest *guest);
bool rmi_guest_is_dead(const rmi_guest *guest);
/* Whether it died of a limit that another instance would reach as well. */
bool rmi_guest_is_spent(const rmi_guest *guest);
/* Fills `err` from an error document, a map as rm_error_to_value makes it; `code` is for a document without
 * one. Returns the code. It is RM_E_CANCELLED or RM_E_TIMEOUT only where the guest `may_stop`: it was asked
 * to, or it is being closed. */
int rmi_guest_error(rm_value document, int code, bool may_stop, rm_error *err);
/* Fails with RM_E_VALUE: the module does not keep to the interface. */
int rmi_guest_broken(rm_error *err, const char *format, ...) RM_PRINTF(2, 3);
/* The same, because the call returned `code`. */
int rmi_guest_answered(rmi_guest_call call, int code, rm_error *err);
/* Returns `rc`, the result of reading a value in the guest's area `where`. The message of a failure then
 * names the module. */
RM_MUST_CHECK int rmi_guest_read(int rc, const char *where, rm_error *err);

#endif
