/* Shared by the JSON files. */
#ifndef DATA_JSON_JSON_PARTS_H
#define DATA_JSON_JSON_PARTS_H

#include "data/dtype_names.h"
#include "data/json/json.h"
#include "data/json/json_dtype.h"
#include "data/keys.h"

/* The place of a walk through a value; lives on the stack, the innermost step last. */
typedef struct rmi_json_path {
    const struct rmi_json_path *parent; /* NULL: the root */
    const char *key;                    /* NULL: an element of a list */
    size_t key_length, index;
} rmi_json_path;

/* Writes the place as a JSON pointer behind `base`; cut to fit, NUL-terminated. */
void rmi_json_path_text(const rmi_json_path *path, const char *base, char *buffer, size_t size);

/* ---- From parsed text to values ---- */

/* A long string that is left out of the JSON reader's text. */
typedef struct rmi_json_cut {
    const char *text; /* borrowed from the whole text, not checked yet */
    size_t length;
    const char *place; /* of the empty string in place of it */
    bool used;
} rmi_json_cut;
typedef struct rmi_json_cuts {
    rmi_json_cut *at; /* owned, in the text's order */
    size_t count, capacity;
    size_t left_out; /* bytes of all */
    size_t used;     /* number of cuts in use; the others are unchecked */
} rmi_json_cuts;
/* Finds the cuts, in less time than reading the text takes; `guess`: in almost none, but a cut may hold
 * quotes by mistake. Call rmi_json_cuts_clear also after a failure. */
RM_MUST_CHECK int rmi_json_cuts_find(rmi_json_cuts *cuts, const rm_allocator *allocator, const char *text,
                                     size_t length, bool guess, rm_error *err);
/* Copies the text without the cuts. */
void rmi_json_cuts_copy(rmi_json_cuts *cuts, const char *text, size_t length, char *to);
/* Replaces the empty string that a reader found by its cut; returns false where it is another string. `cuts`
 * may be NULL. */
bool rmi_json_cut_string(rmi_json_cuts *cuts, const char **text, size_t *length);
void rmi_json_cuts_clear(rmi_json_cuts *cuts, const rm_allocator *allocator);

/* Everything that making values needs. */
typedef struct rmi_json_target {
    const rm_allocator *allocator;
    const rm_allocator *lasting; /* for tensors, which may outlive a run */
    rmi_keys *keys;
    rmi_json_cuts *cuts; /* NULL: there are none */
    unsigned flags;
    bool doubtful; /* set when a value can be judged only by the text */
} rmi_json_target;

/* As rmi_json_to_value. */
RM_MUST_CHECK int rmi_json_build(rmi_json_target *target, yyjson_val *element, const char *pointer,
                                 rm_value *out, rm_error *err);

/* Reads a text that is just an integer or decimal of at most 15 digits, as most lines of numbers are; returns
 * false for all else, JSON or not. */
bool rmi_json_short_number(const char *text, size_t length, rm_value *out);

/* Whether a text needs no escapes in a JSON string, and is ASCII. */
bool rmi_json_is_plain_ascii(const char *text, size_t length);

/* ---- From values to text ---- */

/* The text to write to, and how. `text` records that memory ran out. */
typedef struct rmi_json_writer {
    rmi_text *text;
    const rmi_json_style *style;
    unsigned flags; /* the style's */
    bool *had_nan;  /* may be NULL */
    rm_error *err;
} rmi_json_writer;

void rmi_json_put_int(const rmi_json_writer *w, int64_t value);
/* Writes a double, or a number of less precision: the shortest text that reads back equal in that
 * precision. */
void rmi_json_put_float(const rmi_json_writer *w, double value, rmi_float_precision precision);
/* Writes UTF-8 as a string in quotes. */
void rmi_json_put_text(const rmi_json_writer *w, const char *text, size_t length);

/* Writes a tensor as nested lists. RM_E_UNSUPPORTED unless its elements are numbers, texts, dates, or records
 * of these. */
RM_MUST_CHECK int rmi_json_put_lists(const rmi_json_writer *w, rm_value tensor);
/* Writes a date as text as precise as its unit, a duration as a number. */
RM_MUST_CHECK int rmi_json_put_date(const rmi_json_writer *w, const rmi_element *element, int64_t count);

/* ---- Tensors ---- */

/* Whether an object has every member that the form {"__numpy__": true, "array": ...} needs, and no other
 * member. */
bool rmi_json_is_tensor(yyjson_val *object);
/* Reads a complete form; `cuts` may be NULL. On failure *where is the pointer from the object to the wrong
 * member ("/array/data"). *out is owned. */
RM_MUST_CHECK int rmi_json_read_tensor(const rm_allocator *allocator, yyjson_val *object, rmi_json_cuts *cuts,
                                       rm_value *out, const char **where, rm_error *err);
/* The parts of a tensor's form. */
typedef struct rmi_json_form {
    rm_value whole;       /* owned: the tensor, or a contiguous copy */
    rm_value meta, media; /* owned: maps; media is null where there is none */
    const void *data;     /* in `whole` */
    size_t bytes;
} rmi_json_form;
/* Makes the parts; call rmi_json_form_clear also after a failure. */
RM_MUST_CHECK int rmi_json_form_of(const rm_allocator *allocator, rm_value tensor, rmi_json_form *out,
                                   rm_error *err);
void rmi_json_form_clear(rmi_json_form *form);
/* Writes bytes as base64 in quotes. */
void rmi_json_put_base64(rmi_text *text, const void *data, size_t bytes);

#endif
