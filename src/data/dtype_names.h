/* The elements of tensors by numpy's names: "float32", "<f4", ">i2", "M8[10ns]", "S5". */
#ifndef DATA_DTYPE_NAMES_H
#define DATA_DTYPE_NAMES_H

#include "remotemedia/remotemedia.h"

typedef struct rmi_element {
    char kind;        /* numpy's letter: b i u f c S U V M m; 'B' for bfloat16 and 'E' for other dtypes of
                         ml_dtypes, which have no letters */
    bool swapped;     /* not in this machine's byte order */
    size_t size;      /* bytes */
    rm_dtype dtype;   /* RM_OPAQUE unless it has an rm_dtype and this machine's order */
    const char *unit; /* of M and m: "[10ns]" inside the name, borrowed; "" where there is none */
} rmi_element;

/* Reads a name or letters. RM_E_VALUE for an unknown one, RM_E_UNSUPPORTED for references. */
RM_MUST_CHECK int rmi_element_read(const char *name, rmi_element *out, rm_error *err);
/* The dtype of numbers of a kind ('i') and size (4) in this machine's order; 0: there is none. */
rm_dtype rmi_element_number(char kind, size_t size);
/* The element of a dtype other than RM_OPAQUE. */
rmi_element rmi_element_of(rm_dtype dtype);

/* A date's unit: the letters behind the count ("ns"), borrowed, and the count (10; 1 where there is none).
 * Returns false where there is no unit. */
bool rmi_element_unit(const rmi_element *element, const char **letters, size_t *length, int64_t *count);

#endif
