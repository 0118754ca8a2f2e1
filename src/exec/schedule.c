/* The loop. Ready nodes take their turns in topological order, round after round. A node gets all packets
 * that wait for it, up to a batch. So a single item passes through the whole graph in one round, and a busy
 * graph pays for scheduling once for each batch. */
#include "exec/pipeline.h"

enum { TURNS_A_STEP = 256 };

/* The first ready rank from the cursor on, then from the start. */
static inline bool next_ready(rm_pipeline *p, uint32_t *rank)
{
    uint32_t word = p->cursor >> 6;
    uint64_t bits = word < p->ready_words ? p->ready[word] & ~(uint64_t)0 << (p->cursor & 63) : 0;
    for (uint32_t looked = 0; bits == 0; looked++) {
        if (looked > p->ready_words)
            return false;
        word = word + 1 < p->ready_words ? word + 1 : 0;
        bits = p->ready[word];
    }
    *rank = word * 64 + (uint32_t)__builtin_ctzll(bits);
    return true;
}

int rmi_turn(rm_pipeline *p)
{
    uint32_t rank = 0;
    int rc = rmi_check_stop(p);
    if (rc != RM_OK)
        return rc;
    if (!next_ready(p, &rank)) {
        rc = rmi_idle(p);
        return p->stopped ? p->failed : rc;
    }
    p->ready[rank >> 6] &= ~((uint64_t)1 << (rank & 63));
    RMI_CHECK(rank < p->node_count);
    p->cursor = rank + 1;
    rc = rmi_node_turn(&p->nodes[rank]);
    if (rc < 0 && !p->stopped)
        (void)rmi_stop_with(p, &p->nodes[rank], &p->scratch, rc);
    return p->stopped ? p->failed : RM_OK;
}

void rm_pipeline_wait(rm_pipeline *p, const int *descriptors, size_t count)
{
    enum { MOST = 32, MOST_GIVEN = 16 };
    int watched[MOST];
    size_t watching = 0;
    if (p->results_taken) /* the last step ended only because results had to be taken */
        return;
    while (watching < count && watching < MOST_GIVEN) {
        watched[watching] = descriptors[watching];
        watching++;
    }
    watching += rm_pipeline_descriptors(p, watched + watching, MOST - watching);
    rmi_wake *wake = rmi_deadline_wake(p);
    if (wake != NULL && rmi_wake_wait(wake, watched, watching, rm_pipeline_next_deadline(p)))
        rm_pipeline_poll(p);
}

size_t rm_pipeline_descriptors(const rm_pipeline *pipeline, int *descriptors, size_t capacity)
{
    size_t count = 0;
    for (uint32_t i = 0; pipeline->has_special && i < pipeline->node_count && count < capacity; i++) {
        const int descriptor = rmi_node_descriptor(&pipeline->nodes[i]);
        if (descriptor >= 0)
            descriptors[count++] = descriptor;
    }
    return count;
}

void rm_pipeline_poll(rm_pipeline *pipeline)
{
    for (uint32_t i = 0; i < pipeline->node_count; i++) /* the polls find out which node it was */
        pipeline->nodes[i].poll.due |= pipeline->nodes[i].poll.on;
}

int64_t rm_pipeline_next_deadline(const rm_pipeline *pipeline)
{
    int64_t deadline = pipeline->deadline;
    for (uint32_t i = 0; pipeline->has_special && i < pipeline->node_count; i++) {
        const int64_t due = rmi_node_deadline(&pipeline->nodes[i]);
        deadline = due < deadline ? due : deadline;
    }
    return deadline;
}

static int end(rm_pipeline *p, int rc, rm_error *err)
{
    if (!p->closed) {
        const int closing = rmi_close_all(p);
        if (rc == RM_DONE && closing != RM_OK)
            rc = closing;
    }
    p->done = true;
    if (rc < 0 && err != NULL)
        rm_error_move(err, &p->error);
    return rc;
}

/* A call was long: its packets go through the nodes behind it, and results are handed out before another call
 * that may be long. */
static bool shows_first(rm_pipeline *p)
{
    uint32_t rank = 0;
    if (!p->pause)
        return false;
    return !next_ready(p, &rank) || (p->nodes[rank].watched && p->nodes[rank].call.batch == 1);
}

int rm_run_step(rm_pipeline *p, rm_error *err)
{
    int rc = RM_OK;
    p->idle_turns = 0; /* pushes and pulls in between have marked nodes */
    if (p->done)
        return p->failed ? rm_error_set(err, RM_E_USAGE, "the run has failed already") : RM_DONE;
    if (p->has_special)
        (void)rmi_look(p);
    if (p->has_special && rmi_wants_input(p))
        rc = rmi_take_input(p); /* generating sources may leave no idle moment to take input */
    for (int turns = 0;
         (rc == RM_OK || (rc == RM_AGAIN && turns == 0)) && turns < TURNS_A_STEP && !shows_first(p); turns++)
        rc = rmi_turn(p);
    p->pause = p->push_refused = false;
    if (rc == RM_PENDING && p->may_block) {
        rm_pipeline_wait(p, NULL, 0);
        rc = RM_OK;
    }
    return rc < 0 || rc == RM_DONE ? end(p, rc, err) : rc;
}
