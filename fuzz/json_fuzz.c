/* JSON: what is read and written and read again is the same value. */
#include <string.h>

#include "data/json/json.h"
#include "fuzz/fuzz.h"

/* What the first byte chooses beside flags of rm_json_parse and rm_json_write. */
enum { LINES = 128 };

static int write_and_read(const rm_allocator *allocator, rm_value value, unsigned flags, rm_error *err)
{
    char *text = NULL;
    size_t length = 0;
    bool had_nan = false;
    rm_value again = rm_null();
    int rc = rm_json_write(allocator, value, flags, &text, &length, &had_nan, err);
    if (rc != RM_OK)
        return rc;
    rmf_require(text[length] == '\0', "the text does not end with a NUL");
    const bool exact = !had_nan && (flags & (RM_JSON_WHOLE_AS_INT | RM_JSON_ARRAYS_AS_LISTS)) == 0;
    rc = rm_json_parse(allocator, text, length, flags & RM_JSON_RAW, &again, err);
    if (rc == RM_OK && exact)
        rmf_require(rm_value_equal(value, again), "it reads back as another value: %.300s", text);
    rmf_require(rc == RM_OK || rc == RM_E_OUT_OF_MEMORY || !exact, "it does not read back (%d, %s): %.300s",
                rc, err->message, text);
    rm_text_free(allocator, text, length);
    rm_value_clear(&again);
    return rc;
}

/* Line by line, as the input of a run is read; what was read may live longer than the next line. */
static int read_lines(const rm_allocator *allocator, const char *text, size_t length, unsigned flags,
                      rm_error *err)
{
    rmi_json_reader *reader = NULL;
    rm_value before = rm_null(), value = rm_null();
    int rc = rmi_json_reader_new(allocator, flags, &reader, err);
    for (size_t at = 0; rc == RM_OK && at < length;) {
        const char *end = memchr(text + at, '\n', length - at);
        const size_t size = end != NULL ? (size_t)(end - text) - at : length - at;
        rc = rmi_json_reader_read(reader, text + at, size, &value, err);
        rm_value_clear(&before);
        before = rm_value_move(&value);
        at += size + 1;
    }
    rm_value_clear(&before);
    rmi_json_reader_free(reader);
    return rc;
}

int rmf_run(rmt_heap *heap, rmf_input input)
{
    const unsigned choices = rmf_u8(&input), flags = choices & 15;
    const rm_allocator *allocator = &heap->allocator;
    rm_value value = rm_null();
    rm_error err = {0};
    size_t length = 0;
    char *text = (char *)rmf_rest(&input, &length);
    int rc = (choices & LINES) != 0
                 ? read_lines(allocator, text, length, flags & RM_JSON_RAW, &err)
                 : rm_json_parse(allocator, text, length, flags & RM_JSON_RAW, &value, &err);
    if (rc == RM_OK && (choices & LINES) == 0)
        rc = write_and_read(allocator, value, flags, &err);
    rmf_require(rc == err.code, "it answers %d and says %d", rc, err.code);
    rm_error_clear(&err);
    rm_value_clear(&value);
    free(text);
    return rc;
}
