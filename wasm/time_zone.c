/* TZ is a rule of POSIX ("CET-1CEST,M3.5.0,M10.5.0/3"), or names a file in the format TZif (RFC 8536): an
 * absolute path, or one below TZDIR or /usr/share/zoneinfo; without the file, a zone inside (wasm/zones.h). All
 * as glibc does it, which always has the files. */
#include "wasm/time_zone.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "wasm/zones.h"

enum { NAME = 32, PATH = 4096, FILE_MOST = 16384, HOUR = 3600, DAY = 86400, HEADER = 44 };

/* The change of a rule: a day of the year, at `time` of the clock before it. */
struct change {
    enum { MONTH, JULIAN, DAY_OF_YEAR } kind;
    int month, week, day, time;
};

struct named {
    int32_t offset;
    char name[NAME];
};

/* The tables of a TZif file's second part. */
struct table {
    const unsigned char *times, *indexes, *types, *names;
    size_t time_count, type_count, name_bytes;
};

/* The zone of the process, as in a C library. */
static struct zone {
    bool read, changes; /* changes: the rule has summer time */
    char text[256];     /* TZ when it was read; a longer one is read each time */
    struct named standard, summer;
    struct change start, end;
    struct table table;
    unsigned char file[FILE_MOST + 1];
} zone;

/* ---- A rule */

/* Takes letters, or anything between < and >. */
static bool take_name(const char **at, char *to)
{
    const char *from = *at;
    const bool quoted = *from == '<';
    from += quoted;
    size_t length = 0;
    while (quoted ? from[length] != '>' && from[length] != '\0' : (unsigned)((from[length] | 32) - 'a') < 26)
        length++;
    if (length < 3 || length >= NAME || (quoted && from[length] == '\0'))
        return false;
    memcpy(to, from, length);
    to[length] = '\0';
    *at = from + length + quoted;
    return true;
}

static bool take_number(const char **at, int most, int *to)
{
    int value = 0;
    const char *from = *at;
    if (*from < '0' || *from > '9')
        return false;
    for (; *from >= '0' && *from <= '9'; from++)
        if ((value = value * 10 + (*from - '0')) > most)
            return false;
    *at = from;
    *to = value;
    return true;
}

/* Takes [+-]hours[:minutes[:seconds]], in seconds. */
static bool take_time(const char **at, int most_hours, int *to)
{
    int sign = 1, hours = 0, minutes = 0, seconds = 0;
    if (**at == '+' || **at == '-')
        sign = *(*at)++ == '-' ? -1 : 1;
    if (!take_number(at, most_hours, &hours))
        return false;
    if (**at == ':' && (*at)++ && !take_number(at, 59, &minutes))
        return false;
    if (**at == ':' && (*at)++ && !take_number(at, 59, &seconds))
        return false;
    *to = sign * (hours * HOUR + minutes * 60 + seconds);
    return true;
}

static bool take_change(const char **at, struct change *to)
{
    *to = (struct change){.kind = DAY_OF_YEAR, .time = 2 * HOUR};
    if (*(*at)++ != ',')
        return false;
    if (**at == 'M') {
        (*at)++;
        to->kind = MONTH;
        if (!take_number(at, 12, &to->month) || to->month < 1 || *(*at)++ != '.' ||
            !take_number(at, 5, &to->week) || to->week < 1 || *(*at)++ != '.' ||
            !take_number(at, 6, &to->day))
            return false;
    } else {
        if (**at == 'J') {
            (*at)++;
            to->kind = JULIAN;
        }
        if (!take_number(at, 365, &to->day) || (to->kind == JULIAN && to->day == 0))
            return false;
    }
    return **at != '/' || ((*at)++, take_time(at, 167, &to->time));
}

/* Reads a rule. Without the days of the change it uses those of the United States, as glibc does. */
static void read_rule(const char *text)
{
    int seconds = 0;
    zone.changes = false;
    zone.standard = zone.summer = (struct named){0};
    if (!take_name(&text, zone.standard.name) || !take_time(&text, 24, &seconds))
        return;
    zone.standard.offset = -seconds;
    if (!take_name(&text, zone.summer.name))
        return;
    zone.summer.offset = zone.standard.offset + HOUR;
    if (*text != ',' && *text != '\0') {
        if (!take_time(&text, 24, &seconds))
            return;
        zone.summer.offset = -seconds;
    }
    if (*text == '\0')
        text = ",M3.2.0,M11.1.0";
    zone.changes = take_change(&text, &zone.start) && take_change(&text, &zone.end);
}

/* ---- Days */

static bool is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Days from 1970-01-01 to the first of January. */
static int64_t days_before(int64_t year)
{
    const int64_t last = year - 1;
    return 365 * (year - 1970) + last / 4 - last / 100 + last / 400 - 477;
}

/* The year of a time from 1970 on. */
static int64_t year_of(int64_t time)
{
    const int64_t day = time / DAY;
    int64_t year = 1970 + day / 366;
    while (days_before(year + 1) <= day)
        year += 1 + (day - days_before(year + 1)) / 366;
    return year;
}

static int64_t day_of_change(const struct change *change, int64_t year)
{
    static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
    const bool leap = is_leap(year);
    if (change->kind == DAY_OF_YEAR)
        return days_before(year) + change->day;
    if (change->kind == JULIAN)
        return days_before(year) + change->day - 1 + (leap && change->day >= 60);
    const int length = before[change->month] - before[change->month - 1] + (leap && change->month == 2);
    const int64_t first = days_before(year) + before[change->month - 1] + (leap && change->month > 2);
    const int weekday = (int)(((first + 4) % 7 + 7) % 7);
    int day = (change->day - weekday + 7) % 7 + 7 * (change->week - 1);
    if (day >= length)
        day -= 7;
    return first + day;
}

static rmi_local_type by_rule(int64_t time)
{
    bool summer = false;
    if (zone.changes) {
        const int64_t year = time < 0 ? 1970 : year_of(time); /* no changes before, as in glibc */
        const int64_t start = day_of_change(&zone.start, year) * DAY + zone.start.time - zone.standard.offset;
        const int64_t end = day_of_change(&zone.end, year) * DAY + zone.end.time - zone.summer.offset;
        summer = start > end ? time < end || time >= start : time >= start && time < end;
    }
    const struct named *named = summer ? &zone.summer : &zone.standard;
    return (rmi_local_type){.offset = named->offset, .summer = summer, .name = named->name};
}

/* ---- A file */

static int64_t number(const unsigned char *at, size_t bytes)
{
    uint64_t value = (at[0] & 0x80) != 0 ? UINT64_MAX : 0;
    for (size_t i = 0; i < bytes; i++)
        value = value << 8 | at[i];
    return (int64_t)value;
}

/* Finds the tables of the part at `at`, with times of `bytes` bytes. Returns its end, NULL when it is not
 * whole. */
static const unsigned char *find_tables(const unsigned char *at, const unsigned char *end, size_t bytes,
                                        struct table *table)
{
    size_t counts[6]; /* indicators of UT and of standard time, leap seconds, times, types, bytes of names */
    if (end - at < HEADER || memcmp(at, "TZif", 4) != 0)
        return NULL;
    for (int i = 0; i < 6; i++) {
        const int64_t count = number(at + 20 + 4 * i, 4);
        if (count < 0 || count > FILE_MOST)
            return NULL;
        counts[i] = (size_t)count;
    }
    const size_t times = counts[3] * bytes, types = counts[4] * 6, names = counts[5];
    const size_t rest = counts[2] * (bytes + 4) + counts[1] + counts[0];
    if (times + counts[3] + types + names + rest > (size_t)(end - at) - HEADER || types == 0)
        return NULL;
    table->time_count = counts[3];
    table->type_count = counts[4];
    table->name_bytes = names;
    table->times = at + HEADER;
    table->indexes = table->times + times;
    table->types = table->indexes + counts[3];
    table->names = table->types + types;
    return table->names + names + rest;
}

static bool tables_are_sound(const struct table *table)
{
    for (size_t i = 0; i < table->time_count; i++)
        if (table->indexes[i] >= table->type_count)
            return false;
    for (size_t i = 0; i < table->type_count; i++)
        if (table->types[6 * i + 5] >= table->name_bytes)
            return false;
    return table->name_bytes > 0 && table->names[table->name_bytes - 1] == '\0';
}

/* Parses a file. Files of version 1, which have no rule at the end, are not supported. */
static bool parse_file(size_t size)
{
    const unsigned char *end = zone.file + size;
    struct table first, second;
    const unsigned char *at = find_tables(zone.file, end, 4, &first);
    if (at == NULL || zone.file[4] < '2' || (at = find_tables(at, end, 8, &second)) == NULL ||
        !tables_are_sound(&second))
        return false;
    unsigned char *line = zone.file + (at - zone.file);
    unsigned char *newline =
        line < end && *line == '\n' ? memchr(line + 1, '\n', (size_t)(end - line - 1)) : NULL;
    if (newline == NULL)
        return false;
    *newline = '\0';
    read_rule((const char *)line + 1);
    zone.table = second;
    return true;
}

static bool find_inside(const char *name)
{
    size_t size = 0;
    const unsigned char *bytes = rmi_zone_find(name, &size);
    if (bytes == NULL || size > FILE_MOST)
        return false;
    memcpy(zone.file, bytes, size);
    return parse_file(size);
}

static bool read_file(const char *name)
{
    char path[PATH];
    const char *folder = getenv("TZDIR");
    if (folder == NULL || *folder == '\0')
        folder = "/usr/share/zoneinfo";
    const int length = *name == '/' ? snprintf(path, sizeof path, "%s", name)
                                    : snprintf(path, sizeof path, "%s/%s", folder, name);
    if (length < 0 || length >= PATH)
        return false;
    const int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return find_inside(name);
    size_t size = 0;
    ssize_t got = 1;
    while (size <= FILE_MOST && got > 0 &&
           (got = read(descriptor, zone.file + size, FILE_MOST + 1 - size)) > 0)
        size += (size_t)got;
    (void)close(descriptor);
    return got == 0 && size <= FILE_MOST && parse_file(size);
}

static rmi_local_type type_at(size_t index)
{
    const unsigned char *type = zone.table.types + 6 * index;
    return (rmi_local_type){.offset = (int32_t)number(type, 4),
                            .summer = type[4] != 0,
                            .name = (const char *)zone.table.names + type[5]};
}

/* The type at a time: before the first change the first type of standard time, after the last one the
 * rule's. */
static rmi_local_type by_table(int64_t time)
{
    const struct table *table = &zone.table;
    size_t low = 0, high = table->time_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (number(table->times + 8 * middle, 8) <= time)
            low = middle + 1;
        else
            high = middle;
    }
    if (low > 0)
        return type_at(table->indexes[low - 1]);
    for (size_t i = 0; i < table->type_count; i++)
        if (table->types[6 * i + 4] == 0)
            return type_at(i);
    return type_at(0);
}

static bool is_after_table(int64_t time)
{
    const struct table *table = &zone.table;
    return table->time_count == 0 || time >= number(table->times + 8 * (table->time_count - 1), 8);
}

/* ---- The zone */

void rmi_time_zone_read(void)
{
    const char *text = getenv("TZ");
    const bool given = text != NULL && *text != '\0';
    if (!given)
        text = "UTC0";
    if (zone.read && strcmp(text, zone.text) == 0)
        return;
    zone.read = true;
    (void)snprintf(zone.text, sizeof zone.text, "%s", text);
    zone.table = (struct table){0};
    if (*text == ':')
        text++;
    if (!given || !read_file(text))
        read_rule(text);
}

rmi_local_type rmi_time_zone_at(int64_t time)
{
    if (!zone.read)
        rmi_time_zone_read();
    const bool has_rule = zone.table.types == NULL || zone.standard.name[0] != '\0';
    return has_rule && is_after_table(time) ? by_rule(time) : by_table(time);
}

const char *rmi_time_zone_name(bool summer)
{
    if (!zone.read)
        rmi_time_zone_read();
    return summer && zone.changes ? zone.summer.name : zone.standard.name;
}
