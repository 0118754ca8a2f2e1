/* Command lines: one table an command drives both parsing and `--help`. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "cli/program.h"

typedef enum rmi_option_kind {
    RMI_OPTION_FLAG = 1, /* bool */
    RMI_OPTION_TEXT,     /* const char *, borrowed from argv */
    RMI_OPTION_TEXTS,    /* rmi_texts; may be given again and again */
    RMI_OPTION_CHOICE,   /* int: 1 + the index in `choices`; 0: not given */
    RMI_OPTION_FORM,     /* rmi_form: a choice, where one such as "npy:DIR" takes what follows its colon */
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
    const char *detail; /* what follows the colon, borrowed from argv; NULL where the choice has none */
} rmi_form;

typedef struct rmi_integer {
    int64_t value;
    bool given;
} rmi_integer;

typedef struct rmi_option {
    const char *name;     /* without the dashes */
    const char *argument; /* how help names its value; NULL for flags */
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
    size_t operands;                                 /* offset of an rmi_texts for what is no option */
    size_t least, most;                              /* how many operands there may be */
    const char *operand;                             /* what the missing one is called */
} rmi_command;

/* Fills `values`, the command's struct, all zero before. false when there is nothing left to do: help was
 * printed or the command line is wrong (told on stderr), with the process's *code. rmi_options_free in both
 * cases. */
bool rmi_options_parse(const rmi_command *command, rmi_program *program, int argc, char **argv, void *values,
                       rmi_exit *code);
void rmi_options_free(const rmi_command *command, void *values);

/* The words of argv[1] on that are not options of `tables` (ends with NULL), nor their values, into `out`, which
 * has room for argc and ends with NULL; the command line has been parsed. */
void rmi_options_without(const rmi_command *command, const rmi_option *const *tables, int argc, char **argv,
                         const char **out);

/* Milliseconds in "30", "1.5", "2s" or "500ms"; -1 where that is no duration above zero. */
int64_t rmi_parse_duration(const char *text);
/* The number in "64K", "1.5M", "2G" (of 1024) or "1000"; 0 where that is none above zero. */
uint64_t rmi_parse_size(const char *text);
/* Tells a wrong command line on stderr, with where help is to be found (`command` may be NULL). */
rmi_exit rmi_usage_error(const rmi_program *program, const char *command, const char *format, ...)
    RM_PRINTF(3, 4);

#endif
