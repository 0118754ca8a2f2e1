#include "wasm/reactor.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "data/builder.h"
#include "data/wire/wire.h"
#include "platform/platform.h"

enum { INTERFACE_VERSION = 1 };
/* How items and results are encoded. Other encodings may be added. */
enum { ENCODING_JSON = 0, ENCODING_WIRE = 1, ENCODINGS };

static struct instance {
    rmi_open_pipeline *opened;
    int32_t last_handle;
    unsigned depth; /* of calls; stays above 0 after a trap in one */
    rm_error failure;
    char *text; /* the result text of the last call that had one; owned. NULL: it is in `bytes` */
    size_t length;
    rmi_wire_writer bytes;
    size_t sink; /* of the last result */
} instance;

#define EXPORT(name) __attribute__((export_name(name), used))

EXPORT("rm_interface") int32_t export_interface(void);
EXPORT("rm_alloc") void *export_alloc(uint32_t size);
EXPORT("rm_release") int32_t export_release(void *block);
EXPORT("rm_text") const char *export_text(void);
EXPORT("rm_text_length") uint32_t export_text_length(void);
EXPORT("rm_error") int32_t export_error(void);
EXPORT("rm_version") int32_t export_version(void);
EXPORT("rm_open")
int32_t export_open(const char *manifest, uint32_t length, const char *options, uint32_t options_length);
EXPORT("rm_close") int32_t export_close(int32_t handle);
EXPORT("rm_push")
int32_t export_push(int32_t handle, uint32_t encoding, const char *source, uint32_t source_length,
                    const char *item, uint32_t length);
EXPORT("rm_end") int32_t export_end(int32_t handle);
EXPORT("rm_step") int32_t export_step(int32_t handle);
EXPORT("rm_pending_ms") double export_pending_ms(int32_t handle);
EXPORT("rm_cancel") int32_t export_cancel(int32_t handle);
EXPORT("rm_pull") int32_t export_pull(int32_t handle, uint32_t encoding);
EXPORT("rm_pulled_sink") uint32_t export_pulled_sink(void);
EXPORT("rm_describe") int32_t export_describe(int32_t handle, uint32_t what);

/* ---- A call */

int rmi_reactor_enter(rm_error *failure)
{
    if (++instance.depth > 1) /* inside another call, or after a trap in one */
        return RM_E_USAGE;
    rm_error_clear(failure);
    return rmi_reactor_wake(failure);
}

bool rmi_reactor_is_busy(void)
{
    return instance.depth > 0;
}

int32_t rmi_reactor_leave(int rc)
{
    instance.depth--;
    return rc;
}

static int enter(void)
{
    return rmi_reactor_enter(&instance.failure);
}

static int32_t leave(int rc)
{
    return rmi_reactor_leave(rc);
}

static void set_text(char *text, size_t length)
{
    rm_text_free(NULL, instance.text, instance.length);
    instance.text = text;
    instance.length = length;
}

/* `value` is consumed. */
static int set_text_of(rm_value value, rm_error *err)
{
    char *text = NULL;
    size_t length = 0;
    const int rc = rm_json_write(NULL, value, 0, &text, &length, NULL, err);
    if (rc == RM_OK)
        set_text(text, length);
    rm_value_clear(&value);
    return rc;
}

/* Writes `value` to the buffer for results in the wire's encoding, which the next result reuses. */
static int set_bytes_of(rm_value value, rm_error *err)
{
    rmi_wire_writer *to = &instance.bytes;
    to->length = 0;
    to->grows = true;
    to->failed = false;
    int rc = rmi_wire_write(to, value, err);
    if (rc == RM_OK && to->failed)
        rc = rmi_out_of_memory(err);
    if (rc == RM_OK) {
        set_text(NULL, 0);
        instance.length = to->length;
    }
    return rc;
}

static int find(int32_t handle, rmi_open_pipeline **out, rm_error *err)
{
    rmi_open_pipeline *at = instance.opened;
    while (at != NULL && at->handle != handle)
        at = at->next;
    *out = at;
    return at != NULL ? RM_OK : rm_error_set(err, RM_E_USAGE, "there is no open pipeline %d", (int)handle);
}

/* Begins a call about a pipeline, as enter does; *out is borrowed. */
static int enter_pipeline(int32_t handle, rmi_open_pipeline **out)
{
    const int rc = enter();
    return rc == RM_OK ? find(handle, out, &instance.failure) : rc;
}

static int check_encoding(uint32_t encoding, rm_error *err)
{
    return encoding < ENCODINGS
               ? RM_OK
               : rm_error_set(err, RM_E_UNSUPPORTED,
                              "unknown encoding %u; there are 0, JSON, and 1, the wire", (unsigned)encoding);
}

/* ---- Memory, texts, errors */

int32_t export_interface(void)
{
    return INTERFACE_VERSION;
}

void *export_alloc(uint32_t size)
{
    return instance.depth == 0 ? rmi_host_alloc(size) : NULL;
}

int32_t export_release(void *block)
{
    int rc = enter();
    if (rc == RM_OK)
        rc = rmi_host_release(block, &instance.failure);
    return leave(rc);
}

const char *export_text(void)
{
    return instance.text != NULL ? instance.text : (const char *)instance.bytes.data;
}

uint32_t export_text_length(void)
{
    return (uint32_t)instance.length;
}

/* Makes {"status":"error","error":{...}}, as the program prints it. */
static int describe_failure(void)
{
    rm_error err = {0};
    rm_value document = rm_null(), error = rm_null(), status = rm_null();
    int rc = rm_error_to_value(NULL, &instance.failure, &error, &err);
    if (rc == RM_OK)
        rc = rm_string_new(NULL, "error", 5, &status, &err);
    if (rc == RM_OK)
        rc = rm_map_new(NULL, 2, &document, &err);
    if (rc == RM_OK)
        rc = rm_map_set(&document, "status", 6, rm_value_move(&status), &err);
    if (rc == RM_OK)
        rc = rm_map_set(&document, "error", 5, rm_value_move(&error), &err);
    if (rc == RM_OK)
        rc = set_text_of(rm_value_move(&document), &err);
    rm_value_clear(&document);
    rm_value_clear(&error);
    rm_value_clear(&status);
    rm_error_clear(&err);
    return rc;
}

int32_t export_error(void)
{
    int rc = ++instance.depth > 1             ? RM_E_USAGE
             : instance.failure.code == RM_OK ? RM_AGAIN
                                              : describe_failure();
    return leave(rc);
}

int32_t export_version(void)
{
    rm_value info = rm_null();
    int rc = enter();
    if (rc == RM_OK)
        rc = rm_version_info(NULL, &info, &instance.failure);
    if (rc == RM_OK)
        rc = set_text_of(info, &instance.failure);
    return leave(rc);
}

/* ---- A pipeline's life */

static int open_pipeline(const char *manifest, uint32_t length, const char *options, uint32_t options_length,
                         rm_error *err)
{
    rmi_open_pipeline *made = NULL;
    int rc = rmi_host_check(manifest, length, "the manifest", err);
    if (rc == RM_OK)
        rc = rmi_host_check(options, options_length, "the options", err);
    if (rc == RM_OK && instance.last_handle == INT32_MAX)
        rc = rm_error_set(err, RM_E_LIMIT, "an instance opens %d pipelines at most", INT32_MAX);
    if (rc == RM_OK)
        rc = rmi_open_pipeline_new(manifest, length, options, options_length, &made, err);
    if (rc != RM_OK)
        return rc;
    made->handle = ++instance.last_handle;
    made->next = instance.opened;
    instance.opened = made;
    return made->handle;
}

int32_t export_open(const char *manifest, uint32_t length, const char *options, uint32_t options_length)
{
    int rc = enter();
    if (rc == RM_OK)
        rc = open_pipeline(manifest, length, options, options_length, &instance.failure);
    return leave(rc);
}

int32_t export_close(int32_t handle)
{
    rmi_open_pipeline *found = NULL, **at = &instance.opened;
    int rc = enter_pipeline(handle, &found);
    if (rc == RM_OK) {
        while (*at != found)
            at = &(*at)->next;
        *at = found->next;
        rmi_open_pipeline_free(found);
    }
    return leave(rc);
}

/* ---- Items in */

typedef struct text {
    const char *at;
    uint32_t length;
} text;

static int read_item(uint32_t encoding, text from, rm_value *out, rm_error *err)
{
    size_t at = 0;
    if (encoding == ENCODING_JSON)
        return rm_json_parse(NULL, from.at, from.length, 0, out, err);
    int rc = rmi_wire_read(NULL, from.at, from.length, &at, out, err);
    if (rc == RM_OK && at != from.length) {
        rm_value_clear(out);
        rc = rm_error_set(err, RM_E_VALUE, "an item of %u bytes ends at byte %zu", (unsigned)from.length, at);
    }
    return rc;
}

static int push_item(rmi_open_pipeline *to, text source, uint32_t encoding, text content, rm_error *err)
{
    rm_value name = rm_null(), item = rm_null();
    int rc = to->has_input ? rm_error_set(err, RM_E_USAGE, "the manifest has input_data already") : RM_OK;
    if (rc == RM_OK && source.length != 0)
        rc = rm_string_new(NULL, source.at, source.length, &name, err);
    if (rc == RM_OK)
        rc = read_item(encoding, content, &item, err);
    if (rc == RM_OK) {
        const char *id = name.kind == RM_STRING ? rm_string_text(name, NULL) : NULL;
        rc = rm_pipeline_push(to->pipeline, id, item, err);
        if (rc == RM_AGAIN || rc == RM_DONE) /* the pipeline did not take the item: the host keeps its text */
            rm_value_clear(&item);
    }
    rm_value_clear(&name);
    return rc;
}

int32_t export_push(int32_t handle, uint32_t encoding, const char *source, uint32_t source_length,
                    const char *item, uint32_t length)
{
    rmi_open_pipeline *found = NULL;
    int rc = enter_pipeline(handle, &found);
    if (rc == RM_OK)
        rc = check_encoding(encoding, &instance.failure);
    if (rc == RM_OK)
        rc = rmi_host_check(source, source_length, "the source", &instance.failure);
    if (rc == RM_OK)
        rc = rmi_host_check(item, length, "the item", &instance.failure);
    if (rc == RM_OK)
        rc = push_item(found, (text){source, source_length}, encoding, (text){item, length},
                       &instance.failure);
    return leave(rc);
}

int32_t export_end(int32_t handle)
{
    rmi_open_pipeline *found = NULL;
    int rc = enter_pipeline(handle, &found);
    if (rc == RM_OK && !found->has_input) /* else the manifest's input ends the input */
        rc = rm_pipeline_finish(found->pipeline, &instance.failure);
    return leave(rc);
}

/* ---- Work */

int32_t export_step(int32_t handle)
{
    rmi_open_pipeline *found = NULL;
    int rc = enter_pipeline(handle, &found);
    if (rc == RM_OK)
        rc = rm_run_step(found->pipeline, &instance.failure);
    return leave(rc);
}

/* Milliseconds until a step may make progress after RM_PENDING: 0 for now, infinity when no time is known,
 * NaN when `handle` is no open pipeline. */
double export_pending_ms(int32_t handle)
{
    rmi_open_pipeline *found = NULL;
    int64_t deadline = 0;
    double left = NAN;
    int rc = enter_pipeline(handle, &found);
    if (rc == RM_OK) {
        deadline = rm_pipeline_next_deadline(found->pipeline);
        left = deadline == INT64_MAX ? INFINITY : (double)(deadline - rmi_platform_now()) / 1e6;
    }
    (void)leave(rc);
    return left < 0 ? 0 : left;
}

int32_t export_cancel(int32_t handle)
{
    rm_error err = {0};
    rmi_open_pipeline *found = NULL;
    const int rc = find(handle, &found, &err);
    if (rc == RM_OK) /* the host may call this inside another call: from an import */
        rm_pipeline_cancel(found->pipeline);
    rm_error_clear(&err);
    return rc;
}

/* ---- Results out */

int32_t export_pull(int32_t handle, uint32_t encoding)
{
    rmi_open_pipeline *found = NULL;
    rm_packet packet = rm_packet_of(rm_null());
    int rc = enter_pipeline(handle, &found);
    if (rc == RM_OK)
        rc = check_encoding(encoding, &instance.failure);
    if (rc == RM_OK)
        rc = rm_pipeline_pull(found->pipeline, &instance.sink, &packet, &instance.failure);
    if (rc == RM_OK)
        rc = encoding == ENCODING_WIRE ? set_bytes_of(packet.value, &instance.failure)
                                       : set_text_of(rm_value_move(&packet.value), &instance.failure);
    rm_packet_clear(&packet);
    return leave(rc);
}

uint32_t export_pulled_sink(void)
{
    return (uint32_t)instance.sink;
}

static int sink_ids(const rm_pipeline *pipeline, rm_value *out, rm_error *err)
{
    rmi_builder b = rmi_builder_start(NULL, err);
    rm_value ids = rmi_build_list(&b);
    for (size_t i = 0; i < rm_pipeline_sink_count(pipeline); i++)
        rmi_build_add(&b, &ids, rmi_build_string(&b, rm_pipeline_sink_id(pipeline, i)));
    return rmi_build_end(&b, &ids, out);
}

/* The documents of rm_describe, by number. */
static int (*const descriptions[])(const rm_pipeline *pipeline, rm_value *out, rm_error *err) = {
    sink_ids, rm_pipeline_graph_info, rm_pipeline_failures, rm_pipeline_metrics};
enum { DESCRIPTIONS = sizeof descriptions / sizeof *descriptions };

int32_t export_describe(int32_t handle, uint32_t what)
{
    rmi_open_pipeline *found = NULL;
    rm_value value = rm_null();
    int rc = enter_pipeline(handle, &found);
    if (rc == RM_OK && what >= DESCRIPTIONS)
        rc = rm_error_set(&instance.failure, RM_E_USAGE, "rm_describe takes 0 to %d, not %u",
                          DESCRIPTIONS - 1, (unsigned)what);
    if (rc == RM_OK)
        rc = descriptions[what](found->pipeline, &value, &instance.failure);
    if (rc == RM_OK)
        rc = set_text_of(value, &instance.failure);
    return leave(rc);
}
