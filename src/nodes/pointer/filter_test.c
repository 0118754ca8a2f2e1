#include <math.h>

#include "tests/support/node_test.h"

#define OF(operation, value) "{\"operation\":\"" operation "\",\"value\":" value "}"

static const rmt_case cases[] = {
    {.label = "eq: 1 is 1.0, not true or \"1\"",
     .type = "Filter",
     .params = OF("eq", "1"),
     .items = "[1,1.0,true,\"1\",2,null,[1]]",
     .outputs = "[1,1.0]"},
    {.label = "eq: the order of keys does not count",
     .type = "Filter",
     .params = OF("eq", "{\"a\":1,\"b\":[2.0]}"),
     .items = "[{\"b\":[2],\"a\":1},{\"a\":1},{\"a\":1,\"b\":[2,3]},{\"a\":1,\"c\":[2]},{\"a\":1,\"b\":[3]}]",
     .outputs = "[{\"b\":[2],\"a\":1}]"},
    {.label = "eq null by default",
     .type = "Filter",
     .params = "{\"operation\":\"eq\"}",
     .items = "[0,null,false]",
     .outputs = "[null]"},
    {.label = "ne",
     .type = "Filter",
     .params = OF("ne", "\"a\""),
     .items = "[\"a\",\"b\",1,null]",
     .outputs = "[\"b\",1,null]"},
    {.label = "lt",
     .type = "Filter",
     .params = OF("lt", "2"),
     .items = "[1,2,2.5,1.5,-3]",
     .outputs = "[1,1.5,-3]"},
    {.label = "le",
     .type = "Filter",
     .params = OF("le", "2"),
     .items = "[1,2,2.0,2.5]",
     .outputs = "[1,2,2.0]"},
    {.label = "gt",
     .type = "Filter",
     .params = OF("gt", "2.5"),
     .items = "[3,2,2.5,1e300]",
     .outputs = "[3,1e+300]"},
    {.label = "ge",
     .type = "Filter",
     .params = OF("ge", "2.5"),
     .items = "[3,2,2.5,-1e300]",
     .outputs = "[3,2.5]"},
    {.label = "integers that floats cannot tell apart",
     .type = "Filter",
     .params = OF("gt", "9007199254740992.0"),
     .items = "[9007199254740992,9007199254740993]",
     .outputs = "[9007199254740993]"},
    {.label = "big integers",
     .type = "Filter",
     .params = OF("lt", "100000000000000000001"),
     .items = "[100000000000000000000,100000000000000000001,100000000000000000002,"
              "-100000000000000000002,5,1e20,1e21]",
     .outputs = "[100000000000000000000,-100000000000000000002,5,1e+20]"},
    {.label = "big negative",
     .type = "Filter",
     .params = OF("ge", "-100000000000000000001"),
     .items = "[-100000000000000000002,-100000000000000000001,-5,-1e20,-1e21,0]",
     .outputs = "[-100000000000000000001,-5,-1e+20,0]"},
    {.label = "strings by code point",
     .type = "Filter",
     .params = OF("gt", "\"b\""),
     .items = "[\"a\",\"b\",\"ba\",\"B\",\"ä\",\"\"]",
     .outputs = "[\"ba\",\"ä\"]"},
    {.label = "strings up to",
     .type = "Filter",
     .params = OF("le", "\"b\""),
     .items = "[\"a\",\"b\",\"ba\"]",
     .outputs = "[\"a\",\"b\"]"},
    {.label = "different kinds have no order",
     .type = "Filter",
     .params = OF("lt", "2"),
     .items = "[1,\"1\"]",
     .rc = RM_E_TYPE,
     .message = "cannot order string and int",
     .outputs = "[1]"},
    {.label = "lists have no order",
     .type = "Filter",
     .params = OF("lt", "[2]"),
     .items = "[[1]]",
     .rc = RM_E_TYPE,
     .message = "needs \"value\" to be a number or a string, not list"},
    {.label = "exists",
     .type = "Filter",
     .params = "{\"pointer\":\"/a\",\"operation\":\"exists\"}",
     .items = "[{\"a\":null},{\"b\":1},5,[1]]",
     .outputs = "[{\"a\":null}]"},
    {.label = "contains",
     .type = "Filter",
     .params = OF("contains", "\"an\""),
     .items = "[\"banana\",\"apple\",[\"an\",1],[1],{\"an\":1},{\"b\":\"an\"},\"\"]",
     .outputs = "[\"banana\",[\"an\",1],{\"an\":1}]"},
    {.label = "a list contains any value",
     .type = "Filter",
     .params = OF("contains", "[1]"),
     .items = "[[[1]],[1],[2,[1.0]]]",
     .outputs = "[[[1]],[2,[1.0]]]"},
    {.label = "a number contains nothing",
     .type = "Filter",
     .params = OF("contains", "\"1\""),
     .items = "[1]",
     .rc = RM_E_TYPE,
     .message = "int cannot contain string"},
    {.label = "a string contains no number",
     .type = "Filter",
     .params = OF("contains", "1"),
     .items = "[\"1\"]",
     .rc = RM_E_TYPE,
     .message = "string cannot contain int"},
    {.label = "truthy",
     .type = "Filter",
     .params = "{\"operation\":\"truthy\"}",
     .items = "[null,false,0,0.0,\"\",[],{},true,1,-0.5,\"0\",[0],{\"a\":0},100000000000000000000]",
     .outputs = "[true,1,-0.5,\"0\",[0],{\"a\":0},100000000000000000000]"},
    {.label = "a place inside",
     .type = "Filter",
     .params = "{\"pointer\":\"/user/age\",\"operation\":\"ge\",\"value\":18}",
     .items = "[{\"user\":{\"age\":20}},{\"user\":{\"age\":3}},{\"user\":{}},7]",
     .outputs = "[{\"user\":{\"age\":20}}]"},
    {.label = "what is not there differs",
     .type = "Filter",
     .params = "{\"pointer\":\"/state\",\"operation\":\"ne\",\"value\":\"done\"}",
     .items = "[{\"state\":\"done\"},{},{\"state\":1}]",
     .outputs = "[{},{\"state\":1}]"},
    {.label = "no operation", .type = "Filter", .items = "[1]", .rc = RM_E_MISSING_PARAMETER},
    {.label = "an unknown operation",
     .type = "Filter",
     .params = OF("equals", "1"),
     .items = "[1]",
     .rc = RM_E_VALUE},
};

static void keeps_what_matches(void **state)
{
    (void)state;
    rmt_check(cases, RMT_COUNT(cases));
}

/* Values without a JSON form: NaN has no order and equals nothing, infinity is past every integer. */
static void compares_what_json_cannot_say(void **state)
{
    static const struct {
        const char *params;
        double item;
        bool kept;
    } rows[] = {
        {.params = OF("eq", "1"), .item = NAN},
        {.params = OF("lt", "1"), .item = NAN},
        {.params = OF("ge", "1.5"), .item = NAN},
        {.params = OF("ne", "1"), .item = NAN, .kept = true},
        {.params = OF("gt", "100000000000000000000"), .item = INFINITY, .kept = true},
        {.params = OF("lt", "-100000000000000000000"), .item = -INFINITY, .kept = true},
        {.params = OF("lt", "5"), .item = INFINITY},
        {.params = "{\"operation\":\"truthy\"}", .item = NAN, .kept = true},
    };
    (void)state;
    for (size_t i = 0; i < RMT_COUNT(rows); i++) {
        rm_value items = rmt_json("[]");
        rmt_heap heap;
        assert_int_equal(rm_list_append(&items, rm_float(rows[i].item), NULL), RM_OK);
        rmt_heap_init(&heap, 0);
        rmt_result got =
            rmt_run(&heap, &(rmt_setup){.type = "Filter", .params = rows[i].params, .input = items});
        if (got.rc != RM_OK || rm_list_length(got.values) != rows[i].kept)
            fail_msg("%s: %f: %s", rows[i].params, rows[i].item, got.err.message);
        rmt_result_clear(&got);
        rm_value_clear(&items);
        assert_int_equal(heap.live_blocks, 0);
    }
}
RMT_MAIN(keeps_what_matches, compares_what_json_cannot_say)
