/* The manifest's objects as tables of fields: one table checks, reads and documents an object (the JSON
 * Schema is made from it). */
#ifndef MANIFEST_FIELDS_H
#define MANIFEST_FIELDS_H

#include "base/arena.h"
#include "data/json/json.h"
#include "manifest/manifest.h"
#include "remotemedia/remotemedia.h"

typedef enum rmi_field_type {
    RMI_FIELD_TEXT = 1, /* const char * without NUL inside; length limits count characters */
    RMI_FIELD_WORD,     /* const char *: one of `choices` */
    RMI_FIELD_CHOICE,   /* int: the index in `choices` */
    RMI_FIELD_BOOL,     /* bool */
    RMI_FIELD_INT,      /* int64_t within `range`; 2.0 is an integer, as in JSON Schema */
    RMI_FIELD_NUMBER,   /* double, not below range.min */
    RMI_FIELD_MAP,      /* yyjson_val *: any object */
    RMI_FIELD_TEXTS,    /* yyjson_val *: a list of strings */
    RMI_FIELD_OBJECT,   /* an object of `shape`, read into the same record */
    RMI_FIELD_PART,     /* yyjson_val *: an object of `shape`, checked now, read later by itself */
    RMI_FIELD_LIST,     /* objects, read into an array of records: see rmi_list */
} rmi_field_type;

enum {
    RMI_FIELD_REQUIRED = 1,
    RMI_FIELD_NULLABLE = 2,  /* null means that it is absent */
    RMI_FIELD_NO_EFFECT = 4, /* accepted without effect; a warning says so */
    RMI_FIELD_UNSTORED = 8,  /* checked only */
    RMI_FIELD_ID = 16,       /* TEXT: letters, digits, _ and - */
    RMI_FIELD_OTHERS = 32,   /* on the row that ends a table: fields with other names are accepted too */
};

#define RMI_ID_PATTERN "^[a-zA-Z0-9_-]+$"

/* An array of records; the field's `offset` is that of the pointer to them. */
typedef struct rmi_list {
    const struct rmi_field *shape;
    size_t item_size, count_offset; /* count_offset: of the count, a size_t in the record that has the list */
    const void *initial;            /* the record before reading; NULL: zeroes */
    size_t shortest;
    const char *too_short; /* the message when it is shorter */
    bool items_are_nodes;  /* errors name their "id" */
} rmi_list;

typedef struct rmi_field {
    const char *name, *text;
    rmi_field_type type;
    uint32_t flags;
    size_t offset;
    union {
        struct {
            int64_t min, max;
        } range;
        struct {
            size_t shortest, longest; /* longest 0: any */
        } length;
        const char *const *choices;    /* ends with NULL */
        const struct rmi_field *shape; /* ends with a row without a name */
        const rmi_list *list;
    };
} rmi_field;

/* A place in the manifest, as a chain on the stack: costs nothing until it is printed. */
typedef struct rmi_place {
    const struct rmi_place *above;
    const char *key; /* NULL: an index */
    size_t index;
    bool is_root; /* messages name places below this one; pointers begin at the manifest */
} rmi_place;

enum { RMI_MAX_NOTED = 8 };

typedef struct rmi_manifest_reader {
    rmi_arena *arena;
    const char *node; /* id of the node being read, or NULL */
    bool is_one_node; /* as in the manifest */
    rmi_noted noted[RMI_MAX_NOTED];
    size_t noted_count;
} rmi_manifest_reader;

/* Reads `object` by the table `shape` into `record` (NULL: checks only). Errors have the pointer of `place`
 * or of the wrong part below it. */
RM_MUST_CHECK int rmi_fields_read(rmi_manifest_reader *reader, const rmi_field *shape, yyjson_val *object,
                                  const rmi_place *place, void *record, rm_error *err);

/* "a list", "an int": the kind of a JSON element in words, for messages. */
const char *rmi_json_kind_text(yyjson_val *element);
/* Reads the integer in `element`, 2.0 included; returns false when it is none or does not fit (*too_large
 * says which). */
bool rmi_json_int64(yyjson_val *element, int64_t *out, bool *too_large);

/* The table of a whole manifest, read into struct rm_manifest; and that of "capabilities". */
extern const rmi_field rmi_manifest_shape[];
extern const rmi_field rmi_capabilities_shape[];

/* Fills `err` with "Manifest error: " and the text, and returns `code`. */
int rmi_manifest_error(rm_error *err, int code, const char *format, ...) RM_PRINTF(3, 4);
/* Adds the node that an error belongs to. */
void rmi_manifest_error_node(rm_error *err, const char *id);
/* Adds the pointer of `place`. */
void rmi_manifest_error_place(rm_error *err, const rmi_place *place);
/* Prints `place` as a JSON pointer for a message, cut where `size` ends; "" for the root. */
void rmi_place_print(const rmi_place *place, char *buffer, size_t size);

#endif
