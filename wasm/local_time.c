/* Local time in Python's time and datetime: the linker puts these functions in the place of the C library's (--wrap), which
 * know no zone but UTC. */
#include <limits.h>
#include <time.h>

#include "wasm/time_zone.h"

struct tm *__real_gmtime_r(const time_t *time, struct tm *to);
time_t __real_mktime(struct tm *local);
struct tm *__wrap_gmtime_r(const time_t *time, struct tm *to);
struct tm *__wrap_localtime_r(const time_t *time, struct tm *to);
time_t __wrap_mktime(struct tm *local);

enum { DAY = 86400, WEEK = 7 * DAY };

/* glibc's name for it. */
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

/* The nearest time at which summer time is in force, or is not, decides the offset. */
static int32_t offset_of(int64_t clock, bool summer)
{
    for (int64_t distance = 0; distance < 45 * WEEK; distance += WEEK) {
        const rmi_local_type before = rmi_time_zone_at(clock - distance);
        if (before.summer == summer)
            return before.offset;
        const rmi_local_type after = rmi_time_zone_at(clock + distance);
        if (after.summer == summer)
            return after.offset;
    }
    return rmi_time_zone_at(clock).offset;
}

static bool holds(int64_t clock, rmi_local_type type)
{
    return rmi_time_zone_at(clock - type.offset).offset == type.offset;
}

/* An hour that comes twice is the one of standard time; one that is left out counts on from the clock before it. */
static int32_t offset_at_clock(int64_t clock)
{
    const rmi_local_type before = rmi_time_zone_at(clock - DAY), after = rmi_time_zone_at(clock + DAY);
    const bool first = holds(clock, before), second = holds(clock, after);
    if (first && second)
        return before.summer ? after.offset : before.offset;
    return second ? after.offset : before.offset;
}

time_t __wrap_mktime(struct tm *local)
{
    struct tm plain = *local;
    const int64_t clock = __real_mktime(&plain); /* as if it were UTC */
    const int64_t time =
        clock - (local->tm_isdst < 0 ? offset_at_clock(clock) : offset_of(clock, local->tm_isdst > 0));
    return __wrap_localtime_r(&time, local) != NULL ? time : -1;
}
