#include "transport/http/http_rates.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "data/json/json.h"
#include "manifest/manifest.h"
#include "platform/platform.h"

/* ns between two looks at a session. */
static const int64_t pause = 200000000;

typedef struct node_counts {
    _Atomic uint64_t in, out;
} node_counts;

typedef struct pipeline_counts {
    _Atomic uint64_t open, sessions, failures, items, results;
    node_counts *nodes; /* owned; in the manifest's order */
} pipeline_counts;

struct rmi_http_rates {
    const rmi_pipelines *pipelines;
    pipeline_counts *counts; /* owned */
};

void rmi_http_progress_clear(rmi_http_progress *progress)
{
    free(progress->seen);
    *progress = (rmi_http_progress){0};
}

int rmi_http_rates_new(const rmi_pipelines *pipelines, rmi_http_rates **out, rm_error *err)
{
    const size_t count = rmi_pipelines_count(pipelines);
    rmi_http_rates *rates = calloc(1, sizeof *rates);
    *out = rates;
    if (rates == NULL)
        return rmi_out_of_memory(err);
    rates->pipelines = pipelines;
    rates->counts = calloc(count + 1, sizeof *rates->counts);
    bool good = rates->counts != NULL;
    for (size_t i = 0; good && i < count; i++) {
        rates->counts[i].nodes =
            calloc(rmi_pipelines_manifest(pipelines, i)->node_count + 1, sizeof(node_counts));
        good = rates->counts[i].nodes != NULL;
    }
    if (good)
        return RM_OK;
    rmi_http_rates_free(rates);
    *out = NULL;
    return rmi_out_of_memory(err);
}

void rmi_http_rates_free(rmi_http_rates *rates)
{
    if (rates == NULL)
        return;
    for (size_t i = 0; rates->counts != NULL && i < rmi_pipelines_count(rates->pipelines); i++)
        free(rates->counts[i].nodes);
    free(rates->counts);
    free(rates);
}

static void add(_Atomic uint64_t *to, uint64_t by)
{
    atomic_fetch_add_explicit(to, by, memory_order_relaxed);
}

void rmi_http_rates_begin(rmi_http_rates *rates, size_t pipeline)
{
    add(&rates->counts[pipeline].sessions, 1);
    add(&rates->counts[pipeline].open, 1);
}

void rmi_http_rates_end(rmi_http_rates *rates, size_t pipeline, bool failed)
{
    add(&rates->counts[pipeline].failures, failed);
    atomic_fetch_sub(&rates->counts[pipeline].open, 1);
}

static uint64_t count_of(rm_value map, const char *name)
{
    rm_value value = rm_null();
    (void)rm_map_get(map, name, strlen(name), &value);
    return value.kind == RM_INT ? (uint64_t)value.i : 0;
}

/* Without memory the nodes are left out. */
static void add_nodes(const rm_manifest *manifest, node_counts *nodes, rmi_http_progress *progress,
                      const rm_pipeline *running)
{
    rm_value metrics = rm_null(), of_node;
    if (progress->seen == NULL)
        progress->seen = calloc(manifest->node_count, 2 * sizeof *progress->seen);
    if (progress->seen == NULL || rm_pipeline_metrics(running, &metrics, NULL) != RM_OK)
        return;
    for (size_t i = 0; i < manifest->node_count; i++) {
        uint64_t *seen = progress->seen + 2 * i;
        const char *id = manifest->nodes[i].id;
        if (!rm_map_get(metrics, id, strlen(id), &of_node))
            continue;
        const uint64_t in = count_of(of_node, "in"), out = count_of(of_node, "out");
        add(&nodes[i].in, in - seen[0]);
        add(&nodes[i].out, out - seen[1]);
        seen[0] = in;
        seen[1] = out;
    }
    rm_value_clear(&metrics);
}

void rmi_http_rates_add(rmi_http_rates *rates, size_t pipeline, rmi_http_progress *progress,
                        const rm_pipeline *running, bool last)
{
    const int64_t now = rmi_platform_now();
    pipeline_counts *counts = &rates->counts[pipeline];
    if (!last && now < progress->next)
        return;
    progress->next = now + pause;
    add(&counts->items, progress->items - progress->told_items);
    add(&counts->results, progress->results - progress->told_results);
    progress->told_items = progress->items;
    progress->told_results = progress->results;
    if (running != NULL)
        add_nodes(rmi_pipelines_manifest(rates->pipelines, pipeline), counts->nodes, progress, running);
}

/* ---- As JSON */

void rmi_http_append_text(rmi_text *text, const char *words)
{
    const rmi_json_style style = {0};
    rm_value value = rm_null();
    int rc = rm_string_new(NULL, words, strlen(words), &value, NULL);
    if (rc == RM_OK)
        rc = rmi_json_append(text, value, &style, NULL, NULL);
    text->failed |= rc != RM_OK;
    rm_value_clear(&value);
}

static void put_nodes(rmi_text *text, const rm_manifest *manifest, const node_counts *nodes)
{
    for (size_t i = 0; i < manifest->node_count; i++) {
        rmi_text_append_c(text, i > 0 ? ",{\"id\":" : "{\"id\":");
        rmi_http_append_text(text, manifest->nodes[i].id);
        rmi_text_append_c(text, ",\"node_type\":");
        rmi_http_append_text(text, manifest->nodes[i].node_type);
        rmi_text_printf(text, ",\"in\":%" PRIu64 ",\"out\":%" PRIu64 "}", atomic_load(&nodes[i].in),
                        atomic_load(&nodes[i].out));
    }
}

void rmi_http_rates_append(rmi_text *text, const rmi_http_rates *rates, size_t pipeline)
{
    const rm_manifest *manifest = rmi_pipelines_manifest(rates->pipelines, pipeline);
    const pipeline_counts *counts = &rates->counts[pipeline];
    rmi_text_append_c(text, "{\"name\":");
    rmi_http_append_text(text, rmi_pipelines_name(rates->pipelines, pipeline));
    rmi_text_printf(text,
                    ",\"sessions\":%" PRIu64 ",\"sessions_total\":%" PRIu64 ",\"failures\":%" PRIu64
                    ",\"items\":%" PRIu64 ",\"results\":%" PRIu64 ",\"nodes\":[",
                    atomic_load(&counts->open), atomic_load(&counts->sessions),
                    atomic_load(&counts->failures), atomic_load(&counts->items),
                    atomic_load(&counts->results));
    put_nodes(text, manifest, counts->nodes);
    rmi_text_append_c(text, "],\"connections\":[");
    for (size_t i = 0; i < manifest->connection_count; i++) {
        rmi_text_append_c(text, i > 0 ? ",{\"from\":" : "{\"from\":");
        rmi_http_append_text(text, manifest->connections[i].from);
        rmi_text_append_c(text, ",\"to\":");
        rmi_http_append_text(text, manifest->connections[i].to);
        rmi_text_append_c(text, "}");
    }
    rmi_text_append_c(text, "]}");
}
