/* Reused blocks: content, limits, and threads that do not own the lists. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/recycler.h"
#include "tests/support/heap.h"

enum { BLOCKS = 64 };

typedef struct fixture {
    rmt_heap heap;
    rmi_recycler recycler;
    unsigned char *blocks[BLOCKS];
    size_t sizes[BLOCKS];
} fixture;

static void begin(fixture *f)
{
    *f = (fixture){0};
    rmt_heap_init(&f->heap, 0);
    rmi_recycler_init(&f->recycler, &f->heap.allocator);
}

static void end(fixture *f)
{
    rmi_recycler_clear(&f->recycler);
    assert_int_equal(f->heap.live_blocks, 0);
    assert_int_equal(f->heap.mistakes, 0);
}

static bool holds(const fixture *f, size_t place, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (f->blocks[place][i] != (unsigned char)place)
            return false;
    }
    return true;
}

/* Resizes each block to the next of some sizes, 0 among them. false: a block lost content that fits. */
static bool use(fixture *f, size_t from, size_t to)
{
    static const size_t sizes[] = {1, 16, 0, 17, 64, 500, 0, 512, 513, 40, 3000, 0, 24};
    bool kept = true;
    for (size_t round = 0; round < 1000; round++) {
        for (size_t i = from; i < to; i++) {
            size_t old = f->sizes[i], size = sizes[(round * 7 + i * 3) % (sizeof sizes / sizeof *sizes)];
            f->blocks[i] = rmi_resize(&f->recycler.allocator, f->blocks[i], old, size);
            f->sizes[i] = size;
            kept = kept && holds(f, i, old < size ? old : size);
            if (size != 0)
                memset(f->blocks[i], (int)i, size);
        }
    }
    for (size_t i = from; i < to; i++)
        rmi_free(&f->recycler.allocator, f->blocks[i], f->sizes[i]);
    return kept;
}

static void blocks_keep_their_content(void **unused)
{
    (void)unused;
    fixture f;
    begin(&f);
    assert_true(use(&f, 0, BLOCKS));
    end(&f);
}

static void *use_half(void *context)
{
    return use(context, 0, BLOCKS / 2) ? context : NULL;
}

static void another_thread_may_use_it_too(void **unused)
{
    (void)unused;
    fixture f;
    pthread_t thread;
    void *kept = NULL;
    begin(&f);
    for (size_t i = 0; i < BLOCKS / 2; i++) { /* one thread made these blocks, another changes them */
        f.blocks[i] = rmi_alloc(&f.recycler.allocator, i + 1);
        f.sizes[i] = i + 1;
        memset(f.blocks[i], (int)i, i + 1);
    }
    assert_int_equal(pthread_create(&thread, NULL, use_half, &f), 0);
    assert_true(use(&f, BLOCKS / 2, BLOCKS));
    assert_int_equal(pthread_join(thread, &kept), 0);
    assert_ptr_equal(kept, &f);
    end(&f);
}

static void what_is_kept_is_used_again_and_bounded(void **unused)
{
    (void)unused;
    fixture f;
    void *first = NULL;
    begin(&f);
    for (int i = 0; i < 5000; i++) { /* a list of blocks, 2.5 MB in all */
        void **block = rmi_alloc(&f.recycler.allocator, 500);
        *block = first;
        first = block;
    }
    while (first != NULL) {
        void *next = *(void **)first;
        rmi_free(&f.recycler.allocator, first, 500);
        first = next;
    }
    assert_true(f.heap.live_bytes <= RM_RECYCLED_BYTES);
    assert_int_equal(f.heap.live_blocks != 0, RM_RECYCLED_BYTES != 0);
    size_t calls = f.heap.calls;
    rmi_free(&f.recycler.allocator, rmi_alloc(&f.recycler.allocator, 510), 510);
    assert_int_equal(f.heap.calls == calls, RM_RECYCLED_BYTES != 0);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_keep_their_content),
        cmocka_unit_test(another_thread_may_use_it_too),
        cmocka_unit_test(what_is_kept_is_used_again_and_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
