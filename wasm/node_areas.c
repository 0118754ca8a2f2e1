#include <string.h>

#include "base/alloc.h"
#include "wasm/node.h"

static uint32_t address_of(const void *at)
{
    return (uint32_t)(uintptr_t)at;
}

/* ---- Input */

int rmi_areas_reserve(rmi_areas *areas, uint32_t size, rm_error *err)
{
    enum { SMALLEST = 4096, DOUBLED = 1 << 20 };
    rmi_exchange *exchange = &areas->exchange;
    size_t wanted = areas->input_capacity < DOUBLED ? areas->input_capacity * 2 : 0;
    if (areas->input != NULL && size <= exchange->input_size)
        return RM_OK;
    wanted = wanted < SMALLEST ? SMALLEST : wanted;
    if (wanted < size && !rmi_add(size, RMI_PACKED_ALIGNMENT, &wanted))
        return rmi_out_of_memory(err);
    rmi_free(NULL, areas->input, areas->input_capacity); /* first: it may be large */
    areas->input = rmi_alloc(NULL, wanted);
    areas->input_capacity = areas->input != NULL ? wanted : 0;
    exchange->input = exchange->input_size = 0;
    if (areas->input == NULL)
        return rmi_out_of_memory(err);
    const size_t gap = (0 - (uintptr_t)areas->input) % RMI_PACKED_ALIGNMENT;
    exchange->input = address_of(areas->input + gap);
    exchange->input_size = (uint32_t)(wanted - gap);
    return RM_OK;
}

int rmi_areas_input(const rmi_areas *areas, uint32_t length, const uint8_t **data, rm_error *err)
{
    const size_t gap = (0 - (uintptr_t)areas->input) % RMI_PACKED_ALIGNMENT;
    if (length > areas->exchange.input_size)
        return rm_error_set(err, RM_E_USAGE, "there are not %u bytes in the input area, which has %u",
                            (unsigned)length, (unsigned)areas->exchange.input_size);
    *data = areas->input != NULL ? areas->input + gap : NULL;
    return RM_OK;
}

void rmi_areas_drop_packets(rmi_areas *areas, size_t first)
{
    for (size_t i = first; i < areas->packet_count; i++)
        rm_packet_clear(&areas->packets[i]);
    areas->packet_count = 0;
}

static int cut_short(rm_error *err)
{
    return rm_error_set(err, RM_E_VALUE, "the input area holds no whole number of packets");
}

int rmi_areas_take_packets(rmi_areas *areas, uint32_t length, rm_error *err)
{
    enum { SMALLEST = 34 }; /* what a packet takes at least */
    const uint8_t *data = NULL;
    uint32_t head[2];
    size_t at = 0;
    int rc = rmi_areas_input(areas, length, &data, err);
    if (rc != RM_OK)
        return rc;
    if (!rmi_unpack_raw(data, length, &at, head, sizeof head) || head[0] > (length - at) / SMALLEST)
        return cut_short(err);
    if (head[0] > areas->packet_capacity) {
        void *block = areas->packets;
        rc = rmi_grow(NULL, &block, &areas->packet_capacity, head[0], sizeof *areas->packets, err);
        areas->packets = block;
    }
    for (uint32_t i = 0; rc == RM_OK && i < head[0]; i++) {
        rc = rmi_unpack_packet(NULL, data, length, &at, NULL, &areas->packets[i], err);
        areas->packet_count += rc == RM_OK;
    }
    if (rc == RM_OK && at != length)
        rc = cut_short(err);
    if (rc != RM_OK)
        rmi_areas_drop_packets(areas, 0);
    return rc;
}

/* ---- Output */

/* `error` as a map; null where there is none, or no memory for it: the code beside it is all there is to say then. */
static void put_error(rmi_packer *to, const rm_error *error)
{
    const size_t at = to->length;
    rm_value map = rm_null();
    int rc = error->code != RM_OK ? rm_error_to_value(NULL, error, &map, NULL) : RM_OK;
    if (rc == RM_OK && error->detail.kind != RM_NULL)
        rc = rm_map_set(&map, "detail", 6, rm_value_retain(error->detail), NULL);
    if (rc == RM_OK)
        rc = rmi_pack(to, map, NULL);
    if (rc != RM_OK) {
        to->length = at;
        to->failed = false;
        (void)rmi_pack(to, rm_null(), NULL);
    }
    rm_value_clear(&map);
}

void rmi_areas_begin(rmi_areas *areas)
{
    areas->output.length = areas->error.length = 0;
    areas->output.grows = areas->error.grows = true;
    areas->output.any_order = true; /* the host takes any */
    areas->output.failed = areas->error.failed = false;
    areas->exchange.done = 0;
}

void rmi_areas_end(rmi_areas *areas, const rm_error *failure)
{
    rmi_exchange *exchange = &areas->exchange;
    if (failure != NULL)
        put_error(&areas->error, failure);
    exchange->output = address_of(areas->output.data);
    exchange->output_length = areas->output.failed ? 0 : (uint32_t)areas->output.length;
    exchange->error = address_of(areas->error.data);
    exchange->error_length = areas->error.failed ? 0 : (uint32_t)areas->error.length;
}

static int put_text(rmi_packer *to, const char *text, rm_error *err)
{
    rm_value value = rm_null();
    int rc = rm_string_new(NULL, text, strlen(text), &value, err);
    if (rc == RM_OK)
        rc = rmi_pack(to, value, err);
    rm_value_clear(&value);
    return rc;
}

static void put_head(rmi_packer *to, rmi_record_kind kind, uint32_t number)
{
    const uint32_t head[2] = {(uint32_t)kind, number};
    rmi_packer_put(to, head, sizeof head);
}

static int put_packets(rmi_packer *to, const rmi_event *event, rm_error *err)
{
    int rc = RM_OK;
    size_t at = to->length;
    for (size_t i = 0; rc == RM_OK && i < event->n; i++) {
        at = to->length;
        put_head(to, event->kind, event->port);
        rc = rmi_pack_packet(to, &event->packets[i], err);
        if (rc == RM_OK && to->failed)
            rc = rmi_out_of_memory(err);
    }
    if (rc != RM_OK)
        to->length = at; /* those before it are told */
    return rc;
}

int rmi_areas_record(rmi_areas *areas, const rmi_event *event, rm_error *err)
{
    rmi_packer *to = &areas->output;
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
            rmi_packer_put(to, &event->token, sizeof event->token);
        if (event->kind == RMI_FINISHED) {
            rmi_packer_put(to, &code, sizeof code);
            put_error(to, event->error);
        }
        if (rc == RM_OK && to->failed)
            rc = rmi_out_of_memory(err);
        if (rc != RM_OK)
            to->length = at;
    }
    to->failed = false; /* there may be memory for the next one */
    return rc;
}
