/* For functions that a host calls in the middle of another, as a signal handler is called. */
#ifndef PLATFORM_WASI_TICK_H
#define PLATFORM_WASI_TICK_H

/* A function that calls no other may keep variables in the 128 bytes below the stack's end (LLVM's red zone).
 * This macro makes a call that leaves those bytes unchanged. */
#define RMI_ABOVE_RED_ZONE(call)                       \
    do {                                               \
        char left[128];                                \
        __asm__ volatile("" : : "r"(left) : "memory"); \
        call;                                          \
        __asm__ volatile("" : : "r"(left) : "memory"); \
    } while (0)

#endif
