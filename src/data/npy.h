/* The NPY format, numpy's files of one array each. */
#ifndef DATA_NPY_H
#define DATA_NPY_H

#include "base/text.h"
#include "remotemedia/remotemedia.h"

/* Appends the head of a NPY file: the bytes that numpy.save writes before the elements, which follow in
 * memory order, C or Fortran. RM_E_UNSUPPORTED for a dtype that the format does not have. */
RM_MUST_CHECK int rmi_npy_append_head(rmi_text *text, const rm_tensor *view, bool fortran, rm_error *err);

#endif
