#include "tests/support/test_graph.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_STEPS = 200000, TEXT = 16384 };

/* ---- Records of a run
 * -------------------------------------------------------------------------------------- */

rmt_graph *rmt_graph_of(const rm_node *node)
{
    return (rmt_graph *)rm_node_allocator(node)->context;
}

void rmt_trouble(rmt_graph *g, const char *format, ...)
{
    va_list arguments;
    if (g->trouble[0] != '\0')
        return;
    va_start(arguments, format);
    (void)vsnprintf(g->trouble, sizeof g->trouble, format, arguments);
    va_end(arguments);
}

static void note_memory(rmt_graph *g)
{
    const size_t bytes = atomic_load(&g->heap.live_bytes);
    g->peak_bytes = bytes > g->peak_bytes ? bytes : g->peak_bytes;
}

void rmt_progress(rmt_graph *g)
{
    g->idle_before = g->pipeline != NULL ? g->pipeline->idle_turns : 0;
}

void rmt_called(rm_node *node)
{
    rmt_graph *g = rmt_graph_of(node);
    rm_pipeline *p = node->pipeline;
    g->calls++;
    rmt_progress(g);
    note_memory(g);
    if (g->setup.small_steps)
        p->pause = true;
    if (g->calls == g->setup.cancel_at_call)
        rm_pipeline_cancel(p);
    if (g->setup.look != NULL)
        g->setup.look(g, node);
}

/* ---- The manifest ------------------------------------------------------------------------------------------- */

static void append(char *text, size_t size, const char *format, ...)
{
    const size_t used = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text + used, size - used, format, arguments);
    va_end(arguments);
}

void rmt_graph_manifest(const char *graph, char *text, size_t size)
{
    char nodes[TEXT] = "", connections[TEXT] = "", copy[TEXT];
    (void)snprintf(copy, sizeof copy, "%s", graph);
    for (char *save = NULL, *word = strtok_r(copy, " ", &save); word != NULL;
         word = strtok_r(NULL, " ", &save)) {
        char *more = strchr(word, '{');
        if (more != NULL)
            *more++ = '\0';
        char *arrow = strchr(word, '>'), *colon = strchr(word, ':');
        char *end = arrow != NULL ? connections : nodes, *split = arrow != NULL ? arrow : colon;
        *split = '\0';
        append(end, TEXT,
               arrow != NULL ? "%s{\"from\":\"%s\",\"to\":\"%s\"%s%s"
                             : "%s{\"id\":\"%s\",\"node_type\":\"%s\"%s%s",
               *end != '\0' ? "," : "", word, split + 1, more != NULL ? "," : "", more != NULL ? more : "}");
    }
    (void)snprintf(text, size,
                   "{\"version\":\"v1\",\"metadata\":{\"name\":\"t\"},\"nodes\":[%s],\"connections\":[%s]}",
                   nodes, connections);
}

/* ---- Input -------------------------------------------------------------------------------------------------- */

/* The next item of the list, or of the lists in turns; false at the end. */
static bool find_item(rmt_graph *g, const char **source, rm_value *item)
{
    const size_t sources = rm_map_length(g->items);
    *source = NULL;
    if (g->items.kind == RM_LIST) {
        if (g->item >= rm_list_length(g->items))
            return false;
        *item = rm_value_retain(rm_list_get(g->items, g->item++));
        return true;
    }
    for (size_t looked = 0; g->items.kind == RM_MAP && looked <= sources; looked++) {
        rm_value id, list;
        if (g->source == sources) {
            g->source = 0;
            g->item++;
        }
        (void)rm_map_at(g->items, g->source++, &id, &list);
        if (g->item >= rm_list_length(list))
            continue;
        *source = rm_string_text(id, NULL);
        *item = rm_value_retain(rm_list_get(list, g->item));
        return true;
    }
    return false;
}

static bool is_failure(rm_value item)
{
    return item.kind == RM_STRING && strcmp(rm_string_text(item, NULL), "!") == 0;
}

static int next_item(void *context, const char **source, rm_value *item, rm_error *err)
{
    rmt_graph *g = context;
    if (g->held && !g->finished) {
        g->held_back = true;
        return RM_AGAIN;
    }
    if (!find_item(g, source, item)) {
        rmt_progress(g);
        g->finished = true;
        return RM_DONE;
    }
    rmt_progress(g);
    g->held = g->setup.way == RMT_LIVE; /* until a wait for the next one */
    if (!is_failure(*item))
        return RM_OK;
    rm_value_clear(item);
    return rm_error_set(err, RM_E_VALUE, "a bad item");
}

/* rm_pipeline_options.wait, inside a streaming node's pull: takes results, and waits where no more input is
 * coming. */
static int wait_for_item(void *context, rm_pipeline *pipeline, rm_error *err)
{
    rmt_graph *g = context;
    (void)err;
    if (!rmt_graph_take(g) && g->finished)
        rm_pipeline_wait(pipeline, NULL, 0);
    g->held = g->held_back = false;
    return g->err.code == RM_OK ? RM_OK : g->err.code;
}

/* Pushes until the graph is full, and finishes its input at the end. Returns whether it did anything. */
static bool push_items(rmt_graph *g)
{
    bool moved = false;
    while (!g->finished) {
        if (!g->has_next && !find_item(g, &g->next_source, &g->next)) {
            g->finished = true;
            if (rm_pipeline_finish(g->pipeline, &g->err) != RM_OK)
                rmt_trouble(g, "the end of the input: %s", g->err.message);
            return true;
        }
        g->has_next = true;
        const int rc = rm_pipeline_push(g->pipeline, g->next_source, g->next, &g->err);
        if (rc == RM_AGAIN)
            return moved;
        if (rc == RM_DONE)
            rm_value_clear(&g->next);
        g->has_next = false;
        moved = true;
        if (rc < 0)
            return true;
    }
    return moved;
}

/* ---- Open and free ------------------------------------------------------------------------------------------ */

static rm_pipeline_options options_of(rmt_graph *g)
{
    const rmt_way way = g->setup.way;
    rm_pipeline_options options = {.size = sizeof options,
                                   .queue_packets = g->setup.queue,
                                   .timeout_ms = g->setup.timeout_ms,
                                   .generate = g->items.kind != RM_LIST,
                                   .may_block = way == RMT_FEED};
    if (way == RMT_FEED || way == RMT_LIVE) {
        options.input = next_item;
        options.input_context = g;
    }
    if (way == RMT_LIVE) {
        options.wait = wait_for_item;
        options.wait_context = g;
    }
    return options;
}

/* Makes everything that comes before the pipeline. */
static int prepare(rmt_graph *g, const rmt_graph_setup *setup)
{
    char text[TEXT * 2];
    memset(g, 0, sizeof *g);
    rmt_heap_init(&g->heap, setup->fail_at);
    g->setup = *setup;
    g->items = g->next = rm_null();
    g->last_seq = INT64_MIN;
    const rm_config config = {.size = sizeof config, .allocator = &g->heap.allocator};
    rmt_graph_manifest(setup->graph, text, sizeof text);
    int rc = rm_json_parse(NULL, setup->input, strlen(setup->input), 0, &g->items, &g->err);
    if (rc == RM_OK)
        rc = rm_runtime_new(&config, &g->runtime, &g->err);
    if (rc == RM_OK)
        rc = rmt_graph_types(g->runtime, &g->err);
    return rc == RM_OK ? rm_manifest_parse(g->runtime, text, strlen(text), &g->manifest, &g->err) : rc;
}

int rmt_graph_open(rmt_graph *g, const rmt_graph_setup *setup)
{
    int rc = prepare(g, setup);
    const rm_pipeline_options options = options_of(g);
    rm_value id, list;
    if (rc == RM_OK)
        rc = rm_pipeline_open(g->manifest, &options, &g->pipeline, &g->err);
    for (size_t i = 0; rc == RM_OK && i < rm_pipeline_sink_count(g->pipeline); i++)
        rc = rm_list_new(NULL, 0, &g->lists[i], &g->err);
    for (size_t i = 0; rc == RM_OK && rm_map_at(g->items, i, &id, &list); i++)
        rc = rmi_source_input_address(g->pipeline, rm_string_text(id, NULL), &g->err);
    return rc;
}

static void check_clean(rmt_graph *g)
{
    size_t open = 0;
    for (size_t i = 0; i < RMT_NODES; i++)
        open += g->open[i] != NULL;
    if (open != 0 || g->opened != g->closed)
        rmt_trouble(g, "%zu nodes are open, %zu were opened, %zu closed", open, g->opened, g->closed);
    if (g->heap.live_blocks != 0 || g->heap.mistakes != 0)
        rmt_trouble(g, "%zu blocks are left, %zu sizes were wrong", (size_t)g->heap.live_blocks,
                    (size_t)g->heap.mistakes);
}

void rmt_graph_free(rmt_graph *g)
{
    for (size_t i = 0; i < RMT_NODES; i++)
        rm_value_clear(&g->lists[i]);
    if (g->has_next)
        rm_value_clear(&g->next);
    rm_pipeline_free(g->pipeline);
    g->pipeline = NULL;
    rm_value_clear(&g->items);
    rm_manifest_free(g->manifest);
    rm_runtime_free(g->runtime);
    rm_error_clear(&g->err);
    check_clean(g);
}

/* ---- Steps -------------------------------------------------------------------------------------------------- */

bool rmt_graph_take(rmt_graph *g)
{
    rm_packet packet = rm_packet_of(rm_null());
    size_t sink = 0;
    bool any = false;
    while (rm_pipeline_pull(g->pipeline, &sink, &packet, &g->err) == RM_OK) {
        if (packet.seq < g->last_seq || (packet.seq == g->last_seq && sink < g->last_sink))
            rmt_trouble(g, "a result of '%s' of item %lld came after one of item %lld",
                        rm_pipeline_sink_id(g->pipeline, sink), (long long)packet.seq,
                        (long long)g->last_seq);
        g->last_seq = packet.seq;
        g->last_sink = sink;
        if (g->results < RMT_NODES)
            g->taken[g->results++] = g->item;
        append(g->order, sizeof g->order, "%s:%lld ", rm_pipeline_sink_id(g->pipeline, sink),
               (long long)packet.value.i);
        if (rm_list_append(&g->lists[sink], rm_value_move(&packet.value), NULL) != RM_OK)
            rmt_trouble(g, "no memory for a result");
        rm_packet_clear(&packet);
        any = true;
    }
    return any;
}

/* Whether something will end the wait: a time, a descriptor, or a pending node that can be woken. */
static bool wait_has_an_end(const rm_pipeline *p)
{
    bool found = rm_pipeline_next_deadline(p) < INT64_MAX;
    for (uint32_t i = 0; i < p->node_count; i++) {
        rmi_reason why;
        const rmi_work work = rmi_node_work(&p->nodes[i], &why);
        const bool outside = work == RMI_WAIT && why == RMI_FOR_OUTSIDE;
        found |= work == RMI_POLL; /* woken since: the wait returns at once */
        found |= rmi_node_descriptor(&p->nodes[i]) >= 0 || (outside && p->nodes[i].poll.on);
        found |= p->nodes[i].poll.on && atomic_load(&p->nodes[i].poll.woken); /* since the step */
    }
    return found;
}

static void watch(rmt_graph *g, int step, bool moved)
{
    const rm_pipeline *p = g->pipeline;
    char waits[384];
    if (moved || p->idle_turns < g->idle_before)
        g->idle_before = p->idle_turns < g->idle_before ? 0 : p->idle_turns;
    rmi_describe_waits(p, waits, sizeof waits);
    if (p->idle_turns > g->idle_before + 2 * (p->node_count + 1))
        rmt_trouble(g, "%u turns without effect: %s", p->idle_turns - g->idle_before, waits);
    if (++g->steps > MOST_STEPS)
        rmt_trouble(g, "no end after %zu steps: %s", g->steps, waits);
    const bool stands_still = step == RM_AGAIN && !moved && !g->held_back;
    if (stands_still && (g->stood_still || g->finished)) /* a refused push may be tried once more */
        rmt_trouble(g, "the run stands still: %s", waits);
    g->stood_still = stands_still;
    if (step == RM_PENDING && !wait_has_an_end(p))
        rmt_trouble(g, "RM_PENDING, and nothing ends the wait: %s", waits);
}

int rmt_graph_step(rmt_graph *g)
{
    g->held = g->held_back = false;
    if (g->steps + 1 == g->setup.cancel_at_step)
        rm_pipeline_cancel(g->pipeline);
    bool moved = g->setup.way == RMT_PUSH && push_items(g);
    if (g->err.code != RM_OK)
        return g->err.code;
    const int step = rm_run_step(g->pipeline, &g->err);
    note_memory(g);
    moved |= rmt_graph_take(g);
    watch(g, step, moved);
    if (step == RM_PENDING && !moved && !g->held_back && g->trouble[0] == '\0')
        rm_pipeline_wait(g->pipeline, NULL, 0);
    return g->trouble[0] == '\0' ? step : RM_E_INTERNAL;
}

/* ---- Whole runs --------------------------------------------------------------------------------------------- */

static void tell_json(rmt_graph *g, rm_value outputs)
{
    char *json = NULL;
    size_t length = 0;
    if (outputs.kind == RM_MAP && rm_json_write(NULL, outputs, 0, &json, &length, NULL, NULL) == RM_OK)
        append(g->got, sizeof g->got, "%s", json);
    rm_text_free(NULL, json, length);
}

static void tell_outputs(rmt_graph *g)
{
    rm_value outputs = rm_null();
    int rc = rm_map_new(NULL, 0, &outputs, NULL);
    for (size_t i = 0; i < rm_pipeline_sink_count(g->pipeline); i++) {
        const char *id = rm_pipeline_sink_id(g->pipeline, i);
        if (rc == RM_OK)
            rc = rm_map_set(&outputs, id, strlen(id), rm_value_retain(g->lists[i]), NULL);
    }
    if (rc != RM_OK)
        rmt_trouble(g, "no memory for the results");
    tell_json(g, outputs);
    rm_value_clear(&outputs);
}

static void tell_failures(rmt_graph *g)
{
    rm_value list = rm_null();
    if (rm_pipeline_failures(g->pipeline, &list, NULL) != RM_OK)
        return; /* a failed allocation here is no failure of the run */
    for (size_t i = 0; i < rm_list_length(list); i++) {
        rm_value node = rm_null(), item = rm_null();
        (void)rm_map_get(rm_list_get(list, i), "node", 4, &node);
        if (!rm_map_get(rm_list_get(list, i), "item", 4, &item))
            item = rm_int(-1);
        append(g->got, sizeof g->got, "%s %s[%lld]", i == 0 ? " collected" : "", rm_string_text(node, NULL),
               (long long)item.i);
    }
    rm_value_clear(&list);
}

static int run_at_once(rmt_graph *g)
{
    const rm_pipeline_options options = {
        .size = sizeof options, .queue_packets = g->setup.queue, .timeout_ms = g->setup.timeout_ms};
    rm_value outputs = rm_null();
    const int rc = rm_run(g->manifest, &options, g->items, &outputs, &g->err);
    tell_json(g, outputs);
    rm_value_clear(&outputs);
    return rc;
}

int rmt_graph_run(rmt_graph *g, const rmt_graph_setup *setup)
{
    int rc = setup->way == RMT_RUN ? prepare(g, setup) : rmt_graph_open(g, setup);
    if (rc == RM_OK && setup->way == RMT_RUN)
        rc = run_at_once(g);
    else if (rc == RM_OK) {
        do
            rc = rmt_graph_step(g);
        while (rc >= 0 && rc != RM_DONE);
        tell_outputs(g);
        tell_failures(g);
    }
    if (rc < 0)
        append(g->got, sizeof g->got, " %s: %s at %s[%lld]", rm_code_name(rc), g->err.message, g->err.node,
               g->err.has_item ? (long long)g->err.item : -1LL);
    rmt_graph_free(g);
    if (g->trouble[0] != '\0')
        append(g->got, sizeof g->got, " TROUBLE %s", g->trouble);
    return rc;
}

rm_node *rmt_graph_node(const rmt_graph *g, const char *id)
{
    for (uint32_t i = 0; i < g->pipeline->node_count; i++)
        if (strcmp(rm_node_id(&g->pipeline->nodes[i]), id) == 0)
            return &g->pipeline->nodes[i];
    fail_msg("no node '%s'", id);
    return NULL;
}

/* ---- Cases -------------------------------------------------------------------------------------------------- */

/* The ways of running a case. Only ways with an input function where the input fails. */
static unsigned ways_of(const rmt_graph_case *row, unsigned ways)
{
    const bool fails = strstr(row->input, "\"!\"") != NULL;
    return ways != 0 ? ways : fails ? 1 << RMT_FEED | 1 << RMT_LIVE : (1 << RMT_WAYS) - 1;
}

/* The wanted text, without the collected failures for rm_run, which does not report them. */
static void want_of(const rmt_graph_case *row, rmt_way way, char *want, size_t size)
{
    (void)snprintf(want, size, "%s", row->want);
    char *failed = strstr(want, " collected "), *error = failed != NULL ? strchr(failed, ':') : NULL;
    if (way != RMT_RUN || failed == NULL)
        return;
    while (error != NULL && *error != ' ')
        error--;
    memmove(failed, error != NULL ? error : "", error != NULL ? strlen(error) + 1 : 1);
}

static void check_ways(rmt_graph *g, const rmt_graph_case *row, unsigned ways)
{
    char want[RMT_GOT / 4];
    for (rmt_way way = 0; way < RMT_WAYS; way++)
        for (size_t queue = 0; queue < 4 && ways & 1u << way; queue++)
            for (int small = 0; small < 2; small++) {
                const rmt_graph_setup setup = {.graph = row->graph,
                                               .input = row->input,
                                               .way = way,
                                               .queue = queue,
                                               .small_steps = small};
                (void)rmt_graph_run(g, &setup);
                want_of(row, way, want, sizeof want);
                if (strcmp(g->got, want) != 0)
                    fail_msg("%s (way %d, queues of %zu, %s steps):\n got %.2000s\nwant %.2000s", row->label,
                             (int)way, queue, small ? "small" : "long", g->got, want);
            }
}

static void check_allocations(rmt_graph *g, const rmt_graph_case *row, unsigned ways)
{
    const rmt_way way = (rmt_way)__builtin_ctz(ways);
    char want[RMT_GOT / 4];
    size_t faults = 1;
    want_of(row, way, want, sizeof want);
    for (size_t nth = 1; faults != 0; nth++) {
        const rmt_graph_setup setup = {.graph = row->graph, .input = row->input, .way = way, .fail_at = nth};
        (void)rmt_graph_run(g, &setup);
        faults = g->heap.faults;
        const bool told = faults != 0 && strstr(g->got, " out_of_memory: ") != NULL;
        const char *part =
            *g->got != '\0' ? strstr(want, g->got) : NULL; /* a failed run may lose its outputs */
        if ((!told && (part == NULL || strcmp(part, g->got) != 0)) || g->trouble[0] != '\0')
            fail_msg("%s, allocation %zu:\n got %.2000s\nwant %.2000s", row->label, nth, g->got, want);
    }
}

void rmt_graph_check(const rmt_graph_case *cases, size_t count, unsigned ways)
{
    rmt_graph *g = malloc(sizeof *g);
    assert_non_null(g);
    for (size_t i = 0; i < count; i++) {
        check_ways(g, &cases[i], ways_of(&cases[i], ways));
        check_allocations(g, &cases[i], ways_of(&cases[i], ways));
    }
    free(g);
}
