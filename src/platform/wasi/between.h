/* For functions that a host calls in the middle of whatever is going on. */
#ifndef PLATFORM_WASI_BETWEEN_H
#define PLATFORM_WASI_BETWEEN_H

/* LLVM lets functions that call no other use that many bytes below the stack pointer without moving it. */
enum { RMI_RED_ZONE = 128 };

/* Calls `function`, which must not be inlined, with a stack that leaves them alone. */
#define RMI_CALL_BETWEEN(function)                     \
    do {                                               \
        char zone[RMI_RED_ZONE];                       \
        __asm__ volatile("" : : "r"(zone) : "memory"); \
        function();                                    \
    } while (0)

#endif
