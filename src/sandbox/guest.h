/* A module that exports the node interface (docs/wasm-node.md), in an instance of its own: its calls, with everything that
 * comes back checked against its memory.
 *
 * Threads: used by one at a time; rmi_guest_stop may come from any. */
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

/* What a call left in the exchange area; the output is in the guest's memory, until its next call. */
typedef struct rmi_guest_answer {
    const uint8_t *output;
    size_t length;
    uint32_t done;
    double wait_ms;
} rmi_guest_answer;

typedef struct rmi_guest rmi_guest;

/* What instances have used of limits that hold for all of them together. */
typedef struct rmi_guest_usage {
    int64_t ns;
    uint64_t fuel;
} rmi_guest_usage;

/* Makes an instance of the module with the policy, whose limits are told in errors. Both are borrowed as long as the guest
 * lives. *out is owned. */
RM_MUST_CHECK int rmi_guest_new(rm_sandbox *sandbox, const rmi_loaded *loaded,
                                const rm_sandbox_policy *policy, rmi_guest_usage before, rmi_guest **out,
                                rm_error *err);
/* What was used before and by this one. */
rmi_guest_usage rmi_guest_used(const rmi_guest *guest);
/* NULL is fine. */
void rmi_guest_free(rmi_guest *guest);
/* Whether it has that function; what is not optional it has. */
bool rmi_guest_has(const rmi_guest *guest, rmi_guest_call call);
/* The input area, of at least `size` bytes, also while the guest waits; borrowed, until the guest's next call. */
RM_MUST_CHECK int rmi_guest_input(rmi_guest *guest, size_t size, uint8_t **data, size_t *capacity,
                                  rm_error *err);
/* Calls one of the functions, whose arguments (0 to 2) are in `slots`. The guest's answer: RM_OK, RM_MORE, ...; or a failure:
 * its own, or that of the sandbox, after which it cannot be called again (rmi_guest_is_dead). *answer is filled in both
 * cases but the last. */
RM_MUST_CHECK int rmi_guest_call_it(rmi_guest *guest, rmi_guest_call call, rmi_slot slots[static 2],
                                    rmi_guest_answer *answer, rm_error *err);
/* From here on its code may wait for packets of its stream in the middle of a call; such a call answers RM_OK, and rmi_guest_waits
 * is true. Before RMI_GUEST_OPEN. */
RM_MUST_CHECK int rmi_guest_let_wait(rmi_guest *guest, rm_error *err);
bool rmi_guest_waits(const rmi_guest *guest);
/* Goes on with the call that waits, as rmi_guest_call_it: `length` bytes of packets are in the input area, or it is RMI_STREAM_ENDED or
 * RMI_STREAM_CLOSED. */
RM_MUST_CHECK int rmi_guest_go_on(rmi_guest *guest, uint32_t length, rmi_guest_answer *answer, rm_error *err);
/* Bytes that its code wrote to standard output and standard error too fast, and that were dropped. */
uint64_t rmi_guest_lost(const rmi_guest *guest);
/* Ends the call in progress, if there is one, with RM_E_CANCELLED. Any thread. */
void rmi_guest_stop(rmi_guest *guest);
/* Whether its last call was asked to end. */
bool rmi_guest_was_asked(rmi_guest *guest);
/* It breaks the interface: it cannot be called again. */
void rmi_guest_give_up(rmi_guest *guest);
bool rmi_guest_is_dead(const rmi_guest *guest);
/* Whether it died of a limit that another instance would run into as well. */
bool rmi_guest_is_spent(const rmi_guest *guest);
/* Fills `err` from an error document, a map as rm_error_to_value makes it; `code` where it has none. Returns the code, which is
 * RM_E_CANCELLED and RM_E_TIMEOUT only where it `may_stop`: it was asked to, or ends anyway. */
int rmi_guest_error(rm_value document, int code, bool may_stop, rm_error *err);
/* RM_E_VALUE: the module does not keep to the interface. */
int rmi_guest_broken(rm_error *err, const char *format, ...) RM_PRINTF(2, 3);
/* The same: it has answered `code`. */
int rmi_guest_answered(rmi_guest_call call, int code, rm_error *err);
/* `rc`, that of reading a value that lies in `where`; a failure says that it is the module's. */
RM_MUST_CHECK int rmi_guest_read(int rc, const char *where, rm_error *err);

#endif
