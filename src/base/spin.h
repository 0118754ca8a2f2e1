/* A lock for a few instructions that a signal handler or a watchdog may try too: an atomic_flag. */
#ifndef BASE_SPIN_H
#define BASE_SPIN_H

#include <stdatomic.h>
#include <stdbool.h>

/* false: somebody holds the lock. */
static inline bool rmi_spin_try(atomic_flag *guard)
{
    return !atomic_flag_test_and_set_explicit(guard, memory_order_acquire);
}

static inline void rmi_spin_lock(atomic_flag *guard)
{
    while (!rmi_spin_try(guard))
        ;
}

static inline void rmi_spin_unlock(atomic_flag *guard)
{
    atomic_flag_clear_explicit(guard, memory_order_release);
}

#endif
