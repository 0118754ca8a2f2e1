/* The input items of a run: from a file, standard input, or beside the manifest. */
#ifndef CLI_INPUT_H
#define CLI_INPUT_H

#include "cli/reader.h"
#include "data/json/json.h"

typedef enum rmi_format { RMI_FORMAT_BY_NAME, RMI_FORMAT_JSON, RMI_FORMAT_JSONL } rmi_format;

/* The format of a file by its name, unless one is `wanted`: .jsonl and .ndjson are JSONL, all others JSON. */
rmi_format rmi_format_of(rmi_format wanted, const char *path);

typedef struct rmi_input {
    rmi_reader reader;
    bool lines;            /* items are read line by line; else all of them are in `whole` */
    rmi_json_reader *json; /* of the lines, owned */
    unsigned flags;        /* RM_JSON_* */
    rm_value whole;        /* owned: a list, or a map from source id to list */
    size_t next;           /* the next item's index in `whole`, or in its lists */
    size_t source;         /* the next source, where `whole` is a map */
    int64_t items, line;
    bool ended;     /* there are no more */
    rm_error cause; /* the error of a line; empty between calls */
    rm_error held;  /* the error of a bad line, returned when all items before it are done */
    bool failed;    /* reading or parsing failed, not the run */
} rmi_input;

/* Opens `where`, which messages name `path` ("-": `standard_input`). Reads a JSON document to its end, waiting with `wake`: RM_E_CANCELLED
 * when `wake` was raised. Call rmi_input_close also after a failure. */
RM_MUST_CHECK int rmi_input_open(rmi_input *input, const char *path, const char *where, int standard_input,
                                 rmi_format format, unsigned flags, rmi_wake *wake, rm_error *err);
/* Reads the items of `items`, a list or a map from source id to list; borrowed. */
void rmi_input_of(rmi_input *input, rm_value items);
void rmi_input_close(rmi_input *input);
/* An rm_input_function over an rmi_input. */
RM_MUST_CHECK int rmi_input_next(void *context, const char **source, rm_value *item, rm_error *err);

#endif
