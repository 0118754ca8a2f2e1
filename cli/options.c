#include "cli/options.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/suggest.h"
#include "cli/help.h"
#include "cli/report.h"

rmi_exit rmi_usage_error(const rmi_program *program, const char *command, const char *format, ...)
{
    va_list arguments;
    char line[512];
    va_start(arguments, format);
    (void)vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    rmi_report_line(program, "error", "%s\n  see: remotemedia %s%s--help", line,
                    command != NULL ? command : "", command != NULL ? " " : "");
    return RMI_EXIT_USAGE;
}

int64_t rmi_parse_duration(const char *text)
{
    char *end = NULL;
    if (text[0] < '0' || text[0] > '9' || strpbrk(text, "xX") != NULL)
        return -1;
    double amount = strtod(text, &end);
    double unit = strcmp(end, "ms") == 0 ? 1 : strcmp(end, "s") == 0 || *end == '\0' ? 1000 : 0;
    double milliseconds = ceil(amount * unit);
    return milliseconds >= 1 && milliseconds <= 1e12 ? (int64_t)milliseconds : -1;
}

uint64_t rmi_parse_size(const char *text)
{
    static const char units[] = "KMGT";
    char *end = NULL;
    if (text[0] < '0' || text[0] > '9' || strpbrk(text, "xXeE") != NULL)
        return 0;
    double amount = strtod(text, &end);
    const char *unit = *end != '\0' ? strchr(units, *end) : NULL;
    if (unit != NULL && end[1] == '\0')
        amount = ldexp(amount, 10 * (int)(unit - units + 1));
    else if (*end != '\0')
        return 0;
    return amount >= 1 && amount < 9e18 ? (uint64_t)amount : 0;
}

static int append(rmi_texts *texts, const char *item)
{
    void *items = texts->items;
    int rc = rmi_grow(NULL, &items, &texts->capacity, texts->count + 2, sizeof *texts->items, NULL);
    texts->items = items;
    if (rc == RM_OK) {
        texts->items[texts->count++] = item;
        texts->items[texts->count] = NULL;
    }
    return rc;
}

static const rmi_option *find_option(const rmi_command *command, const char *name, size_t length,
                                     rmi_suggestion *suggestion)
{
    for (size_t t = 0; t < RMI_MAX_OPTION_TABLES && command->tables[t] != NULL; t++) {
        for (const rmi_option *option = command->tables[t]; option->name != NULL; option++) {
            if (strlen(option->name) == length && memcmp(option->name, name, length) == 0)
                return option;
            rmi_suggest_offer(suggestion, option->name);
        }
    }
    rmi_suggest_offer(suggestion, "help");
    return NULL;
}

static bool set_choice(const rmi_option *option, const char *text, int *choice)
{
    for (int i = 0; option->choices[i] != NULL; i++) {
        if (strcmp(option->choices[i], text) == 0) {
            *choice = i + 1;
            return true;
        }
    }
    return false;
}

static bool set_form(const rmi_option *option, const char *text, rmi_form *form)
{
    for (int i = 0; option->choices[i] != NULL; i++) {
        const char *colon = strchr(option->choices[i], ':');
        const size_t length = colon != NULL ? (size_t)(colon - option->choices[i]) + 1 : 0;
        const bool detailed =
            colon != NULL && strncmp(option->choices[i], text, length) == 0 && text[length] != '\0';
        if (!detailed && (colon != NULL || strcmp(option->choices[i], text) != 0))
            continue;
        *form = (rmi_form){.choice = i + 1, .detail = detailed ? text + length : NULL};
        return true;
    }
    return false;
}

/* Writes "a, b or c". */
static void list_choices(const rmi_option *option, char *out, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; option->choices[i] != NULL && used < size; i++) {
        const char *between = i == 0 ? "" : option->choices[i + 1] == NULL ? " or " : ", ";
        int added = snprintf(out + used, size - used, "%s%s", between, option->choices[i]);
        used += added > 0 ? (size_t)added : 0;
    }
}

/* Stores the value of one option; `text` is NULL for flags. */
static rmi_exit set_value(const rmi_command *command, const rmi_program *program, const rmi_option *option,
                          const char *text, void *values)
{
    void *place = (char *)values + option->offset;
    char *end = NULL, list[256] = "";
    switch (option->kind) {
    case RMI_OPTION_FLAG:
        *(bool *)place = true;
        break;
    case RMI_OPTION_TEXT:
        *(const char **)place = text;
        break;
    case RMI_OPTION_TEXTS:
        if (append(place, text) != RM_OK)
            return rmi_usage_error(program, command->name, "out of memory");
        break;
    case RMI_OPTION_CHOICE:
    case RMI_OPTION_FORM:
        list_choices(option, list, sizeof list);
        if (option->kind == RMI_OPTION_CHOICE ? !set_choice(option, text, place)
                                              : !set_form(option, text, place))
            return rmi_usage_error(program, command->name, "--%s takes %s, not '%s'", option->name, list,
                                   text);
        break;
    case RMI_OPTION_DURATION:
        *(int64_t *)place = rmi_parse_duration(text);
        if (*(int64_t *)place < 1)
            return rmi_usage_error(program, command->name,
                                   "--%s takes a time above zero such as 30, 1.5 or 500ms, not '%s'",
                                   option->name, text);
        break;
    case RMI_OPTION_INTEGER:
        errno = 0;
        *(rmi_integer *)place = (rmi_integer){.value = strtoll(text, &end, 10), .given = true};
        if (errno != 0 || end == text || *end != '\0')
            return rmi_usage_error(program, command->name, "--%s takes a whole number, not '%s'",
                                   option->name, text);
        break;
    case RMI_OPTION_SIZE:
        *(uint64_t *)place = rmi_parse_size(text);
        if (*(uint64_t *)place == 0)
            return rmi_usage_error(program, command->name,
                                   "--%s takes a number above zero such as 1000, 64K, 1.5M or 2G, not '%s'",
                                   option->name, text);
        break;
    }
    return RMI_EXIT_OK;
}

/* Parses one argument that begins with "--", and the value after it where the option takes one. */
static rmi_exit parse_option(const rmi_command *command, const rmi_program *program, int argc, char **argv,
                             int *at, void *values)
{
    const char *name = argv[*at] + 2, *equals = strchr(name, '=');
    size_t length = equals != NULL ? (size_t)(equals - name) : strlen(name);
    char written[64];
    (void)snprintf(written, sizeof written, "%.*s", (int)(length < 60 ? length : 60), name);
    rmi_suggestion suggestion = rmi_suggest_for(written);
    const rmi_option *option = find_option(command, name, length, &suggestion);
    if (option == NULL && strcmp(written, "help") == 0) /* --help alone is no option of a table */
        return rmi_usage_error(program, command->name, "--help takes no value");
    if (option == NULL && suggestion.best != NULL)
        return rmi_usage_error(program, command->name, "unknown option '--%s'; did you mean '--%s'?", written,
                               suggestion.best);
    if (option == NULL)
        return rmi_usage_error(program, command->name, "unknown option '--%s'", written);
    if (option->kind == RMI_OPTION_FLAG && equals != NULL)
        return rmi_usage_error(program, command->name, "--%s takes no value", option->name);
    const char *text = equals != NULL ? equals + 1 : NULL;
    if (option->kind != RMI_OPTION_FLAG && text == NULL) {
        if (*at + 1 >= argc)
            return rmi_usage_error(program, command->name, "--%s needs %s", option->name, option->argument);
        text = argv[++*at];
    }
    return set_value(command, program, option, text, values);
}

static rmi_exit check_operands(const rmi_command *command, const rmi_program *program,
                               const rmi_texts *operands)
{
    if (operands->count < command->least)
        return rmi_usage_error(program, command->name, "%s needs %s", command->name, command->operand);
    if (operands->count > command->most)
        return rmi_usage_error(program, command->name, "unexpected argument '%s'",
                               operands->items[command->most]);
    return RMI_EXIT_OK;
}

bool rmi_options_parse(const rmi_command *command, rmi_program *program, int argc, char **argv, void *values,
                       rmi_exit *code)
{
    rmi_texts *operands = (rmi_texts *)(void *)((char *)values + command->operands);
    bool only_operands = false;
    *code = RMI_EXIT_OK;
    for (int i = 1; i < argc && *code == RMI_EXIT_OK; i++) {
        if (!only_operands && (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)) {
            *code = rmi_help_command(program, command);
            return false;
        }
        if (!only_operands && strcmp(argv[i], "--") == 0)
            only_operands = true;
        else if (!only_operands && strncmp(argv[i], "--", 2) == 0)
            *code = parse_option(command, program, argc, argv, &i, values);
        else if (!only_operands && argv[i][0] == '-' && argv[i][1] != '\0')
            *code = rmi_usage_error(program, command->name,
                                    "unknown option '%s'; options begin with two dashes", argv[i]);
        else if (append(operands, argv[i]) != RM_OK)
            *code = rmi_usage_error(program, command->name, "out of memory");
    }
    if (*code == RMI_EXIT_OK)
        *code = check_operands(command, program, operands);
    return *code == RMI_EXIT_OK;
}

static bool is_in(const rmi_option *const *tables, const rmi_option *option)
{
    for (; *tables != NULL; tables++)
        for (const rmi_option *at = *tables; at->name != NULL; at++)
            if (at == option)
                return true;
    return false;
}

void rmi_options_without(const rmi_command *command, const rmi_option *const *tables, int argc, char **argv,
                         const char **out)
{
    rmi_suggestion nowhere = rmi_suggest_for("");
    bool only_operands = false;
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i] + 2, *equals = strchr(argv[i], '=');
        const rmi_option *option = NULL;
        only_operands |= strcmp(argv[i], "--") == 0;
        if (!only_operands && strncmp(argv[i], "--", 2) == 0)
            option =
                find_option(command, name, equals != NULL ? (size_t)(equals - name) : strlen(name), &nowhere);
        const bool has_value = option != NULL && option->kind != RMI_OPTION_FLAG && equals == NULL;
        if (option == NULL || !is_in(tables, option)) {
            *out++ = argv[i];
            if (has_value)
                *out++ = argv[i + 1];
        }
        i += has_value;
    }
    *out = NULL;
}

static void free_texts(rmi_texts *texts)
{
    rmi_free(NULL, texts->items, texts->capacity * sizeof *texts->items);
    *texts = (rmi_texts){0};
}

void rmi_options_free(const rmi_command *command, void *values)
{
    for (size_t t = 0; t < RMI_MAX_OPTION_TABLES && command->tables[t] != NULL; t++) {
        for (const rmi_option *option = command->tables[t]; option->name != NULL; option++) {
            if (option->kind == RMI_OPTION_TEXTS)
                free_texts((rmi_texts *)(void *)((char *)values + option->offset));
        }
    }
    free_texts((rmi_texts *)(void *)((char *)values + command->operands));
}
