/* The head of a NPY file: a magic number, the version, the length of a dictionary in Python's spelling, and the
 * dictionary itself: {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }. */
#include "data/npy.h"

#include <string.h>

#include "base/alloc.h"
#include "data/dtype_names.h"
#include "data/json/json_dtype.h"

/* The dictionary ends where the elements are aligned. Numpy leaves room for the first dimension to grow in place. */
enum { ALIGNED = 64, GROWN_DIGITS = 21, MAGIC = 8, LONGEST_SHORT = UINT16_MAX };

static const char no_word[] = "the NPY format has no word for elements of dtype %.200s";

/* ---- Dtypes ---- */

/* Text in Python's quotes, in ASCII, so that the file needs no version of the format with UTF-8. */
static void put_quoted(rmi_text *text, const char *from, size_t length)
{
    static const unsigned char lead[] = {0x7F, 0, 0x1F, 0x0F, 0x07};
    rmi_text_append_c(text, "'");
    for (size_t i = 0; i < length; i++) {
        const unsigned char c = (unsigned char)from[i];
        const size_t size = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
        uint32_t character = c & (size == 1 ? lead[0] : lead[size]);
        for (size_t k = 1; k < size; k++) /* it is UTF-8 */
            character = character << 6 | ((unsigned char)from[++i] & 0x3F);
        if (character == '\'' || character == '\\')
            rmi_text_printf(text, "\\%c", (int)character);
        else if (character >= 0x20 && character < 0x7F)
            rmi_text_printf(text, "%c", (int)character);
        else
            rmi_text_printf(text,
                            character < 0x100     ? "\\x%02lx"
                            : character < 0x10000 ? "\\u%04lx"
                                                  : "\\U%08lx",
                            (unsigned long)character);
    }
    rmi_text_append_c(text, "'");
}

/* Numpy's letters of an element, with its byte order. */
static int put_letters(rmi_text *text, const rmi_element *element, const char *name, rm_error *err)
{
    const char kind = element->kind;
    const bool ordered = element->size > 1 && kind != 'S' && kind != 'V';
    const size_t characters = kind == 'U' ? element->size / 4 : element->size;
    if (kind == 'B' || kind == 'E') {
        (void)rm_error_set(err, RM_E_UNSUPPORTED, no_word, name);
        rm_error_hint(
            err, "print its JSON form: --arrays json; or convert it, in Python with x.astype('float32')");
        return RM_E_UNSUPPORTED;
    }
    rmi_text_printf(text, "'%c%c%zu%s'",
                    element->swapped         ? '>'
                    : ordered || kind == 'U' ? '<'
                                             : '|',
                    kind, characters, element->unit);
    return RM_OK;
}

static int put_fields(rmi_text *text, yyjson_val *fields, rm_error *err);

static int put_type(rmi_text *text, yyjson_val *type, rm_error *err)
{
    rmi_element element;
    if (yyjson_is_arr(type)) /* records nest only as deep as their description may */
        return put_fields(text, type, err);
    int rc = rmi_element_read(yyjson_get_str(type), &element, err);
    return rc == RM_OK ? put_letters(text, &element, yyjson_get_str(type), err) : rc;
}

/* (2, 3), or (2,) */
static void put_tuple(rmi_text *text, int32_t count, const int64_t *sizes)
{
    rmi_text_append_c(text, "(");
    for (int32_t i = 0; i < count; i++)
        rmi_text_printf(text, "%s%lld", i != 0 ? ", " : "", (long long)sizes[i]);
    rmi_text_append_c(text, count == 1 ? ",)" : ")");
}

static void put_name(rmi_text *text, yyjson_val *name)
{
    if (yyjson_is_str(name)) {
        put_quoted(text, yyjson_get_str(name), yyjson_get_len(name));
        return;
    }
    rmi_text_append_c(text, "(");
    put_quoted(text, yyjson_get_str(yyjson_arr_get(name, 0)), yyjson_get_len(yyjson_arr_get(name, 0)));
    rmi_text_append_c(text, ", ");
    put_quoted(text, yyjson_get_str(yyjson_arr_get(name, 1)), yyjson_get_len(yyjson_arr_get(name, 1)));
    rmi_text_append_c(text, ")");
}

/* [('x', '<i2'), ('y', '<f4', (3,))] */
static int put_fields(rmi_text *text, yyjson_val *fields, rm_error *err)
{
    size_t index = 0, count = 0;
    yyjson_val *field = NULL;
    rmi_text_append_c(text, "[");
    yyjson_arr_foreach(fields, index, count, field)
    {
        int64_t shape[RM_MAX_DIMENSIONS];
        int32_t dimensions = 0;
        rmi_json_field_shape(field, &dimensions, shape);
        rmi_text_append_c(text, index != 0 ? ", (" : "(");
        put_name(text, yyjson_arr_get(field, 0));
        rmi_text_append_c(text, ", ");
        int rc = put_type(text, yyjson_arr_get(field, 1), err);
        if (rc != RM_OK)
            return rc;
        if (yyjson_arr_size(field) > 2) {
            rmi_text_append_c(text, ", ");
            put_tuple(text, dimensions, shape);
        }
        rmi_text_append_c(text, ")");
    }
    rmi_text_append_c(text, "]");
    return RM_OK;
}

static int put_dtype(rmi_text *text, const rm_tensor *view, rm_error *err)
{
    rmi_json_document *document = NULL;
    if (view->description == NULL) {
        const rmi_element element = rmi_element_of(view->dtype);
        return put_letters(text, &element, rm_dtype_name(view->dtype), err);
    }
    int rc =
        rmi_json_read(text->allocator, view->description, strlen(view->description), "dtype", &document, err);
    if (rc == RM_OK)
        rc = put_type(text, rmi_json_root(document), err);
    rmi_json_document_free(document);
    return rc;
}

/* ---- The head ---- */

static size_t digits_of(int64_t number)
{
    size_t digits = 1;
    for (; number >= 10; number /= 10)
        digits++;
    return digits;
}

static int put_dictionary(rmi_text *text, const rm_tensor *view, bool fortran, rm_error *err)
{
    rmi_text_append_c(text, "{'descr': ");
    int rc = put_dtype(text, view, err);
    rmi_text_printf(text, ", 'fortran_order': %s, 'shape': ", fortran ? "True" : "False");
    put_tuple(text, view->dimensions, view->shape);
    rmi_text_append_c(text, ", }");
    if (view->dimensions != 0) {
        const int64_t grows = view->shape[fortran ? view->dimensions - 1 : 0];
        rmi_text_printf(text, "%*s", (int)(GROWN_DIGITS - digits_of(grows)), "");
    }
    return rc;
}

int rmi_npy_append_head(rmi_text *text, const rm_tensor *view, bool fortran, rm_error *err)
{
    rmi_text dictionary;
    unsigned char magic[MAGIC + 4] = "\x93NUMPY";
    rmi_text_init(&dictionary, text->allocator);
    int rc = put_dictionary(&dictionary, view, fortran, err);
    size_t before = MAGIC + 2, length = dictionary.length + 1;
    length += ALIGNED - (before + length) % ALIGNED; /* never 0, as numpy has it */
    magic[6] = 1;
    if (length > LONGEST_SHORT) {
        before = MAGIC + 4;
        length = dictionary.length + 1;
        length += ALIGNED - (before + length) % ALIGNED;
        magic[6] = 2;
    }
    for (size_t i = MAGIC; i < before; i++)
        magic[i] = (unsigned char)(length >> 8 * (i - MAGIC));
    rmi_text_append(text, (const char *)magic, before);
    rmi_text_append(text, dictionary.data, dictionary.length);
    rmi_text_printf(text, "%*s\n", (int)(length - 1 - dictionary.length), "");
    if (text->failed || dictionary.failed)
        rc = rmi_out_of_memory(err);
    rmi_text_clear(&dictionary);
    return rc;
}
