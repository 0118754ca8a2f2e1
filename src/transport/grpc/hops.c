#include "transport/grpc/hops.h"

unsigned rmi_grpc_hops(const rmi_grpc_call *call)
{
    enum { MOST_DIGITS = 4 };
    const grpc_slice *text = NULL;
    unsigned hops = 0;
    for (size_t i = 0; i < call->metadata.count; i++)
        if (grpc_slice_str_cmp(call->metadata.metadata[i].key, RMI_HOPS_KEY) == 0)
            text = &call->metadata.metadata[i].value;
    if (text == NULL)
        return 0;
    const size_t length = GRPC_SLICE_LENGTH(*text);
    const uint8_t *digits = GRPC_SLICE_START_PTR(*text);
    for (size_t i = 0; i < length; i++) {
        if (length > MOST_DIGITS || digits[i] < '0' || digits[i] > '9')
            return UINT16_MAX;
        hops = hops * 10 + (unsigned)(digits[i] - '0');
    }
    return hops;
}
