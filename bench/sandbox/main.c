/* Sandboxes through the public header.
 *
 *   bench_sandbox ENGINE MODULES HOME POOL PART ARGUMENT...
 *
 * ENGINE is libremotemedia_wasmtime.so, MODULES has the WASM files, HOME lib/python3.13; POOL is
 * rm_sandbox_config.instances. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/sandbox/parts.h"

static const struct {
    const char *name, *arguments;
    int least;
    bench_part *run;
} parts[] = {
    {"commands", "TIMES MANIFEST [FILE]", 2, bench_commands},
    {"nodes", "TIMES MANIFEST", 2, bench_nodes},
    {"stop-command", "TIMES TIMEOUT_MS GRACE_MS MANIFEST", 4, bench_stop_command},
    {"stop-node", "TIMES TIMEOUT_MS MANIFEST", 3, bench_stop_node},
    {"crossing", "ITEMS AT_ONCE NAME=MANIFEST...", 3, bench_crossing},
    {"loop", "CALLS NAME=MANIFEST...", 2, bench_loop},
    {"tensor", "ITEMS AT_ONCE NAME=MANIFEST...", 3, bench_tensor},
    {"memory", "INSTANCES MANIFEST", 2, bench_memory},
    {"kernels", "TIMES KERNEL NAME=MANIFEST...", 3, bench_kernels},
};

int bench_load(const bench_host *host, const char *path, bench_pipeline *out, rm_error *err)
{
    const rm_pipeline_options options = {.size = sizeof options, .may_block = true};
    *out = (bench_pipeline){0};
    int rc = rm_manifest_load(host->runtime, path, &out->manifest, err);
    if (rc == RM_OK)
        rc = rm_pipeline_open(out->manifest, &options, &out->pipeline, err);
    return rc;
}

int bench_ask(rm_pipeline *pipeline, rm_value item, rm_value *result, rm_error *err)
{
    size_t sink = 0;
    rm_packet packet = {0};
    int rc = rm_pipeline_push(pipeline, NULL, rm_value_retain(item), err);
    while (rc == RM_OK) {
        rc = rm_run_step(pipeline, err);
        if (rc < 0)
            return rc;
        const int pulled = rm_pipeline_pull(pipeline, &sink, &packet, err);
        if (pulled == RM_OK) {
            if (result != NULL)
                *result = rm_value_move(&packet.value);
            rm_packet_clear(&packet);
            return RM_OK;
        }
        rc = pulled < 0 ? pulled : rc;
    }
    return rc > 0 ? rm_error_set(err, RM_E_INTERNAL, "an item came to no result") : rc;
}

size_t bench_number(const char *text)
{
    return (size_t)strtoull(text, NULL, 10);
}

static int open_host(char **argv, bench_host *host, rm_error *err)
{
    const rm_sandbox_config config = {.size = sizeof config,
                                      .engine = argv[0],
                                      .modules = argv[1],
                                      .instances = (uint32_t)bench_number(argv[3])};
    const rm_python_config python = {.size = sizeof python, .home = argv[2]};
    int rc = rm_sandbox_new(&config, &host->sandbox, err);
    if (rc == RM_OK)
        rc = rm_runtime_new(NULL, &host->runtime, err);
    if (rc == RM_OK)
        rc = rm_python_attach(host->runtime, &python, err);
    if (rc == RM_OK)
        rc = rm_sandbox_attach(host->sandbox, host->runtime, NULL, NULL, err);
    return rc;
}

int main(int argc, char **argv)
{
    enum { FIRST = 6 }; /* of the part's arguments */
    const size_t count = sizeof parts / sizeof *parts;
    bench_host host = {0};
    rm_error err = {0};
    size_t at = 0;
    while (at < count && (argc < FIRST || strcmp(parts[at].name, argv[FIRST - 1]) != 0))
        at++;
    if (at == count || argc - FIRST < parts[at].least) {
        for (at = 0; at < count; at++)
            fprintf(stderr, "usage: bench_sandbox ENGINE MODULES HOME POOL %s %s\n", parts[at].name,
                    parts[at].arguments);
        return EXIT_FAILURE;
    }
    int rc = open_host(argv + 1, &host, &err);
    if (rc == RM_OK)
        rc = parts[at].run(&host, argc - FIRST, argv + FIRST, &err);
    if (rc != RM_OK)
        fprintf(stderr, "%s: %s: %s\n", parts[at].name, rm_code_name(rc), err.message);
    rm_runtime_free(host.runtime);
    rm_sandbox_free(host.sandbox);
    rm_error_clear(&err);
    return rc == RM_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
