#include "exec/waiting_bytes.h"

#include "exec/pipeline.h"

enum { UNIT = 256 };

uint64_t rmi_pipeline_waiting_bytes(const rm_pipeline *p)
{
    const uint32_t count = p->connection_count + p->feed_count + p->result_count;
    uint64_t units = 0;
    for (uint32_t i = 0; i < count; i++)
        units += p->links[i].queue.units;
    return units * UNIT;
}

uint64_t rmi_value_waiting_bytes(rm_value value)
{
    return value.kind < RM_STRING ? 0 : (uint64_t)rmi_queue_units_of(value) * UNIT;
}
