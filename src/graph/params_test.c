/* The parameters in a node's state: defaults, given values, overrides. */
#include "base/alloc.h"
#include "graph/test_types.h"

/* A graph of one node "a", its state and the owners of the state's memory. */
struct filled {
    rm_runtime *runtime;
    rm_manifest *manifest;
    rmi_graph graph;
    rmi_arena arena;
    struct tuned state;
    rm_value params;
};

static void start(struct filled *f, const rm_allocator *allocator, const char *text)
{
    *f = (struct filled){.runtime = test_runtime(allocator)};
    f->manifest = test_manifest(f->runtime, text);
    rmi_arena_init(&f->arena, allocator);
}

static int fill(struct filled *f, rm_error *err)
{
    int rc = rmi_graph_build(f->manifest, &f->graph, err);
    if (rc == RM_OK)
        rc = rmi_params_fill(&f->graph, 0, &f->state, &f->arena, &f->params, err);
    return rc;
}

static void end(struct filled *f)
{
    rm_value_clear(&f->params);
    rmi_arena_free(&f->arena);
    rmi_graph_free(&f->graph);
    rm_manifest_free(f->manifest);
    rm_runtime_free(f->runtime);
}

static bool is_json(rm_value value, const char *json)
{
    rm_value wanted = rm_null();
    assert_int_equal(rm_json_parse(NULL, json, strlen(json), 0, &wanted, NULL), RM_OK);
    bool same = rm_value_equal(value, wanted);
    rm_value_clear(&wanted);
    return same;
}

static void fills_defaults(void **state)
{
    (void)state;
    struct filled f;
    start(&f, NULL, HEAD NODE("a", "TestTuned") END);
    assert_int_equal(fill(&f, NULL), RM_OK);
    assert_true(f.state.loud);
    assert_int_equal(f.state.count, 3);
    assert_int_equal(f.state.any_int, 7);
    assert_true(f.state.gain == 0.5 && f.state.any_float == 2);
    assert_string_equal(f.state.name, "nobody");
    assert_int_equal(f.state.mode, 1);
    assert_true(is_json(f.state.number, "2"));
    assert_int_equal(f.state.value.kind, RM_NULL);
    assert_true(is_json(f.state.list, "[1, \"two\"]"));
    end(&f);
}

static const char given_text[] = WITH(
    "TestTuned", "{\"loud\": false, \"count\": 10.0, \"any_int\": -9223372036854775808, \"gain\": -1, "
                 "\"any_float\": 123456789012345678901234567890, \"name\": \"\xC3\xA4\", \"mode\": \"add\", "
                 "\"number\": 123456789012345678901234567890, \"value\": {\"k\": [1]}, \"list\": 1.5}");

static void fills_given_values(void **state)
{
    (void)state;
    struct filled f;
    start(&f, NULL, given_text);
    assert_int_equal(fill(&f, NULL), RM_OK);
    assert_false(f.state.loud);
    assert_int_equal(f.state.count, 10);
    assert_true(f.state.any_int == INT64_MIN);
    assert_true(f.state.gain == -1 && f.state.any_float == 123456789012345678901234567890.0);
    assert_string_equal(f.state.name, "\xC3\xA4");
    assert_int_equal(f.state.mode, 0);
    assert_true(is_json(f.state.number, "123456789012345678901234567890"));
    assert_true(is_json(f.state.value, "{\"k\": [1]}"));
    assert_true(is_json(f.state.list, "1.5"));
    assert_int_equal(rm_map_length(f.params), 10);
    end(&f);
}

static void overrides_win(void **state)
{
    (void)state;
    struct filled f;
    rm_value text = rm_null(), list = rm_null(), seen = rm_null();
    start(&f, NULL, WITH("TestTuned", "{\"gain\": \"wrong, but replaced\", \"count\": 2}"));
    assert_int_equal(rm_string_new(NULL, "me", 2, &text, NULL), RM_OK);
    assert_int_equal(rm_list_new(NULL, 0, &list, NULL), RM_OK);
    assert_int_equal(rm_manifest_set_param(f.manifest, "a", "gain", rm_int(1), NULL), RM_OK);
    assert_int_equal(rm_manifest_set_param(f.manifest, "a", "name", text, NULL), RM_OK);
    assert_int_equal(rm_manifest_set_param(f.manifest, "a", "list", list, NULL), RM_OK);
    assert_int_equal(fill(&f, NULL), RM_OK);
    /* a later override does not free the text in the state */
    assert_int_equal(rm_manifest_set_param(f.manifest, "a", "name", rm_null(), NULL), RM_OK);
    assert_true(f.state.gain == 1.0);
    assert_int_equal(f.state.count, 2);
    assert_string_equal(f.state.name, "me");
    assert_true(is_json(f.state.list, "[]"));
    assert_true(rm_map_get(f.params, "gain", 4, &seen) && seen.kind == RM_INT);
    end(&f);
}

static void overrides_are_checked(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        rm_value value;
        int code;
        const char *pointer, *message;
    } cases[] = {
        {"gian",
         {.kind = RM_INT, .i = 1},
         RM_E_UNKNOWN_PARAMETER,
         "/nodes/0/params/gian",
         "did you mean 'gain'?"},
        {"gain",
         {.kind = RM_FLOAT, .f = 2},
         RM_E_VALUE,
         "/nodes/0/params/gain",
         "must be from -1 to 1, got 2"},
        {"gain",
         {.kind = RM_BOOL, .bits = 1},
         RM_E_TYPE,
         "/nodes/0/params/gain",
         "expected a number, got a bool"},
        {"count", {.kind = RM_NULL}, RM_E_TYPE, "/nodes/0/params/count", "expected an int, got null"},
        {"any_int", {.kind = RM_FLOAT, .f = 0.5}, RM_E_TYPE, "/nodes/0/params/any_int", "got a float"},
        {"any_float",
         {.kind = RM_FLOAT, .f = __builtin_inf()},
         RM_E_VALUE,
         "/nodes/0/params/any_float",
         "finite"},
        {"number",
         {.kind = RM_FLOAT, .f = __builtin_nan("")},
         RM_E_VALUE,
         "/nodes/0/params/number",
         "finite"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct filled f;
        rm_error err = {0};
        start(&f, NULL, HEAD NODE("a", "TestTuned") END);
        assert_int_equal(rm_manifest_set_param(f.manifest, "a", cases[i].name, cases[i].value, NULL), RM_OK);
        assert_int_equal(rm_manifest_validate(f.manifest, &err), cases[i].code);
        assert_string_equal(err.pointer, cases[i].pointer);
        if (strstr(err.message, cases[i].message) == NULL)
            fail_msg("%s", err.message);
        end(&f);
    }
}

static void gives_any_parameters_as_a_map(void **state)
{
    (void)state;
    struct filled f;
    start(&f, NULL, WITH("TestAny", "{\"x\": [1], \"y\": 2}"));
    assert_int_equal(rm_manifest_set_param(f.manifest, "a", "y", rm_int(3), NULL), RM_OK);
    assert_int_equal(fill(&f, NULL), RM_OK);
    assert_true(is_json(f.params, "{\"x\": [1], \"y\": 3}"));
    end(&f);
    start(&f, NULL, HEAD NODE("a", "TestAny") END);
    assert_int_equal(fill(&f, NULL), RM_OK);
    assert_int_equal(f.params.kind, RM_NULL);
    end(&f);
}

static void survives_every_failed_allocation(void **state)
{
    (void)state;
    for (size_t nth = 1, faults = 1; faults != 0; nth++) {
        struct filled f;
        rmt_heap heap;
        rm_error err = {0};
        rm_value text = rm_null();
        rmt_heap_init(&heap, 0);
        start(&f, &heap.allocator, given_text);
        assert_int_equal(rm_string_new(&heap.allocator, "me", 2, &text, NULL), RM_OK);
        assert_int_equal(rm_manifest_set_param(f.manifest, "a", "name", text, NULL), RM_OK);
        heap.fail_at = heap.calls + nth;
        int rc = fill(&f, &err);
        faults = heap.faults;
        assert_int_equal(rc, faults != 0 ? RM_E_OUT_OF_MEMORY : RM_OK);
        assert_int_equal(err.code, rc);
        end(&f);
        assert_int_equal(heap.live_blocks, 0);
        assert_int_equal(heap.mistakes, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fills_defaults),
        cmocka_unit_test(fills_given_values),
        cmocka_unit_test(overrides_win),
        cmocka_unit_test(overrides_are_checked),
        cmocka_unit_test(gives_any_parameters_as_a_map),
        cmocka_unit_test(survives_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
