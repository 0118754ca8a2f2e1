#include "data/value.h"

void rm_packet_clear(rm_packet *packet)
{
    if (rm_value_is_heap(packet->value))
        rm_value_clear(&packet->value);
    packet->value = rm_null();
    if (packet->metadata != NULL)
        rm_packet_set_metadata(packet, rm_null());
}

void rm_packet_set_metadata(rm_packet *packet, rm_value map)
{
    if (packet->metadata != NULL) {
        rm_value old = rm_packet_metadata(packet);
        rm_value_clear(&old);
    }
    packet->metadata = map.kind == RM_MAP ? map.heap : NULL;
    if (map.kind != RM_MAP)
        rm_value_clear(&map);
}
