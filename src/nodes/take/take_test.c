#include "tests/support/node_test.h"

#define CHAIN(source, second)                                                            \
    "{\"version\":\"v1\",\"metadata\":{\"name\":\"t\"},\"nodes\":[{\"id\":\"s\"," source \
    "},{\"id\":\"n\"," second "}],\"connections\":[{\"from\":\"s\",\"to\":\"n\"}]}"

static const rmt_case cases[] = {
    {.label = "the first",
     .type = "Take",
     .params = "{\"count\":2}",
     .items = "[1,null,3,4]",
     .outputs = "[1,null]"},
    {.label = "fewer than asked for",
     .type = "Take",
     .params = "{\"count\":9}",
     .items = "[1,2]",
     .outputs = "[1,2]"},
    {.label = "exactly", .type = "Take", .params = "{\"count\":2}", .items = "[1,2]", .outputs = "[1,2]"},
    {.label = "none", .type = "Take", .params = "{\"count\":0}", .items = "[\"text\",2]", .outputs = "[]"},
    {.label = "count is required",
     .type = "Take",
     .items = "[1]",
     .rc = RM_E_MISSING_PARAMETER,
     .message = "count"},
    {.label = "count below 0", .type = "Take", .params = "{\"count\":-1}", .items = "[1]", .rc = RM_E_VALUE},
    {.label = "ends an endless source",
     .outputs = "{\"n\":[7,7,7]}",
     .manifest =
         CHAIN("\"node_type\":\"SimpleSource\",\"params\":{\"count\":9223372036854775807,\"value\":7}",
               "\"node_type\":\"Take\",\"params\":{\"count\":3}")},
    {.label = "without the first",
     .type = "Skip",
     .params = "{\"count\":2}",
     .items = "[\"a\",2,\"c\",4]",
     .outputs = "[\"c\",4]"},
    {.label = "all of them",
     .type = "Skip",
     .params = "{\"count\":9}",
     .items = "[\"a\",2]",
     .outputs = "[]"},
    {.label = "none of them",
     .type = "Skip",
     .params = "{\"count\":0}",
     .items = "[1,2]",
     .outputs = "[1,2]"},
    {.label = "count is required by Skip too", .type = "Skip", .items = "[1]", .rc = RM_E_MISSING_PARAMETER},
};

static void takes_and_skips(void **state)
{
    (void)state;
    rmt_check(cases, RMT_COUNT(cases));
}

static void skips_across_runs(void **state)
{
    rmt_heap heap;
    (void)state;
    rmt_heap_init(&heap, 0);
    rmt_result got = rmt_run(
        &heap, &(rmt_setup){
                   .manifest = CHAIN("\"node_type\":\"SimpleSource\",\"params\":{\"count\":1000,\"value\":1}",
                                     "\"node_type\":\"Skip\",\"params\":{\"count\":700}")});
    rm_value kept = rm_null();
    assert_true(rm_map_get(got.values, "n", 1, &kept));
    assert_int_equal(rm_list_length(kept), 300);
    rmt_result_clear(&got);
}
RMT_MAIN(takes_and_skips, skips_across_runs)
