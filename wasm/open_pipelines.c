#include <string.h>

#include "base/alloc.h"
#include "wasm/reactor.h"

/* ---- Options */

typedef struct options {
    rm_pipeline_options pipeline;
    rmi_python_options python;
} options;

static int take_count(rm_value value, const char *name, int64_t *out, rm_error *err)
{
    if (value.kind != RM_INT || value.i < 0)
        return rm_error_set(err, RM_E_TYPE, "option '%s' is a whole number, not negative", name);
    *out = value.i;
    return RM_OK;
}

static int take_flag(rm_value value, const char *name, bool *out, rm_error *err)
{
    if (value.kind != RM_BOOL)
        return rm_error_set(err, RM_E_TYPE, "option '%s' is true or false", name);
    *out = value.b;
    return RM_OK;
}

static int set_generate(options *into, rm_value value, rm_error *err)
{
    return take_flag(value, "generate", &into->pipeline.generate, err);
}

static int set_measure(options *into, rm_value value, rm_error *err)
{
    return take_flag(value, "measure", &into->pipeline.measure, err);
}

static int set_timeout(options *into, rm_value value, rm_error *err)
{
    return take_count(value, "timeout_ms", &into->pipeline.timeout_ms, err);
}

static int set_queue(options *into, rm_value value, rm_error *err)
{
    int64_t packets = 0;
    const int rc = take_count(value, "queue_packets", &packets, err);
    into->pipeline.queue_packets = packets > INT32_MAX ? INT32_MAX : (size_t)packets;
    return rc;
}

static const struct {
    const char *name;
    int (*set)(options *into, rm_value value, rm_error *err);
} settings[] = {
    {"generate", set_generate},
    {"measure", set_measure},
    {"queue_packets", set_queue},
    {"timeout_ms", set_timeout},
};
enum { SETTINGS = sizeof settings / sizeof *settings };

/* `into` borrows from `from`. */
static int read_options(rm_value from, options *into, rm_error *err)
{
    rm_value key, value;
    int rc = RM_OK;
    if (from.kind != RM_MAP && from.kind != RM_NULL)
        return rm_error_set(err, RM_E_TYPE, "the options are a JSON object");
    for (size_t i = 0; rc == RM_OK && rm_map_at(from, i, &key, &value); i++) {
        const char *name = rm_string_text(key, NULL);
        size_t at = 0;
        if (rmi_python_option(&into->python, name, value, &rc, err))
            continue;
        while (at < SETTINGS && strcmp(settings[at].name, name) != 0)
            at++;
        rc = at < SETTINGS
                 ? settings[at].set(into, value, err)
                 : rm_error_set(err, RM_E_UNKNOWN_FIELD,
                                "unknown option '%s'; there are generate, measure, paths, queue_packets, "
                                "seed and timeout_ms",
                                name);
    }
    return rc;
}

/* ---- Opening */

/* Feeds the manifest's own items as the program does. */
static int use_input(rmi_open_pipeline *opened, options *chosen, rm_error *err)
{
    const rm_value items = rm_manifest_input(opened->manifest);
    opened->has_input = items.kind == RM_MAP || (items.kind == RM_LIST && rm_list_length(items) != 0);
    if (!opened->has_input)
        return RM_OK;
    if (chosen->pipeline.generate)
        return rm_error_set(err, RM_E_USAGE, "the manifest has input_data, so its sources cannot generate");
    rmi_input_of(&opened->input, items);
    chosen->pipeline.input = rmi_input_next;
    chosen->pipeline.input_context = &opened->input;
    return RM_OK;
}

static int open_with(rmi_open_pipeline *opened, const char *manifest, size_t length, options *chosen,
                     rm_error *err)
{
    int rc = rmi_reactor_runtime(&chosen->python, rmi_reactor_log, &opened->runtime, err);
    if (rc == RM_OK)
        rc = rm_manifest_parse(opened->runtime, manifest, length, &opened->manifest, err);
    if (rc == RM_OK)
        rc = use_input(opened, chosen, err);
    if (rc == RM_OK)
        rc = rm_pipeline_open(opened->manifest, &chosen->pipeline, &opened->pipeline, err);
    if (rc == RM_OK && chosen->pipeline.generate)
        rc = rm_pipeline_finish(opened->pipeline, err); /* nodes that do not generate get no items */
    return rc;
}

int rmi_open_pipeline_new(const char *manifest, size_t length, const char *text, size_t text_length,
                          rmi_open_pipeline **out, rm_error *err)
{
    options chosen = {.pipeline = {.size = sizeof chosen.pipeline}};
    rmi_open_pipeline *made = rmi_alloc_zeroed(NULL, sizeof *made);
    rm_value given = rm_null();
    int rc = made != NULL ? RM_OK : rmi_out_of_memory(err);
    if (rc == RM_OK && text_length != 0)
        rc = rm_json_parse(NULL, text, text_length, 0, &given, err);
    if (rc == RM_OK)
        rc = read_options(given, &chosen, err);
    if (rc == RM_OK)
        rc = open_with(made, manifest, length, &chosen, err);
    rm_value_clear(&given);
    if (rc != RM_OK) {
        rmi_open_pipeline_free(made);
        made = NULL;
    }
    *out = made;
    return rc;
}

void rmi_open_pipeline_free(rmi_open_pipeline *opened)
{
    if (opened == NULL)
        return;
    rm_packet_clear(&opened->held);
    rm_pipeline_free(opened->pipeline);
    if (opened->has_input)
        rmi_input_close(&opened->input);
    rm_manifest_free(opened->manifest);
    rm_runtime_free(opened->runtime);
    rmi_free(NULL, opened, sizeof *opened);
}
