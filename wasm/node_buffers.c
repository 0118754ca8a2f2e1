#include <string.h>

#include "base/alloc.h"
#include "wasm/exported_node.h"

static uint32_t address_of(const void *at)
{
    return (uint32_t)(uintptr_t)at;
}

/* ---- Input */

int rmi_node_buffers_reserve(rmi_node_buffers *buffers, uint32_t size, rm_error *err)
{
    enum { SMALLEST = 4096, DOUBLED = 1 << 20 };
    rmi_exchange *exchange = &buffers->exchange;
    size_t wanted = buffers->input_capacity < DOUBLED ? buffers->input_capacity * 2 : 0;
    if (buffers->input != NULL && size <= exchange->input_size)
        return RM_OK;
    wanted = wanted < SMALLEST ? SMALLEST : wanted;
    if (wanted < size && !rmi_add(size, RMI_WIRE_ALIGNMENT, &wanted))
        return rmi_out_of_memory(err);
    rmi_free(NULL, buffers->input, buffers->input_capacity); /* freed first: it may be large */
    buffers->input = rmi_alloc(NULL, wanted);
    buffers->input_capacity = buffers->input != NULL ? wanted : 0;
    exchange->input = exchange->input_size = 0;
    if (buffers->input == NULL)
        return rmi_out_of_memory(err);
    const size_t gap = (0 - (uintptr_t)buffers->input) % RMI_WIRE_ALIGNMENT;
    exchange->input = address_of(buffers->input + gap);
    exchange->input_size = (uint32_t)(wanted - gap);
    return RM_OK;
}

int rmi_node_buffers_input(const rmi_node_buffers *buffers, uint32_t length, const uint8_t **data,
                           rm_error *err)
{
    const size_t gap = (0 - (uintptr_t)buffers->input) % RMI_WIRE_ALIGNMENT;
    if (length > buffers->exchange.input_size)
        return rm_error_set(err, RM_E_USAGE, "there are not %u bytes in the input buffer, which has %u",
                            (unsigned)length, (unsigned)buffers->exchange.input_size);
    *data = buffers->input != NULL ? buffers->input + gap : NULL;
    return RM_OK;
}

void rmi_node_buffers_drop_packets(rmi_node_buffers *buffers, size_t first)
{
    for (size_t i = first; i < buffers->packet_count; i++)
        rm_packet_clear(&buffers->packets[i]);
    buffers->packet_count = 0;
}

static int cut_short(rm_error *err)
{
    return rm_error_set(err, RM_E_VALUE, "the input buffer holds no whole number of packets");
}

int rmi_node_buffers_take_packets(rmi_node_buffers *buffers, uint32_t length, rm_error *err)
{
    enum { SMALLEST = 34 }; /* the least bytes of a packet */
    const uint8_t *data = NULL;
    uint32_t head[2];
    size_t at = 0;
    int rc = rmi_node_buffers_input(buffers, length, &data, err);
    if (rc != RM_OK)
        return rc;
    if (!rmi_wire_read_raw(data, length, &at, head, sizeof head) || head[0] > (length - at) / SMALLEST)
        return cut_short(err);
    if (head[0] > buffers->packet_capacity) {
        void *block = buffers->packets;
        rc = rmi_grow(NULL, &block, &buffers->packet_capacity, head[0], sizeof *buffers->packets, err);
        buffers->packets = block;
    }
    for (uint32_t i = 0; rc == RM_OK && i < head[0]; i++) {
        rc = rmi_wire_read_packet(NULL, data, length, &at, NULL, &buffers->packets[i], err);
        buffers->packet_count += rc == RM_OK;
    }
    if (rc == RM_OK && at != length)
        rc = cut_short(err);
    if (rc != RM_OK)
        rmi_node_buffers_drop_packets(buffers, 0);
    return rc;
}

/* ---- Output */

/* Puts `error` as a map; null where there is none, or no memory for it: then the host has only the code. */
static void put_error(rmi_wire_writer *to, const rm_error *error)
{
    const size_t at = to->length;
    rm_value map = rm_null();
    int rc = error->code != RM_OK ? rm_error_to_value(NULL, error, &map, NULL) : RM_OK;
    if (rc == RM_OK && error->detail.kind != RM_NULL)
        rc = rm_map_set(&map, "detail", 6, rm_value_retain(error->detail), NULL);
    if (rc == RM_OK && error->no_memory)
        rc = rm_map_set(&map, "no_memory", 9, rm_bool(true), NULL);
    if (rc == RM_OK)
        rc = rmi_wire_write(to, map, NULL);
    if (rc != RM_OK) {
        to->length = at;
        to->failed = false;
        (void)rmi_wire_write(to, rm_null(), NULL);
    }
    rm_value_clear(&map);
}

void rmi_node_buffers_begin(rmi_node_buffers *buffers)
{
    buffers->output.length = buffers->error.length = 0;
    buffers->output.grows = buffers->error.grows = true;
    buffers->output.any_order = true; /* the host takes any order */
    buffers->output.failed = buffers->error.failed = false;
    buffers->exchange.done = 0;
}

void rmi_node_buffers_end(rmi_node_buffers *buffers, const rm_error *failure)
{
    rmi_exchange *exchange = &buffers->exchange;
    if (failure != NULL)
        put_error(&buffers->error, failure);
    exchange->output = address_of(buffers->output.data);
    exchange->output_length = buffers->output.failed ? 0 : (uint32_t)buffers->output.length;
    exchange->error = address_of(buffers->error.data);
    exchange->error_length = buffers->error.failed ? 0 : (uint32_t)buffers->error.length;
}

static int put_text(rmi_wire_writer *to, const char *text, rm_error *err)
{
    rm_value value = rm_null();
    int rc = rm_string_new(NULL, text, strlen(text), &value, err);
    if (rc == RM_OK)
        rc = rmi_wire_write(to, value, err);
    rm_value_clear(&value);
    return rc;
}

static void put_head(rmi_wire_writer *to, rmi_event_kind kind, uint32_t number)
{
    const uint32_t head[2] = {(uint32_t)kind, number};
    rmi_wire_put(to, head, sizeof head);
}

static int put_packets(rmi_wire_writer *to, const rmi_event *event, rm_error *err)
{
    int rc = RM_OK;
    size_t at = to->length;
    for (size_t i = 0; rc == RM_OK && i < event->n; i++) {
        at = to->length;
        put_head(to, event->kind, event->port);
        rc = rmi_wire_write_packet(to, &event->packets[i], err);
        if (rc == RM_OK && to->failed)
            rc = rmi_out_of_memory(err);
    }
    if (rc != RM_OK)
        to->length = at; /* drops this event; those before it stay */
    return rc;
}

int rmi_node_buffers_event(rmi_node_buffers *buffers, const rmi_event *event, rm_error *err)
{
    rmi_wire_writer *to = &buffers->output;
    const size_t at = to->length;
    const int32_t code = event->code;
    int rc = RM_OK;
    if (event->kind == RMI_EMITTED) {
        rc = put_packets(to, event, err);
    } else {
        put_head(to, event->kind, event->kind == RMI_LOGGED ? (uint32_t)event->level : 0);
        if (event->kind == RMI_LOGGED)
            rc = put_text(to, event->text, err);
        else if (event->kind != RMI_WANTS)
            rmi_wire_put(to, &event->token, sizeof event->token);
        if (event->kind == RMI_FINISHED) {
            rmi_wire_put(to, &code, sizeof code);
            put_error(to, event->error);
        }
        if (rc == RM_OK && to->failed)
            rc = rmi_out_of_memory(err);
        if (rc != RM_OK)
            to->length = at;
    }
    to->failed = false; /* there may be memory for the next event */
    return rc;
}
