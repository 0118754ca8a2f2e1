/* A manifest: parsed, overridden, validated, drawn; and where no node of it reaches outside, run for some steps. */
#include "fuzz/fuzz.h"
#include "manifest/manifest.h"
#include "remotemedia/node.h"

enum { STEPS = 200, RESULTS = 1000 };
/* What the first byte chooses. */
enum { RAW_INPUT = 1, OVERRIDES = 2, RUNS = 4, GENERATES = 8, SMALL_QUEUES = 16 };

/* Whether a node of that type writes files, or reads one that it is told. */
static bool reaches_outside(const rm_runtime *runtime, const char *name)
{
    const rm_node_type *type = rm_runtime_find_type(runtime, name);
    bool outside = type == NULL || (type->flags & RM_NODE_SIDE_EFFECT) != 0;
    for (const rm_param *param = outside ? NULL : type->params; param != NULL && param->name != NULL; param++)
        outside |= (param->flags & RM_PARAM_PATH) != 0;
    return outside;
}

static bool is_harmless(const rm_runtime *runtime, const rm_manifest *manifest)
{
    for (size_t i = 0; i < manifest->node_count; i++)
        if (reaches_outside(runtime, manifest->nodes[i].node_type))
            return false;
    return true;
}

static int draw(rm_manifest *manifest, const rm_allocator *allocator, rm_error *err)
{
    int rc = RM_OK;
    for (int format = RM_DIAGRAM_MERMAID; rc == RM_OK && format <= RM_DIAGRAM_DOT; format++) {
        char *text = NULL;
        size_t length = 0;
        rc = rm_manifest_diagram(manifest, (rm_diagram)format, &text, &length, err);
        if (rc == RM_OK)
            rm_text_free(allocator, text, length);
    }
    return rc;
}

/* The items of `input_data`, for every source. */
static int push(rm_pipeline *pipeline, rm_value items, rm_error *err)
{
    int rc = RM_OK;
    for (size_t i = 0; rc == RM_OK && items.kind == RM_LIST && i < rm_list_length(items); i++) {
        rm_value item = rm_value_retain(rm_list_get(items, i));
        rc = rm_pipeline_push(pipeline, NULL, item, err);
        if (rc != RM_OK)
            rm_value_clear(&item);
    }
    return rc;
}

static int run_some(rm_manifest *manifest, unsigned choices, rm_error *err)
{
    rm_pipeline *pipeline = NULL;
    rm_packet packet;
    size_t sink = 0, results = 0;
    const rm_pipeline_options options = {.size = sizeof options,
                                         .queue_packets = (choices & SMALL_QUEUES) != 0 ? 1 : 0,
                                         .generate = (choices & GENERATES) != 0};
    int rc = rm_pipeline_open(manifest, &options, &pipeline, err);
    if (rc != RM_OK)
        return rc;
    rc = (choices & GENERATES) != 0 ? RM_OK : push(pipeline, rm_manifest_input(manifest), err);
    if (rc >= RM_OK)
        rc = rm_pipeline_finish(pipeline, err);
    for (int step = 0; step < STEPS && rc >= RM_OK && rc != RM_DONE && results < RESULTS; step++) {
        rc = rm_run_step(pipeline, err);
        while (rm_pipeline_pull(pipeline, &sink, &packet, err) == RM_OK && results++ < RESULTS)
            rm_packet_clear(&packet);
    }
    rm_pipeline_free(pipeline);
    return rc < RM_OK ? rc : RM_OK;
}

int rmf_run(rmt_heap *heap, rmf_input input)
{
    const unsigned choices = rmf_u8(&input);
    const rm_config config = {.size = sizeof config, .allocator = &heap->allocator};
    rm_runtime *runtime = NULL;
    rm_manifest *manifest = NULL;
    rm_error err = {0};
    size_t length = 0;
    char *text = (char *)rmf_rest(&input, &length);
    int rc = rm_runtime_new(&config, &runtime, &err);
    if (rc == RM_OK)
        rc = rm_manifest_parse_with(runtime, text, length, NULL, choices & RAW_INPUT ? RM_JSON_RAW : 0,
                                    &manifest, &err);
    if (rc == RM_OK && (choices & OVERRIDES) != 0)
        rc = rm_manifest_set_param(manifest, "a", "value", rm_int(7), &err);
    if (rc == RM_OK)
        rc = rm_manifest_check_input(manifest, rm_manifest_input(manifest), &err);
    if (rc == RM_OK)
        rc = rm_manifest_validate(manifest, &err);
    if (rc == RM_OK)
        rc = draw(manifest, &heap->allocator, &err);
    if (rc == RM_OK && (choices & RUNS) != 0 && is_harmless(runtime, manifest))
        rc = run_some(manifest, choices, &err);
    rmf_require(rc == err.code, "it answers %d and says %d", rc, err.code);
    rm_error_clear(&err);
    rm_manifest_free(manifest);
    rm_runtime_free(runtime);
    free(text);
    return rc;
}
