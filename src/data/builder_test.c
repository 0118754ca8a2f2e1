/* A document is complete, or the first failure is returned and nothing stays allocated. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "data/builder.h"
#include "data/value.h"
#include "tests/support/heap.h"

static int build(const rm_allocator *allocator, const char *text, rm_value *out, rm_error *err)
{
    rmi_builder b = rmi_builder_start(allocator, err);
    rm_value map = rmi_build_map(&b), list = rmi_build_list(&b), inner = rmi_build_map(&b);
    rmi_build_put(&b, &inner, "of", rmi_build_string_of(&b, "three and more", 5));
    rmi_build_text(&b, &inner, "none", NULL);
    for (int i = 0; i < 9; i++)
        rmi_build_add(&b, &list, i == 4 ? rmi_build_string(&b, text) : rm_int(i));
    rmi_build_put(&b, &map, "list", list);
    rmi_build_put(&b, &map, "inner", inner);
    rmi_build_put(&b, &map, "json", rmi_build_json(&b, "{\"a\": [1.5, null]}"));
    return rmi_build_end(&b, &map, out);
}

static void gives_the_document_or_out_of_memory(void **unused)
{
    static const char want[] = "{\"list\":[0,1,2,3,\"four\",5,6,7,8],\"inner\":{\"of\":\"three\"},"
                               "\"json\":{\"a\":[1.5,null]}}";
    (void)unused;
    for (size_t nth = 1, faults = 1; faults != 0; nth++) {
        rmt_heap heap;
        rm_value document = rm_null();
        rm_error err = {0};
        char *text = NULL;
        size_t length = 0;
        rmt_heap_init(&heap, nth);
        const int rc = build(&heap.allocator, "four", &document, &err);
        faults = heap.faults;
        assert_int_equal(rc, faults != 0 ? RM_E_OUT_OF_MEMORY : RM_OK);
        assert_int_equal(err.code, rc);
        assert_int_equal(rm_json_write(NULL, document, 0, &text, &length, NULL, NULL), RM_OK);
        assert_string_equal(text, faults != 0 ? "null" : want);
        rm_text_free(NULL, text, length);
        rm_value_clear(&document);
        assert_int_equal(heap.live_blocks, 0);
        assert_int_equal(heap.mistakes, 0);
    }
}

static void gives_the_first_failure(void **unused)
{
    rmt_heap heap;
    rm_value document = rm_int(1);
    rm_error err = {0};
    (void)unused;
    rmt_heap_init(&heap, 0);
    assert_int_equal(build(&heap.allocator, "no \xff UTF-8", &document, &err), RM_E_PARSE);
    assert_int_equal(document.kind, RM_NULL);
    assert_int_equal(heap.live_blocks, 0);
    rm_error_clear(&err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_document_or_out_of_memory),
        cmocka_unit_test(gives_the_first_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
