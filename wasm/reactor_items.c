/* The reactor's exports that move items in and results out: one, or a batch with many. */
#include <string.h>

#include "base/alloc.h"
#include "data/wire/wire.h"
#include "wasm/reactor.h"

/* How single items and results are encoded. Other encodings may be added. */
enum { ENCODING_JSON = 0, ENCODING_WIRE = 1, ENCODINGS };

/* A batch, as docs/wasm.md has it: its head, messages, each behind a head of its own, and parts. */
typedef struct batch_head {
    uint32_t length; /* of the messages with their heads */
    uint32_t parts;
    uint32_t next; /* offset of the first message that is not pushed yet */
    uint32_t unused;
} batch_head;
typedef struct message_head {
    uint32_t length, sink, unused[2];
} message_head;
_Static_assert(sizeof(batch_head) == RMI_WIRE_ALIGNMENT && sizeof(message_head) == RMI_WIRE_ALIGNMENT,
               "what follows is aligned");
_Static_assert(sizeof(rmi_wire_part) == 12, "parts are three words in a batch");

/* What the last call that gave results gave. */
static struct results {
    rmi_wire_writer bytes;
    rmi_wire_parts parts;
    rm_packet kept; /* has the elements of `parts`; owned */
    size_t sink;
} results;

#define EXPORT(name) __attribute__((export_name(name), used))

EXPORT("rm_push")
int32_t export_push(int32_t handle, uint32_t encoding, const char *source, uint32_t source_length,
                    const char *item, uint32_t length);
EXPORT("rm_push_many")
int32_t export_push_many(int32_t handle, const char *source, uint32_t source_length, void *batch,
                         uint32_t length);
EXPORT("rm_pull") int32_t export_pull(int32_t handle, uint32_t encoding);
EXPORT("rm_pulled_sink") uint32_t export_pulled_sink(void);
EXPORT("rm_pull_many") int32_t export_pull_many(int32_t handle, uint32_t count, uint32_t size);

typedef struct text {
    const char *at;
    uint32_t length;
} text;

static int check_encoding(uint32_t encoding, rm_error *err)
{
    return encoding < ENCODINGS
               ? RM_OK
               : rm_error_set(err, RM_E_UNSUPPORTED,
                              "unknown encoding %u; there are 0, JSON, and 1, the wire", (unsigned)encoding);
}

/* ---- Items in */

/* Checks that items may be pushed to a source. *name is owned: its id as a string, or null for every source. */
static int take_source(const rmi_open_pipeline *to, text source, rm_value *name, rm_error *err)
{
    int rc = rmi_host_check(source.at, source.length, "the source", err);
    if (rc == RM_OK && to->has_input)
        rc = rm_error_set(err, RM_E_USAGE, "the manifest has input_data already");
    if (rc == RM_OK && source.length != 0)
        rc = rm_string_new(NULL, source.at, source.length, name, err);
    return rc;
}

static const char *id_of(rm_value name)
{
    return name.kind == RM_STRING ? rm_string_text(name, NULL) : NULL;
}

/* `item` is consumed. */
static int push_item(rmi_open_pipeline *to, const char *id, rm_value item, rm_error *err)
{
    const int rc = rm_pipeline_push(to->pipeline, id, item, err);
    if (rc == RM_AGAIN || rc == RM_DONE) /* the pipeline did not take the item: the host keeps its bytes */
        rm_value_clear(&item);
    return rc;
}

/* `lender` is for the wire. *out is owned. */
static int read_item(uint32_t encoding, text from, const rmi_wire_lender *lender, rm_value *out,
                     rm_error *err)
{
    size_t at = 0;
    if (encoding == ENCODING_JSON)
        return rm_json_parse(NULL, from.at, from.length, 0, out, err);
    int rc = lender != NULL ? rmi_wire_read_lent(NULL, from.at, from.length, &at, lender, out, err)
                            : rmi_wire_read(NULL, from.at, from.length, &at, out, err);
    if (rc == RM_OK && at != from.length) {
        rm_value_clear(out);
        rc = rm_error_set(err, RM_E_VALUE, "an item of %u bytes ends at byte %zu", (unsigned)from.length, at);
    }
    return rc;
}

int32_t export_push(int32_t handle, uint32_t encoding, const char *source, uint32_t source_length,
                    const char *item, uint32_t length)
{
    rmi_open_pipeline *found = NULL;
    rm_error *err = NULL;
    rm_value name = rm_null(), value = rm_null();
    int rc = rmi_reactor_enter_pipeline(handle, &found, &err);
    if (rc == RM_OK)
        rc = check_encoding(encoding, err);
    if (rc == RM_OK)
        rc = rmi_host_check(item, length, "the item", err);
    if (rc == RM_OK)
        rc = take_source(found, (text){source, source_length}, &name, err);
    if (rc == RM_OK)
        rc = read_item(encoding, (text){item, length}, NULL, &value, err);
    if (rc == RM_OK)
        rc = push_item(found, id_of(name), value, err);
    rm_value_clear(&name);
    return rmi_reactor_leave(rc);
}

/* ---- A batch of items in */

typedef struct host_batch {
    rmi_wire_lender lender;
    batch_head *head;
    const char *messages;
    const rmi_wire_part *parts;
    size_t at; /* offset of the message that is read */
} host_batch;

/* The parts of a batch are few. */
static const void *find_part(const rmi_wire_lender *lender, size_t at, size_t length, void **owner)
{
    const host_batch *from = (const host_batch *)lender;
    for (uint32_t i = 0; i < from->head->parts; i++) {
        const rmi_wire_part *part = &from->parts[i];
        if (part->at != from->at + at || part->length != length)
            continue;
        if (owner != NULL)
            *owner = rmi_host_share(part->data);
        return part->data;
    }
    return NULL;
}

/* Checks a batch that the host wrote; its messages are checked when they are read. */
static int open_batch(void *data, uint32_t length, host_batch *out, rm_error *err)
{
    batch_head *head = data;
    int rc = rmi_host_check(data, length, "the batch", err);
    if (rc != RM_OK)
        return rc;
    if (length < sizeof *head || (uintptr_t)data % RMI_WIRE_ALIGNMENT != 0)
        return rm_error_set(err, RM_E_USAGE, "%u bytes at %zu are no batch", (unsigned)length,
                            (size_t)(uintptr_t)data);
    const uint32_t room = length - sizeof *head;
    if (head->length > room || head->length % RMI_WIRE_ALIGNMENT != 0 || head->next > head->length ||
        head->next % RMI_WIRE_ALIGNMENT != 0 || head->parts > (room - head->length) / sizeof *out->parts)
        return rm_error_set(err, RM_E_USAGE, "a batch of %u bytes has not %u bytes of messages and %u parts",
                            (unsigned)length, (unsigned)head->length, (unsigned)head->parts);
    *out =
        (host_batch){.lender = {find_part, rmi_host_give_back}, .head = head, .messages = (char *)(head + 1)};
    out->parts = (const void *)(out->messages + head->length);
    for (uint32_t i = 0; rc == RM_OK && i < head->parts; i++)
        rc = rmi_host_check(out->parts[i].data, out->parts[i].length, "a part", err);
    return rc;
}

/* Pushes the next message, and moves on when it was taken. */
static int push_next(rmi_open_pipeline *to, const char *id, host_batch *from, rm_error *err)
{
    batch_head *head = from->head;
    rm_value item = rm_null();
    message_head message;
    memcpy(&message, from->messages + head->next, sizeof message);
    from->at = head->next + sizeof message;
    if (message.length > head->length - from->at)
        return rm_error_set(err, RM_E_VALUE, "a message of %u bytes does not end in its batch",
                            (unsigned)message.length);
    int rc = read_item(ENCODING_WIRE, (text){from->messages + from->at, message.length},
                       head->parts != 0 ? &from->lender : NULL, &item, err);
    if (rc == RM_OK)
        rc = push_item(to, id, item, err);
    if (rc == RM_OK)
        head->next = (uint32_t)from->at + message.length + (0 - message.length) % RMI_WIRE_ALIGNMENT;
    return rc;
}

int32_t export_push_many(int32_t handle, const char *source, uint32_t source_length, void *data,
                         uint32_t length)
{
    rmi_open_pipeline *found = NULL;
    rm_error *err = NULL;
    rm_value name = rm_null();
    host_batch from;
    int rc = rmi_reactor_enter_pipeline(handle, &found, &err);
    if (rc == RM_OK)
        rc = open_batch(data, length, &from, err);
    if (rc == RM_OK)
        rc = take_source(found, (text){source, source_length}, &name, err);
    while (rc == RM_OK && from.head->next < from.head->length)
        rc = push_next(found, id_of(name), &from, err);
    rm_value_clear(&name);
    return rmi_reactor_leave(rc);
}

/* ---- Results out */

void rmi_reactor_drop_parts(void)
{
    rm_packet_clear(&results.kept);
}

/* Begins a text with results; `parts` may be left out of it. */
static rmi_wire_writer *begin_results(rmi_wire_parts *parts)
{
    rmi_wire_writer *to = &results.bytes;
    rmi_reactor_drop_parts();
    results.parts.count = 0;
    to->length = 0;
    to->grows = true;
    to->failed = false;
    to->parts = parts;
    return to;
}

static int write_value(rmi_wire_writer *to, rm_value value, rm_error *err)
{
    const int rc = rmi_wire_write(to, value, err);
    return rc == RM_OK && to->failed ? rmi_out_of_memory(err) : rc;
}

int32_t export_pull(int32_t handle, uint32_t encoding)
{
    rmi_open_pipeline *found = NULL;
    rm_error *err = NULL;
    rm_packet packet = rm_packet_of(rm_null());
    int rc = rmi_reactor_enter_pipeline(handle, &found, &err);
    if (rc == RM_OK)
        rc = check_encoding(encoding, err);
    if (rc == RM_OK)
        rc = rm_pipeline_pull(found->pipeline, &results.sink, &packet, err);
    if (rc == RM_OK && encoding == ENCODING_JSON) {
        rc = rmi_reactor_set_text(rm_value_move(&packet.value), err);
    } else if (rc == RM_OK) {
        rc = write_value(begin_results(NULL), packet.value, err);
        if (rc == RM_OK)
            rmi_reactor_lend_text(results.bytes.data, results.bytes.length);
    }
    rm_packet_clear(&packet);
    return rmi_reactor_leave(rc);
}

uint32_t export_pulled_sink(void)
{
    return (uint32_t)results.sink;
}

/* ---- A batch of results out */

/* Takes the next result: the one that is held, or from the pipeline. *out is owned. */
static int next_result(rmi_open_pipeline *from, rm_packet *out, rm_error *err)
{
    if (!from->holds)
        return rm_pipeline_pull(from->pipeline, &results.sink, out, err);
    *out = rm_packet_move(&from->held);
    results.sink = from->held_sink;
    from->holds = false;
    return RM_OK;
}

static int write_message(rmi_wire_writer *to, rm_value value, rm_error *err)
{
    static const uint8_t zeros[RMI_WIRE_ALIGNMENT];
    const size_t at = to->length;
    const message_head head = {.sink = (uint32_t)results.sink};
    rmi_wire_put(to, &head, sizeof head);
    const int rc = write_value(to, value, err);
    if (rc == RM_OK)
        rmi_wire_set_u32(to, at, (uint32_t)(to->length - at - sizeof head));
    rmi_wire_put(to, zeros, (0 - to->length) % RMI_WIRE_ALIGNMENT);
    return rc;
}

/* Appends the next result. RM_AGAIN also for one that cannot be written, where results are in front of it: the next
 * call fails. */
static int pull_next(rmi_open_pipeline *from, rmi_wire_writer *to, rm_error *err)
{
    const size_t before = to->length;
    rm_packet packet = rm_packet_of(rm_null());
    int rc = next_result(from, &packet, err);
    if (rc != RM_OK)
        return rc;
    rc = write_message(to, packet.value, err);
    if (rc != RM_OK && before > sizeof(batch_head)) {
        to->length = before;
        to->failed = false;
        results.parts.count = 0;
        from->held = rm_packet_move(&packet);
        from->held_sink = results.sink;
        from->holds = true;
        rm_error_clear(err);
        return RM_AGAIN;
    }
    if (results.parts.count != 0)
        results.kept = rm_packet_move(&packet);
    rm_packet_clear(&packet);
    return rc;
}

/* Writes the head and the parts, and makes the batch the host's text. */
static int end_batch(rmi_wire_writer *to, rm_error *err)
{
    const rmi_wire_parts *parts = &results.parts;
    rmi_wire_set_u32(to, 0, (uint32_t)(to->length - sizeof(batch_head)));
    rmi_wire_set_u32(to, sizeof(uint32_t), (uint32_t)parts->count);
    for (size_t i = 0; i < parts->count; i++) {
        rmi_wire_part part = parts->list[i];
        part.at -= sizeof(batch_head);
        rmi_wire_put(to, &part, sizeof part);
    }
    if (to->failed)
        return rmi_out_of_memory(err);
    rmi_reactor_lend_text(to->data, to->length);
    return RM_OK;
}

int32_t export_pull_many(int32_t handle, uint32_t count, uint32_t size)
{
    const batch_head head = {0};
    rmi_open_pipeline *found = NULL;
    rm_error *err = NULL;
    int rc = rmi_reactor_enter_pipeline(handle, &found, &err);
    if (rc != RM_OK)
        return rmi_reactor_leave(rc);
    rmi_wire_writer *to = begin_results(&results.parts);
    rmi_wire_put(to, &head, sizeof head);
    rc = pull_next(found, to, err);
    if (rc == RM_OK) { /* what keeps a part comes last: it lives until the next call */
        for (uint32_t n = 1; rc == RM_OK && n < count && to->length < size && results.parts.count == 0; n++)
            rc = pull_next(found, to, err);
        rm_error_clear(err); /* a failure comes again, by the next call */
        rc = end_batch(to, err);
    }
    return rmi_reactor_leave(rc);
}
