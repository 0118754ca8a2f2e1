/* How much a server logs: clients must not fill the disk with what they do wrongly. */
#ifndef CLI_LOG_LIMIT_H
#define CLI_LOG_LIMIT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* 100 lines at once, and 10 more a second. Starts zeroed but for `lock`. */
typedef struct rmi_log_limit {
    pthread_mutex_t lock;
    int64_t since; /* monotonic ns: the lines up to then are paid for */
    uint64_t left_out;
} rmi_log_limit;

/* Whether one more line may be written now. *left_out lines were not since the last time that it was true. Any thread. */
bool rmi_log_limit_pass(rmi_log_limit *limit, uint64_t *left_out);
/* The lines that were left out since then. */
uint64_t rmi_log_limit_left_out(rmi_log_limit *limit);

#endif
