#include "tests/support/node_test.h"

static const rmt_case cases[] = {
    {.label = "every kind of JSON value",
     .type = "PassThrough",
     .items = "[null,true,1,2.5,12345678901234567890123,\"text\",[1,[2]],{\"b\":1,\"a\":null}]",
     .outputs = "[null,true,1,2.5,12345678901234567890123,\"text\",[1,[2]],{\"b\":1,\"a\":null}]"},
    {.label = "the alias", .type = "PassThroughNode", .items = "[1]", .outputs = "[1]"},
    {.label = "no items", .type = "PassThrough", .items = "[]", .outputs = "[]"},
    {.label = "a parameter is refused",
     .type = "PassThrough",
     .params = "{\"gain\":1}",
     .items = "[1]",
     .rc = RM_E_UNKNOWN_PARAMETER},
};

static void hands_items_on(void **state)
{
    (void)state;
    rmt_check(cases, RMT_COUNT(cases));
}

static void hands_on_the_same_memory(void **state)
{
    const int16_t samples[] = {1, -2, 3, -4};
    rm_value audio = rmt_audio(RM_INT16, 2, 2, 8000, samples), list = rmt_json("[]");
    rmt_heap heap;
    (void)state;
    assert_int_equal(rm_list_append(&list, rm_value_retain(audio), NULL), RM_OK);
    rmt_heap_init(&heap, 0);
    rmt_result got = rmt_run(&heap, &(rmt_setup){.type = "PassThrough", .input = list});
    assert_int_equal(got.rc, RM_OK);
    assert_ptr_equal(rm_tensor_view(rm_list_get(got.values, 0)).data, rm_tensor_view(audio).data);
    rmt_result_clear(&got);
    rm_value_clear(&list);
    rm_value_clear(&audio);
    assert_int_equal(heap.live_blocks, 0);
}

RMT_MAIN(hands_items_on, hands_on_the_same_memory)
