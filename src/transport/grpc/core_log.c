#include "transport/grpc/core_log.h"

#include <grpc/support/log.h>
#include <sched.h>
#include <stdatomic.h>

/* C-core's log function has no context, so the runtime is here; and so is the number of threads that use it. */
static _Atomic(const rm_runtime *) log_runtime;
static atomic_int logging;

static void write_line(gpr_log_func_args *line)
{
    atomic_fetch_add(&logging, 1);
    const rm_runtime *runtime = atomic_load(&log_runtime);
    if (runtime != NULL)
        rm_runtime_log(runtime, line->severity == GPR_LOG_SEVERITY_ERROR ? RM_LOG_WARNING : RM_LOG_DEBUG,
                       NULL, "gRPC: %s", line->message);
    atomic_fetch_sub(&logging, 1);
}

void rmi_grpc_log_into(const rm_runtime *runtime)
{
    gpr_set_log_function(write_line);
    atomic_store(&log_runtime, runtime);
    while (runtime == NULL && atomic_load(&logging) > 0)
        (void)sched_yield();
}
