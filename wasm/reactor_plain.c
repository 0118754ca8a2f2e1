#include "wasm/reactor.h"

int rmi_reactor_wake(rm_error *err)
{
    (void)err;
    return RM_OK;
}
