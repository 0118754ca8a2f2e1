/* Tensors as people read them: nested lists of numbers, and texts, dates and records of these. */
#include <string.h>

#include "data/half.h"
#include "data/json/json_parts.h"
#include "data/tensor.h"

/* The least number of empty lists that is too many to print. */
enum { TOO_MANY_EMPTY = 1 << 24 };

/* The tensor that is printed. The functions below get an element's bytes in `at`, and print them in order. */
typedef struct lists {
    const rmi_json_writer *w;
    rm_tensor view;
    rmi_element element;   /* of a tensor without fields */
    yyjson_val *fields;    /* of a record: the description; else NULL */
    const char *described; /* for messages */
} lists;

static void put(const rmi_json_writer *w, const char *text)
{
    rmi_text_append_c(w->text, text);
}

static int refuse(const lists *l, const char *dtype)
{
    (void)rm_error_set(l->w->err, RM_E_UNSUPPORTED, "elements of dtype %.200s cannot be printed as lists",
                       dtype);
    rm_error_hint(l->w->err, "their JSON form and NPY files take them: --arrays json, --arrays npy:DIR");
    return RM_E_UNSUPPORTED;
}

/* ---- Numbers ---- */

/* A number of up to 8 bytes in this machine's order, the lowest byte first. */
static uint64_t load(const char *at, size_t size, bool swapped)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < size; i++)
        bits |= (uint64_t)(unsigned char)at[swapped ? size - 1 - i : i] << 8 * i;
    return bits;
}

static int64_t sign_extend(uint64_t bits, size_t size)
{
    const uint64_t sign = size != 0 ? (uint64_t)1 << (8 * size - 1) : 0;
    return (int64_t)((bits ^ sign) - sign);
}

static void put_uint(const rmi_json_writer *w, uint64_t value)
{
    if (value > INT64_MAX) {
        rmi_json_put_int(w, (int64_t)(value / 10));
        value %= 10;
    }
    rmi_json_put_int(w, (int64_t)value);
}

static void put_float(const rmi_json_writer *w, const char *at, size_t size, bool swapped, bool brain)
{
    uint64_t bits = load(at, size, swapped);
    uint32_t narrow = (uint32_t)(brain ? bits << 16 : bits);
    double value = 0;
    float single = 0;
    memcpy(&single, &narrow, sizeof single);
    memcpy(&value, &bits, sizeof value);
    if (size == sizeof value)
        rmi_json_put_float(w, value, RMI_FLOAT64);
    else if (size == sizeof single || brain)
        rmi_json_put_float(w, (double)single, brain ? RMI_BFLOAT16 : RMI_FLOAT32);
    else
        rmi_json_put_float(w, (double)rmi_half_to_float((uint16_t)bits), RMI_FLOAT16);
}

/* ---- Texts ---- */

/* Writes one character as UTF-8; returns 0 where it is no character. */
static size_t encode(uint64_t c, char *to)
{
    if (c >= 0x110000 || (c >= 0xD800 && c < 0xE000))
        return 0;
    const size_t length = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = length; i-- > 1; c >>= 6)
        to[i] = (char)(0x80 | (c & 0x3F));
    to[0] = (char)(lead[length] | c);
    return length;
}

/* Numpy pads texts with NULs at the end. */
static int put_text(const lists *l, const rmi_element *element, const char *at)
{
    enum { CHARACTER = 4 };
    rmi_text text;
    size_t size = element->size, length = 0;
    bool good = true;
    if (element->kind == 'S') {
        while (size != 0 && at[size - 1] == '\0')
            size--;
        if (rmi_utf8_check(at, size) != size)
            return refuse(l, "'S' that are not UTF-8");
        rmi_json_put_text(l->w, at, size);
        return RM_OK;
    }
    while (size != 0 && load(at + size - CHARACTER, CHARACTER, false) == 0)
        size -= CHARACTER;
    rmi_text_init(&text, l->w->text->allocator);
    for (size_t i = 0; good && i < size; i += CHARACTER) {
        char *to = rmi_text_reserve(&text, CHARACTER);
        length = to != NULL ? encode(load(at + i, CHARACTER, element->swapped), to) : 0;
        good = length != 0;
        text.length += length;
    }
    if (good)
        rmi_json_put_text(l->w, text.data != NULL ? text.data : "", text.length);
    l->w->text->failed |= text.failed;
    good = good || text.failed;
    rmi_text_clear(&text);
    return good ? RM_OK : refuse(l, "'U' with what is no character");
}

/* ---- Elements ---- */

static int put_one(const lists *l, const rmi_element *element, const char *name, const char *at)
{
    const rmi_json_writer *w = l->w;
    const size_t size = element->size;
    switch (element->kind) {
    case 'b':
        put(w, *at != 0 ? "true" : "false");
        return RM_OK;
    case 'i':
        rmi_json_put_int(w, sign_extend(load(at, size, element->swapped), size));
        return RM_OK;
    case 'u':
        put_uint(w, load(at, size, element->swapped));
        return RM_OK;
    case 'S':
    case 'U':
        return put_text(l, element, at);
    case 'M':
    case 'm':
        return rmi_json_put_date(w, element, sign_extend(load(at, size, element->swapped), size));
    case 'f':
    case 'B':
        if (size > sizeof(double))
            return refuse(l, name);
        put_float(w, at, size, element->swapped, element->kind == 'B');
        return RM_OK;
    case 'c':
        if (size > 2 * sizeof(double))
            return refuse(l, name);
        put(w, "[");
        put_float(w, at, size / 2, element->swapped, false);
        put(w, ",");
        put_float(w, at + size / 2, size / 2, element->swapped, false);
        put(w, "]");
        return RM_OK;
    case 'E': /* NPY has no word for them */
        (void)refuse(l, name);
        rm_error_hint(w->err, "their JSON form takes them: --arrays json");
        return RM_E_UNSUPPORTED;
    default:
        return refuse(l, name);
    }
}

/* ---- Records ---- */

static int put_field(const lists *l, yyjson_val *type, const char **at);

/* Prints one value of a record's field, or as many as its shape says. *at moves behind them. */
static int put_repeated(const lists *l, yyjson_val *type, int32_t left, const int64_t *shape, const char **at)
{
    int rc = RM_OK;
    if (left == 0)
        return put_field(l, type, at);
    put(l->w, "[");
    for (int64_t i = 0; rc == RM_OK && i < shape[0]; i++) {
        if (i != 0)
            put(l->w, ",");
        rc = put_repeated(l, type, left - 1, shape + 1, at);
    }
    put(l->w, "]");
    return rc;
}

static int put_record(const lists *l, yyjson_val *fields, const char **at)
{
    size_t index = 0, count = 0, length = 0;
    yyjson_val *field = NULL;
    int rc = RM_OK;
    bool first = true;
    put(l->w, "{");
    yyjson_arr_foreach(fields, index, count, field)
    {
        const char *name = NULL;
        int64_t shape[RM_MAX_DIMENSIONS];
        int32_t dimensions = 0;
        rmi_element padding;
        rmi_json_field_name(field, &name, &length);
        yyjson_val *type = yyjson_arr_get(field, 1);
        if (name == NULL && rmi_element_read(yyjson_get_str(type), &padding, NULL) == RM_OK) {
            *at += padding.size;
            continue;
        }
        rmi_json_field_shape(field, &dimensions, shape);
        if (!first)
            put(l->w, ",");
        first = false;
        rmi_json_put_text(l->w, name, length);
        put(l->w, ":");
        rc = put_repeated(l, type, dimensions, shape, at);
        if (rc != RM_OK)
            return rc;
    }
    put(l->w, "}");
    return RM_OK;
}

/* Prints one field. Records nest only as deep as their description may. */
static int put_field(const lists *l, yyjson_val *type, const char **at)
{
    rmi_element element;
    if (yyjson_is_arr(type))
        return put_record(l, type, at);
    int rc = rmi_element_read(yyjson_get_str(type), &element, l->w->err);
    if (rc == RM_OK)
        rc = put_one(l, &element, yyjson_get_str(type), *at);
    *at += element.size;
    return rc;
}

/* ---- Tensors ---- */

static int put_dimension(const lists *l, int32_t dimension, const char *at)
{
    const rm_tensor *view = &l->view;
    int rc = RM_OK;
    if (dimension == view->dimensions)
        return l->fields != NULL ? put_record(l, l->fields, &at) : put_one(l, &l->element, l->described, at);
    put(l->w, "[");
    for (int64_t i = 0; rc == RM_OK && i < view->shape[dimension]; i++) {
        if (i != 0)
            put(l->w, ",");
        rc = put_dimension(l, dimension + 1, at + i * view->strides[dimension] * (int64_t)view->item_size);
        if (l->w->text->failed)
            break;
    }
    put(l->w, "]");
    return rc;
}

/* Whether the lists can be printed: dimensions before the empty one take no memory, so they may be huge. */
static bool is_printable(const rm_tensor *view)
{
    int64_t list_count = 1;
    for (int32_t i = 0; i < view->dimensions && view->shape[i] != 0; i++)
        if (__builtin_mul_overflow(list_count, view->shape[i], &list_count))
            return false;
    size_t count = 0, bytes = 0;
    (void)rmi_tensor_measure(view->item_size, view->dimensions, view->shape, &count, &bytes);
    return bytes != 0 || list_count < TOO_MANY_EMPTY;
}

int rmi_json_put_lists(const rmi_json_writer *w, rm_value tensor)
{
    lists l = {.w = w, .view = rm_tensor_view(tensor)};
    const char *description = l.view.description;
    rmi_json_document *document = NULL;
    int rc = RM_OK;
    if (!is_printable(&l.view))
        return rm_error_set(w->err, RM_E_LIMIT, "an empty array of this shape is too long to be printed");
    l.described = description != NULL ? description : rm_dtype_name(l.view.dtype);
    if (description == NULL) {
        l.element = rmi_element_of(l.view.dtype);
        return put_dimension(&l, 0, l.view.data);
    }
    rc = rmi_json_read(w->text->allocator, description, strlen(description), "dtype", &document, w->err);
    if (rc == RM_OK && yyjson_is_str(rmi_json_root(document)))
        rc = rmi_element_read(yyjson_get_str(rmi_json_root(document)), &l.element, w->err);
    else if (rc == RM_OK)
        l.fields = rmi_json_root(document);
    if (rc == RM_OK)
        rc = put_dimension(&l, 0, l.view.data);
    rmi_json_document_free(document);
    return rc;
}
