/* The NPY format, numpy's files of one array each. */
#ifndef DATA_NPY_H
#define DATA_NPY_H

#include "base/text.h"
#include "remotemedia/remotemedia.h"

/* Appends what stands before the elements in a NPY file, which follow as they lie in memory, in C or in Fortran
 * order: the bytes that numpy.save writes. RM_E_UNSUPPORTED for a dtype that the format has no word for. */
RM_MUST_CHECK int rmi_npy_append_head(rmi_text *text, const rm_tensor *view, bool fortran, rm_error *err);

#endif
