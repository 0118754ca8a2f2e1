#include "tests/support/node_test.h"

#define MANIFEST(nodes, connections)                                                                        \
    "{\"version\":\"v1\",\"metadata\":{\"name\":\"t\"},\"nodes\":[" nodes "],\"connections\":[" connections \
    "]}"
#define NODE(id, type, params) "{\"id\":\"" id "\",\"node_type\":\"" type "\",\"params\":" params "}"
#define EDGE(from, to) "{\"from\":\"" from "\",\"to\":\"" to "\"}"
/* s feeds a and b, which m merges. */
#define DIAMOND(a, b, params)                                                           \
    MANIFEST(NODE("s", "PassThrough", "{}") "," a "," b "," NODE("m", "Merge", params), \
             EDGE("s", "a") "," EDGE("s", "b") "," EDGE("a", "m") "," EDGE("b", "m"))
#define TWICE(id) NODE(id, "MultiplyNode", "{}")
#define ONE_MORE(id) NODE(id, "AddNode", "{\"addend\":1}")
#define ABOVE_1(id) NODE(id, "Filter", "{\"operation\":\"gt\",\"value\":1}")
/* Two connections from the same source: two values an item. */
#define PAIR(params)                                                                     \
    MANIFEST(NODE("s", "PassThrough", "{}") "," NODE("a", "PassThrough", "{}") "," NODE( \
                 "m", "Merge", params) "," NODE("j", "PassThrough", "{}"),               \
             EDGE("s", "j") "," EDGE("s", "a") "," EDGE("a", "j") "," EDGE("j", "m") "," EDGE("s", "m"))

static const rmt_case cases[] = {
    {.label = "a map an item",
     .manifest = DIAMOND(TWICE("a"), ONE_MORE("b"), "{}"),
     .items = "[1,2,\"x\"]",
     .outputs = "{\"m\":[{\"a\":2,\"b\":2},{\"a\":4,\"b\":3},{\"a\":\"x\",\"b\":\"x\"}]}"},
    {.label = "who dropped the item is absent",
     .manifest = DIAMOND(TWICE("a"), ABOVE_1("b"), "{}"),
     .items = "[1,2]",
     .outputs = "{\"m\":[{\"a\":2},{\"a\":4,\"b\":2}]}"},
    {.label = "nothing where all dropped it",
     .manifest = DIAMOND(ABOVE_1("a"), ABOVE_1("b"), "{}"),
     .items = "[1,2]",
     .outputs = "{\"m\":[{\"a\":2,\"b\":2}]}"},
    {.label = "what comes at the end is joined",
     .manifest = DIAMOND(NODE("a", "Batch", "{\"size\":2}"), NODE("b", "Batch", "{\"size\":5}"), "{}"),
     .items = "[1,2,3]",
     .outputs = "{\"m\":[{\"a\":[1,2]},{\"a\":[3],\"b\":[1,2,3]}]}"},
    {.label = "one source",
     .items = "[1,null]",
     .outputs = "{\"m\":[{\"s\":1},{\"s\":null}]}",
     .manifest = MANIFEST(NODE("s", "PassThrough", "{}") "," NODE("m", "Merge", "{}"), EDGE("s", "m"))},
    {.label = "several values are an error",
     .manifest = PAIR("{}"),
     .items = "[1]",
     .rc = RM_E_VALUE,
     .message = "'j' gave more than one value for the same item; set \"several\""},
    {.label = "several values as lists",
     .manifest = PAIR("{\"several\":\"list\"}"),
     .items = "[1,\"b\"]",
     .outputs = "{\"m\":[{\"j\":[1,1],\"s\":[1]},{\"j\":[\"b\",\"b\"],\"s\":[\"b\"]}]}"},
    {.label = "the first of several",
     .manifest = PAIR("{\"several\":\"first\"}"),
     .items = "[1,\"b\"]",
     .outputs = "{\"m\":[{\"j\":1,\"s\":1},{\"j\":\"b\",\"s\":\"b\"}]}"},
    {.label = "the last of several",
     .manifest = PAIR("{\"several\":\"last\"}"),
     .items = "[1,\"b\"]",
     .outputs = "{\"m\":[{\"j\":1,\"s\":1},{\"j\":\"b\",\"s\":\"b\"}]}"},
    {.label = "nothing to merge",
     .type = "Merge",
     .items = "[1]",
     .rc = RM_E_VALUE,
     .message = "no incoming connections"},
    {.label = "an unknown choice",
     .manifest = PAIR("{\"several\":\"all\"}"),
     .items = "[1]",
     .rc = RM_E_VALUE},
};

static void joins(void **state)
{
    (void)state;
    rmt_check(cases, RMT_COUNT(cases));
}

static void does_not_wait_for_the_next_item(void **state)
{
    rmt_feed stream;
    (void)state;
    rmt_feed_open(&stream, &(rmt_setup){.manifest = DIAMOND(TWICE("a"), ABOVE_1("b"), "{}")});
    assert_int_equal(rmt_feed_push(&stream, "1"), RM_AGAIN);
    rmt_feed_expect(&stream, "{\"a\":2}");
    assert_int_equal(rmt_feed_push(&stream, "2"), RM_AGAIN);
    rmt_feed_expect(&stream, "{\"a\":4,\"b\":2}");
    rmt_feed_expect(&stream, NULL);
    assert_int_equal(rmt_feed_push(&stream, NULL), RM_DONE);
    rmt_feed_close(&stream);
}

RMT_MAIN(joins, does_not_wait_for_the_next_item)
