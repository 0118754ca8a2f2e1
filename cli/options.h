/* Command lines: one table a command, for parsing and for `--help`. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "cli/program.h"

typedef enum rmi_option_kind {
    RMI_OPTION_FLAG = 1, /* bool */
    RMI_OPTION_TEXT,     /* const char *, borrowed from argv */
    RMI_OPTION_TEXTS,    /* rmi_texts; may be given several times */
    RMI_OPTION_CHOICE,   /* int: 1 + the index in `choices`; 0: not given */
    RMI_OPTION_FORM,     /* rmi_form: a choice; "npy:DIR" takes the text behind its colon */
    RMI_OPTION_DURATION, /* int64_t: milliseconds, at least 1; 0: not given */
    RMI_OPTION_INTEGER,  /* rmi_integer */
    RMI_OPTION_SIZE,     /* uint64_t: bytes, or a count, at least 1; 0: not given */
} rmi_option_kind;

typedef struct rmi_texts {
    const char **items; /* ends with NULL once there is one */
    size_t count, capacity;
} rmi_texts;

typedef struct rmi_form {
    int choice;         /* as of RMI_OPTION_CHOICE */
    const char *detail; /* the text behind the colon, borrowed from argv; NULL where the choice has none */
} rmi_form;

typedef struct rmi_integer {
    int64_t value;
    bool given;
} rmi_integer;

typedef struct rmi_option {
    const char *name;     /* without the dashes */
    const char *argument; /* the name of its value in help; NULL for flags */
    const char *text;     /* one line, or several joined by '\n' */
    rmi_option_kind kind;
    size_t offset;              /* of the value in the command's struct */
    const char *const *choices; /* ends with NULL */
} rmi_option;

enum { RMI_MAX_OPTION_TABLES = 4 };

/* A command as its help shows it. */
typedef struct rmi_command {
    const char *name, *synopsis, *summary;
    const rmi_option *tables[RMI_MAX_OPTION_TABLES]; /* each ends with {0} */
    const char *notes;                               /* paragraphs under the options; may be NULL */
    size_t operands;     /* offset of an rmi_texts for the words that are no options */
    size_t least, most;  /* the number of operands */
    const char *operand; /* the name of a missing one */
} rmi_command;

/* Fills `values`, the command's struct, which is all zero before. Returns false when nothing is left to do:
 * help was printed or the command line is wrong (reported on standard error), with the process's *code. Call
 * rmi_options_free in both cases. */
bool rmi_options_parse(const rmi_command *command, rmi_program *program, int argc, char **argv, void *values,
                       rmi_exit *code);
void rmi_options_free(const rmi_command *command, void *values);

/* Copies the words from argv[1] on that are neither options of `tables` (ends with NULL) nor their values to
 * `out`, which has room for argc and ends with NULL. The command line has been parsed. */
void rmi_options_without(const rmi_command *command, const rmi_option *const *tables, int argc, char **argv,
                         const char **out);

/* Milliseconds in "30", "1.5", "2s" or "500ms"; -1 for any other text, and for zero or less. */
int64_t rmi_parse_duration(const char *text);
/* The number in "64K", "1.5M", "2G" (of 1024) or "1000"; 0 for any other text, and for zero or less. */
uint64_t rmi_parse_size(const char *text);
/* Reports a wrong command line on standard error, with the command for help (`command` may be NULL). */
rmi_exit rmi_usage_error(const rmi_program *program, const char *command, const char *format, ...)
    RM_PRINTF(3, 4);

#endif
