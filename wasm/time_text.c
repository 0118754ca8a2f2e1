/* Python's strftime, as glibc's in the locale C: musl pads years to four digits and has fewer directives. The
 * linker replaces the C library's function by this one (--wrap). */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>
#include <wctype.h>

#include "wasm/time_zone.h"

size_t __wrap_wcsftime(wchar_t *to, size_t size, const wchar_t *format, const struct tm *tm);

/* The text so far; `full`: it did not fit. */
struct formatted {
    wchar_t *to;
    size_t size, used;
    bool full;
};

/* %[flags][width][modifier]letter. `pad`: 0, '-', '_' or '0'. */
struct directive {
    wchar_t pad, modifier, letter;
    size_t width;
    bool upper, swap;
};

/* ---- Text */

static void put(struct formatted *text, wchar_t letter)
{
    if (text->used + 1 < text->size)
        text->to[text->used++] = letter;
    else
        text->full = true;
}

static void put_many(struct formatted *text, wchar_t letter, size_t count)
{
    while (count-- > 0 && !text->full)
        put(text, letter);
}

static void put_in_case(struct formatted *text, wchar_t letter, const struct directive *as, bool lower)
{
    put(text, lower       ? (wchar_t)towlower((wint_t)letter)
              : as->upper ? (wchar_t)towupper((wint_t)letter)
                          : letter);
}

static void put_bytes(struct formatted *text, const char *bytes, const struct directive *as, bool lower)
{
    const size_t length = mbstowcs(NULL, bytes, 0);
    if (length == (size_t)-1)
        return;
    if (length < as->width)
        put_many(text, as->pad == L'0' ? L'0' : L' ', as->width - length);
    mbstate_t state = {0};
    wchar_t letter = 0;
    for (size_t used = 0; *bytes != '\0' && !text->full; bytes += used) {
        used = mbrtowc(&letter, bytes, MB_CUR_MAX, &state);
        if (used == 0 || used > MB_CUR_MAX)
            return;
        put_in_case(text, letter, as, lower);
    }
}

static void put_number(struct formatted *text, int64_t value, size_t digits, const struct directive *as)
{
    char number[24];
    const int length = snprintf(number, sizeof number, "%lld", (long long)value);
    size_t width = as->width;
    if (digits < width)
        digits = width;
    if (as->pad == L'-' || (size_t)length >= digits) {
        put_bytes(text, number, as, false);
        return;
    }
    const bool negative = value < 0 && as->pad != L'_';
    if (negative)
        put(text, L'-');
    put_many(text, as->pad == L'_' ? L' ' : L'0', digits - (size_t)length);
    const struct directive plain = {0};
    put_bytes(text, number + negative, &plain, false);
}

/* ---- Directives */

/* The week of ISO 8601 and its year. */
static int week_of_year(const struct tm *tm, int64_t *year)
{
    const int monday = (tm->tm_wday + 6) % 7;
    int week = (tm->tm_yday - monday + 10) / 7;
    *year = (int64_t)tm->tm_year + 1900;
    for (int turn = 0; turn < 2; turn++) {
        const int64_t y = *year - (week < 1);
        const int leap = y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
        if (week < 1) {
            *year = y;
            week = (tm->tm_yday + 365 + leap - monday + 10) / 7;
        } else if (week == 53 && tm->tm_yday - monday + 3 >= 365 + leap) {
            *year = y + 1;
            week = 1;
        }
    }
    return week;
}

/* Returns the number of digits, 0 when the letter is no number; *value is the number. */
static size_t number_of(wchar_t letter, const struct tm *tm, int64_t *value)
{
    const int64_t year = (int64_t)tm->tm_year + 1900;
    int64_t week_year = 0;
    const int week = week_of_year(tm, &week_year), hour = tm->tm_hour % 12 == 0 ? 12 : tm->tm_hour % 12;
    const struct {
        wchar_t letter;
        uint8_t digits;
        int64_t value;
    } numbers[] = {
        {L'C', 1, year / 100 - (year % 100 < 0)},
        {L'd', 2, tm->tm_mday},
        {L'e', 2, tm->tm_mday},
        {L'g', 2, (week_year % 100 + 100) % 100},
        {L'G', 1, week_year},
        {L'H', 2, tm->tm_hour},
        {L'I', 2, hour},
        {L'j', 3, (int64_t)tm->tm_yday + 1},
        {L'k', 2, tm->tm_hour},
        {L'l', 2, hour},
        {L'm', 2, (int64_t)tm->tm_mon + 1},
        {L'M', 2, tm->tm_min},
        {L'S', 2, tm->tm_sec},
        {L'u', 1, (tm->tm_wday + 6) % 7 + 1},
        {L'U', 2, (tm->tm_yday - tm->tm_wday + 7) / 7},
        {L'V', 2, week},
        {L'w', 1, tm->tm_wday},
        {L'W', 2, (tm->tm_yday - (tm->tm_wday + 6) % 7 + 7) / 7},
        {L'y', 2, (year % 100 + 100) % 100},
        {L'Y', 1, year},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (numbers[i].letter == letter) {
            *value = numbers[i].value;
            return numbers[i].digits;
        }
    return 0;
}

/* The directives that the letter stands for; NULL when it stands for no others. */
static const wchar_t *others_of(wchar_t letter)
{
    switch (letter) {
    case L'c':
        return L"%a %b %e %H:%M:%S %Y";
    case L'D':
    case L'x':
        return L"%m/%d/%y";
    case L'F':
        return L"%Y-%m-%d";
    case L'r':
        return L"%I:%M:%S %p";
    case L'R':
        return L"%H:%M";
    case L'T':
    case L'X':
        return L"%H:%M:%S";
    default:
        return NULL;
    }
}

/* The name of a day or month; NULL when the letter is no name. */
static const char *name_of(wchar_t letter, const struct tm *tm, char shortened[4])
{
    static const char *const days[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                       "Thursday", "Friday", "Saturday"};
    static const char *const months[] = {"January",   "February", "March",    "April",
                                         "May",       "June",     "July",     "August",
                                         "September", "October",  "November", "December"};
    const char *day = tm->tm_wday >= 0 && tm->tm_wday < 7 ? days[tm->tm_wday] : "?";
    const char *month = tm->tm_mon >= 0 && tm->tm_mon < 12 ? months[tm->tm_mon] : "?";
    switch (letter) {
    case L'A':
        return day;
    case L'B':
        return month;
    case L'a':
    case L'b':
    case L'h':
        (void)snprintf(shortened, 4, "%.3s", letter == L'a' ? day : month);
        return shortened;
    case L'p':
    case L'P':
        return tm->tm_hour >= 12 ? "PM" : "AM";
    case L'n':
        return "\n";
    case L't':
        return "\t";
    case L'%':
        return "%";
    case L'Z':
        if (tm->__tm_zone != NULL && tm->__tm_zone[0] != '\0')
            return tm->__tm_zone;
        return tm->tm_isdst >= 0 ? rmi_time_zone_name(tm->tm_isdst > 0) : "";
    default:
        return NULL;
    }
}

static void put_offset(struct formatted *text, const struct tm *tm, const struct directive *as)
{
    if (tm->tm_isdst < 0)
        return;
    const int minutes = abs(tm->__tm_gmtoff) / 60;
    const bool behind = tm->__tm_gmtoff < 0;
    put_bytes(text, behind ? "-" : "+", as, false); /* glibc widens it too */
    put_number(text, minutes / 60 * 100 + minutes % 60, 4, as);
}

/* E is for years and dates, O for numbers; in the locale C neither has an effect where it is allowed. */
static bool may_modify(wchar_t modifier, wchar_t letter)
{
    return modifier == 0 || (modifier == L'E' && wcschr(L"cCxXyYnprRPtTuzZ%", letter) != NULL) ||
           (modifier == L'O' && wcschr(L"bBhCdegGHIjklmMSUVwWynprRPtTuzZ%", letter) != NULL);
}

static void put_all(struct formatted *text, const wchar_t *format, const struct tm *tm, bool upper);

/* Writes one directive; returns false when there is no such directive. */
static bool put_directive(struct formatted *text, struct directive *as, const struct tm *tm)
{
    char shortened[4];
    int64_t value = 0;
    const wchar_t letter = as->letter;
    if (letter == 0 || !may_modify(as->modifier, letter))
        return false;
    size_t digits = number_of(letter, tm, &value);
    const wchar_t *others = others_of(letter);
    if (digits > 0) {
        if (wcschr(L"ekl", letter) != NULL && as->pad == 0)
            as->pad = L'_';
        put_number(text, value, digits, as);
    } else if (others != NULL) {
        const size_t before = text->used;
        put_all(text, others, tm, as->upper);
        const size_t length = text->used - before, more = length < as->width ? as->width - length : 0;
        put_many(text, L' ', more);
        if (!text->full) {
            wmemmove(text->to + before + more, text->to + before, length);
            wmemset(text->to + before, as->pad == L'0' ? L'0' : L' ', more);
        }
    } else if (letter == L's') {
        struct tm copy = *tm;
        put_number(text, mktime(&copy), 1, as);
    } else if (letter == L'z') {
        put_offset(text, tm, as);
    } else {
        const char *name = name_of(letter, tm, shortened);
        if (name == NULL)
            return false;
        as->upper |= as->swap && letter != L'p' && letter != L'Z';
        put_bytes(text, name, as, letter == L'P' || (as->swap && (letter == L'p' || letter == L'Z')));
    }
    return true;
}

static void put_as_it_is(struct formatted *text, const wchar_t *from, size_t length,
                         const struct directive *as)
{
    if (length < as->width)
        put_many(text, as->pad == L'0' ? L'0' : L' ', as->width - length);
    for (size_t i = 0; i < length; i++)
        put_in_case(text, from[i], as, false);
}

static const wchar_t *take_directive(const wchar_t *at, struct directive *to)
{
    for (; *at != 0 && wcschr(L"_-0^#", *at) != NULL; at++) {
        if (*at == L'^')
            to->upper = true;
        else if (*at == L'#')
            to->swap = true;
        else
            to->pad = *at;
    }
    for (; *at >= L'0' && *at <= L'9'; at++)
        to->width = to->width > 100000 ? to->width : to->width * 10 + (size_t)(*at - L'0');
    if (*at == L'E' || *at == L'O')
        to->modifier = *at++;
    to->letter = *at;
    return *at != 0 ? at + 1 : at;
}

static void put_all(struct formatted *text, const wchar_t *format, const struct tm *tm, bool upper)
{
    while (*format != 0 && !text->full) {
        if (*format != L'%') {
            put(text, *format++);
            continue;
        }
        struct directive directive = {.upper = upper};
        const wchar_t *after = take_directive(format + 1, &directive);
        if (!put_directive(text, &directive, tm))
            put_as_it_is(text, format, (size_t)(after - format), &directive);
        format = after;
    }
}

size_t __wrap_wcsftime(wchar_t *to, size_t size, const wchar_t *format, const struct tm *tm)
{
    rmi_time_zone_read();
    struct formatted text = {.to = to, .size = size};
    put_all(&text, format, tm, false);
    if (text.full || size == 0)
        return 0;
    to[text.used] = 0;
    return text.used;
}
