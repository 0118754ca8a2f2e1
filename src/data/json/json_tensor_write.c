/* Prepares the JSON form of a tensor; json_tensor_read.c reads the form. */
#include <string.h>

#include <libbase64.h>

#include "base/alloc.h"
#include "data/builder.h"
#include "data/json/json_parts.h"
#include "data/tensor.h"

static int meta_form(const rm_allocator *allocator, rm_value tensor, size_t count, rm_value *out,
                     rm_error *err)
{
    const rm_tensor view = rm_tensor_view(tensor);
    rmi_builder b = rmi_builder_start(allocator, err);
    rm_value map = rmi_build_map(&b), shape = rmi_build_list(&b), dtype = rm_null();
    for (int32_t i = 0; i < view.dimensions; i++)
        rmi_build_add(&b, &shape, rm_int(view.shape[i]));
    rmi_build_put(&b, &map, "shape", shape);
    if (b.rc == RM_OK)
        b.rc = rmi_json_dtype_form(allocator, &view, &dtype, err);
    rmi_build_put(&b, &map, "dtype", dtype);
    rmi_build_put(&b, &map, "size", rm_int((int64_t)count));
    rmi_build_put(&b, &map, "c_contiguous", rm_bool(rm_tensor_is_contiguous(tensor)));
    rmi_build_put(&b, &map, "f_contiguous", rm_bool(rm_tensor_is_fortran(tensor)));
    return rmi_build_end(&b, &map, out);
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
    if (media->kind != RM_MEDIA_AUDIO)
        return RM_OK;
    rmi_builder b = rmi_builder_start(allocator, err);
    rm_value map = rmi_build_map(&b), layout = rm_null();
    rmi_build_text(&b, &map, "kind", "audio");
    rmi_build_put(&b, &map, "sample_rate", rm_int(media->sample_rate));
    if (b.rc == RM_OK && media->channel_layout != 0) {
        uint8_t bytes[sizeof media->channel_layout + 1] = {0};
        memcpy(bytes, &media->channel_layout, sizeof media->channel_layout);
        b.rc = rm_integer_from_bytes(allocator, bytes, sizeof bytes, &layout, err);
        rmi_build_put(&b, &map, "channel_layout", layout);
    }
    return rmi_build_end(&b, &map, out);
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
