/* A runtime's types, logs and features, and the documents made from them. */
#include <dlfcn.h>

#include "graph/test_types.h"

static void finds_types_by_name_and_alias(void **state)
{
    (void)state;
    rm_runtime *runtime = test_runtime(NULL);
    assert_ptr_equal(rm_runtime_find_type(runtime, "TestPass"), &test_pass);
    assert_ptr_equal(rm_runtime_find_type(runtime, "TestThrough"), &test_pass);
    assert_ptr_equal(rm_runtime_find_type(runtime, "TestText"), &test_text);
    assert_null(rm_runtime_find_type(runtime, "testpass"));
    assert_null(rm_runtime_find_type(runtime, ""));
    size_t count = 0;
    while (rm_runtime_type_at(runtime, count) != NULL)
        count++;
    assert_int_equal(count, runtime->type_count);
    rm_runtime_free(runtime);
}

static void refuses_types_that_are_wrong(void **state)
{
    (void)state;
    static const char *const taken[] = {"TestNew", "TestText", NULL};
    static const rm_port bad_ports[] = {
        {.name = "in", .direction = RM_INPUT, .variadic = true}, {.name = "b", .direction = RM_INPUT}, {0}};
    static const struct {
        rm_node_type type;
        int code;
        const char *message;
    } cases[] = {
        {{TYPE, .name = "TestPass"}, RM_E_DUPLICATE_ID, "node type 'TestPass' is there already"},
        {{TYPE, .name = "TestThrough"}, RM_E_DUPLICATE_ID, "as an alias of TestPass"},
        {{TYPE, .name = "TestOther", .aliases = taken}, RM_E_DUPLICATE_ID, "'TestText' is there already"},
        {{TYPE, .name = ""}, RM_E_USAGE, "it has no name"},
        {{.abi_version = 99, .size = sizeof(rm_node_type), .name = "X"},
         RM_E_UNSUPPORTED_VERSION,
         "version 99"},
        {{.abi_version = RM_NODE_ABI_VERSION, .size = 8, .name = "X"}, RM_E_UNSUPPORTED_VERSION, "8 bytes"},
        {{.abi_version = RM_NODE_ABI_VERSION, .size = sizeof(rm_node_type), .name = "X"},
         RM_E_USAGE,
         "neither"},
        {{TYPE, .name = "X", .params = needed_param}, RM_E_USAGE, "outside the state"},
        {{TYPE, .name = "X", .ports = bad_ports}, RM_E_USAGE, "variadic input is not the last"},
    };
    rm_runtime *runtime = test_runtime(NULL);
    const size_t types = runtime->type_count, names = runtime->name_count;
    for (size_t i = 0; i < COUNT(cases); i++) {
        rm_error err = {0};
        int rc = rm_runtime_add_type(runtime, &cases[i].type, &err);
        if (rc != cases[i].code || strstr(err.message, cases[i].message) == NULL)
            fail_msg("%zu: %s %s", i, rm_code_name(rc), err.message);
        assert_int_equal(runtime->type_count, types);
        assert_int_equal(runtime->name_count, names);
    }
    /* all or none: the first one was good */
    const rm_node_type fresh = {TYPE, .name = "TestFresh"};
    const rm_node_type *const two[] = {&fresh, &cases[0].type, NULL};
    assert_int_equal(rmi_runtime_add_types(runtime, two, "plug-in x.so", NULL), RM_E_DUPLICATE_ID);
    assert_null(rm_runtime_find_type(runtime, "TestFresh"));
    assert_int_equal(rm_runtime_add_type(runtime, &fresh, NULL), RM_OK);
    assert_ptr_equal(rm_runtime_find_type(runtime, "TestFresh"), &fresh);
    rm_runtime_free(runtime);
}

static void names_the_plugin_that_cannot_be_loaded(void **state)
{
    (void)state;
    rm_runtime *runtime = test_runtime(NULL);
    rm_error err = {0};
    assert_true(rm_runtime_load_plugin(runtime, "/nowhere/no-plugin.so", &err) < 0);
    assert_non_null(strstr(err.message, "/nowhere/no-plugin.so"));
    /* a shared object, but no plug-in: the test library itself */
    Dl_info library = {0};
    assert_int_not_equal(dladdr(dlsym(RTLD_DEFAULT, "_cmocka_run_group_tests"), &library), 0);
    assert_int_equal(rm_runtime_load_plugin(runtime, library.dli_fname, &err), RM_E_UNSUPPORTED_VERSION);
    assert_non_null(strstr(err.message, library.dli_fname));
    assert_non_null(strstr(err.message, "it does not export " RM_PLUGIN_ENTRY));
    assert_int_equal(runtime->plugin_count, 0);
    rm_error_clear(&err);
    rm_runtime_free(runtime);
}

static void keep(void *context, rm_log_level level, const char *node, const char *text)
{
    assert_int_equal(level, RM_LOG_INFO);
    assert_string_equal(node, "n");
    *(size_t *)context = strlen(text);
}

static void logs_texts_of_any_length(void **state)
{
    (void)state;
    size_t length = 0;
    rm_runtime *runtime = NULL;
    const rm_config config = {.size = sizeof config, .log = keep, .log_context = &length};
    assert_int_equal(rm_runtime_new(&config, &runtime, NULL), RM_OK);
    rm_runtime_log(runtime, RM_LOG_INFO, "n", "%s", "short");
    assert_int_equal(length, 5);
    rm_runtime_log(runtime, RM_LOG_INFO, "n", "%5000d", 1);
    assert_int_equal(length, 5000);
    rm_runtime_free(runtime);
    assert_int_equal(rm_runtime_new(&(rm_config){.size = 1}, &runtime, NULL), RM_E_UNSUPPORTED_VERSION);
}

static rm_value get(rm_value map, const char *key)
{
    rm_value item = rm_null();
    if (!rm_map_get(map, key, strlen(key), &item))
        fail_msg("no '%s'", key);
    return item;
}

static void assert_json(rm_value value, const char *json)
{
    char *text = NULL;
    size_t length = 0;
    assert_int_equal(rm_json_write(NULL, value, 0, &text, &length, NULL, NULL), RM_OK);
    if (strcmp(text, json) != 0)
        fail_msg("%s\nis not\n%s", text, json);
    rm_text_free(NULL, text, length);
}

static void describes_types(void **state)
{
    (void)state;
    static const struct {
        const rm_node_type *type;
        const char *json;
    } cases[] = {
        {&test_needs,
         "{\"name\":\"TestNeeds\",\"aliases\":[],\"params\":[{\"name\":\"path\",\"type\":\"string\","
         "\"text\":\"The file\",\"required\":true,\"path\":true}],\"ports\":[{\"name\":\"in\","
         "\"direction\":\"input\",\"kinds\":[\"null\",\"bool\",\"int\",\"float\",\"string\",\"bytes\","
         "\"list\",\"map\",\"tensor\"],\"optional\":false,\"variadic\":false},{\"name\":\"out\","
         "\"direction\":\"output\",\"kinds\":[\"null\",\"bool\",\"int\",\"float\",\"string\",\"bytes\","
         "\"list\",\"map\",\"tensor\"]}]}"},
        {&test_generator,
         "{\"name\":\"TestGenerator\",\"aliases\":[],\"params\":[],\"ports\":[{\"name\":\"out\","
         "\"direction\":\"output\",\"kinds\":[\"audio\"],\"format\":{\"sample_rate\":16000}}]}"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        rm_value value = rm_null();
        assert_int_equal(rm_node_type_describe(NULL, cases[i].type, &value, NULL), RM_OK);
        assert_json(value, cases[i].json);
        rm_value_clear(&value);
    }
    rm_value value = rm_null();
    assert_int_equal(rm_node_type_describe(NULL, &test_tuned, &value, NULL), RM_OK);
    rm_value params = get(value, "params");
    assert_json(rm_list_get(params, 1),
                "{\"name\":\"count\",\"type\":\"int\",\"required\":false,\"default\":3,"
                "\"min\":1,\"max\":10}");
    assert_json(rm_list_get(params, 6), "{\"name\":\"mode\",\"type\":\"enum\",\"required\":false,\"default\":"
                                        "\"subtract\",\"choices\":[\"add\",\"subtract\"]}");
    rm_value_clear(&value);
}

/* A resolver that describes one type, "Elsewhere". */
static int resolve_nothing(void *context, const rm_node_query *query, const rm_node_type **type, void **data,
                           const char **looked, rm_error *err)
{
    (void)context, (void)query, (void)type, (void)data, (void)looked, (void)err;
    return RM_DONE;
}

static int describe_one(void *context, const char *name, rm_value *list, rm_error *err)
{
    rm_value map = rm_null(), text = rm_null();
    (void)context;
    if (name != NULL && strcmp(name, "Elsewhere") != 0)
        return RM_OK;
    int rc = rm_map_new(NULL, 0, &map, err);
    if (rc == RM_OK)
        rc = rm_string_new(NULL, "Elsewhere", 9, &text, err);
    if (rc == RM_OK)
        rc = rm_map_set(&map, "name", 4, text, err);
    return rc == RM_OK ? rm_list_append(list, map, err) : rc;
}

static void lists_types_and_finds_one(void **state)
{
    (void)state;
    rm_runtime *runtime = test_runtime(NULL);
    const rm_resolver resolver = {
        .size = sizeof resolver, .resolve = resolve_nothing, .describe = describe_one};
    rm_value list = rm_null();
    rm_error err = {0};
    assert_int_equal(rm_runtime_add_resolver(runtime, &resolver, NULL), RM_OK);
    assert_int_equal(rm_list_new(NULL, 0, &list, NULL), RM_OK);
    assert_int_equal(rm_runtime_describe_nodes(runtime, NULL, &list, NULL), RM_OK);
    assert_int_equal(rm_list_length(list), runtime->type_count + 1);
    rm_value_clear(&list);

    assert_int_equal(rm_list_new(NULL, 0, &list, NULL), RM_OK);
    assert_int_equal(rm_runtime_describe_nodes(runtime, "TestThrough", &list, NULL), RM_OK);
    assert_int_equal(rm_list_length(list), 1);
    assert_string_equal(rm_string_text(get(rm_list_get(list, 0), "name"), NULL), "TestPass");
    assert_string_equal(rm_string_text(get(rm_list_get(list, 0), "kind"), NULL), "native");
    assert_int_equal(rm_runtime_describe_nodes(runtime, "Elsewhere", &list, NULL), RM_OK);
    assert_int_equal(rm_list_length(list), 2);
    assert_int_equal(rm_runtime_describe_nodes(runtime, "Elswhere", &list, &err), RM_E_UNKNOWN_NODE_TYPE);
    assert_non_null(strstr(err.message, "did you mean 'Elsewhere'?"));
    assert_int_equal(rm_runtime_describe_nodes(runtime, "TestPas", &list, &err), RM_E_UNKNOWN_NODE_TYPE);
    assert_non_null(strstr(err.message, "did you mean 'TestPass'?"));
    rm_error_clear(&err);
    rm_value_clear(&list);
    rm_runtime_free(runtime);
}

static void makes_a_schema_from_the_tables(void **state)
{
    (void)state;
    rm_runtime *runtime = test_runtime(NULL);
    rm_value schema = rm_null(), rule = rm_null();
    assert_int_equal(rm_runtime_schema(runtime, &schema, NULL), RM_OK);
    rm_value node = get(get(schema, "$defs"), "node"), rules = get(node, "allOf");
    assert_json(get(get(node, "properties"), "id"),
                "{\"type\":\"string\",\"minLength\":1,\"pattern\":\"^[a-zA-Z0-9_-]+$\","
                "\"description\":\"Names the node: in connections, results and errors\"}");
    assert_json(
        get(get(node, "properties"), "runtime_hint"),
        "{\"type\":[\"string\",\"null\"],\"enum\":[\"auto\",\"cpython\",\"cpython_wasm\","
        "\"rust_python\",null],\"description\":\"cpython, rust_python: the Python class, also where a "
        "native node has the name; cpython_wasm: that, in a sandbox\"}");
    assert_json(get(node, "required"), "[\"id\",\"node_type\"]");
    assert_json(get(node, "additionalProperties"), "false");
    assert_int_equal(rm_list_length(rules), runtime->type_count);
    for (size_t i = 0; i < rm_list_length(rules); i++) {
        rm_value names = get(get(get(get(rm_list_get(rules, i), "if"), "properties"), "node_type"), "enum");
        if (strcmp(rm_string_text(rm_list_get(names, 0), NULL), "TestNeeds") == 0)
            rule = get(rm_list_get(rules, i), "then");
    }
    assert_json(
        rule,
        "{\"properties\":{\"params\":{\"type\":\"object\",\"properties\":{\"path\":{\"type\":\"string\","
        "\"description\":\"The file\"}},\"required\":[\"path\"],\"additionalProperties\":false}},"
        "\"required\":[\"params\"]}");
    rm_value_clear(&schema);
    rm_runtime_free(runtime);
}

static void tells_version_and_features(void **state)
{
    (void)state;
    rm_runtime *runtime = test_runtime(NULL);
    rm_value info = rm_null();
    assert_int_equal(rm_version_info(runtime, &info, NULL), RM_OK);
    assert_string_equal(rm_string_text(get(info, "version"), NULL), rm_version());
    for (const rmi_feature *feature = rmi_features; feature->name != NULL; feature++) {
        assert_int_equal(get(get(info, "features"), feature->name).b, feature->available);
        assert_int_equal(rmi_feature_available(feature->name), feature->available);
    }
    assert_false(rmi_feature_available("RM_NOTHING"));
    rm_value_clear(&info);
    rm_runtime_free(runtime);
}

/* Runtime, documents and all with each allocation failing in turn. */
static void survives_every_failed_allocation(void **state)
{
    (void)state;
    for (int what = 0; what < 4; what++) {
        for (size_t nth = 1, faults = 1; faults != 0; nth++) {
            rmt_heap heap;
            rm_runtime *runtime = NULL;
            rm_value out = rm_null();
            rm_error err = {0};
            rmt_heap_init(&heap, nth);
            const rm_config config = {.size = sizeof config, .allocator = &heap.allocator};
            int rc = rm_runtime_new(&config, &runtime, &err);
            if (rc == RM_OK)
                rc = rmi_runtime_add_types(runtime, test_types, NULL, &err);
            if (rc == RM_OK && what == 0)
                rc = rm_version_info(runtime, &out, &err);
            if (rc == RM_OK && what == 1)
                rc = rm_runtime_schema(runtime, &out, &err);
            if (rc == RM_OK && what == 2)
                rc = rm_node_type_describe(&heap.allocator, &test_tuned, &out, &err);
            if (rc == RM_OK && what == 3)
                rc = rm_runtime_add_resolver(
                    runtime, &(rm_resolver){.size = sizeof(rm_resolver), .resolve = resolve_nothing}, &err);
            faults = heap.faults;
            assert_int_equal(rc, faults != 0 ? RM_E_OUT_OF_MEMORY : RM_OK);
            rm_value_clear(&out);
            rm_runtime_free(runtime);
            rm_error_clear(&err);
            assert_int_equal(heap.live_blocks, 0);
            assert_int_equal(heap.mistakes, 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_types_by_name_and_alias),
        cmocka_unit_test(refuses_types_that_are_wrong),
        cmocka_unit_test(names_the_plugin_that_cannot_be_loaded),
        cmocka_unit_test(logs_texts_of_any_length),
        cmocka_unit_test(describes_types),
        cmocka_unit_test(lists_types_and_finds_one),
        cmocka_unit_test(makes_a_schema_from_the_tables),
        cmocka_unit_test(tells_version_and_features),
        cmocka_unit_test(survives_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
