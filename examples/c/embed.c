/* Runs a pipeline in one call: a manifest from a file, input items as JSON, results as values.
 *
 *   embed PIPELINE.json '[1, 2, 3]'      without the second argument the pipeline's sources generate */
#include <stdio.h>
#include <string.h>

#include <remotemedia/remotemedia.h>

/* Prints each result on a line: "sink: value". */
static int print_outputs(rm_value outputs, rm_error *err)
{
    rm_value sink, items;
    for (size_t i = 0; rm_map_at(outputs, i, &sink, &items); i++)
        for (size_t k = 0; k < rm_list_length(items); k++) {
            char *text = NULL;
            size_t length = 0;
            const int rc = rm_json_write(NULL, rm_list_get(items, k), 0, &text, &length, NULL, err);
            if (rc != RM_OK)
                return rc;
            printf("%s: %s\n", rm_string_text(sink, NULL), text);
            rm_text_free(NULL, text, length);
        }
    return RM_OK;
}

static void print_error(const rm_error *err)
{
    fprintf(stderr, "%s: %s\n", rm_code_name(err->code), err->message);
    if (err->node[0] != '\0')
        fprintf(stderr, "  node: %s\n", err->node);
    if (err->has_pointer)
        fprintf(stderr, "  at: %s\n", err->pointer);
    if (err->hint[0] != '\0')
        fprintf(stderr, "  hint: %s\n", err->hint);
}

int main(int argc, char **argv)
{
    rm_error err = {0};
    rm_runtime *runtime = NULL;
    rm_manifest *manifest = NULL;
    rm_value input = rm_null(), outputs = rm_null();
    if (argc != 2 && argc != 3) {
        fprintf(stderr, "usage: %s PIPELINE.json [ITEMS]\n", argv[0]);
        return 2;
    }
    int rc = rm_runtime_new(NULL, &runtime, &err);
    if (rc == RM_OK)
        rc = rm_manifest_load(runtime, argv[1], &manifest, &err);
    if (rc == RM_OK && argc == 3)
        rc = rm_json_parse(NULL, argv[2], strlen(argv[2]), 0, &input, &err);
    if (rc == RM_OK) {
        rc = rm_run(manifest, NULL, input, &outputs, &err);
        /* A run that failed has results too: those that were emitted before. */
        const int printed = print_outputs(outputs, rc == RM_OK ? &err : NULL);
        rc = rc == RM_OK ? printed : rc;
    }
    if (rc != RM_OK)
        print_error(&err);
    rm_value_clear(&input);
    rm_value_clear(&outputs);
    rm_error_clear(&err);
    rm_manifest_free(manifest);
    rm_runtime_free(runtime);
    return rc == RM_OK ? 0 : 1;
}
