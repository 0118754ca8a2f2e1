/* A node of a pipeline whose code runs in a guest. resolver.c makes one for a node that asks for a sandbox and describes it to
 * the pipeline, guest_node.c has its slots, replay.c does what the guest says that the node did. */
#ifndef SANDBOX_GUEST_NODE_H
#define SANDBOX_GUEST_NODE_H

#include "base/rate.h"
#include "data/wire/wire.h"
#include "remotemedia/node.h"
#include "sandbox/guest.h"

/* What a runtime's sandboxed nodes share: what rm_sandbox_attach was given. */
typedef struct rmi_attached {
    rm_sandbox *sandbox;
    rm_runtime *runtime;
    const rm_allocator *allocator;
    rm_sandbox_policy policy; /* points into what follows; owned */
    rm_sandbox_grant *grants;
    char **texts;
    size_t text_count;
    const char **environment;
    size_t environment_count;
    rm_value paths; /* a list of strings, or null; owned */
    int64_t seed;
    bool has_seed;
    rm_arrays arrays;
    atomic_flag guard;      /* held for a few instructions at a time */
    rmi_guest *being_asked; /* that a resolve is asking what it is; guarded */
    unsigned loading;       /* modules at present; guarded */
    atomic_bool lost;       /* those are to be given up */
} rmi_attached;

/* One use of a node type in a manifest: what the resolver attaches. */
typedef struct rmi_sandboxed {
    rm_node_type type;
    rmi_attached *attached;
    rm_sandbox_policy policy;   /* with the node's own limits */
    rm_value config;            /* owned: what the guest is told */
    rmi_loaded *loaded;         /* its code, where that describes the node; else NULL */
    _Atomic(rmi_guest *) guest; /* that described the node, until it is opened; owned */
    char *name;
    rm_port *ports;
    size_t port_count;
    rm_value description;       /* owned: port names lie in it */
    const rm_node_type *native; /* the type that it stands for, or NULL */
    bool is_python;
    char file[RMI_SANDBOX_PATH];
} rmi_sandboxed;

/* A packet that is pending, by its number in the guest and here. */
typedef struct rmi_token {
    uint64_t guest, host;
} rmi_token;

typedef struct rmi_sandbox_state {
    rm_node *node;
    const rmi_sandboxed *use;
    rmi_loaded
        *loaded; /* the code of all its guests, whatever becomes of the file; used until the node is closed */
    rmi_guest *guest;  /* NULL: it has died, and the next call makes another */
    atomic_flag guard; /* of `guest` against interrupt, held for a few instructions */
    rmi_token *tokens;
    size_t token_count, token_capacity;
    int64_t last_seq;     /* what was emitted last, and may come at most: in a stream */
    int64_t bound;        /* nothing below it comes any more, as the guest was told; INT64_MIN: it was not */
    bool advancing;       /* it is being told */
    uint64_t emitted;     /* bytes so far */
    rmi_rate log;         /* of bytes; what is lost are lines */
    int spent;            /* the code of the limit that ended it for good; 0: none */
    rm_error why;         /* owned: how that was told */
    bool ended, more;     /* the stream has ended, and the guest knows it; it answered RM_MORE */
    rmi_guest_usage used; /* by guests that have died */
    bool suspended;       /* in this call */
    bool no_emitting;     /* in a call in which no node emits */
    bool is_unwanted;     /* in a call of which nobody wants anything */
    bool fell;            /* the last call with packets did not come back */
    bool wants;           /* it looked for more of its stream, and there was none */
} rmi_sandbox_state;

/* ---- resolver.c */
/* The code of a node, loaded for a runtime (`node` NULL) or for a node that may be cancelled. *out: rmi_sandbox_module_done. */
RM_MUST_CHECK int rmi_attached_load(const rmi_sandboxed *use, const rm_node *node, rmi_loaded **out,
                                    rm_error *err);

/* ---- guest_node.c */
void rmi_sandboxed_set_slots(rmi_sandboxed *use, rm_value description);

/* ---- guest_config.c */
/* What the guest is told, which may depend on the run. *out is owned. */
RM_MUST_CHECK int rmi_sandbox_configuration(const rm_node *node, const rmi_sandboxed *use, rm_value *out,
                                            rm_error *err);
/* The configuration in the guest's input area; then rm_node_describe or rm_node_open. */
RM_MUST_CHECK int rmi_sandbox_configure(rmi_guest *guest, rm_value config, rmi_guest_call call,
                                        rmi_guest_answer *answer, rm_error *err);

/* ---- replay.c */
/* Does what the events of `answer` say. `batch`: the n packets that were given, whose seqs are the ones that may be emitted; NULL:
 * what is emitted belongs to what the node is doing. */
RM_MUST_CHECK int rmi_sandbox_replay(rmi_sandbox_state *state, const rmi_guest_answer *answer,
                                     const rm_packet *batch, size_t n, rm_error *err);
/* Logs how many lines of the log were dropped. */
void rmi_sandbox_tell_lost(rmi_sandbox_state *state);

#endif
