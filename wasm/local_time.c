/* Local time in Python's time and datetime: the linker replaces the C library's functions, which have no zone
 * but UTC, by these (--wrap). */
#include <limits.h>
#include <time.h>

#include "wasm/time_zone.h"

struct tm *__real_gmtime_r(const time_t *time, struct tm *to);
time_t __real_mktime(struct tm *local);
struct tm *__wrap_gmtime_r(const time_t *time, struct tm *to);
struct tm *__wrap_localtime_r(const time_t *time, struct tm *to);
time_t __wrap_mktime(struct tm *local);

/* In seconds. STRIDE is glibc's step, NEARBY the distance at which it stops looking. */
enum { HOUR = 3600, DAY = 86400, STRIDE = 601200, NEARBY = 228621600 + STRIDE };

/* glibc's name for the zone */
struct tm *__wrap_gmtime_r(const time_t *time, struct tm *to)
{
    if (__real_gmtime_r(time, to) == NULL)
        return NULL;
    to->__tm_zone = "GMT";
    return to;
}

struct tm *__wrap_localtime_r(const time_t *time, struct tm *to)
{
    const rmi_local_type type = rmi_time_zone_at(*time);
    time_t moved = 0;
    if (__builtin_add_overflow(*time, type.offset, &moved) || __real_gmtime_r(&moved, to) == NULL)
        return NULL;
    to->tm_isdst = type.summer;
    to->__tm_gmtoff = type.offset;
    to->__tm_zone = type.name;
    return to;
}

static bool holds(int64_t clock, rmi_local_type type)
{
    return rmi_time_zone_at(clock - type.offset).offset == type.offset;
}

/* The offset of the nearest summer or standard time; an hour more or less where the zone has none within
 * seven years. */
static int32_t offset_nearby(int64_t time, int32_t offset, bool summer)
{
    for (int64_t distance = STRIDE; distance < NEARBY; distance += STRIDE)
        for (int direction = -1; direction <= 1; direction += 2) {
            const rmi_local_type type = rmi_time_zone_at(time + direction * distance);
            if (type.summer == summer)
                return type.offset;
        }
    return offset + (summer ? HOUR : -HOUR);
}

/* `wanted`: tm_isdst. An hour that comes twice is in standard time, unless the caller wants summer time. An
 * hour that the clock skips counts on from the clock before it; or back from the clock of summer time, if the
 * caller wants that. */
static int32_t offset_at_clock(int64_t clock, int wanted)
{
    const rmi_local_type before = rmi_time_zone_at(clock - DAY), after = rmi_time_zone_at(clock + DAY);
    const bool first = holds(clock, before), second = holds(clock, after);
    if (first == second && before.offset != after.offset) {
        if (first)
            return before.summer == (wanted > 0) ? before.offset : after.offset;
        return wanted > 0 && after.summer ? after.offset : before.offset;
    }
    const int32_t offset = second ? after.offset : before.offset;
    const int64_t time = clock - offset;
    if (wanted < 0 || rmi_time_zone_at(time).summer == (wanted > 0))
        return offset;
    return offset_nearby(time, offset, wanted > 0);
}

time_t __wrap_mktime(struct tm *local)
{
    rmi_time_zone_read();
    struct tm plain = *local;
    const int64_t clock = __real_mktime(&plain); /* as if it were UTC */
    const int64_t time = clock - offset_at_clock(clock, local->tm_isdst);
    return __wrap_localtime_r(&time, local) != NULL ? time : -1;
}
