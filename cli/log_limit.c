#include "cli/log_limit.h"

#include "platform/platform.h"

/* ns that a line costs, and that can be saved. */
static const int64_t cost = 100000000, most = 100 * INT64_C(100000000);

bool rmi_log_limit_pass(rmi_log_limit *limit, uint64_t *left_out)
{
    const int64_t now = rmi_platform_now();
    pthread_mutex_lock(&limit->lock);
    if (limit->since == 0 || limit->since < now - most)
        limit->since = now - most;
    const bool passes = limit->since + cost <= now;
    *left_out = limit->left_out;
    if (passes)
        limit->since += cost;
    limit->left_out = passes ? 0 : limit->left_out + 1;
    pthread_mutex_unlock(&limit->lock);
    return passes;
}

uint64_t rmi_log_limit_left_out(rmi_log_limit *limit)
{
    pthread_mutex_lock(&limit->lock);
    const uint64_t left_out = limit->left_out;
    pthread_mutex_unlock(&limit->lock);
    return left_out;
}
