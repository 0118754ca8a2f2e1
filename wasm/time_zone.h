/* The local time zone of the variable TZ: WASI's C library has no zone but UTC. */
#ifndef WASM_TIME_ZONE_H
#define WASM_TIME_ZONE_H

#include <stdbool.h>
#include <stdint.h>

/* A type of a zone's local time: standard time, summer time, or an earlier one. */
typedef struct rmi_local_type {
    int32_t offset; /* seconds east of Greenwich */
    bool summer;
    const char *name; /* valid until the next rmi_time_zone_read */
} rmi_local_type;

/* Reads TZ again when it has changed, as tzset does; without a call TZ is read once, at the first use. A text
 * that names no zone means UTC, as in glibc. */
void rmi_time_zone_read(void);
/* The type at `time`, in seconds since 1970. */
rmi_local_type rmi_time_zone_at(int64_t time);
/* The name of the zone's standard or summer time; "" where it has none. */
const char *rmi_time_zone_name(bool summer);

#endif
