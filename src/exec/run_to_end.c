/* rm_run: runs a manifest from its first item to its last. */
#include "exec/pipeline.h"

#include <string.h>

#include "base/alloc.h"
#include "data/builder.h"

/* The items of a run: one list for all sources, or a list for each source, taken in turns. */
struct items {
    rm_value input; /* borrowed */
    size_t index, source;
};

static int next_item(void *context, const char **source, rm_value *item, rm_error *err)
{
    struct items *items = context;
    (void)err;
    if (items->input.kind == RM_LIST) {
        if (items->index >= rm_list_length(items->input))
            return RM_DONE;
        *item = rm_value_retain(rm_list_get(items->input, items->index++));
        return RM_OK;
    }
    const size_t sources = rm_map_length(items->input);
    for (size_t looked = 0; looked <= sources; looked++) { /* one round past the end of each shorter list */
        rm_value id, list;
        if (items->source == sources) {
            items->source = 0;
            items->index++;
        }
        if (!rm_map_at(items->input, items->source, &id, &list))
            break;
        items->source++;
        if (items->index < rm_list_length(list)) {
            *source = rm_string_text(id, NULL);
            *item = rm_value_retain(rm_list_get(list, items->index));
            return RM_OK;
        }
    }
    return RM_DONE;
}

/* The addressed sources get the items and do not generate. A source that takes no items is an error. */
static int address_sources(rm_pipeline *p, rm_value input, rm_error *err)
{
    rm_value id, list;
    int rc = RM_OK;
    for (uint32_t i = 0; rc == RM_OK && input.kind == RM_LIST && i < p->feed_count; i++)
        rc = rmi_source_input_address(p, rm_node_id(p->feeds[i]->to), err);
    for (size_t i = 0; rc == RM_OK && rm_map_at(input, i, &id, &list); i++) {
        const char *source = rm_string_text(id, NULL);
        if (list.kind != RM_LIST)
            rc = rm_error_set(err, RM_E_TYPE, "the input for '%s' must be a list, got %s", source,
                              rm_kind_name((rm_kind)list.kind));
        else
            rc = rmi_source_input_address(p, source, err);
    }
    return rc;
}

static int pull_all(rm_pipeline *p, rm_value *lists, bool *any, rm_error *err)
{
    size_t sink = 0;
    rm_packet packet = rm_packet_of(rm_null());
    int rc;
    *any = false;
    while ((rc = rm_pipeline_pull(p, &sink, &packet, err)) == RM_OK) {
        *any = true;
        rc = rm_list_append(&lists[sink], rm_value_move(&packet.value), err);
        rm_packet_clear(&packet);
        if (rc != RM_OK)
            break;
    }
    return rc < 0 ? rc : RM_OK;
}

static int stands_still(const rm_pipeline *p, rm_error *err)
{
    char waits[400];
    rmi_describe_waits(p, waits, sizeof waits);
    return rm_error_set(err, RM_E_INTERNAL, "the run stands still: %s", waits);
}

static int run(rm_pipeline *p, rm_value *lists, rm_error *err)
{
    int rc = RM_OK;
    for (;;) {
        bool any = false;
        const int step = rm_run_step(p, err);
        rc = pull_all(p, lists, &any, err); /* a failure of pull_all comes first: results were lost */
        if (step < 0 || rc < 0)
            return rc < 0 ? rc : step;
        if (step == RM_DONE)
            return RM_OK;
        if (step == RM_AGAIN && !any)
            return stands_still(p, err);
    }
}

static int gather(const rm_pipeline *p, rm_value *lists, rm_value *outputs, rm_error *err)
{
    rmi_builder b = rmi_builder_start(p->allocator, err);
    rm_value map = rmi_build_map(&b);
    for (size_t i = 0; i < p->result_count; i++)
        rmi_build_put(&b, &map, rm_pipeline_sink_id(p, i), rm_value_move(&lists[i]));
    return rmi_build_end(&b, &map, outputs);
}

int rm_run(rm_manifest *manifest, const rm_pipeline_options *options, rm_value input, rm_value *outputs,
           rm_error *err)
{
    rm_pipeline_options chosen;
    struct items items = {.input = input};
    const bool none = input.kind == RM_NULL || (input.kind == RM_LIST && rm_list_length(input) == 0);
    rm_pipeline *p = NULL;
    *outputs = rm_null();
    if (!none && input.kind != RM_LIST && input.kind != RM_MAP)
        return rm_error_set(err, RM_E_TYPE, "the input must be a list or a map of lists, got %s",
                            rm_kind_name((rm_kind)input.kind));
    int rc = rmi_options_read(options, &chosen, err);
    if (rc != RM_OK)
        return rc;
    chosen.may_block = true;
    chosen.generate = chosen.generate || none || input.kind == RM_MAP;
    chosen.input = next_item;
    chosen.input_context = &items;
    chosen.wait = NULL;
    if (none)
        items.input = rm_null();
    rc = rm_pipeline_open(manifest, &chosen, &p, err);
    if (rc != RM_OK)
        return rc;
    rm_value *lists = rmi_arena_alloc(&p->graph.arena, p->result_count, sizeof *lists);
    if (lists == NULL)
        rc = rmi_out_of_memory(err);
    for (size_t i = 0; rc == RM_OK && i < p->result_count; i++)
        rc = rm_list_new(p->allocator, 0, &lists[i], err);
    if (rc == RM_OK && !none)
        rc = address_sources(p, input, err);
    if (rc == RM_OK)
        rc = run(p, lists, err);
    if (lists != NULL) {
        const int gathered = gather(p, lists, outputs, rc == RM_OK ? err : NULL);
        rc = rc == RM_OK ? gathered : rc;
        for (size_t i = 0; i < p->result_count; i++)
            rm_value_clear(&lists[i]);
    }
    rm_pipeline_free(p);
    return rc;
}
