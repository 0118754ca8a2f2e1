#include "sandbox/guest.h"

#include <string.h>

#include "base/alloc.h"
#include "base/spin.h"
#include "data/value.h"
#include "data/wire/wire.h"

enum { TICK_NS = 5 * 1000 * 1000, LARGEST_ERROR = 4 << 20 };
/* After it was asked to stop: so long a guest has to do it itself. */
enum { PATIENCE_NS = 1000 * 1000 * 1000 };

static const struct {
    const char *name, *signature;
    bool required;
} exported[RMI_GUEST_CALLS] = {
    [RMI_GUEST_DESCRIBE] = {"rm_node_describe", "i:i", false},
    [RMI_GUEST_OPEN] = {"rm_node_open", "i:i", true},
    [RMI_GUEST_PROCESS] = {"rm_node_process", "ii:i", true},
    [RMI_GUEST_MORE] = {"rm_node_more", ":i", false},
    [RMI_GUEST_GENERATE] = {"rm_node_generate", ":i", false},
    [RMI_GUEST_POLL] = {"rm_node_poll", ":i", false},
    [RMI_GUEST_END] = {"rm_node_end", ":i", false},
    [RMI_GUEST_ADVANCE] = {"rm_node_advance", "I:i", false},
    [RMI_GUEST_FLUSH] = {"rm_node_flush", ":i", false},
    [RMI_GUEST_ABANDON] = {"rm_node_abandon", "I:i", false},
    [RMI_GUEST_CLOSE] = {"rm_node_close", ":i", false},
};

/* A call that is made in the guest's own thread. */
typedef struct rmi_job {
    const rmi_function *function; /* NULL: there is none */
    rmi_slot slots[2];
    rmi_end why;
    int rc;
    rm_error error;
} rmi_job;

struct rmi_guest {
    rm_sandbox *sandbox;
    const rm_sandbox_policy *policy;
    rmi_engine *engine;
    rmi_instance *instance;
    rmi_wasi *wasi;
    rmi_function reserve, calls[RMI_GUEST_CALLS];
    bool has[RMI_GUEST_CALLS];
    uint32_t exchange; /* its address */
    bool dead, spent;
    bool is_loading;  /* nothing else would end its code yet */
    int64_t limit_ms; /* of its time */
    int64_t used;     /* ns in its calls so far, and in those of guests before it */
    uint64_t fuel;    /* that it was given */
    rmi_guest_usage before;
    rmi_watchdog *watchdog;  /* where its time is limited */
    _Atomic int64_t ends_at; /* of the call in progress, monotonic ns */
    atomic_flag guard;       /* of what follows, held for a few instructions */
    bool in_call, stopped, timed_out;
    bool is_polite;       /* stops its node when it is asked to */
    rmi_handover *thread; /* of its own, where its code may wait in the middle of a call; else NULL */
    rmi_job job;          /* of the thread */
    rmi_guest_call which; /* it is */
    bool waits;           /* in it, for packets of its stream */
    bool ending;          /* the thread is to end */
    int64_t asked;        /* when it was first asked to stop the call in progress; 0: it was not */
};

int rmi_guest_answered(rmi_guest_call which, int code, rm_error *err)
{
    return rmi_guest_broken(err, "%s answers %d", exported[which].name, code);
}

/* ---- Stopping */

static void end_it(rmi_guest *guest)
{
    guest->stopped = true;
    rmi_wasi_stop(guest->wasi);
    guest->sandbox->api->interrupt(guest->engine);
}

void rmi_guest_stop(rmi_guest *guest)
{
    const int64_t now = rmi_platform_now();
    rmi_spin_lock(&guest->guard);
    if (guest->in_call && guest->asked == 0)
        guest->asked = now;
    if (guest->in_call && guest->is_polite && now - guest->asked < PATIENCE_NS) {
        rmi_wasi_break_call(guest->wasi);
        guest->sandbox->api->interrupt(guest->engine); /* its tick function stops the node */
    } else if (guest->in_call) {
        end_it(guest);
    }
    rmi_spin_unlock(&guest->guard);
}

/* On the watchdog's thread. Returns when to be called again. */
static int64_t look(void *context)
{
    rmi_guest *guest = context;
    const int64_t now = rmi_platform_now();
    rmi_spin_lock(&guest->guard);
    if (guest->in_call && now >= atomic_load(&guest->ends_at)) {
        guest->timed_out = true;
        end_it(guest);
    }
    rmi_spin_unlock(&guest->guard);
    return now + TICK_NS;
}

/* ---- Running its code */

/* What is lower of its own limit and that of loading; when it is loaded the pipeline looks after the rest. */
static void set_limit(rmi_guest *guest, bool loading)
{
    const int64_t longest = INT64_MAX / 4000000, own = guest->policy->limits.timeout_ms;
    guest->limit_ms = own > 0 && own < longest ? own : 0;
    guest->is_loading = loading && (guest->limit_ms == 0 || guest->sandbox->loading_ms < guest->limit_ms);
    if (guest->is_loading)
        guest->limit_ms = guest->sandbox->loading_ms < longest ? guest->sandbox->loading_ms : longest;
    guest->used = guest->is_loading ? 0 : guest->before.ns;
    if (guest->limit_ms == 0) {
        rmi_watchdog_stop(guest->watchdog);
        guest->watchdog = NULL;
    }
}

static void begin(rmi_guest *guest)
{
    rmi_spin_lock(&guest->guard);
    guest->in_call = true;
    guest->asked = 0;
    rmi_spin_unlock(&guest->guard);
    if (guest->watchdog != NULL) {
        const int64_t now = rmi_platform_now();
        atomic_store(&guest->ends_at, now + guest->limit_ms * 1000000 - guest->used);
        guest->used -= now;
    }
}

static void end(rmi_guest *guest)
{
    if (guest->watchdog != NULL) {
        guest->used += rmi_platform_now();
        atomic_store(&guest->ends_at, INT64_MAX);
    }
    rmi_spin_lock(&guest->guard);
    guest->in_call = false;
    guest->dead |= guest->stopped; /* too late for this call, and its WASI does not go on */
    rmi_spin_unlock(&guest->guard);
}

/* What ended the instance, in terms of its limits. */
static int died(rmi_guest *guest, rmi_end why, int rc, rm_error *err)
{
    const rm_sandbox_limits *limits = &guest->policy->limits;
    uint32_t code = 0;
    guest->dead = true;
    if (guest->timed_out) {
        guest->spent = true;
        if (guest->is_loading)
            return rm_error_set(err, RM_E_TIMEOUT, "its code was not loaded within %lld ms",
                                (long long)guest->limit_ms);
        return rm_error_set(err, RM_E_LIMIT, "its sandbox has used its limit of %lld ms",
                            (long long)limits->timeout_ms);
    }
    if (why == RMI_END_FUEL) {
        guest->spent = true;
        return rm_error_set(err, RM_E_LIMIT, "its sandbox has used up its fuel of %llu",
                            (unsigned long long)limits->fuel);
    }
    if (why == RMI_END_IMPORT && rmi_wasi_exited(guest->wasi, &code))
        return rm_error_set(err, RM_E_VALUE, "the code in the sandbox ended itself with exit code %u",
                            (unsigned)code);
    return rc;
}

/* Lets the thread go on with its job, until that has ended or waits. */
static int take_turn(rmi_guest *guest, rmi_slot slots[static 2], rmi_end *why, rm_error *err)
{
    (void)rmi_handover_resume(guest->thread);
    slots[0] = (rmi_slot){.i32 = RM_OK};
    if (guest->waits)
        return RM_OK;
    slots[0] = guest->job.slots[0];
    *why = guest->job.why;
    if (guest->job.rc < 0)
        rm_error_move(err, &guest->job.error);
    rm_error_clear(&guest->job.error);
    return guest->job.rc;
}

/* `function` NULL: goes on with the call that waits. */
static int call(rmi_guest *guest, const rmi_function *function, rmi_slot slots[static 2], rm_error *err)
{
    rmi_end why = RMI_END_NONE;
    int rc = RM_OK;
    if (guest->dead)
        return rm_error_set(err, RM_E_CANCELLED, "the sandbox has ended");
    begin(guest);
    if (guest->thread == NULL)
        rc = guest->sandbox->api->call(guest->instance, function, slots, &why, err);
    else {
        if (function != NULL)
            guest->job = (rmi_job){.function = function, .slots = {slots[0], slots[1]}};
        rc = take_turn(guest, slots, &why, err);
    }
    end(guest);
    return rc == RM_OK && !guest->timed_out ? RM_OK : died(guest, why, rc, err);
}

/* ---- Waiting in the middle of a call */

static void run_jobs(void *context)
{
    rmi_guest *guest = context;
    while (!guest->ending) {
        rmi_job *job = &guest->job;
        job->rc =
            guest->sandbox->api->call(guest->instance, job->function, job->slots, &job->why, &job->error);
        rmi_handover_park(guest->thread);
    }
}

static uint32_t *stream_field(const rmi_guest *guest, rmi_guest_memory memory)
{
    rmi_exchange *exchange = rmi_guest_range(memory, guest->exchange, sizeof *exchange);
    return exchange != NULL && guest->exchange % sizeof(uint32_t) == 0 ? &exchange->stream : NULL;
}

/* In sched_yield. Code may call that for other reasons. */
static int on_yield(void *context, rmi_guest_memory memory)
{
    rmi_guest *guest = context;
    const uint32_t *field = guest->thread != NULL ? stream_field(guest, memory) : NULL;
    if (field == NULL || *field != RMI_STREAM_WAITS)
        return 0;
    guest->waits = true;
    rmi_handover_park(guest->thread);
    guest->waits = false;
    return guest->ending || rmi_wasi_stopped(guest->wasi);
}

int rmi_guest_let_wait(rmi_guest *guest, rm_error *err)
{
    return guest->thread != NULL
               ? RM_OK
               : rmi_handover_new(guest->sandbox->allocator, run_jobs, guest, &guest->thread, err);
}

bool rmi_guest_waits(const rmi_guest *guest)
{
    return guest->waits;
}

/* What waits in the thread is ended; then the thread is. */
static void end_thread(rmi_guest *guest)
{
    guest->ending = true;
    if (guest->waits)
        (void)rmi_handover_resume(guest->thread);
    if (guest->job.function != NULL)
        (void)rmi_handover_resume(guest->thread);
    rm_error_clear(&guest->job.error);
    rmi_handover_free(guest->thread);
    guest->thread = NULL;
}

/* ---- Its life */

static int find_exports(rmi_guest *guest, rm_error *err)
{
    const rmi_engine_api *api = guest->sandbox->api;
    rmi_function function;
    rmi_slot slots[2] = {{0}};
    int rc = api->find(guest->instance, "rm_node_interface", ":i", &function, err);
    if (rc == RM_OK)
        rc = call(guest, &function, slots, err);
    if (rc == RM_OK && slots[0].i32 != RMI_NODE_INTERFACE)
        rc = rm_error_set(err, RM_E_UNSUPPORTED_VERSION,
                          "the module has node interface %d; this program knows %d", slots[0].i32,
                          RMI_NODE_INTERFACE);
    for (size_t i = 0; rc == RM_OK && i < RMI_GUEST_CALLS; i++) {
        rc = api->find(guest->instance, exported[i].name, exported[i].signature, &guest->calls[i], err);
        guest->has[i] = rc == RM_OK;
        if (rc == RM_E_NOT_FOUND && !exported[i].required) {
            rm_error_clear(err);
            rc = RM_OK;
        }
    }
    if (rc == RM_OK)
        rc = api->find(guest->instance, "rm_node_reserve", "i:i", &guest->reserve, err);
    if (rc == RM_OK)
        rc = api->find(guest->instance, "rm_node_exchange", ":i", &function, err);
    if (rc == RM_OK)
        rc = call(guest, &function, slots, err);
    guest->exchange = slots[0].u32;
    if (rc == RM_OK && api->find(guest->instance, "rm_node_interrupt", ":", &function, NULL) == RM_OK) {
        api->set_tick(guest->instance, &function);
        guest->is_polite = true;
    }
    return rc;
}

/* A reactor's constructors; snapshots have run them. */
static int initialize(rmi_guest *guest, rm_error *err)
{
    rmi_function function;
    rmi_slot slots[2] = {{0}};
    const int rc = guest->sandbox->api->find(guest->instance, "_initialize", ":", &function, err);
    if (rc != RM_E_NOT_FOUND)
        return rc == RM_OK ? call(guest, &function, slots, err) : rc;
    rm_error_clear(err);
    return RM_OK;
}

static int make_instance(rmi_guest *guest, rmi_module *module, rm_error *err)
{
    static const char *const arguments[] = {"node", NULL};
    const rm_sandbox_limits *limits = &guest->policy->limits;
    rmi_end why = RMI_END_NONE;
    const rmi_wasi_stream log = {.descriptor = 2, .rate = limits->log_bytes};
    rmi_wasi_config wasi = {.allocator = guest->sandbox->allocator,
                            .args = arguments,
                            .env = guest->policy->environment,
                            .grants = guest->policy->grants,
                            .grant_count = guest->policy->grant_count,
                            .input = -1,
                            .output = log,
                            .errors = log,
                            .yield = on_yield,
                            .yield_context = guest,
                            .deterministic = limits->fuel > 0};
    int rc = rmi_wasi_new(&wasi, &guest->wasi, err);
    if (rc == RM_OK)
        rc = rmi_watchdog_start(guest->sandbox->allocator, look, guest, &guest->watchdog, err);
    if (rc != RM_OK)
        return rc;
    guest->fuel = limits->fuel > guest->before.fuel ? limits->fuel - guest->before.fuel : 0;
    const rmi_instance_config config = {.context = guest->wasi,
                                        .memory_size = limits->memory_bytes,
                                        .fuel = guest->fuel,
                                        .asks = rmi_wasi_asks};
    begin(guest);
    rc = guest->sandbox->api->instantiate(module, &config, &guest->instance, &why, err);
    end(guest);
    return why != RMI_END_NONE ? died(guest, why, rc, err) : rc;
}

int rmi_guest_new(rm_sandbox *sandbox, const rmi_loaded *loaded, const rm_sandbox_policy *policy,
                  rmi_guest_usage before, rmi_guest **out, rm_error *err)
{
    *out = NULL;
    rmi_guest *guest = rmi_alloc_zeroed(sandbox->allocator, sizeof *guest);
    if (guest == NULL)
        return rmi_out_of_memory(err);
    guest->sandbox = sandbox;
    guest->engine = loaded->engine;
    guest->policy = policy;
    guest->before = before;
    set_limit(guest, true);
    atomic_init(&guest->ends_at, INT64_MAX);
    atomic_flag_clear(&guest->guard);
    int rc = make_instance(guest, loaded->module, err);
    if (rc == RM_OK)
        rc = initialize(guest, err);
    if (rc == RM_OK)
        rc = find_exports(guest, err);
    if (rc == RM_OK)
        *out = guest;
    else
        rmi_guest_free(guest);
    return rc;
}

void rmi_guest_free(rmi_guest *guest)
{
    if (guest == NULL)
        return;
    rmi_watchdog_stop(guest->watchdog);
    end_thread(guest);
    if (guest->instance != NULL)
        guest->sandbox->api->instance_free(guest->instance);
    rmi_wasi_free(guest->wasi);
    rmi_free(guest->sandbox->allocator, guest, sizeof *guest);
}

uint64_t rmi_guest_lost(const rmi_guest *guest)
{
    return rmi_wasi_dropped(guest->wasi, 1) + rmi_wasi_dropped(guest->wasi, 2);
}

rmi_guest_usage rmi_guest_used(const rmi_guest *guest)
{
    rmi_guest_usage used = guest->before;
    if (guest->policy->limits.timeout_ms > 0 && !guest->is_loading)
        used.ns = guest->used;
    if (guest->policy->limits.fuel > 0 && guest->instance != NULL)
        used.fuel += guest->fuel - guest->sandbox->api->fuel_left(guest->instance);
    return used;
}

bool rmi_guest_has(const rmi_guest *guest, rmi_guest_call call)
{
    return guest->has[call];
}

bool rmi_guest_was_asked(rmi_guest *guest)
{
    rmi_spin_lock(&guest->guard);
    const bool asked = guest->asked != 0;
    rmi_spin_unlock(&guest->guard);
    return asked;
}

void rmi_guest_give_up(rmi_guest *guest)
{
    guest->dead = true;
}

bool rmi_guest_is_dead(const rmi_guest *guest)
{
    return guest->dead;
}

bool rmi_guest_is_spent(const rmi_guest *guest)
{
    return guest->spent;
}

/* ---- Calls */

/* The exchange area as it is now. */
static int read_exchange(rmi_guest *guest, rmi_exchange *out, rm_error *err)
{
    const void *at =
        rmi_guest_range(guest->sandbox->api->memory(guest->instance), guest->exchange, sizeof *out);
    if (at == NULL)
        return rmi_guest_broken(err, "its exchange area lies outside its memory");
    memcpy(out, at, sizeof *out);
    return RM_OK;
}

/* More room in the input area. The guest can only give it itself, also when it waits. */
static int reserve(rmi_guest *guest, size_t size, rm_error *err)
{
    rmi_slot slots[2] = {{.u32 = (uint32_t)size}, {0}};
    rmi_guest_answer answer;
    if (guest->waits) {
        const int code = rmi_guest_go_on(guest, (uint32_t)size, &answer, err);
        if (code == RM_OK && !guest->waits)
            return rmi_guest_broken(err, "it waits for packets, but does not take any");
        return code > RM_OK ? rmi_guest_answered(guest->which, code, err) : code;
    }
    int rc = call(guest, &guest->reserve, slots, err);
    if (rc == RM_OK && slots[0].i32 != 0) {
        rc = rm_error_set(err, RM_E_OUT_OF_MEMORY, "its sandbox has no memory for %zu bytes of input", size);
        if (guest->policy->limits.memory_bytes > 0)
            rm_error_hint(err, "its limit is %llu bytes of memory",
                          (unsigned long long)guest->policy->limits.memory_bytes);
    }
    return rc;
}

int rmi_guest_input(rmi_guest *guest, size_t size, uint8_t **data, size_t *capacity, rm_error *err)
{
    rmi_exchange area = {0};
    int rc = read_exchange(guest, &area, err);
    if (rc == RM_OK && size > UINT32_MAX)
        return rm_error_set(err, RM_E_LIMIT, "%zu bytes are more than a sandbox can take at once", size);
    if (rc == RM_OK && area.input_size < size) {
        rc = reserve(guest, size, err);
        if (rc == RM_OK)
            rc = read_exchange(guest, &area, err);
    }
    if (rc != RM_OK)
        return rc;
    *data = rmi_guest_range(guest->sandbox->api->memory(guest->instance), area.input, area.input_size);
    *capacity = area.input_size;
    if (*data == NULL || area.input_size < size || area.input % RMI_WIRE_ALIGNMENT != 0)
        return rmi_guest_broken(err, "its input area is not there, too small or not aligned");
    return RM_OK;
}

static int read_answer(rmi_guest *guest, rmi_exchange *area, rmi_guest_answer *answer, rm_error *err)
{
    const int rc = read_exchange(guest, area, err);
    if (rc != RM_OK)
        return rc;
    answer->length = area->output_length;
    answer->output =
        rmi_guest_range(guest->sandbox->api->memory(guest->instance), area->output, area->output_length);
    answer->done = area->done;
    answer->wait_ms = area->wait_ms;
    return answer->output != NULL ? RM_OK : rmi_guest_broken(err, "its output area lies outside its memory");
}

/* *document is owned; null where there is none. */
static int read_error(rmi_guest *guest, const rmi_exchange *area, rm_value *document, rm_error *err)
{
    const void *at =
        rmi_guest_range(guest->sandbox->api->memory(guest->instance), area->error, area->error_length);
    size_t offset = 0;
    if (at == NULL)
        return rmi_guest_broken(err, "its error lies outside its memory");
    if (area->error_length == 0)
        return RM_OK;
    if (area->error_length > LARGEST_ERROR)
        return rmi_guest_broken(err, "its error has %u bytes; %d are the most", (unsigned)area->error_length,
                                LARGEST_ERROR);
    return rmi_guest_read(
        rmi_wire_read(guest->sandbox->allocator, at, area->error_length, &offset, document, err), "error",
        err);
}

/* `document` is consumed. */
static int guests_error(const rmi_guest *guest, rmi_guest_call which, rm_value *document, int code,
                        rm_error *err)
{
    const int rc = rmi_guest_error(*document, code, guest->asked != 0 || which == RMI_GUEST_CLOSE, err);
    rm_value_clear(document);
    rmi_explain_memory(err, guest->policy->limits.memory_bytes);
    return rc;
}

/* `function` as for `call`. */
static int call_and_read(rmi_guest *guest, const rmi_function *function, rmi_slot slots[static 2],
                         rmi_guest_answer *answer, rm_error *err)
{
    rmi_exchange area = {0};
    rm_value failure = rm_null();
    *answer = (rmi_guest_answer){0};
    int rc = call(guest, function, slots, err);
    const int code = slots[0].i32;
    if (rc == RM_OK)
        rc = read_answer(guest, &area, answer, err);
    if (rc == RM_OK && code < 0)
        rc = read_error(guest, &area, &failure, err);
    if (rc == RM_OK)
        return code < 0 ? guests_error(guest, guest->which, &failure, code, err) : code;
    guest->dead = true; /* what breaks the interface is not called again */
    *answer = (rmi_guest_answer){0};
    return rc;
}

int rmi_guest_call_it(rmi_guest *guest, rmi_guest_call which, rmi_slot slots[static 2],
                      rmi_guest_answer *answer, rm_error *err)
{
    *answer = (rmi_guest_answer){0};
    if (!guest->has[which])
        return rmi_guest_broken(err, "it has no %s", exported[which].name);
    if (which != RMI_GUEST_DESCRIBE && guest->is_loading)
        set_limit(guest, false);
    guest->which = which;
    return call_and_read(guest, &guest->calls[which], slots, answer, err);
}

int rmi_guest_go_on(rmi_guest *guest, uint32_t length, rmi_guest_answer *answer, rm_error *err)
{
    rmi_slot slots[2] = {{0}};
    uint32_t *field = stream_field(guest, guest->sandbox->api->memory(guest->instance));
    if (field != NULL)
        *field = length;
    return call_and_read(guest, NULL, slots, answer, err);
}
