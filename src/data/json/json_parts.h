/* What the JSON files share. */
#ifndef DATA_JSON_JSON_PARTS_H
#define DATA_JSON_JSON_PARTS_H

#include "data/dtype_names.h"
#include "data/json/json.h"
#include "data/json/json_dtype.h"
#include "data/keys.h"

/* Where a walk through a value is; lives on the stack, the innermost place last. */
typedef struct rmi_json_path {
    const struct rmi_json_path *parent; /* NULL: the root */
    const char *key;                    /* NULL: an element of a list */
    size_t key_length, index;
} rmi_json_path;

/* The place as a JSON pointer behind `base`; cut to fit, NUL-terminated. */
void rmi_json_path_text(const rmi_json_path *path, const char *base, char *buffer, size_t size);

/* ---- From parsed text to values ---- */

/* Long strings that are left out of the text which the JSON reader is given. */
typedef struct rmi_json_cut {
    const char *text; /* borrowed from the whole text, not looked at yet */
    size_t length;
    const char *place; /* of the empty string instead of it */
    bool used;
} rmi_json_cut;
typedef struct rmi_json_cuts {
    rmi_json_cut *at; /* owned, in the text's order */
    size_t count, capacity;
    size_t left_out; /* bytes of all */
    size_t used;     /* how many were asked for; what nobody asked for, nobody has checked */
} rmi_json_cuts;
/* Finds them, in some part of the time that reading the text takes; `guess`: in next to none, where a cut may
 * hold quotes by mistake. rmi_json_cuts_clear, also after a failure. */
RM_MUST_CHECK int rmi_json_cuts_find(rmi_json_cuts *cuts, const rm_allocator *allocator, const char *text,
                                     size_t length, bool guess, rm_error *err);
/* Copies the text without them. */
void rmi_json_cuts_copy(rmi_json_cuts *cuts, const char *text, size_t length, char *to);
/* Puts what was cut in the place of the empty string that a reader found; false where it is another string.
 * `cuts` may be NULL. */
bool rmi_json_cut_string(rmi_json_cuts *cuts, const char **text, size_t *length);
void rmi_json_cuts_clear(rmi_json_cuts *cuts, const rm_allocator *allocator);

/* What values are made with. */
typedef struct rmi_json_target {
    const rm_allocator *allocator;
    const rm_allocator *lasting; /* for tensors, which may outlive a run */
    rmi_keys *keys;
    rmi_json_cuts *cuts; /* NULL: there are none */
    unsigned flags;
    bool doubtful; /* set when there was something that only a look at the text can judge */
} rmi_json_target;

/* As rmi_json_to_value. */
RM_MUST_CHECK int rmi_json_build(rmi_json_target *target, yyjson_val *element, const char *pointer,
                                 rm_value *out, rm_error *err);

/* A text that is just an integer or decimal of at most 15 digits, as most lines of numbers are; false for
 * everything else, be it JSON or not. */
bool rmi_json_short_number(const char *text, size_t length, rm_value *out);

/* Whether a text stands for itself in a JSON string, and has no more than ASCII. */
bool rmi_json_is_plain_ascii(const char *text, size_t length);

/* ---- From values to text ---- */

/* What is written to, and how. Running out of memory is remembered by `text`. */
typedef struct rmi_json_writer {
    rmi_text *text;
    const rmi_json_style *style;
    unsigned flags; /* the style's, near at hand */
    bool *had_nan;  /* may be NULL */
    rm_error *err;
} rmi_json_writer;

void rmi_json_put_int(const rmi_json_writer *w, int64_t value);
/* A double, or a number of less precision: the shortest text that reads back equal in that precision. */
void rmi_json_put_float(const rmi_json_writer *w, double value, rmi_float_precision precision);
/* UTF-8 as a string in quotes. */
void rmi_json_put_text(const rmi_json_writer *w, const char *text, size_t length);

/* A tensor as nested lists of numbers. RM_E_UNSUPPORTED where its elements are neither numbers nor texts, nor
 * dates, nor records of such. */
RM_MUST_CHECK int rmi_json_put_lists(const rmi_json_writer *w, rm_value tensor);
/* A date as text as far as its unit goes, a duration as a number. */
RM_MUST_CHECK int rmi_json_put_date(const rmi_json_writer *w, const rmi_element *element, int64_t count);

/* ---- Tensors ---- */

/* Whether an object has all that the form {"__numpy__": true, "array": ...} needs, and nothing that it
 * does not know. */
bool rmi_json_is_tensor(yyjson_val *object);
/* Reads a complete form; `cuts` may be NULL. On failure *where is the key below the object that is wrong, as a pointer
 * ("/array/data"). *out is owned. */
RM_MUST_CHECK int rmi_json_read_tensor(const rm_allocator *allocator, yyjson_val *object, rmi_json_cuts *cuts,
                                       rm_value *out, const char **where, rm_error *err);
/* What the form of a tensor is written from. */
typedef struct rmi_json_form {
    rm_value whole;       /* owned: the tensor, or a contiguous copy */
    rm_value meta, media; /* owned: maps; media is null where there is none */
    const void *data;     /* in `whole` */
    size_t bytes;
} rmi_json_form;
/* rmi_json_form_clear, also after a failure. */
RM_MUST_CHECK int rmi_json_form_of(const rm_allocator *allocator, rm_value tensor, rmi_json_form *out,
                                   rm_error *err);
void rmi_json_form_clear(rmi_json_form *form);
/* Bytes as base64 in quotes. */
void rmi_json_put_base64(rmi_text *text, const void *data, size_t bytes);

#endif
