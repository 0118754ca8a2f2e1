/* JSON beyond the public interface: parsed documents with the places of values, and numbers as text. */
#ifndef DATA_JSON_JSON_H
#define DATA_JSON_JSON_H

#include <yyjson.h>

#include "base/text.h"
#include "remotemedia/remotemedia.h"

enum { RMI_JSON_MAX_NESTING = 200, RMI_JSON_MAX_DIGITS = 4300 };

/* A document whose numbers stay text where they do not fit 64 bits. `what` names the text in messages
 * ("manifest"). Checks UTF-8, nesting, lone surrogates; errors have line and column. *out is owned:
 * rmi_json_document_free. */
typedef struct rmi_json_document rmi_json_document;
RM_MUST_CHECK int rmi_json_read(const rm_allocator *allocator, const char *text, size_t length,
                                const char *what, rmi_json_document **out, rm_error *err);
yyjson_val *rmi_json_root(const rmi_json_document *document);
void rmi_json_document_free(rmi_json_document *document);

/* Makes a value of one element; `flags` as rm_json_parse. A failure (bad __numpy__ form) has its pointer
 * below `pointer`. *out is owned and does not borrow from the document. */
RM_MUST_CHECK int rmi_json_to_value(const rm_allocator *allocator, yyjson_val *element, unsigned flags,
                                    const char *pointer, rm_value *out, rm_error *err);

/* Reads many texts, as the lines of an input: as rm_json_parse, but keeps memory and the strings of keys from
 * one to the next. Threads: one at a time. Any thread may use and clear the values; all but tensors must be
 * cleared before the reader is freed. *out is owned: rmi_json_reader_free (NULL is fine). */
typedef struct rmi_json_reader rmi_json_reader;
RM_MUST_CHECK int rmi_json_reader_new(const rm_allocator *allocator, unsigned flags, rmi_json_reader **out,
                                      rm_error *err);
RM_MUST_CHECK int rmi_json_reader_read(rmi_json_reader *reader, const char *text, size_t length,
                                       rm_value *out, rm_error *err);
void rmi_json_reader_free(rmi_json_reader *reader);

typedef struct rmi_json_style {
    unsigned flags; /* as rm_json_write */
    /* Optional. Appends the text in place of a tensor; its failures get the tensor's place. */
    int (*tensor)(void *context, rmi_text *text, rm_value tensor, rm_error *err);
    void *context;
} rmi_json_style;

/* Appends `value` as JSON text. RM_E_UNSUPPORTED, with a hint, for bytes and other kinds without a JSON form.
 * `had_nan` as rm_json_write. */
RM_MUST_CHECK int rmi_json_append(rmi_text *text, rm_value value, const rmi_json_style *style, bool *had_nan,
                                  rm_error *err);
/* How many bytes of the text from `at` stand for themselves in a JSON string. */
size_t rmi_json_plain_run(const char *text, size_t at, size_t length);
/* Appends the members of a tensor's description to an object that was begun: "shape", "dtype", and "media" of
 * audio, with commas between them. */
RM_MUST_CHECK int rmi_json_append_layout(rmi_text *text, rm_value tensor, rm_error *err);

/* The precision of a number that is passed as a double. */
typedef enum rmi_float_precision {
    RMI_FLOAT64,
    RMI_FLOAT32,
    RMI_FLOAT16,
    RMI_BFLOAT16,
} rmi_float_precision;

/* A finite float as Python's repr spells it. Writes at most RMI_FLOAT_TEXT characters, no NUL; returns their
 * number. */
enum { RMI_FLOAT_TEXT = 32 };
size_t rmi_float_text(double value, char *buffer);
/* The same for a value of less precision: the shortest text that reads back equal in that precision. */
size_t rmi_narrow_float_text(double value, rmi_float_precision precision, char *buffer);

#endif
