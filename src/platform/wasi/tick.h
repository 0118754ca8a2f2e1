/* For functions that a host calls in the middle of another, as a signal handler is called. */
#ifndef PLATFORM_WASI_TICK_H
#define PLATFORM_WASI_TICK_H

/* A function that calls no other may have its variables in the 128 bytes below the stack's end without saying so (LLVM's red
 * zone): what calls this first and last leaves them as they are. */
#define RMI_ABOVE_RED_ZONE(call)                       \
    do {                                               \
        char left[128];                                \
        __asm__ volatile("" : : "r"(left) : "memory"); \
        call;                                          \
        __asm__ volatile("" : : "r"(left) : "memory"); \
    } while (0)

#endif
