#include "tests/support/node_test.h"

static const rmt_case cases[] = {
    {.label = "one null by default", .type = "SimpleSource", .outputs = "[null]"},
    {.label = "a value of any kind",
     .type = "SimpleSource",
     .params = "{\"count\":3,\"value\":{\"a\":[1]}}",
     .outputs = "[{\"a\":[1]},{\"a\":[1]},{\"a\":[1]}]"},
    {.label = "none", .type = "SimpleSource", .params = "{\"count\":0}", .outputs = "[]"},
    {.label = "less than none", .type = "SimpleSource", .params = "{\"count\":-1}", .rc = RM_E_VALUE},
    {.label = "items for it are an error", .type = "SimpleSource", .items = "[1]", .rc = RM_E_VALUE},
};

static void generates(void **state)
{
    (void)state;
    rmt_check(cases, RMT_COUNT(cases));
}

/* More values than one call emits, and than a queue holds. */
static void generates_many(void **state)
{
    rmt_heap heap;
    (void)state;
    rmt_heap_init(&heap, 0);
    rmt_result got =
        rmt_run(&heap, &(rmt_setup){.type = "SimpleSource", .params = "{\"count\":1000,\"value\":1}"});
    assert_int_equal(got.rc, RM_OK);
    assert_int_equal(rm_list_length(got.values), 1000);
    rmt_result_clear(&got);
}
RMT_MAIN(generates, generates_many)
