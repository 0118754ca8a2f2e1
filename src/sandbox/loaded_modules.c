/* The modules that are loaded. One is found by its file, as long as that is what it was; or by its content. */
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "sandbox/compiled_modules.h"

/* So often those who wait for another thread's module are asked for their patience. */
enum { LOOK_NS = 20 * 1000 * 1000 };

static void free_loaded(const rm_sandbox *sandbox, rmi_loaded *gone)
{
    sandbox->api->module_free(gone->module);
    rmi_free(sandbox->allocator, gone, sizeof *gone + strlen(gone->path) + 1);
}

/* ---- Under the lock */

/* Frees what was replaced and has no user left. */
static void sweep(rm_sandbox *sandbox)
{
    rmi_loaded **at = &sandbox->loaded;
    while (*at != NULL) {
        rmi_loaded *one = *at;
        if (one->is_replaced && one->users == 0) {
            *at = one->next;
            free_loaded(sandbox, one);
        } else {
            at = &one->next;
        }
    }
}

static rmi_loaded *by_file(const rm_sandbox *sandbox, const rmi_source *from, bool fuel)
{
    rmi_loaded *at = sandbox->loaded;
    while (at != NULL && (at->fuel != fuel || !at->is_still || strcmp(at->identity, from->identity) != 0 ||
                          strcmp(at->path, from->path) != 0))
        at = at->next;
    return at;
}

static rmi_loaded *by_key(const rm_sandbox *sandbox, const rmi_source *from, bool fuel)
{
    rmi_loaded *at = sandbox->loaded;
    while (at != NULL && (at->fuel != fuel || strcmp(at->key, from->key) != 0))
        at = at->next;
    return at;
}

static void replace(rm_sandbox *sandbox, const rmi_source *from, bool fuel)
{
    for (rmi_loaded *at = sandbox->loaded; at != NULL; at = at->next)
        if (at->fuel == fuel && strcmp(at->path, from->path) == 0 && strcmp(at->key, from->key) != 0)
            at->is_replaced = true;
    sweep(sandbox);
}

/* The one that has this file's content. */
static rmi_loaded *find(rm_sandbox *sandbox, const rmi_source *from, bool fuel)
{
    rmi_loaded *found = by_key(sandbox, from, fuel);
    if (found != NULL)
        found->is_replaced = false;
    if (found != NULL && strcmp(found->path, from->path) == 0) {
        memcpy(found->identity, from->identity, sizeof found->identity);
        found->is_still = from->is_still;
    }
    return found;
}

/* Until no other thread loads a module. */
static int wait_turn(rm_sandbox *sandbox, const char *path, const rmi_patience *patience, rm_error *err)
{
    while (sandbox->is_loading) {
        struct timespec until;
        if (patience->lost(patience->context))
            return rm_error_set(err, RM_E_CANCELLED, "%s waited for another module to be compiled", path);
        (void)clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += LOOK_NS;
        if (until.tv_nsec >= 1000000000) {
            until.tv_nsec -= 1000000000;
            until.tv_sec++;
        }
        (void)pthread_cond_timedwait(&sandbox->loaded_one, &sandbox->lock, &until);
    }
    return RM_OK;
}

/* ---- Loading */

/* Not under the lock; *made is on no list yet. */
static int load(rm_sandbox *sandbox, const rmi_wanted *wanted, rmi_source *from, int cache, rmi_loaded **made,
                rm_error *err)
{
    const size_t length = strlen(from->path) + 1;
    rmi_loaded *loaded = rmi_alloc(sandbox->allocator, sizeof *loaded + length);
    if (loaded == NULL)
        return rmi_out_of_memory(err);
    *loaded = (rmi_loaded){.engine = wanted->engine, .fuel = wanted->config.fuel, .is_still = from->is_still};
    memcpy(loaded->path, from->path, length);
    memcpy(loaded->identity, from->identity, sizeof loaded->identity);
    memcpy(loaded->key, from->key, sizeof loaded->key);
    const int rc = rmi_code_load(sandbox, wanted, from, cache, &loaded->module, err);
    if (rc == RM_OK)
        *made = loaded;
    else
        rmi_free(sandbox->allocator, loaded, sizeof *loaded + length);
    return rc;
}

/* Under the lock, which is let go while the module is loaded. */
static int load_alone(rm_sandbox *sandbox, const rmi_wanted *wanted, rmi_source *from, rmi_loaded **out,
                      rm_error *err)
{
    const bool fuel = wanted->config.fuel;
    rmi_loaded *made = NULL;
    sandbox->is_loading = true;
    (void)pthread_mutex_unlock(&sandbox->lock);
    const int cache = rmi_cache_open(sandbox);
    int rc = rmi_source_key(from, sandbox, cache, err);
    (void)pthread_mutex_lock(&sandbox->lock);
    rmi_loaded *found = rc == RM_OK ? find(sandbox, from, fuel) : NULL;
    if (rc == RM_OK && found == NULL) {
        (void)pthread_mutex_unlock(&sandbox->lock);
        rc = load(sandbox, wanted, from, cache, &made, err);
        (void)pthread_mutex_lock(&sandbox->lock);
    }
    if (cache >= 0)
        (void)close(cache);
    if (made != NULL) {
        made->next = sandbox->loaded;
        sandbox->loaded = found = made;
    }
    if (rc == RM_OK) {
        found->users++;
        replace(sandbox, from, fuel);
    }
    sandbox->is_loading = false;
    (void)pthread_cond_broadcast(&sandbox->loaded_one);
    *out = found;
    return rc;
}

int rmi_sandbox_module(rm_sandbox *sandbox, const char *path, bool fuel, const rmi_patience *patience,
                       rmi_loaded **out, rm_error *err)
{
    rmi_source from = {.file = -1, .copy = -1};
    rmi_wanted wanted = {.patience = patience};
    *out = NULL;
    (void)pthread_mutex_lock(&sandbox->lock);
    int rc = rmi_sandbox_engine(sandbox, fuel, &wanted.config, &wanted.engine, err);
    if (rc == RM_OK)
        rc = wait_turn(sandbox, path, patience, err);
    if (rc == RM_OK)
        rc = rmi_source_open(&from, path, sandbox->api->engine_key(wanted.engine), err);
    if (rc == RM_OK) {
        *out = by_file(sandbox, &from, fuel);
        if (*out != NULL)
            (*out)->users++;
        else
            rc = load_alone(sandbox, &wanted, &from, out, err);
    }
    (void)pthread_mutex_unlock(&sandbox->lock);
    rmi_source_close(&from);
    return rc;
}

rmi_loaded *rmi_sandbox_module_share(rm_sandbox *sandbox, rmi_loaded *loaded)
{
    (void)pthread_mutex_lock(&sandbox->lock);
    loaded->users++;
    (void)pthread_mutex_unlock(&sandbox->lock);
    return loaded;
}

void rmi_sandbox_module_done(rm_sandbox *sandbox, rmi_loaded *loaded)
{
    if (loaded == NULL)
        return;
    (void)pthread_mutex_lock(&sandbox->lock);
    loaded->users--;
    sweep(sandbox);
    (void)pthread_mutex_unlock(&sandbox->lock);
}

void rmi_sandbox_modules_free(rm_sandbox *sandbox)
{
    while (sandbox->loaded != NULL) {
        rmi_loaded *gone = sandbox->loaded;
        sandbox->loaded = gone->next;
        free_loaded(sandbox, gone);
    }
}
