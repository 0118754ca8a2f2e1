/* Values: containers, sharing, comparison, objects at any depth. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "data/value.h"
#include "tests/support/heap.h"

/* ---- An object that counts ---- */

typedef struct thing {
    int released, copied, converted;
    bool holds_itself;
    const rm_allocator *allocator;
} thing;

static int thing_copy(void *object, rm_value *out, rm_error *err);
static int thing_to_value(void *object, const rm_allocator *allocator, rm_value *out, rm_error *err);

static void thing_release(void *object)
{
    ((thing *)object)->released++;
}

static const rm_object_type thing_type = {
    .size = sizeof(rm_object_type),
    .name = "thing",
    .release = thing_release,
    .copy = thing_copy,
    .to_value = thing_to_value,
};
static const rm_object_type shared_type = {
    .size = sizeof(rm_object_type),
    .name = "shared",
    .release = thing_release,
    .to_value = thing_to_value,
};

static int thing_copy(void *object, rm_value *out, rm_error *err)
{
    ((thing *)object)->copied++;
    return rm_object_new(((thing *)object)->allocator, &thing_type, object, out, err);
}

static int thing_to_value(void *object, const rm_allocator *allocator, rm_value *out, rm_error *err)
{
    thing *t = object;
    t->converted++;
    if (t->holds_itself)
        return rm_object_new(allocator, &thing_type, object, out, err);
    return rm_string_new(allocator, "plain", 5, out, err);
}

/* ---- Building ---- */

static rm_value text(const rm_allocator *allocator, const char *content)
{
    rm_value value = rm_null();
    return rm_string_new(allocator, content, strlen(content), &value, NULL) == RM_OK ? value : rm_null();
}

static int number_key(char *key, size_t size, int i)
{
    return snprintf(key, size, "a key of number %d", i);
}

static void maps_keep_order_and_find_keys(void **unused)
{
    (void)unused;
    rmt_heap heap;
    rm_value map = rm_null(), item = rm_null(), key = rm_null();
    char name[40];
    rmt_heap_init(&heap, 0);
    assert_int_equal(rm_map_new(&heap.allocator, 0, &map, NULL), RM_OK);
    for (int i = 0; i < 1000; i++) {
        int length = number_key(name, sizeof name, i);
        assert_int_equal(rm_map_set(&map, name, (size_t)length, rm_int(i), NULL), RM_OK);
        assert_int_equal(rm_map_set_key(&map, text(&heap.allocator, name), rm_int(i * 2), NULL), RM_OK);
        assert_int_equal(rm_map_length(map), (size_t)i + 1);
    }
    for (int i = 0; i < 1000; i++) {
        int length = number_key(name, sizeof name, i);
        assert_true(rm_map_get(map, name, (size_t)length, &item));
        assert_int_equal(item.i, i * 2);
        assert_true(rm_map_at(map, (size_t)i, &key, &item));
        assert_string_equal(rm_string_text(key, NULL), name);
        assert_int_equal(item.i, i * 2);
    }
    assert_false(rm_map_get(map, "absent", 6, &item));
    assert_int_equal(item.kind, RM_NULL);
    assert_false(rm_map_get(rm_int(1), "a", 1, NULL));
    assert_false(rm_map_at(map, 1000, &key, NULL));
    assert_int_equal(rm_map_set(&map, "\xff", 1, rm_int(1), NULL), RM_E_PARSE);
    rm_value_clear(&map);
    assert_int_equal(heap.live_blocks, 0);
    assert_int_equal(heap.mistakes, 0);
}

static void lists_grow(void **unused)
{
    (void)unused;
    rmt_heap heap;
    rm_value list = rm_null();
    rmt_heap_init(&heap, 0);
    assert_int_equal(rm_list_new(&heap.allocator, 3, &list, NULL), RM_OK);
    for (int i = 0; i < 100; i++)
        assert_int_equal(rm_list_append(&list, rm_int(i), NULL), RM_OK);
    for (int i = 0; i < 100; i++)
        assert_int_equal(rm_list_get(list, (size_t)i).i, i);
    assert_int_equal(rm_list_get(list, 100).kind, RM_NULL);
    assert_int_equal(rm_list_length(rm_null()), 0);
    rm_value_clear(&list);
    assert_int_equal(heap.live_blocks, 0);
    assert_int_equal(heap.mistakes, 0);
}

static void impossible_sizes_are_refused(void **unused)
{
    (void)unused;
    rm_value value = rm_null();
    assert_int_equal(rm_list_new(NULL, SIZE_MAX / 4, &value, NULL), RM_E_OUT_OF_MEMORY);
    assert_int_equal(rm_map_new(NULL, SIZE_MAX / 4, &value, NULL), RM_E_OUT_OF_MEMORY);
    assert_int_equal(rm_bytes_new(NULL, NULL, SIZE_MAX - 4, &value, NULL), RM_E_OUT_OF_MEMORY);
    assert_int_equal(value.kind, RM_NULL);
}

/* ---- Sharing ---- */

static void shared_values_are_not_changed(void **unused)
{
    (void)unused;
    rmt_heap heap;
    rm_value map = rm_null(), list = rm_null(), bytes = rm_null();
    rm_error err = {0};
    rmt_heap_init(&heap, 0);
    assert_int_equal(rm_map_new(&heap.allocator, 12, &map, NULL), RM_OK);
    for (int i = 0; i < 12; i++)
        assert_int_equal(
            rm_map_set_key(&map, text(&heap.allocator, (const char[]){(char)('a' + i), 0}), rm_int(i), NULL),
            RM_OK);
    assert_int_equal(rm_list_new(&heap.allocator, 1, &list, NULL), RM_OK);
    assert_int_equal(rm_list_append(&list, rm_value_retain(map), NULL), RM_OK);
    assert_int_equal(rm_map_set(&map, "x", 1, text(&heap.allocator, "lost"), &err), RM_E_USAGE);
    assert_non_null(strstr(err.message, "other owners"));
    assert_int_equal(rm_value_make_unique(&heap.allocator, &map, NULL), RM_OK);
    assert_int_equal(rm_map_set(&map, "c", 1, rm_int(30), NULL), RM_OK);
    rm_value inner = rm_list_get(list, 0), item = rm_null();
    assert_true(rm_map_get(inner, "c", 1, &item) && item.i == 2);
    assert_true(rm_map_get(map, "c", 1, &item) && item.i == 30);
    rm_value again = rm_value_retain(list);
    assert_int_equal(rm_list_append(&list, rm_int(1), NULL), RM_E_USAGE);
    assert_int_equal(rm_value_make_unique(&heap.allocator, &list, NULL), RM_OK);
    assert_int_equal(rm_list_append(&list, rm_int(1), NULL), RM_OK);
    assert_int_equal(rm_list_length(again), 1);
    assert_int_equal(rm_bytes_new(&heap.allocator, "abc", 3, &bytes, NULL), RM_OK);
    rm_value other = rm_value_retain(bytes);
    assert_null(rm_bytes_data_mut(bytes, NULL));
    assert_int_equal(rm_value_make_unique(&heap.allocator, &bytes, NULL), RM_OK);
    rm_bytes_data_mut(bytes, NULL)[0] = 'x';
    assert_memory_equal(rm_bytes_data(other, NULL), "abc", 3);
    rm_value *all[] = {&map, &list, &again, &bytes, &other};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        rm_value_clear(all[i]);
    rm_error_clear(&err);
    assert_int_equal(heap.live_blocks, 0);
    assert_int_equal(heap.mistakes, 0);
}

static void wrong_kinds_are_refused_and_consumed(void **unused)
{
    (void)unused;
    rmt_heap heap;
    rm_value number = rm_int(1), map = rm_null();
    rmt_heap_init(&heap, 0);
    assert_int_equal(rm_list_append(&number, text(&heap.allocator, "a"), NULL), RM_E_USAGE);
    assert_int_equal(rm_map_set(&number, "k", 1, text(&heap.allocator, "a"), NULL), RM_E_USAGE);
    assert_int_equal(rm_map_new(&heap.allocator, 0, &map, NULL), RM_OK);
    assert_int_equal(rm_map_set_key(&map, rm_int(1), text(&heap.allocator, "a"), NULL), RM_E_TYPE);
    assert_int_equal(rm_string_new(&heap.allocator, "ab\xff", 3, &number, NULL), RM_E_PARSE);
    rm_value_clear(&map);
    assert_int_equal(heap.live_blocks, 0);
}

/* ---- Failing memory ---- */

/* Uses every kind of value; on failure nothing may be left. */
static int build(const rm_allocator *allocator, rm_value *out)
{
    rm_value list = rm_null(), copy = rm_null(), branch = rm_null();
    char name[40];
    int rc = rm_map_new(allocator, 2, out, NULL);
    for (int i = 0; rc == RM_OK && i < 20; i++) {
        rc = rm_list_new(allocator, 0, &list, NULL);
        for (int j = 0; rc == RM_OK && j < i; j++)
            rc = rm_list_append(&list, rm_int(j), NULL);
        int length = number_key(name, sizeof name, i % 15);
        if (rc == RM_OK)
            rc = rm_map_set(out, name, (size_t)length, rm_value_move(&list), NULL);
        rm_value_clear(&list);
    }
    if (rc == RM_OK)
        copy = rm_value_retain(*out);
    if (rc == RM_OK)
        rc = rm_value_make_unique(allocator, &copy, NULL);
    if (rc == RM_OK)
        rc = rm_value_for_branch(copy, &branch, NULL);
    if (rc == RM_OK)
        assert_true(rm_value_equal(branch, *out));
    rm_value_clear(&copy);
    rm_value_clear(&branch);
    return rc;
}

static void survives_failing_memory(void **unused)
{
    (void)unused;
    for (size_t nth = 1, faults = 1; faults != 0; nth++) {
        rmt_heap heap;
        rm_value value = rm_null();
        rmt_heap_init(&heap, nth);
        int rc = build(&heap.allocator, &value);
        faults = heap.faults;
        assert_int_equal(rc, faults != 0 ? RM_E_OUT_OF_MEMORY : RM_OK);
        rm_value_clear(&value);
        assert_int_equal(heap.live_blocks, 0);
        assert_int_equal(heap.mistakes, 0);
    }
}

/* ---- Comparing ---- */

static void equality_is_of_content(void **unused)
{
    (void)unused;
    static const char *const texts[] = {
        "null",
        "true",
        "false",
        "0",
        "1",
        "1.0",
        "-0.0",
        "0.0",
        "\"\"",
        "\"a\"",
        "\"b\"",
        "[]",
        "[1]",
        "[1.0]",
        "{}",
        "{\"a\":1}",
        "{\"a\":2}",
        "{\"a\":1,\"b\":2}",
        "{\"b\":2,\"a\":1}",
        "123456789012345678901",
        "-123456789012345678901",
    };
    enum { COUNT = sizeof texts / sizeof *texts };
    for (size_t i = 0; i < COUNT; i++) {
        for (size_t j = 0; j < COUNT; j++) {
            rm_value a = rm_null(), b = rm_null();
            assert_int_equal(rm_json_parse(NULL, texts[i], strlen(texts[i]), 0, &a, NULL), RM_OK);
            assert_int_equal(rm_json_parse(NULL, texts[j], strlen(texts[j]), 0, &b, NULL), RM_OK);
            if (rm_value_equal(a, b) != (i == j))
                fail_msg("%s and %s", texts[i], texts[j]);
            rm_value_clear(&a);
            rm_value_clear(&b);
        }
    }
    const double zero = 0;
    assert_true(rm_value_equal(rm_float(zero / zero), rm_float(-(zero / zero))));
}

/* ---- Objects ---- */

static void objects_become_plain_at_any_depth(void **unused)
{
    (void)unused;
    for (size_t nth = 1, faults = 1; faults != 0; nth++) {
        rmt_heap heap;
        rmt_heap_init(&heap, nth);
        thing t = {.allocator = &heap.allocator};
        rm_value object = rm_null(), list = rm_null(), map = rm_null(), out = rm_null();
        int rc = rm_object_new(&heap.allocator, &thing_type, &t, &object, NULL);
        if (rc == RM_OK)
            rc = rm_list_new(&heap.allocator, 1, &list, NULL);
        if (rc == RM_OK)
            rc = rm_list_append(&list, rm_value_move(&object), NULL);
        if (rc == RM_OK)
            rc = rm_map_new(&heap.allocator, 1, &map, NULL);
        if (rc == RM_OK)
            rc = rm_map_set(&map, "k", 1, rm_value_move(&list), NULL);
        if (rc == RM_OK) {
            assert_true(rmi_value_has_object(map));
            rc = rm_value_to_plain(&heap.allocator, map, &out, NULL);
        }
        if (rc == RM_OK) {
            rm_value inner = rm_null();
            assert_false(rmi_value_has_object(out));
            assert_true(rm_map_get(out, "k", 1, &inner));
            assert_string_equal(rm_string_text(rm_list_get(inner, 0), NULL), "plain");
            assert_int_equal(t.converted, 1);
        }
        faults = heap.faults;
        assert_int_equal(rc, faults != 0 ? RM_E_OUT_OF_MEMORY : RM_OK);
        rm_value_clear(&object);
        rm_value_clear(&list);
        rm_value_clear(&map);
        rm_value_clear(&out);
        assert_int_equal(t.released, 1);
        assert_int_equal(heap.live_blocks, 0);
    }
}

static void branches_get_copies_of_objects_and_share_the_rest(void **unused)
{
    (void)unused;
    thing own = {0}, shared = {0};
    rm_value list = rm_null(), object = rm_null(), branch = rm_null(), plain = rm_null();
    assert_int_equal(rm_list_new(NULL, 3, &list, NULL), RM_OK);
    assert_int_equal(rm_object_new(NULL, &thing_type, &own, &object, NULL), RM_OK);
    assert_ptr_equal(rm_object_get(object, &thing_type), &own);
    assert_null(rm_object_get(object, &shared_type));
    assert_ptr_equal(rm_object_type_of(object), &thing_type);
    assert_int_equal(rm_list_append(&list, object, NULL), RM_OK);
    assert_int_equal(rm_object_new(NULL, &shared_type, &shared, &object, NULL), RM_OK);
    assert_int_equal(rm_list_append(&list, object, NULL), RM_OK);
    assert_int_equal(rm_list_append(&list, text(NULL, "text"), NULL), RM_OK);
    assert_int_equal(rm_value_for_branch(list, &branch, NULL), RM_OK);
    assert_int_equal(own.copied, 1);
    assert_int_equal(shared.copied, 0);
    assert_ptr_equal(rm_list_get(branch, 1).heap, rm_list_get(list, 1).heap);
    assert_ptr_equal(rm_list_get(branch, 2).heap, rm_list_get(list, 2).heap);
    rm_value_clear(&branch);
    own.holds_itself = true;
    assert_int_equal(rm_value_to_plain(NULL, list, &plain, NULL), RM_E_LIMIT);
    assert_int_equal(plain.kind, RM_NULL);
    rm_value_clear(&list);
    assert_int_equal(shared.released, 1);
}

/* ---- Packets and errors ---- */

static void packets_own_value_and_metadata(void **unused)
{
    (void)unused;
    rmt_heap heap;
    rm_value map = rm_null();
    rmt_heap_init(&heap, 0);
    rm_packet packet = rm_packet_of(text(&heap.allocator, "a"));
    assert_int_equal(rm_map_new(&heap.allocator, 0, &map, NULL), RM_OK);
    rm_packet_set_metadata(&packet, map);
    assert_int_equal(rm_packet_metadata(&packet).kind, RM_MAP);
    rm_packet_set_metadata(&packet, text(&heap.allocator, "no map"));
    assert_int_equal(rm_packet_metadata(&packet).kind, RM_NULL);
    rm_packet moved = rm_packet_move(&packet);
    rm_packet_clear(&packet);
    rm_packet_clear(&moved);
    assert_int_equal(moved.timestamp, RM_NO_TIME);
    assert_int_equal(heap.live_blocks, 0);
}

static void errors_become_documents(void **unused)
{
    (void)unused;
    for (size_t nth = 1, faults = 1; faults != 0; nth++) {
        rmt_heap heap;
        rm_error err = {0};
        rm_value document = rm_null();
        char *json = NULL;
        size_t length = 0;
        rmt_heap_init(&heap, nth);
        (void)rm_error_set(&err, RM_E_VALUE, "bad \xff byte");
        rm_error_pointer(&err, "%s", "");
        rm_error_hint(&err, "fix it");
        err.has_item = true;
        err.item = 3;
        (void)snprintf(err.node, sizeof err.node, "n");
        int rc = rm_error_to_value(&heap.allocator, &err, &document, NULL);
        faults = heap.faults;
        assert_int_equal(rc, faults != 0 ? RM_E_OUT_OF_MEMORY : RM_OK);
        if (rc == RM_OK) {
            assert_int_equal(rm_json_write(NULL, document, 0, &json, &length, NULL, NULL), RM_OK);
            assert_string_equal(
                json, "{\"code\":\"value\",\"message\":\"bad ? byte\",\"node\":\"n\",\"pointer\":\"\","
                      "\"item\":3,\"hint\":\"fix it\"}");
            rm_text_free(NULL, json, length);
        }
        rm_value_clear(&document);
        rm_error_clear(&err);
        assert_int_equal(heap.live_blocks, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maps_keep_order_and_find_keys),
        cmocka_unit_test(lists_grow),
        cmocka_unit_test(impossible_sizes_are_refused),
        cmocka_unit_test(shared_values_are_not_changed),
        cmocka_unit_test(wrong_kinds_are_refused_and_consumed),
        cmocka_unit_test(survives_failing_memory),
        cmocka_unit_test(equality_is_of_content),
        cmocka_unit_test(objects_become_plain_at_any_depth),
        cmocka_unit_test(branches_get_copies_of_objects_and_share_the_rest),
        cmocka_unit_test(packets_own_value_and_metadata),
        cmocka_unit_test(errors_become_documents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
