#include "tests/support/node_test.h"

static const rmt_case cases[] = {
    {.label = "the remainder comes at the end",
     .type = "Batch",
     .params = "{\"size\":2}",
     .items = "[1,\"b\",3,null,5]",
     .outputs = "[[1,\"b\"],[3,null],[5]]"},
    {.label = "no remainder",
     .type = "Batch",
     .params = "{\"size\":2}",
     .items = "[1,2]",
     .outputs = "[[1,2]]"},
    {.label = "the remainder is dropped",
     .type = "Batch",
     .params = "{\"size\":2,\"drop_remainder\":true}",
     .items = "[1,2,[3]]",
     .outputs = "[[1,2]]"},
    {.label = "one by one",
     .type = "Batch",
     .params = "{\"size\":1}",
     .items = "[1,[2]]",
     .outputs = "[[1],[[2]]]"},
    {.label = "larger than all",
     .type = "Batch",
     .params = "{\"size\":2147483647}",
     .items = "[1,2]",
     .outputs = "[[1,2]]"},
    {.label = "nothing", .type = "Batch", .params = "{\"size\":2}", .items = "[]", .outputs = "[]"},
    {.label = "size is required", .type = "Batch", .items = "[1]", .rc = RM_E_MISSING_PARAMETER},
    {.label = "size below 1", .type = "Batch", .params = "{\"size\":0}", .items = "[1]", .rc = RM_E_VALUE},
};

static void collects(void **state)
{
    (void)state;
    rmt_check(cases, RMT_COUNT(cases));
}
RMT_MAIN(collects)
