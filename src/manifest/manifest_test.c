/* What a manifest may contain, through the public functions: code, pointer and message of every refusal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "manifest/manifest.h"
#include "tests/support/heap.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define HEAD "{\"version\": \"v1\", \"metadata\": {\"name\": \"t\"}, \"nodes\": ["
#define A "{\"id\": \"a\", \"node_type\": \"T\"}"
#define B "{\"id\": \"b\", \"node_type\": \"T\"}"
#define NODE(fields) HEAD "{\"id\": \"a\", \"node_type\": \"T\", " fields "}]}"
#define EDGE(fields) HEAD A "," B "], \"connections\": [{\"from\": \"a\", \"to\": \"b\"" fields "}]}"

static const struct refusal {
    const char *text;
    int code;
    const char *pointer, *message;
} refusals[] = {
    {"", RM_E_PARSE, NULL, "Manifest error: "},
    {"{\"version\": ", RM_E_PARSE, NULL, "Manifest error: "},
    {"[]", RM_E_TYPE, "", "expected an object, got a list"},
    {"{}", RM_E_MISSING_FIELD, "", "missing field 'version'"},
    {"{\"version\": \"v2\", \"stages\": []}", RM_E_UNSUPPORTED_VERSION, "/version",
     "Manifest error: Unsupported manifest version: v2"},
    {"{\"version\": 1}", RM_E_TYPE, "/version", "expected a string, got an int"},
    {"{\"version\": \"v1\", \"nodes\": []}", RM_E_VALUE, "/nodes", "Manifest must contain at least one node"},
    {"{\"version\": \"v1\", \"nodes\": {}}", RM_E_TYPE, "/nodes", "expected a list, got an object"},
    {"{\"version\": \"v1\", \"node\": []}", RM_E_UNKNOWN_FIELD, "/node", "did you mean 'nodes'?"},
    {"{\"version\": \"v1\", \"a/b~c\": 1}", RM_E_UNKNOWN_FIELD, "/a~1b~0c", "unknown field 'a/b~c'"},
    {"{\"version\": \"v1\", \"version\": \"v1\"}", RM_E_VALUE, "/version", "is given twice"},
    {"{\"version\": \"v1\", \"metadata\": {}, \"nodes\": [" A "]}", RM_E_MISSING_FIELD, "/metadata",
     "missing field 'name'"},
    {"{\"version\": \"v1\", \"metadata\": {\"name\": \"\"}}", RM_E_VALUE, "/metadata/name",
     "must not be empty"},
    {"{\"version\": \"v1\", \"metadata\": {\"name\": null}}", RM_E_TYPE, "/metadata/name", "got null"},
    {"{\"version\": \"v1\", \"metadata\": {\"name\": \"t\", \"auto_negotiate\": 1}}", RM_E_TYPE,
     "/metadata/auto_negotiate", "expected a bool, got an int"},
    {HEAD "3]}", RM_E_TYPE, "/nodes/0", "expected an object, got an int"},
    {HEAD "{\"node_type\": \"T\"}]}", RM_E_MISSING_FIELD, "/nodes/0", "missing field 'id' at /nodes/0"},
    {HEAD "{\"id\": \"a\"}]}", RM_E_MISSING_FIELD, "/nodes/0", "missing field 'node_type'"},
    {HEAD "{\"id\": \"a b\", \"node_type\": \"T\"}]}", RM_E_VALUE, "/nodes/0/id", "letters, digits"},
    {HEAD "{\"id\": \"a.b\", \"node_type\": \"T\"}]}", RM_E_VALUE, "/nodes/0/id", "letters, digits"},
    {HEAD "{\"id\": \"\", \"node_type\": \"T\"}]}", RM_E_VALUE, "/nodes/0/id", "must not be empty"},
    {HEAD "{\"id\": \"a\\u0000\", \"node_type\": \"T\"}]}", RM_E_VALUE, "/nodes/0/id", "NUL"},
    {HEAD "{\"id\": \"a\", \"node_type\": \"T\\u0000x\"}]}", RM_E_VALUE, "/nodes/0/node_type", "NUL"},
    {HEAD A "," B "," A "," A "]}", RM_E_DUPLICATE_ID, "/nodes/2/id",
     "Manifest error: Duplicate node ID: a (at /nodes/0/id and /nodes/2/id)"},
    {NODE("\"params\": []"), RM_E_TYPE, "/nodes/0/params", "expected an object, got a list"},
    {"{\"version\": \"v1\", \"metadata\": {\"name\": \"t\", \"author\": {}, \"description\": 1}}", RM_E_TYPE,
     "/metadata/description", "expected a string, got an int"},
    {"{\"version\": \"v1\", \"metadata\": {\"author\": \"a\"}}", RM_E_MISSING_FIELD, "/metadata", "'name'"},
    {HEAD A "], \"runtime\": 1}", RM_E_TYPE, "/runtime", "expected an object, got an int"},
    {HEAD A "], \"runtime\": {\"target\": \"riscv\"}}", RM_E_VALUE, "/runtime/target", "'wasm32-wasi'"},
    {HEAD A "], \"runtime\": {\"min_version\": 1}}", RM_E_TYPE, "/runtime/min_version", "expected a string"},
    {HEAD A "], \"runtime\": {\"features\": [1]}}", RM_E_TYPE, "/runtime/features/0", "expected a string"},
    {HEAD A "], \"runtime\": {\"feature\": []}}", RM_E_UNKNOWN_FIELD, "/runtime/feature",
     "did you mean 'features'?"},
    {NODE("\"param\": {}"), RM_E_UNKNOWN_FIELD, "/nodes/0/param",
     "unknown field 'param' at /nodes/0; did you mean 'params'?"},
    {NODE("\"limits\": {\"cpu\": 1}"), RM_E_UNKNOWN_FIELD, "/nodes/0/limits/cpu", "unknown field 'cpu'"},
    {NODE("\"limits\": {\"fuel\": 0}"), RM_E_VALUE, "/nodes/0/limits/fuel", "from 1"},
    {NODE("\"is_streaming\": \"yes\""), RM_E_TYPE, "/nodes/0/is_streaming", "expected a bool, got a string"},
    {NODE("\"is_output_node\": null"), RM_E_TYPE, "/nodes/0/is_output_node", "got null"},
    {NODE("\"runtime_hint\": \"cpyton\""), RM_E_VALUE, "/nodes/0/runtime_hint", "did you mean 'cpython'?"},
    {NODE("\"host\": 7"), RM_E_TYPE, "/nodes/0/host", "expected a string"},
    {NODE("\"execution\": {\"placement\": \"near\"}"), RM_E_VALUE, "/nodes/0/execution/placement",
     "'local', 'remote', 'prefer_local', 'prefer_remote', 'auto', 'sandbox'"},
    {NODE("\"execution\": {\"where\": \"x\"}"), RM_E_UNKNOWN_FIELD, "/nodes/0/execution/where",
     "unknown field"},
    {NODE("\"python_deps\": [\"a\", 1]"), RM_E_TYPE, "/nodes/0/python_deps/1",
     "expected a string, got an int"},
    {NODE("\"python_deps\": \"a\""), RM_E_TYPE, "/nodes/0/python_deps", "expected a list"},
    {NODE("\"on_error\": \"ignore\""), RM_E_VALUE, "/nodes/0/on_error", "'fail', 'skip', 'collect'"},
    {NODE("\"retry\": {}"), RM_E_MISSING_FIELD, "/nodes/0/retry", "missing field 'attempts'"},
    {NODE("\"retry\": {\"attempts\": -1}"), RM_E_VALUE, "/nodes/0/retry/attempts", "must be from 0"},
    {NODE("\"retry\": {\"attempts\": 1.5}"), RM_E_TYPE, "/nodes/0/retry/attempts",
     "expected an int, got a float"},
    {NODE("\"retry\": {\"attempts\": 99999999999999999999}"), RM_E_VALUE, "/nodes/0/retry/attempts",
     "from 0"},
    {NODE("\"retry\": {\"attempts\": 1, \"backoff_ms\": -5}"), RM_E_VALUE, "/nodes/0/retry/backoff_ms",
     "from 0"},
    {NODE("\"timeout_ms\": -1"), RM_E_VALUE, "/nodes/0/timeout_ms", "from 0"},
    {NODE("\"timeout_ms\": 1e30"), RM_E_VALUE, "/nodes/0/timeout_ms", "from 0"},
    {NODE("\"capabilities\": {\"gpu\": {}}"), RM_E_MISSING_FIELD, "/nodes/0/capabilities/gpu", "'type'"},
    {NODE("\"capabilities\": {\"gpu\": {\"type\": \"tpu\"}}"), RM_E_VALUE, "/nodes/0/capabilities/gpu/type",
     "'cuda', 'rocm'"},
    {NODE("\"capabilities\": {\"cpu\": {\"cores\": 0}}"), RM_E_VALUE, "/nodes/0/capabilities/cpu/cores",
     "from 1"},
    {NODE("\"capabilities\": {\"memory_gb\": -1}"), RM_E_VALUE, "/nodes/0/capabilities/memory_gb",
     "negative"},
    {NODE("\"capabilities\": {\"memory_gb\": 1"
          "00000000000000000000}"),
     RM_E_VALUE, "/nodes/0/capabilities/memory_gb", "range"},
    {NODE("\"capabilities\": {\"memory_gb\": \"8\"}"), RM_E_TYPE, "/nodes/0/capabilities/memory_gb",
     "a number"},
    {HEAD A "], \"connections\": {}}", RM_E_TYPE, "/connections", "expected a list"},
    {HEAD A "], \"connections\": [{\"from\": \"a\"}]}", RM_E_MISSING_FIELD, "/connections/0",
     "missing field 'to'"},
    {HEAD A "], \"connections\": [{\"from\": \"a\", \"to\": 1}]}", RM_E_TYPE, "/connections/0/to",
     "a string"},
    {EDGE(", \"port\": 1"), RM_E_UNKNOWN_FIELD, "/connections/0/port", "unknown field 'port'"},
    {EDGE(", \"queue\": {\"packets\": 0}"), RM_E_VALUE, "/connections/0/queue/packets", "from 1"},
    {EDGE(", \"queue\": {\"bytes\": \"1k\"}"), RM_E_TYPE, "/connections/0/queue/bytes", "expected an int"},
    {HEAD A "], \"python_env\": {\"python_versoin\": \"3\"}}", RM_E_UNKNOWN_FIELD,
     "/python_env/python_versoin", "did you mean 'python_version'?"},
    {"{\"manifest\": 3}", RM_E_TYPE, "", "expected an object, got an int"},
    {"{\"manifest\": " NODE("\"x\": 1") "}", RM_E_UNKNOWN_FIELD, "/nodes/0/x", "unknown field 'x'"},
    {"{\"manifest\": " HEAD A "]}, \"input\": []}", RM_E_UNKNOWN_FIELD, "/input",
     "'input_data' may stand there"},
    {"{\"manifest\": " HEAD A "]}, \"input_data\": 3}", RM_E_TYPE, "/input_data", "expected a list"},
    {"{\"manifest\": " HEAD A "]}, \"input_data\": {\"a\": 3}}", RM_E_TYPE, "/input_data/a",
     "expected a list"},
    {HEAD A "], \"input_data\": []}", RM_E_UNKNOWN_FIELD, "/input_data", "unknown field 'input_data'"},
};

static rm_runtime *new_runtime(const rm_config *config)
{
    rm_runtime *runtime = NULL;
    assert_int_equal(rm_runtime_new(config, &runtime, NULL), RM_OK);
    return runtime;
}

static void refuses_with_code_pointer_and_message(void **state)
{
    (void)state;
    rm_runtime *runtime = new_runtime(NULL);
    for (size_t i = 0; i < COUNT(refusals); i++) {
        const struct refusal *want = &refusals[i];
        rm_manifest *manifest = NULL;
        rm_error err = {0};
        int rc = rm_manifest_parse(runtime, want->text, strlen(want->text), &manifest, &err);
        bool pointer_right =
            want->pointer == NULL || (err.has_pointer && strcmp(err.pointer, want->pointer) == 0);
        if (rc != want->code || err.code != rc || manifest != NULL || !pointer_right ||
            strstr(err.message, want->message) == NULL || strncmp(err.message, "Manifest error: ", 16) != 0)
            fail_msg("%s\n got %s at '%s': %s", want->text, rm_code_name(rc), err.pointer, err.message);
        rm_error_clear(&err);
    }
    rm_runtime_free(runtime);
}

static const char full[] =
    "{\"manifest\": {\"version\": \"v1\", \"metadata\": {\"name\": \"t\", \"description\": null, "
    "\"created_at\": \"2024-01-01\", \"author\": \"A\", \"auto_negotiate\": true, \"tags\": [1, {\"a\": null}]}, "
    "\"nodes\": ["
    "{\"id\": \"a\", \"node_type\": \"T\", \"params\": {\"x\": 1}, \"is_streaming\": true, "
    "\"is_output_node\": true, \"capabilities\": {\"gpu\": {\"type\": \"any\", \"required\": false}, "
    "\"cpu\": {\"cores\": 2}, "
    "\"memory_gb\": 0.5}, \"host\": null, \"runtime_hint\": \"rust_python\", "
    "\"execution\": {\"placement\": \"prefer_local\", "
    "\"reason\": \"r\", \"fallback\": \"b\"}, \"fast_path\": true, \"python_deps\": [\"p\"], "
    "\"media_capabilities\": {\"x\": 1}, \"on_error\": \"collect\", "
    "\"retry\": {\"attempts\": 2, \"backoff_ms\": 10.0}, \"timeout_ms\": 7},"
    "{\"node_type\": \"U\", \"id\": \"b\", \"params\": null, \"capabilities\": null, \"runtime_hint\": null, "
    "\"execution\": null, \"fast_path\": true, \"python_deps\": []}],"
    "\"connections\": [{\"from\": \"a.left\", \"to\": \"b\", \"queue\": {\"packets\": 3, \"bytes\": 4096}}],"
    "\"python_env\": {\"python_version\": \"3.12\", \"scope\": \"global\", \"extra_deps\": []}, "
    "\"runtime\": {\"target\": \"wasm32-wasi\", \"min_version\": \"0.1.0\", \"features\": [\"python\", \"x\"]}}, "
    "\"input_data\": {\"a\": [1, 2]}}";

/* Counts warnings and keeps their texts. */
struct warnings {
    size_t count;
    char text[2048];
};

static void collect(void *context, rm_log_level level, const char *node, const char *text)
{
    struct warnings *warnings = context;
    size_t used = strlen(warnings->text);
    assert_int_equal(level, RM_LOG_WARNING);
    warnings->count++;
    (void)snprintf(warnings->text + used, sizeof warnings->text - used, "[%s] %s\n", node != NULL ? node : "",
                   text);
}

static void reads_every_field(void **state)
{
    (void)state;
    struct warnings warnings = {0};
    rm_runtime *runtime =
        new_runtime(&(rm_config){.size = sizeof(rm_config), .log = collect, .log_context = &warnings});
    rm_manifest *manifest = NULL;
    rm_error err = {0};
    if (rm_manifest_parse(runtime, full, strlen(full), &manifest, &err) != RM_OK)
        fail_msg("%s", err.message);
    const rmi_manifest_node *a = &manifest->nodes[0], *b = &manifest->nodes[1];
    assert_string_equal(manifest->name, "t");
    assert_null(manifest->description);
    assert_int_equal(manifest->node_count, 2);
    assert_string_equal(a->id, "a");
    assert_string_equal(a->node_type, "T");
    assert_string_equal(a->runtime_hint, "rust_python");
    assert_int_equal(yyjson_obj_size(a->params), 1);
    assert_true(a->is_streaming && a->is_output_node);
    assert_non_null(a->capabilities);
    assert_null(a->host);
    assert_int_equal(a->placement, RMI_PLACE_PREFER_LOCAL);
    assert_string_equal(a->fallback, "b");
    assert_int_equal(a->on_error, RMI_ON_ERROR_COLLECT);
    assert_int_equal(a->retry_attempts, 2);
    assert_int_equal(a->retry_backoff_ms, 10);
    assert_int_equal(a->timeout_ms, 7);
    assert_string_equal(b->id, "b");
    assert_null(b->params);
    assert_int_equal(yyjson_arr_size(manifest->features), 2);
    assert_string_equal(b->runtime_hint, "auto");
    assert_int_equal(b->placement, RMI_PLACE_AUTO);
    assert_null(b->capabilities);
    assert_false(b->is_streaming || b->is_output_node);
    assert_string_equal(manifest->connections[0].from, "a");
    assert_string_equal(manifest->connections[0].from_port, "left");
    assert_string_equal(manifest->connections[0].to, "b");
    assert_null(manifest->connections[0].to_port);
    assert_int_equal(manifest->connections[0].queue_packets, 3);
    assert_int_equal(manifest->connections[0].queue_bytes, 4096);
    rm_value items = rm_null();
    assert_true(rm_map_get(rm_manifest_input(manifest), "a", 1, &items));
    assert_int_equal(rm_list_length(items), 2);
    /* auto_negotiate, fast_path (of two nodes), python_deps, media_capabilities, python_env */
    assert_int_equal(warnings.count, 5);
    assert_non_null(
        strstr(warnings.text, "[a] 'fast_path' has no effect in this build (node 'a' and 1 more)\n"));
    rm_manifest_free(manifest);
    rm_runtime_free(runtime);
}

static void names_have_1_to_255_characters(void **state)
{
    (void)state;
    rm_runtime *runtime = new_runtime(NULL);
    for (size_t count = 255; count <= 256; count++) {
        char text[1024] = "{\"version\": \"v1\", \"metadata\": {\"name\": \"";
        for (size_t i = 0; i < count; i++)
            (void)snprintf(text + strlen(text), 3, "\xC3\xA4"); /* two bytes, one character */
        (void)snprintf(text + strlen(text), 100, "\"}, \"nodes\": [" A "]}");
        rm_manifest *manifest = NULL;
        assert_int_equal(rm_manifest_parse(runtime, text, strlen(text), &manifest, NULL),
                         count <= 255 ? RM_OK : RM_E_VALUE);
        rm_manifest_free(manifest);
    }
    rm_runtime_free(runtime);
}

static void refuses_more_than_64_mib(void **state)
{
    (void)state;
    rm_runtime *runtime = new_runtime(NULL);
    rm_manifest *manifest = NULL;
    rm_error err = {0};
    assert_int_equal(rm_manifest_parse(runtime, "{", ((size_t)64 << 20) + 1, &manifest, &err), RM_E_LIMIT);
    assert_non_null(strstr(err.message, "64 MiB"));
    rm_runtime_free(runtime);
}

static void overrides_parameters_of_nodes_that_exist(void **state)
{
    (void)state;
    rm_runtime *runtime = new_runtime(NULL);
    rm_manifest *manifest = NULL;
    rm_error err = {0};
    const char text[] = HEAD "{\"id\": \"gain\", \"node_type\": \"T\"}]}";
    assert_int_equal(rm_manifest_parse(runtime, text, strlen(text), &manifest, NULL), RM_OK);
    assert_int_equal(rm_manifest_set_param(manifest, "gian", "x", rm_int(1), &err), RM_E_UNKNOWN_NODE);
    assert_non_null(strstr(err.message, "did you mean 'gain'?"));
    assert_int_equal(rm_manifest_set_param(manifest, "gain", "x", rm_int(1), &err), RM_OK);
    assert_int_equal(rm_manifest_set_param(manifest, "gain", "y", rm_int(2), &err), RM_OK);
    assert_int_equal(rm_manifest_set_param(manifest, "gain", "x", rm_int(3), &err), RM_OK);
    const rmi_manifest_override *first = manifest->nodes[0].overrides;
    assert_string_equal(first->name, "x");
    assert_int_equal(first->value.i, 3);
    assert_string_equal(first->next->name, "y");
    assert_null(first->next->next);
    rm_manifest_free(manifest);
    rm_runtime_free(runtime);
}

static void reads_marked_input_raw_when_asked(void **state)
{
    (void)state;
    static const char text[] =
        "{\"manifest\": " HEAD A "]}, \"input_data\": [{\"__numpy__\": true, \"array\": "
        "{\"meta\": {\"shape\": [3], \"dtype\": \"float32\"}, \"data\": \"AACAPw==\"}}]}";
    rm_runtime *runtime = new_runtime(NULL);
    rm_manifest *manifest = NULL;
    rm_error err = {0};
    assert_true(rm_manifest_parse(runtime, text, strlen(text), &manifest, &err) < 0);
    assert_true(strncmp(err.pointer, "/input_data/0", strlen("/input_data/0")) == 0);
    assert_int_equal(
        rm_manifest_parse_with(runtime, text, strlen(text), "/etc/m.json", RM_JSON_RAW, &manifest, NULL),
        RM_OK);
    assert_int_equal(rm_list_get(rm_manifest_input(manifest), 0).kind, RM_MAP);
    assert_string_equal(manifest->directory, "/etc");
    rm_manifest_free(manifest);
    rm_error_clear(&err);
    rm_runtime_free(runtime);
}

static void loads_files_and_remembers_the_folder(void **state)
{
    (void)state;
    char path[] = "/tmp/rm-manifest-XXXXXX";
    rm_runtime *runtime = new_runtime(NULL);
    rm_manifest *manifest = NULL;
    rm_error err = {0};
    int file = mkstemp(path);
    FILE *out = fdopen(file, "w");
    assert_non_null(out);
    assert_true(fputs(HEAD A "]}", out) >= 0);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(rm_manifest_load(runtime, path, &manifest, &err), RM_OK);
    assert_string_equal(manifest->directory, "/tmp");
    rm_manifest_free(manifest);
    assert_int_equal(remove(path), 0);
    assert_int_equal(rm_manifest_load(runtime, path, &manifest, &err), RM_E_NOT_FOUND);
    assert_null(manifest);
    assert_non_null(strstr(err.message, path));
    rm_error_clear(&err);
    rm_runtime_free(runtime);
}

/* With each allocation failing in turn: out of memory and no leak, or the usual result. */
static void survives_every_failed_allocation(void **state)
{
    (void)state;
    for (size_t i = 0; i <= COUNT(refusals); i++) {
        const char *text = i < COUNT(refusals) ? refusals[i].text : full;
        int want = i < COUNT(refusals) ? refusals[i].code : RM_OK;
        for (size_t nth = 1, faults = 1; faults != 0; nth++) {
            rmt_heap heap;
            rmt_heap_init(&heap, 0);
            rm_runtime *runtime =
                new_runtime(&(rm_config){.size = sizeof(rm_config), .allocator = &heap.allocator});
            rm_manifest *manifest = NULL;
            rm_error err = {0};
            heap.fail_at = heap.calls + nth;
            int rc = rm_manifest_parse(runtime, text, strlen(text), &manifest, &err);
            faults = heap.faults;
            if (rc != (faults != 0 ? RM_E_OUT_OF_MEMORY : want) || err.code != (rc == RM_OK ? 0 : rc))
                fail_msg("%s\n allocation %zu: %s %s", text, nth, rm_code_name(rc), err.message);
            rm_error_clear(&err);
            rm_manifest_free(manifest);
            rm_runtime_free(runtime);
            assert_int_equal(heap.live_blocks, 0);
            assert_int_equal(heap.mistakes, 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_with_code_pointer_and_message),
        cmocka_unit_test(reads_every_field),
        cmocka_unit_test(names_have_1_to_255_characters),
        cmocka_unit_test(refuses_more_than_64_mib),
        cmocka_unit_test(overrides_parameters_of_nodes_that_exist),
        cmocka_unit_test(reads_marked_input_raw_when_asked),
        cmocka_unit_test(loads_files_and_remembers_the_folder),
        cmocka_unit_test(survives_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
