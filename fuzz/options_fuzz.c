/* A command line: parsed by a table that has options of every kind, and what it sets of a manifest's parameters. */
#include <fcntl.h>
#include <stddef.h>
#include <string.h>

#include "cli/setup.h"
#include "fuzz/fuzz.h"

enum { WORDS = 32 };

struct values {
    rmi_texts operands, settings;
    const char *name;
    int color;
    rmi_form shape;
    int64_t limit;
    rmi_integer seed;
    uint64_t memory;
    bool loud;
};

static const char *const colors[] = {"red", "green", NULL};
static const char *const shapes[] = {"plain", "like:FILE", "liked", NULL};
#define OPTION(NAME, KIND, ...)               \
    {.name = #NAME,                           \
     .kind = RMI_OPTION_##KIND,               \
     .offset = offsetof(struct values, NAME), \
     .text = "",                              \
     __VA_ARGS__}
static const rmi_option first[] = {OPTION(loud, FLAG, .argument = NULL),
                                   OPTION(name, TEXT, .argument = "NAME"),
                                   OPTION(settings, TEXTS, .argument = "NODE.PARAM=VALUE"),
                                   {0}};
static const rmi_option second[] = {OPTION(color, CHOICE, .argument = "COLOR", .choices = colors),
                                    OPTION(shape, FORM, .argument = "SHAPE", .choices = shapes),
                                    OPTION(limit, DURATION, .argument = "TIME"),
                                    OPTION(seed, INTEGER, .argument = "N"),
                                    OPTION(memory, SIZE, .argument = "SIZE"),
                                    {0}};
static const rmi_command command = {.name = "fuzz",
                                    .synopsis = "remotemedia fuzz FILE",
                                    .summary = "A command.",
                                    .tables = {first, second},
                                    .operands = offsetof(struct values, operands),
                                    .most = 3,
                                    .operand = "a file"};

static const char manifest_text[] =
    "{\"version\": \"v1\", \"metadata\": {\"name\": \"t\"}, \"nodes\": [{\"id\": \"a\", \"node_type\": "
    "\"AudioBuffer\"}, {\"id\": \"b\", \"node_type\": \"CalculatorNode\"}, {\"id\": \"c\", \"node_type\": "
    "\"Filter\"}], \"connections\": [{\"from\": \"b\", \"to\": \"c\"}]}";

/* Words between line feeds, each in a block of its own. */
static int split(char *text, size_t length, char *argv[WORDS + 1])
{
    int count = 0;
    argv[count++] = strdup("fuzz");
    for (size_t at = 0; at <= length && count < WORDS;) {
        const size_t size = strcspn(text + at, "\n");
        argv[count++] = strndup(text + at, size);
        at += size + 1;
    }
    argv[count] = NULL;
    return count;
}

static int apply(rmt_heap *heap, const rmi_texts *settings)
{
    const rm_config config = {.size = sizeof config, .allocator = &heap->allocator};
    rm_runtime *runtime = NULL;
    rm_manifest *manifest = NULL;
    rm_error err = {0};
    int rc = rm_runtime_new(&config, &runtime, &err);
    if (rc == RM_OK)
        rc = rm_manifest_parse(runtime, manifest_text, sizeof manifest_text - 1, &manifest, &err);
    if (rc == RM_OK)
        rc = rmi_setup_overrides(manifest, settings, &err);
    if (rc == RM_OK)
        rc = rm_manifest_validate(manifest, &err);
    rmf_require(rc == err.code, "it answers %d and says %d", rc, err.code);
    rm_error_clear(&err);
    rm_manifest_free(manifest);
    rm_runtime_free(runtime);
    return rc;
}

static void check(const struct values *values, const char *const *rest, int argc)
{
    int count = 0;
    while (rest[count] != NULL)
        count++;
    rmf_require(count < argc, "%d of %d words are left", count, argc - 1);
    rmf_require(values->limit >= 0 && values->limit <= INT64_C(1000000000000), "a time is out of range");
    rmf_require(values->color >= 0 && values->color <= 2 && values->shape.choice >= 0 &&
                    values->shape.choice <= 3,
                "a choice is out of range");
}

int rmf_run(rmt_heap *heap, rmf_input input)
{
    static const rmi_option *const without[] = {second, NULL};
    char *argv[WORDS + 1];
    const char *rest[WORDS + 1];
    struct values values = {0};
    rmi_program program = {.in = -1,
                           .out = {.descriptor = open("/dev/null", O_WRONLY | O_CLOEXEC), .name = "null"}};
    rmi_exit code = RMI_EXIT_OK;
    size_t length = input.left;
    char *text = strndup((const char *)input.data, input.left);
    int rc = RM_OK;
    rmf_require(text != NULL, "no memory for the input");
    length = strlen(text);
    const int argc = split(text, length, argv);
    if (rmi_options_parse(&command, &program, argc, argv, &values, &code)) {
        rmi_options_without(&command, without, argc, argv, rest);
        check(&values, rest, argc);
        rc = apply(heap, &values.settings);
    }
    rmi_options_free(&command, &values);
    const int closed = rmi_writer_close(&program.out, NULL);
    rmf_require(closed == RM_OK || closed == RM_E_IO, "the writer ends with %d", closed);
    for (int i = 0; i < argc; i++)
        free(argv[i]);
    free(text);
    return rc;
}
