/* What the parts of bench_sandbox share: the options before the part's name, and pipelines from files. Each part prints
 * lines "name value", one a sample; bench/sandbox/run calls it and makes figures of them. */
#ifndef BENCH_SANDBOX_PARTS_H
#define BENCH_SANDBOX_PARTS_H

#include "bench/support.h"

typedef struct bench_host {
    rm_sandbox *sandbox;
    rm_runtime *runtime; /* with native Python and with the sandbox */
} bench_host;

/* A pipeline of the manifest in the file `path`; close it also after a failure. */
int bench_load(const bench_host *host, const char *path, bench_pipeline *out, rm_error *err);
/* Pushes `item` (borrowed), does steps until a result is there, and takes it: *result is owned, or NULL to drop it. */
int bench_ask(rm_pipeline *pipeline, rm_value item, rm_value *result, rm_error *err);
/* A number among the arguments. */
size_t bench_number(const char *text);

/* The arguments after the part's name; there are enough of them. */
typedef int bench_part(const bench_host *host, int argc, char **argv, rm_error *err);
bench_part bench_commands, bench_nodes, bench_stop_command, bench_stop_node, bench_crossing, bench_loop,
    bench_tensor, bench_memory, bench_kernels;

#endif
