/* Integers of any size as sign and magnitude, for src/data. */
#ifndef DATA_INTEGER_H
#define DATA_INTEGER_H

#include "base/text.h"
#include "remotemedia/remotemedia.h"

enum { RMI_INTEGER_MAX_DIGITS = 4300, RMI_INT64_TEXT = 20 };

/* Limbs, least significant first, without zeros at the end; borrowed from the value. */
typedef struct rmi_magnitude {
    const uint64_t *limbs;
    size_t count;
    bool negative;
} rmi_magnitude;

/* The magnitude of an int, a bool or a big integer; *room holds a small one. */
rmi_magnitude rmi_integer_magnitude(const rm_value *value, uint64_t *room);
size_t rmi_magnitude_bits(rmi_magnitude magnitude);
/* Makes RM_INT where it fits, else a big integer. *out is owned. */
RM_MUST_CHECK int rmi_integer_from_limbs(const rm_allocator *allocator, const uint64_t *limbs, size_t count,
                                         bool negative, rm_value *out, rm_error *err);
/* Appends decimal digits; RM_E_LIMIT past 4,300 of them. */
RM_MUST_CHECK int rmi_integer_append(rmi_text *text, rm_value value, rm_error *err);
/* Writes at most RMI_INT64_TEXT characters, no NUL; returns their number. */
size_t rmi_int64_text(int64_t value, char *buffer);
bool rmi_integer_fits_digits(rm_value value);
/* Fills `err` and returns RM_E_LIMIT. */
int rmi_integer_too_long(rm_error *err);
/* The nearest double of an int, a bool or a big integer; returns false past its range. */
bool rmi_integer_to_double(rm_value value, double *out);

#endif
