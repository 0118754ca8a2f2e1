/* Floats of 16 bits, for which C has no type: IEEE's half and bfloat16. Rounding is to the nearest, ties to
 * even; every NaN becomes the same one. */
#ifndef DATA_HALF_H
#define DATA_HALF_H

#include <stdint.h>

float rmi_half_to_float(uint16_t bits);
uint16_t rmi_double_to_half(double value);
float rmi_bfloat16_to_float(uint16_t bits);
uint16_t rmi_float_to_bfloat16(float value);

#endif
