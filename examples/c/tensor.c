/* Arrays in and out of a pipeline without a copy: memory of the library, memory of the program, parts of both.
 *
 *   tensor */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <remotemedia/remotemedia.h>

static const char manifest_text[] =
    "{\"version\": \"v1\", \"metadata\": {\"name\": \"arrays\"},"
    " \"nodes\": [{\"id\": \"same\", \"node_type\": \"PassThrough\", \"is_output_node\": true},"
    "             {\"id\": \"level\", \"node_type\": \"AudioLevel\"}],"
    " \"connections\": [{\"from\": \"same\", \"to\": \"level\"}]}";

enum { FRAMES = 4, CHANNELS = 2, RATE = 8000 };

static int print_value(const char *label, rm_value value, rm_error *err)
{
    char *text = NULL;
    size_t length = 0;
    const int rc = rm_json_write(NULL, value, RM_JSON_ARRAYS_AS_LISTS, &text, &length, NULL, err);
    if (rc == RM_OK)
        printf("%s: %s\n", label, text);
    rm_text_free(NULL, text, length);
    return rc;
}

/* How a tensor lies in memory. Strides count elements; where they are those of C order, data can be read in a row. */
static void print_layout(const char *label, rm_value tensor)
{
    const rm_tensor view = rm_tensor_view(tensor);
    printf("%s: %s, %zu elements, %zu bytes, shape", label, rm_dtype_name(view.dtype),
           rm_tensor_count(tensor), rm_tensor_bytes(tensor));
    for (int32_t i = 0; i < view.dimensions; i++)
        printf(" %lld", (long long)view.shape[i]);
    printf(", strides");
    for (int32_t i = 0; i < view.dimensions; i++)
        printf(" %lld", (long long)view.strides[i]);
    printf("%s\n", rm_tensor_is_contiguous(tensor) ? ", in C order" : "");
}

/* ---- Memory of the program ---- */

/* Called once when nothing looks at the samples any more; here they came from malloc. */
static void release_samples(void *owner)
{
    printf("the samples are free\n");
    free(owner);
}

/* Audio around memory that the program has: the tensor, and all that shares it, keeps it. */
static int wrap_samples(rm_value *out, rm_error *err)
{
    const int64_t shape[] = {FRAMES, CHANNELS};
    float *samples = malloc(FRAMES * CHANNELS * sizeof *samples);
    if (samples == NULL)
        return rm_error_set(err, RM_E_OUT_OF_MEMORY, "out of memory");
    for (int i = 0; i < FRAMES * CHANNELS; i++)
        samples[i] = (float)i / (FRAMES * CHANNELS);
    const rm_tensor view = {
        .data = samples,
        .dtype = RM_FLOAT32,
        .dimensions = 2,
        .shape = shape,
        .media = {.kind = RM_MEDIA_AUDIO, .sample_rate = RATE},
    };
    return rm_tensor_wrap(NULL, &view, samples, release_samples, out, err); /* released also when it fails */
}

/* ---- Memory of the library ---- */

/* A new tensor is zero, and may be written as long as it has one owner. */
static int make_table(rm_value *out, rm_error *err)
{
    const int64_t shape[] = {2, 3};
    const int rc = rm_tensor_new(NULL, RM_INT32, 2, shape, out, err);
    int32_t *numbers = rm_tensor_view(*out).data;
    for (int32_t i = 0; rc == RM_OK && i < 6; i++)
        numbers[i] = i * i;
    return rc;
}

/* Parts see the same memory: rows by rm_tensor_slice, all else by a layout of one's own. */
static int show_parts(rm_value table, rm_error *err)
{
    rm_value row = rm_null(), transposed = rm_null(), flat = rm_null();
    const int64_t shape[] = {3, 2}, strides[] = {1, 3};
    rm_tensor view = rm_tensor_view(table);
    view.shape = shape;
    view.strides = strides;
    int rc = rm_tensor_slice(NULL, table, 1, 1, &row, err);
    if (rc == RM_OK)
        rc = print_value("second row", row, err);
    if (rc == RM_OK)
        rc = rm_tensor_share(NULL, table, &view, &transposed, err);
    if (rc == RM_OK)
        rc = print_value("transposed", transposed, err);
    if (rc == RM_OK)
        print_layout("transposed", transposed);
    if (rc == RM_OK)
        rc = rm_tensor_contiguous(NULL, transposed, &flat, err); /* a copy only where it is needed */
    if (rc == RM_OK)
        print_layout("copied", flat);
    rm_value_clear(&row);
    rm_value_clear(&transposed);
    rm_value_clear(&flat);
    return rc;
}

/* ---- Through a pipeline ---- */

static int run(rm_manifest *manifest, rm_value audio, rm_error *err)
{
    rm_value input = rm_null(), outputs = rm_null(), results = rm_null();
    const void *data = rm_tensor_view(audio).data;
    int rc = rm_list_new(NULL, 1, &input, err);
    if (rc == RM_OK)
        rc = rm_list_append(&input, rm_value_retain(audio), err);
    if (rc == RM_OK)
        rc = rm_run(manifest, NULL, input, &outputs, err);
    if (rc == RM_OK && rm_map_get(outputs, "same", 4, &results)) {
        const rm_value same = rm_list_get(results, 0);
        print_layout("result", same);
        printf("the result %s\n",
               rm_tensor_view(same).data == data ? "is the program's memory" : "was copied");
    }
    if (rc == RM_OK && rm_map_get(outputs, "level", 5, &results))
        rc = print_value("level", results, err);
    rm_value_clear(&outputs);
    rm_value_clear(&input);
    return rc;
}

int main(void)
{
    rm_error err = {0};
    rm_runtime *runtime = NULL;
    rm_manifest *manifest = NULL;
    rm_value table = rm_null(), audio = rm_null();
    int rc = make_table(&table, &err);
    if (rc == RM_OK)
        rc = print_value("table", table, &err);
    if (rc == RM_OK)
        rc = show_parts(table, &err);
    if (rc == RM_OK)
        rc = wrap_samples(&audio, &err);
    if (rc == RM_OK)
        rc = rm_runtime_new(NULL, &runtime, &err);
    if (rc == RM_OK)
        rc = rm_manifest_parse(runtime, manifest_text, strlen(manifest_text), &manifest, &err);
    if (rc == RM_OK)
        rc = run(manifest, audio, &err);
    if (rc != RM_OK)
        fprintf(stderr, "%s: %s\n", rm_code_name(rc), err.message);
    rm_value_clear(&audio);
    rm_value_clear(&table);
    rm_error_clear(&err);
    rm_manifest_free(manifest);
    rm_runtime_free(runtime);
    return rc == RM_OK ? 0 : 1;
}
