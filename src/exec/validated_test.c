/* What rm_manifest_validate has resolved serves the first pipeline; resolvers may load code. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "remotemedia/node.h"
#include "tests/support/heap.h"

enum { MOST = 8 };

static const char manifest_text[] =
    "{\"version\": \"v1\", \"metadata\": {\"name\": \"t\"}, \"nodes\": [{\"id\": \"a\", \"node_type\": "
    "\"Loaded\", \"params\": {\"x\": 1}}], \"connections\": []}";

/* What the resolver has made, and what of it is left. */
typedef struct loads {
    atomic_size_t made, left;
} loads;

static int pass(rm_node *node, void *state, unsigned port, rm_packet packet, rm_error *err)
{
    (void)state, (void)port, (void)err;
    return rm_emit(node, 0, packet);
}

static const rm_node_type loaded = {.abi_version = RM_NODE_ABI_VERSION,
                                    .size = sizeof loaded,
                                    .name = "Loaded",
                                    .flags = RM_NODE_ANY_PARAMS,
                                    .process = pass};

static int resolve(void *context, const rm_node_query *query, const rm_node_type **type, void **data,
                   const char **looked, rm_error *err)
{
    loads *l = context;
    (void)query, (void)looked, (void)err;
    l->made++;
    l->left++;
    *type = &loaded;
    *data = l;
    return RM_OK;
}

static void release(void *context, void *data)
{
    (void)context;
    ((loads *)data)->left--;
}

static int add(rm_runtime *runtime, loads *l)
{
    const rm_resolver resolver = {
        .size = sizeof resolver, .context = l, .resolve = resolve, .release_data = release};
    return rm_runtime_add_resolver(runtime, &resolver, NULL);
}

/* Each letter is a step: v validates, d draws, o opens a pipeline, s sets a parameter, r adds a resolver. */
static const struct {
    const char *steps;
    size_t made;
} cases[] = {{"v", 1},   {"o", 1},     {"oo", 2},  {"vo", 1},     {"voo", 2},
             {"vv", 2},  {"vvo", 2},   {"do", 1},  {"vdo", 1},    {"vdvo", 2},
             {"vso", 2}, {"vosoo", 3}, {"vro", 2}, {"vrvoso", 3}, {"dsd", 2}};

static int take_step(char step, rm_runtime *runtime, rm_manifest *manifest, loads *l, rm_pipeline **opened)
{
    char *text = NULL;
    size_t length = 0;
    int rc = RM_OK;
    if (step == 'v')
        rc = rm_manifest_validate(manifest, NULL);
    else if (step == 'o')
        rc = rm_pipeline_open(manifest, NULL, opened, NULL);
    else if (step == 's')
        rc = rm_manifest_set_param(manifest, "a", "x", rm_int(2), NULL);
    else if (step == 'r')
        rc = add(runtime, l);
    else
        rc = rm_manifest_diagram(manifest, RM_DIAGRAM_DOT, &text, &length, NULL);
    rm_text_free(rm_runtime_allocator(runtime), text, length);
    return rc;
}

static void loads_only_what_it_must(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t nth = 0, faults = 1; faults != 0; nth++) {
            rmt_heap heap;
            rmt_heap_init(&heap, nth);
            const rm_config config = {.size = sizeof config, .allocator = &heap.allocator};
            rm_pipeline *opened[MOST] = {0};
            rm_runtime *runtime = NULL;
            rm_manifest *manifest = NULL;
            loads l = {0};
            int rc = rm_runtime_new(&config, &runtime, NULL);
            if (rc == RM_OK)
                rc = add(runtime, &l);
            if (rc == RM_OK)
                rc = rm_manifest_parse(runtime, manifest_text, sizeof manifest_text - 1, &manifest, NULL);
            for (size_t step = 0; rc == RM_OK && cases[i].steps[step] != '\0'; step++)
                rc = take_step(cases[i].steps[step], runtime, manifest, &l, &opened[step]);
            for (size_t step = 0; step < MOST; step++)
                rm_pipeline_free(opened[step]);
            rm_manifest_free(manifest);
            rm_runtime_free(runtime);
            faults = nth == 0 ? 1 : heap.faults;
            if (rc != (nth == 0 || heap.faults == 0 ? RM_OK : RM_E_OUT_OF_MEMORY) || l.left != 0 ||
                (rc == RM_OK && l.made != cases[i].made) || heap.live_blocks != 0 || heap.mistakes != 0)
                fail_msg("%s, allocation %zu: %s, loaded %zu times, %zu left, %zu blocks", cases[i].steps,
                         nth, rm_code_name(rc), (size_t)l.made, (size_t)l.left, (size_t)heap.live_blocks);
        }
    }
}

static void *open_one(void *manifest)
{
    rm_pipeline *pipeline = NULL;
    const int rc = rm_pipeline_open(manifest, NULL, &pipeline, NULL);
    rm_pipeline_free(pipeline);
    return rc == RM_OK ? manifest : NULL;
}

/* Of pipelines that are opened at once, one takes what was validated. */
static void threads_share_a_manifest(void **unused)
{
    (void)unused;
    for (int round = 0; round < 50; round++) {
        pthread_t threads[MOST];
        rm_runtime *runtime = NULL;
        rm_manifest *manifest = NULL;
        loads l = {0};
        assert_int_equal(rm_runtime_new(NULL, &runtime, NULL), RM_OK);
        assert_int_equal(add(runtime, &l), RM_OK);
        assert_int_equal(rm_manifest_parse(runtime, manifest_text, sizeof manifest_text - 1, &manifest, NULL),
                         RM_OK);
        assert_int_equal(rm_manifest_validate(manifest, NULL), RM_OK);
        for (size_t i = 0; i < MOST; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, open_one, manifest), 0);
        for (size_t i = 0; i < MOST; i++) {
            void *opened = NULL;
            assert_int_equal(pthread_join(threads[i], &opened), 0);
            assert_ptr_equal(opened, manifest);
        }
        rm_manifest_free(manifest);
        rm_runtime_free(runtime);
        assert_int_equal(l.made, MOST);
        assert_int_equal(l.left, 0);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(loads_only_what_it_must),
        cmocka_unit_test(threads_share_a_manifest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
