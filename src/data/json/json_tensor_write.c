/* Prepares the JSON form of a tensor; json_tensor_read.c reads the form. */
#include <string.h>

#include <libbase64.h>

#include "base/alloc.h"
#include "data/blocks.h"
#include "data/json/json_parts.h"
#include "data/tensor.h"

static int put_text(int rc, rm_value *map, const char *key, const char *text, rm_error *err)
{
    rm_value item = rm_null();
    if (rc == RM_OK)
        rc = rmi_string_new_unchecked(map->heap->allocator, text, strlen(text), &item, err);
    return rmi_map_set_next(rc, map, key, item, err);
}

static int meta_form(const rm_allocator *allocator, rm_value tensor, size_t count, rm_value *out,
                     rm_error *err)
{
    const rm_tensor view = rm_tensor_view(tensor);
    rm_value shape = rm_null(), dtype = rm_null();
    int rc = rm_map_new(allocator, 5, out, err);
    if (rc == RM_OK)
        rc = rm_list_new(allocator, (size_t)view.dimensions, &shape, err);
    for (int32_t i = 0; rc == RM_OK && i < view.dimensions; i++)
        rc = rm_list_append(&shape, rm_int(view.shape[i]), err);
    rc = rmi_map_set_next(rc, out, "shape", shape, err);
    if (rc == RM_OK)
        rc = rmi_json_dtype_form(allocator, &view, &dtype, err);
    rc = rmi_map_set_next(rc, out, "dtype", dtype, err);
    rc = rmi_map_set_next(rc, out, "size", rm_int((int64_t)count), err);
    rc = rmi_map_set_next(rc, out, "c_contiguous", rm_bool(rm_tensor_is_contiguous(tensor)), err);
    rc = rmi_map_set_next(rc, out, "f_contiguous", rm_bool(rm_tensor_is_fortran(tensor)), err);
    return rc;
}

void rmi_json_put_base64(rmi_text *text, const void *data, size_t bytes)
{
    enum { ROOM = 256 }; /* for the text that follows, so that the data need not move */
    size_t length = 0, written = 0;
    const bool fits = rmi_multiply(bytes / 3 + (bytes % 3 != 0), 4, &length) && length <= SIZE_MAX - ROOM;
    char *to = fits ? rmi_text_reserve(text, length + ROOM) : NULL;
    if (to == NULL) {
        text->failed = true;
        return;
    }
    to[0] = '"';
    if (bytes != 0)
        base64_encode(data, bytes, to + 1, &written, 0);
    to[1 + written] = '"';
    text->length += written + 2;
}

static int media_form(const rm_allocator *allocator, const rm_media *media, rm_value *out, rm_error *err)
{
    rm_value layout = rm_null();
    if (media->kind != RM_MEDIA_AUDIO)
        return RM_OK;
    int rc = rm_map_new(allocator, 3, out, err);
    rc = put_text(rc, out, "kind", "audio", err);
    rc = rmi_map_set_next(rc, out, "sample_rate", rm_int(media->sample_rate), err);
    if (rc == RM_OK && media->channel_layout != 0) {
        uint8_t bytes[sizeof media->channel_layout + 1] = {0};
        memcpy(bytes, &media->channel_layout, sizeof media->channel_layout);
        rc = rm_integer_from_bytes(allocator, bytes, sizeof bytes, &layout, err);
        rc = rmi_map_set_next(rc, out, "channel_layout", layout, err);
    }
    return rc;
}

int rmi_json_form_of(const rm_allocator *allocator, rm_value tensor, rmi_json_form *out, rm_error *err)
{
    size_t count = 0;
    int rc = RM_OK;
    *out = (rmi_json_form){.data = NULL};
    if (rm_tensor_is_fortran(tensor))
        out->whole = rm_value_retain(tensor);
    else
        rc = rm_tensor_contiguous(allocator, tensor, &out->whole, err);
    if (rc != RM_OK)
        return rc;
    const rm_tensor view = rm_tensor_view(out->whole);
    out->data = view.data;
    (void)rmi_tensor_measure(view.item_size, view.dimensions, view.shape, &count, &out->bytes);
    rc = meta_form(allocator, out->whole, count, &out->meta, err);
    if (rc == RM_OK)
        rc = media_form(allocator, &view.media, &out->media, err);
    return rc;
}

void rmi_json_form_clear(rmi_json_form *form)
{
    rm_value_clear(&form->whole);
    rm_value_clear(&form->meta);
    rm_value_clear(&form->media);
}
