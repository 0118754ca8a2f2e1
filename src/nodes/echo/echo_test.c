#include "tests/support/node_test.h"

static const rmt_case cases[] = {
    {.label = "counts from 1",
     .type = "Echo",
     .items = "[\"a\",null]",
     .outputs = "[{\"input\":\"a\",\"counter\":1,\"node\":\"Echo\"},"
                "{\"input\":null,\"counter\":2,\"node\":\"Echo\"}]"},
    {.label = "the alias keeps the name",
     .type = "EchoNode",
     .items = "[[1]]",
     .outputs = "[{\"input\":[1],\"counter\":1,\"node\":\"Echo\"}]"},
};

static void wraps_items(void **state)
{
    (void)state;
    rmt_check(cases, RMT_COUNT(cases));
}
RMT_MAIN(wraps_items)
