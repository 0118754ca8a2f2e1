#include "wasm/reactor.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "data/builder.h"
#include "platform/platform.h"

enum { INTERFACE_VERSION = 1 };

static struct instance {
    rmi_open_pipeline *opened;
    int32_t last_handle;
    unsigned depth; /* of calls; stays above 0 after a trap in one */
    rm_error failure;
    char *text;       /* the result text of the last call that had one; owned. NULL: it is `lent` */
    const char *lent; /* borrowed */
    size_t length;
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
EXPORT("rm_end") int32_t export_end(int32_t handle);
EXPORT("rm_step") int32_t export_step(int32_t handle);
EXPORT("rm_pending_ms") double export_pending_ms(int32_t handle);
EXPORT("rm_cancel") int32_t export_cancel(int32_t handle);
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

static void set_text(char *text, const char *lent, size_t length)
{
    rm_text_free(NULL, instance.text, instance.length);
    instance.text = text;
    instance.lent = lent;
    instance.length = length;
}

void rmi_reactor_lend_text(const void *text, size_t length)
{
    set_text(NULL, text, length);
}

int rmi_reactor_set_text(rm_value value, rm_error *err)
{
    char *text = NULL;
    size_t length = 0;
    const int rc = rm_json_write(NULL, value, 0, &text, &length, NULL, err);
    if (rc == RM_OK)
        set_text(text, NULL, length);
    rm_value_clear(&value);
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

int rmi_reactor_enter_pipeline(int32_t handle, rmi_open_pipeline **out, rm_error **err)
{
    const int rc = enter();
    *err = &instance.failure;
    return rc == RM_OK ? find(handle, out, &instance.failure) : rc;
}

static int enter_pipeline(int32_t handle, rmi_open_pipeline **out)
{
    rm_error *err = NULL;
    return rmi_reactor_enter_pipeline(handle, out, &err);
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
    return instance.text != NULL ? instance.text : instance.lent;
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
        rc = rmi_reactor_set_text(rm_value_move(&document), &err);
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
        rc = rmi_reactor_set_text(info, &instance.failure);
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
        rmi_reactor_drop_parts(); /* they may be memory of Python, which ends with the runtime */
        rmi_open_pipeline_free(found);
    }
    return leave(rc);
}

/* ---- Work */

int32_t export_end(int32_t handle)
{
    rmi_open_pipeline *found = NULL;
    int rc = enter_pipeline(handle, &found);
    if (rc == RM_OK && !found->has_input) /* else the manifest's input ends the input */
        rc = rm_pipeline_finish(found->pipeline, &instance.failure);
    return leave(rc);
}

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

/* ---- What is known of a pipeline */

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
        rc = rmi_reactor_set_text(value, &instance.failure);
    return leave(rc);
}
