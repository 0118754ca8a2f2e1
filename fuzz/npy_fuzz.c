/* The head of a NPY file, for each array in a JSON text: whole, aligned, and in ASCII. */
#include <string.h>

#include "data/npy.h"
#include "fuzz/fuzz.h"

enum { ALIGNED = 64, SHORT_HEAD = 10, LONG_HEAD = 12 };

static void check_head(const rmi_text *text)
{
    const unsigned char *head = (const unsigned char *)text->data;
    rmf_require(text->length > SHORT_HEAD && memcmp(head, "\x93NUMPY", 6) == 0, "there is no magic number");
    const size_t before = head[6] == 1 ? SHORT_HEAD : LONG_HEAD;
    size_t length = head[8] | (size_t)head[9] << 8;
    if (before == LONG_HEAD)
        length |= (size_t)head[10] << 16 | (size_t)head[11] << 24;
    rmf_require(before + length == text->length, "the length is another");
    rmf_require(text->length % ALIGNED == 0 && head[text->length - 1] == '\n',
                "it does not end where it should");
    rmf_require(memcmp(head + before, "{'descr': ", 10) == 0, "there is no description");
    for (size_t i = before; i + 1 < text->length; i++)
        rmf_require(head[i] >= 0x20 && head[i] < 0x7F, "byte %zu is %d", i, head[i]);
}

static int make_heads(const rm_allocator *allocator, rm_value tensor, rm_error *err)
{
    const rm_tensor view = rm_tensor_view(tensor);
    int rc = RM_OK;
    for (int fortran = 0; rc == RM_OK && fortran <= 1; fortran++) {
        rmi_text text;
        rmi_text_init(&text, allocator);
        rc = rmi_npy_append_head(&text, &view, fortran != 0, err);
        if (rc == RM_OK)
            check_head(&text);
        rmi_text_clear(&text);
    }
    return rc;
}

int rmf_run(rmt_heap *heap, rmf_input input)
{
    rm_value value = rm_null();
    rm_error err = {0};
    size_t length = 0;
    char *text = (char *)rmf_rest(&input, &length);
    int rc = rm_json_parse(&heap->allocator, text, length, 0, &value, &err);
    if (value.kind == RM_TENSOR)
        rc = make_heads(&heap->allocator, value, &err);
    for (size_t i = 0; rc == RM_OK && value.kind == RM_LIST && i < rm_list_length(value); i++)
        if (rm_list_get(value, i).kind == RM_TENSOR)
            rc = make_heads(&heap->allocator, rm_list_get(value, i), &err);
    rmf_require(rc == err.code, "it answers %d and says %d", rc, err.code);
    rm_error_clear(&err);
    rm_value_clear(&value);
    free(text);
    return rc;
}
