/* The capitals of each character; the table is generated (tools/unicode_upper.py). */
#ifndef NODES_UPPERCASE_TABLE_H
#define NODES_UPPERCASE_TABLE_H

#include <stddef.h>
#include <stdint.h>

/* Every `step`-th character of [first, last] moves by `delta`. Sorted, without overlap. */
typedef struct rmi_upper_range {
    uint32_t first, last, step;
    int32_t delta;
} rmi_upper_range;
extern const rmi_upper_range rmi_upper_ranges[];
extern const size_t rmi_upper_range_count;

/* A character with several capitals, as UTF-8. Sorted. */
typedef struct rmi_upper_special {
    uint32_t code;
    const char *text;
} rmi_upper_special;
extern const rmi_upper_special rmi_upper_specials[];
extern const size_t rmi_upper_special_count;

#endif
