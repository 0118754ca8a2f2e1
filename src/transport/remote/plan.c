#include "transport/remote/plan.h"

#include <string.h>

#include "base/alloc.h"

const char *const rmi_balancings[] = {"failover", "round_robin", "least_loaded", NULL};

enum { MOST_ENDPOINTS = 64, LONGEST_TOKEN = 900, MOST_RETRIES = 1000000 };
static const int64_t longest_ms = INT64_C(31622400000);

void rmi_remote_plan_free(const rm_allocator *allocator, rmi_remote_plan *plan)
{
    rmi_free(allocator, plan->endpoints, (plan->endpoint_count + 1) * sizeof *plan->endpoints);
    rmi_remote_work_free(allocator, &plan->there);
    rmi_remote_work_free(allocator, &plan->here);
}

bool rmi_is_endpoint(const char *text)
{
    const char *colon = strrchr(text, ':');
    if (colon == NULL || colon == text || colon[1] == '\0' || strlen(text) > 255)
        return false;
    const size_t digits = strspn(colon + 1, "0123456789");
    return digits == strlen(colon + 1) && digits <= 5 && strcspn(text, " /\t\r\n") == strlen(text);
}

static int read_endpoints(const rm_allocator *allocator, rm_value list, rmi_remote_plan *plan, rm_error *err)
{
    const size_t count = list.kind == RM_LIST ? rm_list_length(list) : 0;
    int rc = RM_OK;
    if (count < 1 || count > MOST_ENDPOINTS) {
        rc = rm_error_set(err, RM_E_VALUE, "endpoints must be a list of 1 to %d HOST:PORT",
                          (int)MOST_ENDPOINTS);
        rm_error_pointer(err, "/params/endpoints");
        return rc;
    }
    plan->endpoints = rmi_alloc_zeroed(allocator, (count + 1) * sizeof *plan->endpoints);
    if (plan->endpoints == NULL)
        return rmi_out_of_memory(err);
    plan->endpoint_count = count;
    for (size_t i = 0; rc == RM_OK && i < count; i++) {
        const rm_value text = rm_list_get(list, i);
        plan->endpoints[i] = rm_string_text(text, NULL);
        if (text.kind == RM_STRING && rmi_is_endpoint(plan->endpoints[i]))
            continue;
        rc = rm_error_set(err, RM_E_VALUE, "an endpoint is HOST:PORT, not '%s'",
                          text.kind == RM_STRING ? plan->endpoints[i] : rm_kind_name((rm_kind)text.kind));
        rm_error_pointer(err, "/params/endpoints/%zu", i);
    }
    return rc;
}

/* A map of integers: the fields are those of `names`. */
static int read_numbers(rm_value map, const char *param, const char *const names[2], int64_t *const to[2],
                        const int64_t most[2], rm_error *err)
{
    int rc = RM_OK;
    if (map.kind == RM_NULL)
        return RM_OK;
    if (map.kind != RM_MAP)
        rc = rm_error_set(err, RM_E_TYPE, "%s is {\"%s\": n, \"%s\": n}", param, names[0], names[1]);
    for (size_t i = 0; rc == RM_OK && i < rm_map_length(map); i++) {
        rm_value key, value;
        (void)rm_map_at(map, i, &key, &value);
        const char *name = rm_string_text(key, NULL);
        const size_t which = strcmp(name, names[0]) == 0 ? 0 : strcmp(name, names[1]) == 0 ? 1 : 2;
        if (which == 2)
            rc = rm_error_set(err, RM_E_UNKNOWN_FIELD, "%s has no '%s': %s, %s", param, name, names[0],
                              names[1]);
        else if (value.kind != RM_INT || value.i < 0 || value.i > most[which])
            rc = rm_error_set(err, RM_E_VALUE, "%s.%s must be an integer from 0 to %lld", param, name,
                              (long long)most[which]);
        else
            *to[which] = value.i;
    }
    if (rc != RM_OK)
        rm_error_pointer(err, "/params/%s", param);
    return rc;
}

static int read_policy(const rmi_remote_params *params, rmi_remote_plan *plan, rm_error *err)
{
    static const char *const retry[] = {"max", "backoff_ms"}, *const breaker[] = {"failures", "reset_ms"};
    int64_t *const retry_to[] = {&plan->retries, &plan->backoff_ms};
    int64_t *const breaker_to[] = {&plan->breaker_failures, &plan->breaker_reset_ms};
    const int64_t most[] = {MOST_RETRIES, longest_ms};
    int rc = read_numbers(params->retry, "retry", retry, retry_to, most, err);
    if (rc == RM_OK)
        rc = read_numbers(params->breaker, "circuit_breaker", breaker, breaker_to, most, err);
    if (rc == RM_OK && params->token != NULL && strlen(params->token) > LONGEST_TOKEN) {
        rc = rm_error_set(err, RM_E_LIMIT, "a token has at most %d characters", (int)LONGEST_TOKEN);
        rm_error_pointer(err, "/params/token");
    }
    return rc;
}

static int read_manifest(const rm_allocator *allocator, rm_value manifest, rmi_remote_plan *plan,
                         rm_error *err)
{
    char inside[sizeof err->pointer];
    int rc;
    if (manifest.kind == RM_MAP)
        rc = rmi_remote_work_make(allocator, rm_value_retain(manifest), &plan->there, err);
    else
        rc = rm_error_set(
            err, RM_E_TYPE,
            "manifest must be a manifest (an object), not %s: the protocol has no names of pipelines",
            rm_kind_name((rm_kind)manifest.kind));
    if (rc != RM_OK && err != NULL) {
        memcpy(inside, err->pointer, sizeof inside);
        rm_error_pointer(err, "/params/manifest%.*s", (int)sizeof inside - 32,
                         err->has_pointer ? inside : "");
    }
    return rc;
}

rmi_remote_plan rmi_remote_plan_preset(void)
{
    return (rmi_remote_plan){.backoff_ms = 100,
                             .breaker_failures = 5,
                             .breaker_reset_ms = 30000,
                             .most_hops = RMI_MOST_HOPS,
                             .there = {.manifest = {.kind = RM_NULL}},
                             .here = {.manifest = {.kind = RM_NULL}}};
}

int rmi_remote_plan_read(const rm_allocator *allocator, const rmi_remote_params *params,
                         rmi_remote_plan *plan, rm_error *err)
{
    *plan = rmi_remote_plan_preset();
    plan->balancing = (rmi_balancing)params->balancing;
    plan->timeout_ms = params->timeout_ms;
    plan->most_hops = (unsigned)params->most_hops;
    plan->token = params->token;
    plan->authorities_file = params->authorities_file;
    int rc = read_endpoints(allocator, params->endpoints, plan, err);
    if (rc == RM_OK)
        rc = read_policy(params, plan, err);
    return rc == RM_OK ? read_manifest(allocator, params->manifest, plan, err) : rc;
}
