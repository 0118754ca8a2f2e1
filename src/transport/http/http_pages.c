#include "transport/http/http_pages.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "data/json/json.h"
#include "transport/http/http_files.h"

int rmi_http_healthz(rmi_http_listener *listener, rmi_text *body, const char **type)
{
    (void)listener, (void)type;
    rmi_text_append_c(body, "{\"status\":\"alive\"}\n");
    return 200;
}

int rmi_http_readyz(rmi_http_listener *listener, rmi_text *body, const char **type)
{
    const bool draining = rmi_http_draining(listener);
    (void)type;
    rmi_text_append_c(body, draining ? "{\"status\":\"draining\"}\n" : "{\"status\":\"ready\"}\n");
    return draining ? 503 : 200;
}

int rmi_http_version_page(rmi_http_listener *listener, rmi_text *body, const char **type)
{
    rm_value info = rm_null();
    const rmi_json_style style = {0};
    (void)type;
    int rc = rm_version_info(rmi_service_runtime(rmi_http_service(listener)), &info, NULL);
    if (rc == RM_OK)
        rc = rmi_json_append(body, info, &style, NULL, NULL);
    rmi_text_append_c(body, "\n");
    rm_value_clear(&info);
    body->failed |= rc != RM_OK;
    return 200;
}

int rmi_http_pipelines_page(rmi_http_listener *listener, rmi_text *body, const char **type)
{
    const rmi_pipelines *pipelines = rmi_http_options(listener)->pipelines;
    (void)type;
    rmi_text_append_c(body, "{\"pipelines\":[");
    for (size_t i = 0; i < rmi_pipelines_count(pipelines); i++) {
        if (i > 0)
            rmi_text_append_c(body, ",");
        rmi_http_append_text(body, rmi_pipelines_name(pipelines, i));
    }
    rmi_text_append_c(body, "]}\n");
    return 200;
}

int rmi_http_status_page(rmi_http_listener *listener, rmi_text *body, const char **type)
{
    const rmi_http_counters *counters = rmi_http_counters_of(listener);
    (void)type;
    rmi_text_append_c(body, "{\"status\":");
    rmi_text_append_c(body, rmi_http_draining(listener) ? "\"draining\"" : "\"ready\"");
    rmi_text_printf(body,
                    ",\"version\":\"%s\",\"sessions\":%zu,\"sessions_total\":%" PRIu64 ",\"items\":%" PRIu64
                    ",\"results\":%" PRIu64 ",\"failures\":%" PRIu64 ",\"connections\":%" PRIu64
                    ",\"pipelines\":[",
                    rm_version(), rmi_service_sessions(rmi_http_service(listener)),
                    atomic_load(&counters->sessions), atomic_load(&counters->items),
                    atomic_load(&counters->results), atomic_load(&counters->failures), counters->connections);
    for (size_t i = 0; i < rmi_pipelines_count(rmi_http_options(listener)->pipelines); i++) {
        if (i > 0)
            rmi_text_append_c(body, ",");
        rmi_http_rates_append(body, rmi_http_rates_of(listener), i);
    }
    rmi_text_append_c(body, "]}\n");
    return 200;
}

/* The bytes that the process has in memory, as the system says it; 0: it does not. */
static uint64_t resident_bytes(void)
{
    char line[128] = "", *behind = line;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL)
        return 0;
    const bool read = fgets(line, sizeof line, file) != NULL;
    (void)fclose(file);
    (void)strtoull(line, &behind, 10); /* the whole; the resident pages come second */
    return read ? strtoull(behind, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

static uint64_t open_descriptors(void)
{
    uint64_t count = 0;
    DIR *listed = opendir("/proc/self/fd");
    if (listed == NULL)
        return 0;
    while (readdir(listed) != NULL)
        count++;
    (void)closedir(listed);
    return count > 3 ? count - 3 : 0; /* ".", ".." and the folder itself */
}

int rmi_http_metrics_page(rmi_http_listener *listener, rmi_text *body, const char **type)
{
    *type = "text/plain; version=0.0.4; charset=utf-8";
    rmi_text_printf(body,
                    "# HELP remotemedia_sessions Sessions of all protocols that are open.\n"
                    "# TYPE remotemedia_sessions gauge\n"
                    "remotemedia_sessions %zu\n"
                    "# HELP process_resident_memory_bytes Resident memory size in bytes.\n"
                    "# TYPE process_resident_memory_bytes gauge\n"
                    "process_resident_memory_bytes %" PRIu64 "\n"
                    "# HELP process_open_fds Number of open file descriptors.\n"
                    "# TYPE process_open_fds gauge\n"
                    "process_open_fds %" PRIu64 "\n",
                    rmi_service_sessions(rmi_http_service(listener)), resident_bytes(), open_descriptors());
    rmi_http_append_counters(body, rmi_http_counters_of(listener));
    return 200;
}

int rmi_http_openapi_page(rmi_http_listener *listener, rmi_text *body, const char **type)
{
    (void)listener, (void)type;
    rmi_text_append(body, (const char *)rmi_http_openapi, rmi_http_openapi_size);
    return 200;
}

int rmi_http_front_page(rmi_http_listener *listener, rmi_text *body, const char **type)
{
    (void)listener;
    *type = "text/html; charset=utf-8";
    rmi_text_append(body, (const char *)rmi_http_status, rmi_http_status_size);
    return 200;
}
