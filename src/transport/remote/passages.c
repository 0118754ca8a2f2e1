/* Packets on their way: from the node to the other side, and their results back. */
#include <string.h>

#include "base/alloc.h"
#include "transport/remote/remote_run.h"

static void clear(const rm_allocator *allocator, rmi_passage *passage)
{
    for (size_t i = 0; i < passage->held_count; i++)
        rm_packet_clear(&passage->held[i]);
    rmi_free(allocator, passage->held, passage->held_capacity * sizeof *passage->held);
    rm_packet_clear(&passage->packet);
}

void rmi_passages_free(rmi_remote_state *state)
{
    const rm_allocator *allocator = rm_node_allocator(state->node);
    for (size_t i = 0; i < state->count; i++)
        clear(allocator, &state->passages[i]);
    rmi_free(allocator, state->passages, state->capacity * sizeof *state->passages);
    state->passages = NULL;
    state->count = state->capacity = 0;
}

int rmi_passage_add(rmi_remote_state *state, uint64_t token, rm_packet *packet, rm_error *err)
{
    void *block = state->passages;
    const int rc = rmi_grow(rm_node_allocator(state->node), &block, &state->capacity, state->count + 1,
                            sizeof *state->passages, err);
    state->passages = block;
    if (rc != RM_OK)
        return rc;
    state->passages[state->count++] =
        (rmi_passage){.token = token, .packet = rm_packet_move(packet), .lane = RMI_UNSENT};
    return RM_OK;
}

size_t rmi_passage_find(const rmi_remote_state *state, size_t lane, uint64_t sequence)
{
    for (size_t i = 0; i < state->count; i++)
        if (state->passages[i].lane == lane && state->passages[i].sequence == sequence)
            return i;
    return SIZE_MAX;
}

size_t rmi_passages_wanted(const rmi_remote_state *state)
{
    size_t wanted = 0;
    for (size_t i = 0; i < state->count; i++)
        wanted += !state->passages[i].unwanted;
    return wanted;
}

static void remove_at(rmi_remote_state *state, size_t index)
{
    rmi_passage *gone = &state->passages[index];
    if (gone->lane != RMI_UNSENT)
        state->lanes[gone->lane].waiting--;
    clear(rm_node_allocator(state->node), gone);
    memmove(gone, gone + 1, (--state->count - index) * sizeof *gone);
}

/* ---- Results */

/* Metadata travel as texts: those that come back as they went are what they were. */
static void restore_metadata(const rm_allocator *allocator, const rm_packet *sent, rm_packet *result)
{
    const rm_value before = rm_packet_metadata(sent);
    rm_value after = rm_packet_metadata(result), made = rm_null();
    if (before.kind != RM_MAP || after.kind != RM_MAP ||
        rm_map_new(allocator, rm_map_length(after), &made, NULL) != RM_OK)
        return;
    int rc = RM_OK;
    for (size_t i = 0; rc == RM_OK && i < rm_map_length(after); i++) {
        rm_value key, value, was = rm_null();
        char *text = NULL;
        size_t length = 0, key_length = 0;
        (void)rm_map_at(after, i, &key, &value);
        const char *name = rm_string_text(key, &key_length);
        if (rm_map_get(before, name, key_length, &was) && was.kind != RM_STRING && value.kind == RM_STRING &&
            rm_json_write(allocator, was, 0, &text, &length, NULL, NULL) == RM_OK &&
            strcmp(text, rm_string_text(value, NULL)) == 0)
            value = was;
        rc = rm_map_set(&made, name, key_length, rm_value_retain(value), NULL);
        rm_text_free(allocator, text, length);
    }
    if (rc == RM_OK)
        rm_packet_set_metadata(result, rm_value_move(&made));
    rm_value_clear(&made);
}

static int emit(const rmi_remote_state *state, rm_packet *result)
{
    result->seq = -1;
    return rm_emit(state->node, 0, rm_packet_move(result));
}

static int hold(const rmi_remote_state *state, rmi_passage *passage, rm_packet *result)
{
    void *block = passage->held;
    const int rc = rmi_grow(rm_node_allocator(state->node), &block, &passage->held_capacity,
                            passage->held_count + 1, sizeof *passage->held, NULL);
    passage->held = block;
    if (rc == RM_OK)
        passage->held[passage->held_count++] = rm_packet_move(result);
    else
        rm_packet_clear(result);
    return rc;
}

int rmi_passage_result(rmi_remote_state *state, size_t index, rm_packet *result)
{
    rmi_passage *passage = &state->passages[index];
    if (passage->unwanted) {
        rm_packet_clear(result);
        return RM_OK;
    }
    restore_metadata(rm_node_allocator(state->node), &passage->packet, result);
    if (rmi_may_resend(state))
        return hold(state, passage, result);
    rm_node_resume(state->node, passage->token);
    passage->has_emitted = true;
    return emit(state, result);
}

int rmi_passage_end(rmi_remote_state *state, size_t index, int code, rm_error *err)
{
    rmi_passage *passage = &state->passages[index];
    const uint64_t token = passage->token;
    const bool unwanted = passage->unwanted;
    int rc = RM_OK;
    if (code == RM_OK && passage->held_count > 0 && !unwanted) {
        rm_node_resume(state->node, token);
        for (size_t i = 0; i < passage->held_count && rc == RM_OK; i++)
            rc = emit(state, &passage->held[i]);
    }
    remove_at(state, index);
    if (unwanted || rc != RM_OK) {
        rm_error_clear(err);
        return rc;
    }
    return rm_node_finish(state->node, token, code, err);
}
