/* The input items of a run: from a file, standard input, or beside the manifest. */
#ifndef CLI_INPUT_H
#define CLI_INPUT_H

#include "cli/reader.h"
#include "data/json/json.h"

typedef enum rmi_format { RMI_FORMAT_BY_NAME, RMI_FORMAT_JSON, RMI_FORMAT_JSONL } rmi_format;

/* The format that a file's name tells: .jsonl and .ndjson are JSONL, everything else JSON. */
rmi_format rmi_format_of(rmi_format wanted, const char *path);

typedef struct rmi_input {
    rmi_reader reader;
    bool lines;            /* items are read as they come; else all of them are in `whole` */
    rmi_json_reader *json; /* of the lines, owned */
    unsigned flags;        /* RM_JSON_* */
    rm_value whole;        /* owned: a list, or a map from source id to list */
    size_t next;           /* the item's place in `whole`, or in the lists of it */
    size_t source;         /* whose turn it is, where `whole` is a map */
    int64_t items, line;
    bool ended;     /* there are no more */
    rm_error cause; /* what reading a line said; empty between calls */
    rm_error held;  /* a bad line: told when all items before it have been worked on */
    bool failed;    /* reading or parsing failed, as opposed to the run */
} rmi_input;

/* Opens `path` ("-": `standard_input`); a JSON document is read to its end, waiting with `wake`.
 * rmi_input_close also after a failure. RM_E_CANCELLED when `wake` was raised. */
RM_MUST_CHECK int rmi_input_open(rmi_input *input, const char *path, int standard_input, rmi_format format,
                                 unsigned flags, rmi_wake *wake, rm_error *err);
/* Takes the items of `items`, a list or a map from source id to list; borrowed. */
void rmi_input_of(rmi_input *input, rm_value items);
void rmi_input_close(rmi_input *input);
/* An rm_input_function over an rmi_input. */
RM_MUST_CHECK int rmi_input_next(void *context, const char **source, rm_value *item, rm_error *err);

#endif
