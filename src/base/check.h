/* Assertions: only a defect can make one false, or a node in C that breaks the rules of node.h; no input and
 * no lack of memory can. Debug and sanitizer builds check them (the option RM_CHECKS); others compile a
 * condition, but never evaluate it. */
#ifndef BASE_CHECK_H
#define BASE_CHECK_H

#include "remotemedia/remotemedia.h"

/* Prints the condition and its place on standard error, and aborts. Not in builds without RM_CHECKS. */
_Noreturn void rmi_check_failed(const char *condition, const char *file, int line);

#define RMI_CHECK(condition)                                  \
    do {                                                      \
        if (RM_CHECKS && !(condition))                        \
            rmi_check_failed(#condition, __FILE__, __LINE__); \
    } while (0)

#endif
