/* Node types for the tests of this folder: only described, never run. */
#ifndef GRAPH_TEST_TYPES_H
#define GRAPH_TEST_TYPES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "graph/build.h"
#include "tests/support/heap.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

struct tuned {
    bool loud;
    int64_t count, any_int;
    double gain, any_float;
    const char *name;
    int mode;
    rm_value number, value, list;
};

static const char *const tuned_modes[] = {"add", "subtract", NULL};
static const rm_param tuned_params[] = {
    {.name = "loud",
     .text = "Loud",
     .type = RM_PARAM_BOOL,
     .offset = offsetof(struct tuned, loud),
     .flag = {true}},
    {.name = "count", .type = RM_PARAM_INT64, .offset = offsetof(struct tuned, count), .i64 = {3, 1, 10}},
    {.name = "any_int", .type = RM_PARAM_INT64, .offset = offsetof(struct tuned, any_int), .i64 = {7, 0, 0}},
    {.name = "gain", .type = RM_PARAM_FLOAT64, .offset = offsetof(struct tuned, gain), .f64 = {0.5, -1, 1}},
    {.name = "any_float",
     .type = RM_PARAM_FLOAT64,
     .offset = offsetof(struct tuned, any_float),
     .f64 = {2, 0, 0}},
    {.name = "name",
     .type = RM_PARAM_STRING,
     .offset = offsetof(struct tuned, name),
     .text_value = {"nobody"}},
    {.name = "mode",
     .type = RM_PARAM_ENUM,
     .offset = offsetof(struct tuned, mode),
     .choice = {tuned_modes, 1}},
    {.name = "number", .type = RM_PARAM_NUMBER, .offset = offsetof(struct tuned, number), .value = {"2"}},
    {.name = "value", .type = RM_PARAM_VALUE, .offset = offsetof(struct tuned, value), .value = {NULL}},
    {.name = "list",
     .type = RM_PARAM_VALUE,
     .offset = offsetof(struct tuned, list),
     .value = {"[1, \"two\"]"}},
    {0},
};

static const rm_param one_param[] = {{.name = "factor", .type = RM_PARAM_NUMBER, .value = {"2"}}, {0}};
static const rm_param needed_param[] = {
    {.name = "path", .text = "The file", .type = RM_PARAM_STRING, .flags = RM_PARAM_REQUIRED | RM_PARAM_PATH},
    {0},
};

static const rm_port generator_ports[] = {
    {.name = "out", .direction = RM_OUTPUT, .kinds = RM_KIND_AUDIO, .format = {.sample_rate = 16000}},
    {0},
};
static const rm_port mixer_ports[] = {
    {.name = "main", .direction = RM_INPUT, .kinds = RM_KIND_PLAIN},
    {.name = "side", .direction = RM_INPUT, .kinds = RM_KIND_PLAIN, .optional = true},
    {.name = "more", .direction = RM_INPUT, .kinds = RM_KIND_PLAIN, .optional = true, .variadic = true},
    {.name = "mixed", .direction = RM_OUTPUT, .kinds = RM_KIND_PLAIN},
    {.name = "rest", .direction = RM_OUTPUT, .kinds = RM_KIND_PLAIN},
    {0},
};
static const rm_port audio_ports[] = {
    {.name = "in", .direction = RM_INPUT, .kinds = RM_KIND_AUDIO, .format = {.sample_rate = 48000}},
    {0},
};
static const rm_port text_ports[] = {
    {.name = "in", .direction = RM_INPUT, .kinds = RM_KIND_STRING},
    {.name = "out", .direction = RM_OUTPUT, .kinds = RM_KIND_STRING},
    {0},
};

static int never_runs(rm_node *node, void *state, unsigned port, rm_packet in, rm_error *err)
{
    (void)node, (void)state, (void)port;
    rm_packet_clear(&in);
    return rm_error_set(err, RM_E_INTERNAL, "described only");
}

#define TYPE .abi_version = RM_NODE_ABI_VERSION, .size = sizeof(rm_node_type), .process = never_runs
static const char *const pass_aliases[] = {"TestThrough", NULL};
static const rm_node_type test_pass = {TYPE, .name = "TestPass", .aliases = pass_aliases,
                                       .summary = "Passes"};
static const rm_node_type test_tuned = {TYPE, .name = "TestTuned", .params = tuned_params,
                                        .state_size = sizeof(struct tuned)};
static const rm_node_type test_one = {TYPE, .name = "TestOne", .params = one_param,
                                      .state_size = sizeof(rm_value), .description = "More words"};
static const rm_node_type test_needs = {TYPE, .name = "TestNeeds", .params = needed_param,
                                        .state_size = sizeof(const char *)};
static const rm_node_type test_any = {TYPE, .name = "TestAny", .flags = RM_NODE_ANY_PARAMS};
static const rm_node_type test_generator = {TYPE, .name = "TestGenerator", .ports = generator_ports};
static const rm_node_type test_mixer = {TYPE, .name = "TestMixer", .ports = mixer_ports};
static const rm_node_type test_audio = {TYPE, .name = "TestAudio", .ports = audio_ports};
static const rm_node_type test_text = {TYPE, .name = "TestText", .ports = text_ports};
static const rm_node_type *const test_types[] = {
    &test_pass,      &test_tuned, &test_one,   &test_needs, &test_any,
    &test_generator, &test_mixer, &test_audio, &test_text,  NULL};

/* A runtime that knows the types above; with a failing allocator it may be NULL. */
static inline rm_runtime *test_runtime(const rm_allocator *allocator)
{
    rm_runtime *runtime = NULL;
    const rm_config config = {.size = sizeof config, .allocator = allocator};
    assert_int_equal(rm_runtime_new(&config, &runtime, NULL), RM_OK);
    assert_int_equal(rmi_runtime_add_types(runtime, test_types, NULL, NULL), RM_OK);
    return runtime;
}

static inline rm_manifest *test_manifest(rm_runtime *runtime, const char *text)
{
    rm_manifest *manifest = NULL;
    rm_error err = {0};
    if (rm_manifest_parse(runtime, text, strlen(text), &manifest, &err) != RM_OK)
        fail_msg("%s\n%s", text, err.message);
    return manifest;
}

#define HEAD "{\"version\": \"v1\", \"metadata\": {\"name\": \"t\"}, \"nodes\": ["
#define NODE(id, type) "{\"id\": \"" id "\", \"node_type\": \"" type "\"}"
#define WITH(type, params) HEAD "{\"id\": \"a\", \"node_type\": \"" type "\", \"params\": " params "}]}"
#define PLUS(type, field) HEAD "{\"id\": \"a\", \"node_type\": \"" type "\", " field "}]}"
#define EDGES "], \"connections\": ["
#define EDGE(from, to) "{\"from\": \"" from "\", \"to\": \"" to "\"}"
#define END "]}"

#endif
