/* There are no threads. */
#include "platform/platform.h"

int rmi_handover_new(const rm_allocator *allocator, void (*function)(void *context), void *context,
                     rmi_handover **out, rm_error *err)
{
    (void)allocator, (void)function, (void)context;
    *out = NULL;
    return rm_error_set(err, RM_E_MISSING_FEATURE, "a WASM host has no threads");
}

bool rmi_handover_resume(rmi_handover *handover)
{
    (void)handover;
    return false;
}

void rmi_handover_park(rmi_handover *handover)
{
    (void)handover;
}

void rmi_handover_free(rmi_handover *handover)
{
    (void)handover;
}
