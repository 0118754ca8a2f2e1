#include "cli/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct values {
    rmi_texts operands, words;
    const char *name;
    int color;
    int64_t limit;
    rmi_integer seed;
    rmi_form shape;
    bool loud;
};

static const char *const colors[] = {"red", "green", NULL};
static const char *const shapes[] = {"plain", "like:FILE", "liked", NULL};
static const rmi_option first[] = {
    {.name = "loud", .kind = RMI_OPTION_FLAG, .offset = offsetof(struct values, loud), .text = ""},
    {.name = "name",
     .argument = "NAME",
     .kind = RMI_OPTION_TEXT,
     .offset = offsetof(struct values, name),
     .text = ""},
    {.name = "word",
     .argument = "WORD",
     .kind = RMI_OPTION_TEXTS,
     .offset = offsetof(struct values, words),
     .text = ""},
    {0},
};
static const rmi_option second[] = {
    {.name = "color",
     .argument = "COLOR",
     .kind = RMI_OPTION_CHOICE,
     .choices = colors,
     .offset = offsetof(struct values, color),
     .text = ""},
    {.name = "shape",
     .argument = "SHAPE",
     .kind = RMI_OPTION_FORM,
     .choices = shapes,
     .offset = offsetof(struct values, shape),
     .text = ""},
    {.name = "limit",
     .argument = "TIME",
     .kind = RMI_OPTION_DURATION,
     .text = "",
     .offset = offsetof(struct values, limit)},
    {.name = "seed",
     .argument = "N",
     .kind = RMI_OPTION_INTEGER,
     .offset = offsetof(struct values, seed),
     .text = ""},
    {0},
};
static const rmi_command command = {.name = "paint",
                                    .synopsis = "paint",
                                    .summary = "",
                                    .tables = {first, second},
                                    .least = 1,
                                    .most = 2,
                                    .operand = "a wall",
                                    .operands = offsetof(struct values, operands)};

/* Parses words up to NULL; messages about wrong ones go to standard error. */
static bool parse(const char *const *words, struct values *values, rmi_exit *code)
{
    char text[16][64], *argv[16];
    int argc = 0;
    rmi_program program = {.out = {.descriptor = -1, .name = "nowhere"}};
    for (; words[argc] != NULL; argc++) {
        assert_in_range(strlen(words[argc]), 0, sizeof text[0] - 1);
        memcpy(text[argc], words[argc], strlen(words[argc]) + 1);
        argv[argc] = text[argc];
    }
    *values = (struct values){0};
    bool parsed = rmi_options_parse(&command, &program, argc, argv, values, code);
    values->name = values->name != NULL ? "given" : NULL; /* it borrows from text */
    return parsed;
}

static const struct {
    const char *label, *words[8];
    size_t operands, repeated;
    bool loud, name;
    int color;
    int64_t limit, seed;
} good[] = {
    {.label = "an operand", .words = {"paint", "a"}, .operands = 1},
    {.label = "options before, between and after",
     .words = {"paint", "--loud", "a", "--name", "x", "b"},
     .operands = 2,
     .loud = true,
     .name = true},
    {.label = "a value after the equals sign",
     .words = {"paint", "a", "--name=x=y", "--color=green"},
     .operands = 1,
     .name = true,
     .color = 2},
    {.label = "repeated",
     .words = {"paint", "a", "--word", "x", "--word=y", "--word", "--loud"},
     .operands = 1,
     .repeated = 3},
    {.label = "a lone dash is no option", .words = {"paint", "-"}, .operands = 1},
    {.label = "everything after two dashes", .words = {"paint", "--", "--loud", "-x"}, .operands = 2},
    {.label = "an empty operand", .words = {"paint", ""}, .operands = 1},
    {.label = "time and number",
     .words = {"paint", "a", "--limit", "1.5", "--seed", "-3"},
     .operands = 1,
     .limit = 1500,
     .seed = -3},
};

static void reads_what_is_right(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct values v;
        rmi_exit code;
        if (!parse(good[i].words, &v, &code) || v.operands.count != good[i].operands ||
            v.words.count != good[i].repeated || v.loud != good[i].loud || (v.name != NULL) != good[i].name ||
            v.color != good[i].color || v.limit != good[i].limit || v.seed.value != good[i].seed ||
            v.seed.given != (good[i].seed != 0))
            fail_msg("%s", good[i].label);
        rmi_options_free(&command, &v);
    }
}

static const struct {
    const char *label, *words[8];
} bad[] = {
    {"no operand", {"paint"}},
    {"too many operands", {"paint", "a", "b", "c"}},
    {"an unknown option", {"paint", "a", "--luod"}},
    {"an option cut short", {"paint", "a", "--lou"}},
    {"an empty option name", {"paint", "a", "--=x"}},
    {"a short option", {"paint", "a", "-l"}},
    {"a flag with a value", {"paint", "a", "--loud=yes"}},
    {"a missing value", {"paint", "a", "--name"}},
    {"no such choice", {"paint", "a", "--color", "blue"}},
    {"no time", {"paint", "a", "--limit", "soon"}},
    {"no number", {"paint", "a", "--seed", "3x"}},
    {"a number past 64 bits", {"paint", "a", "--seed", "9223372036854775808"}},
    {"an empty number", {"paint", "a", "--seed="}},
};

static void refuses_what_is_wrong(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct values v;
        rmi_exit code = RMI_EXIT_OK;
        if (parse(bad[i].words, &v, &code) || code != RMI_EXIT_USAGE)
            fail_msg("%s", bad[i].label);
        rmi_options_free(&command, &v);
    }
}

static const struct {
    const char *word;
    int choice; /* 0: an error */
    const char *detail;
} forms[] = {
    {"plain", 1, NULL},  {"like:x", 2, "x"}, {"like:a:b", 2, "a:b"},   {"liked", 3, NULL},
    {"like", 0, NULL},   {"like:", 0, NULL}, {"like:FILE", 2, "FILE"}, {"plain:x", 0, NULL},
    {"Like:x", 0, NULL}, {"", 0, NULL},
};

static void reads_forms(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        const char *const words[] = {"paint", "a", "--shape", forms[i].word, NULL};
        struct values v;
        rmi_exit code = RMI_EXIT_OK;
        const bool parsed = parse(words, &v, &code);
        if (parsed != (forms[i].choice != 0) || v.shape.choice != forms[i].choice ||
            (v.shape.detail != NULL) != (forms[i].detail != NULL) || (!parsed && code != RMI_EXIT_USAGE))
            fail_msg("--shape '%s'", forms[i].word);
        rmi_options_free(&command, &v);
    }
}

static const struct {
    const char *text;
    int64_t milliseconds;
} durations[] = {
    {"1", 1000},   {"30", 30000}, {"1.5", 1500}, {"2s", 2000}, {"500ms", 500}, {"0.2ms", 1},
    {"0.0001", 1}, {"0", -1},     {"-1", -1},    {"", -1},     {"s", -1},      {"1 s", -1},
    {"1h", -1},    {"0x10", -1},  {"nan", -1},   {"inf", -1},  {"1e400", -1},
};

static void reads_durations(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof durations / sizeof durations[0]; i++)
        if (rmi_parse_duration(durations[i].text) != durations[i].milliseconds)
            fail_msg("%s: %lld", durations[i].text, (long long)rmi_parse_duration(durations[i].text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_is_right),
        cmocka_unit_test(refuses_what_is_wrong),
        cmocka_unit_test(reads_forms),
        cmocka_unit_test(reads_durations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
