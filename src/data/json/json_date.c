/* Numpy's dates as ISO 8601 text, as precise as their unit; durations as numbers of their unit. */
#include <stdio.h>
#include <string.h>

#include "data/json/json_parts.h"

enum { MONTHS = 12, DAY = 86400 };

/* The length of one step of a unit: months, or seconds, or a decimal part of a second with `decimals`
 * digits. */
static const struct unit {
    const char *letters;
    int64_t months, seconds;
    int decimals;
    size_t shown; /* characters of "-MM-DDTHH:MM:SS" */
} units[] = {
    {"Y", MONTHS, 0, 0, 0}, {"M", 1, 0, 0, 3},   {"W", 0, 7 * DAY, 0, 6}, {"D", 0, DAY, 0, 6},
    {"h", 0, 3600, 0, 9},   {"m", 0, 60, 0, 12}, {"s", 0, 1, 0, 15},      {"ms", 0, 1, 3, 15},
    {"us", 0, 1, 6, 15},    {"ns", 0, 1, 9, 15}, {"ps", 0, 1, 12, 15},    {"fs", 0, 1, 15, 15},
    {"as", 0, 1, 18, 15},
};

/* Divides, rounding down; *rest is the remainder. */
static int64_t divide(int64_t value, int64_t by, int64_t *rest)
{
    int64_t quotient = value / by;
    *rest = value % by;
    if (*rest < 0) {
        *rest += by;
        quotient--;
    }
    return quotient;
}

/* A day of the Gregorian calendar. */
typedef struct date {
    int64_t year, month, day; /* month and day from 1 */
} date;

/* The day `days` after 1970-01-01. Years are counted from March, so that a leap day is the last day: first
 * the 400 years, then 100, 4 and 1 of them, then months. */
static date find_day(int64_t days)
{
    enum { ERA = 146097, CENTURY = 36524, FOUR = 1461, YEAR = 365, MARCH_2000 = 11017 };
    static const uint8_t lengths[] = {31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 31, 29};
    int64_t rest = 0, month = 0;
    int64_t eras = divide(days, ERA, &rest);
    eras += divide(rest - MARCH_2000, ERA, &rest);
    const int64_t centuries = rest / CENTURY < 3 ? rest / CENTURY : 3;
    rest -= centuries * CENTURY;
    const int64_t fours = rest / FOUR;
    rest -= fours * FOUR;
    const int64_t years = rest / YEAR < 3 ? rest / YEAR : 3;
    rest -= years * YEAR;
    for (; rest >= lengths[month]; month++)
        rest -= lengths[month];
    const int64_t year = 2000 + 400 * eras + 100 * centuries + 4 * fours + years;
    return (date){
        .year = month < 10 ? year : year + 1, .month = month < 10 ? month + 3 : month - 9, .day = rest + 1};
}

/* Returns false where a step of the calendar does not fit 64 bits. */
static bool convert(const struct unit *unit, int64_t value, date *day, int64_t *second, int64_t *fraction)
{
    int64_t steps = 0;
    *second = *fraction = 0;
    *day = (date){.month = 1, .day = 1};
    if (unit->months != 0) {
        bool fits = !__builtin_mul_overflow(value, unit->months, &steps);
        day->year = 1970 + divide(steps, MONTHS, &day->month);
        day->month++;
        return fits;
    }
    if (unit->seconds >= DAY) {
        bool fits = !__builtin_mul_overflow(value, unit->seconds / DAY, &steps);
        *day = find_day(steps);
        return fits;
    }
    int64_t scale = 1;
    for (int i = 0; i < unit->decimals; i++)
        scale *= 10;
    bool fits = !__builtin_mul_overflow(divide(value, scale, fraction), unit->seconds, &steps);
    *day = find_day(divide(steps, DAY, second));
    return fits;
}

static void put_day(const rmi_json_writer *w, const struct unit *unit, date day, int64_t second,
                    int64_t fraction)
{
    enum { SHOWN = 15, HOUR = 3600 };
    char rest[64];
    (void)snprintf(rest, sizeof rest, "-%02d-%02dT%02d:%02d:%02d", (int)day.month, (int)day.day,
                   (int)(second / HOUR), (int)(second / 60 % 60), (int)(second % 60));
    rmi_text_printf(w->text, "\"%s%04lld%.*s", day.year < 0 ? "-" : "",
                    (long long)(day.year < 0 ? -day.year : day.year), (int)unit->shown, rest);
    if (unit->decimals != 0)
        rmi_text_printf(w->text, ".%0*lld", unit->decimals, (long long)fraction);
    rmi_text_append_c(w->text, "\"");
}

int rmi_json_put_date(const rmi_json_writer *w, const rmi_element *element, int64_t count)
{
    const char *letters = NULL;
    size_t length = 0, i = 0;
    int64_t multiple = 1, value = 0, second = 0, fraction = 0;
    date day;
    const bool has_unit = rmi_element_unit(element, &letters, &length, &multiple);
    if (count == INT64_MIN) { /* numpy's "not a time" */
        rmi_text_append_c(w->text, "null");
        return RM_OK;
    }
    bool fits = !__builtin_mul_overflow(count, multiple, &value);
    if (fits && (!has_unit || element->kind == 'm')) {
        rmi_json_put_int(w, value);
        return RM_OK;
    }
    while (i + 1 < sizeof units / sizeof *units &&
           (strlen(units[i].letters) != length || memcmp(units[i].letters, letters, length) != 0))
        i++; /* the name was checked: it is in the table */
    if (!fits || !convert(&units[i], value, &day, &second, &fraction))
        return rm_error_set(w->err, RM_E_UNSUPPORTED, "a date of %lld times '%s' is past what can be printed",
                            (long long)count, element->unit);
    put_day(w, &units[i], day, second, fraction);
    return RM_OK;
}
