/* A whole program in a sandbox: a WASI command with its arguments and streams. */
#include <string.h>

#include "base/alloc.h"
#include "sandbox/shared_engine.h"

/* Why the host ended it. */
enum { GOES_ON, WAS_STOPPED, TIMED_OUT };
enum { TICK_NS = 10 * 1000 * 1000 };

struct rm_sandbox_run {
    rm_sandbox *sandbox;
    _Atomic(rmi_engine *) engine; /* NULL: its code is not loaded yet */
    rmi_wasi *wasi;
    rmi_watchdog *watchdog;
    int64_t deadline; /* monotonic ns */
    atomic_int reason;
    atomic_bool ticks; /* the guest has deadlines of its own, and is told that time passes */
};

static void stop(rm_sandbox_run *run, int reason)
{
    int goes_on = GOES_ON;
    (void)atomic_compare_exchange_strong(&run->reason, &goes_on, reason);
    rmi_wasi_stop(run->wasi);
    rmi_engine *engine = atomic_load(&run->engine);
    if (engine != NULL)
        run->sandbox->api->interrupt(engine);
}

void rm_sandbox_stop(rm_sandbox_run *run)
{
    stop(run, WAS_STOPPED);
}

/* On the watchdog's thread. Returns when to be called again. */
static int64_t look(void *context)
{
    rm_sandbox_run *run = context;
    const int64_t now = rmi_platform_now();
    if (now >= run->deadline) {
        stop(run, TIMED_OUT);
        return INT64_MAX;
    }
    if (!atomic_load(&run->ticks))
        return run->deadline;
    rmi_wasi_break_call(run->wasi);
    run->sandbox->api->interrupt(atomic_load(&run->engine)); /* what ticks is loaded */
    return now + TICK_NS < run->deadline ? now + TICK_NS : run->deadline;
}

/* ---- Before it starts */

static const char *const default_files[] = {
    "pipeline_executor_numpy_snapshot.wasm", "pipeline_executor_wasm_snapshot.wasm",
    "pipeline_executor_numpy.wasm",          "pipeline_executor_wasm.wasm",
    "pipeline_executor_lite.wasm",           NULL};

static int open_wasi(rm_sandbox_run *run, const rm_sandbox_command *command, rm_error *err)
{
    size_t count = 0;
    while (command->arguments != NULL && command->arguments[count] != NULL)
        count++;
    const char **arguments = rmi_alloc_zeroed(run->sandbox->allocator, (count + 2) * sizeof *arguments);
    if (arguments == NULL)
        return rmi_out_of_memory(err);
    arguments[0] = "remotemedia";
    if (count > 0)
        memcpy(arguments + 1, command->arguments, count * sizeof *arguments);
    const rm_sandbox_limits *limits = &command->policy.limits;
    rmi_wasi_config config = {
        .allocator = run->sandbox->allocator,
        .args = arguments,
        .input = command->input,
        .output = {.descriptor = command->output,
                   .write = command->write,
                   .context = command->write_context,
                   .limit = limits->output_bytes},
        .errors = {.descriptor = command->errors, .rate = limits->log_bytes},
        .env = command->policy.environment,
        .grants = command->policy.grants,
        .grant_count = command->policy.grant_count,
        .deterministic = limits->fuel > 0,
    };
    const int rc = rmi_wasi_new(&config, &run->wasi, err);
    rmi_free(run->sandbox->allocator, arguments, (count + 2) * sizeof *arguments);
    return rc;
}

static int start_clock(rm_sandbox_run *run, const rm_sandbox_command *command, rm_error *err)
{
    const int64_t timeout = command->policy.limits.timeout_ms, longest = INT64_MAX / 4000000;
    if (timeout <= 0 || timeout > longest || command->grace_ms < 0 || command->grace_ms > longest)
        return RM_OK;
    run->deadline = rmi_platform_now() + (timeout + command->grace_ms) * 1000000;
    return rmi_watchdog_start(run->sandbox->allocator, look, run, &run->watchdog, err);
}

/* A program of ours stops its nodes itself when their time is up, if it is told that time passes; which would make fuel
 * depend on time. */
static int start_ticks(rm_sandbox_run *run, rmi_instance *instance, uint64_t fuel, rmi_end *end,
                       rm_error *err)
{
    const rmi_engine_api *api = run->sandbox->api;
    rmi_function enable, tick;
    rmi_slot slots[1] = {{0}};
    int rc = fuel > 0 ? RM_E_NOT_FOUND : api->find(instance, "rm_tick", ":", &tick, err);
    if (rc == RM_OK)
        rc = api->find(instance, "rm_host_ticks", ":", &enable, err);
    if (rc != RM_OK) {
        rm_error_clear(err);
        return RM_OK;
    }
    rc = api->call(instance, &enable, slots, end, err);
    if (rc == RM_OK)
        api->set_tick(instance, &tick);
    atomic_store(&run->ticks, rc == RM_OK);
    if (rc == RM_OK && run->watchdog == NULL)
        rc = rmi_watchdog_start(run->sandbox->allocator, look, run, &run->watchdog, err);
    else if (rc == RM_OK)
        rmi_watchdog_poke(run->watchdog);
    return rc;
}

/* A program of ours names the limit in its errors. */
static int tell_memory(rm_sandbox_run *run, rmi_instance *instance, uint64_t bytes, rmi_end *end,
                       rm_error *err)
{
    rmi_function function;
    rmi_slot slots[1] = {{.u64 = bytes}};
    if (run->sandbox->api->find(instance, "rm_host_memory", "I:", &function, NULL) != RM_OK)
        return RM_OK;
    return run->sandbox->api->call(instance, &function, slots, end, err);
}

/* ---- After it has ended */

/* What the failure of the guest's call means, in terms of its limits. */
static int explain(const rm_sandbox_run *run, const rm_sandbox_limits *limits, rmi_end end, int rc,
                   rm_error *err)
{
    const int overflowed = rmi_wasi_overflowed(run->wasi);
    if (atomic_load(&run->reason) == TIMED_OUT && (end == RMI_END_IMPORT || end == RMI_END_STOPPED))
        return rm_error_set(err, RM_E_TIMEOUT, "the run did not end within its timeout of %lld ms",
                            (long long)limits->timeout_ms);
    if (end == RMI_END_IMPORT && overflowed != 0)
        return rm_error_set(err, RM_E_LIMIT,
                            "the run wrote more than its limit of %llu bytes to standard output",
                            (unsigned long long)limits->output_bytes);
    if (end == RMI_END_IMPORT || end == RMI_END_STOPPED)
        return rm_error_set(err, RM_E_CANCELLED, "the run was cancelled");
    if (end == RMI_END_FUEL)
        return rm_error_set(err, RM_E_LIMIT, "the run has used up its fuel of %llu",
                            (unsigned long long)limits->fuel);
    return rc;
}

static int instantiate(rm_sandbox_run *run, rmi_module *module, const rm_sandbox_limits *limits,
                       rmi_instance **out, rmi_end *end, rm_error *err)
{
    const rmi_instance_config config = {.context = run->wasi,
                                        .memory_size = limits->memory_bytes,
                                        .fuel = limits->fuel,
                                        .asks = rmi_wasi_asks};
    return run->sandbox->api->instantiate(module, &config, out, end, err);
}

static int call_start(rm_sandbox_run *run, rmi_module *module, const rm_sandbox_limits *limits,
                      int *exit_code, rm_error *err)
{
    const rmi_engine_api *api = run->sandbox->api;
    rmi_instance *instance = NULL;
    rmi_function start;
    rmi_slot slots[1] = {{0}};
    rmi_end end = RMI_END_NONE;
    uint32_t code = 0;
    int rc = instantiate(run, module, limits, &instance, &end, err);
    if (rc == RM_OK && atomic_load(&run->reason) != GOES_ON) { /* before there was anything to interrupt */
        end = RMI_END_STOPPED;
        rc = RM_E_CANCELLED;
    }
    if (rc == RM_OK && limits->memory_bytes > 0)
        rc = tell_memory(run, instance, limits->memory_bytes, &end, err);
    if (rc == RM_OK)
        rc = start_ticks(run, instance, limits->fuel, &end, err);
    if (rc == RM_OK)
        rc = api->find(instance, "_start", ":", &start, err);
    if (rc == RM_OK)
        rc = api->call(instance, &start, slots, &end, err);
    rmi_watchdog_stop(run->watchdog);
    run->watchdog = NULL;
    api->instance_free(instance);
    if (end == RMI_END_IMPORT && rmi_wasi_exited(run->wasi, &code)) {
        rm_error_clear(err);
        rc = RM_OK;
    }
    *exit_code = code <= 255 ? (int)code : 255; /* all that a process can end with */
    return rc == RM_OK ? RM_OK : explain(run, limits, end, rc, err);
}

/* ---- Loading its code */

static bool lost_patience(void *context)
{
    const rm_sandbox_run *run = context;
    return atomic_load(&run->reason) != GOES_ON;
}

static int load(rm_sandbox_run *run, const char *file, bool fuel, rmi_loaded **out, rm_error *err)
{
    const rmi_patience patience = {lost_patience, run};
    const int rc = rmi_sandbox_module(run->sandbox, file, fuel, &patience, out, err);
    if (rc == RM_OK)
        atomic_store(&run->engine, (*out)->engine);
    return rc;
}

static int run_with(rm_sandbox_run *run, const char *file, const rm_sandbox_command *command, int *exit_code,
                    rm_error *err)
{
    const rm_sandbox_limits *limits = &command->policy.limits;
    rmi_loaded *loaded = NULL;
    if (command->started != NULL)
        command->started(command->started_context, run);
    int rc = load(run, file, limits->fuel > 0, &loaded, err);
    if (rc == RM_OK)
        rc = start_clock(run, command, err);
    if (rc == RM_OK)
        rc = call_start(run, loaded->module, limits, exit_code, err);
    if (command->started != NULL)
        command->started(command->started_context, NULL);
    rmi_watchdog_stop(run->watchdog);
    rmi_sandbox_module_done(run->sandbox, loaded);
    return rc;
}

int rm_sandbox_run_command(rm_sandbox *sandbox, const rm_sandbox_command *command, int *exit_code,
                           rm_error *err)
{
    char path[RMI_SANDBOX_PATH];
    const char *file = command->file;
    int rc = RM_OK;
    *exit_code = 0;
    if (command->size != sizeof *command)
        return rm_error_set(err, RM_E_USAGE, "rm_sandbox_command.size is %u, not %zu", command->size,
                            sizeof *command);
    rm_sandbox_run run = {.sandbox = sandbox, .deadline = INT64_MAX};
    if (file == NULL) {
        rc = rmi_sandbox_file(sandbox, default_files, path, err);
        file = path;
    }
    if (rc == RM_OK)
        rc = open_wasi(&run, command, err);
    if (rc == RM_OK)
        rc = run_with(&run, file, command, exit_code, err);
    if (run.wasi != NULL && rmi_wasi_dropped(run.wasi, 2) > 0)
        rmi_sandbox_log(sandbox, RM_LOG_WARNING,
                        "%llu bytes of the log came faster than %llu a second and were dropped",
                        (unsigned long long)rmi_wasi_dropped(run.wasi, 2),
                        (unsigned long long)command->policy.limits.log_bytes);
    rmi_wasi_free(run.wasi);
    return rc;
}
