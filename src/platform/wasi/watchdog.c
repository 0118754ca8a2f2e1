/* There are no threads. A host that can call into a running program replaces the watchdog's thread: it calls
 * rm_host_ticks before the program starts, and then rm_tick every few milliseconds, in the middle of other
 * code. With other hosts deadlines take effect between items. */
#include "base/alloc.h"
#include "platform/platform.h"
#include "platform/wasi/tick.h"

struct rmi_watchdog {
    const rm_allocator *allocator;
    int64_t (*function)(void *context);
    void *context;
    int64_t deadline;
    struct rmi_watchdog *next;
};

/* Global since exports have no context. */
static struct {
    rmi_watchdog *first;
    bool ticks, busy; /* busy: other code changes or walks the list */
} host;

__attribute__((export_name("rm_host_ticks"), used)) void host_ticks(void);
void host_ticks(void)
{
    host.ticks = true;
}

__attribute__((noinline)) static void look_at_all(void)
{
    if (host.busy)
        return;
    host.busy = true;
    const int64_t now = rmi_platform_now();
    for (rmi_watchdog *at = host.first; at != NULL; at = at->next)
        if (now >= at->deadline)
            at->deadline = at->function(at->context);
    host.busy = false;
}

/* As in a signal handler: the interrupted code may be half done. */
__attribute__((export_name("rm_tick"), used)) void tick(void);
void tick(void)
{
    RMI_ABOVE_RED_ZONE(look_at_all());
}

int rmi_watchdog_start(const rm_allocator *allocator, int64_t (*function)(void *context), void *context,
                       rmi_watchdog **out, rm_error *err)
{
    *out = NULL;
    if (!host.ticks)
        return rm_error_set(err, RM_E_MISSING_FEATURE, "a WASM host has no threads for deadlines");
    rmi_watchdog *made = rmi_alloc(allocator, sizeof *made);
    if (made == NULL)
        return rm_error_set(err, RM_E_OUT_OF_MEMORY, "out of memory");
    host.busy = true;
    *made =
        (rmi_watchdog){.allocator = allocator, .function = function, .context = context, .next = host.first};
    made->deadline = function(context);
    host.first = made;
    host.busy = false;
    *out = made;
    return RM_OK;
}

void rmi_watchdog_poke(rmi_watchdog *watchdog)
{
    watchdog->deadline = INT64_MIN;
}

void rmi_watchdog_stop(rmi_watchdog *watchdog)
{
    if (watchdog == NULL)
        return;
    host.busy = true;
    rmi_watchdog **at = &host.first;
    while (*at != watchdog)
        at = &(*at)->next;
    *at = watchdog->next;
    host.busy = false;
    rmi_free(watchdog->allocator, watchdog, sizeof *watchdog);
}

bool rmi_platform_has_threads(void)
{
    return false;
}
