/* The JSON form of a large array, both ways in process: gigabytes of the array a second.
 *
 *   bench_arrays [--mib N] [CASE...]      parse, write */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/support.h"

enum { MIB = 64, ROUNDS = 5 };

/* An array, its JSON form, and how many bytes the array has. */
typedef struct sample {
    rm_value tensor;
    char *text;
    size_t length, bytes;
} sample;

static int prepare(sample *s, size_t mib, rm_error *err)
{
    const int64_t shape[] = {(int64_t)(mib * (1u << 20) / sizeof(float))};
    int rc = rm_tensor_new(NULL, RM_FLOAT32, 1, shape, &s->tensor, err);
    if (rc != RM_OK)
        return rc;
    float *samples = rm_tensor_view(s->tensor).data;
    s->bytes = mib << 20;
    for (int64_t i = 0; i < shape[0]; i++)
        samples[i] = (float)i * 0.001f;
    return rm_json_write(NULL, s->tensor, 0, &s->text, &s->length, NULL, err);
}

static int parse(const sample *s, rm_error *err)
{
    rm_value value = rm_null();
    int rc = rm_json_parse(NULL, s->text, s->length, 0, &value, err);
    const float *samples = rm_tensor_view(value).data;
    if (rc == RM_OK && (rm_tensor_bytes(value) != s->bytes || samples[1] != 0.001f))
        rc = rm_error_set(err, RM_E_INTERNAL, "the array that was read is another one");
    rm_value_clear(&value);
    return rc;
}

static int write(const sample *s, rm_error *err)
{
    char *text = NULL;
    size_t length = 0;
    int rc = rm_json_write(NULL, s->tensor, 0, &text, &length, NULL, err);
    if (rc == RM_OK && length != s->length)
        rc = rm_error_set(err, RM_E_INTERNAL, "the text that was written is another one");
    rm_text_free(NULL, text, length);
    return rc;
}

static const struct {
    const char *name;
    int (*run)(const sample *s, rm_error *err);
} cases[] = {{"parse", parse}, {"write", write}};

/* The best of some rounds, after one that does not count. */
static int measure(int (*run)(const sample *s, rm_error *err), const sample *s, double *rate, rm_error *err)
{
    int64_t least = INT64_MAX;
    int rc = RM_OK;
    for (int i = 0; rc == RM_OK && i <= ROUNDS; i++) {
        const int64_t started = bench_now();
        rc = run(s, err);
        const int64_t took = bench_now() - started;
        least = i > 0 && took < least ? took : least;
    }
    *rate = (double)s->bytes / (double)least;
    return rc;
}

int main(int argc, char **argv)
{
    const bool sized = argc > 2 && strcmp(argv[1], "--mib") == 0;
    const int named = sized ? 3 : 1;
    sample s = {.text = NULL};
    rm_error err = {0};
    double rate = 0;
    int rc = prepare(&s, sized ? strtoul(argv[2], NULL, 10) : MIB, &err);
    if (rc != RM_OK)
        (void)bench_report("arrays", 0, rc, &err);
    for (size_t i = 0; rc == RM_OK && i < sizeof cases / sizeof *cases; i++) {
        if (!bench_wanted(cases[i].name, argc - named, argv + named))
            continue;
        rc = measure(cases[i].run, &s, &rate, &err);
        rc = bench_report(cases[i].name, rate, rc, &err);
    }
    rm_text_free(NULL, s.text, s.length);
    rm_value_clear(&s.tensor);
    rm_error_clear(&err);
    return rc == RM_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
