#include "transport/http/http_counters.h"

#include <inttypes.h>

static const double bounds[RMI_HTTP_BUCKETS] = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01,
                                                0.025,  0.05,    0.1,    0.5,   1,      5,     30};

void rmi_http_count_request(rmi_http_counters *counters, int status, int64_t ns)
{
    int bucket = 0;
    while (bucket < RMI_HTTP_BUCKETS && (double)ns > bounds[bucket] * 1e9)
        bucket++;
    rmi_http_count(&counters->requests[status / 100 < 6 ? status / 100 : 5], 1);
    rmi_http_count(&counters->buckets[bucket], 1);
    rmi_http_count(&counters->duration_ns, (uint64_t)ns);
}

static void put_header(rmi_text *text, const char *name, const char *type, const char *help)
{
    rmi_text_printf(text, "# HELP remotemedia_%s %s\n# TYPE remotemedia_%s %s\n", name, help, name, type);
}

static void put_one(rmi_text *text, const char *name, const char *type, const char *help, uint64_t value)
{
    put_header(text, name, type, help);
    rmi_text_printf(text, "remotemedia_%s %" PRIu64 "\n", name, value);
}

static void put_durations(rmi_text *text, const rmi_http_counters *counters)
{
    static const char name[] = "http_request_duration_seconds";
    uint64_t sum = 0;
    put_header(text, name, "histogram",
               "Time from the first byte of a request to the last one of its answer.");
    for (int i = 0; i < RMI_HTTP_BUCKETS; i++) {
        sum += atomic_load(&counters->buckets[i]);
        rmi_text_printf(text, "remotemedia_%s_bucket{le=\"%g\"} %" PRIu64 "\n", name, bounds[i], sum);
    }
    sum += atomic_load(&counters->buckets[RMI_HTTP_BUCKETS]);
    rmi_text_printf(text, "remotemedia_%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", name, sum);
    rmi_text_printf(text, "remotemedia_%s_sum %.9f\nremotemedia_%s_count %" PRIu64 "\n", name,
                    (double)atomic_load(&counters->duration_ns) / 1e9, name, sum);
}

void rmi_http_append_counters(rmi_text *text, const rmi_http_counters *counters)
{
    static const char *const classes[] = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
    put_header(text, "http_requests_total", "counter",
               "Requests by the class of their status; none: the client went away.");
    for (int i = 0; i < 6; i++)
        rmi_text_printf(text, "remotemedia_http_requests_total{status=\"%s\"} %" PRIu64 "\n", classes[i],
                        atomic_load(&counters->requests[i]));
    put_durations(text, counters);
    put_one(text, "http_connections", "gauge", "Connections that are open.", counters->connections);
    put_one(text, "http_accepted_total", "counter", "Connections that were taken.",
            atomic_load(&counters->accepted));
    put_one(text, "http_dropped_total", "counter", "Connections that were dropped for lack of descriptors.",
            atomic_load(&counters->refused_descriptors));
    put_one(text, "http_access_log_lost_total", "counter",
            "Lines of the access log that could not be written.", atomic_load(&counters->log_lost));
    put_one(text, "http_sessions_total", "counter", "Sessions that clients of HTTP have begun.",
            atomic_load(&counters->sessions));
    put_one(text, "http_items_total", "counter", "Items that these sessions took.",
            atomic_load(&counters->items));
    put_one(text, "http_results_total", "counter", "Results that these sessions gave.",
            atomic_load(&counters->results));
    put_one(text, "http_failures_total", "counter", "Sessions that failed.",
            atomic_load(&counters->failures));
}
