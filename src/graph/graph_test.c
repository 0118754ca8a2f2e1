/* Graphs from manifests: every refusal with code, node, pointer and message; order, ports and diagrams. */
#include "base/alloc.h"
#include "graph/test_types.h"

#define PASS(id) NODE(id, "TestPass")
#define ABC HEAD PASS("a") "," PASS("b") "," PASS("c") EDGES
#define TWO(x, y) HEAD NODE("a", x) "," NODE("b", y) EDGES
#define EXECUTION(x) PLUS("TestPass", "\"execution\": {" x "}")
#define NEEDS(x) PLUS("TestPass", "\"capabilities\": {" x "}")

static const struct refusal {
    const char *text;
    int code;
    const char *node, *pointer, *message;
} refusals[] = {
    {ABC EDGE("x", "b") END, RM_E_UNKNOWN_NODE, "", "/connections/0/from",
     "Manifest error: Connection references unknown source node: x"},
    {ABC EDGE("a", "b") "," EDGE("a", "y") END, RM_E_UNKNOWN_NODE, "", "/connections/1/to",
     "Manifest error: Connection references unknown target node: y"},
    {HEAD PASS("reader") "," PASS("b") EDGES EDGE("raeder", "b") END, RM_E_UNKNOWN_NODE, "",
     "/connections/0/from", "did you mean 'reader'?"},
    {ABC EDGE("b", "b") END, RM_E_CYCLE, "b", "/connections/0",
     "Pipeline contains a cycle - cannot execute: b -> b"},
    {ABC EDGE("b", "c") "," EDGE("c", "a") "," EDGE("a", "b") END, RM_E_CYCLE, "a", "/connections/1",
     "Manifest error: Pipeline contains a cycle - cannot execute: a -> b -> c -> a"},
    {ABC EDGE("a", "c") "," EDGE("c", "b") "," EDGE("b", "c") END, RM_E_CYCLE, "b", "/connections/1",
     "cannot execute: b -> c -> b"},
    {ABC EDGE("a", "b") "," EDGE("a", "b") END, RM_E_DUPLICATE_CONNECTION, "", "/connections/1",
     "Duplicate connection: a -> b (at /connections/0 and /connections/1)"},
    {ABC EDGE("a", "b") "," EDGE("b", "c") "," EDGE("a.out", "b.in") END, RM_E_DUPLICATE_CONNECTION, "",
     "/connections/2", "Duplicate connection: a.out -> b.in (at /connections/0 and /connections/2)"},
    {TWO("TestPass", "TestMixer") EDGE("a", "b") "," EDGE("a", "b.more") "," EDGE("a", "b.more") END,
     RM_E_DUPLICATE_CONNECTION, "", "/connections/2", "a -> b.more"},
    {HEAD NODE("a", "TestPas") END, RM_E_UNKNOWN_NODE_TYPE, "a", "/nodes/0/node_type",
     "unknown node type 'TestPas' of node 'a'; did you mean 'TestPass'? Looked in: native node types"},
    {HEAD NODE("a", "Python") END, RM_E_MISSING_FEATURE, "a", "/nodes/0/node_type", "RM_PYTHON"},
    {HEAD NODE("a", "my.module:Class") END, RM_E_MISSING_FEATURE, "a", "/nodes/0/node_type", "RM_PYTHON"},
    {PLUS("TestPass", "\"runtime_hint\": \"cpython\""), RM_E_MISSING_FEATURE, "a", "/nodes/0/runtime_hint",
     "runtime_hint 'cpython' needs Python (RM_PYTHON)"},
    {PLUS("TestPass", "\"runtime_hint\": \"rust_python\""), RM_E_MISSING_FEATURE, "a",
     "/nodes/0/runtime_hint", "RM_PYTHON"},
    {PLUS("TestPass", "\"runtime_hint\": \"cpython_wasm\""), RM_E_MISSING_FEATURE, "a",
     "/nodes/0/runtime_hint", "RM_WASMTIME_RUNTIME"},
    {EXECUTION("\"placement\": \"sandbox\""), RM_E_MISSING_FEATURE, "a", "/nodes/0/execution/placement",
     "RM_WASMTIME_RUNTIME"},
    {EXECUTION("\"placement\": \"remote\""), RM_E_MISSING_FEATURE, "a", "/nodes/0/execution/placement",
     "RM_GRPC_TRANSPORT"},
    {PLUS("TestPass", "\"host\": \"h:1\""), RM_E_MISSING_FEATURE, "a", "/nodes/0/host", "RM_GRPC_TRANSPORT"},
    {EXECUTION("\"fallback\": \"aa\""), RM_E_UNKNOWN_NODE, "a", "/nodes/0/execution/fallback",
     "falls back to unknown node 'aa'"},
    {NEEDS("\"gpu\": {\"type\": \"cuda\"}"), RM_E_MISSING_CAPABILITY, "a", "/nodes/0/capabilities/gpu",
     "requires a GPU (cuda)"},
    {NEEDS("\"cpu\": {\"cores\": 1000000}"), RM_E_MISSING_CAPABILITY, "a", "/nodes/0/capabilities/cpu/cores",
     "requires 1000000 CPU cores; this machine has "},
    {NEEDS("\"cpu\": {\"arch\": \"pdp11\"}"), RM_E_MISSING_CAPABILITY, "a", "/nodes/0/capabilities/cpu/arch",
     "requires the architecture pdp11; this machine is "},
    {NEEDS("\"memory_gb\": 1e9"), RM_E_MISSING_CAPABILITY, "a", "/nodes/0/capabilities/memory_gb",
     "requires 1e+09 GB of memory; this machine has "},
    {TWO("TestPass", "TestMixer") EDGE("a", "b.mian") END, RM_E_UNKNOWN_PORT, "b", "/connections/0/to",
     "node 'b' (TestMixer) has no input 'mian'; did you mean 'main'? It has: main, side, more"},
    {TWO("TestMixer", "TestPass") EDGE("a.zzz", "b") END, RM_E_UNKNOWN_PORT, "a", "/connections/0/from",
     "has no output 'zzz'. It has: mixed, rest"},
    {TWO("TestPass", "TestGenerator") EDGE("a", "b") END, RM_E_UNKNOWN_PORT, "b", "/connections/0/to",
     "node 'b' (TestGenerator) has no input"},
    {TWO("TestAudio", "TestPass") EDGE("a", "b") END, RM_E_UNKNOWN_PORT, "a", "/connections/0/from",
     "node 'a' (TestAudio) has no output"},
    {TWO("TestPass", "TestMixer") EDGE("a", "b.side") END, RM_E_VALUE, "b", "/nodes/1",
     "input 'main' of node 'b' (TestMixer) is not connected"},
    {TWO("TestGenerator", "TestText") EDGE("a", "b") END, RM_E_TYPE, "b", "/connections/0",
     "'a.out' (TestGenerator) gives audio, but 'b.in' (TestText) takes string"},
    {TWO("TestGenerator", "TestAudio") EDGE("a", "b") END, RM_E_TYPE, "b", "/connections/0",
     "gives 16000 Hz, but 'b.in' (TestAudio) takes 48000 Hz"},
    {WITH("TestOne", "{\"multiplier\": 2}"), RM_E_UNKNOWN_PARAMETER, "a", "/nodes/0/params/multiplier",
     "unknown parameter 'multiplier' at /nodes/0/params; did you mean 'factor'?"},
    {WITH("TestTuned", "{\"gian\": 2}"), RM_E_UNKNOWN_PARAMETER, "a", "/nodes/0/params/gian",
     "did you mean 'gain'?"},
    {WITH("TestTuned", "{\"zzzzz\": 2}"), RM_E_UNKNOWN_PARAMETER, "a", "/nodes/0/params/zzzzz",
     "TestTuned has: loud, count, any_int, gain"},
    {WITH("TestPass", "{\"x/y\": 2}"), RM_E_UNKNOWN_PARAMETER, "a", "/nodes/0/params/x~1y",
     "has no parameters"},
    {HEAD NODE("a", "TestNeeds") END, RM_E_MISSING_PARAMETER, "a", "/nodes/0",
     "needs the parameter 'path': The file"},
    {WITH("TestNeeds", "{}"), RM_E_MISSING_PARAMETER, "a", "/nodes/0/params", "needs the parameter 'path'"},
    {WITH("TestNeeds", "{\"path\": \"a\\u0000b\"}"), RM_E_VALUE, "a", "/nodes/0/params/path", "NUL"},
    {WITH("TestOne", "{\"factor\": 1, \"factor\": 2}"), RM_E_VALUE, "a", "/nodes/0/params/factor",
     "given twice"},
    {WITH("TestOne", "{\"factor\": \"2\"}"), RM_E_TYPE, "a", "/nodes/0/params/factor",
     "parameter 'factor' of node 'a' (TestOne): expected a number, got a string"},
    {WITH("TestOne", "{\"factor\": true}"), RM_E_TYPE, "a", "/nodes/0/params/factor", "got a bool"},
    {WITH("TestTuned", "{\"loud\": 1}"), RM_E_TYPE, "a", "/nodes/0/params/loud",
     "expected a bool, got an int"},
    {WITH("TestTuned", "{\"loud\": null}"), RM_E_TYPE, "a", "/nodes/0/params/loud",
     "expected a bool, got null"},
    {WITH("TestTuned", "{\"count\": 1.5}"), RM_E_TYPE, "a", "/nodes/0/params/count",
     "expected an int, got a float"},
    {WITH("TestTuned", "{\"count\": 0}"), RM_E_VALUE, "a", "/nodes/0/params/count",
     "must be from 1 to 10, got 0"},
    {WITH("TestTuned", "{\"count\": 11}"), RM_E_VALUE, "a", "/nodes/0/params/count",
     "must be from 1 to 10, got 11"},
    {WITH("TestTuned", "{\"any_int\": 9223372036854775808}"), RM_E_VALUE, "a", "/nodes/0/params/any_int",
     "must fit 64 bits"},
    {WITH("TestTuned", "{\"gain\": 1.5}"), RM_E_VALUE, "a", "/nodes/0/params/gain",
     "must be from -1 to 1, got 1.5"},
    {WITH("TestTuned", "{\"gain\": []}"), RM_E_TYPE, "a", "/nodes/0/params/gain",
     "expected a number, got a list"},
    {WITH("TestTuned", "{\"gain\": 100000000000000000000000000}"), RM_E_VALUE, "a", "/nodes/0/params/gain",
     "must be from -1 to 1, got 1e+26"},
    {WITH("TestTuned", "{\"name\": {}}"), RM_E_TYPE, "a", "/nodes/0/params/name",
     "expected a string, got an object"},
    {WITH("TestTuned", "{\"mode\": \"ad\"}"), RM_E_VALUE, "a", "/nodes/0/params/mode",
     "must be one of 'add', 'subtract'; got 'ad'; did you mean 'add'?"},
    {WITH("TestTuned", "{\"mode\": 1}"), RM_E_TYPE, "a", "/nodes/0/params/mode",
     "expected a string, got an int"},
};

static void refuses_with_code_node_pointer_and_message(void **state)
{
    (void)state;
    rm_runtime *runtime = test_runtime(NULL);
    for (size_t i = 0; i < COUNT(refusals); i++) {
        const struct refusal *want = &refusals[i];
        rm_manifest *manifest = test_manifest(runtime, want->text);
        rm_error err = {0};
        int rc = rm_manifest_validate(manifest, &err);
        if (rc != want->code || err.code != rc || strcmp(err.node, want->node) != 0 ||
            strcmp(err.pointer, want->pointer) != 0 || strstr(err.message, want->message) == NULL ||
            strncmp(err.message, "Manifest error: ", 16) != 0)
            fail_msg("%s\n got %s at '%s', node '%s': %s", want->text, rm_code_name(rc), err.pointer,
                     err.node, err.message);
        rm_error_clear(&err);
        rm_manifest_free(manifest);
    }
    rm_runtime_free(runtime);
}

static const char *const good[] = {
    HEAD NODE("a", "TestThrough") END,
    ABC EDGE("a", "c") "," EDGE("b", "c") END, /* two connections into one port */
    TWO("TestGenerator", "TestPass") EDGE("a", "b") END,
    TWO("TestMixer", "TestMixer") EDGE("a.mixed", "b") "," EDGE("a.rest", "b") "," EDGE("a.rest", "b.more")
        END,
    PLUS("TestPass",
         "\"host\": \"h:1\", \"execution\": {\"placement\": \"prefer_remote\", \"fallback\": \"a\"}"),
    NEEDS("\"gpu\": {\"type\": \"any\", \"required\": false}, \"cpu\": {\"cores\": 1}, \"memory_gb\": 0.01"),
    WITH("TestAny", "{\"what\": [1, {\"ever\": null}]}"),
    WITH("TestTuned", "{\"list\": {\"a\": [1, 2.5, 123456789012345678901234567890]}, \"number\": 1e300}"),
};

static void accepts_what_is_right(void **state)
{
    (void)state;
    rm_runtime *runtime = test_runtime(NULL);
    for (size_t i = 0; i < COUNT(good); i++) {
        rm_manifest *manifest = test_manifest(runtime, good[i]);
        rm_error err = {0};
        if (rm_manifest_validate(manifest, &err) != RM_OK)
            fail_msg("%s\n%s", good[i], err.message);
        rm_manifest_free(manifest);
    }
    rm_runtime_free(runtime);
}

/* With each allocation failing in turn: out of memory and no leak, or the usual result. */
static void survives_every_failed_allocation(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refusals) + COUNT(good); i++) {
        const char *text = i < COUNT(refusals) ? refusals[i].text : good[i - COUNT(refusals)];
        int want = i < COUNT(refusals) ? refusals[i].code : RM_OK;
        for (size_t nth = 1, faults = 1; faults != 0; nth++) {
            rmt_heap heap;
            rmt_heap_init(&heap, 0);
            rm_runtime *runtime = test_runtime(&heap.allocator);
            rm_manifest *manifest = test_manifest(runtime, text);
            rm_error err = {0};
            heap.fail_at = heap.calls + nth;
            int rc = rm_manifest_validate(manifest, &err);
            faults = heap.faults;
            if (rc != (faults != 0 ? RM_E_OUT_OF_MEMORY : want) || err.code != rc)
                fail_msg("%s\n allocation %zu: %s %s", text, nth, rm_code_name(rc), err.message);
            rm_error_clear(&err);
            rm_manifest_free(manifest);
            rm_runtime_free(runtime);
            assert_int_equal(heap.live_blocks, 0);
            assert_int_equal(heap.mistakes, 0);
        }
    }
}

static void orders_by_readiness_then_by_manifest(void **state)
{
    (void)state;
    static const struct {
        const char *edges;
        uint32_t order[5];
    } cases[] = {
        {"", {0, 1, 2, 3, 4}},
        {EDGE("e", "a"), {1, 2, 3, 4, 0}},
        {EDGE("a", "e") "," EDGE("e", "b"), {0, 2, 3, 4, 1}},
        {EDGE("d", "c") "," EDGE("c", "b") "," EDGE("b", "a"), {3, 2, 1, 0, 4}},
        {EDGE("c", "a") "," EDGE("d", "b") "," EDGE("a", "e"), {2, 0, 3, 1, 4}},
    };
    rm_runtime *runtime = test_runtime(NULL);
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[1024];
        rmi_graph graph;
        (void)snprintf(text, sizeof text, "%s%s" END,
                       HEAD PASS("a") "," PASS("b") "," PASS("c") "," PASS("d") "," PASS("e") EDGES,
                       cases[i].edges);
        rm_manifest *manifest = test_manifest(runtime, text);
        assert_int_equal(rmi_graph_build(manifest, &graph, NULL), RM_OK);
        for (uint32_t at = 0; at < 5; at++) {
            assert_int_equal(graph.order[at], cases[i].order[at]);
            assert_int_equal(graph.nodes[graph.order[at]].rank, at);
        }
        rmi_graph_free(&graph);
        rm_manifest_free(manifest);
    }
    rm_runtime_free(runtime);
}

static void numbers_ports_and_counts_them(void **state)
{
    (void)state;
    rm_runtime *runtime = test_runtime(NULL);
    rm_manifest *manifest = test_manifest(runtime, ABC EDGE("a", "c") "," EDGE("b", "c.more") "," EDGE(
                                                       "a", "c.more") "," EDGE("b", "c.side") END);
    rmi_graph graph;
    manifest->nodes[2].node_type = "TestMixer";
    assert_int_equal(rmi_graph_build(manifest, &graph, NULL), RM_OK);
    static const uint32_t to_ports[] = {0, 2, 3, 1};
    for (size_t e = 0; e < COUNT(to_ports); e++)
        assert_int_equal(graph.edges[e].to_port, to_ports[e]);
    const rmi_graph_node *a = &graph.nodes[0], *c = &graph.nodes[2];
    assert_int_equal(c->input_ports, 4);
    assert_int_equal(c->output_ports, 2);
    assert_int_equal(c->input_count, 4);
    assert_true(a->is_source && !a->is_sink && !a->is_output);
    assert_true(!c->is_source && c->is_sink && c->is_output);
    assert_int_equal(a->output_count, 2);
    assert_int_equal(a->outputs[0], 0);
    assert_int_equal(a->outputs[1], 2);
    rmi_graph_free(&graph);
    rm_manifest_free(manifest);
    rm_runtime_free(runtime);
}

/* Ten thousand nodes in reverse order, so that they need sorting, with a last connection that is wrong or
 * right. */
static void builds_ten_thousand_nodes(void **state)
{
    (void)state;
    enum { NODES = 10000 };
    rm_runtime *runtime = test_runtime(NULL);
    for (int wrong = 0; wrong < 2; wrong++) {
        rmi_text text;
        char *whole = NULL;
        size_t length = 0;
        rmi_graph graph;
        rm_manifest *manifest = NULL;
        rm_error err = {0};
        rmi_text_init(&text, NULL);
        rmi_text_append_c(&text, HEAD);
        for (int i = 0; i < NODES; i++)
            rmi_text_printf(&text, "%s{\"id\": \"node_%d\", \"node_type\": \"TestPass\"}", i == 0 ? "" : ",",
                            i);
        rmi_text_append_c(&text, EDGES);
        for (int i = NODES - 1; i > 0; i--)
            rmi_text_printf(&text, "{\"from\": \"node_%d\", \"to\": \"node_%d\"},", i, i - 1);
        rmi_text_printf(&text, "{\"from\": \"node_%d\", \"to\": \"node_%d\"}]}", wrong ? 0 : NODES - 1,
                        wrong ? NODES - 1 : 0);
        assert_int_equal(rmi_text_take(&text, &whole, &length, NULL), RM_OK);
        assert_int_equal(rm_manifest_parse(runtime, whole, length, &manifest, NULL), RM_OK);
        assert_int_equal(rmi_manifest_find(manifest, "node_9999"), 9999);
        assert_int_equal(rmi_manifest_find(manifest, "node_10000"), SIZE_MAX);
        assert_int_equal(rmi_graph_build(manifest, &graph, &err), wrong ? RM_E_CYCLE : RM_OK);
        for (uint32_t i = 0; i < NODES && !wrong; i++)
            assert_int_equal(graph.order[i], NODES - 1 - i);
        if (wrong)
            assert_non_null(strstr(err.message, "node_0 -> node_9999 -> "));
        rmi_graph_free(&graph);
        rm_manifest_free(manifest);
        rm_text_free(NULL, whole, length);
    }
    rm_runtime_free(runtime);
}

static void draws_diagrams(void **state)
{
    (void)state;
    static const char *const expected[] = {
        "flowchart LR\n"
        "    n0([\"a<br/>TestMixer\"])\n"
        "    n1[[\"b<br/>TestPass\"]]\n"
        "    n0 -->|\"rest\"| n1\n",
        "digraph \"t\\\"\\\\\" {\n"
        "    rankdir=LR;\n"
        "    node [shape=box];\n"
        "    n0 [label=\"a\\nTestMixer\", style=\"rounded\"];\n"
        "    n1 [label=\"b\\nTestPass\", style=\"rounded\"];\n"
        "    n0 -> n1 [taillabel=\"rest\", headlabel=\"\"];\n"
        "}\n",
    };
    static const char manifest_text[] =
        "{\"version\": \"v1\", \"metadata\": {\"name\": \"t\\\"\\\\\"}, \"nodes\": [" NODE(
            "a", "TestMixer") "," NODE("b", "TestPass") EDGES EDGE("a.rest", "b") END;
    rm_runtime *runtime = test_runtime(NULL);
    rm_manifest *manifest = test_manifest(runtime, manifest_text);
    for (int format = RM_DIAGRAM_MERMAID; format <= RM_DIAGRAM_DOT; format++) {
        char *text = NULL;
        size_t length = 0;
        assert_int_equal(rm_manifest_diagram(manifest, (rm_diagram)format, &text, &length, NULL), RM_OK);
        assert_string_equal(text, expected[format]);
        assert_int_equal(length, strlen(text));
        rm_text_free(NULL, text, length);
    }
    rm_manifest_free(manifest);
    rm_runtime_free(runtime);
}

/* A resolver that knows "Found", refuses "Broken" and counts the data that it gave out. */
static int resolve(void *context, const rm_node_query *query, const rm_node_type **type, void **data,
                   const char **looked, rm_error *err)
{
    int *live = context;
    if (strcmp(query->node_type, "Broken") == 0)
        return rm_error_set(err, RM_E_PYTHON, "it is broken");
    if (strcmp(query->node_type, "Found") != 0 && strcmp(query->node_type, "TestPass") != 0) {
        *looked = "the attic";
        return RM_DONE;
    }
    rm_value x = rm_null();
    assert_true(rm_map_get(query->params, "x", 1, &x) && x.i == 3);
    assert_true(query->is_source);
    *type = &test_any;
    *data = live;
    ++*live;
    return RM_OK;
}

static void release(void *context, void *data)
{
    assert_ptr_equal(context, data);
    --*(int *)context;
}

static void asks_resolvers_after_the_native_types(void **state)
{
    (void)state;
    int live = 0;
    rm_runtime *runtime = test_runtime(NULL);
    const rm_resolver resolver = {
        .size = sizeof resolver, .context = &live, .resolve = resolve, .release_data = release};
    assert_int_equal(rm_runtime_add_resolver(runtime, &resolver, NULL), RM_OK);
    static const struct {
        const char *text;
        int code;
        bool resolved;
        const char *message;
    } cases[] = {
        {WITH("Found", "{\"x\": 3}"), RM_OK, true, ""},
        {PLUS("TestPass", "\"params\": {\"x\": 3}, \"runtime_hint\": \"cpython\""), RM_OK, true, ""},
        {HEAD NODE("a", "TestPass") END, RM_OK, false, ""},
        {HEAD NODE("a", "Broken") END, RM_E_PYTHON, false, "it is broken"},
        {HEAD NODE("a", "Fuond") END, RM_E_UNKNOWN_NODE_TYPE, false,
         "ooked in: native node types, the attic"},
        {PLUS("Lost", "\"runtime_hint\": \"rust_python\""), RM_E_UNKNOWN_NODE_TYPE, false,
         "ooked in: the attic"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        rmi_graph graph;
        rm_error err = {0};
        rm_manifest *manifest = test_manifest(runtime, cases[i].text);
        assert_int_equal(rmi_graph_build(manifest, &graph, &err), cases[i].code);
        assert_int_equal(live, cases[i].resolved);
        assert_non_null(strstr(err.message, cases[i].message));
        if (cases[i].code != RM_OK) {
            assert_string_equal(err.node, "a");
            assert_string_equal(err.pointer, "/nodes/0/node_type");
        }
        rmi_graph_free(&graph);
        assert_int_equal(live, 0);
        rm_manifest_free(manifest);
        rm_error_clear(&err);
    }
    rm_runtime_free(runtime);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_with_code_node_pointer_and_message),
        cmocka_unit_test(accepts_what_is_right),
        cmocka_unit_test(survives_every_failed_allocation),
        cmocka_unit_test(orders_by_readiness_then_by_manifest),
        cmocka_unit_test(numbers_ports_and_counts_them),
        cmocka_unit_test(builds_ten_thousand_nodes),
        cmocka_unit_test(draws_diagrams),
        cmocka_unit_test(asks_resolvers_after_the_native_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
